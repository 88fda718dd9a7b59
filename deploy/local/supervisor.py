"""Starts everything of one data folder, keeps it running, and stops it in order.

`servers.py` has Kafka and PostgreSQL, `processes.py` the issuer and the services, `parts.py` how each is watched,
`chronicle.py` writes run.json. One event loop; what blocks runs in threads.
"""

import asyncio
import contextlib
import random
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from deploy.local.children import Child, run_once
from deploy.local.chronicle import Chronicle
from deploy.local.clients import ADMINISTRATOR, clients_of
from deploy.local.databases import DatabaseUrls, provision
from deploy.local.errors import LocalError, NotReady
from deploy.local.holding import clear_stale, held
from deploy.local.kafka_users import ensure_users
from deploy.local.options import Options, ServiceSpec
from deploy.local.parts import BrokerPart, ChildPart, DatabasePart, Part
from deploy.local.processes import (
    Ports,
    Surroundings,
    describe_issuer,
    describe_service,
    issuer_process,
    service_processes,
    web_clients,
)
from deploy.local.registration import register_clients
from deploy.local.report import Progress, Reporter
from deploy.local.runfile import RUN_FILE, KafkaServer, PostgresServer, Restart, Run, State, SupervisorProcess
from deploy.local.schema import fingerprint, mark, marks
from deploy.local.secrets import load_secrets
from deploy.local.servers import Broker, Database, choose_broker, choose_database, describe_kafka, host_and_port
from deploy.local.topics import create_missing
from shared.messaging.clients import KafkaAccess

READY_SECONDS = 90.0  # for a server or a service to become ready
START_ATTEMPTS = 3
STOP_SECONDS = 20.0  # for a service to drain after SIGTERM
FIRST_RETRY, LONGEST_RETRY, STABLE = 0.2, 15.0, 30.0  # seconds


class Interrupted(LocalError):
    """Somebody asked for the stop while everything was starting."""


@dataclass(frozen=True)
class Ground:
    """The servers under the services, and how they are prepared; replaced where a test needs none."""

    broker: Broker
    database: Database
    make_databases: Callable[[str, Path], Awaitable[dict[str, DatabaseUrls]]]
    furnish: Callable[[KafkaAccess], object]
    register: Callable[[Run], Awaitable[None]] = register_clients


def ground_of(options: Options) -> Ground:
    """The real servers that the options name."""

    async def make_databases(admin_url: str, home: Path) -> dict[str, DatabaseUrls]:
        return await provision(admin_url, load_secrets(home))

    def furnish(access: KafkaAccess) -> None:
        create_missing(access)
        if access.signs_in:
            ensure_users(access, load_secrets(options.home).kafka)

    return Ground(choose_broker(options), choose_database(options), make_databases, furnish)


class Supervisor:
    """One run on one data folder. `stop()` may be called from signal handlers: once to stop in order, again to hurry."""

    def __init__(self, options: Options, reporter: Reporter, ground: Ground | None = None) -> None:
        self.options, self.reporter = options, reporter
        self.ground = ground or ground_of(options)
        self._begun = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._own = SupervisorProcess(pid=0)
        self._stop, self._hurry, self._changed = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._ports = Ports(options.home)
        self._web = web_clients(options, self._ports)
        self._issuer = issuer_process(options.home, self._ports, self._web)
        self._urls: Mapping[str, DatabaseUrls] = {}
        self._services: dict[str, dict[str, Child]] = {}
        self._down: set[str] = set()
        self._parts: list[Part] = []
        self._chronicle = Chronicle(self._describe)

    def stop(self) -> None:
        """Ask for the stop; asked a second time, what still runs is killed."""
        (self._hurry if self._stop.is_set() else self._stop).set()

    async def serve(self, on_ready: Callable[[Run], None] = lambda run: None) -> None:
        """Run until `stop()`; LocalError when it cannot start. Whatever happens, nothing is left running."""
        with held(self.options.home) as self._own:
            await asyncio.to_thread(clear_stale, self.options.home)
            keepers: list[asyncio.Task[None]] = []
            try:
                await self._start()
                on_ready(self._chronicle.write("ready"))
                keepers = [asyncio.create_task(self._keep(part)) for part in self._parts]
                keepers.append(asyncio.create_task(self._probe()))
                await self._first_end([asyncio.create_task(self._wait_stop()), *keepers])
            finally:
                await self._end(keepers)

    # Starting

    async def _start(self) -> None:
        await self._together(self._start_broker(), self._start_database(), self._start_issuer())
        self._check()
        issuer = describe_issuer(self._issuer)
        around = Surroundings(self._kafka(), issuer, self._urls, self._web)
        await self._migrate(around)
        self._check()
        for spec in self.options.services:
            self._services[spec.name] = service_processes(self.options, spec, around, self._ports)
        children = self._service_children()
        self._parts += [ChildPart(child) for child in children]
        await self._together(*(self._start_child(child) for child in children))
        with self.reporter.step("Principals"):
            await self.ground.register(self._describe("starting", []))

    async def _start_broker(self) -> None:
        part = BrokerPart(self.ground.broker, self.ground.furnish)
        self._parts.append(part)
        with self.reporter.step("Apache Kafka") as progress:
            await part.call(self.ground.broker.prepare, self._interruptible(progress))
            await part.call(self.ground.broker.start)
            await part.call(self.ground.broker.wait_ready, READY_SECONDS)
        self._check()
        with self.reporter.step("Topics and users"):
            await part.call(self.ground.furnish, self.ground.broker.access)

    async def _start_database(self) -> None:
        part = DatabasePart(self.ground.database)
        self._parts.append(part)
        with self.reporter.step("PostgreSQL") as progress:
            await part.call(self.ground.database.prepare, self._interruptible(progress))
            await part.call(self.ground.database.start)
            await part.call(self.ground.database.wait_ready, READY_SECONDS)
            self._check()
            self._urls = await self.ground.make_databases(self.ground.database.admin_url, self.options.home)

    async def _start_issuer(self) -> None:
        self._parts.append(ChildPart(self._issuer))
        await self._start_child(self._issuer)

    async def _start_child(self, child: Child) -> None:
        """Start a process and wait until it is ready; one that ends meanwhile gets other tries, unless its settings are wrong."""
        with self.reporter.step(child.name):
            for attempts_left in reversed(range(START_ATTEMPTS)):
                await child.start_again()
                try:
                    await self._unless_stopped(child.wait_ready(READY_SECONDS))
                    return
                except NotReady:
                    if child.alive or child.refused or not attempts_left:
                        raise
                    what, reason = await ChildPart(child).died()
                    self._chronicle.died(what, f"{reason} while starting")
                    self.reporter.note(f"{what}: {reason} while starting; trying again")

    async def _migrate(self, around: Surroundings) -> None:
        """Run the migrations of the services whose folder is not the one that was applied last, all at once."""
        wanted = {spec: fingerprint(spec.migrations) for spec in self.options.services if spec.migrations}
        if not wanted:
            return
        applied = await marks(self.ground.database.admin_url)
        due = {spec: value for spec, value in wanted.items() if applied.get(spec.name) != value}
        if due:
            with self.reporter.step("Database migrations"):
                await self._together(*(self._migrate_one(spec, around) for spec in due))
            await mark(self.ground.database.admin_url, [(spec.name, value) for spec, value in due.items()])

    async def _migrate_one(self, spec: ServiceSpec, around: Surroundings) -> None:
        name = f"{spec.name}.migrate"
        environment = around.environment(spec.name, f"{spec.name}-migrate", owner=True)
        environment["POEC_FIRST_ADMINISTRATOR"] = ADMINISTRATOR
        await run_once(name, (*spec.command, "migrate"), environment, self.options.home / "logs" / f"{name}.log")

    async def _together(self, *work: Coroutine[Any, Any, None]) -> None:
        """Do it all at the same time; the first failure stops the rest, and is raised when nothing goes on behind our back."""

        async def one(part: Coroutine[Any, Any, None]) -> None:
            try:
                await part
            except BaseException:  # whatever it was: the others have nothing to wait for any more
                self._stop.set()
                raise

        results = await asyncio.gather(*map(one, work), return_exceptions=True)
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            raise min(failures, key=lambda failure: isinstance(failure, Interrupted))

    def _check(self) -> None:
        if self._stop.is_set():
            raise Interrupted("Stopped before it was ready.")

    def _interruptible(self, progress: Progress) -> Progress:
        def checked(done: int, total: int, what: str) -> None:
            self._check()
            progress(done, total, what)

        return checked

    async def _unless_stopped(self, work: Coroutine[Any, Any, None]) -> None:
        await self._first_end([asyncio.create_task(work), asyncio.create_task(self._wait_stop())])
        self._check()

    async def _wait_stop(self) -> None:
        await self._stop.wait()

    @staticmethod
    async def _first_end(tasks: list[asyncio.Task[None]]) -> None:
        """Wait for the first of the tasks to end; raises what it raised. The others of a pair are cancelled by the caller."""
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        for task in done:
            task.result()

    # Keeping

    async def _keep(self, part: Part) -> None:
        """Start a part again whenever something of it dies: at once the first time, later and later when it keeps dying."""
        failures, since = 0, time.monotonic()
        while True:
            what, reason = await part.died()
            failures = 0 if time.monotonic() - since > STABLE else failures + 1
            since = time.monotonic()
            self._down.add(what)
            count = self._chronicle.died(what, reason)
            self.reporter.note(f"{what}: {reason}; starting it again (number {count})")
            self._write()
            delay = min(LONGEST_RETRY, FIRST_RETRY * 2 ** max(0, failures - 1))
            await asyncio.sleep(delay * random.uniform(0.75, 1.25))
            try:
                await part.revive(what)
            except LocalError as failure:
                self.reporter.note(f"{what}: {failure}")
            else:
                self._down.discard(what)
                since = time.monotonic()
            self._write()
            self._changed.set()

    async def _probe(self) -> None:
        """Ask the processes whether they are ready: often while one is not, else every two seconds."""
        while True:
            children = [self._issuer, *self._service_children()]
            await asyncio.gather(*(child.probe() for child in children if child.alive))
            self._write()
            pause = 2.0 if all(child.is_ready for child in children) else 0.2
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._changed.wait()
            self._changed.clear()

    def _write(self) -> None:
        children = [self._issuer, *self._service_children()]
        healthy = not self._down and all(child.is_ready for child in children)
        self._chronicle.write("ready" if healthy else "degraded")

    def _service_children(self) -> list[Child]:
        return list(dict.fromkeys(child for roles in self._services.values() for child in roles.values()))

    def _describe(self, state: State, restarts: list[Restart]) -> Run:
        database = self.ground.database
        host, port = host_and_port(database.admin_url)
        return Run(
            version=product_version(),
            home=str(self.options.home),
            state=state,
            infra=self.options.infra,
            started_at=self._begun,
            supervisor=self._own,
            kafka=self._kafka(),
            postgres=PostgresServer(pid=database.pid, host=host, port=port),
            issuer=describe_issuer(self._issuer),
            clients=clients_of(self.options.home),
            services={name: describe_service(roles, self._urls[name]) for name, roles in self._services.items()},
            restarts=restarts,
        )

    def _kafka(self) -> KafkaServer:
        """The brokers' part of run.json, read anew each time: a password may have been replaced meanwhile."""
        return describe_kafka(self.ground.broker, self.options.home)

    # Stopping

    async def _end(self, keepers: list[asyncio.Task[None]]) -> None:
        """Stop services, then the issuer, Kafka and PostgreSQL; remove run.json."""
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
        if (self.options.home / RUN_FILE).exists():
            self._chronicle.write("stopping")
        servers = [part for part in self._parts if not isinstance(part, ChildPart)]
        issuer = [part for part in self._parts if isinstance(part, ChildPart) and part.child is self._issuer]
        services = [part for part in self._parts if part not in servers and part not in issuer]
        for name, parts in (("services", services), ("issuer", issuer), ("Apache Kafka and PostgreSQL", servers)):
            if parts:
                with self.reporter.step(f"Stopping {name}"):
                    await asyncio.gather(*(self._stop_part(part) for part in parts))
        (self.options.home / RUN_FILE).unlink(missing_ok=True)

    async def _stop_part(self, part: Part) -> None:
        stopping = asyncio.create_task(part.stop(STOP_SECONDS))
        hurried = asyncio.create_task(self._hurry.wait())
        await asyncio.wait([stopping, hurried], return_when=asyncio.FIRST_COMPLETED)
        if not stopping.done():
            part.kill()
        hurried.cancel()
        await stopping


def product_version() -> str:
    """Version of the installed product; `0` when it runs from a folder that was not installed."""
    try:
        return version("poec")
    except PackageNotFoundError:
        return "0"


def run_supervisor(
    options: Options, reporter: Reporter, on_ready: Callable[[Run], None], ground: Ground | None = None
) -> None:
    """Run a supervisor until SIGTERM or SIGINT; a second one makes it hurry. LocalError when it cannot start."""

    async def serve() -> None:
        supervisor = Supervisor(options, reporter, ground)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, supervisor.stop)
        await supervisor.serve(on_ready)

    asyncio.run(serve())
