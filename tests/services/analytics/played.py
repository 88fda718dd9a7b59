"""The synthetic year as the events that its stories lead to, in the order of their days; what the services would say, and no more."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from deploy.demo import year_2021 as told
from deploy.demo.contents import ais_id, content_at, fiche_id_of, session_id_of
from deploy.demo.year_2021 import Fiche, Step, load
from shared.contracts.events import Event
from shared.contracts.fiche import FicheContent
from shared.contracts.publication import AisCancelled, AisRecorded, SessionPublished
from shared.contracts.references import WithdrawalReason
from shared.contracts.submission import (
    AdaptationAccepted,
    AdaptationDeclined,
    CounterProposed,
    FicheCompleted,
    FicheSubmitted,
    FicheWithdrawn,
    ProgrammationConfirmed,
    SessionCancelled,
    SessionEngaged,
    SessionPostponed,
    Shift,
)
from shared.contracts.validation import (
    Adaptation,
    AdaptationProposed,
    AvisGiven,
    CompletionAsked,
    FicheRefused,
    FicheValidated,
)

SHIFT = Shift(start_days=0, commune_moved=False, zone_moved=False, main_formacode_moved=False)


def year_said() -> list[tuple[Event, int]]:
    """Return every event of the year with its sequence."""
    steps = sorted(
        ((step.on, n, m, fiche, step) for n, fiche in enumerate(load().fiches) for m, step in enumerate(fiche.steps)),
        key=lambda item: item[:3],
    )
    net, last = Counter[str](), Counter[tuple[str, str]]()
    said = []
    for _, _, _, fiche, step in steps:
        for event in _events(fiche, step, net):
            last[event.topic, event.key] += 1
            said.append((event, last[event.topic, event.key]))
    return said


def _events(fiche: Fiche, step: Step, net: Counter[str]) -> Iterator[Event]:
    head: dict[str, Any] = {"fiche_id": fiche_id_of(fiche), "opco": fiche.opco, "revision": 1}
    content = content_at(fiche, step)
    match step:
        case told.SubmitFiche():
            yield FicheSubmitted(**head, reference=fiche.reference, content=content)
        case told.AskCompletion():
            yield CompletionAsked(**head, items=())
        case told.CompleteFiche():
            yield FicheCompleted(**head, content=content, shift=SHIFT)
        case told.ProposeAdaptation():
            yield AdaptationProposed(**head, reasons=(), adaptation=Adaptation(), comment="", expires_on=step.on)
        case told.AcceptAdaptation():
            yield AdaptationAccepted(**head, content=content, shift=SHIFT)
        case told.DeclineAdaptation():
            yield AdaptationDeclined(**head, reason="Non.")
        case told.CounterPropose():
            yield CounterProposed(**head, content=content, shift=SHIFT, reason="Autre date.")
        case told.WithdrawFiche():
            yield FicheWithdrawn(**head, reason=WithdrawalReason.AUTRE)
        case told.ConfirmProgrammation():
            yield ProgrammationConfirmed(**head, content=content)
            plan = content.sessions[0]
            dates = {"start": plan.start, "end": plan.end, "seats": plan.seats}
            yield SessionPublished(**_entry(fiche), reference="PE", **dates)
        case _:
            yield from _reviewed(step, head)
            yield from _session(fiche, step, head, content)
            yield from _entries(fiche, step, net)


def _reviewed(step: Step, head: dict[str, Any]) -> Iterator[Event]:
    match step:
        case told.GiveAvis():
            yield AvisGiven(**head, avis=step.avis, reasons=step.reasons, comment=step.comment)
        case told.RefuseFiche():
            yield FicheRefused(**head, reasons=step.reasons, comment=step.comment)
        case told.ValidateFiche():
            named = {"reference": "PE", "validated_on": step.on, "validated_by": "Pôle emploi"}
            yield FicheValidated(**head, **named, against_avis=step.reason is not None, reason=step.reason)


def _session(fiche: Fiche, step: Step, head: dict[str, Any], content: FicheContent) -> Iterator[Event]:
    plan = content.sessions[0]
    ids = {**head, "session_id": session_id_of(fiche), "number": plan.number}
    dates = {"start": plan.start, "end": plan.end}
    match step:
        case told.EngageSession():
            cost = content.money.teaching_cost
            yield SessionEngaged(**ids, **dates, seats=plan.seats, hours=content.hours.total, committed=cost)
        case told.PostponeSession():
            days = (plan.start - fiche.parameters.start).days
            yield SessionPostponed(**ids, **dates, shift_days=days, motive=step.motive, content=content)
        case told.CancelSession():
            yield SessionCancelled(**ids, motive=step.motive, fiche_cancelled=True)


def _entries(fiche: Fiche, step: Step, net: Counter[str]) -> Iterator[Event]:
    match step:
        case told.RecordAis():
            for number in range(step.first, step.first + step.count):
                net[fiche.reference] += 1
                said = {"recorded_on": step.on, "net": net[fiche.reference]}
                yield AisRecorded(**_entry(fiche), ais_id=ais_id(fiche, number), **said)
        case told.CancelAis():
            for number in step.numbers:
                net[fiche.reference] -= 1
                yield AisCancelled(**_entry(fiche), ais_id=ais_id(fiche, number), net=net[fiche.reference])


def _entry(fiche: Fiche) -> dict[str, Any]:
    return {"session_id": session_id_of(fiche), "fiche_id": fiche_id_of(fiche), "opco": fiche.opco}
