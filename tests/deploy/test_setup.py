"""`make setup` explains what is missing before it touches anything; .ci/run is `make test`, and a browser for it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("sh", "make", "sed", "cat", "rm", "grep", "tail", "uname", "test")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The files that set-up needs, and a PATH without any Python."""
    for name in ("Makefile", "requirements.txt", "pyproject.toml", "deploy/setup.sh"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None, tool
        (tmp_path / "bin" / tool).symlink_to(found)
    return tmp_path


def make(clone: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(clone / "bin")}
    command = [str(clone / "bin" / "make"), "run"]
    return subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, timeout=60, check=False)


def fake_python(clone: Path, script: str) -> None:
    path = clone / "bin" / "python3"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def test_without_python_it_says_what_to_install(clone: Path) -> None:
    done = make(clone)
    assert done.returncode != 0
    assert "no Python was found" in done.stderr
    assert "apt install python3" in done.stderr


def test_an_old_python_is_named_with_its_version(clone: Path) -> None:
    fake_python(clone, '[ "$1" = -V ] && echo "Python 3.9.2" && exit 0\nexit 1')
    done = make(clone)
    assert "3.11 or newer is needed" in done.stderr
    assert "Python 3.9.2" in done.stderr
    assert "make PYTHON=" in done.stderr


def test_a_python_without_ensurepip_is_explained(clone: Path) -> None:
    fake_python(clone, f'case "$2" in *ensurepip*) exit 1;; esac\nexec {sys.executable} "$@"')
    done = make(clone)
    assert "venv or ensurepip module is missing" in done.stderr
    assert not (clone / ".venv").exists()


def continuous_integration(tmp_path: Path, *, uid: int, has: tuple[str, ...] = (), apt: str = "exit 0") -> tuple[list[str], str]:
    """Run `.ci/run` where only these programs are; return what it ran, and what it said."""
    tools, log = tmp_path / "bin", tmp_path / "log"
    tools.mkdir()
    for name in ("bash", "dirname"):
        (tools / name).symlink_to(str(shutil.which(name)))
    scripts = {"id": f"echo {uid}", "make": "exit 0", "apt-get": apt, **dict.fromkeys(has, "exit 0")}
    for name, script in scripts.items():
        noted = "" if name == "id" else f'echo "{name} $*" >> {log}; echo noise; '
        (tools / name).write_text(f"#!{shutil.which('sh')}\n{noted}{script}\n", encoding="utf-8")
        (tools / name).chmod(0o755)
    done = subprocess.run(
        [str(ROOT / ".ci" / "run")], env={"PATH": str(tools)}, capture_output=True, text=True, timeout=60, check=True
    )
    return log.read_text(encoding="utf-8").splitlines(), done.stdout + done.stderr


def test_continuous_integration_runs_make_test_and_brings_a_browser_first(tmp_path: Path) -> None:
    ran, said = continuous_integration(tmp_path, uid=0)
    assert ran == ["apt-get -qq update", "apt-get -qq -y install --no-install-recommends chromium chromium-l10n", "make test"]
    assert said == "noise\n", "only what make says is heard"


@pytest.mark.parametrize(("uid", "has"), [(0, ("chromium",)), (0, ("google-chrome",)), (1000, ())])
def test_continuous_integration_installs_nothing_where_there_is_one_or_it_may_not(
    tmp_path: Path, uid: int, has: tuple[str, ...]
) -> None:
    assert continuous_integration(tmp_path, uid=uid, has=has)[0] == ["make test"]


def test_continuous_integration_says_that_a_browser_could_not_be_installed_and_goes_on(tmp_path: Path) -> None:
    ran, said = continuous_integration(tmp_path, uid=0, apt="exit 100")
    assert ran == ["apt-get -qq update", "make test"]
    assert "Chromium could not be installed" in said
