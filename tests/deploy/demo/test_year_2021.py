"""The year adds up to what the minutes say, is made again to the byte, and every fiche of it could be filed."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

import pytest

from deploy.demo import margins
from deploy.demo.contents import ais_id, content_at, content_of, fiche_id_of, revision_before
from deploy.demo.days import HOLIDAYS
from deploy.demo.make_year import made_year, written
from deploy.demo.year_2021 import FILE, AcceptAdaptation, Dated, Fiche, PostponeSession, RecordAis, load
from services.submission.domain.admissibility import admit
from services.submission.domain.case import Case, Given
from services.submission.reference import references
from shared.contracts.references import AvisKind, SessionMotive

YEAR = load()
FICHES = YEAR.fiches


def of(outcome: str) -> list[Fiche]:
    return [fiche for fiche in FICHES if fiche.outcome == outcome]


def steps(fiche: Fiche, *names: str) -> list[Dated]:
    return [step for step in fiche.steps if step.do in names]


def done(name: str) -> int:
    return sum(bool(steps(fiche, name)) for fiche in FICHES)


def ais_of(fiche: Fiche) -> tuple[int, int]:
    """Return AIS net and cancelled."""
    recorded = sum(step.count for step in fiche.steps if step.do == "record_ais")
    cancelled = sum(len(step.numbers) for step in fiche.steps if step.do == "cancel_ais")
    return recorded - cancelled, cancelled


def final_start(fiche: Fiche) -> dt.date:
    moved = [step.changes.start for step in fiche.steps if isinstance(step, PostponeSession) and step.changes.start]
    return moved[-1] if moved else content_at(fiche, fiche.steps[-1]).sessions[0].start


def test_the_file_is_made_again_to_the_byte() -> None:
    assert written(made_year()) == FILE.read_bytes()


def test_209_fiches_are_validated_and_187_sessions_engaged_as_tabled_by_opco() -> None:
    validated = Counter(fiche.opco for fiche in FICHES if steps(fiche, "validate_fiche"))
    engaged = Counter(fiche.opco for fiche in FICHES if steps(fiche, "engage_session"))
    assert (validated, engaged) == (margins.VALIDATED, margins.ENGAGED)
    assert (validated.total(), engaged.total()) == (209, 187)


def test_the_months_of_sessions_and_ais_are_as_tabled() -> None:
    sessions, ais = Counter[int](), Counter[int]()
    for fiche in of("engaged"):
        assert final_start(fiche).year == 2021
        sessions[final_start(fiche).month] += 1
        ais[final_start(fiche).month] += ais_of(fiche)[0]
    assert tuple(sessions[month] for month in range(1, 13)) == margins.ENGAGED_BY_MONTH
    assert tuple(ais[month] for month in range(1, 13)) == margins.AIS_BY_MONTH


def test_1679_ais_stand_by_opco_eight_to_ten_a_session_and_118_were_cancelled() -> None:
    net = Counter[str]()
    for fiche in of("engaged"):
        assert 8 <= ais_of(fiche)[0] <= 10
        net[fiche.opco] += ais_of(fiche)[0]
    assert net == margins.AIS
    assert net.total() == 1679
    assert sum(ais_of(fiche)[1] for fiche in FICHES) == 118
    assert not any(ais_of(fiche)[0] for fiche in FICHES if fiche.outcome != "engaged")


def test_constructys_is_flat_over_the_year() -> None:
    assert {final_start(f).month for f in of("engaged") if f.opco == "constructys"} == set(range(1, 13))


def test_hours_have_a_mean_of_exactly_339_and_money_makes_8_976_000_euros() -> None:
    contents = [content_of(fiche) for fiche in of("engaged")]
    assert Counter(content.hours.total for content in contents) == margins.HOURS
    assert sum(content.hours.total for content in contents) == 339 * 187
    assert sum(content.money.teaching_cost for content in contents) == 897_600_000


def test_seats_are_one_more_than_the_ais_that_stand() -> None:
    assert all(fiche.parameters.seats == ais_of(fiche)[0] + 1 for fiche in of("engaged"))


def test_no_more_ais_stand_at_a_time_than_there_are_seats() -> None:
    for fiche in FICHES:
        net = 0
        for step in fiche.steps:
            net += step.count if step.do == "record_ais" else -len(step.numbers) if step.do == "cancel_ais" else 0
            assert 0 <= net <= fiche.parameters.seats


def test_the_22_not_engaged_have_their_motives_and_the_envelope_is_temporary_works() -> None:
    motives = Counter(step.motive for fiche in FICHES for step in fiche.steps if step.do == "cancel_session")
    assert motives == {
        SessionMotive.SOURCING_INSUFFISANT: 12,
        SessionMotive.BESOIN_DISPARU: 3,
        SessionMotive.ENVELOPPE: 3,
    }
    assert len(of("next_year")) == 4
    assert all(final_start(fiche).year == 2022 for fiche in of("next_year"))
    suspended = [f for f in FICHES if any(s.do == "cancel_session" and s.motive == "ENVELOPPE" for s in f.steps)]
    assert {f.parameters.branch_idcc for f in suspended} <= {"1413", "2378"}


def test_refused_withdrawn_completed_adapted_and_postponed_are_as_listed() -> None:
    assert (len(FICHES), done("refuse_fiche"), done("withdraw_fiche")) == (225, 9, 7)
    assert sum(len(steps(fiche, "complete_fiche")) for fiche in FICHES) == done("complete_fiche") == 14
    answers = ("accept_adaptation", "decline_adaptation", "counter_propose")
    assert (done("propose_adaptation"), *(done(answer) for answer in answers)) == (11, 8, 2, 1)
    moved = [f for f in of("engaged") if steps(f, "postpone_session")]
    assert len(moved) == 6
    assert all(final_start(f).month != f.parameters.start.month for f in moved)


def test_the_last_avis_of_220_fiches_are_85_12_and_3_per_cent() -> None:
    last = Counter(
        [step.avis for step in fiche.steps if step.do == "give_avis"][-1]
        for fiche in FICHES
        if steps(fiche, "give_avis")
    )
    assert last == margins.AVIS
    assert [round(100 * last[kind] / last.total()) for kind in AvisKind] == [85, 12, 3]


def test_stories_run_on_working_days_from_october_2020_to_the_end_of_2021() -> None:
    days = [step.on for fiche in FICHES for step in fiche.steps]
    assert min(days).isoformat()[:7] == "2020-10"
    assert max(days) <= dt.date(2021, 12, 31)
    assert all(day.weekday() < 5 and day not in HOLIDAYS for day in days)
    assert all(before.on <= after.on for fiche in FICHES for before, after in pairwise(fiche.steps))


def test_every_step_of_a_session_comes_before_its_start_and_every_decision_after_its_avis() -> None:
    for fiche in FICHES:
        assert all(step.on < final_start(fiche) for step in fiche.steps)
        names = [step.do for step in fiche.steps]
        if "validate_fiche" in names:
            assert names.index("give_avis") < names.index("validate_fiche") < names.index("confirm_programmation")
        if "engage_session" in names:
            assert names[-1] == "engage_session"
            assert content_of(fiche).sessions[0].minimum <= ais_of(fiche)[0]


def test_each_door_takes_half_of_the_fiches() -> None:
    doors = Counter(fiche.door for fiche in FICHES)
    assert abs(doors["http"] - doors["ingress"]) <= 1


def test_references_and_ais_are_unique() -> None:
    assert len({fiche_id_of(fiche) for fiche in FICHES}) == 225
    ids = [
        ais_id(f, n)
        for f in FICHES
        for s in f.steps
        if isinstance(s, RecordAis)
        for n in range(s.first, s.first + s.count)
    ]
    assert len(set(ids)) == len(ids) == 1679 + 118


def contents_sent() -> Iterable[tuple[Fiche, Dated]]:
    sent = ("submit_fiche", "complete_fiche", "counter_propose")
    return ((fiche, step) for fiche in FICHES for step in steps(fiche, *sent))


def test_every_content_that_is_sent_is_admissible_without_a_warning() -> None:
    given = Given(references())
    for fiche, step in contents_sent():
        assert admit(Case(content_at(fiche, step), fiche.opco, step.on, given), ()) == ()


def test_a_decision_names_the_revision_that_stands() -> None:
    accepted = next(fiche for fiche in FICHES if steps(fiche, "accept_adaptation"))
    revisions = {step.do: revision_before(accepted, step) for step in accepted.steps}
    assert (revisions["submit_fiche"], revisions["propose_adaptation"], revisions["give_avis"]) == (0, 1, 2)


def test_a_content_follows_the_steps_of_its_fiche() -> None:
    fiche = next(fiche for fiche in FICHES if steps(fiche, "accept_adaptation"))
    proposal, acceptance = steps(fiche, "propose_adaptation", "accept_adaptation")
    assert isinstance(acceptance, AcceptAdaptation)
    assert content_at(fiche, proposal) == content_of(fiche)
    assert content_at(fiche, acceptance).place.insee == acceptance.changes.town
    with pytest.raises(ValueError, match="not a step"):
        content_at(of("refused")[0], proposal)
