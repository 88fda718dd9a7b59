"""What can be done with a dossier and what is heard of its fiche, in the order of the story.

A command asks the policy table, then the revision it was decided on, then the domain; an event is taken as a fact.
Each leaves one entry in the audit trail, with codes and figures only: comments stay in the dossier.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from services.validation import store
from services.validation.domain import adaptation, avis, completion, decision, hearing, texts
from services.validation.domain.dossier import Decided, Dossier, Outcome, Status
from services.validation.domain.hearing import Limits
from services.validation.store import Listed, Place
from shared.audit_trail import Change
from shared.contracts.fiche import FicheContent
from shared.contracts.submission import (
    AdaptationAccepted,
    AdaptationDeclined,
    CounterProposed,
    FicheAmended,
    FicheCompleted,
    FicheSubmitted,
    FicheWithdrawn,
    SessionCancelled,
    SessionPostponed,
)
from shared.contracts.validation import CompletionItem
from shared.database import Database
from shared.errors import Impossible, NotFound, Objection
from shared.identity import Principal, service_principal
from shared.policy import authorize
from shared.working_set import WorkingSet

Dossiers = WorkingSet[Dossier]
Facts = dict[str, str | int | bool | None]

_WORKER: Final = service_principal("validation", "worker").id


def hear_submitted(dossiers: Dossiers, event: FicheSubmitted, at: dt.datetime, limits: Limits) -> None:
    """Open the dossier of a fiche that was submitted."""
    if dossiers.get(event.fiche_id) is not None:
        raise Impossible("DOSSIER_EXISTS", "a fiche is submitted once; a dossier stands open for it already")
    decided = hearing.open_dossier(event, at, limits)
    _record(dossiers, None, decided, "fiche_submitted", _WORKER, {"avis_due_on": decided[0].avis_due_on.isoformat()})


def ask_completion(
    dossiers: Dossiers,
    principal: Principal,
    fiche_id: UUID,
    revision: int,
    items: tuple[CompletionItem, ...],
    acknowledged: tuple[str, ...] = (),
) -> Dossier:
    """Ask the OPCO to complete its fiche."""
    dossier = _asked(dossiers, principal, "ask_completion", fiche_id, revision)
    said = [(f"items.{n}.request", item.request) for n, item in enumerate(items)]
    decided = texts.noticed(lambda: completion.ask_completion(dossier, items), said, acknowledged)
    facts: Facts = {"items": len(items), **_heeded(said)}
    return _record(dossiers, dossier, decided, "ask_completion", principal.id, facts)


def hear_completed(dossiers: Dossiers, event: FicheCompleted, at: dt.datetime, limits: Limits) -> None:
    """Take the content that answers a request for completion."""
    dossier = _known(dossiers, event.fiche_id)
    _take(dossiers, dossier, event.content, event.revision, "fiche_completed", limits, Status.COMPLETION_ASKED)


def hear_amended(dossiers: Dossiers, event: FicheAmended, at: dt.datetime, limits: Limits) -> None:
    """Take a content that the OPCO changed of its own accord."""
    dossier = _known(dossiers, event.fiche_id)
    _take(dossiers, dossier, event.content, event.revision, "fiche_amended", limits)


def propose_adaptation(
    dossiers: Dossiers,
    principal: Principal,
    fiche_id: UUID,
    revision: int,
    asked: adaptation.AskedAdaptation,
    at: dt.datetime,
) -> Dossier:
    """Propose other dates or another place to the OPCO."""
    dossier = _asked(dossiers, principal, "propose_adaptation", fiche_id, revision)
    said = [("comment", asked.comment)]
    decided = texts.noticed(lambda: adaptation.propose_adaptation(dossier, asked, at), said, asked.acknowledged)
    facts: Facts = {
        "reasons": ",".join(asked.reasons),
        "expires_on": asked.expires_on.isoformat(),
        **_heeded(said),
    }
    return _record(dossiers, dossier, decided, "propose_adaptation", principal.id, facts)


def hear_accepted(dossiers: Dossiers, event: AdaptationAccepted, at: dt.datetime, limits: Limits) -> None:
    """Take the content in which the OPCO took the adaptation over."""
    dossier = hearing.answer_proposal(_known(dossiers, event.fiche_id), Outcome.ACCEPTED)
    _take(dossiers, dossier, event.content, event.revision, "adaptation_accepted", limits, Status.ADAPTATION_PROPOSED)


def hear_declined(dossiers: Dossiers, event: AdaptationDeclined, at: dt.datetime) -> None:
    """Record that the OPCO declined the adaptation; the avis is to be given."""
    dossier = _known(dossiers, event.fiche_id)
    _record(dossiers, dossier, hearing.decline_adaptation(dossier, event.reason), "adaptation_declined", _WORKER)


def hear_countered(dossiers: Dossiers, event: CounterProposed, at: dt.datetime, limits: Limits) -> None:
    """Take the content that the OPCO proposes instead of the adaptation."""
    dossier = hearing.answer_proposal(_known(dossiers, event.fiche_id), Outcome.COUNTERED, event.reason)
    _take(dossiers, dossier, event.content, event.revision, "counter_proposed", limits, Status.ADAPTATION_PROPOSED)


def give_avis(
    dossiers: Dossiers, principal: Principal, fiche_id: UUID, revision: int, asked: avis.AskedAvis, at: dt.datetime
) -> Dossier:
    """Give the Région's avis."""
    dossier = _asked(dossiers, principal, "give_avis", fiche_id, revision)
    said = [("comment", asked.comment)]
    decided = texts.noticed(lambda: avis.give_avis(dossier, asked, principal.id, at), said, asked.acknowledged)
    return _record(dossiers, dossier, decided, "give_avis", principal.id, _avis_facts(dossier, asked))


def correct_avis(
    dossiers: Dossiers, principal: Principal, fiche_id: UUID, revision: int, asked: avis.AskedAvis, at: dt.datetime
) -> Dossier:
    """Replace the avis by another one, before the decision."""
    dossier = _asked(dossiers, principal, "correct_avis", fiche_id, revision)
    said = [("comment", asked.comment)]
    decided = texts.noticed(lambda: avis.correct_avis(dossier, asked, principal.id, at), said, asked.acknowledged)
    return _record(dossiers, dossier, decided, "correct_avis", principal.id, _avis_facts(dossier, asked))


def validate_fiche(
    dossiers: Dossiers,
    principal: Principal,
    fiche_id: UUID,
    revision: int,
    reason: str | None,
    acknowledged: tuple[str, ...],
    at: dt.datetime,
) -> Dossier:
    """Give Pôle emploi's yes, and with it the reference that the Carif-Oref checks a session against."""
    dossier = _asked(dossiers, principal, "validate_fiche", fiche_id, revision)
    said = [("reason", reason or "")]
    decided = texts.noticed(lambda: decision.validate_fiche(dossier, reason, at), said, acknowledged)
    validation = decided[0].validation
    facts: Facts = {"reference": validation.reference, "against_avis": validation.against_avis} if validation else {}
    return _record(dossiers, dossier, decided, "validate_fiche", principal.id, {**facts, **_heeded(said)})


def refuse_fiche(
    dossiers: Dossiers,
    principal: Principal,
    fiche_id: UUID,
    revision: int,
    asked: decision.AskedRefusal,
    at: dt.datetime,
) -> Dossier:
    """Give Pôle emploi's no, with its coded reasons."""
    dossier = _asked(dossiers, principal, "refuse_fiche", fiche_id, revision)
    said = [("comment", asked.comment)]
    decided = texts.noticed(lambda: decision.refuse_fiche(dossier, asked, at), said, asked.acknowledged)
    facts: Facts = {"reasons": ",".join(asked.reasons), **_heeded(said)}
    return _record(dossiers, dossier, decided, "refuse_fiche", principal.id, facts)


def hear_postponed(dossiers: Dossiers, event: SessionPostponed, at: dt.datetime, limits: Limits) -> None:
    """Take the content in which a session got other dates."""
    dossier = _known(dossiers, event.fiche_id)
    _take(dossiers, dossier, event.content, event.revision, "session_postponed", limits)


def hear_cancelled(dossiers: Dossiers, event: SessionCancelled, at: dt.datetime) -> None:
    """Record that a session will not take place; close the dossier where the fiche goes with it."""
    dossier = _known(dossiers, event.fiche_id)
    decided = hearing.cancel_session(dossier, event.number, fiche_cancelled=event.fiche_cancelled)
    facts: Facts = {"session": event.number, "motive": event.motive.value}
    _record(dossiers, dossier, decided, "session_cancelled", _WORKER, facts)


def hear_withdrawn(dossiers: Dossiers, event: FicheWithdrawn, at: dt.datetime) -> None:
    """Close the dossier of a fiche that the OPCO took back."""
    dossier = _known(dossiers, event.fiche_id)
    _record(dossiers, dossier, hearing.close(dossier), "fiche_withdrawn", _WORKER, {"reason": event.reason.value})


async def read_dossiers(
    database: Database, principal: Principal, status: Status | None, opco: str | None, after: Place | None, limit: int
) -> list[Listed]:
    """Return a page of the queue, the oldest dossiers first."""
    authorize(principal, "read_dossier")
    return await store.list_dossiers(database, principal, status, opco, after, limit)


async def read_dossier(database: Database, principal: Principal, fiche_id: UUID) -> Dossier:
    """Return the dossier of a fiche."""
    authorize(principal, "read_dossier")
    dossier = await store.find_dossier(database, principal, fiche_id)
    if dossier is None:
        raise NotFound(_UNKNOWN)
    authorize(principal, "read_dossier", dossier.opco, unknown=_UNKNOWN)
    return dossier


_UNKNOWN: Final = Objection("UNKNOWN", "Aucun dossier n’est ouvert pour cette fiche.")


def _asked(dossiers: Dossiers, principal: Principal, operation: str, fiche_id: UUID, revision: int) -> Dossier:
    """Return the dossier, once the caller may do this and has read its current revision."""
    authorize(principal, operation)
    dossier = dossiers.get(fiche_id)
    if dossier is None:
        raise NotFound(_UNKNOWN)
    authorize(principal, operation, dossier.opco, dossier.advisers, _UNKNOWN)
    decision.at_revision(dossier, revision)
    return dossier


def _known(dossiers: Dossiers, fiche_id: UUID) -> Dossier:
    dossier = dossiers.get(fiche_id)
    if dossier is None:
        raise Impossible("DOSSIER_UNKNOWN", "no dossier was opened for this fiche")
    return dossier


def _take(
    dossiers: Dossiers,
    dossier: Dossier,
    content: FicheContent,
    revision: int,
    action: str,
    limits: Limits,
    awaited: Status | None = None,
) -> None:
    _record(dossiers, dossier, hearing.take_content(dossier, revision, content, limits, awaited), action, _WORKER)


def _record(
    dossiers: Dossiers, before: Dossier | None, decided: Decided, action: str, actor: str, facts: Facts | None = None
) -> Dossier:
    """Put the new state into the set with its one audit entry; `revision` is in every entry."""
    new, events = decided
    said = {"revision": new.revision, **(facts or {})}
    change = Change(action, actor, before.status.value if before else None, new.status.value, events, said)
    dossiers.put(new.fiche_id, new, change)
    return new


def _avis_facts(dossier: Dossier, asked: avis.AskedAvis) -> Facts:
    """Return what the trail says of an avis: its kind and reasons, and whether the OPCO had declined an adaptation."""
    declined = dossier.proposal is not None and dossier.proposal.outcome is Outcome.DECLINED
    return {
        "avis": asked.kind.value,
        "reasons": ",".join(asked.reasons),
        "prf_committed": asked.prf_committed,
        "adaptation_declined": declined,
        **_heeded([("comment", asked.comment)]),
    }


def _heeded(said: Sequence[tuple[str, str]]) -> Facts:
    """Return what the trail says of the warning about these texts, which was acknowledged by now."""
    codes = ",".join(warning.code for warning in texts.name_warnings(said))
    return {"acknowledged": codes} if codes else {}
