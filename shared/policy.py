"""Who may do what: operation x role x relation to the object, deny by default. Asked by HTTP, consumers and commands alike.

Relations: `own` = the object belongs to the caller's organisation (another one's is answered like an unknown one),
`any` = whoever it belongs to. States are the lifecycles' business: each lifecycle row names the operation it is for.
"""

from typing import Final, Literal

from shared.contracts.references import CARIF_OREF, DREETS, FRANCE_TRAVAIL, OPERATIONS, REGION
from shared.errors import Forbidden, NotFound, Objection
from shared.identity import Principal

Relation = Literal["own", "any"]

_OPCO: Final[dict[str, Relation]] = {"opco": "own"}
_REGION: Final[dict[str, Relation]] = {"region_reviewer": "any"}
_POLE_EMPLOI: Final[dict[str, Relation]] = {"pole_emploi_reviewer": "any"}
_REVIEWERS: Final[dict[str, Relation]] = {**_REGION, **_POLE_EMPLOI}
_READERS: Final[dict[str, Relation]] = {
    **_OPCO,
    **_REVIEWERS,
    "carif_oref": "any",
    "dreets": "any",
    "operations": "any",
}
_ENTRIES: Final[dict[str, Relation]] = {"entries": "any"}
_SERVICES: Final[dict[str, Relation]] = {"worker": "any"}
_EVERYBODY: Final[dict[str, Relation]] = {**_READERS, **_ENTRIES, "opco": "any"}
_OPERATIONS: Final[dict[str, Relation]] = {"operations": "any"}

POLICY: Final[dict[str, dict[str, Relation]]] = {
    # submission: an OPCO on its own fiches
    "submit_fiche": _OPCO,
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
    "read_fiche": _READERS,
    # validation: the Région gives the avis, Pôle emploi decides; neither does the other's part (minutes L506-508)
    "ask_completion": _REVIEWERS,
    "propose_adaptation": _REGION,
    "give_avis": _REGION,
    "correct_avis": _REGION,
    "validate_fiche": _POLE_EMPLOI,
    "refuse_fiche": _POLE_EMPLOI,
    "read_dossier": {**_REVIEWERS, "dreets": "any", "operations": "any"},
    # publication: entries come from Pôle emploi's systems; the catalogue is public to those who are signed in
    "record_ais": _ENTRIES,
    "cancel_ais": _ENTRIES,
    "record_aes": _ENTRIES,
    "read_catalogue": _EVERYBODY,
    "check_validation": _EVERYBODY,
    # analytics: everybody sees the same figure
    "read_counts": _EVERYBODY,
    "recount": _OPERATIONS,
    # what services say to each other, and operations
    "hear_event": _SERVICES,
    "read_dead_letters": _OPERATIONS,
    "replay_dead_letter": _OPERATIONS,
    "discard_dead_letter": _OPERATIONS,
}


_EVERY_ROW: Final = frozenset({REGION, FRANCE_TRAVAIL, CARIF_OREF, DREETS, OPERATIONS})


def authorize(principal: Principal, operation: str, owner: str | None = None) -> None:
    """Let `principal` do `operation` on an object of organisation `owner` (None: no object), or raise.

    Raises `Forbidden` when none of the roles may do it, `NotFound` when they may but only on their own organisation's objects.
    """
    relations = {relation for role, relation in POLICY.get(operation, {}).items() if role in principal.roles}
    if not relations:
        raise Forbidden(Objection("ROLE", "Votre rôle ne permet pas cette opération."))
    if "any" not in relations and owner is not None and owner != principal.organisation:
        raise NotFound(Objection("UNKNOWN", "Aucun objet de ce nom n’est visible pour votre organisation."))


def tenant_of(principal: Principal) -> str:
    """Return what row-level security lets this principal see: every row for the closed list of those, else only its own."""
    return "*" if principal.organisation in _EVERY_ROW or principal.kind == "service" else principal.organisation
