"""What an OPCO does before it files: announces an intention, keeps a draft, takes a fiche up again, drops it. Pure, like all decisions."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from services.submission.domain.case import Given
from services.submission.domain.decisions import reference_form, reference_taken
from services.submission.domain.fiche import CHANGES_KEPT, Changed, Fiche, Status
from services.submission.domain.intention import Meant, admit_intention
from services.submission.domain.lifecycle import allowed
from services.submission.domain.preparation import Held, Preparation
from services.submission.domain.sources import AS_READ, ONE_NAME, ROOM_FOR_ALL, SOMETHING_CHANGES
from shared.contracts.events import FicheEvent
from shared.contracts.fiche import Intention
from shared.contracts.references import WithdrawalReason
from shared.contracts.submission import FichePreprogrammed, IntentionDropped
from shared.errors import NotAllowedNow, Objection, RulesRefused, Stale

MOST_OPEN = 1_000
"""So many drafts and intentions one OPCO may have open: many years of its fiches."""
MOST_SAVINGS = 10_000
"""So often one draft may be saved: each saving is an entry of the trail for ever, and a form is kept every few seconds at most."""
_NAMED = 10
"""So many changed fields are named to who comes too late; the others are counted."""


@dataclass(frozen=True)
class Prepared:
    """What a decision makes of a preparation: its new state, the events that say so, the warnings that stand acknowledged."""

    fiche: Preparation
    events: tuple[FicheEvent, ...] = ()
    warnings: tuple[Objection, ...] = ()


@dataclass(frozen=True)
class Named:
    """Under which identifier and reference something is prepared, and by which OPCO, which has so many drafts and intentions open."""

    id: UUID
    opco: str
    reference: str
    prepared: int = 0


def preprogramme_fiche(
    named: Named,
    intention: Intention,
    acknowledged: tuple[str, ...],
    given: Given,
    at: dt.datetime,
    held: Held | None,
) -> Prepared:
    """Announce what is meant, or announce it anew: the Région sees it, nothing counts it as firm (rule 12, minutes L384-391)."""
    before = _open(held, "preprogramme_fiche")
    also = [_form(named, before), _unchanged(intention, before)]
    meant = Meant(intention, named.opco, given)
    warnings = admit_intention(meant, acknowledged, tuple(one for one in also if one))
    new = replace(_next(named, before, at, _changed_intention(before, intention)), status=Status.PREPROGRAMMED)
    event = FichePreprogrammed(
        fiche_id=named.id, opco=named.opco, revision=new.revision, reference=named.reference, intention=intention
    )
    return Prepared(replace(new, intention=intention), (event,), warnings)


def draft_fiche(named: Named, fields: Mapping[str, str], at: dt.datetime, held: Held | None) -> Prepared:
    """Keep what stands in the form, right or wrong; what was announced stays announced. Nobody is told of a draft."""
    before = _open(held, "draft_fiche")
    if wrong := _form(named, before):
        raise RulesRefused(wrong)
    kept = {path: text for path, text in fields.items() if text}
    if before is not None and before.status is Status.DRAFT and before.fields == kept:
        return Prepared(before)
    new = _next(named, before, at, changed_paths(before.fields if before else {}, kept))
    return Prepared(replace(new, status=Status.DRAFT, fields=kept))


def renew_fiche(named: Named, fields: Mapping[str, str], at: dt.datetime, source: Fiche, held: Held | None) -> Prepared:
    """Take a fiche of an earlier year up again under another reference: a draft with its fields, which says what it renews."""
    allowed("renew_fiche", source.status)
    if isinstance(held, Preparation):
        message = "Un brouillon ou une intention porte déjà cette référence\u202f: choisissez-en une autre."
        raise NotAllowedNow(
            Objection("REFERENCE_TAKEN", message, ONE_NAME, field="reference", facts={"status": held.status.value})
        )
    return Prepared(replace(draft_fiche(named, fields, at, held).fiche, renews=source.id))


def drop_preparation(prepared: Preparation, reason: WithdrawalReason, at: dt.datetime) -> Prepared:
    """Drop what was prepared: what was announced is said to be dropped, a draft goes silently and its fields with it."""
    allowed("withdraw_fiche", prepared.status)
    new = replace(
        prepared, status=Status.WITHDRAWN, withdrawal=reason, revision=prepared.revision + 1, fields={}, saved_at=at
    )
    if prepared.intention is None:
        return Prepared(new)
    event = IntentionDropped(fiche_id=new.id, opco=new.opco, revision=new.revision, reason=reason)
    return Prepared(new, (event,))


def revision_to_name(held: Held) -> Objection:
    """Return what to say to somebody who changes or files what is prepared under a reference, and names no revision."""
    what = "Un brouillon" if held.status is Status.DRAFT else "Une intention"
    message = (
        f"{what} porte cette référence\u202f: lisez GET /fiches/{held.id} et renvoyez son ETag dans l’en-tête If-Match."
    )
    return Objection("IF_MATCH", message, AS_READ, facts={"fiche_id": str(held.id), "status": held.status.value})


def preparation_at_revision(held: Held | None, read: int) -> None:
    """Raise `Stale` where the caller has read another revision than the current one: two people at one draft do not overwrite."""
    if isinstance(held, Fiche) or (held is not None and held.revision == read):
        return  # of a fiche that was filed the decision says so
    if held is None:
        message = "Aucun brouillon ne porte cette référence\u202f: enregistrez sans If-Match, puis relisez."
        raise Stale(Objection("REVISION", message, AS_READ, facts={"read": read}))
    message = (
        f"Le brouillon en est à l’enregistrement {held.revision}, vous avez lu le {read}\u202f:"
        " relisez-le, reportez vos changements, puis recommencez."
    )
    raise Stale(
        Objection("REVISION", message, AS_READ, facts={"read": read, "current": held.revision, **_since(held, read)})
    )


def changed_paths(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """Return the fields in which two forms differ, in order."""
    return tuple(path for path in sorted({*before, *after}) if before.get(path, "") != after.get(path, ""))


def _since(held: Preparation, read: int) -> dict[str, str | int | bool | None]:
    """Return which fields changed since a revision: some by name, all by number; nothing where that is too long ago."""
    later = [change for change in held.changes if change.revision > read]
    if len(later) != held.revision - read:
        return {}
    changed = sorted({path for change in later for path in change.fields})
    return {"changed": ",".join(changed[:_NAMED]), "changed_count": len(changed)}


def _open(held: Held | None, command: str) -> Preparation | None:
    """Return what is prepared under a reference, None for nothing; raises `NotAllowedNow` where a fiche has it, or it was dropped."""
    if isinstance(held, Fiche):
        raise NotAllowedNow(reference_taken(held))
    if held is not None:
        allowed(command, held.status)
    return held


def _form(named: Named, before: Preparation | None) -> Objection | None:
    return None if before else reference_form(named.reference)


def _unchanged(intention: Intention, before: Preparation | None) -> Objection | None:
    if before is None or before.intention != intention:
        return None
    message = "L’intention est celle qui est déjà annoncée\u202f: changez ce qui doit l’être."
    return Objection("INTENTION_UNCHANGED", message, SOMETHING_CHANGES, "intention")


def _changed_intention(before: Preparation | None, intention: Intention) -> tuple[str, ...]:
    was = before.intention if before else None
    names = type(intention).model_fields
    return tuple(f"intention.{name}" for name in names if was is None or getattr(was, name) != getattr(intention, name))


def _next(named: Named, before: Preparation | None, at: dt.datetime, changed: tuple[str, ...]) -> Preparation:
    """Return what was there with its next revision, or the first one; raises `NotAllowedNow` where there is no room for it."""
    if before is None:
        if named.prepared >= MOST_OPEN:
            message = (
                f"Votre organisation a déjà {_figure(MOST_OPEN)} brouillons et intentions en cours\u202f:"
                " déposez-en ou abandonnez-en un avant d’en commencer un autre."
            )
            raise NotAllowedNow(Objection("PREPARATIONS_OPEN", message, ROOM_FOR_ALL, facts={"limit": MOST_OPEN}))
        return Preparation(named.id, named.opco, named.reference, Status.DRAFT, 1, at)
    if before.revision >= MOST_SAVINGS:
        message = (
            f"Ce brouillon a été enregistré {_figure(MOST_SAVINGS)} fois\u202f:"
            " déposez-le, ou abandonnez-le et reprenez-le sous une autre référence."
        )
        raise NotAllowedNow(Objection("SAVINGS_OVER", message, ROOM_FOR_ALL, facts={"limit": MOST_SAVINGS}))
    revision = before.revision + 1
    changes = (*before.changes, Changed(revision, changed))[-CHANGES_KEPT:]
    return replace(before, revision=revision, saved_at=at, changes=changes)


def _figure(number: int) -> str:
    return f"{number:,}".replace(",", "\u202f")
