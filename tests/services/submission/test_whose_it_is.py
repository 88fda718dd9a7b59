"""What is another organisation's is unknown to who asks: the use cases say so themselves, whatever the database would show."""

from collections.abc import Callable
from uuid import UUID

import pytest

from services.submission import partners_cases, preparation_cases, template_cases
from services.submission import use_cases as story
from services.submission import yearbook_use_cases as yearbook
from services.submission.domain import yearbook as yearbook_rules
from services.submission.domain.campaigns import Dates, Why
from services.submission.domain.conferences import Recording
from services.submission.domain.declarations import Figure
from services.submission.domain.fiche import Status
from services.submission.domain.form_template import save_template
from services.submission.domain.lifecycle import COMMANDS
from services.submission.domain.partners import Sheet
from services.submission.domain.sessions import NewDates
from services.submission.domain.targets import Adopting
from services.submission.domain.yearbook import TABLE
from services.submission.partners_store import Partners
from services.submission.store import Fiches
from services.submission.template_store import Templates
from services.submission.use_cases import Asker
from services.submission.yearbook_store import Yearbook
from shared.audit_trail import Head
from shared.contracts.references import DeclarationSource, PartnerKind, SessionMotive, WithdrawalReason
from shared.errors import Forbidden, NotFound
from tests.services.submission import filings as f
from tests.services.submission.room import PEOPLE, Room
from tests.support.fiches import GOLDEN_OPCO, PAST_WARNINGS

STRANGER = Asker(PEOPLE["akto"], f.FICHE)
LATER = NewDates(f.EXPIRES, f.EXPIRES, SessionMotive.ENVELOPPE)
RENEWAL = preparation_cases.Renewal(f.FICHE, "A-1", 2019, lambda _content: {})
ASKED: dict[str, Callable[[Fiches], object]] = {
    "complete_fiche": lambda fiches: story.complete_fiche(fiches, STRANGER, f.filing(), f.GIVEN),
    "amend_fiche": lambda fiches: story.amend_fiche(fiches, STRANGER, f.filing(), f.GIVEN),
    "accept_adaptation": lambda fiches: story.accept_adaptation(fiches, STRANGER, (), f.GIVEN, f.NOON),
    "decline_adaptation": lambda fiches: story.decline_adaptation(fiches, STRANGER, "Non.", (), f.NOON),
    "counter_propose": lambda fiches: story.counter_propose(fiches, STRANGER, f.filing(), "Autre groupe.", f.GIVEN),
    "confirm_programmation": lambda fiches: story.confirm_programmation(fiches, STRANGER),
    "engage_session": lambda fiches: story.engage_session(fiches, STRANGER, 1, 9, None, ()),
    "postpone_session": lambda fiches: story.postpone_session(fiches, STRANGER, 1, LATER, f.GIVEN, f.NOON),
    "cancel_session": lambda fiches: story.cancel_session(fiches, STRANGER, 1, SessionMotive.ENVELOPPE, None),
    "return_placements": lambda fiches: story.return_placements(fiches, STRANGER, 1, f.told(), f.NOON),
    "withdraw_fiche": lambda fiches: story.withdraw_fiche(fiches, STRANGER, WithdrawalReason.AUTRE, f.NOON),
    "renew_fiche": lambda fiches: preparation_cases.renew_fiche(fiches, STRANGER.principal, RENEWAL, f.NOON),
}
BY_REFERENCE = {"preprogramme_fiche", "draft_fiche", "submit_fiche"}
"""What an OPCO does under a reference of its own: another's fiche cannot be meant."""


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("command", sorted({row.command for row in COMMANDS} - BY_REFERENCE))
def test_another_opcos_fiche_is_unknown_whatever_its_status(command: str, status: Status) -> None:
    fiches = Fiches({f.FICHE: (Head(1, 1, "a"), f.held(status))})
    with pytest.raises(NotFound) as unknown:
        ASKED[command](fiches)
    assert f.codes(unknown.value.objections) == ["UNKNOWN"]
    assert fiches.get(f.FICHE) == f.held(status)


def test_another_opcos_template_is_unknown() -> None:
    kept = save_template(UUID(int=1), GOLDEN_OPCO, "Peintres", {"title": "POEC"}, f.NOON)
    templates = Templates({kept.id: (Head(1, 0, "a"), kept)})
    with pytest.raises(NotFound):
        template_cases.delete_template(templates, STRANGER.principal, kept.id, f.NOON)
    assert templates.get(kept.id) is kept


ON = yearbook.On(PEOPLE["akto"], UUID(int=1), 1)
DATES, WHY = Dates(f.TODAY, f.TODAY), Why("Report.", (), f.NOON)
SHEET = Sheet("Mission locale inventée", PartnerKind.MISSION_LOCALE, ("2804",))
RECORDED = Recording((), (), (), f.NOON, {})
CONFERENCE: dict[str, Callable[[Yearbook], object]] = {
    "open_campaign": lambda book: yearbook.open_campaign(book, ON.principal, 2018, 2, DATES, f.NOON),
    "move_campaign": lambda book: yearbook.move_campaign(book, ON, DATES, WHY),
    "extend_campaign": lambda book: yearbook.extend_campaign(book, ON, None, f.TODAY, WHY),
    "record_conference": lambda book: yearbook.record_conference(book, ON.principal, f.TODAY, RECORDED),
    "correct_conference": lambda book: yearbook.correct_conference(book, ON, RECORDED),
    "adopt_programme": lambda book: yearbook.adopt_programme(
        book, ON.principal, 2018, 1, Adopting(f.TODAY, (), (), f.NOON, frozenset())
    ),
}


@pytest.mark.parametrize("command", sorted({row.command for row in TABLE if row.by == yearbook_rules.CONFERENCE}))
def test_what_the_conference_decides_is_refused_to_an_opco_before_anything_is_looked_at(command: str) -> None:
    with pytest.raises(Forbidden):
        CONFERENCE[command](Yearbook())


@pytest.mark.parametrize("who", ["dreets", "region"])
def test_what_an_opco_tells_of_its_year_is_refused_to_everybody_else(who: str) -> None:
    figure = Figure(f.TODAY, 3, DeclarationSource.ENQUETE)
    with pytest.raises(Forbidden):
        yearbook.declare_projects(Yearbook(), PEOPLE[who], 2018, figure, f.NOON)
    with pytest.raises(Forbidden):
        yearbook.deliver_estimates(Yearbook(), PEOPLE[who], 2018, (), f.NOON, frozenset())


@pytest.mark.parametrize("who", ["akto", "dreets"])
def test_the_directory_of_partners_is_kept_by_the_region_alone(who: str) -> None:
    with pytest.raises(Forbidden):
        partners_cases.record_partner(Partners(), PEOPLE[who], "P-1", SHEET, (), f.NOON)
    with pytest.raises(Forbidden):
        partners_cases.change_partner(Partners(), PEOPLE[who], UUID(int=1), 1, SHEET, (), f.NOON)
    with pytest.raises(Forbidden):
        partners_cases.retire_partner(Partners(), PEOPLE[who], UUID(int=1), 1, f.NOON)


async def test_what_a_draft_takes_up_again_is_shown_to_its_opco_alone(room: Room) -> None:
    source = {"reference": "W-1", "content": f.filing().content.model_dump(mode="json"), "acknowledged": list(PAST_WARNINGS)}
    fiche = (await room.post(GOLDEN_OPCO, "", source)).json()["fiche_id"]
    await room.post(GOLDEN_OPCO, f"/{fiche}/withdrawal", {"reason": "AUTRE"})
    renewed = await room.post(GOLDEN_OPCO, f"/{fiche}/renewal", {"reference": "W-2", "programme_year": 2019})
    draft = await story.read_fiche(room.database, PEOPLE[GOLDEN_OPCO], UUID(renewed.json()["fiche_id"]))
    found = await preparation_cases.read_renewed(room.database, PEOPLE[GOLDEN_OPCO], draft)
    assert found is not None and str(found.id) == fiche
    assert await preparation_cases.read_renewed(room.database, PEOPLE["region"], draft) is None
