"""What a log may do to a reader, and partners to a log: copies, disorder, poison, and sizes at the limits."""

import random
from typing import Any, Final
from uuid import uuid4

import pytest

from shared.contracts.flow import DOSSIERS, FICHES, SESSIONS, ingress_topic
from shared.contracts.ingress import SubmitFiche
from shared.contracts.submission import FicheSubmitted
from shared.messaging.records import Received
from tests.support.fiches import GOLDEN_OPCO, GOLDEN_WARNINGS, golden_content
from tests.support.figures import Figures
from tests.support.heart import Heart, record
from tests.support.load import ANSWERED, Fiche, Load, command_headers
from tests.support.poison import COMMANDS, EVENTS
from tests.support.stack import Stack, eventually
from tests.support.topics import ids_in_log, read_topic

BUSINESS: Final = {FICHES: "submission", DOSSIERS: "validation", SESSIONS: "publication"}
HEARERS: Final = ("validation", "publication", "analytics")
_COUNTS: Final = "SELECT md5(string_agg(c::text, ',' ORDER BY c::text)) FROM running_count c"
_OPEN: Final = "SELECT count(*) FROM dead_letter WHERE state = 'dead' AND topic = $1"


async def _copy(load: Load, records: list[Received]) -> None:
    """Write records to their topics again, as a rogue producer would."""
    for one in records:
        await load.senders.send(one.topic, one.key, one.value, one.headers)


async def test_a_fifth_of_all_records_twice_and_in_disorder_changes_no_count(stack: Stack, figures: Figures) -> None:
    async with Load(stack, "COPIES") as load:
        await load.fiches(10)
        await stack.audited()
        before = await stack.value("analytics", _COUNTS)
        duplicates = await stack.value("analytics", "SELECT sum(duplicates)::int FROM position")
        said = [record for topic in BUSINESS for record in await read_topic(load.access, topic)]
        copies = random.Random(40).sample(said, max(30, len(said) // 5))
        load.begin(4)
        await _copy(load, copies)
        await load.more(8)
        await load.finish()
        twice = sum([sum(n - 1 for n in (await ids_in_log(load.access, topic)).values()) for topic in BUSINESS])
        assert twice >= len(copies), "the copies are not in the log"

        async def seen_as_copies() -> bool:
            now = await stack.value("analytics", "SELECT sum(duplicates)::int FROM position")
            return bool(now - duplicates >= len(copies))

        await eventually(seen_as_copies, 60, "analytics has read the copies")
    figures.hurt("copied records", "business topics", times=len(copies), fiches=len(load.done))
    report = await stack.audited()
    figures.audited(report)
    assert next(f.verdict.checked for f in report.findings if f.id == "I7") > 0
    assert before != await stack.value("analytics", _COUNTS), "the fiches sent meanwhile were not counted"


async def test_copies_alone_leave_every_count_as_it_was(stack: Stack, figures: Figures) -> None:
    async with Load(stack, "ALONE") as load:
        await load.fiches(4)
        await stack.audited()
        before = await stack.value("analytics", _COUNTS)
        heard = await stack.value("analytics", "SELECT sum(received)::int FROM position")
        said = [record for topic in BUSINESS for record in await read_topic(load.access, topic)]
        copies = random.Random(41).sample(said, max(30, len(said) // 5))
        await _copy(load, copies)

        async def read() -> bool:
            return bool(
                await stack.value("analytics", "SELECT sum(received)::int FROM position") - heard >= len(copies)
            )

        await eventually(read, 60, "analytics has read the copies")
        assert await stack.value("analytics", _COUNTS) == before
    figures.hurt("copied records", "business topics, nothing else", times=len(copies), fiches=4)
    figures.audited(await stack.audited())


@pytest.mark.parametrize("seed", range(6))
async def test_any_order_of_delivery_with_a_fifth_delivered_twice_counts_right(heart: Heart, seed: int) -> None:
    chance = random.Random(seed)
    keys = [uuid4() for _ in range(12)]
    events = [record(key, n) for key in keys for n in range(1, 13)]
    deliveries = events + chance.sample(events, len(events) // 5)
    chance.shuffle(deliveries)
    while deliveries:
        size = chance.randint(1, 40)
        await heart.apply(*deliveries[:size])
        del deliveries[:size]
    assert [await heart.seen(key) for key in keys] == [12] * len(keys)
    assert not await heart.fetch("SELECT 1 FROM parked")
    assert await heart.positions_add_up()


async def test_poison_of_every_kind_on_a_business_topic_stops_nobody(stack: Stack, figures: Figures) -> None:
    async with Load(stack, "POISON") as load:
        load.begin(4)
        await load.more(2)
        dead = {service: await stack.value(service, _OPEN, FICHES) for service in HEARERS}
        for spoil in EVENTS.values():
            spoiled = spoil(record(uuid4(), 1))
            await load.senders.send(FICHES, spoiled.key, spoiled.value, spoiled.headers)
        await load.more(6)
        for service in HEARERS:

            async def all_dead(service: str = service) -> bool:
                return bool(await stack.value(service, _OPEN, FICHES) == dead[service] + len(EVENTS))

            await eventually(all_dead, 60, f"{service} keeps every poison as a dead letter")
            assert await stack.value(service, "SELECT count(*) FROM dead_letter WHERE code = 'DEFECT'") == 0
        assert [await load.discard_letters(service) for service in HEARERS] == [len(EVENTS)] * 3
    figures.hurt("poison", FICHES, times=len(EVENTS), fiches=len(load.done), note=f"{len(EVENTS)} kinds")
    figures.audited(await stack.audited())


async def test_poison_of_every_kind_on_an_ingress_topic_is_answered_and_stops_nobody(
    stack: Stack, figures: Figures
) -> None:
    topic = ingress_topic(GOLDEN_OPCO)
    outcomes: dict[str, str] = {}
    async with Load(stack, "INGRESS") as load:
        load.begin(4)
        await load.more(2)
        for kind, spoil in COMMANDS.items():
            spoiled = spoil(_command(topic))
            kept = await load.senders.send(topic, spoiled.key, spoiled.value, spoiled.headers)
            place = f"{topic}/{kept.partition}/{kept.offset}"
            answer = await load.progress.until(ANSWERED, place, 60)
            assert answer is not None, f"{kind}: no answer"
            outcomes[kind] = answer.value["outcome"]
            assert answer.value["objections"], f"{kind}: no objection"
            assert len(answer.raw) < 20_000, f"{kind}: the answer is as large as what was sent"
        await load.more(6)
        letters = await load.discard_letters("submission")
    assert set(outcomes.values()) <= {"unreadable", "refused"}
    assert outcomes["larger than 256 KiB"] == outcomes["900 kB"] == "refused"
    assert letters == sum(outcome == "unreadable" for outcome in outcomes.values())
    assert await stack.value("submission", "SELECT count(*) FROM dead_letter WHERE code = 'DEFECT'") == 0
    figures.hurt("poison", topic, times=len(COMMANDS), fiches=len(load.done), note=f"{len(COMMANDS)} kinds")
    figures.audited(await stack.audited())


def _command(topic: str) -> Received:
    """A good command of a fiche that is never filed."""
    reference, identifier = f"POISON-{uuid4().hex[:12]}", str(uuid4())
    value = SubmitFiche(content=golden_content(), acknowledged=GOLDEN_WARNINGS).model_dump_json().encode()
    headers = command_headers(GOLDEN_OPCO, identifier, SubmitFiche.wire_type)
    return Received(topic, 0, 0, reference.encode(), tuple(headers), value)


@pytest.mark.parametrize("size", [7_999, 8_001])
@pytest.mark.parametrize("by_kafka", [False, True], ids=["HTTP", "ingress"])
async def test_an_event_of_so_many_bytes_passes(stack: Stack, figures: Figures, size: int, by_kafka: bool) -> None:
    async with Load(stack, "SIZE") as load:
        fiche = load.fiche(by_kafka=by_kafka)
        await load.go_through(fiche, **_texts(fiche, size))
    query = "SELECT octet_length(value) FROM outbox WHERE topic = $1 AND key = $2 ORDER BY sequence LIMIT 1"
    assert await stack.value("submission", query, FICHES, str(fiche.id)) == size
    figures.hurt("size", f"event of {size:,} bytes", fiches=1, note="ingress" if by_kafka else "HTTP")
    if size == 8_001:
        figures.audited(await stack.audited())


def _texts(fiche: Fiche, size: int) -> dict[str, Any]:
    """Return texts that make the event of filing exactly `size` bytes long."""
    event = FicheSubmitted(
        fiche_id=fiche.id,
        opco=GOLDEN_OPCO,
        revision=1,
        reference=fiche.reference,
        content=golden_content(objective="x", contents="x", prerequisites="x"),
        acknowledged=GOLDEN_WARNINGS,
    )
    left, most = size - len(event.model_dump_json().encode()), 2_900
    assert 0 < left < 3 * most
    more = [min(most, max(0, left - n * most)) for n in range(3)]
    return dict(zip(("objective", "contents", "prerequisites"), ("x" * (1 + n) for n in more), strict=True))
