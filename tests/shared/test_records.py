"""Records on their way out: what the broker would refuse never enters the outbox; shards and ids are what they always were."""

import datetime as dt
from uuid import UUID, uuid4

import pytest

from shared.messaging.records import MAX_VALUE_BYTES, SHARDS, Outgoing, derived_id, outgoing_event, shard_of
from tests.support.heart import withdrawn


def outgoing(value: str) -> Outgoing:
    return Outgoing(uuid4(), "t", "k", {}, value)


def test_a_million_bytes_enter_and_one_more_does_not() -> None:
    assert outgoing("x" * MAX_VALUE_BYTES).value
    with pytest.raises(ValueError, match="1,000,000 bytes"):
        outgoing("x" * (MAX_VALUE_BYTES + 1))


def test_bytes_are_counted_and_not_characters() -> None:
    assert outgoing("é" * (MAX_VALUE_BYTES // 2)).value
    with pytest.raises(ValueError, match="1,000,000 bytes"):
        outgoing("é" * (MAX_VALUE_BYTES // 2 + 1))
    with pytest.raises(ValueError, match="1,000,000 bytes"):
        outgoing("😀" * (MAX_VALUE_BYTES // 4 + 1))


def test_a_tombstone_has_no_size() -> None:
    assert Outgoing(uuid4(), "t", "k", {}, None).value is None


def test_a_shard_is_the_same_for_ever() -> None:
    """Another hash would let what is said of one key overtake itself."""
    assert [shard_of(key) for key in ("a", "fiche", "0e900011-fb22-58b9-99a4-da058c5414aa")] == [3, 0, 3]
    assert {shard_of(str(n)) for n in range(200)} == set(range(SHARDS))


def test_the_same_fact_has_the_same_id() -> None:
    key, at = uuid4(), dt.datetime.now(dt.UTC)
    first, again = (
        outgoing_event(withdrawn(key), 7, "submission", moment) for moment in (at, at + dt.timedelta(days=1))
    )
    assert first.event_id == again.event_id
    assert outgoing_event(withdrawn(key), 8, "submission", at).event_id != first.event_id
    assert derived_id("poec.submission.fiches", "k", 1, "fr.poec.fiche.submitted.v1") == UUID(
        "e0660986-5555-5e5d-b262-25a02a51ea62"
    )
