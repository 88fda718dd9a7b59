"""The audit on the running product: clean after whole lives of fiches, and it finds one thing planted for each invariant.

What is planted is taken back, so that the next test finds the stack healthy; each plant is of a kind no process reacts to.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from deploy.audit.evidence import Sources, evidence
from deploy.audit.i03_nothing_waits import settle
from deploy.audit.run import INVARIANTS, sources_of
from deploy.audit.verdict import Verdict
from shared.messaging.trail_schema import INSERT_ONLY
from tests.support.load import Load
from tests.support.stack import Stack, eventually


@dataclass(frozen=True)
class Plant:
    """Something wrong: `pick` chooses rows of a service's database, `spoil` changes them ($1 is what was picked), `mend` undoes it."""

    invariant: str
    service: str
    pick: str
    spoil: str
    mend: str

    def __str__(self) -> str:
        """Name the test."""
        return f"{self.invariant}-{self.spoil.split()[1]}"


_ONE_FICHE = "SELECT id FROM fiche JOIN audit_entry ON aggregate = id::text WHERE n = 1 AND action = 'submit_fiche' ORDER BY id LIMIT 1"
"""One that was filed at once: what is mended is what was there."""
_ONE_DOSSIER = (
    "SELECT id FROM dossier WHERE status = 'validated'"
    " AND EXISTS (SELECT FROM audit_entry WHERE aggregate = id::text AND action = 'give_avis') ORDER BY id LIMIT 1"
)
_ONE_SESSION = "SELECT id FROM catalogue_session WHERE status = 'published' ORDER BY id LIMIT 1"
_ONE_KEY = "SELECT key FROM idempotency ORDER BY key LIMIT 1"
_ONE_EVENT = "SELECT event_id FROM inbox WHERE sequence = 1 ORDER BY event_id LIMIT 1"
_LAST_EVENT = "SELECT event_id FROM inbox WHERE sequence IS NOT NULL ORDER BY sequence DESC, event_id LIMIT 1"
_ONE_PARTITION = "SELECT topic || '/' || kafka_partition FROM position WHERE received > 0 ORDER BY 1 LIMIT 1"
_HERE = "topic || '/' || kafka_partition = $1"
_FIRST_ENTRY = "n = 1 AND aggregate = $1::uuid::text"
PLANTS = [
    Plant(
        "I1",
        "submission",
        _ONE_FICHE,
        "UPDATE fiche SET reference = reference || '-x' WHERE id = $1",
        "UPDATE fiche SET reference = left(reference, -2) WHERE id = $1",
    ),
    Plant(
        "I2",
        "validation",
        _ONE_KEY,
        "UPDATE idempotency SET key = key || '-x' WHERE key = $1",
        "UPDATE idempotency SET key = $1 WHERE key = $1 || '-x'",
    ),
    Plant(
        "I3",
        "validation",
        _ONE_DOSSIER,
        "UPDATE dossier SET status = 'open' WHERE id = $1",
        "UPDATE dossier SET status = 'validated' WHERE id = $1",
    ),
    Plant(
        "I3",
        "analytics",
        _ONE_PARTITION,
        f"UPDATE position SET next_offset = next_offset - 1 WHERE {_HERE}",
        f"UPDATE position SET next_offset = next_offset + 1 WHERE {_HERE}",
    ),
    Plant(
        "I4",
        "submission",
        _ONE_FICHE,
        f"UPDATE audit_entry SET facts = jsonb_set(facts, '{{to}}', '\"confirmed\"') WHERE {_FIRST_ENTRY}",
        f"UPDATE audit_entry SET facts = jsonb_set(facts, '{{to}}', '\"submitted\"') WHERE {_FIRST_ENTRY}",
    ),
    Plant(
        "I4",
        "submission",
        _ONE_FICHE,
        "UPDATE fiche_version SET content = jsonb_set(content, '{title}', '\"x\"') WHERE fiche_id = $1 AND revision = 1",
        "UPDATE fiche_version v SET content = o.value::jsonb -> 'content' FROM outbox o WHERE o.key = $1::uuid::text"
        " AND o.headers ->> 'ce_type' = 'fr.poec.fiche.submitted.v1' AND v.fiche_id = $1 AND v.revision = 1",
    ),
    Plant(
        "I4",
        "submission",
        _ONE_FICHE,
        "UPDATE fiche_version SET revision = revision + 1000 WHERE fiche_id = $1",
        "UPDATE fiche_version SET revision = revision - 1000 WHERE fiche_id = $1",
    ),
    Plant(
        "I4",
        "publication",
        _ONE_SESSION,
        "UPDATE catalogue_session SET sequence = sequence + 1 WHERE id = $1",
        "UPDATE catalogue_session SET sequence = sequence - 1 WHERE id = $1",
    ),
    Plant(
        "I5",
        "validation",
        _ONE_DOSSIER,
        "UPDATE audit_entry SET action = 'gave_avis' WHERE action = 'give_avis' AND aggregate = $1::uuid::text",
        "UPDATE audit_entry SET action = 'give_avis' WHERE action = 'gave_avis' AND aggregate = $1::uuid::text",
    ),
    Plant(
        "I6",
        "publication",
        _ONE_SESSION,
        "UPDATE catalogue_session SET status = 'removed' WHERE id = $1",
        "UPDATE catalogue_session SET status = 'published' WHERE id = $1",
    ),
    Plant(
        "I7",
        "analytics",
        "SELECT month FROM running_count WHERE measure = 'ais' AND value > 0 LIMIT 1",
        "UPDATE running_count SET value = value + 1 WHERE measure = 'ais' AND month = $1",
        "UPDATE running_count SET value = value - 1 WHERE measure = 'ais' AND month = $1",
    ),
    Plant(
        "I8",
        "validation",
        _ONE_DOSSIER,
        "UPDATE outbox SET value = value || ' ' WHERE key = $1::uuid::text AND sequence = 1",
        "UPDATE outbox SET value = rtrim(value, ' ') WHERE key = $1::uuid::text AND sequence = 1",
    ),
    Plant(
        "I9",
        "analytics",
        _ONE_EVENT,
        "INSERT INTO inbox (topic, event_id, kafka_partition, kafka_offset, key, sequence, outcome)"
        " SELECT topic, event_id || '-x', kafka_partition, kafka_offset, key, sequence, outcome FROM inbox WHERE event_id = $1",
        "DELETE FROM inbox WHERE event_id = $1 || '-x'",
    ),
    Plant(
        "I9",
        "publication",
        "SELECT 1",
        "ALTER TABLE audit_entry DROP CONSTRAINT audit_entry_pkey",
        "ALTER TABLE audit_entry ADD PRIMARY KEY (aggregate, n)",
    ),
    Plant(
        "I10",
        "publication",
        _LAST_EVENT,
        "UPDATE inbox SET sequence = sequence + 1 WHERE event_id = $1",
        "UPDATE inbox SET sequence = sequence - 1 WHERE event_id = $1",
    ),
    Plant(
        "I11",
        "submission",
        _ONE_EVENT,
        "UPDATE inbox SET event_id = event_id || '-x' WHERE event_id = $1",
        "UPDATE inbox SET event_id = $1 WHERE event_id = $1 || '-x'",
    ),
    Plant(
        "I11",
        "analytics",
        _ONE_PARTITION,
        f"UPDATE position SET received = received + 1 WHERE {_HERE}",
        f"UPDATE position SET received = received - 1 WHERE {_HERE}",
    ),
    Plant(
        "I12",
        "analytics",
        _ONE_PARTITION,
        f"UPDATE position SET next_offset = next_offset + 1000000 WHERE {_HERE}",
        f"UPDATE position SET next_offset = next_offset - 1000000 WHERE {_HERE}",
    ),
    Plant(
        "I13",
        "validation",
        _ONE_DOSSIER,
        f"UPDATE audit_entry SET actor = actor || '-x' WHERE {_FIRST_ENTRY}",
        f"UPDATE audit_entry SET actor = left(actor, -2) WHERE {_FIRST_ENTRY}",
    ),
    Plant(
        "I13",
        "validation",
        "SELECT 1",
        "UPDATE anchor SET entries = entries + 1 WHERE n = $1",
        "UPDATE anchor SET entries = entries - 1 WHERE n = $1",
    ),
    Plant(
        "I13",
        "publication",
        "SELECT aggregate FROM anchored_head WHERE anchor = 1 LIMIT 1",
        "UPDATE anchored_head SET hash = reverse(hash) WHERE anchor = 1 AND aggregate = $1",
        "UPDATE anchored_head SET hash = reverse(hash) WHERE anchor = 1 AND aggregate = $1",
    ),
    Plant(
        "I14",
        "submission",
        _ONE_FICHE,
        f"UPDATE audit_entry SET actor = 'x-' || actor WHERE {_FIRST_ENTRY}",
        f"UPDATE audit_entry SET actor = substr(actor, 3) WHERE {_FIRST_ENTRY}",
    ),
    Plant(
        "I14",
        "validation",
        "SELECT actor FROM audit_entry WHERE action = 'give_avis' LIMIT 1",
        "UPDATE audit_entry SET action = 'validate_fiche' WHERE action = 'give_avis' AND actor = $1",
        "UPDATE audit_entry SET action = 'give_avis' WHERE action = 'validate_fiche' AND actor = $1",
    ),
    Plant(
        "I17",
        "validation",
        _ONE_KEY,
        "UPDATE idempotency SET body = body || ' ' WHERE key = $1",
        "UPDATE idempotency SET body = rtrim(body, ' ') WHERE key = $1",
    ),
    Plant(
        "I19",
        "publication",
        _ONE_SESSION,
        "UPDATE catalogue_session SET ais = ais + 1 WHERE id = $1",
        "UPDATE catalogue_session SET ais = ais - 1 WHERE id = $1",
    ),
]


@pytest_asyncio.fixture(scope="module")
async def lived(stack: Stack) -> AsyncIterator[Stack]:
    """The stack after four whole lives, two by each door, found clean before anything is planted and after everything is mended."""
    async with Load(stack, "planted") as load:
        await load.fiches(4)
    await stack.audited()
    for service in ("validation", "publication"):
        await eventually(partial(_is_anchored, stack, service), 60, f"{service} anchors its trail")
    yield stack
    await stack.audited()


async def _is_anchored(stack: Stack, service: str) -> bool:
    return bool(await stack.value(service, "SELECT n FROM anchor WHERE n = 1"))


@asynccontextmanager
async def planted(stack: Stack, plant: Plant) -> AsyncIterator[None]:
    """Plant something for the length of a block, as a superuser."""
    superuser = await asyncpg.connect(stack.superuser_url(plant.service), timeout=30)
    try:
        picked = await superuser.fetchval(plant.pick)
        assert picked is not None, "nothing to spoil"
        await _done(superuser, plant.spoil, picked)
        try:
            yield
        finally:
            await _done(superuser, plant.mend, picked)
    finally:
        await superuser.close()


async def _done(superuser: asyncpg.Connection, statement: str, picked: Any) -> None:
    """Change rows, also those that are only inserted: their trigger is away for the length of the transaction."""
    arguments = [picked] if "$1" in statement else []
    guarded = [table for table in INSERT_ONLY if statement.startswith(f"UPDATE {table} ")]
    async with superuser.transaction():
        for table in guarded:
            await superuser.execute(f"ALTER TABLE {table} DISABLE TRIGGER only_inserted")
        await _changed(superuser, statement, arguments)
        for table in guarded:
            await superuser.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER only_inserted")


async def _changed(superuser: asyncpg.Connection, statement: str, arguments: list[Any]) -> None:
    assert await superuser.execute(statement, *arguments) not in ("UPDATE 0", "INSERT 0 0", "DELETE 0"), (
        "nothing was changed"
    )


async def looked(sources: Sources, invariant: str) -> Verdict:
    """Look at one invariant alone."""
    if invariant == "I3":
        return await settle(sources, 1.0)
    (wanted,) = [one for one in INVARIANTS if one.id == invariant]
    async with evidence(sources, wanted.folds) as seen:
        return await wanted.look(seen)


@pytest.mark.parametrize("plant", PLANTS, ids=str)
async def test_what_is_planted_is_found(lived: Stack, plant: Plant) -> None:
    sources = sources_of(lived.home)
    async with planted(lived, plant):
        found = await looked(sources, plant.invariant)
    assert found.checked > 0
    assert found.violations, f"{plant.invariant} is blind to: {plant.spoil}"


def test_every_invariant_has_its_plant() -> None:
    assert {plant.invariant for plant in PLANTS} == {"I3", *(invariant.id for invariant in INVARIANTS)}
