"""From one content of a fiche to the next: how far they lie apart, and the new contents that commands make."""

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import replace

from services.submission.domain.fiche import CHANGES_KEPT, Changed, Fiche, Session, SessionState
from shared.contracts.fiche import FicheContent, SessionPlan
from shared.contracts.submission import Shift
from shared.contracts.validation import Adaptation


def shift_between(before: FicheContent, after: FicheContent) -> Shift:
    """Return how far `after` lies from `before` (rule 8, minutes L254-262).

    `start_days` is the largest move of a start, in days and without sign, of the sessions that both contents have.
    """
    starts = {plan.number: plan.start for plan in before.sessions}
    moves = [abs((plan.start - starts[plan.number]).days) for plan in after.sessions if plan.number in starts]
    return Shift(
        start_days=max(moves, default=0),
        commune_moved=before.place.insee != after.place.insee,
        zone_moved=before.place.zone_emploi != after.place.zone_emploi,
        main_formacode_moved=before.formacodes[0] != after.formacodes[0],
    )


def with_dates(content: FicheContent, number: int, start: dt.date, end: dt.date) -> FicheContent:
    """Return the content with other dates for one session; its meetings stay as they are."""
    sessions = tuple(
        plan.model_copy(update={"start": start, "end": end}) if plan.number == number else plan
        for plan in content.sessions
    )
    return content.model_copy(update={"sessions": sessions})


def adapted(content: FicheContent, adaptation: Adaptation) -> FicheContent:
    """Return the content with a proposed adaptation taken over: dates of its sessions, place."""
    for proposed in adaptation.sessions:
        content = with_dates(content, proposed.number, proposed.start, proposed.end)
    return content if adaptation.place is None else content.model_copy(update={"place": adaptation.place})


def sessions_after(sessions: Mapping[int, Session], content: FicheContent) -> dict[int, Session]:
    """Return the sessions of a fiche once it has this content: new ones planned, cancelled ones remembered, others as they were."""
    kept = {number: session for number, session in sessions.items() if session.state is SessionState.CANCELLED}
    return kept | {plan.number: sessions.get(plan.number, Session()) for plan in content.sessions}


def revised(fiche: Fiche, content: FicheContent, acknowledged: tuple[str, ...]) -> Fiche:
    """Return the fiche with its next revision, and the warnings that its OPCO acknowledged with it."""
    revision = fiche.revision + 1
    changed = Changed(revision, changed_fields(fiche.content, content))
    return replace(
        fiche,
        content=content,
        revision=revision,
        sessions=sessions_after(fiche.sessions, content),
        acknowledged=acknowledged,
        changes=(*fiche.changes, changed)[-CHANGES_KEPT:],
    )


def changed_fields(before: FicheContent, after: FicheContent) -> tuple[str, ...]:
    """Return the names of the members in which two contents differ, in the order of the fiche."""
    names = type(before).model_fields
    return tuple(name for name in names if getattr(before, name) != getattr(after, name))


def changed_since(fiche: Fiche, revision: int) -> str | None:
    """Return the names of what changed since a revision, with commas; None where that is too long ago, or not yet."""
    later = [change for change in fiche.changes if change.revision > revision]
    if len(later) != fiche.revision - revision:
        return None
    changed = {name for change in later for name in change.fields}
    return ",".join(name for name in type(fiche.content).model_fields if name in changed)


def digest(content: FicheContent) -> str:
    """Return the SHA-256 (hex) of a content: whether two contents are the same without keeping both.

    A field at its default is left out: one that the contract gets later changes no digest.
    """
    return hashlib.sha256(content.model_dump_json(exclude_defaults=True).encode()).hexdigest()


def contract_covers(content: FicheContent) -> bool:
    """Return whether a contract over several years covers the last session (minutes L290): nothing is procured for this fiche."""
    ends_on = content.tender.contract_ends_on if content.tender else None
    return ends_on is not None and ends_on >= max(plan.end for plan in content.sessions)


def first_start(plans: tuple[SessionPlan, ...]) -> dt.date:
    """Return the first day of the earliest of these sessions (at least one)."""
    return min(plan.start for plan in plans)
