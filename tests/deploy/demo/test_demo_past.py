"""A play that is taken up again: what the journal says was done is not sent again."""

from pathlib import Path

from deploy.demo.agenda import agenda
from deploy.demo.past import Past
from deploy.demo.year_2021 import load
from deploy.journal import Journal, journal_path

TURN, OTHER, *_ = [turn for day in agenda(load().fiches)[0].days for turn in day.turns]


def test_nothing_was_done_where_there_is_no_journal(tmp_path: Path) -> None:
    assert not Past.read(tmp_path).done(TURN)


def test_what_was_accepted_is_done_and_what_was_not_answered_is_not(tmp_path: Path) -> None:
    with Journal(journal_path(tmp_path, "demo")) as journal:
        entry = journal.sent("http", "akto", TURN.name, "submit_fiche", b"{}")
        journal.answered(entry, 201, b"{}", outcome="accepted")
        journal.sent("http", "akto", OTHER.name, "submit_fiche", b"{}")
    past = Past.read(tmp_path)
    assert past.done(TURN)
    assert not past.done(OTHER)
    assert not past.perhaps(OTHER)


def test_a_later_try_that_was_accepted_makes_the_step_done(tmp_path: Path) -> None:
    with Journal(journal_path(tmp_path, "demo")) as journal:
        first = journal.sent("http", "akto", TURN.name, "submit_fiche", b"{}")
        journal.answered(first, 409, b"{}", outcome="warnings_unanswered")
        second = journal.sent("http", "akto", f"{TURN.name}/acknowledged", "submit_fiche", b"{}")
        assert Past.read(tmp_path).perhaps(TURN)
        assert not Past.read(tmp_path).done(TURN)
        journal.answered(second, 201, b"{}", outcome="accepted")
    assert Past.read(tmp_path).done(TURN)
