"""Twenty thousand requests across tenants, by a seeded walk: nothing of another tenant is told, changed, or told from nothing."""

import json
import time
from collections.abc import Mapping
from random import Random
from uuid import uuid4

import pytest
import pytest_asyncio

from shared import database
from shared.contracts.flow import ingress_topic, results_topic
from shared.contracts.ingress import OPCO_COMMANDS, CommandAnswered
from shared.messaging.records import Received
from tests.access.cells import BY_REFERENCE
from tests.access.entrance import OTHER, OWN, Entrance
from tests.access.objects import TABLES, Object
from tests.access.probe import SPELLINGS, Having, Prey, Walk, laid_out, nobodys, walk
from tests.access.test_matrix_by_topic import value_of
from tests.access.test_nets import let_everybody_do_everything
from tests.support.operations import COMMANDS

SEED = 20261125
REQUESTS, RECORDS = 18_000, 2_000


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def prey(entrances: Mapping[str, Entrance]) -> Prey:
    return await laid_out(entrances)


async def versions(entrances: Mapping[str, Entrance]) -> dict[object, object]:
    """Return the version of every object of the two tenants."""
    found: dict[object, object] = {}
    for name, table in TABLES.items():
        rows = await entrances[name].owner(f"SELECT id, version, status FROM {table} WHERE opco = ANY($1::text[])", [OWN, OTHER])
        found |= {(name, row["id"]): (row["version"], row["status"]) for row in rows}
    return found


async def test_nothing_is_told_or_changed_across_tenants(entrances: Mapping[str, Entrance], prey: Prey) -> None:
    before, began = await versions(entrances), time.monotonic()
    found: Walk = await walk(entrances, prey, SEED, REQUESTS)
    assert found.found == []
    after = await versions(entrances)
    assert {key: after[key] for key in before} == before
    assert sum(found.statuses.values()) == REQUESTS and found.compared > REQUESTS * 0.8
    assert {200, 403, 404, 405, 422} <= set(found.statuses)
    print(f"{REQUESTS} requests, {found.compared} compared with the answer to what nobody has, seed {SEED}:")
    print(f"{dict(sorted(found.statuses.items()))} in {time.monotonic() - began:.0f} s")


async def test_nothing_is_told_or_changed_across_topics(entrances: Mapping[str, Entrance], prey: Prey) -> None:
    entrance, chance, before = entrances["submission"], Random(SEED), await versions(entrances)
    told, unknown = [], set()
    for sender, victim in ((OWN, OTHER), (OTHER, OWN)):
        for _ in range(RECORDS // 200):
            pairs = [records(entrance, chance, sender, having) for having in chance.choices(prey.having["submission", victim], k=100)]
            first = pairs[0][0].offset
            await entrance.inbox.apply(ingress_topic(sender), [record for pair in pairs for record in pair])
            rows = await entrance.owner("SELECT value FROM outbox WHERE topic = $1", results_topic("submission", sender))
            answers = {a.offset: a for a in (CommandAnswered.model_validate_json(row["value"]) for row in rows) if a.offset >= first}
            for there, nowhere in pairs:
                one, other = (shape(answers[record.offset]) for record in (there, nowhere))
                unknown.add(answers[there.offset].outcome)
                if one != other:
                    told.append(f"{there.key!r}: {one} is not {other}")
                said, asked = answers[there.offset].model_dump_json().encode(), (there.key or b"") + (there.value or b"")
                told += [f"{there.key!r} tells {w!r}" for w in prey.words[victim] if w in said and w not in asked]
    assert told == []
    assert await versions(entrances) == before
    assert unknown == {"refused"}


def records(entrance: Entrance, chance: Random, sender: str, having: Having) -> tuple[Received, Received]:
    """Return two records on a sender's topic: one that names what another tenant has, and the same of what nobody has."""
    command = chance.choice([c for c in OPCO_COMMANDS if COMMANDS[c] not in BY_REFERENCE])
    spell, key = chance.choice(SPELLINGS), chance.choice(("reference", "reference", "id", "letter"))
    claim = chance.choice((None, None, "opco", "fiche_id", "reference"))
    made = []
    for one in (having, nobodys()):
        value = json.loads(value_of(command, Object(uuid4())))
        claimed = value if claim is None else {**value, claim: getattr(one, "reference" if claim == "reference" else "id")}
        headers = {"ce_id": uuid4().hex, "ce_type": command.wire_type}
        made.append(entrance.received(ingress_topic(sender), spell(getattr(one, key)), headers, json.dumps(claimed)))
    return made[0], made[1]


def shape(answer: CommandAnswered) -> str:
    """Return an answer without what the record itself said."""
    return answer.model_copy(update={"reference": None, "command_id": None, "offset": 0}).model_dump_json()


async def test_what_leaks_is_found(entrances: Mapping[str, Entrance], prey: Prey, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the two nets the same walk finds hundreds of answers that tell too much."""
    let_everybody_do_everything(monkeypatch)
    monkeypatch.setattr(database, "tenant_of", lambda _: "*")
    found = await walk(entrances, prey, SEED, 400)
    assert any("tells" in line for line in found.found)
    assert any("is not the answer" in line for line in found.found)
