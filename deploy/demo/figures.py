"""The figures of the year: what they must be, by the minutes and the year that was written down, and what was counted."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from deploy.demo import margins
from deploy.demo.agenda import MONTHS
from shared.contracts.references import OPCOS

Number = int | float
MINUTES: Final = "compte rendu"
INVENTED: Final = "inventé"
EURO: Final = 100  # cents
_TABLED: Final = {"validated": "fiches validées", "engaged": "sessions engagées", "ais": "AIS"}
_AVIS: Final = {
    "COMPLEMENTAIRE": "complémentaires",
    "COMPLEMENTAIRE_SOUS_ADAPTATION": "complémentaires sous adaptation",
    "CONCURRENT": "concurrents",
}


@dataclass(frozen=True)
class Figure:
    """One figure: its stable name, its French label, what it must be and by which source, what was counted (None: nothing)."""

    name: str
    label: str
    expected: Number
    source: str
    measured: Number | None = None

    @property
    def equal(self) -> bool:
        """Return whether the count is exactly what it must be."""
        return self.measured == self.expected

    def as_json(self) -> dict[str, Any]:
        """Return the figure as JSON values."""
        both = {"expected": self.expected, "measured": self.measured, "equal": self.equal}
        return {"name": self.name, "label": self.label, "source": self.source, **both}


def expected() -> tuple[Figure, ...]:
    """Return every figure the year must add up to."""
    return (*_totals(), *_around(), *_meanwhile(), *_by_opco(), *_by_month())


def _totals() -> tuple[Figure, ...]:
    engaged = sum(margins.ENGAGED.values())
    hours = sum(hours * times for hours, times in margins.HOURS.items())
    return (
        Figure("validated", "fiches validées", sum(margins.VALIDATED.values()), f"{MINUTES} L106"),
        Figure("engaged", "sessions engagées", engaged, f"{MINUTES} L107"),
        Figure("ais", "AIS, annulées déduites", sum(margins.AIS.values()), f"{MINUTES} L83"),
        Figure("mean_hours", "heures en moyenne par session", hours / engaged, f"{MINUTES} L107"),
        Figure("committed", "euros engagés", engaged * margins.COMMITTED_CENTS / EURO, f"{MINUTES} L110 (≈ 9 M€)"),
        Figure(
            "declared.next_year",
            "projets déclarés pour 2022",
            sum(margins.DECLARED_2022.values()),
            f"{MINUTES} L209-212",
        ),
    )


def _around() -> tuple[Figure, ...]:
    motives = Counter(motive for _, motive in margins.NOT_ENGAGED)
    postponed = {"within_year": len(margins.POSTPONED_WITHIN_YEAR), "next_year": motives.pop("NEXT_YEAR")}
    answers = {"accepted": "acceptées", "declined": "déclinées", "countered": "avec contre-proposition"}
    return (
        Figure("refused", "fiches refusées", sum(margins.REFUSED.values()), INVENTED),
        Figure("withdrawn", "fiches retirées", sum(margins.WITHDRAWN.values()), INVENTED),
        Figure("completed", "fiches complétées", margins.COMPLETED_ONCE, INVENTED),
        Figure("adaptations", "adaptations proposées", sum(margins.ADAPTATIONS.values()), INVENTED),
        *(Figure(f"adaptations.{a}", f"… {word}", margins.ADAPTATIONS[a], INVENTED) for a, word in answers.items()),
        Figure("postponed.within_year", "sessions reportées dans l’année", postponed["within_year"], INVENTED),
        Figure("postponed.next_year", "sessions reportées à 2022", postponed["next_year"], INVENTED),
        *(
            Figure(f"cancelled.{motive}", f"sessions annulées\u202f: {words(motive)}", times, INVENTED)
            for motive, times in sorted(motives.items())
        ),
        Figure("ais_cancelled", "AIS annulées", margins.AIS_CANCELLED, INVENTED),
        *(Figure(f"avis.{kind}", f"derniers avis {_AVIS[kind]}", n, INVENTED) for kind, n in margins.AVIS.items()),
    )


def _meanwhile() -> tuple[Figure, ...]:
    """Return what stands beside what is firm: intentions, of which the next year has no fiche yet, and what became of the groups."""
    finishing, *placed = (sum(people) for people in zip(*margins.RETURNED.values(), strict=True))
    when = {"FIN": "à la fin", "TROIS_MOIS": "trois mois après"}
    return (
        Figure("intended.next_year", "intentions annoncées pour 2022", len(margins.INTENDED_2022), INVENTED),
        Figure("validated.next_year", "fiches validées pour 2022, ni intention ni brouillon", 0, INVENTED),
        *(
            figure
            for (moment, word), jobs in zip(when.items(), placed, strict=True)
            for figure in (
                Figure(f"finishing.{moment}", f"sortis de formation, bilan {word}", finishing, INVENTED),
                Figure(f"placed.{moment}", f"… en emploi {word}", jobs, INVENTED),
            )
        ),
    )


def _by_opco() -> tuple[Figure, ...]:
    tables = {"validated": margins.VALIDATED, "engaged": margins.ENGAGED, "ais": margins.AIS}
    return tuple(
        Figure(f"opco.{opco}.{name}", f"{_TABLED[name]}, {OPCOS[opco]}", table[opco], INVENTED)
        for opco in margins.VALIDATED
        for name, table in tables.items()
    )


def _by_month() -> tuple[Figure, ...]:
    tables = {"engaged": margins.ENGAGED_BY_MONTH, "ais": margins.AIS_BY_MONTH}
    return tuple(
        Figure(f"month.{month}.{name}", f"{_TABLED[name]}, {MONTHS[month - 1]}", table[month - 1], INVENTED)
        for month in range(1, 13)
        for name, table in tables.items()
    )


def words(code: str) -> str:
    """Return a code as words."""
    return code.replace("_", " ").lower()


def compared(wanted: Sequence[Figure], counted: Mapping[str, Number]) -> tuple[Figure, ...]:
    """Return the figures with what was counted beside what they must be; one that nobody counted stays without, and is not equal."""
    return tuple(Figure(f.name, f.label, f.expected, f.source, counted.get(f.name)) for f in wanted)


def differences(figures: Sequence[Figure]) -> tuple[str, ...]:
    """Return one sentence per figure that is not what it must be."""
    return tuple(
        f"{figure.label}\u202f: {shown(figure.measured)} au lieu de {shown(figure.expected)} ({figure.name})"
        for figure in figures
        if not figure.equal
    )


def shown(number: Number | None) -> str:
    """Return a number as it is written in French: `8 976 000`, `339`, `8,98`; a dash for what was not counted."""
    if number is None:
        return "—"
    text = f"{number:,.2f}" if number != int(number) else f"{int(number):,}"
    return text.replace(",", "\u202f").replace(".", ",")
