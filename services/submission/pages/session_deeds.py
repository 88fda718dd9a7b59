"""The deeds on one session of a fiche: engage, postpone, cancel; each with the words of its page."""

from typing import Any, Final

from services.submission import use_cases as story
from services.submission.bodies import CancellationIn, EngagementIn, PlacementsIn, PostponementIn
from services.submission.domain.decisions import Decision
from services.submission.domain.fiche import Fiche
from services.submission.domain.sessions import NewDates
from services.submission.pages.deeds import Act, Deed
from shared.contracts.labels import LABELS
from shared.contracts.references import PlacementContract, PlacementMoment, SessionMotive, SourcingCause
from shared.web.forms import Posted

_MOTIVES: Final = {"motives": list(LABELS[SessionMotive].items()), "causes": list(LABELS[SourcingCause].items())}


def _engage(act: Act[EngagementIn]) -> Decision:
    body = act.ask.body
    return story.engage_session(act.fiches, act.asker, act.number, body.enrolled, body.forced_reason, body.acknowledged)


def _engage_document(sent: Posted, _fiche: Fiche) -> dict[str, object]:
    return {
        "enrolled": sent.whole("enrolled"),
        "forced_reason": sent.given("forced_reason"),
        "acknowledged": sent.acknowledged,
    }


def _postpone(act: Act[PostponementIn]) -> Decision:
    body = act.ask.body
    to = NewDates(body.start, body.end, body.motive, body.acknowledged, body.cause)
    return story.postpone_session(act.fiches, act.asker, act.number, to, act.given, act.ask.at)


def _postpone_begins(fiche: Fiche, number: int) -> dict[str, object]:
    plan = fiche.plan(number)
    return {"start": plan.start.isoformat(), "end": plan.end.isoformat()} if plan else {}


def _postpone_document(sent: Posted, _fiche: Fiche) -> dict[str, object]:
    dates = {"start": sent.given("start"), "end": sent.given("end")}
    return {**dates, **_why(sent), "acknowledged": sent.acknowledged}


def _why(sent: Posted) -> dict[str, object]:
    return {"motive": sent.given("motive"), "cause": sent.given("cause")}


def _cancel(act: Act[CancellationIn]) -> Decision:
    return story.cancel_session(act.fiches, act.asker, act.number, act.ask.body.motive, act.ask.body.cause)


def _return(act: Act[PlacementsIn]) -> Decision:
    return story.return_placements(act.fiches, act.asker, act.number, act.ask.body.placements, act.ask.at)


def _return_begins(fiche: Fiche, number: int) -> dict[str, object]:
    """Return the moment that was not returned yet, the end first."""
    returned = fiche.sessions[number].returned
    return {"moment": next((moment.value for moment in PlacementMoment if moment not in returned), None)}


def _return_document(sent: Posted, _fiche: Fiche) -> dict[str, object]:
    """Return what a program would send; a contract under which nobody found a job is left out."""
    counts = [{"contract": contract.value, "count": sent.whole(f"placed.{contract}")} for contract in PlacementContract]
    asked = ("finishing", "companies_asked", "companies_answered", "companies_satisfied")
    figures = {name: value for name in asked if (value := sent.whole(name)) is not None}
    placed = [one for one in counts if one["count"]]
    return {"placements": {"moment": sent.given("moment"), "placed": placed, **figures}}


ENGAGE: Final = Deed(
    operation="engage_session",
    path="engagement",
    label="Engager",
    title="Engager la session",
    button="Engager la session",
    body=EngagementIn,
    document=_engage_document,
    act=_engage,
    done="engagement",
    of_session=True,
)
POSTPONE: Final = Deed(
    operation="postpone_session",
    path="report",
    label="Reporter",
    title="Reporter la session",
    button="Reporter la session",
    body=PostponementIn,
    document=_postpone_document,
    act=_postpone,
    done="report",
    of_session=True,
    begins=_postpone_begins,
    groups=("motive", "cause"),
    strip="content.",
    shows=lambda _fiche: _MOTIVES,
)
CANCEL: Final = Deed(
    operation="cancel_session",
    path="annulation",
    label="Annuler",
    title="Annuler la session",
    button="Annuler définitivement la session",
    body=CancellationIn,
    document=lambda sent, _fiche: _why(sent),
    act=_cancel,
    done="annulation",
    kind="outline-danger",
    of_session=True,
    groups=("motive", "cause"),
    shows=lambda _fiche: _MOTIVES,
)
RETURN: Final = Deed(
    operation="return_placements",
    path="bilan",
    label="Rendre le bilan",
    title="Rendre le bilan de la session",
    button="Rendre le bilan",
    body=PlacementsIn,
    document=_return_document,
    act=_return,
    done="bilan",
    of_session=True,
    begins=_return_begins,
    groups=("moment", "placed"),
    strip="placements.",
    shows=lambda _fiche: {
        "moments": list(LABELS[PlacementMoment].items()),
        "contracts": list(LABELS[PlacementContract].items()),
    },
)
SESSION_DEEDS: Final[tuple[Deed[Any], ...]] = (ENGAGE, POSTPONE, CANCEL, RETURN)
