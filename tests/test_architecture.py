"""The import table, and what else the tree must stay; each check is shown a violation planted in a small tree."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import architecture as a
from tests.support.source_tree import modules

ROOT = Path(__file__).parent.parent
Check = Callable[[Path], list[str]]


@pytest.mark.parametrize("check", a.CHECKS, ids=lambda check: check.__name__)
def test_the_tree_is_as_it_must_be(check: Check) -> None:
    assert check(ROOT) == []


def test_the_checks_have_something_to_look_at() -> None:
    names = {module.name for module in modules(ROOT)}
    assert {"shared.database", "services.validation.domain.avis", "deploy.cli"} <= names
    assert len(names) > 100


RULE, CASES = "services/validation/domain/avis.py", "services/validation/use_cases.py"
STORE, ROUTES = "services/validation/store.py", "services/validation/api.py"
PLANTED: list[tuple[Check, str, str, str]] = [
    # the table, layer by layer
    (a.against_the_table, RULE, "import structlog", "a logger in a rule"),
    (a.against_the_table, RULE, "import time", "a clock in a rule"),
    (a.against_the_table, RULE, "import random", "chance in a rule"),
    (a.against_the_table, RULE, "from shared.database import UnitOfWork", "a rule that knows the database"),
    (a.against_the_table, RULE, "from shared import clock", "a rule that knows the clock"),
    (a.against_the_table, RULE, "from ..store import find", "a rule that knows its store"),
    (a.against_the_table, CASES, "from fastapi import Request", "a use case that knows HTTP"),
    (a.against_the_table, CASES, "from shared.http import Answer", "a use case that knows the door"),
    (a.against_the_table, CASES, "import aiokafka", "a use case that knows Kafka"),
    (a.against_the_table, CASES, "from services.validation.api import router", "a use case that knows its way in"),
    (a.against_the_table, STORE, "from services.validation import use_cases", "a store that knows the story"),
    (a.against_the_table, STORE, "from shared.policy import authorize", "a store that asks the policy"),
    (a.against_the_table, ROUTES, "from aiokafka import AIOKafkaProducer", "a route with a producer"),
    (a.against_the_table, ROUTES, "from services.validation.consumers import hearing", "a way in that knows another"),
    (a.against_the_table, "services/validation/consumers.py", "import confluent_kafka", "a handler with a client"),
    (a.against_the_table, "services/validation/app.py", "from deploy.local import ports", "a service that knows where it runs"),
    (a.against_the_table, "services/validation/migrations/env.py", "from services.validation import store", "a migration that moves"),
    (a.against_the_table, "deploy/cli/tail.py", "from services.validation.store import TABLE", "an operator's tool that knows a service"),
    (a.against_the_table, "deploy/cli/tail.py", "from shared.database import Database", "an audit that reads as services do"),
    (a.against_the_table, "shared/logs.py", "import aiokafka", "a Kafka client outside messaging"),
    (a.against_the_table, "shared/contracts/flow.py", "from shared.database import Database", "a contract that knows the database"),
    (a.against_the_table, "shared/messaging/relay.py", "from fastapi import Request", "delivery that knows HTTP"),
    # the others
    (a.services_that_know_each_other, STORE, "from services.submission.domain import fiche", "two services"),
    (a.services_that_know_each_other, STORE, "import services.submission", "two services"),
    (a.services_that_know_each_other, "shared/logs.py", "from services.submission import settings", "shared that knows a service"),
    (a.services_that_know_each_other, "shared/logs.py", "from deploy.local import ports", "shared that knows deploy"),
    (a.impure_rules, RULE, "async def give(): ...", "a rule that waits"),
    (a.impure_rules, RULE, "import datetime as dt\nAT = dt.datetime.now()", "a rule that asks the clock"),
    (a.impure_rules, RULE, "import datetime as dt\nON = dt.date.today()", "a rule that asks the calendar"),
    (a.impure_rules, RULE, "from uuid import uuid4\nID = uuid4()", "a rule that draws an identifier"),
    (a.impure_rules, RULE, "print('given')", "a rule that prints"),
    (a.shared_that_names_a_service, "shared/logs.py", "TOPIC = 'poec.submission.fiches'", "a topic by hand"),
    (a.shared_that_names_a_service, "shared/logs.py", "def f(name): return name == 'analytics'", "one service treated apart"),
    (a.import_cycles, "shared/logs.py", "from shared import trace", "a cycle (with the line below)"),
    (a.forbidden_names, "shared/utils.py", "X = 1", "a name that says nothing"),
    (a.forbidden_names, "services/validation/helpers/__init__.py", "X = 1", "a folder that says nothing"),
    (a.too_long, "shared/logs.py", "X = 1\n" * 401, "a long file"),
    (a.too_long, "tests/shared/test_logs.py", "X = 1\n" * 401, "a long file of tests"),
    (a.too_long, "services/validation/templates/list.html", "<p>\n" * 401, "a long template"),
    (a.swallowed_cancellations, "shared/logs.py", "import asyncio\nX = asyncio.wait_for", "wait_for"),
    (a.swallowed_cancellations, "shared/logs.py", "from asyncio import wait_for\nX = wait_for", "wait_for by name"),
    (a.latest_offsets, "shared/logs.py", "X = dict(auto_offset_reset='latest')", "what was written before is lost"),
    (a.silent_failures, "shared/logs.py", "try:\n    X = 1\nexcept:\n    X = 2", "everything swallowed"),
    (a.silent_failures, "shared/logs.py", "try:\n    X = 1\nexcept BaseException:\n    X = 2", "everything swallowed"),
    (a.bare_kafka_clients, "deploy/bench/raw.py", "X = AdminClient({'bootstrap.servers': S})", "confluent told by hand"),
    (a.bare_kafka_clients, "deploy/bench/raw.py", "X = AIOKafkaConsumer('t', bootstrap_servers=S)", "aiokafka told by hand"),
    (a.bare_kafka_clients, "deploy/bench/raw.py", "X = aiokafka.AIOKafkaProducer(**{'bootstrap_servers': S})", "told in a dict"),
    (a.bare_kafka_clients, "shared/messaging/watch.py", "S = {}\nS['bootstrap.servers'] = 'x'", "settings made by hand"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("check", "path", "source", "what"), PLANTED, ids=[f"{c.__name__}-{w}" for c, _, _, w in PLANTED]
)
def test_each_check_finds_what_is_planted(check: Check, path: str, source: str, what: str, tmp_path: Path) -> None:
    for name in ("shared/contracts/flow.py", "shared/trace.py", STORE, ROUTES, CASES):
        _write(
            tmp_path / name,
            "from shared import logs\n" if name == "shared/trace.py" and check is a.import_cycles else "",
        )
    _write(tmp_path / path, "")
    assert check(tmp_path) == ([] if check is not a.forbidden_names else [path])
    _write(tmp_path / path, source)
    assert check(tmp_path), what


ALLOWED: list[tuple[str, str]] = [
    (
        "services/validation/domain/avis.py",
        "import datetime as dt\nfrom shared.errors import Objection\nfrom . import dossier",
    ),
    (
        "services/validation/use_cases.py",
        "from services.validation.store import find\nfrom shared.policy import authorize",
    ),
    ("services/validation/store.py", "import sqlmodel\nfrom shared.database import Database"),
    ("services/validation/api.py", "from fastapi import APIRouter\nfrom shared.http import door"),
    ("services/validation/formats.py", "import lxml\nfrom services.validation.domain import dossier"),
    ("deploy/cli/tail.py", "import aiokafka\nfrom shared.messaging.clients import kafka_settings"),
    ("shared/messaging/relay.py", "import aiokafka\nfrom shared.database import Database"),
    ("shared/messaging/clients.py", "from aiokafka import AIOKafkaProducer\nX = AIOKafkaProducer(bootstrap_servers=S)"),
    ("deploy/bench/raw.py", "X = AIOKafkaProducer(**kafka_settings(KafkaAccess(S), 'bench'), acks='all')"),
]


@pytest.mark.parametrize(("path", "source"), ALLOWED, ids=[path for path, _ in ALLOWED])
def test_what_the_table_allows_is_allowed(path: str, source: str, tmp_path: Path) -> None:
    _write(tmp_path / path, source)
    assert [found for check in a.CHECKS for found in check(tmp_path)] == []


def test_a_cycle_of_types_alone_is_none(tmp_path: Path) -> None:
    _write(
        tmp_path / "shared/one.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from shared.two import T\n",
    )
    _write(tmp_path / "shared/two.py", "from shared.one import O\n")
    assert a.import_cycles(tmp_path) == []


def _write(path: Path, source: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, "utf-8")
