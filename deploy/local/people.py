"""The people of the embedded run: accounts that one may choose at the local identity provider, invented like their mailboxes.

They are named by what they do, never like a person. Organisation and roles are registered with each service when it starts for
the first time (`registration.py`), and may be changed there.
"""

from dataclasses import dataclass

from deploy.local.clients import PROVIDER_SIRET
from shared.contracts.references import CARIF_OREF, DREETS, FRANCE_TRAVAIL, OPCOS, OPERATIONS, REGION


@dataclass(frozen=True)
class Account:
    """One account: its pseudonym, what a screen calls it, whose it is, as what it is registered, and its functional mailbox."""

    id: str
    label: str
    organisation: str
    roles: tuple[str, ...]
    login: str
    siret: str | None = None


_TABLE = (
    *(Account(f"p-{opco}", f"{label}, dépôt des fiches", opco, ("opco",), f"depot@{opco}.example") for opco, label in OPCOS.items()),
    Account("p-region-1", "Région, instruction", REGION, ("region_reviewer",), "instruction@region.example"),
    Account("p-region-2", "Région, suppléance", REGION, ("region_reviewer",), "suppleance@region.example"),
    Account("p-pole-emploi-1", "Pôle emploi, validation", FRANCE_TRAVAIL, ("pole_emploi_reviewer",), "validation@pole-emploi.example"),
    Account("p-pole-emploi-2", "Pôle emploi, suppléance", FRANCE_TRAVAIL, ("pole_emploi_reviewer",), "suppleance@pole-emploi.example"),
    Account("p-france-travail", "France Travail, saisie des entrées", FRANCE_TRAVAIL, ("entries",), "entrees@france-travail.example"),
    Account("p-carif-oref", "Carif-Oref, catalogue", CARIF_OREF, ("carif_oref",), "catalogue@carif-oref.example"),
    Account("p-dreets", "DREETS, pilotage", DREETS, ("dreets",), "pilotage@dreets.example"),
    Account(
        "p-organisme", "Organisme de formation, sessions", PROVIDER_SIRET, ("training_provider",), "sessions@organisme.example",
        PROVIDER_SIRET,
    ),
    Account("p-agence", "Agence de Caen, orientation", "agence-caen", ("agency",), "orientation@agence-caen.example"),
    Account("p-operations", "Exploitation, supervision", OPERATIONS, ("operations",), "supervision@exploitation.example"),
    Account("p-administrator", "Exploitation, comptes", OPERATIONS, ("administrator",), "comptes@exploitation.example"),
)  # fmt: skip
ACCOUNTS: dict[str, Account] = {account.id: account for account in _TABLE}
