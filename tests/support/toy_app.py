"""A toy service behind the real door: one route that counts, one that refuses in every way, one that reads."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import httpx
from fastapi import APIRouter, FastAPI, Request, Response
from pydantic import Field

from shared.audit_trail import Change
from shared.contracts.fiche import Value
from shared.errors import (
    Forbidden,
    Impossible,
    NotAllowedNow,
    NotFound,
    Objection,
    RulesRefused,
    Stale,
    WarningsUnanswered,
)
from shared.http import Answer, Ask, Door, answers, database, door, ok, signed_in, takes
from shared.identity import Principal
from shared.messaging.letters import DeadLetters
from shared.messaging.news import News
from shared.web.pages import Pages
from shared.web_app import new_app
from shared.working_set import WorkingSet
from tests.support.callers import KnownCallers
from tests.support.heart import BEYOND, Heart, open_tallies, withdrawn, write_tallies

PEOPLE = {
    "akto": Principal("akto", "akto", "machine", frozenset({"opco"})),
    "afdas": Principal("afdas", "afdas", "machine", frozenset({"opco"})),
    "operations": Principal("operations", "operations", "machine", frozenset({"operations"})),
}
router = APIRouter(prefix="/tallies")


class CountIn(Value):
    """By how much to count; `refuse` names the way in which the toy refuses."""

    by: int = Field(1, ge=1, le=1000)
    refuse: str | None = Field(None, max_length=40)
    note: str = Field("", max_length=300_000)


class TallyOut(Value):
    """What was counted; `drawn` is new at every try, so that an answer made anew shows."""

    id: UUID
    seen: int
    drawn: UUID


REFUSALS = {
    "rules": RulesRefused(Objection("FIRST", "Un.", source="minutes L1", field="by", facts={"by": 7}), Objection("SECOND", "Deux.")),
    "warnings": WarningsUnanswered(warnings=(Objection("CAREFUL", "Attention."),)),
    "state": NotAllowedNow(Objection("STATE", "Pas maintenant.")),
    "unknown": NotFound(Objection("UNKNOWN", "Inconnu.")),
    "role": Forbidden(Objection("ROLE", "Pas vous.")),
    "defect": ZeroDivisionError("secret-7qz"),
    "impossible": Impossible("NEVER", "secret-7qz"),
    "away": ConnectionRefusedError("secret-7qz"),
}
gate = asyncio.Event()
"""While it is cleared, the command `wait` finds that the state does not allow it."""


@router.post("/{tally}", name="count", openapi_extra=takes(CountIn), responses=answers(TallyOut))
async def post_count(request: Request, tally: UUID) -> Response:
    """Count."""

    def act(tallies: WorkingSet[int], ask: Ask[CountIn]) -> Answer:
        _refuse(ask.body.refuse)
        seen = (tallies.get(tally) or 0) + (BEYOND if ask.body.refuse == "beyond" else ask.body.by)
        tallies.put(tally, seen, Change("count", ask.principal.id, None, "counted", (withdrawn(tally),)))
        return Answer(201, TallyOut(id=tally, seen=seen, drawn=uuid4()), seen, f"/tallies/{tally}")

    return await door(request).command(request, CountIn, lambda _principal, _body: [tally], act)


def _refuse(how: str | None) -> None:
    if how == "wait" and not gate.is_set():
        raise REFUSALS["state"]
    if how in REFUSALS:
        raise REFUSALS[how]


@router.put("/{tally}", name="decide", openapi_extra=takes(CountIn), responses=answers(TallyOut))
async def put_decision(request: Request, tally: UUID) -> Response:
    """Set, on the number that was read."""

    def act(tallies: WorkingSet[int], ask: Ask[CountIn]) -> Answer:
        seen = tallies.get(tally) or 0
        if ask.required_revision() != seen:
            raise Stale(Objection("REVISION", "Relisez.", facts={"current": seen}))
        tallies.put(tally, ask.body.by, Change("decide", ask.principal.id, None, "decided"))
        return Answer(200, TallyOut(id=tally, seen=ask.body.by, drawn=uuid4()), ask.body.by)

    return await door(request).command(request, CountIn, lambda _principal, _body: [tally], act)


@router.get("/{tally}", name="read", responses=answers(TallyOut))
async def get_tally(request: Request, tally: UUID) -> Response:
    """Read."""
    principal = await signed_in(request)
    rows = await database(request).query(principal, "SELECT seen FROM tally WHERE id = $1", tally)
    if not rows:
        raise NotFound(Objection("UNKNOWN", "Inconnu."))
    return ok(TallyOut(id=tally, seen=rows[0]["seen"], drawn=uuid4()), revision=rows[0]["seen"])


def toy_app(heart: Heart, pages: Pages | None = None) -> FastAPI:
    """Return the application over a scratch database, with pages or without."""

    async def ready() -> dict[str, bool]:
        return {"database": True}

    app = new_app("toy", "0", ready, router, pages=pages)
    app.state.door = Door(heart.database, open_tallies, write_tallies, KnownCallers(PEOPLE), News())
    app.state.letters = DeadLetters(heart.inbox)
    return app


@asynccontextmanager
async def caller(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of the application, without a network."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {"authorization": "akto", "content-type": "application/json"}
    async with httpx.AsyncClient(transport=transport, base_url="http://toy.invalid", headers=headers) as client:
        yield client
