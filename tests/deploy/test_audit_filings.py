"""I1, I2 and I17: what clients hold in their journals, on clean evidence and with one thing planted each."""

import datetime as dt
from dataclasses import replace
from typing import Any

from deploy.audit.answers import SUBMIT, Answers, Reply
from deploy.audit.i01_accepted_once import Filed, judge_answers, judge_journal, judge_names, judge_origins
from deploy.audit.i02_answered_is_durable import aggregate_of
from deploy.audit.i02_answered_is_durable import judge as judge_durable
from deploy.audit.i17_same_answers import Stored
from deploy.audit.i17_same_answers import judge as judge_same
from deploy.audit.log import LogRecord, Place
from deploy.journal import Entry, sha256
from shared.contracts.fiche import fiche_id
from shared.contracts.ingress import CommandAnswered

FICHE = fiche_id("akto", "A-1")
HTTP = Entry("e1", "http", "akto", "k1", "submit_fiche", "A-1", "b", True, 201, sha256("answer"), FICHE, "accepted")
KAFKA = Entry("e2", "ingress", "topic:akto", "c1", "submit_fiche", "A-1", "b", True, None, "x", FICHE, "accepted")
ROW = Filed(str(FICHE), "akto", "A-1")
INGRESS, RESULTS = "poec.ingress.akto", "poec.submission.results.akto"


def refused(entry: Entry, outcome: str = "rules_refused") -> Entry:
    return replace(entry, status=422, outcome=outcome, fiche_id=None)


def unanswered(entry: Entry) -> Entry:
    return Entry(
        **{k: getattr(entry, k) for k in ("id", "kind", "principal", "key", "operation", "reference", "body_sha256")}
    )


def test_an_accepted_filing_has_its_fiche() -> None:
    assert judge_journal([HTTP], [ROW]).violations == ()
    assert judge_journal([KAFKA], [ROW]).checked == 1


def test_an_accepted_filing_without_a_fiche_is_found() -> None:
    assert judge_journal([HTTP], []).violations == ("fiche A-1 of akto was accepted and does not exist",)


def test_a_fiche_that_exists_twice_is_found() -> None:
    twin = replace(ROW, id="11111111-1111-4111-8111-111111111111")
    assert "exists 2 times" in judge_journal([HTTP], [ROW, twin]).violations[0]


def test_a_filing_accepted_under_two_keys_is_found() -> None:
    assert "2 different keys" in judge_journal([HTTP, replace(HTTP, id="e3", key="k2")], [ROW]).violations[0]


def test_a_repeated_request_under_one_key_is_one_filing() -> None:
    assert judge_journal([HTTP, replace(HTTP, id="e3")], [ROW]).violations == ()


def test_a_refused_filing_has_no_fiche() -> None:
    assert judge_journal([refused(HTTP)], []).violations == ()
    assert judge_journal([refused(HTTP)], [ROW]).violations == ("fiche A-1 of akto was refused and exists",)


def test_a_refused_filing_that_was_corrected_may_have_one() -> None:
    assert judge_journal([refused(HTTP), replace(HTTP, id="e3", key="k2")], [ROW]).violations == ()


def test_a_filing_without_answer_may_have_a_fiche_or_not() -> None:
    assert judge_journal([unanswered(HTTP)], [ROW]).violations == ()
    assert judge_journal([unanswered(HTTP)], []).violations == ()


def test_a_filing_refused_because_there_is_one_says_nothing_about_it() -> None:
    assert judge_journal([refused(HTTP, "not_allowed_now")], [ROW]).violations == ()


def test_a_fiche_under_another_id_than_was_answered_is_found() -> None:
    other = replace(HTTP, fiche_id=fiche_id("akto", "A-2"))
    assert "another id" in judge_journal([other], [ROW]).violations[0]


def test_a_fiche_whose_id_does_not_follow_from_its_name_is_found() -> None:
    assert judge_names([ROW]).violations == ()
    assert len(judge_names([replace(ROW, reference="A-9")]).violations) == 1


def log_of(*answers: dict[str, Any], records: int = 1) -> Answers:
    fold = Answers()
    for offset in range(records):
        fold.take(LogRecord(Place(INGRESS, 0, offset), b"A-1", {}, b"{}"))
    for offset, said in enumerate(answers):
        content = {"topic": INGRESS, "partition": 0, "offset": 0, "outcome": "accepted", "reference": "A-1", **said}
        answer = CommandAnswered(command=SUBMIT, command_id="c1", fiche_id=FICHE, **content)
        headers: dict[str, bytes | None] = {"ce_id": b"id-%d" % offset}
        fold.take(LogRecord(Place(RESULTS, 0, offset), b"A-1", headers, answer.model_dump_json().encode()))
    return fold


READ = {(INGRESS, 0): 9}


def test_every_ingress_record_has_one_answer() -> None:
    found = judge_answers(log_of({}), READ, set())
    assert found.violations == () and found.checked == 1


def test_an_ingress_record_without_answer_is_found() -> None:
    assert judge_answers(log_of(), READ, set()).violations == (f"{INGRESS}/0@0 has no answer",)


def test_an_ingress_record_not_yet_read_needs_no_answer() -> None:
    assert judge_answers(log_of(), {}, set()).violations == ()


def test_an_ingress_record_with_two_answers_is_found() -> None:
    assert "has 2 answers" in judge_answers(log_of({}, {"outcome": "refused"}), READ, set()).violations[0]


def test_a_replayed_record_may_be_answered_again() -> None:
    assert judge_answers(log_of({"outcome": "kept"}, {}), READ, set()).violations == ()
    assert len(judge_answers(log_of({"outcome": "kept"}, {}, {"outcome": "refused"}), READ, set()).violations) == 1


def test_an_answer_to_no_record_is_found_unless_the_log_was_lost() -> None:
    assert "no such record" in judge_answers(log_of({"offset": 7}, records=0), READ, set()).violations[0]
    assert judge_answers(log_of({"offset": 7}, records=0), READ, {INGRESS}).violations == ()


def test_an_answer_to_another_organisation_is_found() -> None:
    stray = log_of({}, {"topic": "poec.ingress.atlas"})
    assert any("another organisation" in found for found in judge_answers(stray, READ, set()).violations)


REPLY = Reply("id-1", "akto", "accepted", SUBMIT, str(FICHE), "A-1")
ID = str(FICHE)


def test_every_fiche_was_accepted_from_whoever_filed_it() -> None:
    assert judge_origins({ID}, {ID: "topic:akto"}, [], [REPLY]).violations == ()
    assert judge_origins({ID}, {ID: "akto"}, [("akto", ID)], []).violations == ()


def test_a_fiche_whose_filer_was_told_nothing_is_found() -> None:
    assert "not told so" in judge_origins({ID}, {ID: "akto"}, [], []).violations[0]


def test_a_fiche_accepted_by_both_doors_is_found() -> None:
    assert any(
        "accepted 2 times" in found for found in judge_origins({ID}, {ID: "akto"}, [("akto", ID)], [REPLY]).violations
    )


def test_an_accepted_fiche_that_does_not_exist_is_found() -> None:
    assert judge_origins(set(), {}, [("akto", ID)], []).violations == (f"fiche {ID} was accepted and does not exist",)


def test_a_fiche_that_nobody_filed_is_found() -> None:
    assert judge_origins({ID}, {}, [], []).violations == (f"fiche {ID} exists, and nobody filed it",)


def test_an_answer_that_was_kept_its_time_is_no_longer_asked_for() -> None:
    assert judge_origins({ID}, {ID: "akto"}, [], [], {ID}).violations == ()
    assert "not told so" in judge_origins({ID}, {ID: "topic:akto"}, [], [], {ID}).violations[0]
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    old, trail = replace(HTTP, sent_at=at), {("submission", ID, "akto", "submit_fiche"): 1}
    assert judge_durable([old], set(), trail, {"submission": at + dt.timedelta(hours=1)}).violations == ()
    assert len(judge_durable([old], set(), trail, {"submission": at - dt.timedelta(hours=1)}).violations) == 1
    assert len(judge_durable([old], set(), {}, {"submission": at + dt.timedelta(hours=1)}).violations) == 1
    kafka = replace(KAFKA, sent_at=at)
    assert judge_durable([kafka], set(), TRAIL, {"submission": at + dt.timedelta(hours=1)}).violations != ()


MARKS = {("submission", "akto", "k1"), ("submission", INGRESS, "c1")}
TRAIL = {("submission", ID, "akto", "submit_fiche"): 1, ("submission", ID, "topic:akto", "submit_fiche"): 1}


def test_what_was_answered_is_kept() -> None:
    found = judge_durable([HTTP, KAFKA, refused(replace(HTTP, key="k9"))], MARKS, TRAIL)
    assert found.violations == () and found.checked == 2


def test_an_answer_of_which_no_trace_is_kept_is_found() -> None:
    assert "no trace is kept" in judge_durable([HTTP], set(), TRAIL).violations[0]
    assert "no trace is kept" in judge_durable([KAFKA], set(), TRAIL).violations[0]


def test_an_entry_of_no_known_command_is_found() -> None:
    found = judge_durable([replace(HTTP, operation="submission")], MARKS, TRAIL)
    assert found.checked == 1 and "1 journal entries are of submission" in found.violations[0]


def test_an_accepted_command_without_its_audit_entry_is_found() -> None:
    assert "accepted 1 times, done 0 times" in judge_durable([HTTP], MARKS, {}).violations[0]


def test_two_accepted_commands_need_two_audit_entries() -> None:
    first = replace(HTTP, operation="amend_fiche", fiche_id=None)
    second = replace(first, id="e9", key="k2")
    marks = {("submission", "akto", "k1"), ("submission", "akto", "k2")}
    trail = {("submission", ID, "akto", "amend_fiche"): 1}
    assert "accepted 2 times, done 1 times" in judge_durable([first, second], marks, trail).violations[0]
    assert judge_durable([first, second], marks, {("submission", ID, "akto", "amend_fiche"): 2}).violations == ()


def test_a_partner_or_a_template_is_looked_for_under_its_own_identifier() -> None:
    identifier = "22222222-2222-4222-8222-222222222222"
    for operation in ("record_partner", "retire_partner", "save_template", "delete_template"):
        entry = replace(HTTP, operation=operation, reference=identifier, fiche_id=None)
        assert aggregate_of(entry) == identifier
        trail = {("submission", identifier, "akto", operation): 1}
        assert judge_durable([entry], {("submission", "akto", "k1")}, trail).violations == ()
        (sentence,) = judge_durable([entry], {("submission", "akto", "k1")}, {}).violations
        assert f"{operation} of {identifier} by akto was accepted 1 times, done 0 times" in sentence


def test_what_is_saved_again_as_it_is_needs_one_audit_entry_and_not_none() -> None:
    twice = [replace(HTTP, operation="draft_fiche", key=key) for key in ("k1", "k2")]
    marks = {("submission", "akto", key) for key in ("k1", "k2")}
    assert judge_durable(twice, marks, {("submission", str(FICHE), "akto", "draft_fiche"): 1}).violations == ()
    assert len(judge_durable(twice, marks, {}).violations) == 1


def test_a_batch_of_entries_leaves_its_mark_only() -> None:
    batch = replace(KAFKA, principal="topic:france-travail", operation="record_ais", reference=ID, fiche_id=None)
    assert judge_durable([batch], {("publication", "poec.ingress.france-travail", "c1")}, {}).violations == ()


STORED = {("submission", "akto", "k1"): Stored(201, sha256("answer"))}


def test_the_stored_answer_is_the_one_that_was_given() -> None:
    found = judge_same([HTTP, replace(HTTP, id="e3")], STORED)
    assert found.violations == () and found.checked == 1


def test_two_answers_under_one_key_are_found() -> None:
    assert "2 different answers" in judge_same([HTTP, replace(HTTP, id="e3", answer_sha256="y")], STORED).violations[0]


def test_a_stored_answer_that_was_changed_is_found() -> None:
    assert (
        "not the one that was given"
        in judge_same([HTTP], {("submission", "akto", "k1"): Stored(201, "z")}).violations[0]
    )


def test_a_stored_refusal_is_found() -> None:
    assert "keeps a refusal" in judge_same([], {("submission", "akto", "k1"): Stored(422, "z")}).violations[0]


def test_the_same_key_in_two_services_is_two_keys() -> None:
    avis = replace(HTTP, operation="give_avis", answer_sha256="y")
    assert judge_same([HTTP, avis], {**STORED, ("validation", "akto", "k1"): Stored(201, "y")}).violations == ()
