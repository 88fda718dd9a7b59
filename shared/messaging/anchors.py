"""Anchors: at intervals the heads of all chains that grew become one root, kept in a chain of its own and said to the log.

One transaction holds the anchor, the heads under it and its outbox row. The heads are taken by one statement, so from one snapshot: what
was committed then is covered, what commits later grew since and goes under the next one, however long ago it began.
The relay's process does it: it is the one that carries what is committed to the log, and an anchor that is not carried holds nothing.
"""

import asyncio
from typing import Final

import asyncpg

from shared.audit_trail import MerkleTree, anchor_of, head_leaf
from shared.contracts.anchors import FIRST, TrailAnchored
from shared.contracts.flow import anchors_topic
from shared.crash import crash_point
from shared.database import CONNECTION_LOST, Database, UnitOfWork
from shared.errors import Conflict
from shared.identity import service_principal
from shared.logs import log
from shared.messaging.clients import cancelled_from_outside
from shared.messaging.records import Outgoing, cloud_headers, derived_id
from shared.metrics import ANCHORS

_LOCK: Final = 5_117_013_552
"""Advisory lock of the transaction that anchors: of several replicas one does it, the others have nothing to do."""
_PAGE: Final = 5_000
_LOOK_SECONDS: Final = 60.0
"""How often a process looks whether an anchor is due, at most: another replica may have written one, or ended."""
_MINE = "SELECT pg_try_advisory_xact_lock($1) AS mine"
_LAST = (
    "SELECT l.n, l.hash, l.entries, clock_timestamp() AS now,"
    " coalesce(l.written_at > clock_timestamp() - make_interval(secs => $1), false) AS fresh"
    " FROM (SELECT 1) one LEFT JOIN (SELECT * FROM anchor ORDER BY n DESC LIMIT 1) l ON true"
)
_GREW = """
WITH RECURSIVE head(aggregate, n, hash) AS (
  (SELECT aggregate, n, hash FROM audit_entry ORDER BY aggregate DESC, n DESC LIMIT 1)
  UNION ALL
  SELECT e.aggregate, e.n, e.hash FROM head h CROSS JOIN LATERAL (
    SELECT a.aggregate, a.n, a.hash FROM audit_entry a WHERE a.aggregate < h.aggregate ORDER BY a.aggregate DESC, a.n DESC LIMIT 1) e
), taken AS (
  INSERT INTO anchored_head (anchor, aggregate, n, entries, hash)
  SELECT $1, h.aggregate, h.n, h.n - coalesce(p.n, 0), h.hash FROM head h LEFT JOIN LATERAL (
    SELECT k.n FROM anchored_head k WHERE k.aggregate = h.aggregate COLLATE "C" ORDER BY k.anchor DESC LIMIT 1) p ON true
  WHERE h.n > coalesce(p.n, 0)
  RETURNING entries
)
SELECT coalesce(sum(entries), 0)::bigint AS entries FROM taken
"""
"""One probe of an index per chain for its head, one for what was anchored of it: entries below the heads are not read."""
_HEADS = "SELECT aggregate, n, hash FROM anchored_head WHERE anchor = $1 AND aggregate > $2 ORDER BY aggregate LIMIT $3"
_WRITE = (
    "INSERT INTO anchor (n, at, written_at, entries, heads, root, previous_hash, hash)"
    " VALUES ($1::int, $2::timestamptz, $3::timestamptz, $4::bigint, $5::int, $6::text, $7::text, $8::text)"
)
_TRANSIENT: Final = (Conflict, *CONNECTION_LOST, asyncpg.PostgresError)
_LOG = log("anchors")


class Anchorer:
    """Writes an anchor every `every` seconds if a chain has grown since; the database's clock says when, for all replicas."""

    def __init__(self, database: Database, every: float) -> None:
        self._database, self._every = database, every

    async def run(self) -> None:
        """Anchor until cancelled; what fails is tried again."""
        while True:
            pause = min(self._every, _LOOK_SECONDS)
            try:
                if await self.anchor_once() is None:
                    pause = self._every  # nothing has grown: look at the heads again when one would be due
            except (asyncio.CancelledError, *_TRANSIENT) as failure:
                if cancelled_from_outside():
                    raise
                _LOG.warning("anchor_failed", error=type(failure).__name__)
            await asyncio.sleep(pause)

    async def anchor_once(self) -> bool | None:
        """Write an anchor if one is due; return whether it was written, None where nothing has grown since the last one."""
        async with self._database.unit(service_principal(self._database.service, "relay")) as unit:
            if not (await unit.read(_MINE, _LOCK))[0]["mine"]:
                return False
            (last,) = await unit.read(_LAST, self._every)
            if last["fresh"]:
                return False
            anchor = await self._taken(unit, last)
            if anchor is None:
                return None
            unit.add(_WRITE, *_columns(anchor))
            unit.send(outgoing_anchor(anchor))
            await unit.flush()
            await crash_point("anchor.before_commit")
        await crash_point("anchor.after_commit")
        ANCHORS.inc()
        _LOG.info("trail_anchored", n=anchor.n, entries=anchor.entries, heads=anchor.heads)
        return True

    async def _taken(self, unit: UnitOfWork, last: asyncpg.Record) -> TrailAnchored | None:
        """Take the heads that grew under the next anchor; return it, or None where there is none."""
        n = (last["n"] or 0) + 1
        entries = (await unit.read(_GREW, n))[0]["entries"]
        if not entries:
            return None
        tree, after = MerkleTree(), ""
        while heads := await unit.read(_HEADS, n, after, _PAGE):
            for head in heads:
                tree.add(head_leaf(head["aggregate"], head["n"], head["hash"]))
            after = heads[-1]["aggregate"]
        return anchor_of(
            self._database.service,
            n=n,
            at=unit.now,
            written_at=last["now"],
            entries=(last["entries"] or 0) + entries,
            heads=tree.leaves,
            root=tree.root(),
            previous_hash=last["hash"] or FIRST,
        )


def _columns(anchor: TrailAnchored) -> tuple[object, ...]:
    held = (anchor.n, anchor.at, anchor.written_at, anchor.entries, anchor.heads)
    return (*held, anchor.root, anchor.previous_hash, anchor.hash)


def outgoing_anchor(anchor: TrailAnchored, trace: str | None = None) -> Outgoing:
    """Return an anchor's record: its key is the service, its sequence the anchor's number."""
    topic, key = anchors_topic(anchor.service), anchor.service
    identifier = derived_id(topic, key, anchor.n, anchor.wire_type)
    headers = cloud_headers(identifier, anchor.wire_type, anchor.service, key, anchor.at, anchor.n, trace)
    return Outgoing(identifier, topic, key, headers, anchor.model_dump_json(), anchor.n)
