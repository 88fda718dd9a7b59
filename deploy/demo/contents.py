"""From the year's parameters to what is filed: the content of a fiche at each step, and the identifiers of its AIS."""

import datetime as dt
from typing import Final
from uuid import UUID, uuid5

from deploy.demo.margins import COMMITTED_CENTS, YEAR
from deploy.demo.year_2021 import Changes, Dated, Fiche, Parameters, Provider, Town, load
from shared.contracts.fiche import POEC_NAMESPACE, FicheContent, fiche_id, session_id
from shared.contracts.references import FollowUpKind, TargetContract

SESSION: Final = 1
"""Every fiche of the year has one session, number 1."""

_CONTRACTS: Final = {
    FollowUpKind.EMPLOI_DIRECT: (TargetContract.CDI, TargetContract.CDD_12_MOIS),
    FollowUpKind.ALTERNANCE: (TargetContract.PROFESSIONNALISATION_12_MOIS, TargetContract.APPRENTISSAGE),
}
_DEROGATION: Final = {"level": "NATIONALE", "reference": "Délibération 2021-44", "decided_on": "2021-06-08", "cap": 434}
ANNOUNCER: Final = "opco-2i"
"""The OPCO that announces what it means to file."""
ANNOUNCED_ON: Final = dt.date(2021, 6, 1)


def fiche_id_of(fiche: Fiche) -> UUID:
    """Return the identifier under which the product knows a fiche of the year."""
    return fiche_id(fiche.opco, fiche.reference)


def session_id_of(fiche: Fiche) -> UUID:
    """Return the identifier of the fiche's only session."""
    return session_id(fiche_id_of(fiche), SESSION)


def ais_id(fiche: Fiche, number: int) -> UUID:
    """Return the identifier of an AIS of the fiche's session, by its number in the story; no person is behind it."""
    return uuid5(POEC_NAMESPACE, f"demo/ais/{fiche.opco}/{fiche.reference}/{number}")


def content_of(fiche: Fiche) -> FicheContent:
    """Return the content that is submitted first."""
    return _content(fiche.parameters, fiche.opco)


def content_at(fiche: Fiche, step: Dated) -> FicheContent:
    """Return the content after a step of the fiche's story: what `complete_fiche` and `counter_propose` send.

    ValueError where the step is not one of the fiche's.
    """
    parameters = fiche.parameters
    for past in fiche.steps:
        changes = None if past.do == "propose_adaptation" else getattr(past, "changes", None)
        parameters = _changed(parameters, changes) if changes else parameters
        if past is step:
            return _content(parameters, fiche.opco)
    raise ValueError("not a step of this fiche")


def is_announced(fiche: Fiche) -> bool:
    """Return whether an intention has the fiche's reference before it is filed: the filing then names its revision, the first."""
    return fiche.opco == ANNOUNCER and fiche.steps[0].on > ANNOUNCED_ON


def revision_before(fiche: Fiche, step: Dated) -> int:
    """Return the revision that stands when a step is taken: what a decision names in `If-Match`."""
    taken = fiche.steps[: next(n for n, past in enumerate(fiche.steps) if past is step)]
    return sum(
        past.do == "submit_fiche" or (past.do != "propose_adaptation" and hasattr(past, "changes")) for past in taken
    )


def place_of(insee: str) -> dict[str, object]:
    """Return the place of a training in a town, as the contracts write it (for a proposed adaptation)."""
    town = load().towns[insee]
    return {"insee": insee, "zone_emploi": town.zone, "address": _address("Espace de formation", town)}


def _changed(parameters: Parameters, changes: Changes) -> Parameters:
    return parameters.model_copy(update={name: getattr(changes, name) for name in changes.model_fields_set})


def _content(p: Parameters, opco: str) -> FicheContent:
    year = load()
    training = year.trainings[p.training]
    content = {
        **training.model_dump(exclude={"nsf"}),
        "nsf": (training.nsf,),
        "programme_year": YEAR,
        "kind": p.kind,
        "branch_idcc": p.branch_idcc,
        "need": p.need.model_dump(),
        "prerequisites": p.prerequisites,
        "hours": p.hours.model_dump(),
        "derogation": _DEROGATION if p.derogation else None,
        "provider": _provider(year.providers[p.provider], year.towns),
        "place": place_of(p.town),
        "sessions": (_session(p),),
        "audiences": ("80006", "80007"),
        "target_contracts": _CONTRACTS[p.follow_up],
        "follow_up": {"kind": p.follow_up, "contract_starts_on": p.contract_starts_on},
        "companies": p.companies,
        "hires_announced": p.hires_announced,
        "sourcing": {"plan": p.sourcing_plan, "partners": ("Agence locale", "Mission locale", "Cap emploi")},
        "money": {"teaching_cost": COMMITTED_CENTS, "opco": COMMITTED_CENTS},
        "procurement": "ATTRIBUE",
        "contact": f"poec@{opco}.example",
    }
    return FicheContent.model_validate(content)


def _session(p: Parameters) -> dict[str, object]:
    meeting = {
        "on": p.meeting_on,
        "starts_at": "09:30",
        "place": f"Agence locale de {load().towns[p.town].name}",
        "audience": "Demandeurs d’emploi et accompagnateurs",
        "seats": 30,
    }
    dates = {"number": SESSION, "start": p.start, "end": p.end}
    return {**dates, "seats": p.seats, "minimum": p.minimum, "meetings": (meeting,)}


def _provider(provider: Provider, towns: dict[str, Town]) -> dict[str, object]:
    address = _address(provider.name.removesuffix(" (organisme inventé)"), towns[provider.town])
    return {"siret": provider.siret, "nda": provider.nda, "name": provider.name, "qualiopi": True, "address": address}


def _address(first_line: str, town: Town) -> dict[str, object]:
    return {"lines": (first_line, "1 rue de l’Exemple"), "postal_code": town.postal_code, "city": town.name}
