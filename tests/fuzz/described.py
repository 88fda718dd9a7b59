"""What a service's document promises, held against its answers: requests that schemathesis makes of it, and good ones varied by chance."""

import asyncio
import itertools
import json
import random
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response
from schemathesis.specs.openapi import checks as promised

from services.submission.files.apart import UPLOADS
from services.submission.import_answers import KINDS
from shared.contracts.flow import SERVICES
from shared.policy import POLICY
from tests.access.cells import Cell, cells, expected
from tests.access.entrance import CALLERS, Answered, Entrance
from tests.access.objects import requests as seeded
from tests.fuzz.effort import Found
from tests.fuzz.files import good_file, spoilt
from tests.fuzz.mutations import varied
from tests.support.operations import routes

CHECKS: Final = [
    not_a_server_error,
    promised.status_code_conformance,
    promised.content_type_conformance,
    promised.response_headers_conformance,
    promised.response_schema_conformance,
    promised.unsupported_method,
    promised.allow_header_conformance,
]
IMPORT: Final = "POST /imports"
_BASE: Final = "http://localhost"
_AT_ONCE: Final = 12
_LARGE: Final = 20_000
"""Characters of a body's schema from which making valid ones takes half a second each: those are for the long run."""
_FEW: Final = 5
_OURS: Final = frozenset({"authorization", "content-length", "connection", "accept-encoding", "user-agent", "host"})


@dataclass
class Described:
    """One service, its document as schemathesis reads it, and what was found."""

    entrance: Entrance
    found: Found
    document: Mapping[str, Any]
    callers: Sequence[str] = CALLERS
    under: str = "/"
    asked: dict[tuple[str, str], int] = field(default_factory=dict)
    """How often each caller asked each operation."""
    good: dict[str, int] = field(default_factory=dict)
    """How many answers of 2xx each operation gave."""
    taken: set[tuple[str, str]] = field(default_factory=set)
    """Operations with the types of content that they took."""

    def __post_init__(self) -> None:
        """Read the document."""
        schema: Any = schemathesis.openapi.from_dict(dict(self.document))
        self._schema = schema
        self.operations: dict[str, Any] = {
            one.label: one
            for one in (found.ok() for found in schema.get_all_operations())
            if one.path.startswith(self.under)
        }

    # Requests made of the document

    def covering(self, most: int) -> Iterator[Any]:
        """Yield of every operation up to `most` of the requests at the edges of its schemas, spread over all; other methods too."""
        for operation in self.operations.values():
            config = self._schema.config.generation_for(operation=operation)
            modes = list(GenerationMode)
            every = list(self._schema.iter_coverage_cases(operation, generation_modes=modes, generation_config=config))
            step = max(1, len(every) // most)
            yield from every[::step][:most] if most < len(every) else every

    def drawn(self, count: int, number: int, *, large: bool) -> Iterator[Any]:
        """Yield of every operation `count` requests that fit its schemas and as many that do not; `large` bodies too or not."""
        for operation, mode in itertools.product(self.operations.values(), GenerationMode):
            if not large and len(json.dumps(_body_schema(self.document, operation.path, operation.method))) > _LARGE:
                continue
            yield from _examples(operation.as_strategy(generation_mode=mode), count, number)

    async def ask_all(self, made: Collection[Any], chance: random.Random) -> None:
        """Send each request by somebody who may, and by two others in turn; where there are few of them, by everybody."""
        turn, of_each = itertools.cycle(self.callers), Counter(case.operation.label for case in made)
        asked = []
        for case in made:
            may = [who for who in self._allowed(case) if who in self.callers]
            who = {next(turn), next(turn), *([chance.choice(may)] if may else ())}
            few = of_each[case.operation.label] < _FEW
            asked += [(case, one) for one in (self.callers if few else sorted(who))]
        await self._at_once(asked)

    def _allowed(self, case: Any) -> list[str]:
        operation = _operations(self.entrance.name).get(case.operation.label, "")
        return list(POLICY.get(operation, {}))

    async def _at_once(self, asked: Collection[tuple[Any, str]]) -> None:
        room = asyncio.Semaphore(_AT_ONCE)

        async def one(case: Any, who: str) -> None:
            async with room:
                await self._ask(case, who)

        await asyncio.gather(*(one(*what) for what in asked if what[0].path != "/readyz"))
        for what in asked:  # readiness has two seconds for the database: asked when nobody else asks it for anything
            if what[0].path == "/readyz":
                await self._ask(*what)

    async def _ask(self, case: Any, who: str) -> None:
        given_headers = dict(case.as_transport_kwargs(base_url=_BASE))
        try:
            request = requests.Request(**given_headers).prepare()
        except (requests.RequestException, ValueError):
            return  # no client can send it: the raw fuzzer does
        headers = [
            (name.lower().encode(), value.encode("utf-8") if isinstance(value, str) else value)
            for name, value in request.headers.items()
            if name.lower() not in _OURS
        ]
        headers += [one for one in self.entrance.headers(who) if one[0] in (b"authorization", b"host")]
        raw = request.body
        body = raw.encode() if isinstance(raw, str) else raw if isinstance(raw, bytes) else b""
        answer = await self.entrance.ask(case.method.upper(), request.path_url, headers, body)
        self._judge(case, who, request, answer)

    # Good requests, varied

    async def sown(self, chance: random.Random, each: int) -> None:
        """Make objects in every state, and ask each door about them by everybody who may and by one who may not, `each` times.

        The first request is good as it stands; those after it have one place changed, gently or not.
        """
        for n in range(each):
            doors = [cell for cell in cells(self.entrance.name, callers=self.callers) if self._wanted(cell, chance)]
            asked = []
            for cell, (_, what) in (await seeded(self.entrance, doors)).items():
                operation = self.operations[cell.door]
                body = what.body
                if n and body is not None:
                    body = varied(chance, body, gently=chance.random() < 0.6)
                path, _, query = what.target.partition("?")
                case = operation.Case(
                    path_parameters=_named(operation.path, path),
                    query=dict(pair.split("=") for pair in query.split("&")) if query else {},
                    headers={name.replace("_", "-"): value for name, value in what.headers.items()}
                    | _key(chance, what.body),
                    **({} if body is None else {"body": body, "media_type": "application/json"}),
                )
                asked.append((case, cell.caller))
            await self._at_once(asked)

    async def filed(self, chance: random.Random, each: int) -> None:
        """Send of every type of file that the import takes a good one, and so many spoilt ones; JSON is `sown`."""
        operation, asked = self.operations[IMPORT], []
        for content_type, kind in KINDS.items():
            for good in (True, *[False] * each) if content_type != "application/json" else ():
                body = good_file(kind) if good else spoilt(kind, chance)
                case = operation.Case(query={}, headers=_key(chance, ""), body=body, media_type=content_type)
                asked.append((case, "opco"))
        for first in range(0, len(asked), UPLOADS):
            await self._at_once(asked[first : first + UPLOADS])

    def _wanted(self, cell: Cell, chance: random.Random) -> bool:
        likely = expected(cell)
        return chance.random() < (1.0 if likely == "reached" else 0.04)

    def _judge(self, case: Any, who: str, request: requests.PreparedRequest, answer: Answered) -> None:
        name = case.operation.label
        self.found.saw(name, str(answer.status))
        self.asked[name, who] = self.asked.get((name, who), 0) + 1
        if answer.status < 300:
            self.good[name] = self.good.get(name, 0) + 1
            self.taken.add((name, str(request.headers.get("content-type", ""))))
        headers: dict[str, list[str]] = {}
        for raw_name, raw in answer.headers:
            headers.setdefault(raw_name.decode(), []).append(raw.decode("latin-1"))
        response = Response(answer.status, headers, answer.body, request, 0.0, verify=False)
        problem = "application/problem+json"
        if answer.status >= 400 and headers.get("content-type") != [problem]:
            self.found.wrong.append(f"{name} by {who}: {answer.status} is no {problem}")
        if answer.status == 405 and not headers.get("allow", [""])[0]:
            self.found.wrong.append(f"{name} by {who}: 405 names no method that is allowed")
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as failures:
            said = "; ".join(f"{type(one).__name__} {one.message}"[:500] for one in failures.exceptions)
            sent = f"{request.method} {request.path_url} {dict(request.headers)} {request.body!r}"[:3000]
            self.found.wrong.append(f"{name} by {who}: {answer.status} {said}: {sent}")


def _operations(service: str) -> Mapping[str, str]:
    return routes(service) if service in SERVICES else {}


def _examples(strategy: Any, count: int, number: int) -> list[Any]:
    made: list[Any] = []

    @seed(number)
    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate], verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def take(case: Any) -> None:
        made.append(case)

    try:
        take()
    except Unsatisfiable:
        return made  # nothing can be wrong about a request without parts
    return made


def _body_schema(document: Mapping[str, Any], path: str, method: str) -> Any:
    """Return the schema of a body with everything that it names, as text is measured."""
    body = document["paths"][path][method.lower()].get("requestBody", {})
    found, waiting = {}, re.findall(r'schemas/(\w+)"', json.dumps(body))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = document["components"]["schemas"][name]
            waiting += re.findall(r'schemas/(\w+)"', json.dumps(found[name]))
    return found


def _named(template: str, path: str) -> dict[str, str]:
    pattern = re.sub(r"\\{(\w+)\\}|{(\w+)}", lambda m: f"(?P<{m[1] or m[2]}>[^/]+)", template)
    matched = re.fullmatch(pattern, path)
    return matched.groupdict() if matched else {}


def _key(chance: random.Random, body: object) -> dict[str, str]:
    return {} if body is None else {"Idempotency-Key": f"{chance.getrandbits(64):016x}"}
