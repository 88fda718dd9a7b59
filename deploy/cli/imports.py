"""`poec import`: a file of fiches into submission, by its HTTP door like any other client; what became of each fiche."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID, uuid4

import httpx
import typer
from rich.markup import escape

from deploy.cli.asked import Home, Json
from deploy.cli.console import explained, print_json, reporter, stderr_console, stdout_console
from deploy.cli.import_partners import partners
from deploy.cli.retry_after import answered, silent
from deploy.local.client import bearer
from deploy.local.errors import LocalError
from deploy.local.runfile import Run, home_folder
from shared.contracts.opco_names import opco_named

TYPES: Final = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".csv": "text/csv",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".ndjson": "application/x-ndjson",
}
"""Ending of a file to the content type it is sent as."""
WORDS: Final = {
    "accepted": ("déposée", "déposées"),
    "unchanged": ("déjà déposée", "déjà déposées"),
    "warned": ("avertie, non déposée", "averties, non déposées"),
    "refused": ("refusée", "refusées"),
    "waiting": ("en attente", "en attente"),
}
"""Outcome to its words for one fiche and for several."""
NOT_ALL, COULD_NOT, INTERRUPTED = 1, 2, 130
REASONS: Final = 5
"""So many fiches that are not filed are explained without a report."""
POLL_SECONDS: Final = 0.5
CHUNK: Final = 64 * 1024

imports = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Send files of fiches to submission, and read what became of them. Exit codes: see each command.",
)
Sent = Annotated[
    Path, typer.Argument(help="XLSX, CSV or JSON; `poec import template` writes one to fill in.", metavar="FILE")
]
Opco = Annotated[str, typer.Option(help="Client of run.json to sign in as: an OPCO by its name or slug, such as akto.")]
Report = Annotated[
    Path | None, typer.Option(help="Write the report, a line per fiche and objection, to this .csv or .xlsx.")
]
Acknowledge = Annotated[
    str, typer.Option(help="Codes of warnings that are read and kept for all fiches, separated by commas.")
]
Which = Annotated[UUID, typer.Argument(help="Id of the import, as `poec import fiches` says it.", metavar="ID")]


@imports.command("fiches")
def fiches(
    file: Sent,
    opco: Opco,
    report: Report = None,
    acknowledge: Acknowledge = "",
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Send a file of fiches in, follow it to its end, say what became of each fiche.

    The same file again changes nothing: it goes on where an interrupted one stopped. Ctrl-C leaves the import running on the server.
    Exit codes: 0 every fiche is filed (now or before), 1 some are not (warned or refused), 2 the file was not taken in, or nobody
    answered, 130 interrupted.
    """
    with explained(COULD_NOT, INTERRUPTED) as told:
        _check_report(report)
        client = Client(Run.load(home_folder(home)), opco)
        told.interrupted = "It may have arrived or not. Send the same file again: nothing is filed twice."
        found = client.send(file, acknowledge)
        again = f"poec import show {found['import_id']} --opco {opco}"
        told.interrupted = (
            f"The server goes on with the file. Look again with `{again}`, or send it again: nothing is filed twice."
        )
        _end(client, client.followed(found), report, as_json)


@imports.command("show")
def show(which: Which, opco: Opco, report: Report = None, as_json: Json = False, home: Home = None) -> None:
    """Say how far an import has come, and write its report.

    Exit codes: 0 every fiche is filed, 1 some are not (warned, refused, or still waiting), 2 it could not be asked for, 130
    interrupted.
    """
    with explained(COULD_NOT, INTERRUPTED):
        _check_report(report)
        client = Client(Run.load(home_folder(home)), opco)
        _end(client, client.get(f"/imports/{which}").json(), report, as_json)


imports.command("partners")(partners)


@imports.command("template")
def template(
    to: Annotated[Path, typer.Argument(help="File to write: .xlsx or .csv.", metavar="FILE")],
    opco: Opco,
    home: Home = None,
) -> None:
    """Write the template of a file of fiches.

    Exit codes: 0 written, 2 it could not be asked for, 130 interrupted.
    """
    with explained(COULD_NOT, INTERRUPTED):
        if to.suffix not in (".xlsx", ".csv"):
            raise LocalError("The template is an .xlsx or a .csv.")
        Client(Run.load(home_folder(home)), opco).download(f"/imports/template{to.suffix}", to)


class Client:
    """Asks submission as one OPCO; every answer that is no success is a LocalError in the service's own words."""

    def __init__(self, run: Run, opco: str) -> None:
        opco = opco_named(opco) or opco
        if opco not in run.clients or "submission" not in run.services:
            raise LocalError(f"run.json has no client {opco!r}, or submission does not run: `poec status`.")
        self._run, self._opco = run, opco
        self._http = httpx.Client(base_url=run.services["submission"].url, timeout=httpx.Timeout(30, read=300))

    def send(self, file: Path, acknowledge: str) -> dict[str, Any]:
        """Upload a file, streamed from the disk; a connection that is lost is tried again with the same key."""
        kind = TYPES.get(file.suffix.lower())
        if not file.is_file():
            raise LocalError(f"{file} is not there, or is no file.")
        if kind is None:
            raise LocalError(f"{file} does not end in one of {', '.join(TYPES)}.")
        if not file.stat().st_size:
            raise LocalError(f"{file} is empty: no fiche stands in it.")
        headers = {"Content-Type": kind, "Idempotency-Key": uuid4().hex, "Content-Length": str(file.stat().st_size)}
        query = {"acknowledge": acknowledge} if acknowledge else {}

        def post() -> httpx.Response:
            return self._http.post("/imports", params=query, headers=self._headers(headers), content=_parts(file))

        with reporter().step(f"{file.name}: sent and read"):
            return dict(_good(answered(post)).json())

    def followed(self, found: dict[str, Any]) -> dict[str, Any]:
        """Show how an import advances until it has ended; return how it stands then."""
        path = f"/imports/{found['import_id']}"
        with reporter().step("fiches") as advance:
            while found["state"] == "running":
                advance(found["done"], found["fiches"], "fiches carried out")
                time.sleep(POLL_SECONDS)
                found = self.get(path).json()
            advance(found["done"], found["fiches"], "fiches carried out")
        return found

    def get(self, path: str) -> httpx.Response:
        """Return an answer; a connection that is lost is tried again."""
        return _good(answered(lambda: self._http.get(path, headers=self._headers({}))))

    def download(self, path: str, to: Path) -> None:
        """Write an answer to a file, part by part; it bears its name only once it is whole."""
        being = to.with_name(f".{to.name}.{uuid4().hex[:8]}")
        try:
            with self._http.stream("GET", path, headers=self._headers({})) as answer:
                if answer.status_code != 200:
                    answer.read()
                    _good(answer)
                with being.open("wb") as file:
                    for part in answer.iter_bytes(CHUNK):
                        file.write(part)
            being.replace(to)
        except httpx.TransportError as failure:
            raise silent(failure) from None
        except OSError as failure:
            raise LocalError(f"{to} cannot be written ({type(failure).__name__}).") from None
        finally:
            being.unlink(missing_ok=True)

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        return {**bearer(self._run, self._opco), **more}


def _parts(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as opened:
            while part := opened.read(CHUNK):
                yield part
    except OSError as failure:
        raise LocalError(f"{file} cannot be read ({type(failure).__name__}).") from None


def _good(answer: httpx.Response) -> httpx.Response:
    """Return an answer that is a success; LocalError with every objection otherwise."""
    if answer.status_code < 300:
        return answer
    try:
        said = [str(one["message"]) for one in answer.json()["objections"]]
    except (ValueError, KeyError, TypeError):
        said = []
    raise LocalError("\n".join([f"submission refused ({answer.status_code}).", *said]))


def _check_report(report: Path | None) -> None:
    """Object to a report's name before anything is sent."""
    if report is not None and report.suffix not in (".xlsx", ".csv"):
        raise LocalError("The report is a .csv or an .xlsx.")


def _end(client: Client, found: dict[str, Any], report: Path | None, as_json: bool) -> None:
    """Write the report, print how an import stands, end with its exit code."""
    if report is not None:
        client.download(f"/imports/{found['import_id']}/report{report.suffix}", report)
    if as_json:
        print_json(found)
    else:
        stdout_console().print(summary(found), soft_wrap=True)
        stderr_console().print(f"import {found['import_id']}", soft_wrap=True)
        if report is None:
            _say_reasons(client, found["import_id"])
    filed = found["counts"]["accepted"] + found["counts"]["unchanged"]
    raise typer.Exit(0 if filed == found["fiches"] else NOT_ALL)


def _say_reasons(client: Client, import_id: str) -> None:
    """Say on standard error why the first fiches that are not filed are not."""
    path = f"/imports/{import_id}/lines?outcome=refused&outcome=warned&limit={REASONS}"
    for line in client.get(path).json()["lines"]:
        for said in line["said"]:
            text = f"  {line['line']} {line['reference'] or ''}: {said['message']}"
            stderr_console().print(escape(text), soft_wrap=True)


def summary(found: dict[str, Any]) -> str:
    """Return how an import stands in one line; below two, French has the singular."""
    counts = {name: found["counts"][name] for name in WORDS if found["counts"][name]}
    words = ", ".join(f"{number} {WORDS[name][number > 1]}" for name, number in counts.items())
    fiches = f"{found['fiches']} {'fiches' if found['fiches'] > 1 else 'fiche'}"
    return f"{fiches}\u202f: {words} ({found['state_label'].lower()})"
