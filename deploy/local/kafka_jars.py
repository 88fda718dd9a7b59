"""The broker's jars: fetched one by one as `kafka.lock` pins them, each checked, kept in the cache."""

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests
from jgo.maven import MavenContext

from deploy.local.cache import locked
from deploy.local.errors import DownloadFailed

Progress = Callable[[int, int, str], None]
LOCK_FILE = Path(__file__).with_name("kafka.lock")
ATTEMPTS = 3
PAUSE = 1.0  # seconds before the second attempt, doubled before the next
# Debian and its kin, Fedora and its kin, Alpine and macOS: where a system keeps the certificates it trusts.
SYSTEM_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
TIMEOUT = 30  # seconds without an answer or a byte


@dataclass(frozen=True)
class Jar:
    """One line of the lock file: Maven coordinates and the sha256 of the file, in hexadecimal."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def path(self) -> Path:
        """Where a Maven cache keeps it, relative to the cache."""
        return Path(*self.group.split("."), self.artifact, self.version, f"{self.artifact}-{self.version}.jar")

    def __str__(self) -> str:
        return f"{self.artifact} {self.version}"


def pinned_jars(lock_file: Path = LOCK_FILE) -> list[Jar]:
    """The jars of the lock file: one line each, `group:artifact:version sha256`."""
    jars = []
    for line in lock_file.read_text(encoding="utf-8").splitlines():
        coordinates, sha256 = line.split()
        group, artifact, version = coordinates.split(":")
        jars.append(Jar(group, artifact, version, sha256))
    return jars


def fetch_jars(
    cache: Path, progress: Progress = lambda *_: None, fetch: Callable[[Path, Jar], None] | None = None
) -> list[Path]:
    """Paths of all pinned jars in `cache`/jars, sorted; what is missing or damaged is fetched (45 MB the first time).

    Nothing is asked of the network when all are there; with POEC_OFFLINE=1 nothing ever is. A run cut short is resumed
    at its jar. DownloadFailed names the jar, the reason and what to do. `fetch` replaces the network, for tests.
    """
    folder = cache / "jars"
    folder.mkdir(exist_ok=True)
    jars = pinned_jars()
    with locked(cache, "fetch"):
        for done, jar in enumerate(jars):
            progress(done, len(jars), f"Apache Kafka: {jar}")
            if not _is_whole(folder / jar.path, jar):
                _fetch_checked(folder, jar, fetch or _fetch)
    progress(len(jars), len(jars), "Apache Kafka: jars")
    return sorted(folder / jar.path for jar in jars)


def _is_whole(path: Path, jar: Jar) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == jar.sha256
    except FileNotFoundError:
        return False


def _fetch_checked(folder: Path, jar: Jar, fetch: Callable[[Path, Jar], None]) -> None:
    """A killed download leaves a short jar under its final name: whatever is wrong is deleted and fetched anew."""
    reason = ""
    for attempt in range(ATTEMPTS):
        (folder / jar.path).unlink(missing_ok=True)
        if attempt:
            time.sleep(PAUSE * 2 ** (attempt - 1))  # between two tries of a network, there is no condition to wait on
        try:
            fetch(folder, jar)
        except (requests.RequestException, OSError, RuntimeError) as failure:  # jgo answers "no" by RuntimeError
            reason = _why(failure)
            continue
        if _is_whole(folder / jar.path, jar):
            return
        reason = "what arrived does not have the sha256 of deploy/local/kafka.lock"
    (folder / jar.path).unlink(missing_ok=True)
    raise DownloadFailed(_explain(folder, jar, reason))


def _fetch(folder: Path, jar: Jar) -> None:
    """By jgo; without `local_repos=[]` it would read, and we would delete from, the user's own Maven folder."""
    if os.environ.get("POEC_OFFLINE") == "1":
        raise OSError("POEC_OFFLINE=1 forbids the network, and it is not in the cache")
    _trust_the_system()
    context = MavenContext(repo_cache=folder, local_repos=[], timeout=TIMEOUT)
    context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()


def _trust_the_system() -> None:
    """Believe the certificates that the system believes, as pip does: behind a company proxy, the bundle of `requests` is not enough.

    A bundle that the user names is left alone; so is a system without one.
    """
    if not any(os.environ.get(name) for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")):
        for bundle in (os.environ.get("SSL_CERT_FILE"), *SYSTEM_BUNDLES):
            if bundle and Path(bundle).is_file():
                os.environ["REQUESTS_CA_BUNDLE"] = bundle
                return


def _why(failure: Exception) -> str:
    if isinstance(failure, requests.Timeout):
        return f"no answer within {TIMEOUT} s"
    if isinstance(failure, requests.exceptions.SSLError):
        return "its certificate is not trusted here (name your bundle in REQUESTS_CA_BUNDLE)"
    if isinstance(failure, requests.ConnectionError):
        return "the repository cannot be reached"
    return str(failure)


def _explain(folder: Path, jar: Jar, reason: str) -> str:
    have = sum((folder / other.path).exists() for other in pinned_jars())
    return (
        f"{jar.group}:{jar.artifact}:{jar.version} could not be fetched: {reason}.\n"
        f"{have} of {len(pinned_jars())} jars are in {folder}; the next run goes on from there.\n"
        "What to do: check the network (behind a proxy, set HTTPS_PROXY) and run the command again; or copy that "
        "folder from a machine that has it; or use a broker of yours, named in POEC_KAFKA_BOOTSTRAP_SERVERS."
    )
