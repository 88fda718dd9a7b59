"""Every kind of doubtful token at every endpoint of the four services: refused, in the same words, and nothing else is looked at."""

import asyncio
import re
from collections.abc import Callable, Mapping
from uuid import uuid4

from tests.access.entrance import NOBODY, Answered, Entrance
from tests.support.doubtful_tokens import DOUBTFUL
from tests.support.operations import HEALTH, OPEN, routes
from tests.support.tokens import Issuer

NOT_BEARER: Mapping[str, Callable[[Issuer], str]] = {
    "nothing": lambda i: "",
    "a password": lambda i: "Basic b3Bjby0yaTpvcGNvLTJp",
    "a scheme in lower case": lambda i: f"bearer {i.token()}",
    "a scheme alone": lambda i: "Bearer",
    "another scheme": lambda i: f"DPoP {i.token()}",
    "a token without a scheme": lambda i: i.token(),
    "two tokens": lambda i: f"Bearer {i.token()}, Bearer {i.token()}",
}
"""Headers that are no bearer token."""
EXAMPLE = {"number": "1", "year": "2018", "name": "communes", "revision": "1", "other": "1"}


def target(path: str) -> str:
    """Return an address of a route: its parameters filled, and what its query must have."""
    filled = re.sub(r"{(\w+)}", lambda found: EXAMPLE.get(found[1], str(uuid4())), path)
    return f"{filled}?year=2018" if path == "/counts" else filled


def forgeries(issuer: Issuer) -> dict[str, str]:
    """Return every doubtful header `Authorization` by name."""
    bearers = {name: f"Bearer {forge(issuer)}" for name, forge in DOUBTFUL.items()}
    return {**bearers, **{name: make(issuer) for name, make in NOT_BEARER.items()}}


async def let_in(entrance: Entrance, authorization: Mapping[str, str]) -> tuple[list[str], int]:
    """Ask every route with each header; return where the answer was another one than the refusal, and how many were asked."""

    async def ask(method: str, path: str, name: str) -> tuple[str, Answered]:
        value = authorization[name]
        headers = [*entrance.headers(NOBODY), *([(b"authorization", value.encode("utf-8"))] if value else [])]
        return f"{method} {path}: {name}", await entrance.ask(method, target(path), headers, b"{}" if method != "GET" else b"")

    doors = [(method, path) for method, path in entrance.routes if f"{method} {path}" not in OPEN]
    answers = await asyncio.gather(*(ask(*door, name) for door in doors for name in authorization))
    wrong = [f"{where}: {answer.status} {answer.code}" for where, answer in answers if not is_refusal(answer)]
    assert wrong or len({without_words_for_none(answer) for _, answer in answers}) == 1, "the same words whatever was wrong"
    return wrong, len(answers)


def is_refusal(answer: Answered) -> bool:
    """Return whether an answer is the one that a doubtful token gets."""
    asks = (b"www-authenticate", b'Bearer realm="poec"') in answer.headers
    return answer.status == 401 and answer.code == "TOKEN" and asks


def without_words_for_none(answer: Answered) -> tuple[object, ...]:
    """Return an answer to be compared: a header that is no bearer token is answered that one is awaited, a bad token that it is refused."""
    body = re.sub(rb'"message":"[^"]*"', b"", answer.body)
    return answer.status, tuple((n, v) for n, v in answer.headers if n != b"content-length"), body


async def test_no_endpoint_takes_a_doubtful_token(entrances: Mapping[str, Entrance]) -> None:
    doubtful = {name: forgeries(entrance.issuer) for name, entrance in entrances.items()}
    assert all(len(kinds) >= 40 for kinds in doubtful.values())
    found = await asyncio.gather(*(let_in(entrance, doubtful[name]) for name, entrance in entrances.items()))
    assert [line for wrong, _ in found for line in wrong] == []
    asked = sum(count for _, count in found)
    assert asked == sum(len(kinds) * len(routes(name)) for name, kinds in doubtful.items())
    print(f"{len(doubtful['submission'])} kinds at {sum(len(routes(name)) for name in entrances)} routes: {asked} requests refused")


async def test_the_same_requests_with_a_good_token_are_let_in(entrances: Mapping[str, Entrance]) -> None:
    """Else the others would be refused for something else."""
    for entrance in entrances.values():
        wrong, asked = await let_in(entrance, {"good": f"Bearer {entrance.issuer.token(sub='operations')}"})
        assert len(wrong) == asked
        assert not any(": 401" in line for line in wrong)


async def test_health_needs_no_token(entrances: Mapping[str, Entrance]) -> None:
    for entrance in entrances.values():
        for name in HEALTH:
            method, path = name.split(" ")
            assert (await entrance.ask(method, path, entrance.headers(NOBODY))).status != 401
