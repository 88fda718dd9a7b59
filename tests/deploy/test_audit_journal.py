"""The client's journal: what is written is read again, also after the writer was killed in the middle of a line."""

from pathlib import Path
from uuid import uuid4

import pytest

from deploy.journal import Journal, JournalUnreadable, journal_path, journals_of, read_journals, sha256


def test_what_was_sent_and_answered_is_read_again(tmp_path: Path) -> None:
    fiche = uuid4()
    with Journal(tmp_path / "demo.jsonl") as journal:
        entry = journal.sent("http", "akto", "key-1", "submit_fiche", b"{}", reference="A-1")
        journal.answered(entry, 201, "body", fiche_id=fiche, outcome="accepted")
    (read,) = read_journals([tmp_path / "demo.jsonl"])
    assert (read.principal, read.key, read.operation, read.reference) == ("akto", "key-1", "submit_fiche", "A-1")
    assert (read.status, read.fiche_id, read.accepted) == (201, fiche, True)
    assert (read.body_sha256, read.answer_sha256) == (sha256(b"{}"), sha256(b"body"))


def test_a_request_without_answer_is_kept_as_such(tmp_path: Path) -> None:
    with Journal(tmp_path / "a.jsonl") as journal:
        journal.sent("ingress", "topic:akto", "id-1", "submit_fiche", "x", reference="A-1")
    (read,) = read_journals([tmp_path / "a.jsonl"])
    assert not read.answered and not read.accepted and read.organisation == "akto"


def test_a_line_is_on_file_before_the_next_request(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a.jsonl")
    journal.sent("http", "akto", "k", "submit_fiche", "x")
    assert len(read_journals([tmp_path / "a.jsonl"])) == 1
    journal.close()


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with Journal(path) as journal:
        journal.sent("http", "akto", "k", "submit_fiche", "x")
    path.write_bytes(path.read_bytes() + b'{"id":"torn')
    assert len(read_journals([path])) == 1


def test_a_journal_opened_anew_goes_on_after_the_last_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    for _ in range(2):
        with Journal(path) as journal:
            journal.sent("http", "akto", "k", "submit_fiche", "x")
        path.write_bytes(path.read_bytes() + b'{"id":"torn')
    assert len(read_journals([path])) == 2


def test_a_torn_line_in_the_middle_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"id":"torn\n{}\n')
    with pytest.raises(JournalUnreadable, match="line 1"):
        read_journals([path])


def test_a_missing_journal_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(JournalUnreadable, match="missing"):
        read_journals([tmp_path / "missing.jsonl"])


def test_journals_lie_under_the_data_folder(tmp_path: Path) -> None:
    with Journal(journal_path(tmp_path, "bench")):
        pass
    assert [path.name.startswith("bench-") for path in journals_of(tmp_path)] == [True]
