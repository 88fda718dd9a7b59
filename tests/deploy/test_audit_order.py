"""I3, I4 and I5: transitions, decisions and what waits, on clean evidence and with one thing planted each."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from deploy.audit.chronicle import Dossier, Listed
from deploy.audit.i03_nothing_waits import Held, Waiting, apart, gaps, lagging, still
from deploy.audit.i04_legal_transitions import Row, Said, Step, Trail
from deploy.audit.i05_avis_then_validation_then_catalogue import Step as DossierStep
from deploy.audit.i05_avis_then_validation_then_catalogue import judge_catalogue, judge_log, judge_trail
from deploy.audit.transitions import legal
from shared.contracts.flow import DOSSIERS, FICHES
from tests.support.heart import Heart

FICHE = UUID("11111111-1111-4111-8111-111111111111")
A = str(FICHE)


def test_a_fiche_and_its_dossier_that_agree_do_not_wait() -> None:
    assert apart({FICHE: "confirmed"}, {FICHE: "validated"}, Held()) == {}


@pytest.mark.parametrize(
    ("fiche", "dossier"), [("submitted", None), ("submitted", "validated"), (None, "open"), ("withdrawn", "open")]
)
def test_a_fiche_apart_from_its_dossier_waits(fiche: str | None, dossier: str | None) -> None:
    fiches, dossiers = ({FICHE: fiche} if fiche else {}), ({FICHE: dossier} if dossier else {})
    assert len(apart(fiches, dossiers, Held())) == 1


def test_a_fiche_held_by_a_dead_letter_waits_on_people() -> None:
    held = Held({("validation", FICHES): frozenset({A})})
    assert apart({FICHE: "submitted"}, {}, held) == {}


async def test_what_is_parked_waits_unless_an_open_dead_letter_holds_its_key(heart: Heart) -> None:
    held, elsewhere, settled, harmless, free = "é\\held", "elsewhere", "settled", "harmless", "free"
    letters = [
        (FICHES, held, "dead", True),
        (DOSSIERS, elsewhere, "dead", True),
        (FICHES, settled, "discarded", True),
        (FICHES, harmless, "dead", False),
    ]
    async with heart.database.connection() as connection, connection.transaction():
        await connection.execute("SET LOCAL poec.tenant = '*'")
        for topic, key, state, parks in letters:
            await connection.execute(
                "INSERT INTO dead_letter (id, topic, kafka_partition, kafka_offset, key, code, detail, headers, state, parks)"
                " VALUES ($1, $2, 0, 0, $3, 'X', 'x', '[]', $4, $5)",
                *(uuid4(), topic, key.encode(), state, parks),
            )
        for key in (held, elsewhere, settled, harmless, free):
            for reason in ("gap", "dead_letter"):
                await connection.execute(
                    "INSERT INTO parked (topic, key, sequence, event_id, kafka_partition, kafka_offset, headers, reason)"
                    " VALUES ($1, $2, 2, $3, 0, 1, '[]', $3)",
                    *(FICHES, key, reason),
                )
        waiting = await gaps("validation", connection)
    assert {(key[3], key[4]) for key in waiting} == {
        (key, reason) for key in (elsewhere, settled, harmless, free) for reason in ("gap", "dead_letter")
    }


def test_a_partition_read_to_its_end_does_not_wait() -> None:
    assert lagging("analytics", {(FICHES, 0): 5}, {(FICHES, 0): 5, (FICHES, 1): 0}) == {}
    assert len(lagging("analytics", {(FICHES, 0): 4}, {(FICHES, 0): 5})) == 1
    assert len(lagging("analytics", {}, {(FICHES, 0): 5})) == 1


def test_what_began_to_wait_later_is_not_asked_after() -> None:
    first: Waiting = {("outbox", "1"): "one"}
    later: Waiting = {("outbox", "2"): "two"}
    assert still(first, first | later) == first
    assert still(first, later) == {}


FILED = Step(A, 1, "submit_fiche", None, "submitted", 1)
ASKED = Step(A, 2, "completion_asked", "submitted", "to_complete", 1)
COMPLETED = Step(A, 3, "complete_fiche", "to_complete", "submitted", 2)


def walked(
    *steps: Step, service: str = "submission", row: Row | None = None, said: Said | None = None
) -> tuple[str, ...]:
    trail = Trail(service)
    for step in steps:
        trail.take(step)
    return trail.verdict({A: row} if row else {}, {A: said} if said else {}).violations


def test_a_legal_story_is_clean() -> None:
    assert walked(FILED, ASKED, COMPLETED, row=Row(3, 2, "submitted"), said=Said(2, 2, 0)) == ()


def test_an_illegal_transition_is_found() -> None:
    confirmed = Step(A, 2, "confirm_programmation", "submitted", "confirmed", 1)
    assert walked(FILED, confirmed) == (
        f"submission: {A}, version 2: confirm_programmation may not lead from submitted to confirmed",
    )


def test_a_version_that_is_missing_or_doubled_is_found() -> None:
    assert any("follows version 1" in found for found in walked(FILED, replace(ASKED, n=3)))
    assert any("follows version 2" in found for found in walked(FILED, ASKED, ASKED))


def test_a_transition_that_begins_elsewhere_is_found() -> None:
    assert any("the one before ended as submitted" in found for found in walked(FILED, COMPLETED))


def test_a_second_decision_on_one_revision_is_found() -> None:
    decided = Step(A, 1, "validate_fiche", "avis_given", "validated", 2)
    again = Step(A, 2, "refuse_fiche", "avis_given", "refused", 2)
    assert any("a second decision on revision 2" in found for found in walked(decided, again, service="validation"))
    later = replace(again, revision=3)
    assert not any("a second decision" in found for found in walked(decided, later, service="validation"))


def test_a_row_that_stands_elsewhere_than_its_trail_is_found() -> None:
    assert any(
        "stands as validated" in found for found in walked(FILED, row=Row(1, 1, "validated"), said=Said(1, 1, 0))
    )
    assert any("is at version 2" in found for found in walked(FILED, row=Row(2, 1, "submitted"), said=Said(1, 1, 0)))


@pytest.mark.parametrize("said", [Said(1, 1, 0), Said(2, 3, 0), Said(2, 2, 1), None])
def test_a_sequence_with_a_gap_is_found(said: Said | None) -> None:
    assert walked(FILED, row=Row(1, 2, "submitted"), said=said)


def test_a_dead_letters_trail_begins_with_its_death() -> None:
    replayed = Step("dead_letter/1", 1, "replay_dead_letter", "dead", "dead")
    assert walked(replayed, Step("dead_letter/1", 2, "replay_dead_letter", "dead", "replayed")) == ()
    assert walked(replayed, Step("dead_letter/1", 2, "discard_dead_letter", "dead", "replayed"))


@pytest.mark.parametrize(
    ("service", "action", "before", "after"),
    [
        ("validation", "validate_fiche", "open", "validated"),
        ("validation", "give_avis", "refused", "avis_given"),
        ("validation", "fiche_withdrawn", "refused", "closed"),
        ("validation", "fiche_amended", None, "open"),
        ("validation", "fiche_completed", "completion_asked", "completion_asked"),
        ("validation", "counter_proposed", "adaptation_proposed", "adaptation_proposed"),
        ("publication", "publish_session", "removed", "expected"),
        ("publication", "record_ais", "removed", "removed"),
        ("submission", "withdraw_fiche", "refused", "withdrawn"),
        ("submission", "invented", "submitted", "submitted"),
    ],
)
def test_what_the_names_do_not_allow_is_illegal(service: str, action: str, before: str | None, after: str) -> None:
    assert not legal(service, action, before, after)


AVIS = DossierStep(A, "give_avis", "avis_given")
LAPSE = DossierStep(A, "fiche_amended", "avis_lapsed")
YES = DossierStep(A, "validate_fiche", "validated", "PE-1")


def test_a_validation_after_an_avis_is_clean() -> None:
    found, references = judge_trail([AVIS, YES, LAPSE, AVIS, YES])
    assert found.violations == () and found.checked == 2 and references == {A: {"PE-1"}}


def test_a_validation_without_an_avis_is_found() -> None:
    assert "without an avis" in judge_trail([YES])[0].violations[0]
    assert "without an avis" in judge_trail([AVIS, LAPSE, YES])[0].violations[0]


def test_a_validation_without_a_reference_is_found() -> None:
    assert "without a reference" in judge_trail([AVIS, replace(YES, reference=None)])[0].violations[0]


def test_the_log_says_the_avis_before_the_validation() -> None:
    good = Dossier(
        A, "akto", steps=["dossier.opened.v1", "avis.given.v1", "fiche.validated.v1", "avis.lapsed.v1", "avis.given.v1"]
    )
    assert judge_log([good]).violations == ()
    assert judge_log([replace(good, steps=["dossier.opened.v1", "fiche.validated.v1"])]).violations
    assert judge_log([replace(good, steps=["avis.given.v1", "avis.lapsed.v1", "fiche.refused.v1"])]).violations


SESSION = Listed("s", A, "akto", references=["PE-1"])


def test_a_session_published_under_its_validation_is_clean() -> None:
    assert judge_catalogue([SESSION], [(A, "s")], {A: {"PE-1"}}, {A}).violations == ()


def test_a_session_published_under_an_invented_reference_is_found() -> None:
    assert "which no validation" in judge_catalogue([SESSION], [], {A: {"PE-2"}}, {A}).violations[0]


def test_a_session_published_before_validation_or_confirmation_is_found() -> None:
    assert "never validated" in judge_catalogue([], [(A, "s")], {}, {A}).violations[0]
    assert "never confirmed" in judge_catalogue([], [(A, "s")], {A: {"PE-1"}}, set()).violations[0]
