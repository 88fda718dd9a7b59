"""Settling dead letters: two of one key in any order, two people at once, and a death in between."""

import asyncio
import dataclasses
from uuid import uuid4

from shared.identity import Principal
from shared.messaging.letters import DeadLetters
from tests.support.heart import TOPIC, Heart, record

OPERATOR = Principal("operations", "operations", "machine", frozenset({"operations"}))


async def test_two_letters_of_one_key_may_be_discarded_in_any_order(heart: Heart) -> None:
    key = uuid4()
    broken = [record(key, n) for n in (1, 2)]
    spoiled = [dataclasses.replace(one, value=b"{") for one in broken]
    await heart.apply(*spoiled, record(key, 3))
    letters = await heart.fetch("SELECT id FROM dead_letter ORDER BY sequence DESC")
    assert len(letters) == 2
    for row in letters:
        await DeadLetters(heart.inbox).discard(OPERATOR, row["id"], "essai")
    assert await heart.seen(key) == 1
    assert not await heart.fetch("SELECT 1 FROM parked")
    await heart.apply(record(key, 4))
    assert await heart.seen(key) == 2


async def test_the_true_event_under_a_discarded_sequence_is_not_lost(heart: Heart) -> None:
    key = uuid4()
    forged = record(key, 1)
    rogue = dataclasses.replace(forged, value=b"{")
    await heart.apply(rogue)
    true = record(key, 1, offset=forged.offset + 700)
    await heart.apply(true, record(key, 2))
    letter = (await heart.fetch("SELECT id FROM dead_letter"))[0]["id"]
    await DeadLetters(heart.inbox).discard(OPERATOR, letter, "essai")
    assert await heart.seen(key) == 2


async def test_two_who_settle_one_letter_at_once_leave_one_truth(heart: Heart) -> None:
    for _ in range(6):
        key = uuid4()
        heart.refusing.keys.add(key)
        await heart.apply(record(key, 1), record(key, 2))
        heart.refusing.keys.clear()
        letter = (await heart.fetch("SELECT id FROM dead_letter WHERE state = 'dead'"))[0]["id"]
        letters = DeadLetters(heart.inbox)
        await asyncio.gather(
            letters.replay(OPERATOR, letter), letters.discard(OPERATOR, letter, "essai"), return_exceptions=True
        )
        state = (await heart.fetch("SELECT state FROM dead_letter WHERE id = $1", letter))[0]["state"]
        assert await heart.seen(key) == (2 if state == "replayed" else 1)
        trail = await heart.fetch("SELECT 1 FROM audit_entry WHERE aggregate = $1", f"dead_letter/{letter}")
        assert len(trail) == 1


async def test_what_waited_goes_on_when_the_replay_died_before_it_could(heart: Heart) -> None:
    key = uuid4()
    heart.refusing.keys.add(key)
    await heart.apply(record(key, 1), record(key, 2))
    heart.refusing.keys.clear()
    letter = (await heart.fetch("SELECT id FROM dead_letter"))[0]["id"]
    async with heart.database.connection() as connection:  # as if the process had died right after the first commit
        await connection.execute("UPDATE dead_letter SET state = 'replayed'")
        await connection.execute("INSERT INTO stream VALUES ($1, $2, 1)", TOPIC, str(key))
    assert (await DeadLetters(heart.inbox).replay(OPERATOR, letter)).state == "replayed"
    assert await heart.seen(key) == 1
    assert not await heart.fetch("SELECT 1 FROM parked")


async def test_more_letters_than_a_page_are_all_listed(heart: Heart) -> None:
    await heart.apply(*(dataclasses.replace(record(uuid4(), 1), value=b"{") for _ in range(101)))
    letters = DeadLetters(heart.inbox)
    first = await letters.listed(OPERATOR, "dead")
    rest = await letters.listed(OPERATOR, "dead", first[-1]["id"])
    assert len({row["id"] for row in (*first, *rest)}) == 101
