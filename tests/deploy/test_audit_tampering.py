"""10,000 ways to tamper with a trail, drawn by chance: each is found, and what finds it is counted.

In memory on a trail of thousands of entries that the real unit of work and the real anchorer wrote; a share of each kind also on the
running product, by a superuser, on the trail of real fiches, through the real look at it.
"""

import json
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from random import Random
from uuid import UUID, uuid4

import asyncpg
import pytest

from deploy.audit.anchors import AnchorsSaid
from deploy.audit.evidence import Evidence, evidence
from deploy.audit.i13_trail_unbroken import Sentence, look, look_at
from deploy.audit.kept_anchors import keep_last_anchors, read_kept
from deploy.audit.run import sources_of
from deploy.audit.verdict import Verdict
from shared.audit_trail import NEW, Change, Head, chained
from shared.database import AUDIT_ENTRY
from shared.messaging.anchors import Anchorer
from tests.support.heart import TALLY, WORKER, Heart
from tests.support.load import Load
from tests.support.stack import Stack, eventually
from tests.support.tampered_database import carry_out, read_trail
from tests.support.tampering import KINDS, Draft, Kept, drawn

SEED = 20261125
TAMPERINGS = 10_000
ON_THE_PRODUCT = 20
"""Of each kind."""


async def write_trail(heart: Heart, chance: Random, rounds: int = 16, aggregates: int = 160) -> None:
    """Write a trail as services do: batches over many aggregates, chains without a row, an anchor after each round but the last."""
    heads: dict[UUID, Head] = {uuid4(): NEW for _ in range(aggregates)}
    letters: dict[str, Head] = {f"dead_letter/{uuid4()}": NEW for _ in range(aggregates // 10)}
    for number in range(rounds):
        async with heart.database.unit(WORKER) as unit:
            await unit.read("SELECT 1 AS one")
            for identifier in sorted(chance.sample(sorted(heads), aggregates // 4)):
                changes = [_change(chance) for _ in range(chance.randrange(1, 8))]
                heads[identifier] = unit.save(TALLY, identifier, heads[identifier], {"seen": 1}, changes)
            for letter in chance.sample(sorted(letters), len(letters) // 2):
                links = chained(letter, letters[letter], [_change(chance)], unit.now)
                letters[letter] = letters[letter].after(links, 0)
                unit.insert(AUDIT_ENTRY, [link.as_row() for link in links])
            await unit.flush()
        if number < rounds - 1:
            assert await Anchorer(heart.database, 0).anchor_once() is True


def _change(chance: Random) -> Change:
    motif = chance.choice(["été « fini »", "x" * 80, None])
    facts = {"revision": chance.randrange(9), "late": chance.random() < 0.5, "motif": motif}
    action = chance.choice(["submit_fiche", "give_avis", "hear_event"])
    return Change(action, chance.choice(["akto", "region", WORKER.id]), "a", "b", facts=facts)


@pytest.fixture
async def kept(heart: Heart) -> Kept:
    """A trail of thousands of entries under fifteen anchors, and some entries after the last one."""
    await write_trail(heart, Random(SEED))
    async with heart.database.connection() as connection, connection.transaction():
        await connection.execute("SET LOCAL poec.tenant = '*'")
        trail = await read_trail(connection, "validation")
    assert len(trail.entries) > 2_000 and len(trail.anchors) == 15
    assert sum(map(len, trail.chains.values())) > len(trail.entries), (
        "some entries must be younger than the last anchor"
    )
    return trail


def finders(sentences: Sequence[Sentence]) -> set[str]:
    return {finder for finder, _ in sentences}


async def test_an_untampered_trail_is_clean(kept: Kept) -> None:
    assert kept.found_in(Draft(kept)) == []
    whole = Draft(kept, chains={name: list(chain) for name, chain in kept.chains.items()})
    assert kept.found_in(whole) == []
    assert [sentence for walk in kept.walks.values() for sentence in walk.wrong] == []


async def test_each_of_ten_thousand_tamperings_is_found(kept: Kept) -> None:
    by: dict[str, Counter[str]] = {kind.__name__: Counter() for kind in KINDS}
    missed = []
    for number in range(TAMPERINGS):
        kind = KINDS[number % len(KINDS)]
        found = finders(kept.found_in(drawn(kind, Random(f"{SEED}/{number}"), kept)))
        by[kind.__name__].update(found)
        by[kind.__name__].update([f"alone by {finder}" for finder in found if len(found) == 1])
        if not found:
            missed.append(f"{kind.__name__} no. {number}")
    for name, counted in by.items():
        print(f"{name:>14}", dict(sorted((key, value) for key, value in counted.items() if value)))
    assert missed == []
    total = sum(by.values(), Counter())
    assert all(total[finder] for finder in ("chain", "sequence", "row", "root", "anchor", "witness", "time")), total
    assert all(total[f"alone by {finder}"] for finder in ("chain", "row", "root", "witness", "time")), total


async def test_without_anchors_a_trail_that_was_chained_anew_would_pass(kept: Kept) -> None:
    """What the anchors are for, and that the test above does not find what it finds by accident."""
    blind = Kept(kept.service, kept.chains, kept.claims, {}, [])
    entry = kept.entries[0]
    draft = Draft(blind, chains={entry.aggregate: [entry._replace(actor="x"), *kept.chains[entry.aggregate][1:]]})
    draft.cover_up(2)
    assert blind.found_in(draft) == []


async def test_what_no_anchor_covers_yet_can_be_chained_anew_unseen(kept: Kept) -> None:
    """The limit of it: an hour by default (`POEC_ANCHOR_SECONDS`)."""
    name = next(n for n, chain in kept.chains.items() if n in kept.claims and chain[-1].n > kept.marks[n][-1].n)
    chain = list(kept.chains[name])
    draft = Draft(kept, chains={name: [*chain[:-1], chain[-1]._replace(actor="x")]})
    draft.cover_up(2, len(chain) - 1)
    assert kept.found_in(draft) == []


# On the running product


@pytest.fixture(scope="module")
async def fiches(stack: Stack) -> Stack:
    """The stack after whole lives of fiches, with at least two anchors of submission, said to the log."""
    async with Load(stack, "tampering") as load:
        await load.fiches(6)
        await eventually(partial(_anchored, stack, 1), 60, "submission anchors its trail")
        await load.fiches(6)
        await eventually(partial(_anchored, stack, 2), 60, "submission anchors its trail again")
    await stack.audited()
    return stack


async def _anchored(stack: Stack, n: int) -> bool:
    query = (
        "SELECT count(*) FROM outbox WHERE topic = 'poec.submission.anchors' AND published_at < now() - interval '1 s'"
    )
    covered = await stack.value("submission", "SELECT max(entries) FROM anchor")
    whole = await stack.value("submission", "SELECT count(*) FROM audit_entry")
    return bool(await stack.value("submission", query) >= n and covered == whole)


async def looked_at(connection: asyncpg.Connection, seen: Evidence) -> Verdict:
    """Look at submission's trail through a connection that has tampered with it; log and times are the ones seen before."""
    log = seen.fold(AnchorsSaid)
    return await look_at(
        Evidence({"submission": connection}, {AnchorsSaid: log}, (), seen.began, seen.ends), "submission"
    )


async def test_a_superuser_who_tampers_with_the_product_is_found(fiches: Stack) -> None:
    connection = await asyncpg.connect(fiches.superuser_url("submission"), timeout=30)
    found: Counter[str] = Counter()
    missed, agreed = [], 0
    try:
        async with evidence(sources_of(fiches.home), [AnchorsSaid]) as seen:
            trail = await read_trail(connection, "submission")
            assert len(trail.anchors) >= 2
            async with connection.transaction():
                assert (await looked_at(connection, seen)).violations == ()
            for number, kind in enumerate(kind for kind in KINDS for _ in range(ON_THE_PRODUCT)):
                draft = drawn(kind, Random(f"{SEED}/{number}"), trail)
                transaction = connection.transaction()
                await transaction.start()
                try:
                    await carry_out(connection, draft)
                    verdict = await looked_at(connection, seen)
                finally:
                    await transaction.rollback()
                if draft.anchors == list(trail.anchors):
                    # what is judged in memory is what the product's database is judged to be: the ten thousand count for it
                    assert set(verdict.violations) == {sentence for _, sentence in trail.found_in(draft)}
                    agreed += 1
                found[kind.__name__] += bool(verdict.violations)
                if not verdict.violations:
                    missed.append(f"{kind.__name__} no. {number}")
    finally:
        await connection.close()
    print(dict(found), agreed)
    assert missed == []
    assert agreed >= ON_THE_PRODUCT * 4
    assert found == Counter({kind.__name__: ON_THE_PRODUCT for kind in KINDS})


async def test_anchors_are_kept_outside_and_held_against_the_product(fiches: Stack, tmp_path: Path) -> None:
    kept = tmp_path / "anchors.jsonl"
    sources = sources_of(fiches.home)
    await keep_last_anchors(sources, kept)
    taken = read_kept([kept])
    assert {anchor.service for anchor in taken} >= {"submission", "validation", "publication"}
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    forged = tmp_path / "forged.jsonl"
    forged.write_text("".join(json.dumps({**line, "entries": line["entries"] + 1}) + "\n" for line in lines))
    for file, expected in ((kept, 0), (forged, len(taken))):
        async with evidence(sources_of(fiches.home, anchors=[file]), [AnchorsSaid]) as seen:
            assert len((await look(seen)).violations) == expected
