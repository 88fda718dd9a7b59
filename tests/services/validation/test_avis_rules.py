"""The avis: its rules, and when it lapses. Boundaries first."""

import datetime as dt

import pytest

from services.validation.domain.avis import AskedAvis, correct_avis, departures, give_avis
from services.validation.domain.dossier import Dossier, Outcome, Status, bound_to
from services.validation.domain.hearing import Limits, cancel_session, decline_adaptation, open_dossier, take_content
from shared.contracts.fiche import FicheContent
from shared.contracts.references import AvisKind, AvisReason
from shared.contracts.validation import AvisGiven, AvisLapsed
from shared.errors import NotAllowedNow, RulesRefused
from tests.services.validation import dossiers as d


def codes(dossier: Dossier, asked: AskedAvis) -> list[str]:
    with pytest.raises(RulesRefused) as refused:
        give_avis(dossier, asked, d.AGENT, d.NOON)
    return [objection.code for objection in refused.value.objections]


def left(given_on: FicheContent, now: FicheContent) -> tuple[AvisReason, ...]:
    """Return in what a content has left another one, at the threshold of 30 days."""
    return departures(bound_to(given_on), bound_to(now), 30)


@pytest.mark.parametrize("days", [-30, -1, 0, 1, 30])
def test_a_start_moved_by_up_to_30_days_keeps_the_avis(days: int) -> None:
    assert left(d.content(), d.moved(days)) == ()


@pytest.mark.parametrize("days", [-31, 31, 60, 90])
def test_a_start_moved_by_31_days_or_more_makes_the_avis_lapse(days: int) -> None:
    assert left(d.content(), d.moved(days)) == (AvisReason.CALENDRIER,)


def test_the_threshold_is_a_setting() -> None:
    assert departures(bound_to(d.content()), bound_to(d.moved(31)), 31) == ()
    assert departures(bound_to(d.content()), bound_to(d.moved(1)), 0) == (AvisReason.CALENDRIER,)


def test_small_moves_add_up_because_they_are_measured_from_the_avis() -> None:
    after_20, events = take_content(d.with_avis(), 2, d.moved(20), d.LIMITS)
    assert (after_20.status, events) == (Status.AVIS_GIVEN, ())
    after_40, events = take_content(after_20, 3, d.moved(40), d.LIMITS)
    assert after_40.status is Status.AVIS_LAPSED
    assert isinstance(events[0], AvisLapsed)
    assert events[0].avis_revision == 1


def test_a_move_there_and_back_keeps_the_avis() -> None:
    there = d.state(take_content(d.with_avis(), 2, d.moved(30), d.LIMITS))
    back, events = take_content(there, 3, d.moved(-30), d.LIMITS)
    assert (back.status, events) == (Status.AVIS_GIVEN, ())


def test_any_session_that_moves_too_far_makes_the_avis_lapse() -> None:
    autumn = dt.date(2018, 9, 3)
    given_on = d.content([d.START, autumn])
    assert left(given_on, d.content([d.START, autumn + dt.timedelta(days=30)])) == ()
    assert left(given_on, d.content([d.START, autumn + dt.timedelta(days=31)])) == (AvisReason.CALENDRIER,)


def test_an_added_session_is_measured_from_the_nearest_start_the_avis_knew() -> None:
    given_on = d.content()
    assert left(given_on, d.content([d.START, d.START + dt.timedelta(days=30)])) == ()
    assert left(given_on, d.content([d.START, d.START + dt.timedelta(days=31)])) == (AvisReason.CALENDRIER,)


def test_a_session_that_is_gone_competes_with_nothing() -> None:
    given_on = d.content([d.START, dt.date(2018, 9, 3)])
    assert left(given_on, d.content()) == ()


def test_another_commune_makes_the_avis_lapse_even_in_the_same_zone() -> None:
    content = d.content(place=d.elsewhere(insee="50218"))
    assert left(d.content(), content) == (AvisReason.LIEU,)


def test_another_employment_zone_makes_the_avis_lapse() -> None:
    content = d.content(place=d.elsewhere(zone_emploi="2804"))
    assert left(d.content(), content) == (AvisReason.LIEU,)


def test_another_main_formacode_makes_the_avis_lapse_and_another_secondary_one_does_not() -> None:
    given_on = d.content(formacodes=("23053", "23083"))
    assert left(given_on, d.content(formacodes=("23053", "42752"))) == ()
    assert left(given_on, d.content(formacodes=("23083", "23053"))) == (AvisReason.DOMAINE,)


def test_all_departures_are_said_together() -> None:
    content = d.content([d.START + dt.timedelta(days=60)], place=d.elsewhere(insee="14118"), formacodes=("42752",))
    expected = (AvisReason.CALENDRIER, AvisReason.LIEU, AvisReason.DOMAINE)
    assert left(d.content(), content) == expected


def test_a_new_revision_below_the_thresholds_is_taken_silently_and_the_avis_keeps_its_own() -> None:
    dossier, events = take_content(d.with_avis(), 2, d.moved(30), d.LIMITS)
    assert dossier.avis is not None
    assert (dossier.revision, dossier.avis.revision, dossier.avis.lapsed, events) == (2, 1, False, ())


def test_a_cancelled_session_competes_with_nothing_any_more() -> None:
    two = [d.START, d.START + dt.timedelta(days=90)]
    opened = d.state(open_dossier(d.submitted(what=d.content(two)), d.NOON, d.LIMITS))
    given = d.state(give_avis(opened, d.PLAIN, d.AGENT, d.NOON))
    cancelled = d.state(cancel_session(given, 2, fiche_cancelled=False))
    moved = d.content([d.START, d.START + dt.timedelta(days=180)])
    assert d.state(take_content(cancelled, 2, moved, d.LIMITS)).status is Status.AVIS_GIVEN
    assert d.state(take_content(given, 2, moved, d.LIMITS)).status is Status.AVIS_LAPSED


def test_a_lapsed_avis_does_not_lapse_twice() -> None:
    dossier, events = take_content(d.with_lapsed_avis(), 3, d.moved(90), d.LIMITS)
    assert (dossier.status, events) == (Status.AVIS_LAPSED, ())


def test_going_back_does_not_revive_a_lapsed_avis() -> None:
    dossier, events = take_content(d.with_lapsed_avis(), 3, d.moved(0), d.LIMITS)
    assert (dossier.status, events) == (Status.AVIS_LAPSED, ())


def test_a_new_avis_after_a_lapse_is_bound_to_the_new_dates() -> None:
    dossier, _ = give_avis(d.with_lapsed_avis(), d.PLAIN, d.AGENT, d.NOON)
    dossier, events = take_content(dossier, 3, d.moved(61), d.LIMITS)
    assert (dossier.status, events) == (Status.AVIS_GIVEN, ())


def test_complementaire_needs_nothing_more() -> None:
    dossier, events = give_avis(d.an_open_dossier(), d.PLAIN, d.AGENT, d.NOON)
    assert dossier.status is Status.AVIS_GIVEN
    assert events == (
        AvisGiven(fiche_id=d.FICHE, opco=d.OPCO, revision=1, avis=AvisKind.COMPLEMENTAIRE, reasons=(), comment=""),
    )


def test_complementaire_takes_no_reason() -> None:
    asked = AskedAvis(AvisKind.COMPLEMENTAIRE, (AvisReason.LIEU,))
    assert codes(d.an_open_dossier(), asked) == ["AVIS_REASONS_UNNEEDED"]


def test_sous_adaptation_needs_a_reason() -> None:
    asked = AskedAvis(AvisKind.COMPLEMENTAIRE_SOUS_ADAPTATION)
    assert codes(d.an_open_dossier(), asked) == ["AVIS_REASONS_MISSING"]


def test_concurrent_needs_a_reason_a_comment_and_a_committed_prf_session_all_said_together() -> None:
    asked = AskedAvis(AvisKind.CONCURRENT, comment="  ")
    expected = ["AVIS_REASONS_MISSING", "AVIS_COMMENT_MISSING", "AVIS_NOT_COMMITTED"]
    assert codes(d.an_open_dossier(), asked) == expected


def test_repeated_reasons_are_kept_once() -> None:
    twice = (AvisReason.LIEU, AvisReason.LIEU, AvisReason.SOURCING)
    asked = AskedAvis(AvisKind.COMPLEMENTAIRE_SOUS_ADAPTATION, twice)
    dossier, _ = give_avis(d.an_open_dossier(), asked, d.AGENT, d.NOON)
    assert dossier.avis is not None
    assert dossier.avis.reasons == (AvisReason.LIEU, AvisReason.SOURCING)


def declined() -> Dossier:
    return d.state(decline_adaptation(d.with_adaptation_proposed(), "Dates du marché."))


def test_after_a_declined_adaptation_a_plain_yes_is_refused() -> None:
    assert codes(declined(), d.PLAIN) == ["AVIS_AFTER_DECLINE"]


def test_after_a_declined_adaptation_concurrent_needs_a_committed_prf_session() -> None:
    asked = AskedAvis(AvisKind.CONCURRENT, (AvisReason.LIEU,), "Même lieu.", prf_committed=False)
    assert codes(declined(), asked) == ["AVIS_NOT_COMMITTED"]
    assert d.state(give_avis(declined(), d.COMPETING, d.AGENT, d.NOON)).status is Status.AVIS_GIVEN


def test_after_a_declined_adaptation_sous_adaptation_stands_with_the_refusal_recorded() -> None:
    dossier, _ = give_avis(declined(), d.RESERVED, d.AGENT, d.NOON)
    assert dossier.status is Status.AVIS_GIVEN
    assert dossier.proposal is not None
    assert (dossier.proposal.outcome, dossier.proposal.answer) == (Outcome.DECLINED, "Dates du marché.")


def test_a_content_changed_after_the_decline_may_be_complementaire_again() -> None:
    dossier = d.state(take_content(declined(), 2, d.moved(10), d.LIMITS))
    assert d.state(give_avis(dossier, d.PLAIN, d.AGENT, d.NOON)).status is Status.AVIS_GIVEN


def test_a_correction_is_a_new_avis_and_both_authors_are_remembered() -> None:
    dossier, events = correct_avis(d.with_avis(), d.RESERVED, d.OTHER_AGENT, d.NOON)
    assert isinstance(events[0], AvisGiven)
    assert events[0].corrects
    assert dossier.advisers == (d.AGENT, d.OTHER_AGENT)


def test_a_correction_obeys_the_same_rules() -> None:
    with pytest.raises(RulesRefused):
        correct_avis(d.with_avis(), AskedAvis(AvisKind.CONCURRENT), d.AGENT, d.NOON)


@pytest.mark.parametrize(("days", "possible"), [(10, False), (11, True)])
def test_an_unanswered_adaptation_frees_the_avis_the_day_after_it_expires(days: int, possible: bool) -> None:
    when = d.NOON + dt.timedelta(days=days)
    if possible:
        assert d.state(give_avis(d.with_adaptation_proposed(), d.PLAIN, d.AGENT, when)).status is Status.AVIS_GIVEN
    else:
        with pytest.raises(NotAllowedNow, match="ADAPTATION_PENDING"):
            give_avis(d.with_adaptation_proposed(), d.PLAIN, d.AGENT, when)


@pytest.mark.parametrize(("days", "due"), [(15, dt.date(2018, 1, 30)), (1, dt.date(2018, 1, 16))])
def test_the_avis_is_due_a_number_of_civil_days_after_the_opening(days: int, due: dt.date) -> None:
    assert d.state(open_dossier(d.submitted(), d.NOON, Limits(avis_days=days))).avis_due_on == due


def test_the_day_of_the_opening_is_the_one_in_normandie() -> None:
    late = dt.datetime(2018, 1, 15, 23, 30, tzinfo=dt.UTC)
    assert d.state(open_dossier(d.submitted(), late, d.LIMITS)).avis_due_on == dt.date(2018, 1, 31)
