"""What an OPCO does with its fiche and what is heard of its dossier, in the order of the story.

A command asks the policy table, then the revision it was decided on, then the domain; an event is taken as a fact.
Each leaves one entry in the audit trail, with codes and figures only: texts stay in the fiche.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar
from uuid import UUID

from services.submission.domain import decisions, hearing, placements, sessions
from services.submission.domain.case import Given
from services.submission.domain.decisions import Decision, Filing
from services.submission.domain.fiche import Fiche
from services.submission.domain.preparation import Held, Preparation
from services.submission.domain.preparing import Prepared, preparation_at_revision
from services.submission.domain.sessions import NewDates
from services.submission.preparation_cases import drop_preparation
from services.submission.store import (
    Fiches,
    Listed,
    Place,
    Version,
    Wanted,
    find_fiche,
    list_fiches,
)
from shared.audit_trail import Change
from shared.contracts.events import FicheEvent
from shared.contracts.fiche import FicheContent, fiche_id
from shared.contracts.placements import Placements
from shared.contracts.references import SessionMotive, SourcingCause, WithdrawalReason
from shared.contracts.validation import (
    AdaptationProposed,
    AvisGiven,
    AvisLapsed,
    CompletionAsked,
    DossierOpened,
    FicheRefused,
    FicheValidated,
)
from shared.database import Database
from shared.errors import Impossible, NotFound
from shared.identity import Principal, service_principal
from shared.policy import authorize, limited_to

Facts = dict[str, str | int | bool | None]
Said = TypeVar("Said", bound=FicheEvent)

WORKER: Final = service_principal("submission", "worker")


@dataclass(frozen=True)
class Asker:
    """Who asks something of which fiche, on which revision they have read (None: they did not say)."""

    principal: Principal
    fiche_id: UUID
    revision: int | None = None


def partners_named(asked: object) -> tuple[UUID, ...]:
    """Return the partners of the directory that a command's content names, if it has one: they are loaded with its fiche."""
    content = getattr(asked, "content", None)
    return content.sourcing.partner_ids if isinstance(content, FicheContent) else ()


def submit_fiche(
    fiches: Fiches, principal: Principal, reference: str, filing: Filing, given: Given, revision: int | None = None
) -> Decision:
    """File a new fiche under the OPCO's own reference, in the place of what was prepared under it at the `revision` read, if said."""
    opco = principal.organisation
    authorize(principal, "submit_fiche", opco)
    identifier = fiche_id(opco, reference)
    held = fiches.get(identifier)
    if revision is not None:
        preparation_at_revision(held, revision)
    decision = decisions.submit_fiche(identifier, opco, reference, filing, given.beside(fiches.desk), held)
    return _record(fiches, held, decision, "submit_fiche", principal.id, {"sessions": len(filing.content.sessions)})


def hear_opened(fiches: Fiches, event: DossierOpened, at: dt.datetime) -> None:
    """Take that a dossier stands open, and the day its avis is due."""
    facts: Facts = {"avis_due_on": event.avis_due_on.isoformat()}
    _hear(fiches, event, "dossier_opened", hearing.dossier_opened, facts)


def hear_completion_asked(fiches: Fiches, event: CompletionAsked, at: dt.datetime) -> None:
    """Take that a reviewer asks for completion."""
    _hear(fiches, event, "completion_asked", hearing.completion_asked, {"items": len(event.items)})


def complete_fiche(fiches: Fiches, asker: Asker, filing: Filing, given: Given) -> Decision:
    """Answer a request for completion."""
    return _decide(
        fiches,
        asker,
        "complete_fiche",
        lambda fiche: decisions.complete_fiche(fiche, filing, given.beside(fiches.desk)),
    )


def amend_fiche(fiches: Fiches, asker: Asker, filing: Filing, given: Given) -> Decision:
    """Change the content of one's own accord."""
    return _decide(
        fiches, asker, "amend_fiche", lambda fiche: decisions.amend_fiche(fiche, filing, given.beside(fiches.desk))
    )


def hear_adaptation(fiches: Fiches, event: AdaptationProposed, at: dt.datetime) -> None:
    """Take that the Région proposes an adaptation."""
    facts: Facts = {"reasons": ",".join(event.reasons), "expires_on": event.expires_on.isoformat()}
    _hear(fiches, event, "adaptation_proposed", hearing.adaptation_proposed, facts)


def accept_adaptation(
    fiches: Fiches, asker: Asker, acknowledged: tuple[str, ...], given: Given, at: dt.datetime
) -> Decision:
    """Take the proposed adaptation over."""

    def decide(fiche: Fiche) -> Decision:
        return decisions.accept_adaptation(fiche, acknowledged, given.beside(fiches.desk), at)

    return _decide(fiches, asker, "accept_adaptation", decide)


def decline_adaptation(
    fiches: Fiches, asker: Asker, reason: str, acknowledged: tuple[str, ...], at: dt.datetime
) -> Decision:
    """Keep the content in spite of the proposed adaptation."""

    def decide(fiche: Fiche) -> Decision:
        return decisions.decline_adaptation(fiche, reason, at, acknowledged)

    return _decide(fiches, asker, "decline_adaptation", decide)


def counter_propose(fiches: Fiches, asker: Asker, filing: Filing, reason: str, given: Given) -> Decision:
    """Answer a proposed adaptation with another content."""

    def decide(fiche: Fiche) -> Decision:
        return decisions.counter_propose(fiche, filing, reason, given.beside(fiches.desk))

    return _decide(fiches, asker, "counter_propose", decide)


def hear_avis(fiches: Fiches, event: AvisGiven, at: dt.datetime) -> None:
    """Take that the Région gave its avis."""
    facts: Facts = {"avis": event.avis.value, "corrects": event.corrects}
    _hear(fiches, event, "avis_given", hearing.avis_given, facts)


def hear_validated(fiches: Fiches, event: FicheValidated, at: dt.datetime) -> None:
    """Take Pôle emploi's yes and its reference."""
    _hear(fiches, event, "fiche_validated", hearing.fiche_validated, {"reference": event.reference})


def hear_refused(fiches: Fiches, event: FicheRefused, at: dt.datetime) -> None:
    """Take Pôle emploi's no."""
    _hear(fiches, event, "fiche_refused", hearing.fiche_refused, {"reasons": ",".join(event.reasons)})


def confirm_programmation(fiches: Fiches, asker: Asker) -> Decision:
    """Say that the validated fiche is really programmed."""
    return _decide(fiches, asker, "confirm_programmation", decisions.confirm_programmation)


def engage_session(
    fiches: Fiches,
    asker: Asker,
    number: int,
    enrolled: int,
    forced_reason: str | None,
    acknowledged: tuple[str, ...],
) -> Decision:
    """Say go for a session."""

    def decide(fiche: Fiche) -> Decision:
        return sessions.engage_session(fiche, number, enrolled, forced_reason, acknowledged)

    return _decide(fiches, asker, "engage_session", decide, {"session": number, "enrolled": enrolled})


def postpone_session(
    fiches: Fiches, asker: Asker, number: int, to: NewDates, given: Given, at: dt.datetime
) -> Decision:
    """Give a session other dates."""

    def decide(fiche: Fiche) -> Decision:
        return sessions.postpone_session(fiche, number, to, given.beside(fiches.desk), at)

    facts: Facts = {"session": number, "motive": to.motive.value, "start": to.start.isoformat(), **_cause(to.cause)}
    return _decide(fiches, asker, "postpone_session", decide, facts)


def cancel_session(
    fiches: Fiches, asker: Asker, number: int, motive: SessionMotive, cause: SourcingCause | None
) -> Decision:
    """Say that a session will not take place."""

    def decide(fiche: Fiche) -> Decision:
        return sessions.cancel_session(fiche, number, motive, cause)

    facts: Facts = {"session": number, "motive": motive.value, **_cause(cause)}
    return _decide(fiches, asker, "cancel_session", decide, facts)


def _cause(cause: SourcingCause | None) -> Facts:
    return {"cause": cause.value} if cause else {}


def hear_lapsed(fiches: Fiches, event: AvisLapsed, at: dt.datetime) -> None:
    """Take that the avis no longer holds."""
    facts: Facts = {"reasons": ",".join(event.reasons), "avis_revision": event.avis_revision}
    _hear(fiches, event, "avis_lapsed", hearing.avis_lapsed, facts)


def return_placements(fiches: Fiches, asker: Asker, number: int, returned: Placements, at: dt.datetime) -> Decision:
    """Say what became of the group of a session."""

    def decide(fiche: Fiche) -> Decision:
        return placements.return_placements(fiche, number, returned, at)

    facts: Facts = {"session": number, "moment": returned.moment.value, "finishing": returned.finishing}
    return _decide(fiches, asker, "return_placements", decide, {**facts, "placed": returned.placed_people})


def withdraw_fiche(fiches: Fiches, asker: Asker, reason: WithdrawalReason, at: dt.datetime) -> Decision | Prepared:
    """Take the fiche back, or drop what was prepared."""
    authorize(asker.principal, "withdraw_fiche")
    held = decisions.existing(fiches.get(asker.fiche_id))
    if isinstance(held, Preparation):
        authorize(asker.principal, "withdraw_fiche", held.opco, unknown=decisions.UNKNOWN)
        if asker.revision is not None:
            preparation_at_revision(held, asker.revision)
        return drop_preparation(fiches, asker.principal, held, reason, at)

    def decide(fiche: Fiche) -> Decision:
        return decisions.withdraw_fiche(fiche, reason)

    return _decide(fiches, asker, "withdraw_fiche", decide, {"reason": reason.value})


async def read_fiches(
    database: Database, principal: Principal, wanted: Wanted, after: Place | None, limit: int
) -> list[Listed]:
    """Return the next fiches of the list that the caller may see."""
    authorize(principal, "read_fiche")
    only = limited_to(principal, "read_fiche")
    if only is not None and wanted.opco not in (None, only):
        return []
    return await list_fiches(database, principal, replace(wanted, opco=wanted.opco or only), after, limit)


async def read_fiche(database: Database, principal: Principal, identifier: UUID) -> Held:
    """Return a fiche that the caller may see, filed or prepared; a draft that was not announced is its OPCO's own business."""
    authorize(principal, "read_fiche")
    held = decisions.existing(await find_fiche(database, principal, identifier))
    authorize(principal, "read_fiche", held.opco, unknown=decisions.UNKNOWN)
    if isinstance(held, Preparation) and held.intention is None and held.opco != principal.organisation:
        raise NotFound(decisions.UNKNOWN)
    return held


def _decide(
    fiches: Fiches, asker: Asker, operation: str, decide: Callable[[Fiche], Decision], facts: Facts | None = None
) -> Decision:
    """Let the caller decide on a fiche of theirs, at the revision they have read."""
    authorize(asker.principal, operation)
    held = decisions.existing(fiches.get(asker.fiche_id))
    authorize(asker.principal, operation, held.opco, unknown=decisions.UNKNOWN)
    fiche = decisions.filed(held, operation)
    if asker.revision is not None:
        decisions.at_revision(fiche, asker.revision)
    return _record(fiches, fiche, decide(fiche), operation, asker.principal.id, facts)


def _hear(fiches: Fiches, event: Said, action: str, take: Callable[[Fiche, Said], Fiche], facts: Facts) -> None:
    """Take a fact of validation; a fiche it knows and we do not is a defect that replaying may mend."""
    authorize(WORKER, "hear_event")
    fiche = fiches.get(event.fiche_id)
    if not isinstance(fiche, Fiche):
        raise Impossible("FICHE_UNKNOWN", "no fiche of this id was ever submitted here")
    heard: Facts = {"heard_revision": event.revision, **facts}
    _record(fiches, fiche, Decision(take(fiche, event)), action, WORKER.id, heard)


def _record(
    fiches: Fiches, before: Held | None, decision: Decision, action: str, actor: str, facts: Facts | None
) -> Decision:
    """Put the new state into the set with its one audit entry, and keep a new content whole; `revision` is in every entry."""
    new = decision.fiche
    said: Facts = {"revision": new.revision, **(facts or {})}
    if decision.warnings:
        said["acknowledged"] = ",".join(warning.code for warning in decision.warnings)
    was = before.status.value if before else None
    if not isinstance(before, Fiche) or before.revision != new.revision:
        fiches.keep(Version(new, action, actor))
    fiches.put(new.id, new, Change(action, actor, was, new.status.value, decision.events, said))
    return decision
