"""I7 and the counts of I19: three ways of counting, on clean evidence and with one thing planted each."""

import datetime as dt
import json
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from deploy.audit.chronicle import Chronicle
from deploy.audit.i07_counts_agree import judge_counts, judge_facts, judge_nets
from deploy.audit.i19_rebuilt_the_same import judge as judge_rebuilt
from deploy.audit.kept_facts import KeptRows
from deploy.audit.recount import FicheFacts, SessionFacts, counts_of, facts_of_log
from shared.contracts.events import Event
from shared.contracts.fiche import fiche_id, session_id
from shared.contracts.publication import AesRecorded, AisCancelled, AisRecorded, SessionPublished
from shared.contracts.references import AvisKind, AvisReason, RefusalReason, SessionMotive, WithdrawalReason
from shared.contracts.submission import (
    AdaptationAccepted,
    FicheCompleted,
    FicheSubmitted,
    FicheWithdrawn,
    SessionCancelled,
    SessionEngaged,
    SessionPostponed,
    Shift,
)
from shared.contracts.validation import (
    Adaptation,
    AdaptationProposed,
    AvisGiven,
    CompletionAsked,
    CompletionItem,
    FicheRefused,
    FicheValidated,
)
from tests.deploy.audit_log import SmallLog
from tests.support.fiches import golden_content

FICHE = fiche_id("opco-2i", "2I-1")
SESSION = session_id(FICHE, 1)
CONTENT = golden_content()
PLAN = CONTENT.sessions[0]
MONTH = PLAN.start.isoformat()[:7]
DAY = dt.date(2018, 3, 2)
WHOSE: dict[str, Any] = {"fiche_id": FICHE, "opco": "opco-2i", "revision": 1}
NAMED: dict[str, Any] = {**WHOSE, "session_id": SESSION, "number": 1}
PLACE: dict[str, Any] = {"session_id": SESSION, "fiche_id": FICHE, "opco": "opco-2i"}
STILL = Shift(start_days=0, commune_moved=False, zone_moved=False, main_formacode_moved=False)

SUBMITTED = FicheSubmitted(**WHOSE, reference="2I-1", content=CONTENT)
AVIS = AvisGiven(**WHOSE, avis=AvisKind.COMPLEMENTAIRE, reasons=(), comment="")
VALIDATED = FicheValidated(**WHOSE, reference="PE-1", validated_on=DAY, validated_by="PE", against_avis=False)
ENGAGED = SessionEngaged(
    **NAMED, start=PLAN.start, end=PLAN.end, seats=PLAN.seats, hours=CONTENT.hours.total, committed=4_800_000
)
CANCELLED = SessionCancelled(**NAMED, motive=SessionMotive.SOURCING_INSUFFISANT, fiche_cancelled=True)
PUBLISHED = SessionPublished(**PLACE, reference="PE-1", start=PLAN.start, end=PLAN.end, seats=PLAN.seats)
WITHDRAWN = FicheWithdrawn(**WHOSE, reason=WithdrawalReason.AUTRE)
REFUSED = FicheRefused(**WHOSE, reasons=(RefusalReason.HORS_CADRE_POEC,), comment="non")


def postponed(days: int, revision: int = 2) -> SessionPostponed:
    start, end = PLAN.start + dt.timedelta(days), PLAN.end + dt.timedelta(days)
    plan = {**PLAN.model_dump(mode="json"), "start": start, "end": end}
    content = golden_content(sessions=[{**plan, "start": str(start), "end": str(end)}])
    moved = {"start": start, "end": end, "shift_days": days, "motive": SessionMotive.AUTRE, "content": content}
    return SessionPostponed(**{**NAMED, "revision": revision}, **moved)


def ais(net: int) -> AisRecorded:
    return AisRecorded(**PLACE, ais_id=uuid4(), recorded_on=DAY, net=net)


def told(*events: Event) -> dict[str, FicheFacts]:
    chronicle = Chronicle()
    SmallLog().say(*events).read(chronicle)
    return facts_of_log(chronicle)


def counted(*events: Event) -> dict[str, int]:
    """Return measure to value, of the only OPCO there is, over all months."""
    counts: dict[str, int] = {}
    for (measure, _, _), value in counts_of(told(*events).values()).items():
        counts[measure] = counts.get(measure, 0) + value
    return counts


STORY = (SUBMITTED, AVIS, VALIDATED, PUBLISHED, ENGAGED, ais(1), ais(2))


def test_a_whole_life_is_counted() -> None:
    assert counted(*STORY) == {
        "submitted": 1,
        "avis_complementaire": 1,
        "validated": 1,
        "planned": 1,
        "seats": PLAN.seats,
        "published": 1,
        "engaged": 1,
        "hours": CONTENT.hours.total,
        "committed_cents": 4_800_000,
        "ais": 2,
    }


def test_everything_is_counted_in_the_month_of_the_start() -> None:
    assert {bucket[2] for bucket in counts_of(told(*STORY).values())} == {MONTH}


def test_a_cancelled_session_keeps_its_entries_and_nothing_else() -> None:
    found = counted(*STORY, CANCELLED)
    assert (found["cancelled"], found["cancelled_sourcing_insuffisant"], found["ais"]) == (1, 1, 2)
    assert not {"planned", "seats", "engaged", "hours", "committed_cents"} & found.keys()


def test_of_a_fiche_never_validated_what_is_cancelled_is_counted_apart_and_nothing_as_postponed() -> None:
    found = counted(SUBMITTED, postponed(14), CANCELLED)
    assert found["cancelled_unvalidated"] == 1
    assert not {"cancelled", "cancelled_sourcing_insuffisant", "postponed"} & found.keys()
    assert counted(SUBMITTED, AVIS, VALIDATED, postponed(14))["postponed"] == 1


@pytest.mark.parametrize("final", [WITHDRAWN, REFUSED])
def test_a_session_of_a_fiche_that_is_no_more_is_not_planned(final: Event) -> None:
    assert not {"planned", "engaged"} & counted(*STORY, final).keys()


def test_a_postponed_session_moves_its_month_and_is_engaged_no_more() -> None:
    counts = counts_of(told(*STORY, postponed(40)).values())
    assert counts[("planned", "opco-2i", MONTH)] == 0
    assert counts[("ais", "opco-2i", "2018-06")] == 2
    assert counts[("postponed", "opco-2i", MONTH)] == counts[("postponed_within_year", "opco-2i", MONTH)] == 1
    assert "engaged" not in counted(*STORY, postponed(40))


def test_a_second_postponement_is_measured_from_the_first_start() -> None:
    counts = counts_of(told(*STORY, postponed(40), postponed(300, 3)).values())
    assert counts[("postponed", "opco-2i", MONTH)] == counts[("postponed_to_next_year", "opco-2i", MONTH)] == 1


def test_what_reviewers_and_opco_said_to_each_other_is_counted() -> None:
    item = CompletionItem(field="hours.total", request="préciser")
    asked = CompletionAsked(**WHOSE, items=(item,))
    proposed = AdaptationProposed(
        **WHOSE, reasons=(AvisReason.LIEU,), adaptation=Adaptation(), comment="", expires_on=DAY
    )
    completed = FicheCompleted(**{**WHOSE, "revision": 2}, content=CONTENT, shift=STILL)
    accepted = AdaptationAccepted(**{**WHOSE, "revision": 3}, content=CONTENT, shift=STILL)
    found = counted(SUBMITTED, asked, asked, completed, proposed, accepted)
    assert (found["sent_back"], found["completed"]) == (1, 1)
    assert (found["adaptations_proposed"], found["adaptations_accepted"]) == (1, 1)


def test_ais_are_net_of_cancelled_ones() -> None:
    aes = AesRecorded(**PLACE, aes_id=uuid4(), entered_on=PLAN.start, total=1)
    found = counted(*STORY, AisCancelled(**PLACE, ais_id=uuid4(), net=1), aes)
    assert (found["ais"], found["ais_cancelled"], found["aes"]) == (1, 1, 1)


def test_an_ais_that_says_another_count_is_found() -> None:
    chronicle = Chronicle()
    SmallLog().say(*STORY, ais(4)).read(chronicle)
    assert len(judge_nets(chronicle.sessions.values()).violations) == 1


def kept() -> KeptRows:
    """The rows that the story leaves in the databases."""
    identifier = str(FICHE)
    plan = {"number": 1, "start": str(PLAN.start), "seats": PLAN.seats}
    states = {"1": {"state": "engaged", "motive": None}}
    fiche = {
        "id": identifier,
        "opco": "opco-2i",
        "status": "confirmed",
        "plans": json.dumps([plan]),
        "states": json.dumps(states),
    }
    rows = KeptRows([fiche], [{"id": identifier, **plan}])
    rows.commands = {identifier: {"id": identifier, "completed": 0, "accepted": 0, "declined": 0, "countered": 0}}
    review = {
        "validated": True,
        "against": False,
        "refused": False,
        "avis": "COMPLEMENTAIRE",
        "sent_back": 0,
        "proposed": 0,
    }
    rows.reviews = {identifier: {"id": identifier, **review}}
    rows.first = {identifier: str(PLAN.start)}
    rows.engaged = {(identifier, 1): {"hours": CONTENT.hours.total, "committed": 4_800_000}}
    rows.entries = {str(SESSION): {"ais": 2, "ais_cancelled": 0, "aes": 0, "listed": True}}
    return rows


def test_databases_and_log_know_the_same() -> None:
    found = judge_facts(kept().facts(), told(*STORY))
    assert found.violations == () and found.checked == 1


def test_a_field_that_databases_and_log_know_differently_is_named() -> None:
    rows = kept()
    rows.entries[str(SESSION)] = {"ais": 3, "ais_cancelled": 0, "aes": 0, "listed": True}
    assert judge_facts(rows.facts(), told(*STORY)).violations == (
        f"fiche {FICHE}: databases and log differ in sessions",
    )
    assert "known to the log only" in judge_facts({}, told(*STORY)).violations[0]
    assert "known to the databases only" in judge_facts(kept().facts(), {}).violations[0]


def test_a_session_that_left_the_content_is_dropped_unless_it_was_cancelled() -> None:
    rows = kept()
    row = dict(rows.fiches[str(FICHE)])
    rows.fiches[str(FICHE)] = {**row, "plans": "[]", "states": "{}"}
    assert rows.facts()[str(FICHE)].sessions[1].state == "dropped"
    rows.fiches[str(FICHE)] = {**row, "plans": "[]", "states": '{"1": {"state": "cancelled", "motive": "AUTRE"}}'}
    assert rows.facts()[str(FICHE)].sessions[1] == SessionFacts(
        str(PLAN.start), PLAN.seats, "cancelled", motive="AUTRE", ais=2, listed=True
    )


COUNTS = {("ais", "opco-2i", MONTH): 2}


def test_three_equal_counts_are_clean() -> None:
    found = judge_counts(COUNTS, COUNTS, COUNTS)
    assert found.violations == () and found.checked == 1


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("planted", [{}, {("ais", "opco-2i", MONTH): 3}, {**COUNTS, ("aes", "akto", MONTH): 1}])
def test_a_count_that_differs_from_the_others_is_found(which: int, planted: dict[tuple[str, str, str], int]) -> None:
    counts = [COUNTS, COUNTS, COUNTS]
    counts[which] = planted
    running, databases, log = counts
    assert len(judge_counts(running, databases, log).violations) == 1


def test_an_opco_held_by_a_dead_letter_is_left_to_people_in_analytics_only() -> None:
    assert judge_counts({}, COUNTS, COUNTS, {"opco-2i"}).violations == ()
    assert len(judge_counts(COUNTS, {}, COUNTS, {"opco-2i"}).violations) == 1


def test_counts_that_the_log_does_not_rebuild_are_found() -> None:
    assert judge_rebuilt("counts", {"a": 1}, {"a": 1}).violations == ()
    assert len(judge_rebuilt("counts", {"a": 1}, {"a": 2}).violations) == 2


def test_facts_are_told_only_of_fiches_that_were_submitted() -> None:
    assert told(AVIS, VALIDATED) == {}
    assert replace(told(SUBMITTED)[str(FICHE)], sessions={}) == FicheFacts("opco-2i", str(PLAN.start))
