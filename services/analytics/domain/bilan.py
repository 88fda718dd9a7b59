"""The bilan of a year: indicators and tables computed from the running counts of the year."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from services.analytics.domain.counts import Bucket, by_month, by_opco, by_quarter, total
from services.analytics.domain.indicators import Indicator, indicators
from services.analytics.domain.measures import AVIS_MEASURES, CANCELLED_FOR, PLACEMENTS, Measure
from services.analytics.domain.small_cells import Shown, shown_at_both
from shared.contracts.references import OPCOS, PlacementMoment


@dataclass(frozen=True)
class Line:
    """One line of a table: its key (OPCO, month, quarter, `total`), its label, and the counts of its columns."""

    key: str
    label: str
    counts: Mapping[Measure, int]


@dataclass(frozen=True)
class Share:
    """A part of a whole: `share` is None where the whole is zero."""

    code: str
    label: str
    count: int
    share: float | None


@dataclass(frozen=True)
class Meant:
    """What is announced and not filed, of an OPCO or a quarter: never part of any other figure (minutes L384-391)."""

    key: str
    label: str
    intended: int
    intended_seats: int


@dataclass(frozen=True)
class Outcome:
    """What became of people who finished, of an OPCO or of all (`total`), at one moment.

    None where too few to be shown, or hidden with those. The rate stands beside its volume (minutes L129-136).
    """

    key: str
    label: str
    moment: PlacementMoment
    finishing: int | None
    placed: int | None
    rate: float | None


@dataclass(frozen=True)
class Bilan:
    """Everything the conference reads of a year."""

    year: int
    indicators: tuple[Indicator, ...]
    by_opco: tuple[Line, ...]
    by_quarter: tuple[Line, ...]
    by_month: tuple[Line, ...]
    total: Line
    not_engaged: tuple[Share, ...]
    avis: tuple[Share, ...]
    intended_by_opco: tuple[Meant, ...]
    intended_by_quarter: tuple[Meant, ...]
    placements: tuple[Outcome, ...]


COLUMNS: Final = (
    Measure.VALIDATED,
    Measure.ENGAGED,
    Measure.AIS,
    Measure.AIS_CANCELLED,
    Measure.AES,
    Measure.SEATS,
    Measure.HOURS,
    Measure.COMMITTED_CENTS,
)
"""The columns of the tables by OPCO, month and quarter."""

MONTHS: Final = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)
_MOTIVES: Final = {
    "SOURCING_INSUFFISANT": "Sourcing insuffisant",
    "ENVELOPPE": "Enveloppe consommée",
    "OF_DEFAILLANT": "Organisme de formation défaillant",
    "BESOIN_DISPARU": "Besoin disparu",
    "MARCHE_INFRUCTUEUX": "Marché infructueux",
    "SANITAIRE": "Raison sanitaire",
    "AUTRE": "Autre motif",
}
_AVIS: Final = {
    "COMPLEMENTAIRE": "Complémentaire",
    "COMPLEMENTAIRE_SOUS_ADAPTATION": "Complémentaire sous adaptation",
    "CONCURRENT": "Concurrent",
}


def bilan(year: int, counts: Mapping[Bucket, int]) -> Bilan:
    """Return the bilan of a year from its counts; buckets of other years are left out."""
    counts = {bucket: value for bucket, value in counts.items() if bucket[2].startswith(f"{year}-")}
    sums = {measure: total(counts, measure) for measure in Measure}
    months = {f"{year}-{n:02}": f"{name} {year}" for n, name in enumerate(MONTHS, 1)}
    quarters = {f"{year}-T{n}": f"T{n} {year}" for n in range(1, 5)}
    return Bilan(
        year=year,
        indicators=indicators(year, sums, _received(counts)),
        by_opco=_lines(OPCOS, {m: by_opco(counts, m) for m in COLUMNS}),
        by_quarter=_lines(quarters, {m: by_quarter(counts, m) for m in COLUMNS}),
        by_month=_lines(months, {m: by_month(counts, m) for m in COLUMNS}),
        total=Line("total", "Total", {measure: sums[measure] for measure in COLUMNS}),
        not_engaged=_not_engaged(sums),
        avis=_avis(sums),
        intended_by_opco=_meant(OPCOS, by_opco(counts, Measure.INTENDED), by_opco(counts, Measure.INTENDED_SEATS)),
        intended_by_quarter=_meant(
            quarters, by_quarter(counts, Measure.INTENDED), by_quarter(counts, Measure.INTENDED_SEATS)
        ),
        placements=tuple(_outcomes(counts)),
    )


def _received(counts: Mapping[Bucket, int]) -> int:
    """Return the fiches filed by the OPCOs that declared projects: those of others are in no declaration (minutes L209-212)."""
    filed = by_opco(counts, Measure.SUBMITTED)
    return sum(filed.get(opco, 0) for opco, declared in by_opco(counts, Measure.DECLARED).items() if declared)


def _meant(labels: Mapping[str, str], intended: Mapping[str, int], seats: Mapping[str, int]) -> tuple[Meant, ...]:
    return tuple(Meant(key, label, intended.get(key, 0), seats.get(key, 0)) for key, label in labels.items())


def shown_of_people(counts: Mapping[Bucket, int]) -> Mapping[Measure, Shown]:
    """Return what is shown of each measure of people: who finished is the same at both moments, who is in a job is not."""
    finishing, placed = zip(PLACEMENTS[PlacementMoment.FIN], PLACEMENTS[PlacementMoment.TROIS_MOIS], strict=True)
    return {
        measure: found
        for pair, same_people in ((finishing, True), (placed, False))
        for measure, found in zip(
            pair, shown_at_both(by_opco(counts, pair[0]), by_opco(counts, pair[1]), same_people), strict=True
        )
    }


def _outcomes(counts: Mapping[Bucket, int]) -> Iterator[Outcome]:
    """Yield what became of people, of all and by OPCO; small cells are hidden, and no sum or rate leads back to them."""
    found = shown_of_people(counts)
    for moment, (finishing, placed) in PLACEMENTS.items():
        finished, working = found[finishing], found[placed]
        yield _outcome("total", "Total", moment, finished.total, working.total)
        for opco, label in OPCOS.items():
            yield _outcome(opco, label, moment, finished.cells.get(opco), working.cells.get(opco))


def _outcome(key: str, label: str, moment: PlacementMoment, finishing: int | None, placed: int | None) -> Outcome:
    rate = round(placed / finishing, 4) if finishing is not None and placed is not None else None
    return Outcome(key, label, moment, finishing, placed, rate)


def _lines(labels: Mapping[str, str], columns: Mapping[Measure, Mapping[str, int]]) -> tuple[Line, ...]:
    return tuple(
        Line(key, label, {measure: column.get(key, 0) for measure, column in columns.items()})
        for key, label in labels.items()
    )


def _not_engaged(sums: Mapping[Measure, int]) -> tuple[Share, ...]:
    """Return why fiches validated for the year have no session engaged in it; `AUTRE_ETAT` is what none of these explains."""
    difference = sums[Measure.VALIDATED] - sums[Measure.ENGAGED]
    reasons = {motive.value: (_MOTIVES[motive], sums[measure]) for motive, measure in CANCELLED_FOR.items()}
    reasons["REPORT_ANNEE_SUIVANTE"] = ("Reportée à une année suivante", sums[Measure.POSTPONED_TO_NEXT_YEAR])
    explained = sum(count for _, count in reasons.values())
    reasons["AUTRE_ETAT"] = ("Pas encore engagée, ou venue d’une autre année", difference - explained)
    return tuple(_share(code, label, count, difference) for code, (label, count) in reasons.items())


def _avis(sums: Mapping[Measure, int]) -> tuple[Share, ...]:
    whole = sum(sums[measure] for measure in AVIS_MEASURES.values())
    return tuple(_share(kind.value, _AVIS[kind], sums[measure], whole) for kind, measure in AVIS_MEASURES.items())


def _share(code: str, label: str, count: int, whole: int) -> Share:
    return Share(code, label, count, round(count / whole, 4) if whole else None)
