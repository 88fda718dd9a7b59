"""Headers of a record that is kept come back byte by byte, whatever they hold: a letter is replayed the way it came."""

from hypothesis import example, given
from hypothesis import strategies as st

from shared.messaging.ledger import headers_json, headers_of
from shared.messaging.records import Received

NAMES = st.text(st.characters(codec="utf-8"), max_size=20)
VALUES = st.none() | st.binary(max_size=40) | st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace"))


@given(st.lists(st.tuples(NAMES, VALUES), max_size=5))
@example([("a\x00b", b"\x00")])
@example([("latin1:a", b"latin1:\\0")])
@example([("", b"")])
@example([("\\", b"\xff\\0\x00")])
def test_headers_come_back_as_they_came_and_hold_nothing_that_the_database_refuses(
    headers: list[tuple[str, bytes | None]],
) -> None:
    kept = headers_json(Received("t", 0, 0, None, tuple(headers), None))
    assert headers_of(kept) == tuple(headers)
    assert "\\u0000" not in kept.replace("\\\\", "")


def test_what_was_kept_before_still_comes_back() -> None:
    assert headers_of('[["ce_id", "latin1:\\u00ff\\\\0"], ["n", null], ["plain", "x"]]') == (
        ("ce_id", b"\xff\x00"), ("n", None), ("plain", b"x"),
    )  # fmt: skip
