"""The lifecycle table of a session in the catalogue: what is in it is allowed, every other cell is refused."""

import os
from itertools import product
from pathlib import Path

import pytest

from services.publication.domain.lifecycle import (
    COMMANDS,
    LISTED,
    SCREEN_WORDS,
    TABLE,
    SessionStatus,
    allowed,
    transition,
)
from shared.errors import NotAllowedNow

README = Path(__file__).parents[3] / "services" / "publication" / "README.md"
BEGIN, END = "<!-- lifecycle -->\n", "<!-- /lifecycle -->"
STATUSES = (None, *SessionStatus)
INSIDE = {(step.command, status) for step in TABLE for status in step.from_statuses}
CELLS = sorted(product(COMMANDS, STATUSES), key=str)


@pytest.mark.parametrize(("command", "status"), [cell for cell in CELLS if cell not in INSIDE])
def test_a_cell_outside_the_table_is_refused(command: str, status: SessionStatus | None) -> None:
    with pytest.raises(NotAllowedNow) as refused:
        allowed(command, status)
    (objection,) = refused.value.objections
    assert objection.code in ("SESSION_NOT_PUBLISHED", "SESSION_STATUS")


@pytest.mark.parametrize(("command", "status"), sorted(INSIDE, key=str))
def test_a_cell_inside_the_table_is_allowed(command: str, status: SessionStatus | None) -> None:
    assert allowed(command, status).command == command


def test_a_command_at_a_status_has_one_row_only() -> None:
    assert len(INSIDE) == sum(len(step.from_statuses) for step in TABLE)


def test_only_the_time_heals_a_session_that_is_not_published_yet() -> None:
    with pytest.raises(NotAllowedNow) as early:
        allowed("record_ais", SessionStatus.EXPECTED)
    assert early.value.objections[0].code == "SESSION_NOT_PUBLISHED"
    with pytest.raises(NotAllowedNow) as late:
        allowed("record_ais", SessionStatus.REMOVED)
    assert late.value.objections[0].code == "SESSION_STATUS"


@pytest.mark.parametrize("before", sorted(LISTED))
def test_a_listed_session_never_becomes_expected_again(before: SessionStatus) -> None:
    with pytest.raises(NotAllowedNow):
        transition(before, SessionStatus.EXPECTED)


def test_every_status_has_its_word_on_screens() -> None:
    assert set(SCREEN_WORDS) == set(SessionStatus)


def test_the_readme_shows_the_table() -> None:
    text = README.read_text()
    start, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    if os.environ.get("UPDATE_DOCS") == "1":
        README.write_text(text[:start] + printed() + text[end:])
        return
    assert text[start:end] == printed()


def printed() -> str:
    """Return the table as Markdown."""
    lines = ["| command | from | by | guard | to |", "|---|---|---|---|---|"]
    for step in TABLE:
        origins = ", ".join(f"`{status}`" if status else "–" for status in step.from_statuses)
        targets = ", ".join(f"`{status}`" for status in step.to_statuses)
        lines.append(f"| `{step.command}` | {origins} | {step.by} | {step.guard} | {targets} |")
    return "\n".join(lines) + "\n"
