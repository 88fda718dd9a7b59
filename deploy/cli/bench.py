"""`poec bench`: how fast a fiche travels, and the heart's parts alone; every figure beside its floor of the same run."""

import asyncio
import dataclasses
import json
import os
from typing import Annotated, Any

import typer
from rich.table import Table

from deploy.bench.flow import Flow, Result, journal_of
from deploy.cli.asked import Home, Json, Tls
from deploy.cli.console import print_json, reporter, stdout_console
from deploy.local.errors import LocalError
from deploy.local.lifecycle import start_detached
from deploy.local.runfile import Run, home_folder, live_run
from shared.settings import ServiceSettings

Concurrency = Annotated[
    str, typer.Option(help="How many fiches are on their way at once; several, separated by commas.")
]
Fiches = Annotated[int, typer.Option(help="Fiches of the run with 50 at once; the others are scaled from it.")]

bench = typer.Typer(
    add_completion=False,
    invoke_without_command=True,
    help="Measure flow (default), relay, inbox, rebuild, limits and import. Exit codes: 0 measured, 1 something went wrong, 2 wrong use.",
)


@bench.callback()
def default(context: typer.Context, as_json: Json = False, home: Home = None) -> None:
    """Measure the flow when no part is named."""
    if context.invoked_subcommand is None:
        flow(as_json=as_json, home=home)


@bench.command()
def flow(
    concurrency: Concurrency = "1,50,500",
    fiches: Fiches = 600,
    tls: Tls = False,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Send fiches the whole way, beside the floor (four bare transactions each) and raw Kafka. Starts the product if need be.

    Exit codes: 0 measured, 1 something went wrong, 2 wrong use.
    """
    try:
        levels = [int(level) for level in concurrency.split(",")]
    except ValueError:
        raise LocalError("--concurrency is a list of whole numbers, such as 1,50,500.") from None
    folder = home_folder(home)
    run = live_run(folder) or start_detached(folder, ["--tls"] if tls else [], reporter().note)
    found = asyncio.run(_flow(run, levels, fiches))
    if as_json:
        print_json(found)
    else:
        _show_flow(found)


async def _flow(run: Run, levels: list[int], fiches: int) -> dict[str, Any]:
    from deploy.bench.floor import floor
    from deploy.bench.raw import raw_kafka

    shown, rows = reporter(), []
    document = (measured := Flow(run, journal_of(home_folder(None)))).content.model_dump_json()
    owner = run.services["analytics"].database_url
    await measured.open()
    try:
        await measured.measure(min(50, max(levels)), 100)
        for level in levels:
            number = _how_many(level, fiches)
            with shown.step(f"floor, {level} at once"):
                before = await floor(owner, level, number * 2, document)
            with shown.step(f"flow, {level} at once, {number} fiches") as progress:
                result = await measured.measure(level, number, progress)
            with shown.step(f"floor again, {level} at once"):
                after = await floor(owner, level, number * 2, document)
            rows.append(
                {**_row(result), "floor_per_s": [round(before), round(after)], "ratio": _ratio(result, before, after)}
            )
        with shown.step("raw Kafka"):
            raw = await raw_kafka(run.kafka.admin, 50_000, len(document))
    finally:
        await measured.close()
    return {
        "flow": rows,
        "raw_kafka": raw,
        "limits_per_principal": _limits_of_this_run(),
        "record_bytes": len(document),
    }


def _limits_of_this_run() -> dict[str, float]:
    """Return what one client may ask: writes under way at once, and per second; as set for this run, else the defaults."""
    names = ("in_flight_per_principal", "rate_per_second", "rate_burst")
    fields = ServiceSettings.model_fields
    return {name: float(os.environ.get(f"POEC_{name.upper()}", fields[name].default)) for name in names}


def _how_many(level: int, fiches: int) -> int:
    return max(30, fiches // 10) if level < 10 else max(fiches, level * 3)


def _row(result: Result) -> dict[str, Any]:
    return {**dataclasses.asdict(result), "cpu_ms_total": round(sum(result.cpu_ms_per_fiche.values()), 1)}


def _ratio(result: Result, before: float, after: float) -> float:
    return round(result.per_second / ((before + after) / 2), 3)


def _show_flow(found: dict[str, Any]) -> None:
    table = Table(title="A fiche's whole way")
    for name in (
        "at once",
        "fiches",
        "per s",
        "p50 ms",
        "p99 ms",
        "floor/s",
        "÷ floor",
        "CPU ms/fiche",
        "counted after s",
    ):
        table.add_column(name, justify="right")
    for row in found["flow"]:
        floors = " / ".join(map(str, row["floor_per_s"]))
        cells = (
            row["concurrency"],
            row["fiches"],
            row["per_second"],
            row["p50_ms"],
            row["p99_ms"],
            floors,
            row["ratio"],
        )
        table.add_row(*map(str, (*cells, row["cpu_ms_total"], row["counted_after_s"])))
    console = stdout_console()
    console.print(table)
    for row in found["flow"]:
        console.print(f"{row['concurrency']} at once, CPU ms per fiche: {json.dumps(row['cpu_ms_per_fiche'])}")
        console.print(
            f"{row['concurrency']} at once, p50 ms per step: {json.dumps(row['steps_p50_ms'], ensure_ascii=False)}"
        )
    console.print(f"raw Kafka: {json.dumps(found['raw_kafka'])}; limits per principal: {found['limits_per_principal']}")


@bench.command()
def relay(rows: Annotated[int, typer.Option(help="Outbox rows.")] = 40_000, as_json: Json = False) -> None:
    """Carry a full outbox to Kafka with one relay, beside raw produce, on servers of its own.

    Exit codes: 0 measured, 1 something went wrong, 2 wrong use.
    """
    from deploy.bench import bare

    _print(asyncio.run(_timed("relay", bare.relay(rows))), as_json)


@bench.command()
def inbox(
    fiches: Annotated[int, typer.Option(help="Fiches, of 13 events each.")] = 2_000, as_json: Json = False
) -> None:
    """Apply a full log in analytics, on servers of its own.

    Exit codes: 0 measured, 1 something went wrong, 2 wrong use.
    """
    from deploy.bench import bare

    _print(asyncio.run(_timed("inbox", bare.inbox(fiches))), as_json)


@bench.command()
def rebuild(
    fiches: Annotated[int, typer.Option(help="Fiches, of 13 events each.")] = 2_000, as_json: Json = False
) -> None:
    """Apply a full log, forget all of it, apply it again: the counts must be equal; on servers of its own.

    Exit codes: 0 measured, 1 something went wrong, 2 wrong use.
    """
    from deploy.bench import bare

    _print(asyncio.run(_timed("rebuild", bare.inbox(fiches, rebuild=True))), as_json)


@bench.command()
def limits(
    rounds: Annotated[int, typer.Option(help="How often the three phases follow one another.")] = 5,
    seconds: Annotated[float, typer.Option(help="Length of a phase.")] = 5.0,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Measure what one client at ten times its limit costs the others, beside the same load without it. Starts the product if need be.

    Exit codes: 0 measured, 1 something went wrong, 2 wrong use.
    """
    from deploy.bench.limits import Limits

    folder = home_folder(home)
    run = live_run(folder) or start_detached(folder, [], reporter().note)

    async def measured() -> dict[str, Any]:
        with reporter().step(f"limits, {rounds} rounds of {seconds:g} s") as progress:
            return await Limits(run, journal_of(folder)).measure(rounds, seconds, progress)

    _print(asyncio.run(measured()), as_json)


@bench.command("import")
def import_(
    rows: Annotated[str, typer.Option(help="Fiches of each file; several, separated by commas.")] = "1000,10000",
    kind: Annotated[str, typer.Option(help="xlsx, csv or json; several, separated by commas.")] = "xlsx,csv,json",
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Send files of fiches with `poec import`, beside bare batches of the same documents. Starts the product if need be.

    Exit codes: 0 measured, 1 something went wrong, 2 wrong use.
    """
    from deploy.bench import imports

    kinds = kind.split(",")
    if not set(kinds) <= {"xlsx", "csv", "json"} or not all(one.isdigit() and int(one) for one in rows.split(",")):
        raise LocalError("--rows is a list of whole numbers such as 1000,10000; --kind one of xlsx, csv, json.")
    folder = home_folder(home)
    run = live_run(folder) or start_detached(folder, [], reporter().note)
    with reporter().step("imports") as progress:
        found = [imports.measure(run, int(one), kind, progress) for kind in kinds for one in rows.split(",")]
    _print({"imports": found}, as_json)


async def _timed(name: str, measuring: Any) -> dict[str, Any]:
    with reporter().step(name):
        found: dict[str, Any] = await measuring
    return found


def _print(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        stdout_console().print(json.dumps(found, indent=2))
