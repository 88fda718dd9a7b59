"""What is counted, in which month, and how a count is taken back."""

import pytest

from services.analytics.domain.counts import by_month, by_opco, by_quarter, contribution, differences, quarter_of, total
from services.analytics.domain.facts import FicheFact
from services.analytics.domain.measures import CANCELLED_FOR, DEFINITIONS, Measure
from shared.contracts.publication import SessionRemoved, SessionSuspended
from shared.contracts.references import AvisKind, PlacementMoment, SessionMotive
from shared.contracts.submission import AdaptationDeclined, FicheAmended, FicheCompleted
from shared.contracts.validation import Adaptation, AdaptationProposed, AvisLapsed, CompletionAsked
from tests.services.analytics.said import Counting, Speaker, content, day

FICHE = Speaker()
MARCH, JUNE = "2021-03-15", "2021-06-07"


def engaged(start: str = MARCH) -> Counting:
    """A fiche validated, its session engaged with nine AIS."""
    story = Counting().hear(FICHE.submitted(start), FICHE.validated(), FICHE.published(start))
    return story.hear(*(FICHE.ais(n) for n in range(1, 10)), FICHE.engaged(start))


def quarters(story: Counting, measure: Measure) -> dict[str, int]:
    return {quarter: value for quarter, value in by_quarter(story.counts, measure).items() if value}


def test_a_session_moved_from_march_to_june_leaves_march_and_the_first_quarter() -> None:
    story = engaged()
    assert (story.of(Measure.ENGAGED), quarters(story, Measure.ENGAGED)) == ({"2021-03": 1}, {"2021-T1": 1})
    story.hear(FICHE.postponed(MARCH, JUNE), FICHE.engaged(JUNE))
    assert (story.of(Measure.ENGAGED), quarters(story, Measure.ENGAGED)) == ({"2021-06": 1}, {"2021-T2": 1})
    assert story.of(Measure.AIS) == {"2021-06": 9}
    assert story.of(Measure.POSTPONED_WITHIN_YEAR) == {"2021-03": 1}
    assert story.of(Measure.VALIDATED) == {"2021-03": 1}


def test_what_is_meant_is_counted_apart_until_it_is_filed_or_dropped() -> None:
    story = Counting().hear(FICHE.preprogrammed(MARCH))
    assert story.counts == {("intended", "akto", "2021-03"): 1, ("intended_seats", "akto", "2021-03"): 12}
    story.hear(FICHE.preprogrammed(JUNE, seats=15))
    assert (story.of(Measure.INTENDED), story.of(Measure.INTENDED_SEATS)) == ({"2021-06": 1}, {"2021-06": 15})
    filed = Counting().hear(FICHE.preprogrammed(MARCH), FICHE.submitted(JUNE))
    assert filed.counts == Counting().hear(FICHE.submitted(JUNE)).counts
    assert story.hear(FICHE.dropped()).counts == {}


def test_what_became_of_a_group_is_counted_by_moment_and_a_later_return_takes_its_place() -> None:
    story = engaged().hear(FICHE.returned(PlacementMoment.FIN, 9, 7), FICHE.returned(PlacementMoment.TROIS_MOIS, 9, 8))
    assert (story.of(Measure.FINISHED_FIN), story.of(Measure.PLACED_FIN)) == ({"2021-03": 9}, {"2021-03": 7})
    story.hear(FICHE.returned(PlacementMoment.FIN, 8, 6))
    assert (story.of(Measure.FINISHED_FIN), story.of(Measure.PLACED_FIN)) == ({"2021-03": 8}, {"2021-03": 6})
    assert story.of(Measure.PLACED_TROIS_MOIS) == {"2021-03": 8}
    story.hear(FICHE.withdrawn())
    assert story.of(Measure.PLACED_TROIS_MOIS) == {}


def test_a_session_moved_from_30_june_to_4_july_leaves_the_second_quarter() -> None:
    story = engaged("2021-06-30").hear(FICHE.postponed("2021-06-30", "2021-07-04"), FICHE.engaged("2021-07-04"))
    assert quarters(story, Measure.ENGAGED) == {"2021-T3": 1}
    assert quarters(story, Measure.AIS) == {"2021-T3": 9}
    assert quarters(story, Measure.COMMITTED_CENTS) == {"2021-T3": 4_800_000}


def test_a_postponed_session_is_engaged_no_more_until_its_opco_says_go_again() -> None:
    story = engaged().hear(FICHE.postponed(MARCH, JUNE))
    assert story.of(Measure.ENGAGED) == story.of(Measure.HOURS) == {}
    assert story.of(Measure.PLANNED) == {"2021-06": 1}
    assert story.hear(FICHE.engaged(JUNE)).of(Measure.HOURS) == {"2021-06": 350}


def test_a_postponement_to_the_next_year_does_not_take_a_validated_project_away() -> None:
    story = engaged("2021-12-06").hear(FICHE.postponed("2021-12-06", "2022-01-10"))
    assert story.of(Measure.VALIDATED) == {"2021-12": 1}
    assert story.of(Measure.PLANNED) == {"2022-01": 1}
    assert story.of(Measure.POSTPONED_TO_NEXT_YEAR) == {"2021-12": 1}
    assert story.of(Measure.POSTPONED_WITHIN_YEAR) == {}


def test_a_session_postponed_twice_is_counted_once_where_it_first_was() -> None:
    story = engaged().hear(FICHE.postponed(MARCH, "2021-04-12"), FICHE.postponed("2021-04-12", JUNE))
    assert story.of(Measure.POSTPONED) == story.of(Measure.POSTPONED_WITHIN_YEAR) == {"2021-03": 1}


def test_a_session_postponed_within_its_month_changes_no_month() -> None:
    story = engaged().hear(FICHE.postponed(MARCH, "2021-03-22"))
    assert story.of(Measure.POSTPONED) == {"2021-03": 1}
    assert story.of(Measure.POSTPONED_WITHIN_YEAR) == {}


@pytest.mark.parametrize("motive", list(SessionMotive))
def test_a_session_cancelled_after_it_was_engaged_takes_its_counts_back(motive: SessionMotive) -> None:
    story = engaged().hear(FICHE.cancelled(motive))
    assert story.of(Measure.ENGAGED) == story.of(Measure.COMMITTED_CENTS) == story.of(Measure.PLANNED) == {}
    assert story.of(Measure.CANCELLED) == story.of(CANCELLED_FOR[motive]) == {"2021-03": 1}
    assert story.of(Measure.VALIDATED) == {"2021-03": 1}


def test_a_session_cancelled_before_any_validation_is_counted_apart() -> None:
    story = Counting().hear(FICHE.submitted(MARCH), FICHE.cancelled())
    assert story.of(Measure.CANCELLED) == {}
    assert story.of(Measure.CANCELLED_UNVALIDATED) == {"2021-03": 1}


def test_a_cancelled_ais_is_net_of_the_ais_and_counted_beside_them() -> None:
    story = engaged().hear(FICHE.ais_cancelled(8), FICHE.ais_cancelled(7), FICHE.ais(8))
    assert (story.of(Measure.AIS), story.of(Measure.AIS_CANCELLED)) == ({"2021-03": 8}, {"2021-03": 2})


def test_aes_never_add_to_ais() -> None:
    story = engaged().hear(FICHE.aes(1), FICHE.aes(2))
    assert (story.of(Measure.AIS), story.of(Measure.AES)) == ({"2021-03": 9}, {"2021-03": 2})


def test_ais_of_a_session_nobody_spoke_of_yet_wait_and_are_joined_later() -> None:
    story = Counting().hear(
        FICHE.published(), FICHE.ais(1), FICHE.ais(2), FICHE.validated(), FICHE.avis(AvisKind.CONCURRENT)
    )
    assert story.counts == {}
    story.hear(FICHE.submitted(MARCH))
    assert story.of(Measure.AIS) == {"2021-03": 2}
    assert story.of(Measure.VALIDATED) == story.of(Measure.AVIS_CONCURRENT) == {"2021-03": 1}


def test_a_withdrawn_fiche_plans_and_engages_nothing() -> None:
    story = engaged().hear(FICHE.withdrawn())
    assert story.of(Measure.PLANNED) == story.of(Measure.ENGAGED) == {}
    assert story.of(Measure.WITHDRAWN) == story.of(Measure.SUBMITTED) == {"2021-03": 1}


def test_a_refused_fiche_plans_nothing() -> None:
    story = Counting().hear(FICHE.submitted(MARCH), FICHE.refused())
    assert story.of(Measure.PLANNED) == story.of(Measure.VALIDATED) == {}
    assert story.of(Measure.REFUSED) == {"2021-03": 1}


def test_the_last_avis_counts() -> None:
    story = Counting().hear(
        FICHE.submitted(MARCH), FICHE.avis(AvisKind.CONCURRENT), FICHE.avis(AvisKind.COMPLEMENTAIRE)
    )
    assert story.of(Measure.AVIS_CONCURRENT) == {}
    assert story.of(Measure.AVIS_COMPLEMENTAIRE) == {"2021-03": 1}


def test_a_lapsed_avis_leaves_the_fiche_validated_once() -> None:
    lapsed = FICHE.other(AvisLapsed, avis_revision=1, reasons=(), was_validated=True)
    story = engaged().hear(lapsed, FICHE.validated())
    assert story.of(Measure.VALIDATED) == {"2021-03": 1}


def test_a_validation_against_the_avis_is_counted_as_such() -> None:
    story = Counting().hear(FICHE.submitted(MARCH), FICHE.avis(AvisKind.CONCURRENT), FICHE.validated(against=True))
    assert story.of(Measure.VALIDATED_AGAINST_AVIS) == {"2021-03": 1}


def test_completions_are_counted_by_fiche_and_adaptations_one_by_one() -> None:
    asked = FICHE.other(CompletionAsked, items=())
    proposed = FICHE.other(AdaptationProposed, reasons=(), adaptation=Adaptation(), comment="", expires_on=day(MARCH))
    declined = FICHE.other(AdaptationDeclined, reason="Non.")
    completed = FICHE.content_event(FicheCompleted, content(MARCH))
    story = Counting().hear(FICHE.submitted(MARCH), asked, completed, asked, proposed, declined, proposed)
    assert story.of(Measure.SENT_BACK) == story.of(Measure.COMPLETED) == {"2021-03": 1}
    assert story.of(Measure.ADAPTATIONS_PROPOSED) == {"2021-03": 2}
    assert story.of(Measure.ADAPTATIONS_DECLINED) == {"2021-03": 1}


def test_an_amendment_moves_sessions_and_not_the_fiche() -> None:
    amended = FICHE.content_event(FicheAmended, content("2021-05-10", seats=12))
    story = Counting().hear(FICHE.submitted(MARCH), amended)
    assert (story.of(Measure.PLANNED), story.of(Measure.SEATS)) == ({"2021-05": 1}, {"2021-05": 12})
    assert story.of(Measure.SUBMITTED) == {"2021-03": 1}


def test_a_session_left_out_by_an_amendment_is_planned_no_more_but_keeps_its_ais() -> None:
    shorter = FICHE.content_event(FicheAmended, content(MARCH))
    story = Counting().hear(FICHE.submitted(MARCH, JUNE), FICHE.ais(1, number=2), shorter)
    assert story.of(Measure.PLANNED) == {"2021-03": 1}
    assert story.of(Measure.AIS) == {"2021-06": 1}


def test_a_cancelled_session_stays_as_it_was_whatever_the_content_says_next() -> None:
    amended = FICHE.content_event(FicheAmended, content("2021-09-06", JUNE))
    story = Counting().hear(FICHE.submitted(MARCH, JUNE), FICHE.validated(), FICHE.cancelled(), amended)
    assert story.of(Measure.CANCELLED) == {"2021-03": 1}
    assert story.of(Measure.PLANNED) == {"2021-06": 1}


def test_the_months_of_a_fiche_with_two_sessions_are_each_their_own() -> None:
    story = Counting().hear(
        FICHE.submitted(JUNE, MARCH), FICHE.validated(), FICHE.engaged(JUNE), FICHE.engaged(MARCH, number=2)
    )
    assert story.of(Measure.ENGAGED) == {"2021-03": 1, "2021-06": 1}
    assert story.of(Measure.SUBMITTED) == {"2021-03": 1}
    moved = FICHE.postponed(MARCH, "2021-10-11", number=2, others=(JUNE, MARCH))
    assert story.hear(moved).of(Measure.PLANNED) == {"2021-06": 1, "2021-10": 1}


def test_a_session_that_left_the_catalogue_was_published_all_the_same() -> None:
    head = {"session_id": FICHE.session(), "fiche_id": FICHE.fiche, "opco": "akto"}
    suspended = SessionSuspended(**head, reason="REPORT")
    removed = SessionRemoved(**head, reason="SESSION_ANNULEE")
    story = Counting().hear(FICHE.submitted(MARCH), suspended, removed)
    assert story.of(Measure.PUBLISHED) == {"2021-03": 1}


def test_a_fact_nobody_filed_contributes_nothing() -> None:
    assert contribution(FicheFact("akto", validated=True)) == {}


@pytest.mark.parametrize(("month", "quarter"), [("01", "T1"), ("03", "T1"), ("04", "T2"), ("12", "T4")])
def test_a_month_lies_in_its_quarter(month: str, quarter: str) -> None:
    assert quarter_of(f"2021-{month}") == f"2021-{quarter}"


def test_a_running_count_that_drifts_is_named() -> None:
    story = engaged()
    wrong = dict(story.counts) | {("engaged", "akto", "2021-03"): 2, ("ais", "afdas", "2021-01"): 1}
    found = {(d.measure, d.opco, d.month): (d.running, d.recounted) for d in differences(wrong, story.counts)}
    assert found == {("engaged", "akto", "2021-03"): (2, 1), ("ais", "afdas", "2021-01"): (1, 0)}


def test_every_measure_is_defined() -> None:
    assert set(DEFINITIONS) == set(Measure)


def test_sums_by_opco_and_by_month_make_the_total() -> None:
    story = engaged()
    for measure in Measure:
        whole = total(story.counts, measure)
        assert sum(by_opco(story.counts, measure).values()) == sum(by_month(story.counts, measure).values()) == whole
