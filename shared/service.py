"""A service's process: its roles (api, worker, relay), started together or one by one, and ended in order."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import asyncpg
import uvicorn
from fastapi import APIRouter, FastAPI
from pydantic import SecretStr

from shared.contracts.access import relay_user, worker_user
from shared.contracts.flow import TOPICS, topics_heard_by
from shared.database import CONNECTION_LOST, Database
from shared.errors import RulesRefused
from shared.http import Door, sleep_until_cancelled
from shared.http_server import doorway_of, new_server
from shared.issuer_keys import IssuerKeys, Pace
from shared.logs import log
from shared.messaging.anchors import Anchorer
from shared.messaging.clients import KafkaAccess
from shared.messaging.hearing import Hearing, Open, Write
from shared.messaging.inbox import Inbox
from shared.messaging.letters import DeadLetters
from shared.messaging.news import News
from shared.messaging.reconciler import Reconciler
from shared.messaging.relay import Relay
from shared.messaging.wake import Notifier, listen
from shared.messaging.watch import TopicWatch
from shared.messaging.worker import Fenced, Worker
from shared.principals import Directory, first_administrator, may_be_named
from shared.production.command import check
from shared.production.process import FIRST_ADMINISTRATOR
from shared.production.rule import Finding
from shared.production.start import EXIT_SETTINGS, Unsafe, owner_url, refuse_unsafe, safe_settings
from shared.rates import Counted, Limit, Rates, forget_regularly
from shared.retention import KEEPINGS, Keeping, Retention
from shared.settings import ServiceSettings
from shared.sign_in_door import cookie_name, origin_of, sign_in_of
from shared.tokens import TokenVerifier
from shared.web.pages import Pages
from shared.web_app import new_app
from shared.who_asks import SignedIn

ROLES: Final = ("api", "worker", "relay")
EXIT_FENCED: Final = 75
_LOG = log("service")


@dataclass(frozen=True)
class Service:
    """What `app.py` puts together: a name, its settings, its ears, its routes, its pages where it has some.

    `doors` are ways to aggregates of other kinds than those its ears work on: how each set is opened and written.
    `work` is what its workers do besides hearing, `keepings` what of its own tables is kept for a time only."""

    name: str
    settings: type[ServiceSettings]
    hearing: Callable[[Any], Hearing[Any]]
    router: APIRouter
    folder: Path
    linger_always: bool = False
    doors: Mapping[str, tuple[Open[Any], Write[Any]]] = field(default_factory=dict)
    pages: Pages | None = None
    work: Callable[[Database, Any], Mapping[str, Coroutine[Any, Any, None]]] = lambda _database, _settings: {}
    keepings: Sequence[Keeping] = ()


def main(service: Service, argv: Sequence[str]) -> int:
    """Run `python -m services.<name> [all|api|worker|relay|migrate|openapi|check …]`; return the exit code."""
    task = argv[0] if argv else "all"
    others: dict[str, Callable[[], int]] = {
        "openapi": lambda: _print_openapi(service),
        "migrate": lambda: _migrate(service, os.environ),
        "check": lambda: check(service.name, service.settings, ROLES, argv[1:]),
    }
    if task in others:
        return others[task]()
    if task not in ("all", *ROLES):
        print("usage: python -m services.<name> [all|api|worker|relay|migrate|openapi|check]", file=sys.stderr)
        return 2
    return _run(service, ROLES if task == "all" else (task,))


def _run(service: Service, roles: Sequence[str]) -> int:
    """Run a process of these roles until its end; the exit code says why it ended, or did not begin."""
    settings = safe_settings(service.name, service.settings, roles)
    if settings is None:
        return EXIT_SETTINGS
    try:
        with _runner() as runner:
            return runner.run(Process(service, settings, roles).run())
    except Fenced as fenced:
        _LOG.error("fenced", reason=str(fenced))
        return EXIT_FENCED
    except Unsafe as unsafe:
        return unsafe.told()


def _print_openapi(service: Service) -> int:
    print(json.dumps(openapi(service), ensure_ascii=False, indent=2))
    return 0


def _migrate(service: Service, environment: Mapping[str, str]) -> int:
    """Bring the owner's database up to date; where nobody may manage principals yet, let POEC_FIRST_ADMINISTRATOR do it."""
    from shared.migrations import upgrade

    url = owner_url(service.settings, environment)
    if url is None:
        return EXIT_SETTINGS
    first = environment.get(FIRST_ADMINISTRATOR)
    if first and not may_be_named(first):
        return _not_first("It is no name of a machine (a-z, 0-9, _.:-, at most 100), or that of a process or a topic.")
    upgrade(service.folder / "migrations", url)
    try:
        if first:
            asyncio.run(first_administrator(url, service.name, first))
    except RulesRefused as refused:
        return _not_first(" ".join(objection.message for objection in refused.objections))
    return 0


def _not_first(why: str) -> int:
    do = "Name the machine that shall manage principals, as the issuer of tokens knows it."
    print(Finding("FIRST_ADMINISTRATOR_WRONG", FIRST_ADMINISTRATOR, why, do), file=sys.stderr)
    return EXIT_SETTINGS


def _runner() -> asyncio.Runner:
    try:
        import uvloop
    except ImportError:  # not on Windows
        return asyncio.Runner()
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)


def openapi(service: Service) -> dict[str, Any]:
    """Return the service's OpenAPI 3.1 document."""

    async def never() -> dict[str, bool]:
        return {}

    return new_app(service.name, version("poec"), never, service.router).openapi()


class Process:
    """One running process of a service: its parts, their health, and their end."""

    def __init__(self, service: Service, settings: ServiceSettings, roles: Sequence[str]) -> None:
        self._service, self._settings, self._roles = service, settings, tuple(roles)
        self._parts: dict[str, Callable[[], bool]] = {}
        self._ending = asyncio.Event()

    async def run(self) -> int:
        """Run until a signal, the end of standard input, or the death of a part."""
        self._watch_signals()
        hearing = self._service.hearing(self._settings)
        hearing.check()
        database = await self._database()
        try:
            await refuse_unsafe(database, self._settings)
            return await self._until_the_end(database, hearing)
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(10):
                    await database.close()

    async def _until_the_end(self, database: Database, hearing: Hearing[Any]) -> int:
        news = News(2.0) if "worker" in self._roles else News()
        inbox = Inbox(database, hearing, news.tell)
        app = self._application(database, hearing, inbox, news)
        server = new_server(app, self._settings)
        jobs = self._jobs(database, inbox, app.state.door)
        tasks = [asyncio.create_task(job, name=name) for name, job in jobs.items()]
        tasks.append(asyncio.create_task(_serve(server), name="http"))
        ending = asyncio.create_task(self._ending.wait(), name="ending")
        done, _ = await asyncio.wait({*tasks, ending}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        for task in (*tasks, ending):
            if task.get_name() != "http":
                task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        ended = {task.get_name() for task in done} - {"ending"}
        for task, failure in zip(tasks, results, strict=True):
            if isinstance(failure, Fenced):
                raise failure
            if isinstance(failure, Exception) or (failure is not None and task in done):
                _LOG.error("part_failed", error=type(failure).__name__, exc_info=failure)
        _LOG.info("ended", after=sorted(ended) or "signal")
        return 1 if ended else 0

    def _jobs(self, database: Database, inbox: Inbox[Any], door: Door[Any]) -> dict[str, Coroutine[Any, Any, None]]:
        """Return what this process does, by role; wires waking of the relay to where it runs."""
        settings, jobs = self._settings, dict[str, Coroutine[Any, Any, None]]()
        url = settings.database_url.get_secret_value()
        if "relay" in self._roles:
            relay = self._relay(database, jobs)
            database.after_commit = relay.wake
            if self._roles != ROLES:
                jobs["listen"] = listen(url, relay.wake)
        else:
            notifier = Notifier(url)
            database.after_commit = notifier.wake
            jobs["notifier"] = notifier.run()
        if "worker" in self._roles:
            self._worker(inbox, jobs)
            jobs |= self._service.work(database, settings)
        if "api" in self._roles:
            jobs["rates"] = forget_regularly(database)
            jobs["high_water"] = _watch_outbox(database, door, settings.outbox_high_water)
        if settings.stdin_watch:
            jobs["stdin"] = _until_stdin_ends(self._ending)
        return jobs or {"idle": sleep_until_cancelled()}

    def _relay(self, database: Database, jobs: dict[str, Coroutine[Any, Any, None]]) -> Relay:
        """Add the relay with its reconciler and its watch: one user at the brokers, the topics of this service."""
        settings, own = self._settings, [topic.name for topic in TOPICS if topic.writer == self._service.name]
        access = self._access(relay_user(self._service.name), settings.kafka_relay_password)
        relay = Relay(
            database,
            access,
            batch=settings.relay_batch,
            poll=settings.relay_poll_seconds,
            timeout=settings.relay_timeout_seconds,
        )
        reconciler = Reconciler(database, access, relay, settings.reconcile_seconds)
        watch = TopicWatch(database, access, own, reconciler.soon, lambda _: reconciler.soon())
        jobs |= {"relay": relay.run(), "reconciler": reconciler.run(), "relay_watch": watch.run()}
        jobs["anchorer"] = Anchorer(database, settings.anchor_seconds).run()
        jobs["retention"] = Retention(database, settings, (*KEEPINGS, *self._service.keepings)).run()
        self._parts |= {"relay": lambda: relay.last_pass_ok, "relay_broker": lambda: watch.broker_seen}
        return relay

    def _worker(self, inbox: Inbox[Any], jobs: dict[str, Coroutine[Any, Any, None]]) -> None:
        """Add the worker with its watch: another user at the brokers, the topics that this service hears."""
        settings, heard = self._settings, topics_heard_by(self._service.name)
        access = self._access(worker_user(self._service.name), settings.kafka_worker_password)
        worker = Worker(
            inbox,
            access,
            heard,
            settings.instance,
            batch=settings.inbox_batch,
            linger_ms=settings.inbox_linger_ms,
            linger_always=self._service.linger_always,
        )
        watch = TopicWatch(inbox.database, access, heard, lambda: None, worker.begin_again)
        jobs |= {"worker": worker.run(), "worker_watch": watch.run()}
        self._parts |= {
            "partitions": lambda: worker.assigned,
            "worker": worker.turns,
            "worker_broker": lambda: watch.broker_seen,
        }

    def _access(self, user: str, password: SecretStr | None) -> KafkaAccess:
        settings = self._settings
        return KafkaAccess(
            settings.kafka_bootstrap_servers,
            settings.session_timeout_ms,
            settings.kafka_security_protocol,
            settings.kafka_sasl_mechanism,
            settings.kafka_ca_file,
            user,
            password.get_secret_value() if password else "",
        )

    def _application(self, database: Database, hearing: Hearing[Any], inbox: Inbox[Any], news: News) -> FastAPI:
        settings = self._settings
        directory = Directory(database)
        production = settings.mode == "production"
        keys = IssuerKeys(settings.jwks_url, Pace(grace=settings.keys_grace_seconds), no_dev_keys=production)
        verifier = TokenVerifier(settings.issuer, keys, settings.audience, directory.find, settings.token_claim)

        async def ready() -> dict[str, bool]:
            return {"database": await _answers(database), **{name: part() for name, part in self._parts.items()}}

        router = self._service.router if "api" in self._roles else None
        app = new_app(self._service.name, version("poec"), ready, router, doorway_of(settings), self._service.pages)
        rates = Rates(database, _limits(settings))
        app.state.sign_in = sign_in_of(settings, database, rates)
        sessions = app.state.sign_in.sessions if app.state.sign_in else None
        signed_in = SignedIn(
            verifier, directory, sessions, origin_of(settings.public_url), cookie_name(self._service.name)
        )
        who = Counted(signed_in, rates)
        in_flight = settings.in_flight_per_principal
        app.state.door = Door(database, hearing.open, hearing.write, who, news, in_flight)
        app.state.doors = {
            name: Door(database, opened, written, who, news, in_flight, app.state.door.load)
            for name, (opened, written) in self._service.doors.items()
        }
        app.state.letters = DeadLetters(inbox)
        app.state.settings = settings
        return app

    async def _database(self) -> Database:
        """Connect, waiting for a server that is still starting."""
        settings = self._settings
        for left in range(30, -1, -1):
            try:
                return await Database.open(
                    settings.database_url.get_secret_value(), self._service.name, settings.pool_size
                )
            except (OSError, asyncpg.CannotConnectNowError) as failure:
                if not left:
                    raise
                _LOG.warning("database_away", error=type(failure).__name__)
                await asyncio.sleep(0.5)
        raise AssertionError("unreachable: the loop returns or raises")

    def _watch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ending.set)


def _limits(settings: ServiceSettings) -> dict[str, Limit]:
    return {
        "machine": Limit(settings.rate_per_second, settings.rate_burst),
        "person": Limit(settings.rate_people_per_second, settings.rate_people_burst),
    }


async def _serve(server: uvicorn.Server) -> None:
    """Serve HTTP; uvicorn's own signal handling is left out, the process has one place for signals."""
    with contextlib.suppress(asyncio.CancelledError):
        await server._serve()


async def _answers(database: Database) -> bool:
    try:
        async with asyncio.timeout(2), database.connection() as connection:
            return bool(await connection.fetchval("SELECT true"))
    except (*CONNECTION_LOST, asyncpg.PostgresError):
        return False


async def _watch_outbox(database: Database, door: Door[Any], high_water: int) -> None:
    """Close the door to writes while more rows wait for the relay than can be kept with a good conscience."""
    query = "SELECT count(*) FROM (SELECT 1 FROM outbox WHERE published_at IS NULL LIMIT $1) pending"
    while True:
        with contextlib.suppress(*CONNECTION_LOST, asyncpg.PostgresError):
            async with database.connection() as connection:
                door.load.full = await connection.fetchval(query, high_water + 1) > high_water
        await asyncio.sleep(5)


async def _until_stdin_ends(ending: asyncio.Event) -> None:
    """End the process when whoever started it is gone, also by kill -9: then standard input reaches its end."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(4096):
        pass
    ending.set()
    await sleep_until_cancelled()
