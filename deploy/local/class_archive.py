"""The broker's class archive (AppCDS): halves the start of the broker from the second run of a machine on.

The first broker writes the list of classes it loads; when it is ready, a low-priority process in the background makes
the archive of them (67 MB, a few seconds of one core). Stopping the broker stops that too; the next run then does it.
A missing, truncated or outdated archive only costs the gain: Java says so in the log and starts as without.
"""

import fcntl
import hashlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import psutil

from deploy.local.guarded import GuardedProcess, ServerCommand

# An archive serves only the collector it was made with.
COLLECTOR = "-XX:+UseSerialGC"


class ClassArchive:
    """The archive of one class path and one Java in a cache folder."""

    def __init__(self, cache: Path, jars: Sequence[Path], java: Path, logs: Path) -> None:
        self._jars, self._java, self._logs = jars, java, logs
        self._folder = cache / "classes"
        self._folder.mkdir(exist_ok=True)
        name = _fingerprint(jars, java)
        self.archive = self._folder / f"{name}.jsa"
        self._list = self._folder / f"{name}.{os.getpid()}.list"
        self._learnt = self._list.with_suffix(".learnt")
        self._half = self._folder / f"{name}.{os.getpid()}.part"
        self._builder: GuardedProcess | None = None
        self._waiter: threading.Thread | None = None
        self._lock: int | None = None

    @property
    def exists(self) -> bool:
        """True when the next start can use it."""
        return self.archive.exists()

    def use(self) -> list[str]:
        """JVM flags that use the archive; none while there is none."""
        return [f"-XX:SharedArchiveFile={self.archive}"] if self.exists else []

    def learn(self) -> list[str]:
        """JVM flags of the one broker that writes down its classes; none once the archive is there."""
        return [] if self.exists or self._builder is not None else [f"-XX:DumpLoadedClassList={self._list}"]

    def build(self) -> None:
        """Begin to make the archive in the background, unless it is there, being made, or nothing was learnt."""
        if self.exists or self._builder is not None or not self._list.exists() or not self._take_lock():
            return
        # The broker goes on writing its list: work on a copy, up to the last whole line.
        self._learnt.write_bytes(self._list.read_bytes().rpartition(b"\n")[0] + b"\n")
        command = [
            *("nice", "-n", "19", str(self._java), "-Xshare:dump", COLLECTOR),
            *(f"-XX:SharedClassListFile={self._learnt}", f"-XX:SharedArchiveFile={self._half}"),
            *("-cp", os.pathsep.join(map(str, self._jars))),
        ]
        self._builder = GuardedProcess(
            ServerCommand(
                name="class archive",
                command=command,
                log=self._logs / "kafka-classes.log",
                record=self._half.with_suffix(".json"),
                marker=str(self._half),
                stop=(("SIGKILL", 2.0),),  # nothing of it is worth keeping
            )
        )
        self._builder.start()
        self._waiter = threading.Thread(target=self._install, args=(self._builder,), daemon=True)
        self._waiter.start()

    def cancel(self) -> None:
        """Stop making it; what is half made is removed, and nothing happens when it is finished."""
        builder = self._builder  # the waiting thread forgets it when it ends
        if builder is not None:
            builder.request_stop()
        if self._waiter is not None:
            self._waiter.join()
        self._clean()

    def _install(self, builder: GuardedProcess) -> None:
        """Wait for the end of the builder, and put a finished archive in its place."""
        builder.wait_end()
        if builder.wait_stopped() == 0 and self._half.exists():
            os.replace(self._half, self.archive)
        self._clean()

    def _take_lock(self) -> bool:
        self._lock = os.open(self._folder / ".building", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # another process of this machine is making it
            os.close(self._lock)
            self._lock = None
            return False
        self._sweep()
        return True

    def _sweep(self) -> None:
        """Remove what killed runs left: files named after a process that is gone."""
        for left in self._folder.glob("*.*.*"):
            pid = left.name.split(".")[1]
            if pid.isdigit() and not psutil.pid_exists(int(pid)):
                left.unlink(missing_ok=True)

    def _clean(self) -> None:
        self._builder = None
        for path in (self._list, self._learnt, self._half):
            path.unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _fingerprint(jars: Sequence[Path], java: Path) -> str:
    """Java refuses an archive when the path or the time of a jar, or Java itself, changed: so does the name.

    And an archive learnt from a broker that asks nobody who he is lacks the classes of one that does.
    """
    facts = ["signed in", *(f"{path}:{path.stat().st_mtime_ns}:{path.stat().st_size}" for path in [*jars, java])]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]
