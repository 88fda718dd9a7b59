"""Last year's fiche taken up again: what of its content goes into the new form (minutes L290)."""

import datetime as dt
from typing import Final

from services.submission.domain.content import first_start
from services.submission.domain.fiche import Fiche
from shared.contracts.fiche import FicheContent, SessionPlan
from shared.errors import Objection, RulesRefused

_SOURCE: Final = "minutes L290, L314-319"
_WEEK: Final = dt.timedelta(weeks=1)


def renewed_content(fiche: Fiche, programme_year: int) -> FicheContent:
    """Return the content with its dates in the same weeks of another year, moved by whole weeks so that weekdays stay.

    Sessions that were cancelled are left out where another one is left. Raises `RulesRefused` for a year that is not later.
    """
    content = fiche.content
    if programme_year <= content.programme_year:
        message = (
            f"La fiche est du millésime {content.programme_year}\u202f: reconduisez-la pour une année plus tardive."
        )
        facts = {"year": programme_year, "renewed_year": content.programme_year}
        raise RulesRefused(Objection("RENEWAL_YEAR", message, _SOURCE, "programme_year", facts))
    plans = fiche.live_sessions or content.sessions
    move = same_week(first_start(plans), programme_year) - first_start(plans)
    starts_on = content.follow_up.contract_starts_on
    follow_up = content.follow_up.model_copy(update={"contract_starts_on": starts_on and starts_on + move})
    sessions = tuple(_moved(plan, move) for plan in plans)
    return content.model_copy(update={"programme_year": programme_year, "sessions": sessions, "follow_up": follow_up})


def same_week(day: dt.date, year: int) -> dt.date:
    """Return the day of the same weekday and ISO week in another year; always a whole number of weeks away, and in that year."""
    iso, last = day.isocalendar(), dt.date(year, 12, 28).isocalendar().week
    found = dt.date.fromisocalendar(year, min(iso.week, last), iso.weekday)
    if iso.year < day.year:  # a first day of January that still belongs to the last week of the year before
        found = dt.date.fromisocalendar(year, 1, iso.weekday) - _WEEK
    elif iso.year > day.year:
        found = dt.date.fromisocalendar(year, last, iso.weekday) + _WEEK
    return found + _WEEK if found.year < year else found - _WEEK if found.year > year else found


def _moved(plan: SessionPlan, move: dt.timedelta) -> SessionPlan:
    meetings = tuple(one.model_copy(update={"on": one.on + move}) for one in plan.meetings)
    dates = {"start": plan.start + move, "end": plan.end + move}
    return plan.model_copy(update={**dates, "meetings": meetings})
