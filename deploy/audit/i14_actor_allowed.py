"""I14: every entry of the trail names an authenticated actor who was allowed to do it then: the trail replayed against `deeds.py`.

Who somebody was is read from the trail itself, where each change of a principal is an entry of its own chain.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final, NamedTuple

from deploy.audit.anchors import LATE
from deploy.audit.deeds import AVIS, DEEDS, Deed, may_hold, of_topic
from deploy.audit.evidence import Evidence
from deploy.audit.verdict import Invariant, Verdict, verdict
from shared.contracts.flow import SERVICES

_PRINCIPALS = (
    "SELECT substr(aggregate, 11) AS id, at, facts ->> 'organisation' AS organisation, facts ->> 'roles' AS roles,"
    " facts ->> 'to' = 'active' AS active FROM audit_entry WHERE aggregate LIKE 'principal/%' ORDER BY aggregate, n"
)
_TRAIL = "SELECT aggregate, n, at, actor, action FROM audit_entry ORDER BY aggregate, n"
_OWNERS = " UNION ALL ".join(
    f"SELECT id::text AS id, opco FROM {table}" for table in ("fiche", "delivery", "declaration", "form_template")
)
_LOWEST = "SELECT lowest FROM clock_offset"
_PRINCIPAL: Final = "principal/"
_FIRST: Final = "migration"
"""The actor of the one entry that nobody could be asked for: the first administrator's."""
_TOPIC: Final = "topic:"


class Done(NamedTuple):
    """One entry of the trail: who did what."""

    aggregate: str
    n: int
    at: dt.datetime
    actor: str
    action: str


class Standing(NamedTuple):
    """What a principal was from a time on: roles are empty while it is disabled."""

    id: str
    since: dt.datetime
    organisation: str
    roles: frozenset[str]


class Asked(NamedTuple):
    """Somebody as he stood when he did something: organisation and roles."""

    organisation: str
    roles: frozenset[str]


@dataclass
class Replay:
    """Replays the entries of one service, chain by chain, each by number.

    `owners` are the organisations of fiches. Where the business clock was ever moved back, times do not say what was before what:
    somebody then may have done what he could have done at any time.
    """

    service: str
    standings: Sequence[Standing] = ()
    owners: Mapping[str, str] = field(default_factory=dict)
    clock_was_moved: bool = False
    wrong: list[str] = field(default_factory=list)
    entries: int = 0

    def __post_init__(self) -> None:
        """Order who is known, and find those who hold what they may not."""
        self._known: dict[str, list[Standing]] = {}
        self._authors: tuple[str, set[str]] = ("", set())
        for one in self.standings:
            self._known.setdefault(one.id, []).append(one)
            if one.id == _FIRST or one.id.startswith((_TOPIC, *(f"{service}:" for service in SERVICES))):
                self.wrong.append(f"{self.service}: {one.id} bears the name of a process")
            for role in sorted(one.roles):
                if not may_hold(one.organisation, role):
                    self.wrong.append(
                        f"{self.service}: {one.id} was made {role}, which one of its organisation may not be"
                    )
        self._since = min((one.since for one in self.standings), default=None)

    def take(self, done: Done) -> None:
        """Take the next entry."""
        self.entries += 1
        if self._authors[0] != done.aggregate:
            self._authors = (done.aggregate, set())
        if why := self._objection(done):
            self.wrong.append(f"{self.service}: entry {done.n} of {done.aggregate}, {done.action}: {why}")
        if done.action in AVIS:
            self._authors[1].add(done.actor)

    def _objection(self, done: Done) -> str | None:
        deed = DEEDS.get(done.action)
        if done.actor.startswith(f"{self.service}:"):
            return None if deed is None and done.actor == f"{self.service}:worker" else "no deed of a service's process"
        if deed is None:
            return "no deed of anybody but the service's worker"
        if done.actor == _FIRST:
            return None if self._is_first(done) else "no deed of a migration"
        if self._before_anybody_was_known(done):
            return None
        standings = self._standings(done)
        return self._refused(done, deed, standings) if standings else "its actor was not known here then"

    def _is_first(self, done: Done) -> bool:
        """Return whether an entry makes the first administrator: no other was ever made before him."""
        if not (done.action == "register_principal" and done.n == 1):
            return False
        first = self._known.get(done.aggregate.removeprefix(_PRINCIPAL), [])[:1]
        others = [one.since for one in self.standings if "administrator" in one.roles]
        return (
            bool(first)
            and "administrator" in first[0].roles
            and (self.clock_was_moved or first[0].since == min(others))
        )

    def _before_anybody_was_known(self, done: Done) -> bool:
        """Return whether an entry is older than the table of principals: a token alone said who it was then."""
        return self._since is not None and not self.clock_was_moved and done.at < self._since

    def _standings(self, done: Done) -> list[Asked]:
        """Return how the actor stood when he did it; also how he had stood until just before, for a transaction under way."""
        if done.actor.startswith(_TOPIC):
            organisation = done.actor.removeprefix(_TOPIC)
            return [Asked(organisation, of_topic(organisation))]
        known = self._known.get(done.actor, [])
        if self.clock_was_moved:
            return [Asked(one.organisation, one.roles) for one in known]
        found = []
        for one, following in zip_longest(known, known[1:]):
            ended = following is not None and following.since < done.at - LATE
            if one.since <= done.at and not ended:
                found.append(Asked(one.organisation, one.roles))
        return found

    def _refused(self, done: Done, deed: Deed, standings: Sequence[Asked]) -> str | None:
        able = [one for one in standings if one.roles & deed.roles]
        if not able:
            return "its actor held no role for it then"
        if deed.more == "own" and self.owners.get(done.aggregate) not in {one.organisation for one in able}:
            return "its actor is of another organisation than the fiche"
        if deed.more == "not author" and done.actor in self._authors[1]:
            return "its actor gave an avis on it"
        if deed.more == "not himself" and done.aggregate == f"{_PRINCIPAL}{done.actor}":
            return "its actor changed his own row"
        return None


async def look(evidence: Evidence) -> Verdict:
    """Replay every service's trail."""
    found = Verdict()
    for service in SERVICES:
        rows = await evidence.rows(service, _PRINCIPALS)
        standings = [Standing(row["id"], row["at"], row["organisation"], _roles(row)) for row in rows]
        owners = (
            {row["id"]: row["opco"] for row in await evidence.rows(service, _OWNERS)} if service == SERVICES[0] else {}
        )
        moved = (await evidence.rows(service, _LOWEST))[0]["lowest"] < 0
        replay = Replay(service, standings, owners, moved)
        async for row in evidence.stream(service, _TRAIL):
            replay.take(Done(*row))
        found += verdict(replay.entries, replay.wrong)
    return found


def _roles(row: Mapping[str, str | bool]) -> frozenset[str]:
    return frozenset(str(row["roles"]).split(",")) if row["active"] else frozenset()


INVARIANT = Invariant("I14", "Every audit entry names an actor who was allowed to do it then.", look)
