"""`poec bilan YEAR`: the bilan of a year from the running counts."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import httpx
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.cli.asked import Home, Json
from deploy.cli.console import print_json, stdout_console
from deploy.local.client import bearer
from deploy.local.errors import LocalError
from deploy.local.runfile import Run, home_folder

CLIENT: Final = "dreets"
NARROW: Final = "\u202f"
Year = Annotated[int, typer.Argument(min=2018, max=2100, help="Year of the sessions' first days.")]


def bilan(year: Year, as_json: Json = False, home: Home = None) -> None:
    """Show the bilan of a year from the running counts; with --json exactly what analytics answers.

    Exit codes: 0 shown, 1 nothing runs or analytics does not answer.
    """
    found = ask(Run.load(home_folder(home)), year)
    if as_json:
        print_json(found)
    else:
        show(found, stdout_console())


def ask(run: Run, year: int) -> dict[str, Any]:
    """Return what analytics answers, asked as the DREETS. LocalError when it does not."""
    try:
        answer = httpx.get(f"{run.services['analytics'].url}/bilan/{year}", headers=bearer(run, CLIENT), timeout=30)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
    except httpx.HTTPStatusError as refusal:
        raise LocalError(f"analytics refused the bilan ({refusal.response.status_code}).") from None
    except (httpx.HTTPError, ValueError) as failure:
        raise LocalError(f"analytics does not answer ({type(failure).__name__}): `poec status`.") from None
    return found


def show(found: Mapping[str, Any], out: Console) -> None:
    """Print the indicators, the tables by OPCO and month, and the curve of the AIS."""
    from deploy.demo.curve import monthly_curve

    out.print(f"[bold]Bilan {found['year']}[/]")
    out.print(f"[dim]{escape(found['source'])}[/]", soft_wrap=True)
    out.print(_indicators(found["indicators"]))
    out.print(_lines("OPCO", [*found["by_opco"], found["total"]]))
    out.print(_lines("mois", [*found["by_month"], found["total"]]))
    values = [line["ais"] for line in found["by_month"]]
    title = f"AIS {found['year']} par mois de début de session"
    out.print(f"[cyan]{escape(monthly_curve(values, title))}[/]")
    consumed = sum(found["as_of"]["consumed"].values())
    out.print(f"[dim]À jour de {_number(consumed)} événements, le {found['as_of']['at'] or '—'}.[/]")


def _indicators(indicators: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("indicateur")
    table.add_column("valeur", justify="right")
    table.add_column("règle", style="dim")
    table.add_column("source", style="dim")
    for one in indicators:
        table.add_row(one["label"], escape(_value(one)), escape(one["rule"]), escape(one["source"]))
    return table


def _value(indicator: Mapping[str, Any]) -> str:
    value = indicator["value"]
    if value is None:
        return "—"
    if indicator["unit"] == "part":
        return f"{100 * value:.1f}".replace(".", ",") + f"{NARROW}%"
    return _number(value) + (f"{NARROW}€" if indicator["unit"] == "euros" else "")


def _number(value: float) -> str:
    text = f"{value:,.2f}" if value != int(value) else f"{int(value):,}"
    return text.replace(",", NARROW).replace(".", ",")


_COLUMNS: Final = {
    "validated": "validées",
    "engaged": "engagées",
    "ais": "AIS",
    "ais_cancelled": "AIS annulées",
    "aes": "AES",
    "seats": "places",
}


def _lines(first: str, lines: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column(first)
    for label in _COLUMNS.values():
        table.add_column(label, justify="right")
    table.add_column("euros engagés", justify="right")
    for line in lines:
        style = "bold" if line["key"] == "total" else ""
        counts = (_number(line[name]) for name in _COLUMNS)
        table.add_row(line["label"], *counts, _number(line["committed_cents"] / 100), style=style)
    return table
