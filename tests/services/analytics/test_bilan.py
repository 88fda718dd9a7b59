"""The bilan of the synthetic year is that of the minutes, to the unit."""

from functools import cache

import pytest

from deploy.demo import margins
from services.analytics.domain.bilan import Bilan, bilan
from services.analytics.domain.counts import Bucket
from services.analytics.domain.measures import Measure
from shared.contracts.references import PlacementMoment
from tests.services.analytics.played import year_said
from tests.services.analytics.said import Counting, Speaker


@cache
def year() -> Bilan:
    story = Counting()
    story.batch(year_said())
    return bilan(2021, story.counts)


def value(code: str, made: Bilan | None = None) -> float | int | None:
    return next(indicator.value for indicator in (made or year()).indicators if indicator.code == code)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("submitted", 225),
        ("validated", 209),
        ("engaged", 187),
        ("realisation", 0.8947),
        ("ais", 1679),
        ("ais_cancelled", 118),
        ("mean_hours", 339),
        ("mean_size", 8.9786),
        ("committed", 8_976_000),
        ("share_of_all", 0.0276),
        ("share_without_cpf", 0.05),
        ("refused", 9),
        ("withdrawn", 7),
        ("sent_back", 14),
        ("completed", 14),
        ("adaptations_proposed", 11),
        ("adaptations_accepted", 8),
        ("adaptations_declined", 2),
        ("adaptations_countered", 1),
        ("postponed", 10),
        ("postponed_within_year", 6),
        ("postponed_to_next_year", 4),
        ("cancelled", 18),
        ("validated_against_avis", 2),
        ("return_to_work", None),
    ],
)
def test_the_indicators_of_2021_are_the_minutes(code: str, expected: float | None) -> None:
    assert value(code) == expected


def test_the_table_by_opco_is_as_tabled() -> None:
    lines = {line.key: line.counts for line in year().by_opco}
    assert {key: counts[Measure.VALIDATED] for key, counts in lines.items()} == margins.VALIDATED
    assert {key: counts[Measure.ENGAGED] for key, counts in lines.items()} == margins.ENGAGED
    assert {key: counts[Measure.AIS] for key, counts in lines.items()} == margins.AIS


def test_the_table_by_month_is_as_tabled_and_quarters_are_its_sums() -> None:
    months = [line.counts for line in year().by_month]
    assert tuple(counts[Measure.ENGAGED] for counts in months) == margins.ENGAGED_BY_MONTH
    assert tuple(counts[Measure.AIS] for counts in months) == margins.AIS_BY_MONTH
    quarters = [line.counts[Measure.ENGAGED] for line in year().by_quarter]
    assert quarters == [sum(margins.ENGAGED_BY_MONTH[n : n + 3]) for n in (0, 3, 6, 9)] == [33, 51, 29, 74]


def test_every_table_has_the_same_total() -> None:
    made = year()
    for table in (made.by_opco, made.by_quarter, made.by_month):
        for measure, whole in made.total.counts.items():
            assert sum(line.counts[measure] for line in table) == whole


def test_the_22_not_engaged_are_parted_by_reason_and_nothing_is_left_over() -> None:
    counts = {share.code: share.count for share in year().not_engaged if share.count}
    assert counts == {"SOURCING_INSUFFISANT": 12, "ENVELOPPE": 3, "BESOIN_DISPARU": 3, "REPORT_ANNEE_SUIVANTE": 4}


def test_the_avis_are_85_12_and_3_per_cent() -> None:
    assert [(share.count, round(100 * (share.share or 0))) for share in year().avis] == [(187, 85), (26, 12), (7, 3)]


def test_every_indicator_says_its_rule_and_its_source() -> None:
    assert all(indicator.rule and indicator.source for indicator in year().indicators)


def test_a_share_names_its_base() -> None:
    bases = {i.code: i.denominator for i in year().indicators if i.code.startswith("share")}
    assert bases == {"share_of_all": 60_838, "share_without_cpf": 33_580}


def test_a_year_without_a_fiche_has_zeros_and_no_rates() -> None:
    empty = bilan(2019, {})
    assert value("engaged", empty) == value("committed", empty) == 0
    assert value("realisation", empty) is value("mean_hours", empty) is value("share_of_all", empty) is None
    assert all(share.share is None for share in (*empty.avis, *empty.not_engaged))


def test_a_share_of_all_ais_is_not_made_up_for_a_year_without_reference() -> None:
    fiche = Speaker()
    story = Counting().hear(fiche.submitted("2022-03-14"), fiche.ais(1))
    assert value("share_of_all", bilan(2022, story.counts)) is None


def test_what_is_received_is_set_against_what_is_declared_of_the_opcos_that_declared_alone() -> None:
    filed: dict[Bucket, int] = {(Measure.SUBMITTED, "akto", "2021-03"): 4, (Measure.SUBMITTED, "atlas", "2021-04"): 4_003}
    made = bilan(2021, {**filed, (Measure.DECLARED, "akto", "2021-01"): 5})
    (received,) = [one for one in made.indicators if one.code == "received"]
    assert (received.numerator, received.denominator, received.value) == (4, 5, 0.8)
    assert value("submitted", made) == 4_007
    assert value("received", bilan(2021, filed)) is None


def test_what_is_not_engaged_yet_is_said_so() -> None:
    story = Counting().hear(Speaker().submitted("2022-03-14"), Speaker().validated())
    counts = {share.code: share.count for share in bilan(2022, story.counts).not_engaged}
    assert counts["AUTRE_ETAT"] == 1


def outcomes(finishing: int, placed: int) -> list[tuple[int | None, int | None, float | None]]:
    """Return what is shown of a group of Atlas at the end, of the OPCO and of all."""
    fiche = Speaker("atlas")
    story = Counting().hear(fiche.submitted("2021-03-01"), fiche.engaged("2021-03-01"))
    story.hear(fiche.returned(PlacementMoment.FIN, finishing, placed))
    made = bilan(2021, story.counts)
    found = [one for one in made.placements if one.moment is PlacementMoment.FIN and one.key in ("atlas", "total")]
    return [(one.finishing, one.placed, one.rate) for one in found]


@pytest.mark.parametrize(
    ("finishing", "placed", "shown"),
    [
        (20, 15, (20, 15, 0.75)),
        (10, 10, (10, 10, 1.0)),
        (20, 9, (20, None, None)),
        (9, 9, (None, None, None)),
    ],
)
def test_what_became_of_people_stands_beside_its_volume_and_small_cells_are_hidden(
    finishing: int, placed: int, shown: tuple[int | None, int | None, float | None]
) -> None:
    assert outcomes(finishing, placed) == [shown, shown]


def test_what_is_meant_is_shown_beside_the_bilan_and_in_none_of_its_figures() -> None:
    without, akto = Counting(), Speaker("akto", "meant")
    without.batch(year_said())
    made = bilan(2021, Counting(stored=dict(without.stored), running=dict(without.running)).hear(akto.preprogrammed("2021-05-03")).counts)
    assert (made.indicators, made.by_opco, made.by_quarter, made.total) == (
        year().indicators,
        year().by_opco,
        year().by_quarter,
        year().total,
    )
    assert {one.key: (one.intended, one.intended_seats) for one in made.intended_by_quarter if one.intended} == {"2021-T2": (1, 12)}
    assert {one.key: one.intended for one in made.intended_by_opco if one.intended} == {"akto": 1}
