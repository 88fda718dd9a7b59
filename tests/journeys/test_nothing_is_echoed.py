"""20 planted secrets and 50 invented persons, put into every way in of the running product: nothing of them comes out anywhere."""

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest

from deploy.audit.run import audit, sources_of
from deploy.local.client import token
from deploy.local.secrets import load_secrets
from shared.contracts.flow import TOPICS, ingress_topic
from shared.contracts.ingress import CommandAnswered, SubmitFiche
from shared.messaging.records import Received
from tests.support.canaries import RECORDS, REQUESTS, Canary, hits, planted_persons, planted_secrets
from tests.support.fiches import GOLDEN_OPCO, GOLDEN_WARNINGS, golden_json
from tests.support.load import Load, command_headers
from tests.support.stack import Stack, eventually
from tests.support.topics import read_topic

SERVICES = ("submission", "validation", "publication", "analytics")


def filed_bodies(numbers: Iterable[int]) -> list[bytes]:
    """Return fiches that are accepted, under references of the sender's own."""
    run = uuid4().hex[:6]
    body = {"content": golden_json(), "acknowledged": list(GOLDEN_WARNINGS)}
    return [json.dumps({"reference": f"CANARY-{run}-{n}", **body}).encode() for n in numbers]


async def ask_everything(stack: Stack, secrets: list[Canary], persons: list[Canary]) -> dict[str, bytes]:
    """Send every canary by every way in over HTTP; return what was answered, headers and body, by what was asked."""
    run, found = stack.run, dict[str, bytes]()
    bearer = {"Authorization": f"Bearer {token(run, GOLDEN_OPCO)}"}
    async with httpx.AsyncClient(timeout=30) as client:

        async def ask(what: str, service: str, method: str, path: str, headers: dict[str, str], body: bytes) -> int:
            url = run.services[service].url + path
            answer = await client.request(method, url, headers={**bearer, **headers}, content=body)
            found[what] = repr(answer.headers.raw).encode() + answer.content
            return answer.status_code

        async def all_ways(n: int, canary: Canary) -> None:
            for shape, made in REQUESTS.items():
                status = await ask(f"{shape} {n}", SERVICES[n % 4], *made(canary.word))
                assert status < 500 or status == 501, f"{shape} {n}: {status}"

        await asyncio.gather(*(all_ways(n, canary) for n, canary in enumerate([*secrets, *persons])))
        for n, (canary, body) in enumerate(zip(secrets, filed_bodies(range(len(secrets))), strict=True)):
            headers = {"Content-Type": "application/json", "Idempotency-Key": canary.word, "Cookie": canary.word}
            assert await ask(f"filed {n}", "submission", "POST", "/fiches", headers, body) == 201
            assert await ask(f"key used again {n}", "submission", "POST", "/fiches", headers, body + b" ") == 422
    return found


async def send_everything(load: Load, canaries: list[Canary]) -> int:
    """Send every canary by one way into the ingress topic, all ways in turn; wait until each has its answer."""
    topic, ways = ingress_topic(GOLDEN_OPCO), list(RECORDS.values())

    async def one(n: int, canary: Canary) -> None:
        headers = tuple(command_headers(GOLDEN_OPCO, str(uuid4()), SubmitFiche.wire_type))
        plain = Received(topic, 0, 0, f"CANARY-{uuid4().hex[:12]}".encode(), headers, b"{}")
        made = ways[n % len(ways)](plain, canary.word)
        kept = await load.senders.send(topic, made.key, made.value, made.headers)
        answer = await load.progress.until(CommandAnswered.wire_type, f"{topic}/{kept.partition}/{kept.offset}", 60)
        assert answer is not None and answer.value["outcome"] in ("refused", "unreadable")

    await asyncio.gather(*(one(n, canary) for n, canary in enumerate(canaries)))
    return len(canaries)


async def said_by_the_product(stack: Stack) -> dict[str, bytes]:
    """Return everything that processes wrote or show: logs of services and servers, metrics, and every topic that is ours."""
    found = {str(path.relative_to(stack.home)): path.read_bytes() for path in log_files(stack.home)}
    async with httpx.AsyncClient(timeout=30) as client:
        for name, service in stack.run.services.items():
            for role, url in service.urls.items():
                found[f"metrics of {name}.{role}"] = (await client.get(f"{url}/metrics")).content
    ours = [topic.name for topic in TOPICS if not topic.name.startswith("poec.ingress.")]
    for records in await asyncio.gather(*(read_topic(stack.run.kafka.admin, topic) for topic in ours)):
        for record in records:
            place = f"{record.topic}/{record.partition}/{record.offset}"
            found[place] = repr((record.key, record.headers)).encode() + (record.value or b"")
    return found


def log_files(home: Path) -> list[Path]:
    """Return what processes wrote for people to read; the broker's data, which ends in .log too, is no log."""
    return [path for path in home.rglob("*.log*") if path.is_file() and "data" not in path.relative_to(home).parts]


async def all_is_said(stack: Stack) -> bool:
    """Return whether no row waits for a relay."""
    query = "SELECT count(*) FROM outbox WHERE published_at IS NULL"
    return not any([await stack.value(service, query) for service in SERVICES])


async def test_what_was_planted_comes_out_nowhere(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    secrets, persons = planted_secrets(), planted_persons()
    assert (len(set(secrets)), len(set(persons))) == (20, 50)
    answered = await ask_everything(stack, secrets, persons)
    async with Load(stack, "CANARY") as load:
        sent = await send_everything(load, [*secrets, *persons])
        await load.discard_letters("submission")
    await eventually(lambda: all_is_said(stack), 60, "everything is said")
    said = await said_by_the_product(stack)
    assert hits(answered, [*secrets, *persons]) == []
    assert hits(said, [*secrets, *persons]) == []
    kept = load_secrets(stack.home)
    real = [kept.postgres, *kept.roles.values(), *kept.clients.values(), *kept.kafka.values(), token(stack.run, GOLDEN_OPCO)]
    assert hits({**answered, **said}, [Canary(word) for word in real if word]) == []
    assert (await audit(sources_of(stack.home))).clean
    logs, metrics = sum(place.endswith(".log") for place in said), sum(place.startswith("metrics") for place in said)
    letters = sum(".dead-letters/" in place for place in said)
    assert logs > 12 and metrics == 12 and letters > 10
    with capsys.disabled():
        records = len(said) - logs - metrics
        print(
            f"\n20 secrets, 50 persons, {len(real)} real secrets: 0 hits in {len(answered)} answers, {logs} logs"
            f" ({sum(len(said[p]) for p in said if p.endswith('.log')) / 1e6:.1f} MB), {metrics} pages of metrics,"
            f" {records} records ({letters} announced dead letters); {sent} records sent"
        )


@pytest.mark.parametrize(
    "leak", ["{}", "x{}y", "reference={}", '{{"error": "{}"}}'], ids=["alone", "inside", "in an address", "in JSON"]
)
def test_a_planted_leak_is_found(leak: str) -> None:
    canaries = [*planted_secrets(), *planted_persons()]
    for canary in canaries:
        word = quote(canary.word) if "=" in leak else canary.word
        places = {"clean": b"nothing here", "log": leak.format(word.upper()).encode()}
        assert [hit.split(":")[0] for hit in hits(places, canaries)] == ["log"]
