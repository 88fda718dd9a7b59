"""The figures of the fault tests, and the dated report of a campaign (`make campaign`: `pytest tests/chaos --campaign-report`)."""

from pathlib import Path

import pytest

from tests.support.figures import Figures, report

FOLDER = Path(__file__).parent / "reports"
_FIGURES = pytest.StashKey[Figures]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--campaign-report` writes what happened to reports/<date>.md."""
    parser.addoption("--campaign-report", action="store_true", help="write a dated report of the fault tests")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_FIGURES] = Figures()


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """The figures of the whole run."""
    return request.config.stash[_FIGURES]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.stash[_FIGURES]
    if not found.rows or not config.getoption("--campaign-report", default=False):
        return
    outcomes = {name: len(terminalreporter.stats.get(name, ())) for name in ("passed", "failed", "error", "skipped")}
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{found.began:%Y-%m-%d}.md"
    path.write_text(report(found, outcomes), encoding="utf-8")
    terminalreporter.write_line(f"report: {path.relative_to(config.rootpath)}")
