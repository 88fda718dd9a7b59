"""Who may do what writes to the trail, written down a second time from the rules, and compared with no service's table.

One line per action: `action: role role`, and in brackets what more must hold: `own`, the fiche is of the actor's organisation;
`not author`, he gave no avis on it; `not himself`, the row is another one's. What is not in here, only a service's worker does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from stdnum.fr import siret

from shared.contracts.references import CARIF_OREF, DREETS, FRANCE_TRAVAIL, OPCOS, OPERATIONS, REGION

_DEEDS: Final = """
save_template: opco (own)
delete_template: opco (own)
preprogramme_fiche: opco (own)
draft_fiche: opco (own)
renew_fiche: opco (own)
submit_fiche: opco (own)
complete_fiche: opco (own)
amend_fiche: opco (own)
accept_adaptation: opco (own)
decline_adaptation: opco (own)
counter_propose: opco (own)
confirm_programmation: opco (own)
engage_session: opco (own)
postpone_session: opco (own)
cancel_session: opco (own)
withdraw_fiche: opco (own)
return_placements: opco (own)
open_campaign: dreets
move_campaign: dreets
extend_campaign: dreets
record_conference: dreets
correct_conference: dreets
adopt_programme: dreets
declare_projects: opco (own)
deliver_estimates: opco (own)
record_partner: region_reviewer
retire_partner: region_reviewer
ask_completion: region_reviewer pole_emploi_reviewer
propose_adaptation: region_reviewer
give_avis: region_reviewer
correct_avis: region_reviewer
validate_fiche: pole_emploi_reviewer (not author)
refuse_fiche: pole_emploi_reviewer (not author)
record_ais: entries
cancel_ais: entries
record_aes: entries
replay_dead_letter: operations
discard_dead_letter: operations
register_principal: administrator (not himself)
change_principal: administrator (not himself)
disable_principal: administrator (not himself)
erase_person: administrator (not himself)
"""


@dataclass(frozen=True)
class Deed:
    """Whose deed an action is: one of these roles, and what more must hold (`own`, `not author`, `not himself`, or nothing)."""

    roles: frozenset[str]
    more: str = ""


def _deed(text: str) -> Deed:
    roles, _, more = text.rstrip(")").partition("(")
    return Deed(frozenset(roles.split()), more)


DEEDS: Final = {
    action: _deed(text) for action, _, text in (line.partition(": ") for line in _DEEDS.strip().splitlines())
}
AVIS: Final = frozenset({"give_avis", "correct_avis"})
"""What makes somebody an author of an avis."""
_HOLDERS: Final[dict[str, Callable[[str], bool]]] = {
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


def may_hold(organisation: str, role: str) -> bool:
    """Return whether somebody of this organisation may hold this role: nobody stands on two sides of one fiche (minutes L506-508)."""
    return role in _HOLDERS and _HOLDERS[role](organisation)


def of_topic(organisation: str) -> frozenset[str]:
    """Return the roles of an organisation's own Kafka topic; none for one that has no topic."""
    if organisation == FRANCE_TRAVAIL:
        return frozenset({"entries"})
    return frozenset({"opco"}) if organisation in OPCOS else frozenset()
