"""AIS and AES: an answer per row, counted once, by HTTP and by Kafka alike."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID, uuid5

import pytest

from services.publication.consumers import hearing
from services.publication.use_cases import Batch, cancel_ais, record_aes, record_ais
from shared.contracts.events import Event
from shared.contracts.fiche import POEC_NAMESPACE
from shared.contracts.ingress import AesRow, AisRow, CancelAis, RecordAes, RecordAis
from shared.contracts.publication import AesRecorded, AisRecorded
from shared.errors import Forbidden, NotAllowedNow, NotFound, NotYet, RulesRefused
from shared.identity import Principal
from shared.messaging.hearing import Done
from tests.services.publication import heard
from tests.services.publication.heard import FIRST, FRANCE_TRAVAIL, LIMITS, NOW, SECOND, START, Catalogue, names

DAY = dt.date(2018, 4, 10)


def number(n: int) -> UUID:
    return uuid5(POEC_NAMESPACE, f"test/{n}")


def published(seats: int = 3) -> Catalogue:
    content = heard.content(START, seats=seats)
    return Catalogue().hears(heard.submitted(content), heard.avis(), heard.validated(), heard.confirmed(1, content))


def ais(
    catalogue: Catalogue, *ids: int, session: UUID = FIRST, by: Principal = FRANCE_TRAVAIL, on: dt.date = DAY
) -> Batch:
    rows = [AisRow(ais_id=number(n), recorded_on=on) for n in ids]
    return record_ais(catalogue.listing, by, session, rows, NOW, LIMITS)


def cancel(catalogue: Catalogue, *ids: int, session: UUID = FIRST) -> Batch:
    return cancel_ais(catalogue.listing, FRANCE_TRAVAIL, session, [number(n) for n in ids], NOW, LIMITS)


def aes(catalogue: Catalogue, *ids: int, behind: Sequence[int | None] = (), on: dt.date = START) -> Batch:
    names_ = [*behind, *([None] * len(ids))]
    rows = [
        AesRow(aes_id=number(n), entered_on=on, ais_id=number(b) if b is not None else None)
        for n, b in zip(ids, names_, strict=False)
    ]
    return record_aes(catalogue.listing, FRANCE_TRAVAIL, FIRST, rows, NOW, LIMITS)


def outcomes(batch: Batch) -> list[str]:
    return [row.code or row.outcome for row in batch.rows]


def test_each_row_says_what_the_session_has_after_it() -> None:
    catalogue = published()
    batch = ais(catalogue, 1, 2)
    assert outcomes(batch) == ["recorded", "recorded"] and batch.session.ais == 2
    assert [event.net for event in catalogue.said() if isinstance(event, AisRecorded)] == [1, 2]


def test_the_last_seat_fills_the_session_and_cancelling_one_publishes_it_again() -> None:
    catalogue = published(seats=3)
    ais(catalogue, 1, 2)
    assert catalogue.status == "published"
    ais(catalogue, 3)
    assert catalogue.status == "full" and catalogue.compacted[str(FIRST)].status == "full"
    cancel(catalogue, 2)
    assert catalogue.status == "published" and catalogue.compacted[str(FIRST)].status == "published"
    assert names(catalogue.said()) == [
        "SessionPublished",
        "AisRecorded",
        "AisRecorded",
        "AisRecorded",
        "SessionFilled",
        "AisCancelled",
        "SessionPublished",
    ]


@pytest.mark.parametrize(("seats", "limit"), [(10, 12), (4, 4), (5, 6), (12, 14)])
def test_ais_may_exceed_the_seats_by_twenty_percent_rounded_down(seats: int, limit: int) -> None:
    batch = ais(published(seats), *range(limit + 1))
    assert outcomes(batch) == ["recorded"] * limit + ["OVERBOOKED"]


def test_an_ais_recorded_before_is_answered_already_whatever_comes_after_it() -> None:
    catalogue = published()
    ais(catalogue, 1)
    assert outcomes(ais(catalogue, 1, 2, 2)) == ["already", "recorded", "already"]
    assert catalogue.session().ais == 2  # type: ignore[union-attr]  # it is there


def test_a_batch_that_changes_nothing_leaves_no_trace() -> None:
    catalogue = published()
    ais(catalogue, 1)
    before = len(catalogue.changes())
    assert outcomes(ais(catalogue, 1)) == ["already"]
    assert len(catalogue.changes()) == before


def test_a_cancelled_ais_does_not_come_back() -> None:
    catalogue = published()
    ais(catalogue, 1)
    assert outcomes(cancel(catalogue, 1, 1, 2)) == ["cancelled", "already", "AIS_UNKNOWN"]
    assert outcomes(ais(catalogue, 1)) == ["AIS_CANCELLED"]


def test_an_id_belongs_to_one_session() -> None:
    two = heard.content(START, START, seats=3)
    catalogue = Catalogue().hears(heard.submitted(two), heard.avis(), heard.validated(), heard.confirmed(1, two))
    ais(catalogue, 1)
    assert outcomes(ais(catalogue, 1, session=SECOND)) == ["AIS_ELSEWHERE"]
    assert outcomes(cancel(catalogue, 1, session=SECOND)) == ["AIS_UNKNOWN"]


def test_an_ais_after_the_end_of_the_session_is_refused() -> None:
    assert outcomes(ais(published(), 1, on=heard.END)) == ["recorded"]
    assert outcomes(ais(published(), 1, on=heard.END + dt.timedelta(1))) == ["AIS_AFTER_END"]


def test_an_entry_without_ais_is_accepted_and_flagged() -> None:
    catalogue = published()
    ais(catalogue, 1, 2)
    cancel(catalogue, 2)
    batch = aes(catalogue, 11, 12, 13, behind=(1, 2, None))
    assert outcomes(batch) == ["recorded", "AES_WITHOUT_AIS", "AES_WITHOUT_AIS"]
    assert [row.outcome for row in batch.rows] == ["recorded"] * 3
    assert [event.total for event in catalogue.said() if isinstance(event, AesRecorded)] == [1, 2, 3]
    assert outcomes(aes(catalogue, 11)) == ["already"]


@pytest.mark.parametrize(
    ("days", "answer"), [(-8, "AES_OUTSIDE_SESSION"), (-7, "AES_WITHOUT_AIS"), (0, "AES_WITHOUT_AIS")]
)
def test_an_entry_is_dated_in_its_session_or_the_week_before(days: int, answer: str) -> None:
    assert outcomes(aes(published(), 11, on=START + dt.timedelta(days))) == [answer]


def test_an_entry_after_the_last_day_is_refused() -> None:
    assert outcomes(aes(published(), 11, on=heard.END + dt.timedelta(1))) == ["AES_OUTSIDE_SESSION"]


def test_entries_have_the_same_limit_as_ais() -> None:
    assert outcomes(aes(published(5), *range(7)))[-1] == "OVERBOOKED"


def test_only_france_travail_records_entries() -> None:
    with pytest.raises(Forbidden):
        ais(published(), 1, by=heard.OPCO)


def test_an_unknown_session_is_not_found_and_an_expected_one_is_too_early() -> None:
    with pytest.raises(NotFound):
        ais(Catalogue(), 1)
    with pytest.raises(NotAllowedNow):
        ais(Catalogue().hears(heard.submitted(), heard.validated()), 1)


def test_a_suspended_session_takes_no_ais_but_lets_them_go() -> None:
    catalogue = published()
    ais(catalogue, 1)
    catalogue.hears(heard.lapsed())
    with pytest.raises(NotAllowedNow):
        ais(catalogue, 2)
    assert outcomes(cancel(catalogue, 1)) == ["cancelled"]
    assert catalogue.status == "suspended"


def test_ais_of_a_removed_session_may_be_cancelled() -> None:
    catalogue = published()
    ais(catalogue, 1)
    catalogue.hears(heard.cancelled())
    assert outcomes(cancel(catalogue, 1)) == ["cancelled"]
    assert catalogue.status == "removed" and catalogue.session().ais == 0  # type: ignore[union-attr]  # it is there


def test_fewer_seats_fill_a_session_and_more_open_it_again() -> None:
    catalogue = published(seats=3)
    ais(catalogue, 1, 2)
    catalogue.hears(heard.amended(2, heard.content(seats=2)))
    assert catalogue.status == "full"
    assert catalogue.hears(heard.amended(3, heard.content(seats=4))).status == "published"


def by_kafka(catalogue: Catalogue, command: RecordAis | CancelAis | RecordAes, key: str | None = None) -> Done:
    ears = hearing(LIMITS)
    assert command.session_id in ears.command_ids(FRANCE_TRAVAIL, str(command.session_id), command)
    act = ears.commands[type(command)]
    return act(catalogue.listing, FRANCE_TRAVAIL, key or str(command.session_id), command, NOW)


def test_by_kafka_the_answer_has_the_rows() -> None:
    catalogue = published()
    done = by_kafka(catalogue, RecordAis(session_id=FIRST, rows=(AisRow(ais_id=number(1), recorded_on=DAY),)))
    assert (done.fiche_id, done.status, done.rows[0].outcome) == (heard.FICHE, "published", "recorded")
    entered = AesRow(aes_id=number(2), entered_on=START, ais_id=number(1))
    assert by_kafka(catalogue, RecordAes(session_id=FIRST, rows=(entered,))).rows[0].code is None
    assert by_kafka(catalogue, CancelAis(session_id=FIRST, ais_ids=(number(1),))).rows[0].outcome == "cancelled"


@pytest.mark.parametrize("events", [(), (heard.submitted(), heard.validated())])
def test_by_kafka_what_comes_too_early_is_kept_to_be_replayed(events: tuple[Event, ...]) -> None:
    catalogue = Catalogue().hears(*events)
    command = RecordAis(session_id=FIRST, rows=(AisRow(ais_id=number(1), recorded_on=DAY),))
    with pytest.raises(NotYet) as early:
        by_kafka(catalogue, command)
    assert early.value.code == "SESSION_NOT_PUBLISHED"


def test_by_kafka_a_removed_session_is_a_refusal_not_a_wait() -> None:
    catalogue = published().hears(heard.withdrawn())
    with pytest.raises(NotAllowedNow):
        by_kafka(catalogue, RecordAis(session_id=FIRST, rows=(AisRow(ais_id=number(1), recorded_on=DAY),)))


def test_by_kafka_the_key_is_the_session() -> None:
    with pytest.raises(RulesRefused):
        by_kafka(published(), CancelAis(session_id=FIRST, ais_ids=(number(1),)), key=str(SECOND))


def test_the_ears_are_those_of_the_flow_table() -> None:
    hearing(LIMITS).check()


def test_ids_are_written_once_and_without_a_person() -> None:
    catalogue = published()
    ais(catalogue, 1, 2)
    cancel(catalogue, 2)
    aes(catalogue, 3)
    unit = catalogue.written
    assert {row["state"] for row in unit.inserted["ais"]} == {"recorded", "cancelled"}
    assert set(unit.inserted["ais"][0]) == {"ais_id", "session_id", "opco", "state", "recorded_on", "at"}
    assert len(unit.inserted["aes"]) == 1 and unit.inserted["aes"][0]["without_ais"] is True
