"""What is done with a fiche on a small page of its own: which of it is possible now, the form, what becomes of it.

A deed goes through the very door of the API. Refused, the form comes back with everything that was typed; on another revision than
the one that was read (412), with what changed meanwhile and the current revision in the form.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel

from services.submission import use_cases as story
from services.submission.bodies import FiledOut, filed_out
from services.submission.domain import decisions
from services.submission.domain.case import Given
from services.submission.domain.decisions import Decision
from services.submission.domain.fiche import LABELS, SESSION_LABELS, Fiche
from services.submission.domain.lifecycle import possible, session_possible
from services.submission.domain.preparing import Prepared
from services.submission.pages.contents import differences
from services.submission.pages.fiches import ways
from services.submission.store import Fiches
from services.submission.use_cases import Asker
from services.submission.versions_store import find_versions
from shared.contracts.labels import label
from shared.errors import NotFound, Refused, Stale
from shared.http import Answer, Ask, database, signed_in
from shared.identity import Principal
from shared.policy import authorize
from shared.web.entry import Entry
from shared.web.forms import Posted, posted
from shared.web.pages import render, see_other

B = TypeVar("B", bound=BaseModel)


@dataclass(frozen=True)
class Act(Generic[B]):
    """What a deed is carried out with: the fiches, who asks on which revision, the request, the session's number (0: none), lists."""

    fiches: Fiches
    asker: Asker
    ask: Ask[B]
    number: int
    given: Given


@dataclass(frozen=True)
class Deed(Generic[B]):
    """A deed: the operation of policy and lifecycle, the last part of its address, its texts, its form and how it is carried out.

    `document` makes what a program would send of the form and of the fiche as it is; `begins` fills the form in; `ids` are what is
    loaded beside the fiche; `shows` is what the fields' template needs; `groups` are fields that may be sent empty.
    """

    operation: str
    path: str
    label: str
    title: str
    button: str
    body: type[B]
    document: Callable[[Posted, Fiche], Mapping[str, object]]
    act: Callable[[Act[B]], Decision | Prepared]
    done: str
    kind: str = "primary"
    of_session: bool = False
    begins: Callable[[Fiche, int], Mapping[str, object]] = field(default=lambda _fiche, _number: {})
    strip: str = ""
    groups: tuple[str, ...] = ()
    ids: Callable[[Principal, B], list[UUID]] = field(default=lambda _principal, _body: [])
    shows: Callable[[Fiche], Mapping[str, Any]] = field(default=lambda _fiche: {})

    def address(self, fiche_id: UUID, number: int = 0) -> str:
        """Return where its page is."""
        below = f"/sessions/{number}" if self.of_session else ""
        return f"/espace/fiches/{fiche_id}{below}/{self.path}"

    @property
    def template(self) -> str:
        """Return the template of its fields."""
        return f"deeds/{self.path.replace('/', '_').replace('-', '_')}.html"


def may(principal: Principal, deed: Deed[Any], fiche: Fiche) -> bool:
    """Return whether somebody may do something with a fiche, whatever its state."""
    try:
        authorize(principal, deed.operation, fiche.opco, unknown=decisions.UNKNOWN)
    except Refused:
        return False
    return True


def legal(deed: Deed[Any], fiche: Fiche, number: int = 0) -> bool:
    """Return whether the lifecycles let a deed be done now."""
    if not possible(deed.operation, fiche.status):
        return False
    return not deed.of_session or (
        fiche.plan(number) is not None and session_possible(deed.operation, fiche.sessions[number].state)
    )


async def show(request: Request, fiche_id: UUID, deed: Deed[Any], number: int = 0) -> Response:
    """Show the form of a deed; where the state does not allow it, the page says so (409)."""
    principal = await signed_in(request)
    fiche = await _own(request, principal, fiche_id, deed, number)
    entry = Entry.of(deed.begins(fiche, number), revision=fiche.revision)
    return _page(request, fiche, deed, number, entry, 200 if legal(deed, fiche, number) else 409)


async def take(request: Request, fiche_id: UUID, deed: Deed[B], number: int = 0) -> Response:
    """Carry a deed out."""
    given: Given = request.app.state.settings.given()
    async with posted(request) as sent:
        fiche = await _own(request, sent.principal, fiche_id, deed, number)

        def ids(principal: Principal, body: B) -> list[UUID]:
            return [fiche_id, *deed.ids(principal, body), *story.partners_named(body)]

        def answer(fiches: Fiches, ask: Ask[B]) -> Answer:
            asker = Asker(ask.principal, fiche_id, ask.required_revision())
            decision = deed.act(Act(fiches, asker, ask, number, given))
            return Answer(200, filed_out(decision), revision=decision.fiche.revision)

        outcome = await sent.command(deed.body, deed.document(sent, fiche), ids, answer)
        if isinstance(outcome, Refused):
            return await _again(request, sent, outcome, fiche_id, deed, number)
    left_at = FiledOut.model_validate_json(outcome.text).fiche_id
    return see_other(f"/espace/fiches/{left_at}", fait=deed.done, retour=request.query_params.get("retour"))


async def _own(request: Request, principal: Principal, fiche_id: UUID, deed: Deed[Any], number: int) -> Fiche:
    """Return the fiche that somebody wants to do something with; raises what a stranger, or who may only read, is told."""
    authorize(principal, deed.operation)
    held = await story.read_fiche(database(request), principal, fiche_id)
    authorize(principal, deed.operation, held.opco, unknown=decisions.UNKNOWN)
    if not isinstance(held, Fiche) or (deed.of_session and held.plan(number) is None):
        raise NotFound(decisions.UNKNOWN)
    return held


async def _again(
    request: Request, sent: Posted, refused: Refused, fiche_id: UUID, deed: Deed[Any], number: int
) -> Response:
    """Show the form again, by the fiche as it is now."""
    fiche = await _own(request, sent.principal, fiche_id, deed, number)
    if not isinstance(refused, Stale):
        return _page(request, fiche, deed, number, sent.entry(refused, strip=deed.strip), refused.status)
    among = await find_versions(database(request), sent.principal, fiche_id, [sent.revision or 0, fiche.revision])
    read, current = among.get(sent.revision or 0), among.get(fiche.revision)
    changed = differences(read.content, fiche.content) if read else None
    entry = sent.entry(revision=fiche.revision)
    conflict = {"read": sent.revision, "current": current, "changed": changed}
    return _page(request, fiche, deed, number, entry, refused.status, conflict)


def _page(
    request: Request,
    fiche: Fiche,
    deed: Deed[Any],
    number: int,
    entry: Entry,
    status: int,
    conflict: Mapping[str, object] | None = None,
) -> Response:
    return render(
        request,
        "deed.html",
        status=status,
        fiche=fiche,
        deed=deed,
        number=number,
        plan=fiche.plan(number),
        entry=entry,
        legal=legal(deed, fiche, number),
        typed=[text for texts in entry.values.values() for text in texts if text and status != 200],
        conflict=conflict,
        **ways(request),
        label=label,
        labels=LABELS,
        session_labels=SESSION_LABELS,
        **deed.shows(fiche),
    )
