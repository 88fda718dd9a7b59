"""What an OPCO does before it files, in the order of the story: it announces, drafts, takes up again, drops.

Each change leaves one entry in the audit trail, with figures only: what was typed stays in the draft.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from services.submission.domain import decisions, preparing
from services.submission.domain.case import Given
from services.submission.domain.content import contract_covers
from services.submission.domain.fiche import PREPARED, Fiche
from services.submission.domain.lifecycle import allowed
from services.submission.domain.preparation import Held, Preparation
from services.submission.domain.preparing import Named, Prepared
from services.submission.domain.renewal import renewed_content
from services.submission.store import Fiches, find_fiche
from shared.audit_trail import Change
from shared.contracts.fiche import FicheContent, Intention, fiche_id
from shared.contracts.references import WithdrawalReason
from shared.database import Database
from shared.errors import RevisionRequired
from shared.identity import Principal
from shared.policy import authorize

Facts = dict[str, str | int | bool | None]
FieldsOf = Callable[[FicheContent], Mapping[str, str]]
_TO_PROCURE = ("procurement", "tender")


@dataclass(frozen=True)
class Renewal:
    """Which fiche is taken up again, under which reference, for which year; `fields_of` shows a content as a form does."""

    source: UUID
    reference: str
    programme_year: int
    fields_of: FieldsOf


def preprogramme_fiche(
    fiches: Fiches,
    principal: Principal,
    reference: str,
    intention: Intention,
    acknowledged: tuple[str, ...],
    given: Given,
    at: dt.datetime,
    revision: int | None = None,
) -> Prepared:
    """Announce what is meant under the OPCO's own reference."""
    named, held = _named(fiches, principal, "preprogramme_fiche", reference, revision)
    done = preparing.preprogramme_fiche(named, intention, acknowledged, given, at, held)
    facts: Facts = {"seats": intention.seats, "sessions": intention.sessions}
    return _record(fiches, held, done, "preprogramme_fiche", principal.id, facts)


def draft_fiche(
    fiches: Fiches,
    principal: Principal,
    reference: str,
    fields: Mapping[str, str],
    at: dt.datetime,
    revision: int | None = None,
) -> Prepared:
    """Keep what stands in the form; what is there already is not written again."""
    named, held = _named(fiches, principal, "draft_fiche", reference, revision)
    done = preparing.draft_fiche(named, fields, at, held)
    if done.fiche is held:
        return done
    return _record(fiches, held, done, "draft_fiche", principal.id, {"fields": len(done.fiche.fields)})


def renew_fiche(fiches: Fiches, principal: Principal, renewal: Renewal, at: dt.datetime) -> Prepared:
    """Take a fiche of an earlier year up again: a draft with its fields, dates moved into the same weeks of the new year."""
    authorize(principal, "renew_fiche")
    found = decisions.existing(fiches.get(renewal.source))
    authorize(principal, "renew_fiche", found.opco, unknown=decisions.UNKNOWN)
    source = decisions.filed(found, "renew_fiche")
    allowed("renew_fiche", source.status)
    content = renewed_content(source, renewal.programme_year)
    left_out = () if contract_covers(content) else _TO_PROCURE
    fields = {path: text for path, text in renewal.fields_of(content).items() if path.split(".")[0] not in left_out}
    named, held = _named(fiches, principal, "renew_fiche", renewal.reference, None)
    done = preparing.renew_fiche(named, fields, at, source, held)
    facts: Facts = {"renews": str(source.id), "fields": len(fields)}
    return _record(fiches, held, done, "renew_fiche", principal.id, facts)


def drop_preparation(
    fiches: Fiches, principal: Principal, prepared: Preparation, reason: WithdrawalReason, at: dt.datetime
) -> Prepared:
    """Drop what was prepared; who may do so was asked before."""
    done = preparing.drop_preparation(prepared, reason, at)
    return _record(fiches, prepared, done, "withdraw_fiche", principal.id, {"reason": reason.value})


async def read_renewed(database: Database, principal: Principal, held: Held) -> Fiche | None:
    """Return the fiche that a draft takes up again, to its own OPCO, for its results to be shown beside it."""
    if not isinstance(held, Preparation) or held.renews is None or held.opco != principal.organisation:
        return None
    found = await find_fiche(database, principal, held.renews)
    return found if isinstance(found, Fiche) else None


def revision_named(fiches: Fiches, principal: Principal, reference: str, read: int | None) -> int | None:
    """Return the revision that was read: who changes or files a draft or an intention of their own says which.

    Of what was filed or dropped none is asked: that it has the reference is the answer. Raises `RevisionRequired`.
    """
    held = fiches.get(fiche_id(principal.organisation, reference))
    if read is None and held is not None and held.status in PREPARED:
        raise RevisionRequired(preparing.revision_to_name(held))
    return read


def _named(
    fiches: Fiches, principal: Principal, operation: str, reference: str, revision: int | None
) -> tuple[Named, Held | None]:
    """Return what a reference of the caller's names and what it holds, at the revision that they have read."""
    opco = principal.organisation
    authorize(principal, operation, opco)
    named = Named(fiche_id(opco, reference), opco, reference, fiches.prepared)
    held = fiches.get(named.id)
    if revision is not None:
        preparing.preparation_at_revision(held, revision)
    return named, held


def _record(fiches: Fiches, before: Held | None, done: Prepared, action: str, actor: str, facts: Facts) -> Prepared:
    """Put the new state into the set with its one audit entry."""
    new = done.fiche
    said: Facts = {"revision": new.revision, **facts}
    if done.warnings:
        said["acknowledged"] = ",".join(warning.code for warning in done.warnings)
    was = before.status.value if before else None
    fiches.prepared += before is None
    fiches.put(new.id, new, Change(action, actor, was, new.status.value, done.events, said))
    return done
