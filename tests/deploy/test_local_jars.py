"""The pinned jars: checked, resumed, locked, a failed download explained. Only the first may use the network."""

import multiprocessing
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local.cache import cache_folder
from deploy.local.errors import DownloadFailed, LocalError
from deploy.local.kafka_jars import Jar, fetch_jars, pinned_jars


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The machine's own cache, with every jar in it."""
    cache = cache_folder(tmp_path_factory.mktemp("home"))
    fetch_jars(cache)
    return cache


@pytest.fixture
def copied(filled: Path, tmp_path: Path) -> Path:
    """A copy of the jars that a test may damage."""
    shutil.copytree(filled / "jars", tmp_path / "cache" / "jars")
    return tmp_path / "cache"


def _from(source: Path, asked: list[Jar]) -> Callable[[Path, Jar], None]:
    """A repository in place of the network: copies from `source` and notes what was asked."""

    def fetch(folder: Path, jar: Jar) -> None:
        asked.append(jar)
        (folder / jar.path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / "jars" / jar.path, folder / jar.path)

    return fetch


def test_the_lock_file_pins_46_jars_of_kafka_4_3_1() -> None:
    jars = pinned_jars()
    assert len(jars) == len({jar.path for jar in jars}) == 46
    assert {jar.version for jar in jars if jar.group == "org.apache.kafka"} == {"4.3.1"}
    assert all(len(jar.sha256) == 64 for jar in jars)


def test_a_filled_cache_asks_nothing_of_the_network(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POEC_OFFLINE", "1")
    steps: list[tuple[int, int]] = []
    paths = fetch_jars(copied, lambda done, total, _: steps.append((done, total)))
    assert (len(paths), paths) == (46, sorted(paths))
    assert steps == [(done, 46) for done in range(47)]


def test_a_jar_cut_short_or_changed_is_fetched_again_and_no_other(copied: Path, filled: Path) -> None:
    short, changed = pinned_jars()[3], pinned_jars()[20]
    (copied / "jars" / short.path).write_bytes((copied / "jars" / short.path).read_bytes()[:1000])
    with (copied / "jars" / changed.path).open("ab") as damaged:
        damaged.write(b"more")
    asked: list[Jar] = []
    fetch_jars(copied, fetch=_from(filled, asked))
    assert asked == [short, changed]
    for jar in asked:
        assert (copied / "jars" / jar.path).read_bytes() == (filled / "jars" / jar.path).read_bytes()


def test_what_arrives_with_another_checksum_is_refused_and_deleted(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.local.kafka_jars.PAUSE", 0.0)
    jar = pinned_jars()[0]
    (copied / "jars" / jar.path).unlink()

    def forged(folder: Path, wanted: Jar) -> None:
        (folder / wanted.path).write_bytes(b"not that jar")

    with pytest.raises(DownloadFailed, match=r"lz4-java:1\.10\.2 could not be fetched: .*sha256"):
        fetch_jars(copied, fetch=forged)
    assert not (copied / "jars" / jar.path).exists()


def test_offline_with_a_jar_missing_says_which_and_what_to_do(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.local.kafka_jars.PAUSE", 0.0)
    monkeypatch.setenv("POEC_OFFLINE", "1")
    (copied / "jars" / pinned_jars()[0].path).unlink()
    with pytest.raises(DownloadFailed) as failed:
        fetch_jars(copied)
    said = str(failed.value)
    for part in ("at.yawk.lz4:lz4-java:1.10.2", "POEC_OFFLINE", "45 of 46 jars", "the next run goes on", "HTTPS_PROXY"):
        assert part in said


def _fetch_in_child(cache: str, source: str, start: object) -> None:
    start.wait()  # type: ignore[attr-defined]
    fetch_jars(Path(cache), fetch=_from(Path(source), []))


def test_two_processes_can_fill_one_cache_at_once(filled: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Event()
    children = [spawn.Process(target=_fetch_in_child, args=(str(cache), str(filled), start)) for _ in range(2)]
    for child in children:
        child.start()
    start.set()
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0, 0]


def test_the_cache_is_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POEC_CACHE", str(tmp_path / "named"))
    assert cache_folder(tmp_path) == tmp_path / "named"
    monkeypatch.delenv("POEC_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder(tmp_path) == tmp_path / "xdg" / "poec"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    assert cache_folder(tmp_path) == tmp_path / "user" / ".cache" / "poec"
    (tmp_path / "no-folder").write_text("")
    monkeypatch.setenv("HOME", str(tmp_path / "no-folder"))
    assert cache_folder(tmp_path) == tmp_path / "cache"
    monkeypatch.setenv("POEC_CACHE", str(tmp_path / "no-folder" / "deeper"))
    with pytest.raises(LocalError, match="POEC_CACHE"):
        cache_folder(tmp_path)
