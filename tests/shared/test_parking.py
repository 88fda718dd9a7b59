"""Parking and releasing: one batch or several, every record is counted once."""

from uuid import uuid4

from tests.support.heart import Heart, record


async def test_a_batch_that_comes_backwards_leaves_nothing_parked(heart: Heart) -> None:
    key = uuid4()
    await heart.apply(record(key, 3), record(key, 2), record(key, 1))
    assert await heart.seen(key) == 3
    assert not await heart.fetch("SELECT 1 FROM parked")
    assert await heart.positions_add_up()


async def test_a_parked_event_that_dies_when_released_is_counted_once(heart: Heart) -> None:
    key = uuid4()
    await heart.apply(record(key, 2), record(key, 3))
    heart.refusing.defects.add(key)
    await heart.apply(record(key, 1))
    assert len(await heart.fetch("SELECT 1 FROM dead_letter")) == 1
    assert await heart.positions_add_up()


async def test_a_sequence_that_was_forged_is_counted_when_the_true_one_passes_it(heart: Heart) -> None:
    key = uuid4()
    forged = record(key, 2)
    await heart.apply(forged)
    await heart.apply(record(key, 1), record(key, 2, offset=forged.offset + 500))
    assert not await heart.fetch("SELECT 1 FROM parked")
    assert await heart.seen(key) == 2
    assert await heart.positions_add_up()
