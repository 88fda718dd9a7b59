"""A seeded random walk of requests that name what is another tenant's: any method, route, place and spelling of an id.

Each request is made twice: with what the other tenant has, and with the same that nobody has. Both answers must be the same, and none
may hold a word of the other tenant's that was not in the question.
"""

import asyncio
import base64
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final
from uuid import UUID, uuid4

from shared.contracts.flow import topics_heard_by
from shared.policy import POLICY
from tests.access.cells import BY_REFERENCE, Cell
from tests.access.entrance import OTHER, OWN, Answered, Entrance
from tests.access.objects import BODIES, SEEDS, Object, at_its_time, title_of
from tests.support.operations import STATES, legal_states, routes

TENANTS: Final = {"opco": OWN, "other_opco": OTHER}
"""Callers who have objects, and whose."""
OUTSIDERS: Final = ("training_provider", "other_provider", "agency")
"""Callers who have none."""
ROLES: Final = {**dict.fromkeys(TENANTS, "opco"), **dict.fromkeys(OUTSIDERS[:2], "training_provider"), "agency": "agency"}
"""The role of each caller: most requests are for what it lets them ask."""
_AT_ONCE: Final = 24
_LETTER: Final = (
    "INSERT INTO dead_letter (id, topic, kafka_partition, kafka_offset, code, detail, headers, value)"
    " VALUES ($1, $2, 5, $3, 'PLANTED', 'planted', '[]', $4)"
)


@dataclass(frozen=True)
class Having:
    """What a tenant has in one service, or what nobody has: an id, a reference, a letter, a key already used, a cursor, a word."""

    id: str
    reference: str
    letter: str
    key: str
    cursor: str

    def words(self) -> tuple[str, ...]:
        """Return what may be in no answer to anybody else."""
        return self.id, self.reference, self.letter


def nobodys() -> Having:
    """Return names that nobody has."""
    return Having(str(uuid4()), f"M-{uuid4().hex[:12]}", str(uuid4()), uuid4().hex, _cursor(uuid4()))


def _cursor(identifier: UUID) -> str:
    return base64.urlsafe_b64encode(f"2018-03-01T12:00:00+00:00 {identifier}".encode()).decode()


SPELLINGS: Final[tuple[Callable[[str], str], ...]] = (
    *(lambda one: one,) * 8,
    str.upper,
    lambda one: one.replace("-", ""),
    lambda one: f"%7B{one}%7D",
    lambda one: f"urn:uuid:{one}",
    lambda one: one.replace("-", "%2D"),
    lambda one: f"{one}/",
    lambda one: f"./{one}",
    lambda one: f"x/../{one}",
    lambda one: f"{one}%00",
    lambda one: f"{one};v=1",
    lambda one: f"%20{one}",
    lambda one: f"{one},{one}",
)
HEADERS: Final[tuple[Mapping[str, str], ...]] = (
    *({},) * 6,
    {"x-tenant": "{tenant}"},
    {"x-forwarded-user": "{tenant}", "x-forwarded-for": "127.0.0.1"},
    {"x-original-url": "/fiches/{id}", "x-rewrite-url": "/fiches/{id}"},
    {"x-http-method-override": "DELETE"},
    {"cookie": "principal={tenant}; session={id}"},
    {"poec-principal": "{tenant}", "poec.tenant": "*"},
    {"forwarded": "for={tenant}", "referer": "http://localhost/fiches/{id}"},
)
QUERIES: Final = (
    *("",) * 6,
    "?opco={tenant}",
    "?fiche_id={id}",
    "?after={cursor}",
    "?after={id}",
    "?after={letter}",
    "?reference={reference}",
    "?id={id}",
    "?tenant={tenant}&organisation={tenant}",
    "?limit=100&opco={tenant}&after={cursor}",
    "?principal={tenant}&status=submitted",
)
LISTS: Final = frozenset(
    {
        "GET /fiches",
        "GET /fiches/counts",
        "GET /imports",
        "POST /imports",
        "GET /templates",
        "POST /templates",
        "POST /fiches/intentions",
        "POST /fiches/drafts",
        "POST /templates/{template_id}/draft",
        "POST /fiches",
        "POST /fiches/check",
        "GET /sessions",
        "GET /programmes/{year}",
        "GET /programmes/{year}/deliveries",
        "POST /programmes/{year}/deliveries",
        "GET /declarations/{year}",
        "POST /declarations",
    }
)
"""Doors to what is the caller's own: pages of it differ by where they begin, say as of when, and grow while the walk goes on."""
REVISIONS: Final = (*('"1"',) * 4, '"0"', '"2"', '"7"', "*", 'W/"1"', "1", '"999999999"', "")
METHODS: Final = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
EXTRAS: Final = ("opco", "organisation", "tenant", "fiche_id", "id", "principal", "session_id", "reference")


@dataclass(frozen=True)
class Attempt:
    """One request as a pattern: `{id}`, `{reference}`, `{letter}`, `{key}`, `{cursor}`, `{tenant}` are filled in."""

    service: str
    caller: str
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: str | None
    spelling: int
    comparable: bool

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.caller}: {self.method} {self.service} {self.target} {dict(self.headers)} {(self.body or '')[:80]}"


def is_public(caller: str, operation: str) -> bool:
    """Return whether all of it is for everybody: the catalogue, and to the agencies the programme."""
    return operation == "read_catalogue" or (caller == "agency" and operation == "read_sessions")


def attempt(chance: Random, caller: str, services: Sequence[str]) -> Attempt:
    """Return the next request of the walk."""
    service, door, operation = "", "", "read_catalogue"
    while is_public(caller, operation) or (ROLES[caller] not in POLICY[operation] and chance.random() < 0.6):
        service = chance.choice([*services, "submission", "publication"])
        door, operation = chance.choice(list(routes(service).items()))
    method, _, path = door.partition(" ")
    if chance.random() < 0.08:
        method = chance.choice(METHODS)
    if chance.random() < 0.04:
        path = chance.choice(("/fiches/{fiche_id}/history", "/dossiers/{fiche_id}/avis/", "//fiches/{fiche_id}", "/FICHES/{fiche_id}"))
    query = chance.choice(QUERIES) if chance.random() < (0.7 if method == "GET" and "{" not in path else 0.15) else ""
    headers = dict(chance.choice(HEADERS))
    body = None
    if method in ("POST", "PUT", "PATCH"):
        body = _body(chance, operation)
        has_effect = operation in BY_REFERENCE or door in LISTS  # on what is the caller's own: an answer is kept for its key
        headers["idempotency-key"] = "fresh" if has_effect else chance.choice(("{key}", "fresh", "fresh"))
        if revision := chance.choice(REVISIONS):
            headers["if-match"] = revision
    spelling = chance.randrange(len(SPELLINGS))
    comparable = "{" in path.replace("{year}", "") or door not in LISTS
    return Attempt(service, caller, method, path + query, tuple(headers.items()), body, spelling, comparable)


def _body(chance: Random, operation: str) -> str:
    """Return the body of an operation, as it should be or with what it should not hold."""
    made = BODIES.get(operation)
    content: Any = made(Object(UUID(int=1), reference="{own}", ais=(UUID(int=2),))) if made else {}
    if chance.random() < 0.25:
        extra = chance.choice(EXTRAS if "reference" not in json.dumps(content) else EXTRAS[:-1])  # a reference is the OPCO's own to choose
        said = {extra: "{tenant}" if extra in ("opco", "organisation", "tenant", "principal") else "{id}"}
        content = [{**row, **said} for row in content] if isinstance(content, list) else {**content, **said}
    if chance.random() < 0.05:
        return chance.choice(("[]", "null", '{"a":', '"{id}"', ""))
    return json.dumps(content)


_ADDRESS: Final = re.compile(r"{(fiche_id|template_id|session_id|campaign_id|conference_id|pseudonym|letter|number|year)}")


def filled(one: Attempt, having: Having, tenant: str) -> tuple[str, dict[str, str], bytes]:
    """Return target, headers and body of a request with what somebody has."""
    spell = SPELLINGS[one.spelling]
    places = {
        "fiche_id": spell(having.id), "template_id": spell(having.id), "session_id": spell(having.id), "campaign_id": spell(having.id),
        "conference_id": spell(having.id), "letter": spell(having.letter), "pseudonym": tenant,
        "number": "1", "year": "2018",
    }  # fmt: skip
    path, mark, query = one.target.partition("?")
    target = _ADDRESS.sub(lambda found: places[found[1]], path) + mark + _named(query, having, tenant)
    headers = {name: _named(value, having, tenant) for name, value in one.headers}
    if headers.get("idempotency-key") == "fresh":
        headers["idempotency-key"] = uuid4().hex
    return target, headers, _named(one.body or "", having, tenant).encode()


def _named(text: str, having: Having, tenant: str) -> str:
    for name, value in (*vars(having).items(), ("tenant", tenant), ("own", f"P-{uuid4().hex[:12]}")):
        text = text.replace("{" + name + "}", value)
    return text


@dataclass
class Prey:
    """What each tenant has in each service, and the words by which it would be known in an answer."""

    having: dict[tuple[str, str], list[Having]] = field(default_factory=dict)
    words: dict[str, set[bytes]] = field(default_factory=dict)


async def laid_out(entrances: Mapping[str, Entrance], each: int = 6) -> Prey:
    """Give every tenant objects in every state of every service, a dead letter of its topic, an answer kept for a key."""
    prey = Prey()
    for service, entrance in entrances.items():
        await at_its_time(entrance)
        cells = [
            Cell(str(n), "", "", "own" if tenant == OWN else "other", state)
            for tenant in TENANTS.values()
            for state in STATES[service]
            for n in range(each)
        ]
        made = await SEEDS[service](entrance, cells)
        things = {tenant: [made[c] for c in made if c.relation == ("own" if tenant == OWN else "other")] for tenant in TENANTS.values()}
        for caller, tenant in TENANTS.items():
            letter, key = str(uuid4()), uuid4().hex
            topic = f"poec.ingress.{tenant}" if service == "submission" else topics_heard_by(service)[0]
            offset = len(prey.having) + 1
            await entrance.owner(_LETTER, UUID(letter), topic, offset, f"CANARI {tenant}".encode())
            owned = [Having(str(o.id), o.reference or str(o.id), letter, key, _cursor(o.id)) for o in things[tenant]]
            if service == "submission":
                mine = "own" if tenant == OWN else "other"
                filed = next(o.id for c, o in made.items() if c.relation == mine and c.state in (legal_states("withdraw_fiche") or ()))
                path, body = f"/fiches/{filed}/withdrawal", {"reason": "AUTRE"}
                assert (await entrance.by(caller, "POST", path, body, **{"idempotency-key": key})).status == 200
            prey.having[service, tenant] = owned or [Having(str(uuid4()), "M-0", letter, key, "")]
            known = {word.encode() for one in owned for word in one.words()} | {f"CANARI {tenant}".encode(), letter.encode()}
            prey.words.setdefault(tenant, {title_of(tenant).encode()}).update(known)
    return prey


@dataclass
class Walk:
    """What a walk found: how many requests by status, and what was told that should not be."""

    statuses: Counter[int] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)
    compared: int = 0


async def walk(entrances: Mapping[str, Entrance], prey: Prey, seed: int, steps: int) -> Walk:
    """Make so many requests across tenants."""
    chance, result, room = Random(seed), Walk(), asyncio.Semaphore(_AT_ONCE)
    unknown: dict[tuple[Attempt, str], asyncio.Task[Answered]] = {}

    async def ask(one: Attempt, having: Having, tenant: str) -> tuple[Answered, bytes]:
        target, headers, body = filled(one, having, tenant)
        asked = f"{target} {headers}".encode() + body
        entrance = entrances[one.service]
        async with room:
            return await entrance.ask(one.method, target, entrance.headers(one.caller, **headers), body), asked

    async def nothing(one: Attempt, tenant: str) -> Answered:
        return (await ask(one, nobodys(), tenant))[0]

    async def step(one: Attempt, having: Having, tenant: str) -> None:
        answer, asked = await ask(one, having, tenant)
        result.statuses[answer.status] += 1
        told = [word for word in prey.words[tenant] if word in answer.body and word not in asked]
        if told or answer.status >= 500:
            result.found.append(f"{one}: {answer.status} tells {told[:2]}")
        if one.comparable:
            if (one, tenant) not in unknown:
                unknown[one, tenant] = asyncio.create_task(nothing(one, tenant))
            result.compared += 1
            if (await unknown[one, tenant]).whole != answer.whole:
                result.found.append(f"{one}: {answer.status} {answer.code} is not the answer to what nobody has")

    steps_ahead = []
    for _ in range(steps):
        caller = chance.choice([*TENANTS, *TENANTS, *OUTSIDERS])
        victim = chance.choice([tenant for tenant in TENANTS.values() if tenant != TENANTS.get(caller)])
        one = attempt(chance, caller, list(entrances))
        steps_ahead.append(step(one, chance.choice(prey.having[one.service, victim]), victim))
    await asyncio.gather(*steps_ahead)
    return result
