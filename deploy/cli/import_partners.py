"""`poec import partners`: a file of partners into the directory, row by row through submission's HTTP door, as the Région."""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import uuid4

import httpx
import typer
from rich.markup import escape

from deploy.cli.asked import Home, Json
from deploy.cli.console import explained, print_json, stdout_console
from deploy.cli.retry_after import answered
from deploy.local.client import bearer
from deploy.local.errors import LocalError
from deploy.local.runfile import Run, home_folder
from shared.contracts.labels import LABELS
from shared.contracts.references import ZONES_EMPLOI, PartnerKind
from shared.contracts.text import folded

COLUMNS: Final = {"code": True, "nom": True, "reseau": True, "zones": True, "boite": False, "site": False}
"""The columns of a file, and whether each must be there."""
FIELDS: Final = {"name": "nom", "kind": "reseau", "mailbox": "boite", "web": "site", "zones": "zones", "code": "code"}
"""Fields of the door to columns of the file: an objection names the column."""
WORDS: Final = {
    "added": "ajoutés",
    "changed": "modifiés",
    "unchanged": "inchangés",
    "retired": "retirés, laissés tels quels",
    "refused": "refusés",
}
MOST_BYTES: Final = 2 * 1024 * 1024
NOT_ALL, COULD_NOT, INTERRUPTED = 1, 2, 130

Sent = Annotated[
    Path, typer.Argument(help="CSV with the columns code;nom;reseau;zones;boite;site, in UTF-8.", metavar="FILE")
]
Client = Annotated[str, typer.Option("--client", help="Client of run.json to sign in as: the Région's.")]
Acknowledge = Annotated[
    str, typer.Option(help="Codes of warnings that are read and kept for all partners, separated by commas.")
]


@dataclass(frozen=True)
class Line:
    """What became of a line of the file: `objections` say column and what to do."""

    line: int
    code: str
    outcome: str
    objections: list[dict[str, str | None]] = field(default_factory=list)


def partners(
    file: Sent, client: Client = "region", acknowledge: Acknowledge = "", as_json: Json = False, home: Home = None
) -> None:
    """Put the partners of a file into the directory: new ones are added, others changed where the file says otherwise.

    `zones` are codes or names of employment zones (ZE2020), separated by commas or spaces between codes; `reseau` is a code of
    `GET /references/partner-kinds` or its label. The same file again changes nothing; who was retired stays so; a file that was
    cut off goes on where it stopped when it is sent again.

    Exit codes: 0 every partner is in, 1 some were refused (each with its line), 2 the file could not be read, or nobody answered,
    130 interrupted.
    """
    with explained(COULD_NOT, INTERRUPTED) as ending:
        rows = list(_rows(file))
        door = _Door(Run.load(home_folder(home)), client)
        ending.interrupted = "The lines before are in. Send the same file again: it goes on where it stopped."
        told = [_told(door, line, row, acknowledge) for line, row in _once(rows)]
    counts = Counter(one.outcome for one in told)
    if as_json:
        print_json({"counts": {word: counts[word] for word in WORDS}, "lines": [one.__dict__ for one in told]})
    else:
        _show(told, counts)
    raise typer.Exit(NOT_ALL if counts["refused"] else 0)


def _show(told: list[Line], counts: Counter[str]) -> None:
    console = stdout_console()
    for one in told:
        for objection in one.objections:
            where = f", {objection['column']}" if objection["column"] else ""
            text = f"Ligne {one.line} ({one.code}{where})\u202f: {objection['message']} [{objection['code']}]"
            console.print(escape(text), soft_wrap=True)
    console.print(
        ", ".join(f"{counts[word]} {said}" for word, said in WORDS.items() if counts[word]) or "Aucune ligne."
    )


def _rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the lines of a file with their numbers. Raises `LocalError` for what is no such file."""
    try:
        if file.stat().st_size > MOST_BYTES:
            raise LocalError(f"{file.name} is larger than {MOST_BYTES // 1024 // 1024} MiB: split it.")
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise LocalError(f"{file.name} is not in UTF-8: save it as « CSV UTF-8 ».") from None
    except OSError as failure:
        raise LocalError(f"{file.name} cannot be read ({type(failure).__name__}).") from None
    head = text.partition("\n")[0]
    reader = csv.DictReader(StringIO(text, newline=""), delimiter=";" if ";" in head else ",", restval="")
    named = {folded(name or ""): name for name in reader.fieldnames or ()}
    missing = [column for column, needed in COLUMNS.items() if needed and column not in named]
    if missing:
        raise LocalError(f"{file.name} lacks the columns {', '.join(missing)}; it needs {';'.join(COLUMNS)}.")
    try:
        for row in reader:
            yield reader.line_num, {column: (row[named[column]] or "").strip() for column in COLUMNS if column in named}
    except csv.Error as failure:
        raise LocalError(f"{file.name} is no CSV from line {reader.line_num} on ({failure}).") from None


def _once(rows: list[tuple[int, dict[str, str]]]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the lines that say something. Raises `LocalError` where two name one partner: which one would hold?"""
    first: dict[str, int] = {}
    for line, row in rows:
        if any(row.values()):
            if row["code"] in first:
                raise LocalError(f"Lines {first[row['code']]} and {line} have the same code: keep one of them.")
            first[row["code"]] = line
    yield from ((line, row) for line, row in rows if any(row.values()))


def _told(door: "_Door", line: int, row: Mapping[str, str], acknowledge: str) -> Line:
    """Send one line in and say what became of it."""
    sheet = {
        "name": row["nom"],
        "kind": _kind(row["reseau"]),
        "zones": _zones(row["zones"]),
        "mailbox": row.get("boite") or None,
        "web": row.get("site") or None,
        "acknowledged": [code for code in acknowledge.split(",") if code],
    }
    answer = door.post("/partners", {"code": row["code"], **sheet})
    taken = next((one for one in _said(answer) if one["code"] == "PARTNER_CODE_TAKEN"), None)
    if taken is None:
        return _line(line, row["code"], answer, {200: "unchanged", 201: "added"})
    if taken["facts"]["status"] == "retired":
        return Line(line, row["code"], "retired")
    answer = door.post(f"/partners/{taken['facts']['partner_id']}/sheet", sheet, taken["facts"]["revision"])
    return _line(line, row["code"], answer, {200: "changed"})


def _line(line: int, code: str, answer: httpx.Response, outcomes: Mapping[int, str]) -> Line:
    if answer.status_code in outcomes:
        return Line(line, code, outcomes[answer.status_code])
    objections = [
        {"code": one["code"], "column": _column(one.get("field")), "message": one["message"]} for one in _said(answer)
    ]
    return Line(line, code, "refused", objections)


def _column(path: str | None) -> str | None:
    return FIELDS.get(path.partition(".")[0]) if path else None


def _said(answer: httpx.Response) -> list[dict[str, Any]]:
    """Return the objections and warnings of a refusal. Raises `LocalError` where it is about the caller, not about the line."""
    if answer.is_success:
        return []
    problem = answer.json()
    found: list[dict[str, Any]] = [*problem.get("objections", ()), *problem.get("warnings", ())]
    if answer.status_code not in (409, 412, 422) or not found:
        raise LocalError(f"submission refused ({answer.status_code}): {problem.get('title', '')}")
    return found


def _kind(text: str) -> str:
    """Return the code of a network that a text names, or the text, so that the door objects to it."""
    labels = LABELS[PartnerKind]
    return next((code for code, label in labels.items() if folded(text) in (folded(code), folded(label))), text)


def _zones(text: str) -> list[str]:
    """Return the codes of employment zones that a text names by code or name; what is neither stays, to be objected to."""
    named = {folded(name): code for code, name in ZONES_EMPLOI.items()}
    parts = [part.strip() for part in text.replace(",", "\n").splitlines()]
    found = [[part] if not part.replace(" ", "").isdigit() else part.split() for part in parts if part]
    return [named.get(folded(one), one) for part in found for one in part]


class _Door:
    """Submission's door; a request that got no answer, or came at a busy moment, is sent again under the same key."""

    def __init__(self, run: Run, client: str) -> None:
        self._run, self._client = run, client
        self._http = httpx.Client(base_url=run.services["submission"].url, timeout=30)

    def post(self, path: str, body: Mapping[str, Any], revision: int | None = None) -> httpx.Response:
        """Give one command. Raises `LocalError` where nobody answers."""
        headers = {**bearer(self._run, self._client), "Idempotency-Key": str(uuid4())}
        if revision is not None:
            headers["If-Match"] = f'"{revision}"'
        return answered(lambda: self._http.post(path, json=body, headers=headers))
