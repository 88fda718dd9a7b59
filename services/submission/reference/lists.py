"""The lists that people and systems choose from, under one name and in one form each; what is typed is found without its accents."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from services.submission.reference import tables
from shared.contracts import references as known
from shared.contracts.labels import LABELS
from shared.contracts.opco_names import NAMES
from shared.contracts.text import folded


class ListName(StrEnum):
    """The lists by the names that addresses have for them."""

    OPCOS = "opcos"
    BRANCHES = "branches"
    COMMUNES = "communes"
    DEPARTMENTS = "departments"
    ARRONDISSEMENTS = "arrondissements"
    ZONES = "zones"
    ROME = "rome"
    NSF = "nsf"
    FORMACODES = "formacodes"
    AUDIENCES = "audiences"
    DEROGATIONS = "derogations"
    FICHE_KINDS = "fiche-kinds"
    NEED_ORIGINS = "need-origins"
    TARGET_CONTRACTS = "target-contracts"
    FOLLOW_UPS = "follow-ups"
    DEROGATION_LEVELS = "derogation-levels"
    PROCUREMENT_STATES = "procurement-states"
    SOURCING_PILOTS = "sourcing-pilots"
    PARTNER_KINDS = "partner-kinds"
    OUTSIDE_MOTIVES = "outside-motives"
    SESSION_MOTIVES = "session-motives"
    SOURCING_CAUSES = "sourcing-causes"
    PLACEMENT_MOMENTS = "placement-moments"
    PLACEMENT_CONTRACTS = "placement-contracts"
    DECLARATION_SOURCES = "declaration-sources"
    WITHDRAWAL_REASONS = "withdrawal-reasons"
    AVIS_KINDS = "avis-kinds"
    AVIS_REASONS = "avis-reasons"
    REFUSAL_REASONS = "refusal-reasons"


@dataclass(frozen=True, slots=True)
class Entry:
    """One element of a list: its code and label, and what else is known of it where it is."""

    code: str
    label: str
    opco: str | None = None
    department: str | None = None
    arrondissement: str | None = None
    zone_emploi: str | None = None
    postal_codes: tuple[str, ...] = ()
    population: int | None = None
    nsf: str | None = None
    cap_hours: int | None = None
    also: tuple[str, ...] = ()
    """Other names by which it is found."""


@dataclass(frozen=True)
class ReferenceList:
    """A list: what it is called, whether a code beside it is refused (`closed`), where it comes from, its elements by code."""

    name: ListName
    title: str
    closed: bool
    origin: str
    entries: Mapping[str, Entry]

    @property
    def words(self) -> tuple[tuple[str, Entry], ...]:
        """Return each element with the words it is found by, each after a space."""
        return _words(self.name)

    def after(self, code: str | None, limit: int, chosen: Callable[[Entry], bool]) -> list[Entry]:
        """Return the next chosen elements after a code (None: from the first), in the order of the codes."""
        later = (entry for entry in self.entries.values() if (code is None or entry.code > code) and chosen(entry))
        return [entry for entry, _ in zip(later, range(limit), strict=False)]

    def found(self, text: str, limit: int, chosen: Callable[[Entry], bool]) -> list[Entry]:
        """Return the chosen elements that have words beginning with each word of a text, the likeliest first.

        What begins with the text comes before what holds it; then the larger commune, then the label.
        """
        typed = folded(text)
        hits = [entry for words, entry in self.words if all(f" {word}" in words for word in typed.split())]
        return sorted(filter(chosen, hits), key=lambda entry: _likeliest(entry, typed))[:limit]


def _likeliest(entry: Entry, typed: str) -> tuple[bool, int, str]:
    begins = entry.code.lower() == typed or folded(entry.label).startswith(typed)
    return not begins, -(entry.population or 0), entry.label


@cache
def reference_list(name: ListName) -> ReferenceList:
    """Return a list by its name, its elements in the order of their codes."""
    title, closed, origin, make = _LISTS[name]
    entries = sorted(make(), key=lambda entry: entry.code)
    return ReferenceList(name, title, closed, origin, {entry.code: entry for entry in entries})


@cache
def _words(name: ListName) -> tuple[tuple[str, Entry], ...]:
    return tuple(
        (f" {folded(' '.join((entry.code, entry.label, *entry.postal_codes, *entry.also)))}", entry)
        for entry in reference_list(name).entries.values()
    )


def _named(labels: Mapping[str, str]) -> Callable[[], Iterator[Entry]]:
    return lambda: (Entry(code, label) for code, label in labels.items())


def _read(labels: Callable[[], Mapping[str, str]]) -> Callable[[], Iterator[Entry]]:
    return lambda: (Entry(code, label) for code, label in labels().items())


def _opcos() -> Iterator[Entry]:
    return (Entry(slug, name, opco=slug, also=NAMES[slug]) for slug, name in known.OPCOS.items())


def _branches() -> Iterator[Entry]:
    owners = {idcc: opco for opco, branches in known.IDCC_BY_OPCO.items() for idcc in branches}
    return (Entry(idcc, label, opco=owners[idcc]) for idcc, label in tables.branches().items())


def _communes() -> Iterator[Entry]:
    for insee, one in tables.communes().items():
        yield Entry(
            insee,
            one.name,
            department=one.department,
            arrondissement=one.arrondissement,
            zone_emploi=one.zone_emploi,
            postal_codes=one.postal_codes,
            population=one.population,
        )


def _arrondissements() -> Iterator[Entry]:
    return (Entry(code, one.name, department=one.department) for code, one in tables.arrondissements().items())


def _formacodes() -> Iterator[Entry]:
    return (Entry(code, one.label, nsf=one.nsf) for code, one in tables.formacodes().items())


def _derogations() -> Iterator[Entry]:
    return (Entry(one.rome, one.title, cap_hours=one.cap_hours, also=(one.reference,)) for one in tables.derogations())


_LAW: Final = "Code du travail, L6326-3"
_HERE: Final = "liste fermée de ce service"
_INSEE: Final = "INSEE, Licence Ouverte 2.0"
_Made = tuple[str, bool, str, Callable[[], Iterator[Entry]]]
_LISTS: Final[Mapping[ListName, _Made]] = {
    ListName.OPCOS: ("OPCO", True, "arrêtés d’agrément publiés le 31 mars 2019", _opcos),
    ListName.BRANCHES: ("Branches (IDCC) par OPCO", True, "Légifrance (DILA), Licence Ouverte 2.0", _branches),
    ListName.COMMUNES: ("Communes de Normandie", True, f"code officiel géographique, {_INSEE}", _communes),
    ListName.DEPARTMENTS: ("Départements de Normandie", True, _INSEE, _named(known.DEPARTMENTS)),
    ListName.ARRONDISSEMENTS: ("Arrondissements de Normandie", True, _INSEE, _arrondissements),
    ListName.ZONES: ("Zones d’emploi 2020", True, _INSEE, _named(known.ZONES_EMPLOI)),
    ListName.ROME: ("Métiers (ROME)", True, "Pôle emploi, Licence Ouverte 2.0", _read(tables.rome)),
    ListName.NSF: (
        "Spécialités de formation (NSF)",
        True,
        "décret 94-522 du 21 juin 1994",
        _read(tables.nsf),
    ),
    ListName.FORMACODES: ("Formacodes usuels des POEC", False, "extrait du Formacode de Centre Inffo", _formacodes),
    ListName.AUDIENCES: (
        "Publics",
        True,
        "liste «\u202fpublic\u202f» du Formacode, dans LHÉO",
        _named(known.AUDIENCES),
    ),
    ListName.DEROGATIONS: ("Dérogations nationales à 400 heures", True, "délibération 2021-44", _derogations),
    ListName.FICHE_KINDS: ("Types de besoin", True, _HERE, _named(LABELS[known.FicheKind])),
    ListName.NEED_ORIGINS: ("Origines du besoin", True, _LAW, _named(LABELS[known.NeedOrigin])),
    ListName.TARGET_CONTRACTS: ("Contrats visés", True, _LAW, _named(LABELS[known.TargetContract])),
    ListName.FOLLOW_UPS: ("Suites prévues", True, _HERE, _named(LABELS[known.FollowUpKind])),
    ListName.DEROGATION_LEVELS: ("Niveaux de dérogation", True, _HERE, _named(LABELS[known.DerogationLevel])),
    ListName.PROCUREMENT_STATES: ("États du marché public", True, _HERE, _named(LABELS[known.ProcurementState])),
    ListName.SOURCING_PILOTS: ("Réseaux qui conduisent la recherche", True, _HERE, _named(LABELS[known.SourcingPilot])),
    ListName.PARTNER_KINDS: ("Réseaux de partenaires", True, _HERE, _named(LABELS[known.PartnerKind])),
    ListName.OUTSIDE_MOTIVES: ("Motifs hors campagne", True, _HERE, _named(LABELS[known.OutsideMotive])),
    ListName.SOURCING_CAUSES: ("Causes d’un manque de candidats", True, _HERE, _named(LABELS[known.SourcingCause])),
    ListName.SESSION_MOTIVES: ("Motifs de report ou d’annulation", True, _HERE, _named(LABELS[known.SessionMotive])),
    ListName.PLACEMENT_MOMENTS: (
        "Moments d’un retour de placements",
        True,
        _HERE,
        _named(LABELS[known.PlacementMoment]),
    ),
    ListName.PLACEMENT_CONTRACTS: ("Contrats trouvés", True, _HERE, _named(LABELS[known.PlacementContract])),
    ListName.DECLARATION_SOURCES: ("Sources d’une déclaration", True, _HERE, _named(LABELS[known.DeclarationSource])),
    ListName.WITHDRAWAL_REASONS: ("Motifs de retrait", True, _HERE, _named(LABELS[known.WithdrawalReason])),
    ListName.AVIS_KINDS: ("Sens de l’avis", True, _HERE, _named(LABELS[known.AvisKind])),
    ListName.AVIS_REASONS: ("Motifs de l’avis", True, _HERE, _named(LABELS[known.AvisReason])),
    ListName.REFUSAL_REASONS: ("Motifs de refus", True, _HERE, _named(LABELS[known.RefusalReason])),
}
