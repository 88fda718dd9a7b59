"""`poec up`: starts Kafka, PostgreSQL, the issuer and the services, and keeps them running."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.asked import Home, Tls
from deploy.cli.console import explain, reporter
from deploy.local.business_clock import read_clock
from deploy.local.errors import LocalError
from deploy.local.holding import holder
from deploy.local.lifecycle import start_detached, wait_for_other
from deploy.local.options import options_from
from deploy.local.runfile import Run, home_folder

Detach = Annotated[
    bool, typer.Option("--detach", "-d", help="Return when all is ready; it goes on running in the background.")
]
Roles = Annotated[str, typer.Option(help="`all`: one process per service; `split`: one per role (api, worker, relay).")]
Brokers = Annotated[int, typer.Option(help="Brokers of the embedded Apache Kafka: 1 or 3.")]
Infra = Annotated[str, typer.Option(help="`embedded`, or `docker` where a Docker engine answers.")]


def up(
    detach: Detach = False,
    roles: Roles = "all",
    brokers: Brokers = 1,
    tls: Tls = False,
    infra: Infra = "embedded",
    home: Home = None,
) -> None:
    """Start everything and keep it running; what dies is started again.

    Without --detach it stays in the foreground until Ctrl-C, which stops all in order (a second Ctrl-C hurries).
    POEC_KAFKA_BOOTSTRAP_SERVERS and POEC_DATABASE_URL (a superuser's) name servers to use instead of the embedded ones;
    POEC_KAFKA_SECURITY_PROTOCOL, _SASL_MECHANISM, _CA_FILE, _ADMIN_USER and _ADMIN_PASSWORD say how to sign in to those brokers.

    Exit codes: 0 ready (also when it ran already), 1 could not start, 2 wrong use, 130 interrupted while starting.
    """
    folder = home_folder(home)
    if infra not in ("embedded", "docker"):
        raise LocalError("--infra is `embedded` or `docker`.")
    if detach:
        ran = holder(folder) is not None
        arguments = ["--brokers", str(brokers), "--roles", roles, "--infra", infra, *(["--tls"] if tls else [])]
        run = start_detached(folder, arguments, reporter().note)
        show_addresses(run, "Runs already." if ran else "Ready.")
        return
    _foreground(folder, brokers, roles, infra, tls)


def _foreground(folder: Path, brokers: int, roles: str, infra: str, tls: bool) -> None:
    shown = reporter()
    running = wait_for_other(folder, shown.note)
    if running is not None:
        show_addresses(running, "Runs already.")
        return
    from deploy.local.supervisor import Interrupted, run_supervisor

    options = options_from(folder, brokers=brokers, roles=roles, infra=infra, tls=tls)
    try:
        run_supervisor(options, shown, lambda run: show_addresses(run, "Ready. Ctrl-C stops everything."))
    except Interrupted as stopped:
        explain(stopped)
        raise typer.Exit(130) from None


def show_addresses(run: Run, first_line: str) -> None:
    """Say where everything is reached, and that the business clock is moved where it is, on standard error."""
    say = reporter().note
    say(first_line)
    for name, service in run.services.items():
        say(f"  {name:<12} {service.url}")
    say(f"  {'kafka':<12} {run.kafka.bootstrap_servers}")
    say(f"  {'postgres':<12} {run.postgres.host}:{run.postgres.port}")
    say(f"  {'run.json':<12} {Path(run.home) / 'run.json'} (addresses, clients and passwords)")
    if (pages := run.pages_url) is not None:
        say(f"  {'pages':<12} {pages} (sign in by choosing one of the invented accounts)")
    clock = read_clock(service.audit_database_url for service in run.services.values())
    if clock is not None and clock.moved_seconds:
        say(f"  {clock}")
