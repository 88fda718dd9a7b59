"""Forms on what is kept beside the fiches: through the API's own door, the form again with everything typed where it is refused."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar
from uuid import UUID

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel

from shared.errors import Refused
from shared.http import Answer, Ask
from shared.identity import Principal
from shared.policy import POLICY, authorize
from shared.web.entry import Entry
from shared.web.forms import Posted, posted

B = TypeVar("B", bound=BaseModel)
MOVED: Final = frozenset({412, 428})
"""Somebody kept something meanwhile: after the revision that was read, or (428) where there was nothing yet. Its page shows what."""
LINES: Final = "lignes"
"""What the button that gives a form further lines sends as `vers`."""
Again = Callable[[Principal, Entry, int], Awaitable[Response]]


def may(principal: Principal, operation: str) -> bool:
    """Return whether one of somebody's roles may do something."""
    return bool(POLICY[operation].keys() & principal.roles)


def at_revision(entry: Entry, revision: int | None, status: int) -> Entry:
    """Return a form that comes back: of the revision that holds now where its page shows what changed, else of the one that was read.

    Who only corrects what they typed must not write over what they have not seen.
    """
    return replace(entry, revision=revision) if status in MOVED else entry


async def take(
    request: Request,
    operation: str,
    body_type: type[B],
    document: Callable[[Posted], Mapping[str, Any]],
    ids: Callable[[Principal, B], Collection[UUID]],
    act: Callable[[Any, Ask[B]], Answer],
    again: Again,
    done: str | Callable[[Posted], str],
    way: str = "yearbook",
    more: Again | None = None,
) -> Response:
    """Carry out what a form asks for through a door of the service, then go to `done`; `again` shows the form where it is refused.

    `more` shows it with everything typed and further lines, where its button for that was pressed: nothing is carried out.
    """
    async with posted(request) as sent:
        authorize(sent.principal, operation)
        if more and sent.text("vers") == LINES:
            return await more(sent.principal, sent.entry(), 200)
        outcome = await sent.command(body_type, document(sent), ids, act, way=way)
        if isinstance(outcome, Refused):
            return await again(sent.principal, sent.entry(outcome), outcome.status)
        where = done if isinstance(done, str) else done(sent)
    return RedirectResponse(where, 303)
