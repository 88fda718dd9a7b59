"""Files of fiches by the command, as an OPCO sends them: fiches per second beside bare batches, and the memory of all who take part."""

import asyncio
import csv
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import asyncpg
import httpx
import psutil
import xlsxwriter

from deploy.bench.flow import future_content
from deploy.local.client import bearer
from deploy.local.errors import LocalError
from deploy.local.runfile import Run

OPCO: Final = "akto"
BATCH: Final = 50
"""Fiches of a transaction of the floor, as of an import."""
_MAKE: Final = """
CREATE SCHEMA IF NOT EXISTS bench_floor;
CREATE TABLE bench_floor.state (id uuid PRIMARY KEY, version int NOT NULL, document jsonb NOT NULL);
CREATE TABLE bench_floor.history (id uuid, version int, document jsonb NOT NULL, PRIMARY KEY (id, version));
CREATE TABLE bench_floor.outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, topic text, key text, value text);
"""
_DROP: Final = "DROP SCHEMA IF EXISTS bench_floor CASCADE"
_INTO: Final = (
    "INSERT INTO bench_floor.state SELECT id, 1, $2::jsonb FROM unnest($1::uuid[]) id",
    "INSERT INTO bench_floor.history SELECT id, 1, $2::jsonb FROM unnest($1::uuid[]) id",
    "INSERT INTO bench_floor.outbox (topic, key, value) SELECT 't', id::text, $2 FROM unnest($1::uuid[]) id",
)


async def bare_batches(owner_url: str, fiches: int, document: str) -> float:
    """Return fiches per second of PostgreSQL alone: state, history and outbox of 50 fiches in each transaction, one after the other."""
    connection = await asyncpg.connect(owner_url)
    try:
        await connection.execute(_DROP)
        await connection.execute(_MAKE)
        began = time.perf_counter()
        for first in range(0, fiches, BATCH):
            ids = [uuid4() for _ in range(first, min(first + BATCH, fiches))]
            async with connection.transaction():
                for statement in _INTO:
                    await connection.execute(statement, ids, document)
        return fiches / (time.perf_counter() - began)
    finally:
        await connection.execute(_DROP)
        await connection.close()


class Memory:
    """The most that processes held while something ran, in MiB of resident memory, sampled every 20 ms."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids, self.peaks, self._ended = dict(pids), dict.fromkeys((*pids, "reader"), 0), threading.Event()

    def also(self, name: str, pid: int) -> None:
        """Look at one more process."""
        self._pids[name] = pid
        self.peaks[name] = 0

    def now(self) -> dict[str, int]:
        """Return what they hold at this moment."""
        return {name: psutil.Process(pid).memory_info().rss >> 20 for name, pid in self._pids.items()}

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Sample for the length of a block."""
        thread = threading.Thread(target=self._watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.02):
            for name, pid in tuple(self._pids.items()):
                self._sample(name, pid)

    def _sample(self, name: str, pid: int) -> None:
        try:
            process = psutil.Process(pid)
            self.peaks[name] = max(self.peaks[name], process.memory_info().rss >> 20)
            for child in process.children() if name.startswith("submission") else ():
                self.peaks["reader"] = max(self.peaks["reader"], child.memory_info().rss >> 20)
        except psutil.NoSuchProcess:
            return


def measure(run: Run, rows: int, kind: str, progress: Callable[[int, int, str], None]) -> dict[str, Any]:
    """Send one file of `rows` fiches by `poec import fiches` and return its figures. LocalError where not all are filed."""
    owner, document = run.services["analytics"].database_url, future_content().model_dump_json()
    before = asyncio.run(bare_batches(owner, rows, document))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"fiches.{kind}"
        write(run, file, rows)
        roles = {pid: role for role, pid in run.services["submission"].pids.items()}
        one = len(roles) == 1
        memory = Memory({"submission" if one else f"submission.{role}": pid for pid, role in roles.items()})
        at_rest = memory.now()
        command = [sys.executable, "-m", "deploy.cli", "import", "fiches", str(file), "--opco", OPCO, "--json"]
        with memory.watched():
            began = time.perf_counter()
            sending = subprocess.Popen(
                [*command, "--acknowledge", ",".join(_warnings(run)), "--home", run.home],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            memory.also("poec", sending.pid)
            progress(0, rows, f"{kind}, {rows} fiches")
            said, _ = sending.communicate(timeout=3600)
            lasted = time.perf_counter() - began
        size = file.stat().st_size
    if sending.returncode != 0:
        raise LocalError(f"bench: poec import ended with {sending.returncode}: {said[:300]}")
    found, after = json.loads(said), asyncio.run(bare_batches(owner, rows, document))
    rate = rows / lasted
    return {
        "kind": kind,
        "rows": rows,
        "file_bytes": size,
        "accepted": found["counts"]["accepted"],
        "seconds": round(lasted, 1),
        "rows_per_s": round(rate),
        "floor_per_s": [round(before), round(after)],
        "ratio": round(rate / ((before + after) / 2), 3),
        "at_rest_mib": at_rest,
        "peak_mib": memory.peaks,
    }


def _warnings(run: Run) -> list[str]:
    """Return the codes of the warnings that the content of the measurement draws."""
    body = {"reference": f"IMPORT-{uuid4().hex[:8]}", "content": future_content().model_dump(mode="json")}
    headers = {**bearer(run, OPCO), "Idempotency-Key": uuid4().hex}
    answer = httpx.post(f"{run.services['submission'].url}/fiches", json=body, headers=headers, timeout=30)
    if answer.status_code not in (201, 409):
        raise LocalError(f"bench: the probe was answered {answer.status_code}")
    return [warning["code"] for warning in answer.json().get("warnings", ())]


def write(run: Run, file: Path, rows: int) -> None:
    """Write a file of fiches that differ in reference and texts, row by row; its columns are those that submission names."""
    answer = httpx.get(f"{run.services['submission'].url}/imports/columns", headers=bearer(run, OPCO), timeout=30)
    columns, series = answer.raise_for_status().json()["columns"], uuid4().hex[:8]
    content = future_content().model_dump(mode="json")

    def fiche(n: int) -> dict[str, Any]:
        return {**content, "title": f"{content['title']} {series} {n}", "objective": f"{content['objective']} {n}."}

    def line(n: int) -> list[str]:
        one = fiche(n)
        return [f"IMPORT-{series}-{n}" if c["path"] == "reference" else _cell(c, one) for c in columns]

    lines = ([column["header"] for column in columns] if n == 0 else line(n) for n in range(rows + 1))
    if file.suffix == ".json":
        with file.open("w", encoding="utf-8") as out:
            for n in range(1, rows + 1):
                out.write(json.dumps({"reference": f"IMPORT-{series}-{n}", "content": fiche(n)}) + "\n")
    elif file.suffix == ".csv":
        with file.open("w", encoding="utf-8-sig", newline="") as out:
            csv.writer(out, delimiter=";").writerows(lines)
    else:
        with xlsxwriter.Workbook(file, {"constant_memory": False}) as book:
            sheet = book.add_worksheet("Fiches")
            for n, cells in enumerate(lines):
                sheet.write_row(n, 0, cells)


def _cell(column: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    """Return what stands in a column for a content of one session without meetings."""
    value: Any = content
    for part in column["path"].split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
        if part == "sessions" and value:
            value = value[0]
    if value is None or isinstance(value, Mapping):
        return ""
    if isinstance(value, list):
        return " | ".join(str(one) for one in value if not isinstance(one, Mapping))
    if isinstance(value, bool):
        return "Oui" if value else "Non"
    return f"{value / 100:.2f}" if column["kind"] == "euros" else str(value)
