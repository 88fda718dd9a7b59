"""The map of the service in its README: every file of it is on it, and nothing that is not there."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.services.submission.readme import README

FOLDER = README.parent
BESIDE = ("__init__.py", "domain/__init__.py")


def patterns(readme: str) -> list[str]:
    (table,) = re.findall(r"<!-- map -->\n(.*?)<!-- /map -->", readme, re.DOTALL)
    return [found for row in table.splitlines()[2:] for found in re.findall(r"`([^`]+)`", row.split("|")[1])]


def off_the_map(files: list[str], mapped: list[str]) -> tuple[list[str], list[str]]:
    """Return files that no pattern names, and patterns that name no file; a folder's name stands for what is in it."""
    named = [pattern + "*" if pattern.endswith("/") else pattern for pattern in mapped]
    return (
        [path for path in files if path not in BESIDE and not any(fnmatch(path, one) for one in named)],
        [one for one in named if not any(fnmatch(path, one) for path in files)],
    )


def files() -> list[str]:
    found = sorted(path.relative_to(FOLDER).as_posix() for path in Path(FOLDER).rglob("*.py"))
    templates = [path.relative_to(FOLDER).as_posix() for path in (FOLDER / "templates").rglob("*.html")]
    assert len(found) > 90
    return [*found, *templates]


def test_every_file_of_the_service_is_on_the_map_of_its_readme() -> None:
    assert off_the_map(files(), patterns(README.read_text("utf-8"))) == ([], [])


@pytest.mark.parametrize(
    ("more", "mapped", "expected"),
    [
        (["stray_api.py"], [], (["stray_api.py"], [])),
        ([], ["gone_*.py"], ([], ["gone_*.py"])),
        (["pages/deep/stray.py"], [], ([], [])),
    ],
)
def test_what_is_off_the_map_is_found(more: list[str], mapped: list[str], expected: tuple[list[str], list[str]]) -> None:
    assert off_the_map([*files(), *more], [*patterns(README.read_text("utf-8")), *mapped]) == expected
