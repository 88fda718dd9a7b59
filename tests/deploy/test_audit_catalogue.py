"""I6 and the catalogue of I19: what stands in the catalogue, on clean evidence and with one thing planted each."""

import datetime as dt
import random
from dataclasses import replace
from uuid import uuid4

import pytest

from deploy.audit.chronicle import CatalogueLine, Chronicle
from deploy.audit.i06_catalogue_is_what_is_validated import (
    Shown,
    Truth,
    judge_seats,
    judge_sets,
    judge_topic,
    truths_of,
)
from deploy.audit.log import LogRecord, Place
from deploy.audit.rebuilt import Line, catalogue_of, differences
from shared.contracts.events import Event
from shared.contracts.fiche import fiche_id, session_id
from shared.contracts.publication import AisCancelled, AisRecorded, CatalogueEntry, SessionPublished
from shared.contracts.references import AvisKind, AvisReason, SessionMotive, WithdrawalReason
from shared.contracts.submission import (
    FicheSubmitted,
    FicheWithdrawn,
    ProgrammationConfirmed,
    SessionCancelled,
    SessionEngaged,
    SessionPostponed,
)
from shared.contracts.validation import AvisGiven, AvisLapsed, DossierOpened, FicheValidated
from tests.deploy.audit_log import SmallLog
from tests.support.fiches import golden_content

FICHE = fiche_id("opco-2i", "2I-1")
SESSION = session_id(FICHE, 1)
CONTENT = golden_content()
PLAN = CONTENT.sessions[0]
WHOSE = {"fiche_id": FICHE, "opco": "opco-2i", "revision": 1}
PLACE = {"session_id": SESSION, "fiche_id": FICHE, "opco": "opco-2i"}

SUBMITTED = FicheSubmitted(**WHOSE, reference="2I-1", content=CONTENT)
OPENED = DossierOpened(**WHOSE, avis_due_on=dt.date(2021, 3, 16))
AVIS = AvisGiven(**WHOSE, avis=AvisKind.COMPLEMENTAIRE, reasons=(), comment="")
DAY = dt.date(2021, 3, 2)
VALIDATED = FicheValidated(**WHOSE, reference="PE-1", validated_on=DAY, validated_by="PE", against_avis=False)
CONFIRMED = ProgrammationConfirmed(**WHOSE, content=CONTENT)
PUBLISHED = SessionPublished(**PLACE, reference="PE-1", start=PLAN.start, end=PLAN.end, seats=PLAN.seats)
ENTRY = CatalogueEntry(
    **PLACE, number=1, status="published", reference="PE-1", validated_on=DAY, validated_by="PE", content=CONTENT
)
LAPSED = AvisLapsed(**WHOSE, avis_revision=1, reasons=(AvisReason.CALENDRIER,), was_validated=True)
WITHDRAWN = FicheWithdrawn(**WHOSE, reason=WithdrawalReason.AUTRE)
CANCELLED = SessionCancelled(**WHOSE, session_id=SESSION, number=1, motive=SessionMotive.AUTRE, fiche_cancelled=True)
STORY: tuple[Event, ...] = (SUBMITTED, OPENED, AVIS, VALIDATED, CONFIRMED, PUBLISHED, ENTRY)

TRUTH = Truth(SESSION, FICHE, "confirmed", "validated", ever=True, confirmed=True, stands=True)
SHOWN = Shown(SESSION, FICHE, "opco-2i", "published", 12, 3, "PE-1")


def told(*events: Event) -> Chronicle:
    chronicle = Chronicle()
    SmallLog().say(*events).read(chronicle)
    return chronicle


def test_a_validated_and_confirmed_session_recruits() -> None:
    found = judge_sets([TRUTH], [SHOWN])
    assert found.violations == () and found.checked == 1
    assert judge_sets([TRUTH], [replace(SHOWN, status="full")]).violations == ()


@pytest.mark.parametrize(
    "truth",
    [
        replace(TRUTH, dossier_status="avis_lapsed"),
        replace(TRUTH, fiche_status="withdrawn", dossier_status="closed"),
        replace(TRUTH, confirmed=False),
        replace(TRUTH, stands=False),
        replace(TRUTH, ever=False, dossier_status="open"),
    ],
)
def test_a_session_that_recruits_and_may_not_is_found(truth: Truth) -> None:
    assert len(judge_sets([truth], [SHOWN]).violations) == 1


def test_a_session_missing_from_the_catalogue_is_found() -> None:
    assert "must be recruiting" in judge_sets([TRUTH], []).violations[0]


def test_a_session_in_the_catalogue_that_nobody_submitted_is_found() -> None:
    assert "must be out" in judge_sets([], [SHOWN]).violations[0]


def test_a_fiche_held_by_a_dead_letter_is_left_to_people() -> None:
    assert judge_sets([TRUTH], [], {str(FICHE)}).violations == ()


def test_a_session_is_full_exactly_when_its_seats_are_taken() -> None:
    assert judge_seats([SHOWN, replace(SHOWN, status="full", ais=12)]).violations == ()
    assert len(judge_seats([replace(SHOWN, ais=12), replace(SHOWN, status="full")]).violations) == 2


def test_the_topic_says_what_the_table_says() -> None:
    assert judge_topic([SHOWN], told(*STORY).catalogue).violations == ()
    assert judge_topic([replace(SHOWN, status="removed")], {}).violations == ()


@pytest.mark.parametrize("shown", [[], [replace(SHOWN, status="suspended")], [replace(SHOWN, reference="PE-2")]])
def test_a_topic_that_says_something_else_is_found(shown: list[Shown]) -> None:
    assert len(judge_topic(shown, told(*STORY).catalogue).violations) == 1


def test_a_tombstone_that_is_missing_is_found() -> None:
    stale = {str(SESSION): CatalogueLine(str(FICHE), "opco-2i", "published", "PE-1")}
    assert "in the database as nothing" in judge_topic([replace(SHOWN, status="removed")], stale).violations[0]
    chronicle = Chronicle()
    SmallLog().say(ENTRY).forget(ENTRY.topic, ENTRY.key).read(chronicle)
    assert chronicle.catalogue == {}


def test_truths_come_from_the_rows_of_the_two_services() -> None:
    row = {
        "id": FICHE,
        "status": "confirmed",
        "confirmed": True,
        "planned": "[1, 2]",
        "states": '{"2": "cancelled", "3": "planned"}',
    }
    truths = truths_of([row], [{"id": FICHE, "status": "validated", "ever": True}])
    assert [(truth.due()) for truth in truths] == ["recruiting", "out", "out"]
    assert [truth.due() for truth in truths_of([row], [])] == ["out", "out", "out"]


def line(**changes: object) -> dict[str, Line]:
    clean = Line(
        str(SESSION), str(FICHE), "opco-2i", 1, "published", "PE-1", str(PLAN.start), str(PLAN.end), PLAN.seats, 0, 0
    )
    return {str(SESSION): replace(clean, **changes)}  # type: ignore[arg-type]  # names of the line's fields


def test_the_log_rebuilds_the_catalogue() -> None:
    assert catalogue_of(told(*STORY)) == line()
    assert differences(catalogue_of(told(*STORY)), line()) == []


@pytest.mark.parametrize(
    ("events", "status"),
    [((LAPSED,), "suspended"), ((LAPSED, AVIS), "suspended"), ((WITHDRAWN,), "removed"), ((CANCELLED,), "removed")],
)
def test_the_rebuilt_status_follows_the_last_word(events: tuple[Event, ...], status: str) -> None:
    assert catalogue_of(told(*STORY, *events)) == line(status=status)


def test_a_validation_anew_ends_a_lapse() -> None:
    again = VALIDATED.model_copy(update={"reference": "PE-2"})
    assert catalogue_of(told(*STORY, LAPSED, AVIS, again)) == line(reference="PE-2")


def test_a_fiche_never_validated_has_no_line() -> None:
    assert catalogue_of(told(SUBMITTED, OPENED, AVIS)) == {}


def test_ais_are_counted_net_and_fill_the_session() -> None:
    ids = [uuid4() for _ in range(PLAN.seats)]
    recorded: list[Event] = [AisRecorded(**PLACE, ais_id=one, recorded_on=DAY, net=n) for n, one in enumerate(ids, 1)]
    assert catalogue_of(told(*STORY, *recorded)) == line(status="full", ais=PLAN.seats)
    cancelled = AisCancelled(**PLACE, ais_id=ids[0], net=PLAN.seats - 1)
    assert catalogue_of(told(*STORY, *recorded, cancelled)) == line(ais=PLAN.seats - 1)


def test_duplicates_and_disorder_rebuild_the_same() -> None:
    moved = SessionPostponed(
        **{**WHOSE, "revision": 2},
        session_id=SESSION,
        number=1,
        start=PLAN.start + dt.timedelta(5),
        end=PLAN.end,
        shift_days=5,
        motive=SessionMotive.AUTRE,
        content=CONTENT,
    )
    engaged = SessionEngaged(
        **WHOSE, session_id=SESSION, number=1, start=PLAN.start, end=PLAN.end, seats=PLAN.seats, hours=399, committed=1
    )
    log = SmallLog().say(*STORY, engaged, moved, LAPSED)
    in_order = Chronicle()
    log.read(in_order)
    shuffled = [*log.records, *log.records]
    random.Random(7).shuffle(shuffled)
    # The catalogue topic is left out: it is folded in the order of the log, which is one partition's.
    log.records = [record for record in shuffled if record.place.topic != ENTRY.topic]
    other = Chronicle()
    log.read(other)
    assert (other.fiches, other.dossiers, other.sessions) == (in_order.fiches, in_order.dossiers, in_order.sessions)
    assert other.fiches[str(FICHE)].sessions[1].state == "postponed"


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (b"garbage", str(FICHE)),
        (b"{}", str(FICHE)),
        (b'{"fiche_id": 1}', str(FICHE)),
        (None, str(FICHE)),
        (WITHDRAWN.model_dump_json().encode(), str(uuid4())),
    ],
    ids=["no JSON", "no member", "no identifier", "no value", "another fiche's key"],
)
def test_poison_that_claims_a_place_does_not_keep_the_real_event_from_it(value: bytes | None, key: str) -> None:
    log = SmallLog().say(*STORY)
    headers: dict[str, bytes | None] = {"ce_type": WITHDRAWN.wire_type.encode(), "ce_sequence": b"3", "ce_id": b"x"}
    log.records.insert(0, LogRecord(Place(WITHDRAWN.topic, 0, 99), key.encode(), headers, value))
    chronicle = Chronicle()
    log.say(WITHDRAWN).read(chronicle)
    assert catalogue_of(chronicle) == line(status="removed")


@pytest.mark.parametrize("planted", [{}, line(ais=1), line(status="full"), {**line(), "another": line()[str(SESSION)]}])
def test_a_table_that_the_log_does_not_rebuild_is_found(planted: dict[str, Line]) -> None:
    assert differences(catalogue_of(told(*STORY)), planted)
