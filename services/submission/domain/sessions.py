"""What an OPCO does with one session of its fiche: engage, postpone, cancel. Pure, like all decisions."""

import datetime as dt
from dataclasses import dataclass, replace

from services.submission.domain.admissibility import DATE_RULES, DATE_WARNINGS, admit
from services.submission.domain.case import Case, Given
from services.submission.domain.content import revised, with_dates
from services.submission.domain.dates import civil_date
from services.submission.domain.decisions import Decision
from services.submission.domain.fiche import Fiche, Session, SessionState, Status, is_cancelled
from services.submission.domain.lifecycle import allowed, session_allowed
from services.submission.domain.sources import KNOWN, SOMETHING_CHANGES, SOURCING
from services.submission.domain.texts import heeded, name_warning
from shared.contracts.fiche import SessionPlan, session_id
from shared.contracts.labels import in_sentence, label
from shared.contracts.references import SessionMotive, SourcingCause
from shared.contracts.submission import SessionCancelled, SessionEngaged, SessionPostponed
from shared.errors import NotFound, Objection, RulesRefused


@dataclass(frozen=True)
class NewDates:
    """Other dates for a session, first and last day, why, and the codes of the warnings that were read."""

    start: dt.date
    end: dt.date
    motive: SessionMotive
    acknowledged: tuple[str, ...] = ()
    cause: SourcingCause | None = None


def engage_session(
    fiche: Fiche, number: int, enrolled: int, forced_reason: str | None, acknowledged: tuple[str, ...] = ()
) -> Decision:
    """Say go: `enrolled` people reach the minimum, or a reason is given (kept only where it was needed).

    The money committed is the teaching cost of one session, in cents.
    """
    state, plan = session_for(fiche, "engage_session", number)
    reason = forced_reason if enrolled < plan.minimum else None
    if enrolled < plan.minimum and reason is None:
        message = (
            f"{enrolled} inscrits pour un minimum de {plan.minimum}\u202f: attendez, ou indiquez pourquoi la session"
            f" {number} a lieu tout de même."
        )
        facts = {"session": number, "enrolled": enrolled, "minimum": plan.minimum}
        raise RulesRefused(Objection("ENGAGE_MINIMUM", message, "minutes L107", "forced_reason", facts))
    warnings = heeded(name_warning([("forced_reason", reason or "")]), acknowledged)
    event = SessionEngaged(
        fiche_id=fiche.id,
        opco=fiche.opco,
        revision=fiche.revision,
        session_id=session_id(fiche.id, number),
        number=number,
        start=plan.start,
        end=plan.end,
        seats=plan.seats,
        hours=fiche.content.hours.total,
        committed=fiche.content.money.teaching_cost,
        forced_reason=reason,
    )
    return Decision(fiche.with_session(number, Session(state, enrolled, reason)), (event,), warnings)


def postpone_session(fiche: Fiche, number: int, to: NewDates, given: Given, at: dt.datetime) -> Decision:
    """Give a session other dates: a new content, which the rules of dates look at; later or earlier."""
    state, plan = session_for(fiche, "postpone_session", number)
    content = with_dates(fiche.content, number, to.start, to.end)
    case = Case(content, fiche.opco, civil_date(at), given, fiche)
    also = (_same_dates(number) if content == fiche.content else None, cause_fits_the_motive(to.motive, to.cause))
    warnings = admit(case, to.acknowledged, DATE_RULES, DATE_WARNINGS, [one for one in also if one])
    new = revised(fiche, content, tuple(warning.code for warning in warnings))
    event = SessionPostponed(
        fiche_id=fiche.id,
        opco=fiche.opco,
        revision=new.revision,
        session_id=session_id(fiche.id, number),
        number=number,
        start=to.start,
        end=to.end,
        shift_days=(to.start - plan.start).days,
        motive=to.motive,
        content=content,
        cause=to.cause,
    )
    return Decision(new.with_session(number, Session(state, motive=to.motive, cause=to.cause)), (event,), warnings)


def cancel_session(fiche: Fiche, number: int, motive: SessionMotive, cause: SourcingCause | None = None) -> Decision:
    """Say that a session will not take place; the fiche is cancelled with its last one."""
    state, _ = session_for(fiche, "cancel_session", number)
    if wrong := cause_is_named(motive, cause) or cause_fits_the_motive(motive, cause):
        raise RulesRefused(wrong)
    new = fiche.with_session(number, Session(state, motive=motive, cause=cause))
    last = all(is_cancelled(new.sessions, plan.number) for plan in new.content.sessions)
    if last:
        new = replace(new, status=Status.CANCELLED, completion=(), proposal=None)
    event = SessionCancelled(
        fiche_id=fiche.id,
        opco=fiche.opco,
        revision=fiche.revision,
        session_id=session_id(fiche.id, number),
        number=number,
        motive=motive,
        fiche_cancelled=last,
        cause=cause,
    )
    return Decision(new, (event,))


def cause_is_named(motive: SessionMotive, cause: SourcingCause | None) -> Objection | None:
    """Who cancels for want of people says why they did not come, or nothing can be learnt of it (minutes L254-258, L329-332)."""
    if motive is not SessionMotive.SOURCING_INSUFFISANT or cause is not None:
        return None
    *causes, last = SourcingCause
    message = (
        "La session est annulée faute de candidats\u202f: indiquez la cause"
        f" ({', '.join(map(in_sentence, causes))} ou {in_sentence(last)})."
    )
    return Objection("CAUSE_MISSING", message, SOURCING, "cause")


def cause_fits_the_motive(motive: SessionMotive, cause: SourcingCause | None) -> Objection | None:
    """A cause belongs to the motive SOURCING_INSUFFISANT and to no other (minutes L329-332)."""
    if cause is None or motive is SessionMotive.SOURCING_INSUFFISANT:
        return None
    message = (
        f"Une cause n’accompagne que le motif «\u202f{label(SessionMotive.SOURCING_INSUFFISANT)}\u202f»\u202f:"
        " retirez-la ou changez le motif."
    )
    return Objection("CAUSE_UNFIT", message, SOURCING, "cause", {"motive": motive.value})


def session_for(fiche: Fiche, command: str, number: int) -> tuple[SessionState, SessionPlan]:
    """Return the state the command leads a session to, and its plan; raises `NotAllowedNow` or `NotFound`."""
    plan = fiche.plan(number)
    if plan is None:
        message = f"La fiche n’a pas de session {number}\u202f: vérifiez son numéro."
        raise NotFound(Objection("SESSION_UNKNOWN", message, KNOWN, field="number"))
    allowed(command, fiche.status)
    return session_allowed(command, number, fiche.sessions[number].state), plan


def _same_dates(number: int) -> Objection:
    return Objection(
        "POSTPONE_SAME_DATES",
        f"Ce sont déjà les dates de la session {number}\u202f: donnez-en d’autres.",
        SOMETHING_CHANGES,
        "start",
    )
