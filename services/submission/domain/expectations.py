"""What a fiche waits for from its OPCO, and by when: a function of the fiche alone. Who compares it with today says what is late."""

import datetime as dt
from dataclasses import dataclass

from services.submission.domain.content import first_start
from services.submission.domain.fiche import Fiche, SessionState, Status
from services.submission.domain.placements import due_on as known_on
from shared.contracts.references import PlacementMoment


@dataclass(frozen=True)
class Duty:
    """A command that is waited for, its last day (None: none is known), and the session it is for, if it is for one.

    What became of a group is waited for from its moment on, `since`, without a last day.
    """

    command: str
    due_on: dt.date | None
    session: int | None = None
    moment: PlacementMoment | None = None
    since: dt.date | None = None


def duties(fiche: Fiche) -> tuple[Duty, ...]:
    """Return what is waited for, the earliest first.

    A completion is due while the avis still can be given in time; a proposal until it expires; programmation and go before the
    first day of the session (minutes L107, L502).
    """
    if fiche.status is Status.TO_COMPLETE:
        return (Duty("complete_fiche", fiche.avis_due_on),)
    if fiche.status is Status.TO_ADAPT and fiche.proposal is not None:
        return (Duty("accept_adaptation", fiche.proposal.expires_on),)
    if fiche.status is Status.VALIDATED and fiche.live_sessions:
        return (Duty("confirm_programmation", first_start(fiche.live_sessions)),)
    if fiche.status is Status.CONFIRMED:
        return (*_sessions_to_engage(fiche), *_placements_to_return(fiche))
    return ()


def due_on(fiche: Fiche) -> dt.date | None:
    """Return the last day of what is waited for first, None where nothing is waited for or no day is known."""
    return min((duty.due_on for duty in duties(fiche) if duty.due_on), default=None)


def _sessions_to_engage(fiche: Fiche) -> tuple[Duty, ...]:
    waiting = (SessionState.PLANNED, SessionState.POSTPONED)
    plans = [plan for plan in fiche.live_sessions if fiche.sessions[plan.number].state in waiting]
    return tuple(Duty("engage_session", plan.start, plan.number) for plan in sorted(plans, key=lambda one: one.start))


def _placements_to_return(fiche: Fiche) -> tuple[Duty, ...]:
    found = [
        Duty("return_placements", None, plan.number, moment, known_on(plan, moment))
        for plan in fiche.live_sessions
        for moment in PlacementMoment
        if fiche.sessions[plan.number].state is SessionState.ENGAGED
        and moment not in fiche.sessions[plan.number].returned
    ]
    return tuple(sorted(found, key=lambda duty: (duty.since, duty.session)))
