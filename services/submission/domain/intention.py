"""Rules on an intention: what an OPCO says before provider and content are known (minutes L384-391)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from services.submission.domain.case import Facts, Given
from services.submission.domain.parties import known_zone, own_branch
from services.submission.domain.programme import known_rome
from services.submission.domain.texts import heeded, name_warning
from shared.contracts.fiche import Intention
from shared.errors import Objection, RulesRefused

_SOURCE: Final = "minutes L384-391"


@dataclass(frozen=True)
class Meant:
    """An intention under examination, and whose it is."""

    intention: Intention
    opco: str
    given: Given


IntentionRule: TypeAlias = Callable[[Meant], Objection | None]


def job_is_known(meant: Meant) -> Objection | None:
    """The job is one of the ROME list."""
    return known_rome(meant.intention.rome, meant.given.references.rome, "intention.rome")


def zone_is_of_the_region(meant: Meant) -> Objection | None:
    """The employment zone is one of ZE2020 that lies in or touches Normandie."""
    return known_zone(meant.intention.zone_emploi, "intention.zone_emploi")


def branch_is_of_the_opco(meant: Meant) -> Objection | None:
    """The branch, where one is named, belongs to the OPCO (L6332-1-1 III)."""
    idcc = meant.intention.branch_idcc
    return own_branch(idcc, meant.opco, "intention.branch_idcc") if idcc else None


def period_runs_forward(meant: Meant) -> Objection | None:
    """The latest first day is not before the earliest."""
    first, last = meant.intention.starts_from, meant.intention.starts_until
    if first <= last:
        return None
    message = "La période de démarrage finit avant d’avoir commencé\u202f: corrigez ses dates."
    facts: Facts = {"from": first.isoformat(), "until": last.isoformat()}
    return Objection("INTENTION_PERIOD", message, _SOURCE, "intention.starts_until", facts)


def period_is_in_its_year(meant: Meant) -> Objection | None:
    """The sessions meant start within the year they are programmed for (minutes L176-182)."""
    intention = meant.intention
    for field in ("starts_from", "starts_until"):
        if (year := getattr(intention, field).year) != intention.programme_year:
            message = (
                f"La période de démarrage sort du millésime {intention.programme_year}\u202f:"
                " corrigez ses dates ou déclarez deux intentions."
            )
            facts: Facts = {"year": year, "programme_year": intention.programme_year}
            return Objection("INTENTION_YEAR", message, "minutes L176-182", f"intention.{field}", facts)
    return None


INTENTION_RULES: Final[tuple[IntentionRule, ...]] = (
    job_is_known,
    zone_is_of_the_region,
    branch_is_of_the_opco,
    period_runs_forward,
    period_is_in_its_year,
)


def admit_intention(
    meant: Meant, acknowledged: tuple[str, ...], also: tuple[Objection, ...] = ()
) -> tuple[Objection, ...]:
    """Return the warnings that stand acknowledged; raises `RulesRefused` with all objections, or `WarningsUnanswered`."""
    warned = name_warning([("intention.title", meant.intention.title)])
    objections = (*also, *(found for rule in INTENTION_RULES if (found := rule(meant))))
    if objections:
        raise RulesRefused(*objections, warnings=(warned,) if warned else ())
    return heeded(warned, acknowledged)
