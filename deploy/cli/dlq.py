"""`poec dlq`: what could not be applied, in all services: list, show, replay, discard. It asks the services, as client `operations`."""

from collections.abc import Iterator
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID

import httpx
import typer
from rich.markup import escape
from rich.table import Table

from deploy.cli.asked import Home, Json
from deploy.cli.console import print_json, stdout_console
from deploy.local.client import bearer
from deploy.local.errors import LocalError
from deploy.local.runfile import Run, home_folder

CLIENT: Final = "operations"
STATES: Final = {"dead": "mort", "replayed": "rejoué", "discarded": "écarté"}
dlq = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="List, show, replay or discard dead letters.",
)

State = Annotated[str, typer.Option(help="`dead` (waiting), `replayed`, `discarded`, or `all`.", metavar="STATE")]
Letter = Annotated[UUID, typer.Argument(help="Id of the dead letter, as `poec dlq list` shows it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why it is given up: kept with it, and in the audit trail.")]
Replayed = Annotated[
    UUID | None, typer.Argument(help="Id of the dead letter; leave it out with --all.", show_default=False)
]
All = Annotated[bool, typer.Option("--all", help="Replay every dead letter that waits, oldest first.")]


PAGE = 100
"""Letters on a page of `/dead-letters`; a shorter page is the last one."""


class NotDone(LocalError):
    """A service refused or did not answer; the text is its own words."""


@dlq.command("list")
def list_letters(state: State = "dead", as_json: Json = False, home: Home = None) -> None:
    """List dead letters of all services, oldest first, without their content.

    Exit codes: 0 listed (also when there is none), 1 a service could not be asked.
    """
    if state not in ("dead", "replayed", "discarded", "all"):
        raise LocalError("--state is `dead`, `replayed`, `discarded` or `all`.")
    found = letters_of(Run.load(home_folder(home)), None if state == "all" else state)
    if as_json:
        print_json({"dead_letters": found})
        return
    rows = [_HEADER, *map(_row, found)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(_HEADER))]
    for row in rows if found else ():
        line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        stdout_console().print(escape(line), soft_wrap=True, style="bold" if row is _HEADER else None)
    if not found:
        stdout_console().print("Aucun message mort.")


_HEADER: Final = ("identifiant", "service", "état", "code", "où", "depuis")


def _row(letter: dict[str, Any]) -> tuple[str, ...]:
    where = f"{letter['topic']}/{letter['kafka_partition']}/{letter['kafka_offset']}"
    since = str(letter["created_at"])[:19].replace("T", " ")
    return (letter["id"], letter["service"], STATES[letter["state"]], letter["code"], where, since)


@dlq.command("show")
def show(letter: Letter, as_json: Json = False, home: Home = None) -> None:
    """Show one dead letter with its headers and its content.

    Exit codes: 0 shown, 1 there is none of that id or a service could not be asked.
    """
    run = Run.load(home_folder(home))
    service = service_of(run, letter)
    found = {"service": service, **asked(run, service, "GET", f"/dead-letters/{letter}")["dead_letters"][0]}
    if as_json:
        print_json(found)
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in found.items():
        table.add_row(f"[bold]{name}[/]", escape("\n".join(map(str, value)) if isinstance(value, list) else str(value)))
    stdout_console().print(table)


@dlq.command("replay")
def replay(letter: Replayed = None, everything: All = False, as_json: Json = False, home: Home = None) -> None:
    """Apply dead letters again, as they came by; one that was settled before is only reported.

    Exit codes: 0 every one of them is settled, 1 one is still dead or a service could not be asked.
    """
    if (letter is None) is not everything:
        raise LocalError("Name one dead letter, or say --all.")
    run = Run.load(home_folder(home))
    wanted = (
        [(name, letter) for name in services_of(run, letter)]
        if letter
        else [(o["service"], o["id"]) for o in letters_of(run, "dead")]
    )
    settled = [asked(run, service, "POST", f"/dead-letters/{one}/replay") for service, one in wanted]
    _show_settled(settled, as_json)
    raise typer.Exit(0 if all(one["state"] != "dead" for one in settled) else 1)


@dlq.command("discard")
def discard(letter: Letter, reason: Reason, as_json: Json = False, home: Home = None) -> None:
    """Give a dead letter up, with a reason; what waited behind it goes on.

    Exit codes: 0 discarded, 1 it was replayed before, there is none of that id, or a service could not be asked.
    """
    run = Run.load(home_folder(home))
    path = f"/dead-letters/{letter}/discard"
    _show_settled([asked(run, name, "POST", path, {"reason": reason}) for name in services_of(run, letter)], as_json)


def letters_of(run: Run, state: str | None) -> list[dict[str, Any]]:
    """Return the dead letters of all services, oldest first, each with its service's name."""
    found = [{"service": name, **one} for name in run.services for one in _all_of(run, name, state)]
    return sorted(found, key=lambda one: str(one["created_at"]))


def _all_of(run: Run, service: str, state: str | None) -> Iterator[dict[str, Any]]:
    """Yield every dead letter of one service, page by page."""
    after = None
    while True:
        wanted = {name: value for name, value in (("state", state), ("after", after)) if value}
        page = asked(run, service, "GET", f"/dead-letters?{urlencode(wanted)}")["dead_letters"]
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1]["id"]


def service_of(run: Run, letter: UUID) -> str:
    """Return the first service that holds a dead letter. Raises `NotDone` when none does."""
    return services_of(run, letter)[0]


def services_of(run: Run, letter: UUID) -> list[str]:
    """Return every service that holds a dead letter: a record that several hear has the same id in each of them."""
    found = [name for name in run.services if send(run, name, "GET", f"/dead-letters/{letter}").is_success]
    if not found:
        raise NotDone(f"No service has a dead letter {letter}: `poec dlq list --state all`.")
    return found


def asked(run: Run, service: str, method: str, path: str, body: dict[str, str] | None = None) -> dict[str, Any]:
    """Return what a service answers. Raises `NotDone` with its words where it refuses."""
    return told(service, send(run, service, method, path, body))


def told(service: str, answer: httpx.Response) -> dict[str, Any]:
    """Return what an answer says. Raises `NotDone` with the service's words where it is a refusal."""
    if answer.is_success:
        found: dict[str, Any] = answer.json()
        return found
    raise NotDone(f"{service}: {' — '.join(_words(answer))}")


def send(
    run: Run, service: str, method: str, path: str, body: dict[str, str] | None = None, client: str = CLIENT
) -> httpx.Response:
    """Return a service's answer as it is. Raises `NotDone` where there is none."""
    try:
        return httpx.request(
            method, run.services[service].url + path, headers=bearer(run, client), json=body, timeout=30
        )
    except httpx.HTTPError as failure:
        raise NotDone(f"{service} does not answer ({type(failure).__name__}): `poec status`.") from None


def _words(answer: httpx.Response) -> Iterator[str]:
    try:
        said = answer.json()
    except ValueError:
        said = {}
    yield str(said.get("title") or answer.status_code)
    yield from (str(objection.get("message")) for objection in said.get("objections") or ())


def _show_settled(settled: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json({"dead_letters": settled})
        return
    out = stdout_console()
    for one in settled:
        why = f"\u202f: {one['code']}, {one['detail']}" if one.get("code") else ""
        out.print(escape(f"{one['id']} {STATES[one['state']]}{why}"), soft_wrap=True)
    if not settled:
        out.print("Aucun message mort n’attend.")
