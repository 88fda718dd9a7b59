"""The whole way of a fiche, as partners live it: filed, avis, decision, confirmation, catalogue; heard of from the topics.

Closed loop: `concurrency` clients, each with one fiche on its way at a time. The count in analytics is waited for at the end.
"""

import asyncio
import datetime as dt
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

from aiokafka import AIOKafkaConsumer

from deploy.bench.cpu import cpu_seconds, per_fiche
from deploy.bench.http_client import Client, Reply
from deploy.demo.contents import content_of
from deploy.demo.year_2021 import load
from deploy.journal import ACCEPTED, FOLDER, SUFFIX, Journal
from deploy.local.client import token
from deploy.local.errors import LocalError
from deploy.local.runfile import Run
from shared.clock import PARIS
from shared.contracts.fiche import FicheContent, fiche_id, session_id
from shared.contracts.flow import CATALOGUE, DOSSIERS
from shared.contracts.references import OPERATIONS
from shared.messaging.clients import KafkaAccess, kafka_settings

_OPCO = "akto"
_PATIENCE_SECONDS = 60.0


@dataclass
class Result:
    """One concurrency's figures; times in ms, CPU in ms per fiche."""

    concurrency: int
    fiches: int
    per_second: float
    p50_ms: float
    p99_ms: float
    counted_after_s: float
    cpu_ms_per_fiche: dict[str, float]
    steps_p50_ms: dict[str, float] = field(default_factory=dict)


class Ears:
    """Hears events and catalogue records from the end of the log on, and wakes who waits for one."""

    def __init__(self, access: KafkaAccess) -> None:
        self._consumer = AIOKafkaConsumer(
            DOSSIERS,
            CATALOGUE,
            **kafka_settings(access, "bench"),
            auto_offset_reset="latest",
            enable_auto_commit=False,
        )
        self._waiting: dict[tuple[str, str], asyncio.Future[None]] = {}
        self._job: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to listen at the end of both topics."""
        await self._consumer.start()
        await self._consumer.seek_to_end()
        self._job = asyncio.create_task(self._listen())

    async def close(self) -> None:
        """Stop listening."""
        if self._job:
            self._job.cancel()
        await self._consumer.stop()

    def expect(self, wire_type: str, key: UUID) -> "asyncio.Future[None]":
        """Return what is done when a record of this type and key is heard; ask before causing it."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[wire_type, str(key)] = future
        return future

    async def _listen(self) -> None:
        while True:
            for records in (await self._consumer.getmany(timeout_ms=1000)).values():
                for record in records:
                    wire_type = next(value for name, value in record.headers if name == "ce_type").decode()
                    future = self._waiting.pop((wire_type, record.key.decode()), None)
                    if future is not None and not future.done():
                        future.set_result(None)


class Flow:
    """Sends fiches the whole way."""

    def __init__(self, run: Run, journal: Journal) -> None:
        self._run, self._journal = run, journal
        self._clients = {name: Client(run.services[name].url) for name in ("submission", "validation", "analytics")}
        self._ears = Ears(run.kafka.access(OPERATIONS))
        self._series = uuid4().hex[:8]
        self._steps: dict[str, list[float]] = {}
        self.content = future_content()
        self._acknowledged: list[str] = []
        self._validated = self._runs = 0

    async def open(self) -> None:
        """Connect, and file one fiche to learn which warnings this content draws."""
        await self._ears.open()
        self._validated = await self._validations()
        body = self._filing("probe")
        reply = await self._clients["submission"].post("/fiches", token(self._run, _OPCO), uuid4().hex, body)
        if reply.status == 409:
            self._acknowledged = [warning["code"] for warning in json.loads(reply.body)["warnings"]]
        elif reply.status != 201:
            raise LocalError(f"bench: the probe was answered {reply.status}: {_codes(reply)}")

    async def close(self) -> None:
        """Disconnect."""
        await self._ears.close()
        for client in self._clients.values():
            client.close()

    def _filing(self, reference: str) -> bytes:
        body = {"reference": f"BENCH-{self._series}-{reference}", "content": self.content.model_dump(mode="json")}
        return json.dumps({**body, "acknowledged": self._acknowledged}).encode()

    async def measure(
        self, concurrency: int, fiches: int, on_done: Callable[[int, int, str], None] = lambda *_: None
    ) -> Result:
        """Send `fiches` with `concurrency` on their way at once."""
        self._steps, times = {}, list[float]()
        self._runs += 1
        before, left, began = cpu_seconds(self._run), iter(range(fiches)), time.perf_counter()

        async def client() -> None:
            for number in left:
                start = time.perf_counter()
                await self._one(f"{self._runs}-{number}")
                times.append(time.perf_counter() - start)
                on_done(len(times), fiches, "fiches")

        await asyncio.gather(*(client() for _ in range(concurrency)))
        lasted = time.perf_counter() - began
        counted = await self._counted(fiches)
        spent = per_fiche(before, cpu_seconds(self._run), fiches)
        steps = {name: round(1000 * _quantile(values, 0.5), 1) for name, values in self._steps.items()}
        p50, p99 = (round(1000 * _quantile(times, q), 1) for q in (0.5, 0.99))
        return Result(concurrency, fiches, round(fiches / lasted, 1), p50, p99, round(counted, 2), spent, steps)

    async def _one(self, number: str) -> None:
        reference = f"BENCH-{self._series}-{number}"
        fiche = fiche_id(_OPCO, reference)
        opened = self._ears.expect("fr.poec.dossier.opened.v1", fiche)
        validated = self._ears.expect("fr.poec.fiche.validated.v1", fiche)
        listed = self._ears.expect("fr.poec.catalogue.entry.v1", session_id(fiche, 1))
        await self._post("submission", _OPCO, "submit_fiche", "/fiches", self._filing(number), 201, reference)
        await self._heard("dossier_opened", opened)
        dossier, current = f"/dossiers/{fiche}", '"1"'
        avis = b'{"avis":"COMPLEMENTAIRE"}'
        await self._post("validation", "region", "give_avis", f"{dossier}/avis", avis, 200, reference, if_match=current)
        path = f"{dossier}/validation"
        await self._post("validation", "pole-emploi", "validate_fiche", path, b"{}", 200, reference, if_match=current)
        await self._heard("fiche_validated", validated)
        path = f"/fiches/{fiche}/programmation"
        await self._post("submission", _OPCO, "confirm_programmation", path, b"{}", 200, reference, prefer="wait=10")
        await self._heard("catalogue", listed)

    async def _post(
        self, service: str, who: str, operation: str, path: str, body: bytes, good: int, reference: str, **headers: str
    ) -> None:
        began, key = time.perf_counter(), uuid4().hex
        entry = self._journal.sent("http", who, key, operation, body, reference=reference)
        reply = await self._clients[service].post(path, token(self._run, who), key, body, **headers)
        outcome = ACCEPTED if reply.status < 300 else ",".join(_codes(reply)) or "refused"
        self._journal.answered(entry, reply.status, reply.body, fiche_id=fiche_id(_OPCO, reference), outcome=outcome)
        if reply.status != good:
            raise LocalError(f"bench: {operation} was answered {reply.status}: {_codes(reply)}")
        self._steps.setdefault(operation, []).append(time.perf_counter() - began)

    async def _heard(self, name: str, future: "asyncio.Future[None]") -> None:
        began = time.perf_counter()
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await future
        self._steps.setdefault(f"→ {name}", []).append(time.perf_counter() - began)

    async def _counted(self, fiches: int) -> float:
        """Return the seconds until analytics has counted these validations too."""
        began, target = time.perf_counter(), self._validated + fiches
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while await self._validations() < target:
                await asyncio.sleep(0.05)
        self._validated = target
        return time.perf_counter() - began

    async def _validations(self) -> int:
        path = f"/counts?year={self.content.programme_year}&measure=validated"
        reply = await self._clients["analytics"].get(path, token(self._run, "operations"))
        if reply.status != 200:
            raise LocalError(f"bench: the counts were answered {reply.status}")
        return sum(int(row["value"]) for row in json.loads(reply.body)["counts"])


def future_content() -> FicheContent:
    """Return a content of the synthetic year, its dates moved to three months from now."""
    fiche = next(fiche for fiche in load().fiches if fiche.opco == _OPCO)
    content = content_of(fiche)
    start = dt.datetime.now(PARIS).date() + dt.timedelta(days=90)
    session = content.sessions[0].model_copy(
        update={"start": start, "end": start + dt.timedelta(days=70), "meetings": ()}
    )
    return content.model_copy(update={"sessions": (session,), "programme_year": start.year})


def _quantile(values: list[float], q: float) -> float:
    return sorted(values)[min(len(values) - 1, int(q * len(values)))]


def _codes(reply: Reply) -> list[str]:
    try:
        answer = json.loads(reply.body)
    except ValueError:
        return []
    return [o["code"] for o in (*answer.get("objections", ()), *answer.get("warnings", ()))]


def journal_of(home: Path) -> Journal:
    """Return the journal of this bench run."""
    return Journal(home / FOLDER / f"bench-{uuid4().hex[:8]}{SUFFIX}")
