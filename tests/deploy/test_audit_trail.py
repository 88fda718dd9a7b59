"""I13: chains and anchors, on a clean trail and with one thing planted each."""

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.audit.anchors import Anchor, AnchorsSaid, Witness
from deploy.audit.i13_trail_unbroken import NOTHING, Chains, Entry, Mark, recomputed
from deploy.audit.kept_anchors import read_kept
from deploy.audit.log import LogRecord, Place
from deploy.audit.verdict import CouldNotLook
from shared.audit_trail import NEW, Change, MerkleTree, anchor_of, chained, head_leaf

NOW = dt.datetime(2026, 11, 23, 12, 0, 0, 123456, dt.UTC)


def trail() -> list[Entry]:
    changes = [
        Change("submit_fiche", "akto", None, "submitted"),
        Change("amend_fiche", "akto", "submitted", "submitted", facts={"é": 1}),
    ]
    return [Entry(*link.as_row().values()) for link in chained("a", NEW, changes, NOW)]


def walked(entries: list[Entry], claim: tuple[int, str] | None = NOTHING) -> list[tuple[str, str]]:
    chains = Chains("submission")
    last = trail()[-1]
    chains.take("a", entries, (last.n, last.hash) if claim == NOTHING else claim, [])
    return chains.sentences(Witness())


def found(what: str, sentences: list[tuple[str, str]]) -> bool:
    return any(what in sentence for _, sentence in sentences)


def test_the_two_implementations_of_the_hash_agree() -> None:
    for entry in trail():
        assert recomputed(entry) == entry.hash


def test_an_unbroken_trail_is_clean() -> None:
    assert walked(trail()) == []


def test_an_entry_that_was_changed_is_found() -> None:
    first, second = trail()
    assert found("was changed", walked([first._replace(actor="atlas"), second]))


def test_an_entry_that_was_taken_out_is_found() -> None:
    assert found("follows entry 0", walked(trail()[1:]))


def test_an_entry_rewritten_with_a_new_hash_breaks_the_next_one() -> None:
    first, second = trail()
    forged = first._replace(actor="atlas")
    forged = forged._replace(hash=recomputed(forged))
    assert found("does not hold the hash", walked([forged, second]))


def test_a_row_at_another_version_than_its_trail_is_found() -> None:
    assert found("is at version 3", walked(trail(), (3, "x")))
    assert found("is at version 0", walked(trail(), None))
    assert found("is at version 3", walked([], (3, "x")))


# The anchors of a trail: `test_audit_tampering.py` has them in every combination; here each sentence once.


def anchors() -> list[Anchor]:
    """Two anchors over the trail above, one after each entry, as the product writes them."""
    found: list[Anchor] = []
    for entry in trail():
        tree = MerkleTree()
        tree.add(head_leaf("a", entry.n, entry.hash))
        before = found[-1].hash if found else ""
        made = anchor_of(
            "submission", n=entry.n, at=NOW, written_at=NOW, entries=entry.n, heads=1, root=tree.root(), previous_hash=before
        )
        found.append(Anchor.parsed(json.loads(made.model_dump_json())))
    return found


MARKS = [Mark("a", entry.n, entry.n, entry.hash) for entry in trail()]


def anchored(
    kept: list[Anchor],
    said: list[Anchor],
    *,
    entries: list[Entry] | None = None,
    taken: list[Anchor] | None = None,
    on_their_way: frozenset[int] = frozenset(),
    lowest: int = 0,
) -> list[tuple[str, str]]:
    chains = Chains("submission", kept, lowest)
    last = trail()[-1]
    chains.take("a", trail() if entries is None else entries, (last.n, last.hash), MARKS)
    return chains.sentences(Witness({anchor.n: anchor for anchor in said}, taken or [], on_their_way))


def test_anchors_as_the_product_writes_them_are_clean() -> None:
    assert anchored(anchors(), anchors(), taken=anchors()) == []


def test_an_anchor_that_is_still_on_its_way_is_no_violation() -> None:
    first, second = anchors()
    assert anchored([first, second], [first], on_their_way=frozenset({2})) == []
    assert found("anchor 2 was never said", anchored([first, second], [first]))


def test_an_anchor_that_was_changed_is_found() -> None:
    first, second = anchors()
    later = NOW + dt.timedelta(1)
    for changed in (replace(second, at=later), replace(second, entries=5), replace(second, heads=2), replace(second, root="0" * 64)):
        sentences = anchored([first, changed], [first, second])
        assert found("anchor 2 was changed after it was written", sentences)
        assert found("anchor 2 is not the one that was said", sentences)


def test_an_anchor_that_was_changed_with_its_hash_is_told_by_the_log_and_by_a_file() -> None:
    first, second = anchors()
    forged = replace(second, at=NOW + dt.timedelta(1))
    forged = replace(forged, hash=forged.recomputed())
    assert anchored([first, forged], [first, forged]) == []
    assert found("not the one that was said to the log", anchored([first, forged], [first, second]))
    assert found("taken away in a file", anchored([first, forged], [first, forged], taken=[second]))


def test_an_anchor_that_is_gone_is_found() -> None:
    first, second = anchors()
    assert found("anchor 2 stands where anchor 1 is due", anchored([second], [first, second]))
    assert found("which is not there", anchored([first], [first]))
    assert found("anchor 2 is not the one that was said", anchored([first], [first, second]))


def test_a_root_that_is_not_the_trails_is_found() -> None:
    first, second = trail()
    forged = second._replace(actor="atlas")
    forged = forged._replace(hash=recomputed(forged))
    sentences = anchored(anchors(), anchors(), entries=[first, forged])
    assert found("anchor 2 holds another root", sentences)
    assert found("entry 2 of a, under anchor 2, is another one", sentences)
    assert found("entry 2 of a, under anchor 2, is gone", anchored(anchors(), anchors(), entries=[first]))


def test_an_entry_of_a_time_before_an_anchor_that_does_not_cover_it_is_found() -> None:
    """It was added afterwards; unless a transaction began before the anchor and committed after it, or the clock was set back."""
    first, second = anchors()
    for minutes, lowest, expected in ((14, 0, False), (16, 0, True), (16, -120, False)):
        later = replace(first, written_at=NOW + dt.timedelta(minutes=minutes))
        sentences = anchored([later, second], [later, second], lowest=lowest)
        assert found("entry 2 of a names a time before an anchor", sentences) is expected


def test_a_file_that_holds_no_anchors_is_named(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    good.write_text("".join(json.dumps(anchor.as_json()) + "\n" for anchor in anchors()))
    assert read_kept([good]) == anchors()
    bad.write_text(good.read_text() + '{"n": 3}\n')
    with pytest.raises(CouldNotLook, match=r"bad\.jsonl, line 3"):
        read_kept([bad])
    with pytest.raises(CouldNotLook, match="cannot be read"):
        read_kept([tmp_path / "none.jsonl"])


def said_to_the_log(*values: bytes) -> AnchorsSaid:
    fold = AnchorsSaid()
    for offset, value in enumerate(values):
        fold.take(LogRecord(Place("poec.submission.anchors", 0, offset), b"submission", {}, value))
    return fold


def test_the_first_word_about_a_number_counts() -> None:
    first, second = anchors()
    forged = replace(second, n=1)
    lines = [json.dumps(anchor.as_json()).encode() for anchor in (first, first, forged)]
    fold = said_to_the_log(*lines)
    assert fold.of["submission"] == {1: first}
    assert fold.wrong["submission"] == ["poec.submission.anchors/0@2 says something else of anchor 1 than was said before"]


def test_a_record_that_is_no_anchor_is_named() -> None:
    for value in (b"", b"[]", b'{"n": 1}', b"\xff"):
        assert said_to_the_log(value).wrong["submission"] == ["poec.submission.anchors/0@0 holds no anchor"]
