"""A Python process of ours: it ends when its standard input closes, so nothing outlives a killed supervisor."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path

from deploy.local.errors import NotReady
from deploy.local.guarded import LOG_LIMIT
from deploy.local.ports import LOOPBACK, free_port, is_free

ROOT = Path(__file__).parents[2]
PROBE_SECONDS = 2.0


class Child:
    """One process that serves /livez and /readyz on `port`. Used from one event loop."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        port: int = 0,
        ready: str = "/readyz",
    ) -> None:
        self.name, self.port, self.log = name, port, log
        self.is_ready = False
        self._arguments, self._environment, self._ready_path = arguments, dict(environment), ready
        self._process: asyncio.subprocess.Process | None = None
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        """Pid of the last start; None before the first."""
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        """True while the process runs."""
        return self._process is not None and self._process.returncode is None

    @property
    def refused(self) -> bool:
        """True when it ended because its settings are wrong or unsafe: starting it again cannot help."""
        return self._process is not None and self._process.returncode == os.EX_CONFIG

    @property
    def pids(self) -> list[int]:
        """The pid while it runs, in a list."""
        return [self._process.pid] if self._process is not None and self._process.returncode is None else []

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://{LOOPBACK}:{self.port}"

    def environment(self) -> dict[str, str]:
        """The environment of the process: ours, without what names other things, and its own."""
        inherited = {
            key: value for key, value in os.environ.items() if not key.startswith(("POEC_DATABASE", "POEC_HOME"))
        }
        own = {
            "POEC_STDIN_WATCH": "1",
            "POEC_HTTP_HOST": LOOPBACK,
            "POEC_HTTP_PORT": str(self.port),
            "PYTHONUNBUFFERED": "1",
        }
        return {**inherited, **own, **self._environment}

    async def start(self) -> None:
        """Start it on its port; returns before it is ready."""
        self.is_ready = False
        self.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            os.replace(self.log, self.log.with_suffix(".log.1"))
        with self.log.open("ab") as out:
            self._log_start = out.tell()
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *self._arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=out,
                stderr=asyncio.subprocess.STDOUT,
                env=self.environment(),
                cwd=ROOT,
                start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops everything in order
            )

    async def died(self) -> str:
        """Wait for the end of the process; says how it ended."""
        assert self._process is not None
        code = await self._process.wait()
        self.is_ready = False
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    async def start_again(self) -> None:
        """Start it again, on another port when somebody took its own meanwhile; returns before it is ready."""
        if not is_free(self.port):
            self.port = free_port()
        await self.start()

    async def wait_ready(self, timeout: float) -> None:
        """Return when it says ready; NotReady with the end of its log when it ends or is not ready in time."""
        deadline = time.monotonic() + timeout
        while not await self.probe():
            if not self.alive:
                raise NotReady(f"{self.name} ended while starting ({await self.died()}).\n{self.last_words()}")
            if time.monotonic() > deadline:
                raise NotReady(f"{self.name} was not ready after {timeout:.0f} s.\n{self.last_words()}")
            await asyncio.sleep(0.05)

    async def probe(self) -> bool:
        """Ask it once whether it is ready; a process that does not answer is not."""
        status = await http_status(self.port, self._ready_path)
        self.is_ready = self.alive and status == HTTPStatus.OK
        return self.is_ready

    def last_words(self, count: int = 12) -> str:
        """The end of what it wrote since its last start."""
        with self.log.open("rb") as log:
            log.seek(max(self._log_start, self.log.stat().st_size - 16_384))
            lines = log.read().decode("utf-8", "replace").splitlines()
        return "\n".join(f"  | {line}" for line in lines[-count:])

    def signal(self, number: signal.Signals) -> None:
        """Send a signal when it runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def stop(self, grace: float) -> None:
        """SIGTERM, `grace` seconds, then SIGKILL; returns when it is gone."""
        if not self.alive:
            return
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)  # a suspended process could not obey
        try:
            async with asyncio.timeout(grace):
                await self.died()
        except TimeoutError:
            self.signal(signal.SIGKILL)
            await self.died()


async def http_status(port: int, path: str, timeout: float = PROBE_SECONDS) -> int:
    """Status of a GET on a loopback port; 0 when nobody answers in time. Bare sockets: it is asked twenty times a second."""
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}:{port}\r\nConnection: close\r\n\r\n".encode())
                line = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return 0
    parts = line.split()
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0


async def run_once(name: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
    """Run a Python process to its end; NotReady with the end of its log when it fails."""
    child = Child(name, arguments, environment, log)
    await child.start()
    ended = await child.died()
    if ended != "exit code 0":
        raise NotReady(f"{name} failed ({ended}).\n{child.last_words()}")
