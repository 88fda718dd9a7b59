"""Which tests may be run by different processes at once (`make test`)."""

from pathlib import Path

import pytest

from tests.conftest import WHOLE, together

HERE = Path(__file__).parent


def folders_with_fixtures_of_their_own(root: Path) -> set[str]:
    return {path.parent.name for path in root.glob("*/conftest.py") if 'scope="package"' in path.read_text("utf-8")}


def test_a_folder_whose_tests_share_fixtures_is_run_by_one_process() -> None:
    found = folders_with_fixtures_of_their_own(HERE)
    assert found
    assert found <= set(WHOLE)


def test_a_folder_that_is_not_named_is_found(tmp_path: Path) -> None:
    (tmp_path / "planted").mkdir()
    (tmp_path / "planted" / "conftest.py").write_text('@pytest.fixture(scope="package")\n', encoding="utf-8")
    assert folders_with_fixtures_of_their_own(tmp_path) == {"planted"}


@pytest.mark.parametrize(
    ("test", "with_whom"),
    [
        ("tests/browser/test_form.py::test_it[with JavaScript]", "browser"),
        ("tests/browser/test_audit.py::test_that", "browser"),
        ("tests/shared/test_clock.py::test_a_day[a::b]", "tests/shared/test_clock.py"),
        ("tests/test_documentation.py::test_it", "tests/test_documentation.py"),
    ],
)
def test_tests_of_a_file_or_of_such_a_folder_stay_together(test: str, with_whom: str) -> None:
    assert together(test) == with_whom
