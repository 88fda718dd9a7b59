"""I8 to I12: outboxes, inboxes and positions, on clean evidence and with one thing planted each."""

from dataclasses import replace

import pytest

from deploy.audit.emitted import Emitted, TopicLog, digest_of, said
from deploy.audit.i08_nothing_lost import Outbox
from deploy.audit.i08_nothing_lost import judge as judge_lost
from deploy.audit.i09_nothing_doubled import UNIQUE
from deploy.audit.i09_nothing_doubled import judge as judge_doubled
from deploy.audit.i10_applied_in_order import judge as judge_order
from deploy.audit.i11_all_accounted_for import Account, judge_accounts, judge_traces
from deploy.audit.i12_positions_in_bounds import Position, Reset
from deploy.audit.i12_positions_in_bounds import judge as judge_positions
from deploy.audit.log import LogRecord, Place, compact_id
from shared.contracts.flow import CATALOGUE, FICHES

IDS = [f"0000000{n}-0000-4000-8000-000000000000" for n in range(4)]


def record(
    n: int, *, topic: str = FICHES, value: bytes | None = b"{}", key: bytes = b"k", offset: int | None = None
) -> LogRecord:
    place = Place(topic, 0, n if offset is None else offset)
    return LogRecord(place, key, {"ce_id": IDS[n].encode()}, value)


def log_of(*records: LogRecord, topic: str = FICHES) -> TopicLog:
    fold = Emitted()
    for one in records:
        fold.take(one)
    return fold.of(topic)


def outbox_of(*numbers: int, published: bool = True, value: bytes | None = b"{}") -> Outbox:
    outbox = Outbox()
    for n in numbers:
        what = said(IDS[n], digest_of("k", value))
        outbox.published[what] = published
        outbox.last_of_key["k"] = (what, value is None)
    return outbox


def test_a_log_that_is_the_outbox_is_clean() -> None:
    found = judge_lost(FICHES, outbox_of(0, 1), log_of(record(0), record(1)), set())
    assert found.violations == () and found.checked == 2


def test_a_record_sent_twice_is_still_there_once() -> None:
    assert judge_lost(FICHES, outbox_of(0), log_of(record(0), record(0, offset=5)), set()).violations == ()


def test_a_published_row_that_is_not_in_the_log_is_found() -> None:
    (found,) = judge_lost(FICHES, outbox_of(0, 1), log_of(record(0)), set()).violations
    assert IDS[1] in found and "not in the log" in found


def test_a_row_that_waits_may_be_in_the_log_or_not() -> None:
    assert judge_lost(FICHES, outbox_of(0, published=False), log_of(), set()).violations == ()
    assert judge_lost(FICHES, outbox_of(0, published=False), log_of(record(0)), set()).violations == ()


def test_a_record_whose_content_was_changed_on_the_way_is_found() -> None:
    found = judge_lost(FICHES, outbox_of(0), log_of(record(0, value=b'{"a":1}')), set()).violations
    assert len(found) == 2


def test_a_foreign_record_is_found_unless_a_dead_letter_explains_it() -> None:
    log = log_of(record(0), record(1))
    assert "does not know" in judge_lost(FICHES, outbox_of(0), log, set()).violations[0]
    assert judge_lost(FICHES, outbox_of(0), log, {(0, 1)}).violations == ()


def test_a_foreign_record_without_an_id_is_found() -> None:
    log = log_of(LogRecord(Place(FICHES, 2, 7), b"k", {}, b"garbage"))
    assert judge_lost(FICHES, Outbox(), log, set()).violations[0].startswith(f"{FICHES}/2@7")


def test_on_a_compacted_topic_only_the_last_word_on_a_key_must_be_there() -> None:
    assert (
        judge_lost(CATALOGUE, outbox_of(0, 1), log_of(record(1, topic=CATALOGUE), topic=CATALOGUE), set()).violations
        == ()
    )


def test_on_a_compacted_topic_an_older_last_word_is_found() -> None:
    log = log_of(record(1, topic=CATALOGUE), record(0, topic=CATALOGUE, offset=2), topic=CATALOGUE)
    assert IDS[1] in judge_lost(CATALOGUE, outbox_of(0, 1), log, set()).violations[0]


def test_on_a_compacted_topic_a_word_on_its_way_may_have_arrived() -> None:
    outbox = outbox_of(0)
    outbox.later["k"] = {said(IDS[1], digest_of("k", b"{}"))}
    outbox.published |= dict.fromkeys(outbox.later["k"], False)
    log = log_of(record(0, topic=CATALOGUE), record(1, topic=CATALOGUE), topic=CATALOGUE)
    assert judge_lost(CATALOGUE, outbox, log, set()).violations == ()


def test_a_tombstone_that_the_broker_forgot_with_its_key_is_no_loss() -> None:
    assert judge_lost(CATALOGUE, outbox_of(0, value=None), log_of(topic=CATALOGUE), set()).violations == ()
    assert len(judge_lost(CATALOGUE, outbox_of(0), log_of(topic=CATALOGUE), set()).violations) == 1


def test_each_event_once_under_its_constraints_is_clean() -> None:
    found = judge_doubled("analytics", UNIQUE, [], 7)
    assert found.violations == () and found.checked == 7


@pytest.mark.parametrize("what", ["event", "sequence", "outbox"])
def test_a_double_is_found(what: str) -> None:
    assert "2 times" in judge_doubled("analytics", UNIQUE, [(what, FICHES, "k", 2)], 7).violations[0]


def test_a_constraint_that_was_dropped_is_found() -> None:
    assert "inbox" in judge_doubled("analytics", UNIQUE - {("inbox", ("event_id", "topic"))}, [], 7).violations[0]


KEY = (FICHES, "k")


def test_marks_in_sequence_are_clean() -> None:
    found = judge_order("analytics", [(KEY, 1), ((FICHES, "l"), 1), (KEY, 2)], {KEY: 2, (FICHES, "l"): 1})
    assert found.violations == () and found.checked == 3


@pytest.mark.parametrize("sequences", [(2, 1), (1, 3), (1, 1), (2,)])
def test_marks_out_of_sequence_are_found(sequences: tuple[int, ...]) -> None:
    assert judge_order("analytics", [(KEY, n) for n in sequences], {KEY: max(sequences)}).violations


def test_a_gap_that_operations_gave_up_is_none() -> None:
    assert judge_order("analytics", [(KEY, 1), (KEY, 3)], {KEY: 3}, {(KEY, 2)}).violations == ()
    assert judge_order("analytics", [(KEY, 1)], {KEY: 2}, {(KEY, 2)}).violations == ()


def test_poison_that_claimed_the_place_of_what_was_applied_and_was_given_up_is_no_disorder() -> None:
    assert judge_order("analytics", [(KEY, 1), (KEY, 2), (KEY, 3)], {KEY: 3}, {(KEY, 1), (KEY, 3)}).violations == ()
    assert judge_order("analytics", [(KEY, 1), (KEY, 1)], {KEY: 1}, {(KEY, 1)}).violations
    assert judge_order("analytics", [(KEY, 1), (KEY, 4)], {KEY: 4}, {(KEY, 1), (KEY, 2)}).violations


def test_a_stream_that_believes_to_be_further_than_it_is_is_found() -> None:
    assert "last believed no. 2" in judge_order("analytics", [(KEY, 1)], {KEY: 2}).violations[0]


CLEAN = Account(FICHES, 0, 10, 10, 4, 1, 2, 2, 1, 1, 0, marks=6, waiting=1, letters=1)


def test_an_account_that_adds_up_is_clean() -> None:
    found = judge_accounts("analytics", [CLEAN], [])
    assert found.violations == () and found.checked == 10
    died_when_released = replace(CLEAN, letters=2, marks=5)
    assert judge_accounts("analytics", [died_when_released], []).violations == ()


@pytest.mark.parametrize(
    "planted",
    [
        replace(CLEAN, received=11),
        replace(CLEAN, received=8),
        replace(CLEAN, marks=4),
        replace(CLEAN, marks=7),
        replace(CLEAN, waiting=4),
        replace(CLEAN, letters=0),
        replace(CLEAN, letters=3),
    ],
)
def test_an_account_that_does_not_add_up_is_found(planted: Account) -> None:
    assert judge_accounts("analytics", [planted], []).violations


def test_a_record_both_processed_and_dead_is_found() -> None:
    assert "is a dead letter" in judge_accounts("analytics", [CLEAN], [f"{FICHES}/0@3"]).violations[0]


def test_a_record_passed_over_without_a_trace_is_found() -> None:
    log = log_of(record(0), record(1))
    known = {compact_id(IDS[0])}
    found = judge_traces("analytics", FICHES, log, {0: 2}, known, set()).violations
    assert found == (f"analytics: {FICHES}/0@1 was passed over without a trace",)
    assert judge_traces("analytics", FICHES, log, {0: 1}, known, set()).violations == ()
    assert judge_traces("analytics", FICHES, log, {0: 2}, known, {(0, 1)}).violations == ()


def test_a_partners_refused_record_is_known_by_its_place() -> None:
    log = log_of(record(0))
    assert judge_traces("submission", FICHES, log, {0: 1}, {f"{IDS[0]}@0/0".encode()}, set()).violations == ()


def test_an_unreadable_record_needs_a_dead_letter() -> None:
    log = log_of(LogRecord(Place(FICHES, 0, 0), None, {}, b"garbage"))
    assert len(judge_traces("analytics", FICHES, log, {0: 1}, set(), set()).violations) == 1
    assert judge_traces("analytics", FICHES, log, {0: 1}, set(), {(0, 0)}).violations == ()


AT = Position(FICHES, 0, 10, 9)


def test_a_position_within_the_log_is_clean() -> None:
    found = judge_positions("analytics", [AT], [], {(FICHES, 0): 10})
    assert found.violations == () and found.checked == 1


def test_a_position_beyond_the_log_is_found() -> None:
    assert "beyond the log's end at 9" in judge_positions("analytics", [AT], [], {(FICHES, 0): 9}).violations[0]


def test_a_position_that_went_back_is_found_unless_the_reason_is_written() -> None:
    back = replace(AT, next_offset=3)
    assert "without a reason" in judge_positions("analytics", [back], [], {(FICHES, 0): 10}).violations[0]
    reset = Reset(FICHES, 0, 10, 0, "topic made anew")
    assert judge_positions("analytics", [back], [reset], {(FICHES, 0): 10}).violations == ()
    assert judge_positions("analytics", [back], [replace(reset, reason=" ")], {(FICHES, 0): 10}).violations


def test_a_position_in_a_topic_of_others_is_found() -> None:
    assert judge_positions("validation", [replace(AT, topic="poec.publication.sessions")], [], {}).violations


def test_an_id_in_capitals_is_looked_for_as_it_was_written() -> None:
    capitals = "0AF76519-16CD-43DD-8448-EB211C80319C"
    log = TopicLog(first={compact_id(capitals) + bytes(16): (1, 7)})
    for mark in (capitals, f"{capitals}@1/7"):
        assert judge_traces("submission", "poec.ingress.akto", log, {1: 8}, {compact_id(mark)}, set()).violations == ()
    assert judge_traces("submission", "poec.ingress.akto", log, {1: 8}, {compact_id(capitals.lower())}, set()).violations
