"""Campaigns, conferences, programmes, deliveries and declarations: what may be put on record, at its boundaries."""

import datetime as dt
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.submission.domain import campaigns as c
from services.submission.domain import conferences, declarations, deliveries, targets, yearbook
from services.submission.domain.campaigns import Campaign, Dates, Why
from services.submission.domain.conferences import Conference, Recording, Resolution
from services.submission.domain.declarations import Figure
from services.submission.domain.deliveries import Estimate
from services.submission.domain.desk import Campaign as OnDesk
from services.submission.domain.desk import Desk
from services.submission.domain.targets import Adopting
from services.submission.domain.yearbook import TABLE, end_of_quarter, quarter_of
from shared.contracts.campaigns import CampaignExtended, CampaignMoved, CampaignOpened, Target, campaign_id
from shared.contracts.references import OPCOS, DeclarationSource
from shared.errors import NotAllowedNow, NotFound, Refused, RulesRefused, Stale, WarningsUnanswered
from tests.services.submission.readme import shows

AT = dt.datetime(2022, 4, 12, 8, tzinfo=dt.UTC)
TODAY = AT.date()
MAY_15, MAY_30 = dt.date(2022, 5, 15), dt.date(2022, 5, 30)
ONE_DAY = dt.timedelta(days=1)
REASON = "Le choix des organismes s’achève fin mai."
ROME = frozenset({"H3404", "N1101"})


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def why(reason: str = REASON, *acknowledged: str) -> Why:
    return Why(reason, acknowledged, AT)


def summer() -> Campaign:
    """The campaign for July to September 2022, until 15 May (minutes L283-289)."""
    dates = Dates(day("2022-02-01"), MAY_15)
    return c.open_campaign(None, campaign_id(2022, 3), 2022, 3, dates, AT).state


def refusal(refused: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [objection.code for objection in refused.value.objections]


def files_freely(campaign: Campaign, opco: str, on: dt.date) -> bool:
    """Return whether an OPCO files on a day without saying why it does: what the rule of admissibility asks the desk."""
    desk = Desk((OnDesk(campaign.year, campaign.quarter, campaign.deadline, campaign.extensions),))
    found = desk.campaign_for(end_of_quarter(campaign.year, campaign.quarter))
    assert found is not None and found.last_day(opco) == campaign.last_day(opco)
    return on <= found.last_day(opco)


def test_a_campaign_takes_fiches_until_its_last_day_and_not_the_day_after() -> None:
    campaign = summer()
    assert files_freely(campaign, "akto", MAY_15)
    assert not files_freely(campaign, "akto", MAY_15 + ONE_DAY)


def test_fifteen_days_more_for_one_opco_are_not_for_another() -> None:
    extended = c.extend_campaign(summer(), "opco-2i", MAY_30, why()).state
    assert files_freely(extended, "opco-2i", MAY_30)
    assert not files_freely(extended, "opco-2i", MAY_30 + ONE_DAY)
    assert files_freely(extended, "akto", MAY_15)
    assert not files_freely(extended, "akto", MAY_15 + ONE_DAY)


def test_an_extension_for_all_is_for_every_opco_and_leaves_who_has_more() -> None:
    granted = c.extend_campaign(summer(), "opco-2i", MAY_30, why()).state
    extended = c.extend_campaign(granted, None, day("2022-05-20"), why()).state
    assert {extended.last_day(opco) for opco in OPCOS if opco != "opco-2i"} == {day("2022-05-20")}
    assert extended.last_day("opco-2i") == MAY_30


@pytest.mark.parametrize(("opco", "until"), [("opco-2i", MAY_30), (None, MAY_15), ("akto", MAY_15)])
def test_an_extension_gives_time(opco: str | None, until: dt.date) -> None:
    campaign = c.extend_campaign(summer(), "opco-2i", MAY_30, why()).state
    with pytest.raises(RulesRefused) as refused:
        c.extend_campaign(campaign, opco, until, why())
    assert refusal(refused) == ["EXTENSION_EARLIER"]
    assert c.extend_campaign(campaign, opco, until + ONE_DAY, why()).state.last_day(opco) == until + ONE_DAY


def test_a_deadline_may_be_the_last_day_of_its_quarter_and_not_the_day_after() -> None:
    last = day("2022-09-30")
    assert c.extend_campaign(summer(), None, last, why()).state.deadline == last
    with pytest.raises(RulesRefused) as refused:
        c.extend_campaign(summer(), "nobody", last + ONE_DAY, why())
    assert refusal(refused) == ["OPCO_UNKNOWN", "CAMPAIGN_QUARTER"]


def test_a_campaign_of_one_day_is_one_and_none_ends_before_it_begins() -> None:
    dates = Dates(MAY_15, MAY_15)
    assert c.open_campaign(None, campaign_id(2022, 3), 2022, 3, dates, AT).state.last_day() == MAY_15
    with pytest.raises(RulesRefused) as refused:
        c.open_campaign(None, campaign_id(2022, 3), 2022, 3, replace(dates, opens_on=MAY_15 + ONE_DAY), AT)
    assert refusal(refused) == ["CAMPAIGN_DATES"]


def test_a_quarter_has_one_campaign() -> None:
    with pytest.raises(NotAllowedNow) as refused:
        c.open_campaign(summer(), campaign_id(2022, 3), 2022, 3, Dates(MAY_15, MAY_30), AT)
    assert refusal(refused) == ["CAMPAIGN_TAKEN"]


def test_a_campaign_is_moved_either_way_with_a_reason_and_its_extensions_stay() -> None:
    campaign = c.extend_campaign(summer(), "opco-2i", MAY_30, why()).state
    moved = c.move_campaign(campaign, Dates(day("2022-02-01"), day("2022-05-02")), why()).state
    assert moved.last_day() == day("2022-05-02")
    assert moved.last_day("opco-2i") == MAY_30
    assert [(one.action, one.deadline, one.opco) for one in moved.history] == [
        ("open_campaign", MAY_15, None),
        ("extend_campaign", MAY_30, "opco-2i"),
        ("move_campaign", day("2022-05-02"), None),
    ]
    with pytest.raises(NotAllowedNow):
        c.move_campaign(moved, Dates(day("2022-02-01"), day("2022-05-02")), why())


def test_a_reason_that_seems_to_name_a_person_is_read_again() -> None:
    with pytest.raises(WarningsUnanswered):
        c.extend_campaign(summer(), None, MAY_30, why("Demandé par Mme Exemple."))
    kept = c.extend_campaign(summer(), None, MAY_30, why("Demandé par Mme Exemple.", "PERSON_NAME_SUSPECTED"))
    assert [warning.code for warning in kept.warnings] == ["PERSON_NAME_SUSPECTED"]


def test_what_is_said_of_a_campaign_is_what_it_became() -> None:
    (opened,) = c.open_campaign(None, campaign_id(2022, 3), 2022, 3, Dates(day("2022-02-01"), MAY_15), AT).events
    (extended,) = c.extend_campaign(summer(), "opco-2i", MAY_30, why()).events
    (moved,) = c.move_campaign(summer(), Dates(day("2022-02-01"), MAY_30), why()).events
    assert isinstance(opened, CampaignOpened) and opened.deadline == MAY_15
    assert isinstance(extended, CampaignExtended) and (extended.opco, extended.deadline, extended.revision) == ("opco-2i", MAY_30, 2)
    assert isinstance(moved, CampaignMoved) and (moved.deadline, moved.key) == (MAY_30, str(campaign_id(2022, 3)))


@pytest.mark.parametrize(
    ("on", "quarter"), [("2022-01-01", 1), ("2022-03-31", 1), ("2022-04-01", 2), ("2022-06-30", 2), ("2022-07-01", 3), ("2022-12-31", 4)]
)
def test_the_quarter_of_a_day(on: str, quarter: int) -> None:
    assert quarter_of(day(on)) == quarter


def test_a_quarter_ends_on_the_day_before_the_next_one() -> None:
    assert [end_of_quarter(2022, n).isoformat() for n in range(1, 5)] == ["2022-03-31", "2022-06-30", "2022-09-30", "2022-12-31"]
    for n in range(1, 5):
        assert quarter_of(end_of_quarter(2022, n) + ONE_DAY) == n % 4 + 1


OPCO = st.sampled_from([None, "akto", "opco-2i", "afdas"])
DAYS = st.dates(day("2022-01-01"), day("2022-10-15"))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), OPCO, DAYS), max_size=12))
def test_history_never_loses_a_deadline(asked: list[tuple[bool, str | None, dt.date]]) -> None:
    """Whatever is asked: every deadline that ever held for anybody is in the history, in order, and the last of them hold now."""
    campaign = summer()
    held: list[tuple[str | None, dt.date]] = [(None, MAY_15)]
    for moves, opco, until in asked:
        before = campaign
        try:
            if moves:
                campaign = c.move_campaign(campaign, Dates(min(until, campaign.opens_on), until), why()).state
            else:
                campaign = c.extend_campaign(campaign, opco, until, why()).state
        except Refused:
            assert campaign is before
            continue
        held.append((None if moves else opco, until))
        assert campaign.history[:-1] == before.history
    assert [(one.opco, one.deadline) for one in campaign.history] == held
    assert [one.revision for one in campaign.history] == list(range(1, campaign.revision + 1))
    general = next(until for opco, until in reversed(held) if opco is None)
    assert campaign.last_day() == general
    for opco in OPCOS:
        own = [until for whose, until in held if whose == opco]
        assert campaign.last_day(opco) == max([general, *own[-1:]])


def recording(*decisions: Resolution, known: dict[UUID, int] | None = None, agenda: tuple[str, ...] = ("Bilan 2021",)) -> Recording:
    return Recording(agenda, decisions, (), AT, known or {})


def held(on: dt.date = TODAY) -> Conference:
    return conferences.record_conference(None, on, recording()).state


def test_a_conference_decides_from_its_day_on_and_has_an_agenda_before() -> None:
    decided = recording(Resolution("Quinze jours de plus."))
    assert conferences.record_conference(None, TODAY, decided).state.now.decisions
    with pytest.raises(RulesRefused) as refused:
        conferences.record_conference(None, TODAY + ONE_DAY, decided)
    assert refusal(refused) == ["CONFERENCE_AHEAD"]
    assert conferences.record_conference(None, TODAY + ONE_DAY, recording()).state.revision == 1


def test_a_decision_names_what_exists_in_a_revision_that_there_was() -> None:
    campaign = campaign_id(2022, 3)
    known = {campaign: 2}
    for revision in (None, 1, 2):
        assert conferences.record_conference(None, TODAY, recording(Resolution("Prolongée.", campaign, revision), known=known))
    for wrong in (Resolution("Prolongée.", campaign, 3), Resolution("Prolongée.", uuid4(), 1)):
        with pytest.raises(RulesRefused) as refused:
            conferences.record_conference(None, TODAY, recording(wrong, known=known))
        assert refusal(refused) == ["LINK_UNKNOWN"]


def test_a_correction_keeps_what_was_there() -> None:
    first = held()
    corrected = conferences.correct_conference(first, replace(recording(agenda=("Bilan 2021", "Calendrier")), reason="Point oublié.")).state
    assert [one.agenda for one in corrected.history] == [("Bilan 2021",), ("Bilan 2021", "Calendrier")]
    assert corrected.now.reason == "Point oublié."
    with pytest.raises(NotAllowedNow):
        conferences.correct_conference(corrected, recording(agenda=("Bilan 2021", "Calendrier")))
    with pytest.raises(NotAllowedNow):
        conferences.record_conference(first, first.held_on, recording())


DOZEN = Target(opco="opco-2i", rome="H3404", number=12, words="une douzaine")


def adopting(*aimed: Target, on: dt.date = TODAY) -> Adopting:
    return Adopting(on, aimed, (), AT, ROME)


def test_a_programme_keeps_every_revision_and_the_words_of_its_targets() -> None:
    first = targets.adopt_programme(None, 2022, adopting(DOZEN)).state
    other = Target(opco="opco-2i", rome="H3404", number=10)
    second = targets.adopt_programme(first, 2022, adopting(other)).state
    assert [(one.revision, one.targets) for one in second.revisions] == [(1, (DOZEN,)), (2, (other,))]
    assert second.now.targets == (other,)
    with pytest.raises(NotAllowedNow):
        targets.adopt_programme(second, 2022, adopting(other))


def test_a_programme_is_adopted_by_today_once_per_opco_and_job_all_objections_at_once() -> None:
    wrong = Target(opco="nobody", rome="A9999", number=1)
    with pytest.raises(RulesRefused) as refused:
        targets.adopt_programme(None, 2022, adopting(DOZEN, DOZEN, wrong, on=TODAY + ONE_DAY))
    assert refusal(refused) == ["ADOPTED_AHEAD", "OPCO_UNKNOWN", "ROME_UNKNOWN", "TARGET_TWICE"]


@pytest.mark.parametrize(("month", "passes"), [("2022-03", False), ("2022-04", True), ("2022-12", True), ("2023-01", False)])
def test_an_estimate_is_for_this_month_or_a_later_one_of_the_year(month: str, passes: bool) -> None:
    estimate = Estimate("H3404", month, 2)
    if passes:
        told = deliveries.deliver_estimates(None, "opco-2i", 2022, (estimate,), AT, ROME).state
        assert (told.month, told.now.estimates) == ("2022-04", (estimate,))
    else:
        with pytest.raises(RulesRefused) as refused:
            deliveries.deliver_estimates(None, "opco-2i", 2022, (estimate,), AT, ROME)
        assert refusal(refused) == ["ESTIMATE_MONTH"]


def test_a_month_is_delivered_once_and_told_again_as_often_as_it_changes() -> None:
    one, two = Estimate("H3404", "2022-06", 2), Estimate("N1101", "2022-06", 0)
    first = deliveries.deliver_estimates(None, "opco-2i", 2022, (one,), AT, ROME).state
    again = deliveries.deliver_estimates(first, "opco-2i", 2022, (one, two), AT, ROME).state
    assert [told.estimates for told in again.history] == [(one,), (one, two)]
    with pytest.raises(RulesRefused) as refused:
        deliveries.deliver_estimates(first, "opco-2i", 2022, (one, one, Estimate("A9999", "2022-06", 1)), AT, ROME)
    assert refusal(refused) == ["ROME_UNKNOWN", "ESTIMATE_TWICE"]


def figure(number: int, as_of: dt.date = TODAY) -> Figure:
    return Figure(as_of, number, DeclarationSource.ENQUETE)


def test_a_correction_of_a_declaration_is_a_new_one_and_the_old_one_stays() -> None:
    first = declarations.declare_projects(None, "akto", 2022, figure(64), AT).state
    second = declarations.declare_projects(first, "akto", 2022, figure(70), AT).state
    assert [one.figure.number for one in second.history] == [64, 70]
    assert (second.now.figure.number, second.revision, second.id) == (70, 2, first.id)
    with pytest.raises(NotAllowedNow):
        declarations.declare_projects(second, "akto", 2022, figure(70), AT)


def test_a_number_is_as_of_today_at_the_latest() -> None:
    assert declarations.declare_projects(None, "akto", 2022, figure(1), AT).state.revision == 1
    with pytest.raises(RulesRefused) as refused:
        declarations.declare_projects(None, "akto", 2022, figure(1, TODAY + ONE_DAY), AT)
    assert refusal(refused) == ["DECLARED_AHEAD"]


def test_a_decision_on_another_revision_is_stale_and_on_nothing_unknown() -> None:
    yearbook.at_revision(2, 2)
    with pytest.raises(Stale):
        yearbook.at_revision(2, 1)
    with pytest.raises(NotFound):
        yearbook.existing(None)


def test_the_readme_shows_the_life_of_a_record() -> None:
    rows = ["| what | of | by | when | first | again | status |", "|---|---|---|---|---|---|---|"]
    rows += [
        f"| `{s.command}` | {s.kind} | {s.by} | {s.guard} | {'yes' if s.first else 'no'} | {'yes' if s.again else 'no'} | `{s.status}` |"
        for s in TABLE
    ]
    assert shows("records", "\n".join(rows))
