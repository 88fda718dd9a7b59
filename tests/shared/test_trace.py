"""The W3C trace: followed where it is well formed, begun anew where it is not."""

import asyncio

import pytest

from shared.trace import current_trace, follow, trace_id

GOOD = f"00-{'a' * 32}-{'b' * 16}-01"


def test_a_good_trace_is_followed() -> None:
    assert follow(GOOD) == GOOD == current_trace()
    assert trace_id() == "a" * 32


@pytest.mark.parametrize(
    "wrong", [None, "", "x", GOOD.upper(), GOOD + "-00", GOOD[:-1], GOOD + "\n", "01" + GOOD[2:], f" {GOOD}"]
)
def test_anything_else_begins_a_new_one(wrong: str | None) -> None:
    begun = follow(wrong)
    assert begun != wrong
    assert follow(begun) == begun


async def test_a_task_has_its_own_trace() -> None:
    follow(GOOD)

    async def other() -> str:
        return follow(None)

    assert await asyncio.create_task(other()) != GOOD
    assert current_trace() == GOOD
