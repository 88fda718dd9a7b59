"""How each step of a story is said: as a request over HTTP, or as a record on the organisation's ingress topic."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from deploy.demo.agenda import Turn
from deploy.demo.contents import (
    SESSION,
    ais_id,
    content_at,
    content_of,
    fiche_id_of,
    is_announced,
    place_of,
    revision_before,
    session_id_of,
)
from deploy.demo.http_door import Ask
from deploy.demo.ingress_door import Record
from deploy.demo.programming import outside_campaign
from deploy.demo.year_2021 import Changes
from shared.contracts import ingress as said
from shared.contracts.references import FRANCE_TRAVAIL, AvisKind
from shared.contracts.validation import Adaptation

WAIT_SECONDS: Final = 15
"""How long a service may hold a command back until it has heard what the command builds on (`Prefer: wait`)."""

Codes = tuple[str, ...]


def command_of(turn: Turn, acknowledged: Codes = ()) -> said.Command:
    """Return what an OPCO, or France Travail's system, asks for; `acknowledged` are the warnings it has read and keeps."""
    return _COMMANDS[turn.step.do](turn, acknowledged)


def _content(command: type[Any], *, reason: bool = False) -> Callable[[Turn, Codes], said.Command]:
    def made(turn: Turn, codes: Codes) -> said.Command:
        step: Any = turn.step
        content = content_of(turn.fiche) if step.do == "submit_fiche" else content_at(turn.fiche, step)
        more: dict[str, Any] = {"reason": step.reason} if reason else {}
        if step.do == "submit_fiche":
            more["outside_campaign"] = outside_campaign(turn.fiche, content)
        asked: said.Command = command(content=content, acknowledged=codes, **more)
        return asked

    return made


def _postponed(turn: Turn, codes: Codes) -> said.Command:
    step: Any = turn.step
    dates = {"start": step.changes.start, "end": step.changes.end}
    return said.PostponeSession(number=SESSION, **dates, motive=step.motive, acknowledged=codes or step.acknowledged)


def _recorded(turn: Turn, _: Codes) -> said.Command:
    step: Any = turn.step
    numbers = range(step.first, step.first + step.count)
    rows = tuple(said.AisRow(ais_id=ais_id(turn.fiche, number), recorded_on=step.on) for number in numbers)
    return said.RecordAis(session_id=session_id_of(turn.fiche), rows=rows)


def _ais_cancelled(turn: Turn, _: Codes) -> said.Command:
    step: Any = turn.step
    ids = tuple(ais_id(turn.fiche, number) for number in step.numbers)
    return said.CancelAis(session_id=session_id_of(turn.fiche), ais_ids=ids)


def _made(command: type[said.Command], *names: str, **given: Any) -> Callable[[Turn, Codes], said.Command]:
    """Return how a command is made of members of the step with the same names."""
    return lambda turn, _: command(**given, **{name: getattr(turn.step, name) for name in names})


_COMMANDS: Final[Mapping[str, Callable[[Turn, Codes], said.Command]]] = {
    "submit_fiche": _content(said.SubmitFiche),
    "complete_fiche": _content(said.CompleteFiche),
    "counter_propose": _content(said.CounterPropose, reason=True),
    "accept_adaptation": lambda _, codes: said.AcceptAdaptation(acknowledged=codes),
    "decline_adaptation": _made(said.DeclineAdaptation, "reason"),
    "confirm_programmation": _made(said.ConfirmProgrammation),
    "engage_session": _made(said.EngageSession, "enrolled", number=SESSION),
    "postpone_session": _postponed,
    "cancel_session": _made(said.CancelSession, "motive", "cause", number=SESSION),
    "withdraw_fiche": _made(said.WithdrawFiche, "reason"),
    "record_ais": _recorded,
    "cancel_ais": _ais_cancelled,
}
ENTRIES: Final = frozenset({"record_ais", "cancel_ais"})


def record_of(turn: Turn, acknowledged: Codes = (), attempt: str = "") -> Record:
    """Return the ingress record of a step; its key is the OPCO's reference, for entries the session's id."""
    entries = turn.step.do in ENTRIES
    key = str(session_id_of(turn.fiche)) if entries else turn.fiche.reference
    organisation = FRANCE_TRAVAIL if entries else turn.fiche.opco
    return Record.of(organisation, key, turn.name + attempt, command_of(turn, acknowledged))


def request_of(turn: Turn, acknowledged: Codes = (), attempt: str = "") -> Ask:
    """Return the request of a step, with the revision it was decided on."""
    do = turn.step.do
    key = turn.name + attempt
    if do in _REVIEWS:
        return _review(turn, key)
    if do in ENTRIES:
        return _entry(turn, key)
    body = body_of(turn, acknowledged)
    revision = revision_before(turn.fiche, turn.step) or (1 if is_announced(turn.fiche) else None)  # what was announced
    path = _PATHS[do].format(fiche=fiche_id_of(turn.fiche), number=SESSION)
    return Ask(turn.step.by, "submission", do, path, body, key, turn.fiche.reference, revision, WAIT_SECONDS)


def body_of(turn: Turn, acknowledged: Codes = ()) -> dict[str, Any]:
    """Return the body of an OPCO's request; of a filing it is a line of a file, too."""
    body = _plain(command_of(turn, acknowledged))
    if turn.step.do == "submit_fiche":
        body["reference"] = turn.fiche.reference
    body.pop("number", None)
    return body


def _entry(turn: Turn, key: str) -> Ask:
    session = str(session_id_of(turn.fiche))
    body = _plain(command_of(turn))
    body.pop("session_id")
    path = f"/sessions/{session}/{'ais' if turn.step.do == 'record_ais' else 'ais-cancellations'}"
    return Ask(turn.step.by, "publication", turn.step.do, path, body, key, session, wait=WAIT_SECONDS)


def _plain(command: said.Command) -> dict[str, Any]:
    return command.model_dump(mode="json", exclude_defaults=True)


_PATHS: Final = {
    "submit_fiche": "/fiches",
    "complete_fiche": "/fiches/{fiche}/completion",
    "accept_adaptation": "/fiches/{fiche}/adaptation/acceptance",
    "decline_adaptation": "/fiches/{fiche}/adaptation/refusal",
    "counter_propose": "/fiches/{fiche}/adaptation/counter-proposal",
    "confirm_programmation": "/fiches/{fiche}/programmation",
    "engage_session": "/fiches/{fiche}/sessions/{number}/engagement",
    "postpone_session": "/fiches/{fiche}/sessions/{number}/postponement",
    "cancel_session": "/fiches/{fiche}/sessions/{number}/cancellation",
    "withdraw_fiche": "/fiches/{fiche}/withdrawal",
}


def _review(turn: Turn, key: str) -> Ask:
    """Return what a reviewer sends; `If-Match` is the revision that the story has at this step."""
    path, body = _REVIEWS[turn.step.do]
    fiche, step = fiche_id_of(turn.fiche), turn.step
    revision = revision_before(turn.fiche, step)
    place = f"/dossiers/{fiche}/{path}"
    return Ask(step.by, "validation", step.do, place, body(step), key, str(fiche), revision, WAIT_SECONDS)


def _completion(step: Any) -> dict[str, Any]:
    return {"items": [{"field": step.field, "request": step.request}]}


def _adaptation(step: Any) -> dict[str, Any]:
    adaptation = _proposed(step.changes).model_dump(mode="json", exclude_defaults=True)
    facts = {"reasons": step.reasons, "comment": step.comment, "expires_on": step.expires_on.isoformat()}
    return {"adaptation": adaptation, **facts}


def _proposed(changes: Changes) -> Adaptation:
    sessions = [{"number": SESSION, "start": changes.start, "end": changes.end}] if changes.start else []
    place = place_of(changes.town) if changes.town else None
    return Adaptation.model_validate({"sessions": sessions, "place": place})


def _avis(step: Any) -> dict[str, Any]:
    committed = step.avis is AvisKind.CONCURRENT
    return {"avis": step.avis, "reasons": step.reasons, "comment": step.comment, "prf_committed": committed}


_REVIEWS: Final[Mapping[str, tuple[str, Callable[[Any], dict[str, Any]]]]] = {
    "ask_completion": ("completion-request", _completion),
    "propose_adaptation": ("adaptation", _adaptation),
    "give_avis": ("avis", _avis),
    "validate_fiche": ("validation", lambda step: {"reason": step.reason} if step.reason else {}),
    "refuse_fiche": ("refusal", lambda step: {"reasons": step.reasons, "comment": step.comment}),
}
