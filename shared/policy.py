"""Who may do what: operation x role x relation to the object, deny by default. Asked by HTTP, pages, consumers and commands alike.

Relations: `own` = the object is the caller's organisation's, or names it (another one's is answered like an unknown one);
`any` = whoever it belongs to; `not_author` = whoever it belongs to, but not on what the caller gave an avis on.
States are the lifecycles' business: each lifecycle row names the operation it is for. The page `policy.md` shows both, and every door.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Final, Literal

from stdnum.fr import siret

from shared.contracts.references import CARIF_OREF, DREETS, FRANCE_TRAVAIL, OPCOS, OPERATIONS, REGION
from shared.errors import Forbidden, NotFound, Objection
from shared.identity import Principal

Relation = Literal["own", "any", "not_author"]
Row = Mapping[str, Relation]

ROLES: Final[dict[str, Callable[[str], bool]]] = {
    "opco": lambda organisation: organisation in OPCOS,
    "region_reviewer": lambda organisation: organisation == REGION,
    "pole_emploi_reviewer": lambda organisation: organisation == FRANCE_TRAVAIL,
    "entries": lambda organisation: organisation == FRANCE_TRAVAIL,
    "carif_oref": lambda organisation: organisation == CARIF_OREF,
    "training_provider": siret.is_valid,
    "agency": lambda organisation: organisation.startswith("agence-"),
    "dreets": lambda organisation: organisation == DREETS,
    "operations": lambda organisation: organisation == OPERATIONS,
    "administrator": lambda organisation: organisation == OPERATIONS,
}
"""Roles that a principal can hold, and of which organisations: nobody can hold two sides of one fiche (minutes L506-508).

A training provider's organisation is its SIRET, an employment-service agency's begins with `agence-`."""


def _row(*roles: str, may: Relation = "any") -> dict[str, Relation]:
    return dict.fromkeys(roles, may)


_OPCO: Final = _row("opco", may="own")
_REGION: Final = _row("region_reviewer")
_DECIDES: Final = _row("pole_emploi_reviewer", may="not_author")
_REVIEWERS: Final = _row("region_reviewer", "pole_emploi_reviewer")
_READERS: Final = {**_OPCO, **_REVIEWERS, **_row("dreets", "operations")}
_DREETS: Final = _row("dreets")
_CARIF_OREF: Final = _row("carif_oref")
_ENTRIES: Final = _row("entries")
_OUTSIDE: Final = _row("training_provider", "agency")
_EVERYBODY: Final = {**_READERS, **_CARIF_OREF, **_ENTRIES, **_OUTSIDE, **_row("opco")}
_OPERATIONS: Final = _row("operations")
_ADMINISTRATOR: Final = _row("administrator")

POLICY: Final[dict[str, Row]] = {
    # submission: an OPCO on its own fiches
    "preprogramme_fiche": _OPCO,
    "draft_fiche": _OPCO,
    "renew_fiche": _OPCO,
    "keep_templates": _OPCO,
    "submit_fiche": _OPCO,
    "check_fiche": _OPCO,
    "complete_fiche": _OPCO,
    "amend_fiche": _OPCO,
    "accept_adaptation": _OPCO,
    "decline_adaptation": _OPCO,
    "counter_propose": _OPCO,
    "confirm_programmation": _OPCO,
    "engage_session": _OPCO,
    "postpone_session": _OPCO,
    "cancel_session": _OPCO,
    "withdraw_fiche": _OPCO,
    "return_placements": _OPCO,
    "import_fiches": _OPCO,
    "read_imports": {**_OPCO, **_OPERATIONS},
    "manage_partners": _REGION,  # the directory of those who accompany people
    "read_references": _EVERYBODY,  # what one chooses from: codes with their labels, partners of the directory
    "read_fiche": _READERS,  # whole, money included: the Carif-Oref reads what is published, the catalogue and its sessions
    # submission: what is put on record for a year; the conference's decisions are written down by the DREETS
    "manage_yearbook": _DREETS,  # campaigns, conferences, the programme
    "declare_projects": _OPCO,  # and what is expected month by month
    "read_yearbook": {**_READERS, **_CARIF_OREF},
    # validation: the Région gives the avis, Pôle emploi decides; neither does the other's part (minutes L506-508)
    "ask_completion": _REVIEWERS,
    "propose_adaptation": _REGION,
    "give_avis": _REGION,
    "correct_avis": _REGION,
    "validate_fiche": _DECIDES,
    "refuse_fiche": _DECIDES,
    "read_dossier": {**_REVIEWERS, **_row("dreets", "operations")},
    # publication: entries come from Pôle emploi's systems; the catalogue is public to those who are signed in
    "record_ais": _ENTRIES,
    "cancel_ais": _ENTRIES,
    "record_aes": _ENTRIES,
    "read_catalogue": _EVERYBODY,
    "read_sessions": {**_READERS, **_CARIF_OREF, **_ENTRIES, **_row("agency")},
    "check_validation": {**_EVERYBODY, **_row("training_provider", may="own")},
    # analytics: everybody sees the same figure
    "read_counts": _EVERYBODY,
    "recount": _OPERATIONS,
    # what services say to each other, operations, and who is who
    "hear_event": _row("worker"),
    "read_dead_letters": _OPERATIONS,
    "replay_dead_letter": _OPERATIONS,
    "discard_dead_letter": _OPERATIONS,
    "read_own_account": {**_EVERYBODY, **_row("administrator")},
    "read_principals": _row("administrator", "operations"),
    "manage_principals": _ADMINISTRATOR,
    # RGPD: what is held of a person's own account, and its end
    "export_person": _ADMINISTRATOR,
    "erase_person": _ADMINISTRATOR,
}


_EVERY_ROW: Final = frozenset({REGION, FRANCE_TRAVAIL, CARIF_OREF, DREETS, OPERATIONS})


UNKNOWN: Final = Objection("UNKNOWN", "Aucun objet de ce nom n’est visible pour votre organisation.")


def authorize(
    principal: Principal,
    operation: str,
    owner: str | None = None,
    authors: Collection[str] = (),
    unknown: Objection = UNKNOWN,
) -> None:
    """Let `principal` do `operation` on an object of organisation `owner` (None: no object) that `authors` judged, or raise.

    Raises `Forbidden` when none of the roles may do it, or only on what others judged; `NotFound` when they may but only on
    their own organisation's objects: with `unknown`, which is what the caller is told of an object that does not exist.
    """
    relations = _relations(principal, operation)
    if relations == {"own"} and owner is not None and owner != principal.organisation:
        raise NotFound(unknown)
    if "any" not in relations and principal.id in authors:
        message = "Vous avez rendu un avis sur ce dossier\u202f: la décision revient à une autre personne."
        raise Forbidden(Objection("DECIDES_ON_OWN_AVIS", message, "minutes L506-508"))


def limited_to(principal: Principal, operation: str) -> str | None:
    """Return the organisation whose objects a list is limited to, None for those of all. Raises `Forbidden` like `authorize`."""
    return principal.organisation if _relations(principal, operation) == {"own"} else None


def _relations(principal: Principal, operation: str) -> set[Relation]:
    """Return what the roles of a principal may do an operation on; raises `Forbidden` where that is nothing."""
    relations = {relation for role, relation in POLICY.get(operation, {}).items() if role in principal.roles}
    if not relations:
        raise Forbidden(Objection("ROLE", "Votre rôle ne permet pas cette opération."))
    return relations


def fits(role: str, organisation: str) -> bool:
    """Return whether a principal of this organisation may hold this role."""
    return role in ROLES and ROLES[role](organisation)


def tenant_of(principal: Principal) -> str:
    """Return what row-level security lets this principal see: every row for the closed list of those, else only its own."""
    return "*" if principal.organisation in _EVERY_ROW or principal.kind == "service" else principal.organisation
