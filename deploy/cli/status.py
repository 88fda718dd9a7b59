"""`poec status`: what runs on a data folder, where, and what had to be started again."""

from typing import Any

import typer
from rich.table import Table

from deploy.cli.asked import Home, Json
from deploy.cli.console import print_json, stdout_console
from deploy.local.business_clock import read_clock
from deploy.local.guarded import started_at
from deploy.local.holding import holder
from deploy.local.runfile import Run, home_folder, live_run

NOTHING_RUNS = 3


def status(as_json: Json = False, home: Home = None) -> None:
    """Show what runs, where, what had to be started again, and the business clock when it is moved.

    Exit codes: 0 everything is ready, 1 something is not (starting, degraded, stopping), 3 nothing runs.
    """
    folder = home_folder(home)
    run, held_by = live_run(folder), holder(folder)
    if run is None:
        state = "starting" if held_by else "stopped"
        if as_json:
            print_json({"state": state, "home": str(folder), "services": {}, "restarts": []})
        else:
            stdout_console().print(f"{state}: {folder}", soft_wrap=True)
        raise typer.Exit(1 if held_by else NOTHING_RUNS)
    found = describe(run)
    if as_json:
        print_json(found)
    else:
        _show(found)
    raise typer.Exit(0 if found["state"] == "ready" else 1)


def describe(run: Run) -> dict[str, Any]:
    """What `status --json` prints: run.json without anything secret, and whether each process lives."""
    shown: dict[str, Any] = run.model_dump(
        exclude={
            "clients": True,
            "services": {"__all__": {"database_url", "process_database_url", "audit_database_url"}},
        }
    )
    shown["clients"] = sorted(run.clients)
    shown["processes"] = [{"name": name, "pid": pid, "alive": started_at(pid) is not None} for name, pid in _pids(run)]
    clock = read_clock(service.audit_database_url for service in run.services.values())
    shown["business_clock"] = clock and {
        "now": clock.now.isoformat(timespec="seconds"),
        "moved_seconds": clock.moved_seconds,
        "said": str(clock),
    }
    return shown


def _pids(run: Run) -> list[tuple[str, int]]:
    named = [("supervisor", run.supervisor.pid), ("issuer", run.issuer.pid), ("postgres", run.postgres.pid)]
    named += [(f"kafka.{number}", pid) for number, pid in enumerate(run.kafka.pids, 1)]
    for name, service in run.services.items():
        together = len(set(service.pids.values())) == 1
        named += [(name if together else f"{name}.{role}", pid) for role, pid in service.pids.items()]
    return list(dict.fromkeys((name, pid) for name, pid in named if pid is not None))


def _show(found: dict[str, Any]) -> None:
    out = stdout_console()
    out.print(f"{found['state']} since {found['started_at']} in {found['home']} ({found['infra']})", soft_wrap=True)
    urls = {name: service["url"] for name, service in found["services"].items()} | {"issuer": found["issuer"]["url"]}
    urls |= {f"{name}.{role}": url for name, s in found["services"].items() for role, url in s["urls"].items()}
    urls |= {"postgres": f"{found['postgres']['host']}:{found['postgres']['port']}"}
    urls |= {f"kafka.{n}": place for n, place in enumerate(found["kafka"]["bootstrap_servers"].split(","), 1)}
    table = Table("process", "pid", "alive", "address", box=None, pad_edge=False)
    for process in found["processes"]:
        table.add_row(
            process["name"], str(process["pid"]), "yes" if process["alive"] else "NO", urls.get(process["name"], "")
        )
    out.print(table)
    if found["business_clock"] and found["business_clock"]["moved_seconds"]:
        out.print(found["business_clock"]["said"], soft_wrap=True)
    for restart in found["restarts"][-10:]:
        out.print(
            f"started again: {restart['what']} at {restart['at']}, {restart['reason']} (number {restart['count']})",
            soft_wrap=True,
        )
