"""The whole product as `poec up --roles split` runs it, in a folder of its own, and the hands to hurt it.

Every injector proves itself: it returns only when what it hurt is really gone, and raises where nothing was hit.
"""

import asyncio
import contextlib
import datetime as dt
import json
import os
import shutil
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
import psutil

from deploy.audit.report import Report
from deploy.audit.run import audit, sources_of
from deploy.local.business_clock import move_clock
from deploy.local.databases import database_url
from deploy.local.guarded import wait_until
from deploy.local.lifecycle import start_detached, stop
from deploy.local.postgres_account import remove_data
from deploy.local.runfile import Run
from deploy.local.secrets import load_secrets
from shared.contracts.flow import SERVICES
from tests.support.armed import armed_file, pid_file

ROLES: Final = ("api", "worker", "relay")
TODAY: Final = dt.datetime(2018, 3, 1, 9, tzinfo=dt.UTC)
"""Business time of the stack: the golden fiche is filed in time for its session of 30 April 2018."""


class NotHurt(AssertionError):
    """An injector that did not bite: the test has proved nothing."""


@dataclass(frozen=True)
class Hurt:
    """Something that was ended: its pid, and when it was seen gone, by the monotonic and by the wall clock."""

    pid: int
    monotonic: float
    wall: dt.datetime


@dataclass
class Stack:
    """One running product."""

    home: Path

    def start(self) -> None:
        """Start everything, one process per role; returns when all is ready and the business clock stands in 2018."""
        self.armed.mkdir(parents=True)
        os.environ["POEC_ARMED"] = str(self.armed)
        run = start_detached(
            self.home,
            ("--roles", "split", "--starter", str(os.getpid())),
            command=("-m", "tests.support.stack_supervisor"),
        )
        asyncio.run(move_clock({name: service.database_url for name, service in run.services.items()}, TODAY))

    def stop(self) -> None:
        """Stop everything and remove what lies outside the folder."""
        stop(self.home)
        remove_data(self.home)

    @property
    def armed(self) -> Path:
        """Folder of the variables for the next starts."""
        return self.home / "armed"

    @property
    def run(self) -> Run:
        """What runs now, as run.json says."""
        return Run.load(self.home)

    @staticmethod
    def settled(condition: Callable[[], bool], seconds: float = 30) -> bool:
        """Wait until a condition holds; return whether it does."""
        return wait_until(condition, seconds)

    # Processes of services

    def pid(self, service: str, role: str) -> int:
        """Return the pid of a role; raises `NotHurt` where the process is not that role's."""
        pid = self.run.services[service].pids[role]
        if not _runs(pid, f"services.{service}", role):
            raise NotHurt(f"{service}.{role}: process {pid} is not it")
        return pid

    async def pid_now(self, service: str, role: str, other_than: int = 0, seconds: float = 60) -> int:
        """Wait until a role runs, under another pid than the one named."""
        found: list[int] = []

        async def runs() -> bool:
            with contextlib.suppress(NotHurt):
                found[:] = [self.pid(service, role)]
            return bool(found) and found[0] != other_than

        await eventually(runs, seconds, f"{service}.{role} runs again")
        return found[0]

    async def kill(self, service: str, role: str) -> Hurt:
        """End a role with kill -9."""
        pid = await self.pid_now(service, role)
        return await killed(pid, signal.SIGKILL)

    async def arm(self, service: str, role: str, **variables: str) -> int:
        """Start a role anew with more variables in its environment; return its pid. The start after that one is an ordinary one."""
        instance = f"{service}-{role}-1"
        waiting = armed_file(self.armed, instance)
        waiting.write_text(json.dumps(variables))
        await self.kill(service, role)

        async def started() -> bool:
            return not waiting.exists()

        await eventually(started, 60, f"{service}.{role} starts armed")
        return int(pid_file(self.armed, instance).read_text())

    async def crashed(self, service: str, role: str, armed: int, seconds: float = 90) -> None:
        """Wait until an armed process has killed itself and another one runs; the supervisor must have seen a SIGKILL."""
        await gone(armed, seconds, f"{service}.{role} dies at its crash point")
        await self.pid_now(service, role, armed)
        reasons = [r.reason for r in self.run.restarts if r.what == f"{service}.{role}"]
        if reasons[-2:] != ["killed by SIGKILL"] * 2:
            raise NotHurt(f"{service}.{role} ended otherwise: {reasons[-2:]}")

    # Servers

    @property
    def broker(self) -> int:
        """Pid of the broker."""
        return self.run.kafka.pids[0]

    @property
    def postmaster(self) -> int:
        """Pid of PostgreSQL."""
        pid = self.run.postgres.pid
        assert pid is not None, "the stack runs its own PostgreSQL"
        return pid

    @property
    def broker_data(self) -> Path:
        """The broker's data folder."""
        return self.home / "kafka" / "node-1" / "data"

    @contextlib.contextmanager
    def supervisor_held(self) -> Iterator[None]:
        """Let the supervisor start nothing for the length of a block."""
        with suspended(self.run.supervisor.pid):
            yield

    async def wipe_broker(self) -> Hurt:
        """End the broker with kill -9 and take its data away before it can be started again."""
        with self.supervisor_held():
            hurt = await killed(self.broker, signal.SIGKILL)
            shutil.rmtree(self.broker_data)
            if self.broker_data.exists():
                raise NotHurt("the broker's data are still there")
        return hurt

    # Looking

    async def rows(self, service: str, query: str, *args: Any) -> list[asyncpg.Record]:
        """Return rows of a service's database, seen by its audit role."""
        connection = await asyncpg.connect(self.run.services[service].audit_database_url, timeout=30)
        try:
            found: list[asyncpg.Record] = await connection.fetch(query, *args)
            return found
        finally:
            connection.terminate()

    async def value(self, service: str, query: str, *args: Any) -> Any:
        """Return the first value of the first row, or None."""
        rows = await self.rows(service, query, *args)
        return rows[0][0] if rows else None

    async def as_superuser(self, query: str, *args: Any) -> list[asyncpg.Record]:
        """Return rows of the server's own database, seen by the superuser."""
        connection = await asyncpg.connect(self.superuser_url("postgres"), timeout=30)
        try:
            found: list[asyncpg.Record] = await connection.fetch(query, *args)
            return found
        finally:
            connection.terminate()

    def superuser_url(self, database: str) -> str:
        """Return how the superuser reaches a database."""
        run = self.run
        admin = (
            f"postgresql://postgres:{load_secrets(self.home).postgres}@{run.postgres.host}:{run.postgres.port}/postgres"
        )
        return database_url(admin, database)

    async def ready(self, seconds: float = 90) -> None:
        """Wait until everything runs and says so."""

        async def is_ready() -> bool:
            return self.run.state == "ready" and all(_alive(pid) for pid in self._pids())

        await eventually(is_ready, seconds, "everything is ready again")

    def _pids(self) -> list[int]:
        run = self.run
        pids = [pid for service in run.services.values() for pid in service.pids.values()]
        return [*pids, *run.kafka.pids, *([run.postgres.pid] if run.postgres.pid else [])]

    async def audited(self) -> Report:
        """Wait until everything is ready, then audit; fails with every violation found."""
        await self.ready()
        report = await audit(sources_of(self.home))
        wrong = [f"{f.id}  {sentence}" for f in report.findings for sentence in f.verdict.violations[:10]]
        assert report.clean, "audit not clean:\n" + "\n".join(wrong)
        assert report.journal_entries > 0, "nothing was sent"
        checked = {finding.id: finding.verdict.checked for finding in report.findings}
        assert all(checked[name] > 0 for name in ("I1", "I2", "I3", "I8", "I9", "I10", "I11")), (
            f"audit of nothing: {checked}"
        )
        return report


async def eventually(condition: Callable[[], Awaitable[bool]], seconds: float, what: str) -> None:
    """Wait until an async condition holds; a server that is away means 'not yet'. Fails, saying what was waited for."""
    until = time.monotonic() + seconds
    away = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
    while True:
        with contextlib.suppress(*away):
            if await condition():
                return
        assert time.monotonic() < until, f"waited {seconds:.0f} s in vain: {what}"
        await asyncio.sleep(0.05)


async def killed(pid: int, number: signal.Signals) -> Hurt:
    """Send a signal that ends a process and wait until it has; raises `NotHurt` where it lives on."""
    os.kill(pid, number)
    await gone(pid, 60, f"process {pid} ends by {number.name}")
    return Hurt(pid, time.monotonic(), dt.datetime.now(dt.UTC))


async def gone(pid: int, seconds: float, what: str) -> None:
    """Wait until a process is no more."""
    until = time.monotonic() + seconds
    while _alive(pid):
        if time.monotonic() > until:
            raise NotHurt(f"waited {seconds:.0f} s in vain: {what}")
        await asyncio.sleep(0.005)


@contextlib.contextmanager
def suspended(pid: int) -> Iterator[None]:
    """Suspend a process for the length of a block; raises `NotHurt` where it runs on."""
    os.kill(pid, signal.SIGSTOP)
    try:
        if not wait_until(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED, 5, 0.01):
            raise NotHurt(f"process {pid} is not suspended")
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _runs(pid: int, module: str, role: str) -> bool:
    try:
        return psutil.Process(pid).cmdline()[-2:] == [module, role]
    except psutil.NoSuchProcess:
        return False


EVERY_ROLE: Final = tuple((service, role) for service in SERVICES for role in ROLES)
