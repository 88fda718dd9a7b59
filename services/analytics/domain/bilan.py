"""The bilan of a year: indicators and tables computed from the running counts of the year."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.analytics.domain.counts import Bucket, by_month, by_opco, by_quarter, total
from services.analytics.domain.indicators import Indicator, indicators
from services.analytics.domain.measures import AVIS_MEASURES, CANCELLED_FOR, Measure
from shared.contracts.references import OPCOS


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
        indicators=indicators(year, sums),
        by_opco=_lines(OPCOS, {m: by_opco(counts, m) for m in COLUMNS}),
        by_quarter=_lines(quarters, {m: by_quarter(counts, m) for m in COLUMNS}),
        by_month=_lines(months, {m: by_month(counts, m) for m in COLUMNS}),
        total=Line("total", "Total", {measure: sums[measure] for measure in COLUMNS}),
        not_engaged=_not_engaged(sums),
        avis=_avis(sums),
    )


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
