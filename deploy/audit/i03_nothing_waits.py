"""I3: what waits on a machine is done within T: every accepted fiche goes on by itself until it waits on people.

What waits when the audit begins is written down; the audit looks again until none of it is left, or T has passed.
What began to wait later is not asked after, so that a busy system is no worse than a still one.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import asyncpg

from deploy.audit.evidence import Sources, asked, connected
from deploy.audit.log import LogReader
from deploy.audit.shape import FILED
from deploy.audit.verdict import Verdict, verdict
from shared.contracts.flow import DOSSIERS, FICHES, SERVICES, topics_heard_by

SETTLE_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.5
_OUTBOX = "SELECT id, topic FROM outbox WHERE published_at IS NULL ORDER BY id LIMIT 100000"
_GAPS = (
    "SELECT topic, key, sequence, event_id FROM parked p WHERE NOT EXISTS (SELECT FROM dead_letter d"
    " WHERE d.topic = p.topic AND d.key = convert_to(p.key, 'UTF8') AND d.state = 'dead' AND d.parks)"
)
"""Parked, whatever the reason says, with no open dead letter that holds the key: nobody but a machine will release it."""
_HELD = "SELECT DISTINCT topic, encode(key, 'escape') AS key FROM dead_letter WHERE state = 'dead' AND parks AND key IS NOT NULL"
_POSITIONS = "SELECT topic, kafka_partition, next_offset FROM position"
_FICHES = f"SELECT id, status FROM fiche WHERE {FILED}"
_DOSSIERS = "SELECT id, status FROM dossier"

DOSSIER_OF: Final[Mapping[str, frozenset[str]]] = {
    "submitted": frozenset({"open", "avis_given"}),
    "to_complete": frozenset({"completion_asked"}),
    "to_adapt": frozenset({"adaptation_proposed"}),
    "avis_lapsed": frozenset({"avis_lapsed"}),
    "validated": frozenset({"validated"}),
    "refused": frozenset({"refused"}),
    "confirmed": frozenset({"validated"}),
    "reviewed": frozenset({"validated"}),
    "withdrawn": frozenset({"closed", "refused"}),
    "cancelled": frozenset({"closed", "refused"}),
}
"""Where a fiche stands to where its dossier may stand once each has heard of the other."""

Key = tuple[str, ...]
Waiting = dict[Key, str]
"""What waits, by an identity that stays the same from look to look, with its sentence."""


@dataclass(frozen=True)
class Held:
    """Keys of a topic that a dead letter holds in a service: they wait on people, not on a machine."""

    keys: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)

    def holds(self, service: str, topic: str, key: str) -> bool:
        """Return whether this key is held in that service."""
        return key in self.keys.get((service, topic), frozenset())


def lagging(service: str, positions: Mapping[tuple[str, int], int], targets: Mapping[tuple[str, int], int]) -> Waiting:
    """Return the partitions of which a service has not read up to `targets`, both by (topic, partition)."""
    return {
        ("lag", service, place[0], str(place[1])): f"{service} has not read {place[0]}/{place[1]} up to {end}"
        for place, end in targets.items()
        if positions.get(place, 0) < end
    }


def apart(fiches: Mapping[UUID, str], dossiers: Mapping[UUID, str], held: Held) -> Waiting:
    """Return the fiches whose dossier does not stand where the fiche believes, dead letters apart; by id to status."""
    waiting: Waiting = {}
    for fiche in fiches.keys() | dossiers.keys():
        status, dossier = fiches.get(fiche), dossiers.get(fiche)
        if held.holds("validation", FICHES, str(fiche)) or held.holds("submission", DOSSIERS, str(fiche)):
            continue
        if status is None or dossier is None or dossier not in DOSSIER_OF.get(status, frozenset()):
            sentence = f"fiche {fiche} stands as {status or 'unknown'}, its dossier as {dossier or 'unknown'}"
            waiting[("apart", str(fiche), status or "", dossier or "")] = sentence
    return waiting


def still(first: Waiting, now: Waiting) -> Waiting:
    """Return what waited at first and waits now."""
    return {key: sentence for key, sentence in now.items() if key in first}


async def settle(sources: Sources, seconds: float = SETTLE_SECONDS) -> Verdict:
    """Wait until nothing of what waits now waits any more, at most `seconds`; the rest is the violation."""
    until = time.monotonic() + seconds
    async with connected(sources) as connections:
        targets = await _ends(sources)
        first = waiting = await _waiting(connections, targets)
        while waiting and time.monotonic() < until:
            await asyncio.sleep(_LOOK_SECONDS)
            waiting = still(waiting, await _waiting(connections, targets))
        fiches = await asked(connections["submission"], "SELECT count(*) FROM fiche")
    return verdict(
        max(int(fiches[0][0]), len(first)), (f"{found}, {seconds:.0f} s later" for found in waiting.values())
    )


async def gaps(service: str, connection: asyncpg.Connection) -> Waiting:
    """Return the parked events of a service whose key no open dead letter holds. Raises `CouldNotLook`."""
    return {
        ("gap", service, row["topic"], row["key"], row["event_id"]): (
            f"{service}: no. {row['sequence']} of {row['key']} of {row['topic']} waits for the one before it"
        )
        for row in await asked(connection, _GAPS)
    }


async def _ends(sources: Sources) -> dict[tuple[str, int], int]:
    async with LogReader(sources.kafka) as reader:
        bounds = await reader.bounds({topic for service in SERVICES for topic in topics_heard_by(service)})
    return {(place.topic, place.partition): end for place, end in bounds.ends.items()}


async def _waiting(connections: Mapping[str, asyncpg.Connection], targets: Mapping[tuple[str, int], int]) -> Waiting:
    waiting: Waiting = {}
    held: dict[tuple[str, str], frozenset[str]] = {}
    for service, connection in connections.items():
        heard = set(topics_heard_by(service))
        for row in await asked(connection, _OUTBOX):
            waiting[("outbox", service, str(row["id"]))] = (
                f"{service}: outbox row {row['id']} for {row['topic']} is not published"
            )
        for row in await asked(connection, _HELD):
            place = (service, row["topic"])
            held[place] = held.get(place, frozenset()) | {row["key"]}
        waiting |= await gaps(service, connection)
        positions = {
            (row["topic"], row["kafka_partition"]): row["next_offset"] for row in await asked(connection, _POSITIONS)
        }
        waiting |= lagging(service, positions, {place: end for place, end in targets.items() if place[0] in heard})
    fiches = {row["id"]: row["status"] for row in await asked(connections["submission"], _FICHES)}
    dossiers = {row["id"]: row["status"] for row in await asked(connections["validation"], _DOSSIERS)}
    return waiting | apart(fiches, dossiers, Held(held))


SENTENCE: Final = (
    "What waits on a machine is done within a minute: every accepted fiche goes on until it waits on people."
)
