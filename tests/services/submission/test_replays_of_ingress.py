"""Replaying a partner's record: as often as it takes, each try with its entry in one chain, and only by who still may."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from shared.contracts import ingress as asked
from shared.database import RightsChanged
from shared.identity import Principal, service_principal
from shared.messaging.inbox import Inbox
from shared.messaging.letters import DeadLetters
from shared.principals import Registration, register
from tests.services.submission.room import Room
from tests.support.fiches import GOLDEN_OPCO, PAST_WARNINGS, golden_content
from tests.support.servers import Servers

OPERATOR = Principal("operations", "operations", "machine", frozenset({"operations"}))
FILING = asked.SubmitFiche(content=golden_content(), acknowledged=PAST_WARNINGS)


@pytest_asyncio.fixture(loop_scope="session")
async def room(servers: Servers) -> AsyncIterator[Room]:
    made = await Room.make(servers)
    try:
        yield made
    finally:
        await made.close()


async def test_a_partners_record_may_be_replayed_until_it_passes(room: Room) -> None:
    def defective(*_: Any) -> Any:
        raise ZeroDivisionError

    mended, ears = room.inbox, room.inbox.hearing
    room.inbox = Inbox(room.database, replace(ears, commands={**ears.commands, asked.SubmitFiche: defective}))
    await room.tell(GOLDEN_OPCO, uuid4().hex, FILING)
    (row,) = await room.fetch("SELECT id FROM dead_letter")
    tries = [DeadLetters(inbox) for inbox in (room.inbox, room.inbox, mended)]
    assert [(await letters.replay(OPERATOR, row["id"])).state for letters in tries] == ["dead", "dead", "replayed"]
    query = "SELECT n FROM audit_entry WHERE aggregate = $1 ORDER BY n"
    entries = await room.fetch(query, f"dead_letter/{row['id']}")
    assert [entry["n"] for entry in entries] == [1, 2, 3]


async def test_who_replays_a_partners_record_must_still_be_allowed_to(room: Room) -> None:
    async with room.database.unit(service_principal("submission", "api")) as unit:
        await register(unit, [Registration("operations", "machine", "operations", ("operations",))], "migration")
        await unit.flush()
    await room.tell(GOLDEN_OPCO, uuid4().hex, FILING, claims={"ce_type": "nonsense"})
    (row,) = await room.fetch("SELECT id FROM dead_letter")
    letters = DeadLetters(room.inbox)
    with pytest.raises(RightsChanged):
        await letters.replay(replace(OPERATOR, version=2), row["id"])
    assert (await letters.replay(replace(OPERATOR, version=1), row["id"])).attempts == 2
