"""What the demo shows when the year has been played: the bilan beside the year's own figures, the curve, the verdict."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.audit.report import Report
from deploy.demo.curve import SHORT_MONTHS, monthly_curve
from deploy.demo.figures import INVENTED, Figure, shown
from deploy.demo.margins import VALIDATED
from deploy.demo.play import Played
from deploy.local.runfile import Run
from shared.contracts.references import OPCOS

_COLUMNS: Final = ("validated", "engaged", "ais")
NOTE: Final = "Tout est inventé, sauf les totaux et les marges que nomme le compte rendu de la commission."


def show_bilan(played: Played, out: Console) -> None:
    """Print the figures, the tables by OPCO and month, and the curve."""
    by_name = {figure.name: figure for figure in played.figures}
    out.print("[bold]Bilan 2021[/], compté par analytics, à côté des chiffres de l’année")
    out.print(f"[dim]{NOTE}[/]")
    out.print(_totals([f for f in played.figures if not f.name.startswith(("opco.", "month."))]))
    out.print()
    out.print(_by_opco(by_name))
    out.print()
    out.print(_by_month(by_name))
    out.print()
    values = [by_name[f"month.{month}.ais"].measured or 0 for month in range(1, 13)]
    out.print(f"[cyan]{escape(monthly_curve(values, 'AIS 2021 par mois de début de session'))}[/]")


def _totals(figures: Sequence[Figure]) -> Table:
    table = _table("indicateur", "compté", "attendu", "", "source")
    for figure in figures:
        style = "dim" if figure.source == INVENTED else ""
        table.add_row(
            figure.label, shown(figure.measured), shown(figure.expected), _mark(figure), figure.source, style=style
        )
    return table


def _by_opco(by_name: Mapping[str, Figure]) -> Table:
    table = _table("OPCO", "validées", "engagées", "AIS")
    for opco in VALIDATED:
        table.add_row(OPCOS[opco], *(_cell(by_name[f"opco.{opco}.{name}"]) for name in _COLUMNS))
    sums = (_sum(by_name, "opco.", f".{name}") for name in _COLUMNS)
    table.add_row("Total", *map(shown, sums), style="bold")
    return table


def _by_month(by_name: Mapping[str, Figure]) -> Table:
    table = _table("", *SHORT_MONTHS, "année")
    for label, name in (("sessions", "engaged"), ("AIS", "ais")):
        cells = (_cell(by_name[f"month.{month}.{name}"]) for month in range(1, 13))
        table.add_row(label, *cells, f"[bold]{shown(_sum(by_name, 'month.', f'.{name}'))}[/]")
    return table


def _sum(by_name: Mapping[str, Figure], first: str, last: str) -> float:
    """Return what was counted in all cells of a column: the tables must add up to the totals above them."""
    cells = (f.measured for name, f in by_name.items() if name.startswith(first) and name.endswith(last))
    return sum(cell or 0 for cell in cells)


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="left" if name == "source" else "right")
    return table


def _mark(figure: Figure) -> str:
    return "[green]✔[/]" if figure.equal else "[red]✘[/]"


def _cell(figure: Figure) -> str:
    """Return a count; beside it, in red, what it must be where it is not."""
    if figure.equal:
        return shown(figure.measured)
    return f"[red]{shown(figure.measured)} ≠ {shown(figure.expected)}[/]"


def show_verdict(played: Played, audit: Report, out: Console) -> None:
    """Print what the year also showed, what went wrong on the way, every difference, what the audit says, and the last line."""
    out.print()
    for told in played.told:
        out.print(f"  [cyan]▸[/] {escape(told.line)}", soft_wrap=True)
    for incident in played.incidents:
        out.print(f"  [yellow]⚑[/] {escape(incident.line)}", soft_wrap=True)
    for difference in played.differences:
        out.print(f"  [red]✘[/] {escape(difference)}", soft_wrap=True)
    for finding in audit.findings:
        for violation in finding.verdict.violations[:5]:
            out.print(f"  [red]✘[/] {finding.id} {escape(violation)}", soft_wrap=True)
    out.print(_last_line(played, audit), soft_wrap=True)


def _last_line(played: Played, audit: Report) -> str:
    equal, number = sum(figure.equal for figure in played.figures), len(played.figures)
    looked = sum(finding.verdict.checked for finding in audit.findings)
    figures = f"{equal} chiffres sur {number} sont égaux"
    trail = "audit sans violation" if audit.clean else "audit\u202f: violations"
    good = equal == number and audit.clean
    mark, style = ("✔", "bold green") if good else ("✘", "bold red")
    took = {"whole": "année déjà là, relue", "begun": "année reprise"}.get(played.before, "année jouée")
    seconds = f"{played.seconds:.1f}".replace(".", ",")
    return f"[{style}]{mark} {figures}, {trail}[/] ({shown(looked)} vérifications) · {took} en {seconds} s"


def show_addresses(run: Run, out: Console) -> None:
    """Print where everything is reached, once, at the end: each address on a line of its own and whole, however narrow the screen."""
    rows = [(name, service.url, f"API\u202f: {service.url}/openapi.json") for name, service in run.services.items()]
    if (pages := run.pages_url) is not None:
        rows.append(("écrans", pages, "on s’y connecte en choisissant un compte inventé"))
    rows.append(("kafka", run.kafka.bootstrap_servers, ""))
    rows.append(("postgres", f"{run.postgres.host}:{run.postgres.port}", ""))
    rows.append(("run.json", f"{run.home}/run.json", "adresses, clients, mots de passe"))
    out.print("[bold cyan]À ouvrir[/]")
    for name, address, beside in rows:
        out.print(f"  [bold]{name:<12}[/] [cyan]{escape(address)}[/]", soft_wrap=True)
        if beside:
            out.print(f"  {'':<12} [dim]{escape(beside)}[/]", soft_wrap=True)
    out.print("[dim]poec tail[/] suit les événements, [dim]poec bilan 2021[/] relit les comptes. Ctrl-C arrête tout.")


def document(played: Played, audit: Report, run: Run) -> dict[str, Any]:
    """Return the result as JSON values."""
    return {
        "year": 2021,
        "ok": not played.differences and audit.clean,
        "before": played.before,
        "seconds": round(played.seconds, 2),
        "figures": [figure.as_json() for figure in played.figures],
        "differences": list(played.differences),
        "steps": [{"name": t.name, "steps": t.steps, "seconds": round(t.seconds, 2)} for t in played.months],
        "told": [{"kind": t.kind, "line": t.line, "facts": t.facts} for t in played.told],
        "incidents": [{"kind": i.kind, "line": i.line, **i.facts} for i in played.incidents],
        "doors": played.doors,
        "events_seen": played.seen,
        "warnings_acknowledged": played.warned,
        "sent_again": played.again,
        "audit": audit.as_json(),
        "services": {name: service.url for name, service in run.services.items()},
    }
