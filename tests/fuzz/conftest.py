"""How long is fuzzed, the four services as they are asked, and the dated report of a long run (`make fuzz`)."""

import logging
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio
import structlog

from shared.contracts.flow import SERVICES
from tests.access.entrance import Entrance, KeyServer
from tests.fuzz.effort import SHORT_SEED, Effort, Figures
from tests.fuzz.report import report
from tests.support.servers import Servers

FOLDER = Path(__file__).parent / "reports"
TODAY = "2018-03-01T09:00:00+00:00"
"""Business time: the golden fiche is filed in time for its session of 30 April 2018."""
_FIGURES = pytest.StashKey[Figures]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--fuzz-minutes N` fuzzes for about N minutes by chance and writes reports/<date>.md; `--fuzz-seed` repeats such a run."""
    parser.addoption(
        "--fuzz-minutes", type=float, default=0.0, help="fuzz for about so many minutes and write a dated report"
    )
    parser.addoption(
        "--fuzz-seed", type=int, default=None, help="seed of a long run; drawn and reported where none is given"
    )


def pytest_configure(config: pytest.Config) -> None:
    minutes = config.getoption("--fuzz-minutes", default=0.0)
    seed = config.getoption("--fuzz-seed", default=None)
    if seed is None:
        seed = random.SystemRandom().getrandbits(32) if minutes else SHORT_SEED
    config.stash[_FIGURES] = Figures(Effort(minutes, seed))


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """The figures of the whole run."""
    return request.config.stash[_FIGURES]


@pytest.fixture(scope="package", autouse=True)
def _quiet() -> Iterator[None]:
    """Thousands of requests say nothing of each answer."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="package")
def keys() -> Iterator[KeyServer]:
    """An issuer of tokens."""
    made = KeyServer()
    yield made
    made.stop()


@pytest_asyncio.fixture(loop_scope="session", scope="package")
async def entrances(servers: Servers, keys: KeyServer) -> AsyncIterator[Mapping[str, Entrance]]:
    """Every service by its name, in the days of the golden fiche."""
    made = [await Entrance.make(servers, name, keys) for name in SERVICES]
    for one in made:
        moved = "UPDATE clock_offset SET seconds = extract(epoch FROM $1::text::timestamptz - now())::bigint"
        await one.owner(moved, TODAY)
    yield {one.name: one for one in made}
    for one in made:
        await one.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.stash[_FIGURES]
    if not found.parts or not found.effort.long:
        return
    outcomes = {name: len(terminalreporter.stats.get(name, ())) for name in ("passed", "failed", "error", "skipped")}
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{found.began:%Y-%m-%d}.md"
    path.write_text(report(found, outcomes), encoding="utf-8")
    terminalreporter.write_line(f"report: {path.relative_to(config.rootpath)}")
