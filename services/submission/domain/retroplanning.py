"""The retro-planning of a fiche: from its first start back to the tender, the last day of each step and what is late.

Everything is a working day: a step whose last day would be a Sunday is due on the Friday before.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from services.submission.domain.content import contract_covers, first_start
from services.submission.domain.fiche import Fiche, Status
from services.submission.domain.preparation import Held, Preparation
from shared.contracts.references import ProcurementState
from shared.errors import NotAllowedNow, Objection

WorkingDay: TypeAlias = Callable[[dt.date], bool]
_DAY: Final = dt.timedelta(days=1)


class Step(StrEnum):
    """What has to be done before a session starts; the tender goes on beside the fiche, so that of two steps either may come first."""

    TENDER_PUBLISHED = "tender_published"
    OFFERS_DUE = "offers_due"
    FILED = "filed"
    AVIS = "avis"
    AWARDED = "awarded"
    VALIDATED = "validated"
    CONFIRMED = "confirmed"
    PUBLISHED = "published"
    MEETING = "meeting"
    START = "start"


class Standing(StrEnum):
    """How a step stands on the day it is looked at; `to_check`: its day has passed, and another service knows whether it was done."""

    DONE = "done"
    LATE = "late"
    TO_COME = "to_come"
    TO_CHECK = "to_check"


LABELS: Final[dict[Step, str]] = {
    Step.TENDER_PUBLISHED: "Consultation publiée",
    Step.OFFERS_DUE: "Remise des offres",
    Step.FILED: "Fiche déposée",
    Step.AVIS: "Avis de la Région rendu",
    Step.AWARDED: "Marché attribué",
    Step.VALIDATED: "Fiche validée par Pôle emploi",
    Step.CONFIRMED: "Programmation confirmée",
    Step.PUBLISHED: "Session visible des conseillers",
    Step.MEETING: "Information collective",
    Step.START: "Premier jour de formation",
}


@dataclass(frozen=True)
class Pace:
    """How long each step takes, in days; each figure with where it comes from.

    `sourcing`: six weeks to build a group. `before_meeting`: a session seen later than that fills no meeting (minutes L503-504).
    `spreading`: 48 hours to the national base, then one to five days to the counsellors' screens. `avis`: what the Région has to
    give its avis, and so many days are left to decide after it. `offers`: calls were open for 21 to 29 days. `choosing`: nobody
    says how long an award takes; a fortnight is a proposal.
    """

    sourcing: int = 42
    before_meeting: int = 10
    spreading: int = 7
    avis: int = 15
    offers: int = 29
    choosing: int = 14


@dataclass(frozen=True)
class Milestone:
    """One step: its last day, how it stands, what to do about it in a French sentence, and the source of its delay."""

    step: Step
    label: str
    last_day: dt.date
    standing: Standing
    sentence: str
    source: str


@dataclass(frozen=True)
class _Known:
    """What is known of a fiche for its retro-planning: first start, first meeting if one is planned, what is done."""

    start: dt.date
    meeting: dt.date | None
    done: frozenset[Step]
    without_tender: bool


def retroplanning(
    held: Held,
    seen_on: dt.date,
    working: WorkingDay,
    typed_start: dt.date | None = None,
    pace: Pace | None = None,
) -> tuple[Milestone, ...]:
    """Return the steps of a fiche in the order of time, as they stand on a day.

    `typed_start` is the first start that stands in the form of a draft. Raises `NotAllowedNow` where no start is known.
    """
    known = _of_fiche(held) if isinstance(held, Fiche) else _of_preparation(held, typed_start)
    days = _last_days(known, working, pace or Pace())
    in_time = sorted((step for step in Step if step in days), key=days.__getitem__)
    return tuple(_milestone(step, days[step], known, seen_on) for step in in_time)


def _last_days(known: _Known, working: WorkingDay, pace: Pace) -> dict[Step, dt.date]:
    """Return the last day of each step, reckoned back from the first start."""

    def back(day: dt.date, days: int) -> dt.date:
        day -= dt.timedelta(days=days)
        while not working(day):
            day -= _DAY
        return day

    meeting = known.meeting or back(known.start, 1)
    published = back(meeting, pace.before_meeting)
    confirmed = back(published, pace.spreading)
    validated = min(back(known.start, pace.sourcing), confirmed)
    avis = back(validated, pace.avis)
    offers = back(confirmed, pace.choosing)
    days = {
        Step.TENDER_PUBLISHED: back(offers, pace.offers),
        Step.OFFERS_DUE: offers,
        Step.FILED: back(avis, pace.avis),
        Step.AVIS: avis,
        Step.AWARDED: confirmed,
        Step.VALIDATED: validated,
        Step.CONFIRMED: confirmed,
        Step.PUBLISHED: published,
        Step.MEETING: meeting,
        Step.START: known.start,
    }
    return {step: day for step, day in days.items() if not (known.without_tender and step in _TENDER)}


_TENDER: Final = frozenset({Step.TENDER_PUBLISHED, Step.OFFERS_DUE, Step.AWARDED})
_ELSEWHERE: Final = frozenset({Step.PUBLISHED, Step.MEETING, Step.START})
"""Steps that others take: this service hears of none of them."""
_SOURCES: Final[dict[Step, str]] = {
    Step.TENDER_PUBLISHED: "consultations POEC\u202f: 21 à 29 jours",
    Step.OFFERS_DUE: "délai de choix proposé\u202f: 14 jours",
    Step.FILED: "délai de l’avis\u202f: 15 jours",
    Step.AVIS: "minutes L384-391",
    Step.AWARDED: "minutes L502",
    Step.VALIDATED: "minutes L254-258",
    Step.CONFIRMED: "minutes L502",
    Step.PUBLISHED: "minutes L503-504",
    Step.MEETING: "minutes L503-504",
    Step.START: "fiche",
}
_TO_DO: Final[dict[Step, str]] = {
    Step.TENDER_PUBLISHED: "publiez la consultation",
    Step.OFFERS_DUE: "recevez les offres",
    Step.FILED: "déposez la fiche",
    Step.AVIS: "la Région rend son avis",
    Step.AWARDED: "attribuez le marché",
    Step.VALIDATED: "Pôle emploi valide la fiche",
    Step.CONFIRMED: "confirmez la programmation",
    Step.PUBLISHED: "la session doit être visible des conseillers",
    Step.MEETING: "tenez l’information collective",
    Step.START: "la formation commence",
}


def _milestone(step: Step, last_day: dt.date, known: _Known, seen_on: dt.date) -> Milestone:
    passed = seen_on > last_day
    standing = Standing.TO_COME
    if step in known.done:
        standing = Standing.DONE
    elif passed:
        standing = Standing.TO_CHECK if step in _ELSEWHERE else Standing.LATE
    sentence = _sentence(step, last_day, standing, (seen_on - last_day).days)
    return Milestone(step, LABELS[step], last_day, standing, sentence, _SOURCES[step])


def _sentence(step: Step, last_day: dt.date, standing: Standing, days: int) -> str:
    to_do, day = _TO_DO[step], f"{last_day:%d/%m/%Y}"
    if standing is Standing.DONE:
        return f"{LABELS[step]}\u202f: c’est fait."
    if standing is Standing.LATE:
        late = "1 jour" if days == 1 else f"{days} jours"
        return f"En retard de {late}\u202f: {to_do}, ou reportez la session."
    if standing is Standing.TO_CHECK:
        return f"Prévu le {day} au plus tard\u202f: vérifiez dans le catalogue que c’est fait."
    return f"Au plus tard le {day}\u202f: {to_do}."


def _of_fiche(fiche: Fiche) -> _Known:
    content = fiche.content
    plans = fiche.live_sessions or content.sessions
    meetings = [meeting.on for plan in plans for meeting in plan.meetings]
    return _Known(
        start=first_start(plans),
        meeting=min(meetings, default=None),
        done=frozenset(_done(fiche)),
        without_tender=content.procurement is ProcurementState.AUCUN or contract_covers(content),
    )


def _done(fiche: Fiche) -> Iterator[Step]:
    yield Step.FILED
    procurement = fiche.content.procurement
    if procurement in (ProcurementState.PUBLIE, ProcurementState.ATTRIBUE):
        yield Step.TENDER_PUBLISHED
    if procurement is ProcurementState.ATTRIBUE:
        yield from (Step.OFFERS_DUE, Step.AWARDED)
    if fiche.avis is not None and not fiche.avis_lapsed:
        yield Step.AVIS
    if fiche.status in (Status.VALIDATED, Status.CONFIRMED, Status.REVIEWED):
        yield Step.VALIDATED
    if fiche.status in (Status.CONFIRMED, Status.REVIEWED):
        yield Step.CONFIRMED


def _of_preparation(prepared: Preparation, typed_start: dt.date | None) -> _Known:
    start = typed_start or (prepared.intention.starts_from if prepared.intention else None)
    if start is None:
        message = "Aucune date de début n’est encore saisie\u202f: indiquez celle de la première session."
        raise NotAllowedNow(Objection("START_UNKNOWN", message, "minutes L384-391", field="sessions.0.start"))
    return _Known(start, None, frozenset(), without_tender=False)
