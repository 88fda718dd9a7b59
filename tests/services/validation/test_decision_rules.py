"""Pôle emploi's decision, the Région's proposals, and requests for completion. Boundaries first."""

import datetime as dt
import re
from uuid import UUID, uuid5

import pytest

from services.validation.domain.adaptation import AskedAdaptation, propose_adaptation
from services.validation.domain.avis import give_avis
from services.validation.domain.completion import ask_completion
from services.validation.domain.dates import decider_label
from services.validation.domain.decision import (
    AskedRefusal,
    at_revision,
    refuse_fiche,
    validate_fiche,
    validation_reference,
)
from services.validation.domain.dossier import CHANGES_KEPT, Status
from services.validation.domain.hearing import cancel_session, take_content
from shared.contracts.fiche import POEC_NAMESPACE
from shared.contracts.references import AvisReason, RefusalReason
from shared.contracts.validation import (
    Adaptation,
    AvisLapsed,
    CompletionItem,
    FicheRefused,
    FicheValidated,
    ProposedSession,
)
from shared.errors import NotAllowedNow, RulesRefused, Stale
from tests.services.validation import dossiers as d


def proposal_codes(asked: AskedAdaptation) -> list[str]:
    with pytest.raises(RulesRefused) as refused:
        propose_adaptation(d.an_open_dossier(), asked, d.NOON)
    return [objection.code for objection in refused.value.objections]


def test_the_name_changes_on_1_january_2024() -> None:
    assert decider_label(dt.date(2023, 12, 31)) == "Pôle emploi"
    assert decider_label(dt.date(2024, 1, 1)) == "France Travail"


@pytest.mark.parametrize(("utc_hour", "label", "year"), [(22, "Pôle emploi", "2023"), (23, "France Travail", "2024")])
def test_a_validation_bears_the_name_and_year_of_its_civil_date_in_normandie(
    utc_hour: int, label: str, year: str
) -> None:
    when = dt.datetime(2023, 12, 31, utc_hour, 30, tzinfo=dt.UTC)
    _, (event,) = validate_fiche(d.with_avis(), None, when)
    assert isinstance(event, FicheValidated)
    assert event.validated_by == label
    assert event.reference.startswith(f"PE-28-{year}-")


def test_a_reference_is_the_same_for_the_same_fiche_and_revision_and_readable_on_paper() -> None:
    on = dt.date(2021, 3, 1)
    reference = validation_reference(d.FICHE, 1, on)
    assert reference == validation_reference(d.FICHE, 1, on)
    assert re.fullmatch(r"PE-28-2021-[0-9A-HJKMNP-TV-Z]{8}", reference)


def test_references_of_many_fiches_and_revisions_differ() -> None:
    fiches = [uuid5(POEC_NAMESPACE, str(n)) for n in range(2_000)]
    references = {validation_reference(fiche, n, d.TODAY) for fiche in fiches for n in (1, 2, 3)}
    assert len(references) == 6_000


def test_a_reference_stays_what_it_was_when_this_was_written() -> None:
    fiche = UUID("00000000-0000-0000-0000-000000000001")
    assert validation_reference(fiche, 1, dt.date(2021, 3, 1)) == "PE-28-2021-NCCHF31W"


@pytest.mark.parametrize("status", [Status.OPEN, Status.AVIS_LAPSED, Status.ADAPTATION_PROPOSED])
def test_nothing_is_validated_before_an_avis_that_holds(status: Status) -> None:
    with pytest.raises(NotAllowedNow):
        validate_fiche(d.IN_STATUS[status](), "Besoin avéré.", d.NOON)


def test_a_validated_fiche_says_by_whom_when_and_under_which_reference() -> None:
    dossier, (event,) = validate_fiche(d.with_avis(), None, d.NOON)
    assert dossier.status is Status.VALIDATED
    assert event == FicheValidated(
        fiche_id=d.FICHE,
        opco=d.OPCO,
        revision=1,
        reference=validation_reference(d.FICHE, 1, d.TODAY),
        validated_on=d.TODAY,
        validated_by="Pôle emploi",
        against_avis=False,
    )


@pytest.mark.parametrize("reason", [None, "", "  "])
def test_against_concurrent_a_written_reason_is_needed(reason: str | None) -> None:
    with pytest.raises(RulesRefused, match="AGAINST_AVIS_REASON_MISSING"):
        validate_fiche(d.with_avis(d.COMPETING), reason, d.NOON)


def test_against_concurrent_with_a_reason_the_validation_says_so() -> None:
    _, (event,) = validate_fiche(d.with_avis(d.COMPETING), "Trente postes à pourvoir.", d.NOON)
    assert isinstance(event, FicheValidated)
    assert (event.against_avis, event.reason) == (True, "Trente postes à pourvoir.")


def test_sous_adaptation_is_not_against_the_avis() -> None:
    _, (event,) = validate_fiche(d.with_avis(d.RESERVED), None, d.NOON)
    assert isinstance(event, FicheValidated)
    assert not event.against_avis


def test_a_refusal_needs_codes_and_words_said_together() -> None:
    with pytest.raises(RulesRefused) as refused:
        refuse_fiche(d.with_avis(), AskedRefusal((), " "), d.NOON)
    codes = [objection.code for objection in refused.value.objections]
    assert codes == ["REFUSAL_REASONS_MISSING", "REFUSAL_COMMENT_MISSING"]


def test_a_refusal_is_final_and_coded() -> None:
    dossier, (event,) = refuse_fiche(d.with_avis(), d.NO, d.NOON)
    assert dossier.status is Status.REFUSED
    assert isinstance(event, FicheRefused)
    assert event.reasons == (RefusalReason.HORS_CADRE_POEC,)


def test_a_validated_fiche_moved_by_31_days_loses_its_avis_and_its_validation() -> None:
    dossier, (event,) = take_content(d.validated(), 2, d.moved(31), d.LIMITS)
    assert isinstance(event, AvisLapsed)
    assert (event.was_validated, event.reasons) == (True, (AvisReason.CALENDRIER,))
    assert (dossier.status, dossier.validation, len(dossier.past_validations)) == (Status.AVIS_LAPSED, None, 1)


def test_a_validated_fiche_moved_by_30_days_stays_validated() -> None:
    dossier, events = take_content(d.validated(), 2, d.moved(30), d.LIMITS)
    assert (dossier.status, dossier.revision, events) == (Status.VALIDATED, 2, ())


def test_a_lapsed_validation_needs_a_new_avis_and_a_new_validation_with_a_new_reference() -> None:
    lapsed = d.state(take_content(d.validated(), 2, d.moved(31), d.LIMITS))
    with pytest.raises(NotAllowedNow):
        validate_fiche(lapsed, None, d.NOON)
    again = d.state(give_avis(lapsed, d.PLAIN, d.AGENT, d.NOON))
    assert again.status is Status.AVIS_GIVEN
    dossier = d.state(validate_fiche(again, None, d.NOON))
    assert dossier.validation is not None
    assert dossier.validation.reference != dossier.past_validations[0].reference


def test_a_decision_on_the_revision_read_passes() -> None:
    at_revision(d.with_avis(), 1)


def test_a_stale_decision_is_told_what_changed_since() -> None:
    second = d.state(take_content(d.with_avis(), 2, d.moved(10), d.LIMITS))
    third = d.state(take_content(second, 3, d.content(place=d.elsewhere(insee="14118")), d.LIMITS))
    with pytest.raises(Stale) as stale:
        at_revision(third, 1)
    assert stale.value.objections[0].facts == {"revision": 3, "changed": "place,sessions"}


def test_a_decision_on_a_revision_not_heard_of_yet_is_told_so() -> None:
    with pytest.raises(Stale, match="REVISION_UNKNOWN"):
        at_revision(d.with_avis(), 2)


def test_a_reader_too_far_behind_is_told_to_read_all_again() -> None:
    dossier = d.an_open_dossier()
    for n in range(CHANGES_KEPT + 1):
        dossier = d.state(take_content(dossier, n + 2, d.moved(n % 2), d.LIMITS))
    with pytest.raises(Stale) as stale:
        at_revision(dossier, 1)
    assert stale.value.objections[0].facts["changed"] is None
    assert len(dossier.changes) == CHANGES_KEPT


@pytest.mark.parametrize(("days", "good"), [(0, False), (1, True)])
def test_an_adaptation_expires_tomorrow_at_the_earliest(days: int, good: bool) -> None:
    asked = d.an_adaptation(expires_on=d.TODAY + dt.timedelta(days=days))
    if good:
        assert d.state(propose_adaptation(d.an_open_dossier(), asked, d.NOON)).status is Status.ADAPTATION_PROPOSED
    else:
        assert proposal_codes(asked) == ["ADAPTATION_EXPIRY"]


def test_an_adaptation_changes_something() -> None:
    nothing = AskedAdaptation(Adaptation(), (AvisReason.LIEU,), "", d.TODAY + dt.timedelta(days=1))
    assert proposal_codes(nothing) == ["ADAPTATION_EMPTY"]
    assert proposal_codes(d.an_adaptation(days=0)) == ["ADAPTATION_EMPTY"]


def test_an_adaptation_of_the_place_alone_is_one() -> None:
    adaptation = Adaptation(place=d.elsewhere(insee="14118", zone_emploi="2804"))
    asked = AskedAdaptation(adaptation, (AvisReason.LIEU,), "", d.TODAY + dt.timedelta(days=1))
    assert d.state(propose_adaptation(d.an_open_dossier(), asked, d.NOON)).proposal is not None


def test_an_adaptation_stays_in_normandie() -> None:
    adaptation = Adaptation(place=d.elsewhere(insee="75056", zone_emploi="1109"))
    asked = AskedAdaptation(adaptation, (AvisReason.LIEU,), "", d.TODAY + dt.timedelta(days=1))
    assert proposal_codes(asked) == ["ADAPTATION_PLACE"]


def test_a_cancelled_session_is_not_moved() -> None:
    dossier = d.state(cancel_session(d.an_open_dossier(), 1, fiche_cancelled=False))
    with pytest.raises(RulesRefused, match="ADAPTATION_SESSIONS"):
        propose_adaptation(dossier, d.an_adaptation(), d.NOON)


def test_all_that_is_wrong_with_an_adaptation_is_said_together() -> None:
    past = ProposedSession(number=9, start=d.TODAY, end=d.TODAY)
    asked = AskedAdaptation(Adaptation(sessions=(past, past)), (), "", d.TODAY)
    expected = ["ADAPTATION_SESSIONS", "ADAPTATION_DATES", "ADAPTATION_REASONS_MISSING", "ADAPTATION_EXPIRY"]
    assert proposal_codes(asked) == expected


def test_a_completion_names_fields_of_the_fiche() -> None:
    items = (*d.ITEMS, CompletionItem(field="colour", request="Précisez."))
    with pytest.raises(RulesRefused) as refused:
        ask_completion(d.an_open_dossier(), items)
    (objection,) = refused.value.objections
    assert (objection.code, objection.field) == ("COMPLETION_FIELD_UNKNOWN", "items.1.field")
    assert "colour" not in objection.message


def test_a_completion_asks_for_something() -> None:
    with pytest.raises(RulesRefused, match="COMPLETION_EMPTY"):
        ask_completion(d.an_open_dossier(), ())
