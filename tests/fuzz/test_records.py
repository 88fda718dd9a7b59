"""Records spoilt by chance: every one gets exactly one outcome, nothing stops the worker, and what is good goes on."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import psutil
import pytest

from shared.contracts.flow import SERVICES, topics_heard_by
from shared.messaging.ingress import is_ingress
from shared.messaging.records import Received
from tests.access.entrance import Entrance
from tests.fuzz.effort import Figures, Found
from tests.fuzz.records import Storyteller, described, heard
from tests.support.load import Load
from tests.support.stack import Stack, eventually

STORIES: Final = 120
OUTCOMES: Final = ("applied", "ignored", "duplicates", "parked", "dead", "answered")
_BEFORE: Final = "SELECT coalesce(max(next_offset), 0)::int AS offset FROM position"
_POSITION: Final = (
    f"SELECT sum(received)::int AS received, {', '.join(f'sum({o})::int AS {o}' for o in OUTCOMES)} FROM position"
)
_TWICE: Final = """
-- the stories are told on partition 0, from an offset on; what other tests plant lies elsewhere
SELECT topic, kafka_partition, kafka_offset FROM (
  SELECT topic, kafka_partition, kafka_offset FROM inbox UNION ALL
  SELECT topic, kafka_partition, kafka_offset FROM parked UNION ALL
  SELECT topic, kafka_partition, kafka_offset FROM dead_letter
) place WHERE kafka_partition = 0 AND kafka_offset > $1 GROUP BY 1, 2, 3 HAVING count(*) > 1
"""
_DEFECTS: Final = (
    "SELECT topic, kafka_offset AS at, detail FROM dead_letter"
    " WHERE code = 'DEFECT' AND kafka_partition = 0 AND kafka_offset > $1"
)
_ANSWERS: Final = """
SELECT value::jsonb->>'topic' AS topic, (value::jsonb->>'offset')::int AS at, count(*)::int AS n, min(value::jsonb->>'outcome') AS outcome
FROM outbox WHERE topic LIKE 'poec.%.results.%' GROUP BY 1, 2
"""


@dataclass(frozen=True)
class Before:
    """What a service had heard before the stories: the highest offset, and its outcomes."""

    offset: int
    sums: Mapping[str, int]

    @classmethod
    async def of(cls, entrance: Entrance) -> "Before":
        """Look at a service's positions."""
        ((offset,),), (sums,) = await entrance.owner(_BEFORE), await entrance.owner(_POSITION)
        return cls(offset, {name: sums[name] or 0 for name in ("received", *OUTCOMES)})


async def outcomes(entrance: Entrance, before: Before, sent: list[Received], found: Found) -> None:
    """Hold what was sent against what the database says became of it; note everything that does not add up."""
    (now,) = await entrance.owner(_POSITION)
    sums = {name: (now[name] or 0) - n for name, n in before.sums.items()}
    if not sums["received"] == len(sent) == sum(sums[name] for name in OUTCOMES):
        found.wrong.append(f"{len(sent)} records were sent: {sums}")
    for name in OUTCOMES:
        found.answers.setdefault(f"{entrance.name}: outcomes", Counter())[name] = sums[name]
    found.wrong += [f"two outcomes: {tuple(row)}" for row in await entrance.owner(_TWICE, before.offset)]
    by_place = {(record.topic, record.offset): record for record in sent}
    for row in await entrance.owner(_DEFECTS, before.offset):
        found.wrong.append(
            f"{row['detail']} in a handler: {row['topic']} {described(by_place[row['topic'], row['at']])}"
        )
    answers = {(row["topic"], row["at"]): row["n"] for row in await entrance.owner(_ANSWERS)}
    taken = Counter(row["outcome"] for row in await entrance.owner(_ANSWERS) if (row["topic"], row["at"]) in by_place)
    if taken:
        found.answers[f"{entrance.name}: answers to partners"] = taken
    asked = {place for place in by_place if place[0].startswith("poec.ingress.")}
    found.wrong += [f"{answers.get(p, 0)} answers to {described(by_place[p])}" for p in asked if answers.get(p) != 1]


@pytest.mark.parametrize("service", SERVICES)
async def test_every_spoilt_record_has_one_outcome_and_good_ones_go_on(
    entrances: Mapping[str, Entrance], figures: Figures, service: str
) -> None:
    entrance, found, sent = entrances[service], figures.part(f"records of {service}"), list[Received]()
    heard_before = await Before.of(entrance)
    for chance in figures.effort.rounds(0.05):
        teller = Storyteller(service, chance, offset=heard_before.offset + len(sent))
        records = [record for _ in range(STORIES) for record in teller.story()]
        sent += records
        await heard(entrance.inbox, records, chance, found)
        figures.rounds[f"records of {service}"] += 1
    await outcomes(entrance, heard_before, sent, found)
    assert found.wrong == []
    teller = Storyteller(service, random.Random(1), spoilt=0, offset=heard_before.offset + len(sent))
    good = list(teller.story())
    before = found.total("applied", "ignored", "answered")
    await heard(entrance.inbox, good, random.Random(1), found)
    await outcomes(entrance, heard_before, [*sent, *good], found)
    assert found.total("applied", "ignored", "answered") > before, "nothing good is heard any more"
    assert len(sent) >= 5 * STORIES
    assert found.total("accepted", "warned") > 10 or service in ("validation", "analytics"), (
        "no command was carried out"
    )
    assert found.share("applied", "ignored", "accepted") > 0.2, (
        f"fuzz that never gets past the first check: {found.answers}"
    )
    assert found.share("dead", "parked", "refused", "unreadable") > 0.2, f"nothing was spoilt: {found.answers}"


async def test_records_that_get_no_outcome_or_hit_a_defect_are_found(entrances: Mapping[str, Entrance]) -> None:
    """Planted: a handler that breaks on one value, and a batch that fails as a whole."""
    entrance, chance = entrances["analytics"], random.Random(7)
    heard_before = await Before.of(entrance)
    found, applied = Found(), Storyteller("analytics", chance, spoilt=0, offset=heard_before.offset)
    records = list(applied.story())

    class Failing:
        async def apply(self, topic: str, batch: list[Received]) -> None:
            if topic == records[0].topic:
                raise LookupError("planted")

    await heard(Failing(), list(records), chance, found)  # type: ignore[arg-type]  # an inbox that loses
    assert any("LookupError" in sentence for sentence in found.wrong)
    lost = Found()
    await outcomes(entrance, heard_before, records, lost)
    assert any("records were sent" in sentence for sentence in lost.wrong)


async def test_spoilt_records_on_the_real_log_stop_no_worker(stack: Stack, figures: Figures) -> None:
    found, chance = figures.part("records on the real log"), random.Random(figures.effort.seed)
    stories = 300 if figures.effort.long else 30
    sent: Counter[str] = Counter()
    async with Load(stack, "FUZZ") as load:
        load.begin(2)
        before = {name: await stack.value(name, _POSITION) or 0 for name in SERVICES}
        for service in SERVICES:
            teller = Storyteller(service, chance, spoilt=0.8)
            for record in [record for _ in range(stories) for record in teller.story()]:
                if not is_ingress(record.topic) and (service == "submission" or _readable(record)):
                    continue  # a forgery, or about a fiche that was filed meanwhile: the audit tells of both
                await load.senders.send(record.topic, record.key, record.value, record.headers)
                sent[record.topic] += 1
        await load.more(2)
        await asyncio.gather(*(_read(stack, name, before[name], sent) for name in SERVICES))
        for name in SERVICES:
            assert await stack.value(name, "SELECT count(*) FROM dead_letter WHERE code = 'DEFECT'") == 0
            size = psutil.Process(await stack.pid_now(name, "worker")).memory_info().rss // 2**20
            figures.memory[f"{name}-worker"] = (0, size)
            assert size < 300, f"{name}: {size} MiB"
            found.answers[name] = Counter({"dead": await load.discard_letters(name)})
    assert sent.total() > 150 and len(sent) >= 5, sent
    found.answers["sent"] = sent
    await stack.audited()


def _readable(record: Received) -> bool:
    try:
        return isinstance(json.loads(record.value or b""), dict)
    except ValueError:
        return False


async def _read(stack: Stack, service: str, before: int, sent: Counter[str]) -> None:
    due = sum(n for topic, n in sent.items() if topic in topics_heard_by(service))

    async def all_read() -> bool:
        return bool(await stack.value(service, _POSITION) - before >= due)

    await eventually(all_read, 120, f"{service} has read what was sent")
