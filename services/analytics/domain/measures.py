"""What is counted: every measure with the sentence that defines it, and the month it belongs to."""

from enum import StrEnum
from typing import Final

from shared.contracts.references import AvisKind, PlacementMoment, SessionMotive


class Measure(StrEnum):
    """A running count by OPCO and month."""

    SUBMITTED = "submitted"
    VALIDATED = "validated"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    SENT_BACK = "sent_back"
    COMPLETED = "completed"
    ADAPTATIONS_PROPOSED = "adaptations_proposed"
    ADAPTATIONS_ACCEPTED = "adaptations_accepted"
    ADAPTATIONS_DECLINED = "adaptations_declined"
    ADAPTATIONS_COUNTERED = "adaptations_countered"
    AVIS_COMPLEMENTAIRE = "avis_complementaire"
    AVIS_SOUS_ADAPTATION = "avis_sous_adaptation"
    AVIS_CONCURRENT = "avis_concurrent"
    VALIDATED_AGAINST_AVIS = "validated_against_avis"
    PLANNED = "planned"
    SEATS = "seats"
    PUBLISHED = "published"
    ENGAGED = "engaged"
    HOURS = "hours"
    COMMITTED_CENTS = "committed_cents"
    POSTPONED = "postponed"
    POSTPONED_WITHIN_YEAR = "postponed_within_year"
    POSTPONED_TO_NEXT_YEAR = "postponed_to_next_year"
    CANCELLED = "cancelled"
    CANCELLED_SOURCING_INSUFFISANT = "cancelled_sourcing_insuffisant"
    CANCELLED_ENVELOPPE = "cancelled_enveloppe"
    CANCELLED_OF_DEFAILLANT = "cancelled_of_defaillant"
    CANCELLED_BESOIN_DISPARU = "cancelled_besoin_disparu"
    CANCELLED_MARCHE_INFRUCTUEUX = "cancelled_marche_infructueux"
    CANCELLED_SANITAIRE = "cancelled_sanitaire"
    CANCELLED_AUTRE = "cancelled_autre"
    CANCELLED_UNVALIDATED = "cancelled_unvalidated"
    AIS = "ais"
    AIS_CANCELLED = "ais_cancelled"
    AES = "aes"
    INTENDED = "intended"
    INTENDED_SEATS = "intended_seats"
    FINISHED_FIN = "finished_fin"
    PLACED_FIN = "placed_fin"
    FINISHED_TROIS_MOIS = "finished_trois_mois"
    PLACED_TROIS_MOIS = "placed_trois_mois"
    DECLARED = "declared"
    TARGETED = "targeted"


_FIRST: Final = "the first start that was submitted"
_CURRENT: Final = "the session's current start"
_MEANT: Final = "the earliest first day that was announced"
_LEFT: Final = "the start the session had before it was first postponed"
_YEAR: Final = "January of that year"

DEFINITIONS: Final[dict[Measure, tuple[str, str]]] = {
    Measure.SUBMITTED: ("fiches filed", _FIRST),
    Measure.VALIDATED: ("fiches that Pôle emploi validated at least once", _FIRST),
    Measure.REFUSED: ("fiches that Pôle emploi refused", _FIRST),
    Measure.WITHDRAWN: ("fiches that their OPCO took back", _FIRST),
    Measure.SENT_BACK: ("fiches sent back for completion at least once", _FIRST),
    Measure.COMPLETED: ("fiches completed at least once", _FIRST),
    Measure.ADAPTATIONS_PROPOSED: ("adaptations the Région proposed", _FIRST),
    Measure.ADAPTATIONS_ACCEPTED: ("of these, accepted", _FIRST),
    Measure.ADAPTATIONS_DECLINED: ("of these, declined", _FIRST),
    Measure.ADAPTATIONS_COUNTERED: ("of these, answered with another content", _FIRST),
    Measure.AVIS_COMPLEMENTAIRE: ("fiches whose last avis is COMPLEMENTAIRE", _FIRST),
    Measure.AVIS_SOUS_ADAPTATION: ("fiches whose last avis is COMPLEMENTAIRE_SOUS_ADAPTATION", _FIRST),
    Measure.AVIS_CONCURRENT: ("fiches whose last avis is CONCURRENT", _FIRST),
    Measure.VALIDATED_AGAINST_AVIS: ("fiches last validated against their avis", _FIRST),
    Measure.PLANNED: (
        "sessions of fiches neither refused nor withdrawn, not cancelled; engaged ones included",
        _CURRENT,
    ),
    Measure.SEATS: ("seats of the planned sessions", _CURRENT),
    Measure.PUBLISHED: ("sessions that stood in the catalogue at least once", _CURRENT),
    Measure.ENGAGED: ("sessions engaged now: neither postponed nor cancelled since; fiche not withdrawn", _CURRENT),
    Measure.HOURS: ("hours of one trainee, over engaged sessions", _CURRENT),
    Measure.COMMITTED_CENTS: ("teaching cost of engaged sessions, in euro cents", _CURRENT),
    Measure.POSTPONED: ("sessions of validated fiches, postponed at least once", _LEFT),
    Measure.POSTPONED_WITHIN_YEAR: ("of these, now in another month of the same year", _LEFT),
    Measure.POSTPONED_TO_NEXT_YEAR: ("of these, now in a later year", _LEFT),
    Measure.CANCELLED: ("sessions of validated fiches, cancelled", _CURRENT),
    **{Measure(f"cancelled_{motive.lower()}"): (f"of these, for {motive}", _CURRENT) for motive in SessionMotive},
    Measure.CANCELLED_UNVALIDATED: ("sessions cancelled whose fiche was never validated", _CURRENT),
    Measure.AIS: ("AIS that stand (net of cancelled ones)", _CURRENT),
    Measure.AIS_CANCELLED: ("AIS cancelled", _CURRENT),
    Measure.AES: ("effective entries", _CURRENT),
    Measure.INTENDED: ("intentions announced, neither filed nor dropped since; in no other count", _MEANT),
    Measure.INTENDED_SEATS: ("seats of these intentions", _MEANT),
    Measure.FINISHED_FIN: ("people who finished, of engaged sessions whose end was returned", _CURRENT),
    Measure.PLACED_FIN: ("of these, in a job at the end", _CURRENT),
    Measure.FINISHED_TROIS_MOIS: ("people who finished, of engaged sessions returned three months after", _CURRENT),
    Measure.PLACED_TROIS_MOIS: ("of these, in a job three months after", _CURRENT),
    Measure.DECLARED: ("projects that OPCOs declare for a year, each as it last did", _YEAR),
    Measure.TARGETED: ("projects that the programme of a year aims at, as it was last adopted", _YEAR),
}
"""Measure to what it counts and whose month it is counted in."""

PLACEMENTS: Final[dict[PlacementMoment, tuple[Measure, Measure]]] = {
    PlacementMoment.FIN: (Measure.FINISHED_FIN, Measure.PLACED_FIN),
    PlacementMoment.TROIS_MOIS: (Measure.FINISHED_TROIS_MOIS, Measure.PLACED_TROIS_MOIS),
}
"""Moment to the people who finished, and to those of them in a job."""
FEWEST_SHOWN: Final = 10
"""Sums of people below this are kept and not shown: a group so small says something of the persons in it (rule 40)."""

OF_PEOPLE: Final = frozenset(measure for pair in PLACEMENTS.values() for measure in pair)
"""Measures that count what became of people."""

CANCELLED_FOR: Final[dict[SessionMotive, Measure]] = {
    motive: Measure(f"cancelled_{motive.lower()}") for motive in SessionMotive
}
AVIS_MEASURES: Final[dict[AvisKind, Measure]] = {
    AvisKind.COMPLEMENTAIRE: Measure.AVIS_COMPLEMENTAIRE,
    AvisKind.COMPLEMENTAIRE_SOUS_ADAPTATION: Measure.AVIS_SOUS_ADAPTATION,
    AvisKind.CONCURRENT: Measure.AVIS_CONCURRENT,
}
