"""Any history of an OPCO's fiches, every command of the story in any order, on a real database: what it leaves, the audit finds clean."""

import asyncio
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, example, settings
from hypothesis import given as drawn
from hypothesis import strategies as st

from deploy.audit import i04_legal_transitions, i13_trail_unbroken, i14_actor_allowed
from services.submission import preparation_cases, template_cases
from services.submission import use_cases as story
from services.submission.domain.case import Given
from services.submission.domain.lifecycle import COMMANDS, HEARD
from services.submission.domain.sessions import NewDates
from services.submission.form_fields import fields_of
from services.submission.store import Fiches, open_fiches, write_fiches
from services.submission.template_store import open_templates, write_templates
from services.submission.use_cases import WORKER, Asker
from shared.audit_trail import Change
from shared.contracts.fiche import OutsideCampaign, fiche_id
from shared.contracts.flow import EVENT_TYPES, FICHES
from shared.contracts.references import OutsideMotive, PlacementMoment, SessionMotive, SourcingCause, WithdrawalReason
from shared.contracts.submission import FicheSubmitted
from shared.errors import Impossible, Refused
from tests.deploy.test_audit_prepared import evidence_of
from tests.services.submission import filings as f
from tests.services.submission.room import PEOPLE, Room
from tests.services.submission.test_histories import DATES, FILINGS, FINALS, NUMBERS, RETURNS
from tests.support.fiches import GOLDEN_OPCO, golden_content
from tests.support.servers import Servers

OWN, OTHER = PEOPLE[GOLDEN_OPCO], PEOPLE["akto"]
OUTSIDE = OutsideCampaign(motive=OutsideMotive.MARCHE_PUBLIC, reason="Marché attribué fin mai.")
FORM = fields_of(golden_content())
EARLY = dt.datetime(2018, 1, 1, tzinfo=dt.UTC)


@dataclass
class History:
    """One fiche of this history, another one that takes it up again, and what the decisions said they did."""

    reference: str = field(default_factory=lambda: uuid4().hex)
    done: list[str] = field(default_factory=list)

    @property
    def fiche(self) -> UUID:
        return fiche_id(GOLDEN_OPCO, self.reference)

    @property
    def renewed(self) -> UUID:
        return fiche_id(GOLDEN_OPCO, f"{self.reference}-bis")

    @property
    def asker(self) -> Asker:
        return Asker(OWN, self.fiche)


Act = Callable[[Fiches, History, Given], object]
Move = tuple[str, Act]


Kind = tuple[st.SearchStrategy[Any], Callable[..., object]]
"""What is drawn for a move, and how it is carried out with that."""


def _hear(hear: Callable[..., None], event: Any) -> Kind:
    def act(fiches: Fiches, history: History, _given: Given, _told: None) -> None:
        hear(fiches, event.model_copy(update={"fiche_id": history.fiche}), f.NOON)

    return st.none(), act


def _renew(fiches: Fiches, history: History, _given: Given, year: int) -> object:
    renewal = preparation_cases.Renewal(history.fiche, f"{history.reference}-bis", year, fields_of)
    return preparation_cases.renew_fiche(fiches, OWN, renewal, f.NOON)


def _submit(fiches: Fiches, history: History, given: Given, told: tuple[Any, bool]) -> object:
    filing, explained = told
    said = replace(filing, outside_campaign=OUTSIDE if explained else None)
    decision = story.submit_fiche(fiches, OWN, history.reference, said, given)
    (event,) = decision.events
    assert isinstance(event, FicheSubmitted)
    assert explained == (event.outside_campaign is not None), "after the deadline it is filed with its reason, or not at all"
    return decision


COMMANDED: dict[str, Kind] = {
    "preprogramme_fiche": (
        st.integers(1, 3),
        lambda fiches, h, given, n: preparation_cases.preprogramme_fiche(
            fiches, OWN, h.reference, f.INTENTION.model_copy(update={"seats": n}), (), given, f.NOON
        ),
    ),
    "draft_fiche": (
        st.sampled_from([{}, {"title": "POEC"}, FORM]),
        lambda fiches, h, _given, fields: preparation_cases.draft_fiche(fiches, OWN, h.reference, fields, f.NOON),
    ),
    "renew_fiche": (st.integers(2018, 2020), _renew),
    "submit_fiche": (st.tuples(st.just(f.filing()) | FILINGS, st.booleans()), _submit),
    "complete_fiche": (FILINGS, lambda fs, h, given, x: story.complete_fiche(fs, h.asker, x, given)),
    "amend_fiche": (FILINGS, lambda fs, h, given, x: story.amend_fiche(fs, h.asker, x, given)),
    "accept_adaptation": (st.none(), lambda fs, h, given, _: story.accept_adaptation(fs, h.asker, (), given, f.NOON)),
    "decline_adaptation": (st.none(), lambda fs, h, _g, _: story.decline_adaptation(fs, h.asker, "Besoin daté.", (), f.NOON)),
    "counter_propose": (FILINGS, lambda fs, h, given, x: story.counter_propose(fs, h.asker, x, "Autre groupe.", given)),
    "confirm_programmation": (st.none(), lambda fs, h, _g, _: story.confirm_programmation(fs, h.asker)),
    "engage_session": (NUMBERS, lambda fs, h, _g, n: story.engage_session(fs, h.asker, n, 9, None, ())),
    "postpone_session": (
        st.tuples(NUMBERS, DATES),
        lambda fs, h, given, x: story.postpone_session(fs, h.asker, x[0], x[1], given, f.NOON),
    ),
    "cancel_session": (
        st.tuples(NUMBERS, st.sampled_from(SessionMotive), st.none() | st.sampled_from(SourcingCause)),
        lambda fs, h, _g, x: story.cancel_session(fs, h.asker, *x),
    ),
    "return_placements": (RETURNS, lambda fs, h, _g, x: story.return_placements(fs, h.asker, *x)),
    "withdraw_fiche": (FINALS, lambda fs, h, _g, why: story.withdraw_fiche(fs, h.asker, why, f.NOON)),
}
TOLD: dict[str, Kind] = {
    "dossier_opened": _hear(story.hear_opened, f.OPENED),
    "completion_asked": _hear(story.hear_completion_asked, f.ASKED),
    "adaptation_proposed": _hear(story.hear_adaptation, f.PROPOSED),
    "avis_given": _hear(story.hear_avis, f.GAVE),
    "avis_lapsed": _hear(story.hear_lapsed, f.LAPSED),
    "fiche_validated": _hear(story.hear_validated, f.VALIDATED),
    "fiche_refused": _hear(story.hear_refused, f.REFUSED),
}
ASIDE: dict[str, Kind] = {
    "use_template": (st.none(), lambda *_: None),
    "stranger": (FINALS, lambda fs, h, _g, why: story.withdraw_fiche(fs, Asker(OTHER, h.fiche), why, f.NOON)),
}
SAID = {event.wire_type for event in EVENT_TYPES.values() if event.topic == FICHES}
KINDS = {**COMMANDED, **TOLD, **ASIDE}


def step(name: str, told: Any = None) -> Move:
    """Return a move with what it is about."""
    act = KINDS[name][1]
    return name, lambda fiches, history, given: act(fiches, history, given, told)


def _any(*names: str) -> st.SearchStrategy[Move]:
    return st.sampled_from(names).flatmap(lambda name: KINDS[name][0].map(lambda told: step(name, told)))


FILED = step("submit_fiche", (f.filing(), True))
OTHER_CONTENT = f.filing(golden_content(title="POEC - Peintre"))
LATER = NewDates(dt.date(2018, 7, 2), dt.date(2018, 9, 28), SessionMotive.ENVELOPPE)
TO_THE_END = [
    step("preprogramme_fiche", 2), step("draft_fiche", {"title": "POEC"}), step("use_template"), step("stranger", WithdrawalReason.AUTRE),
    FILED, step("dossier_opened"), step("completion_asked"), step("complete_fiche", OTHER_CONTENT), step("avis_given"),
    step("fiche_validated"), step("confirm_programmation"), step("postpone_session", (1, LATER)), step("engage_session", 1),
    *(step("return_placements", (1, f.told(moment), f.AFTERWARDS)) for moment in PlacementMoment), step("renew_fiche", 2019),
]  # fmt: skip
TO_A_DISPUTE = [
    FILED, step("adaptation_proposed"), step("decline_adaptation"), step("adaptation_proposed"), step("counter_propose", OTHER_CONTENT),
    step("adaptation_proposed"), step("accept_adaptation"), step("amend_fiche", OTHER_CONTENT), step("avis_given"), step("avis_lapsed"),
    step("withdraw_fiche", WithdrawalReason.AUTRE),
]  # fmt: skip
TO_DROP = [step("preprogramme_fiche", 1), step("withdraw_fiche", WithdrawalReason.AUTRE), step("renew_fiche", 2019)]
TO_NOTHING = [FILED, step("cancel_session", (1, SessionMotive.BESOIN_DISPARU, None)), step("fiche_refused")]
ROADS = (TO_THE_END, TO_A_DISPUTE, TO_NOTHING, TO_DROP)


@st.composite
def histories(draw: st.DrawFn) -> list[Move]:
    """Return a road as far as it is drawn, with whatever moves in between and after it: few histories get far by chance."""
    road = draw(st.sampled_from(ROADS))
    far, between = draw(st.integers(0, len(road))), st.lists(_any(*KINDS), max_size=2)
    walked = [move for on_road in road[:far] for move in (*draw(between), on_road)]
    return [*walked, *draw(st.lists(_any(*KINDS), max_size=6))]


async def carried(room: Room, history: History, moves: list[Move]) -> None:
    """Carry a history out, each move in a transaction of its own, as a door does; what is refused leaves nothing."""
    given = Given(f.GIVEN.references)
    for name, act in moves:
        if name == "use_template":
            await _from_template(room, history)
            continue
        who = WORKER if name in TOLD else OTHER if name == "stranger" else OWN
        try:
            async with room.database.unit(who) as unit:
                fiches = await open_fiches(unit, [history.fiche, history.renewed])
                act(fiches, history, given)
                write_fiches(fiches, unit)
                await unit.flush()
        except (Refused, Impossible):
            continue
        assert name != "stranger", "nobody withdraws another's fiche"
        history.done.append(name)


async def _from_template(room: Room, history: History) -> None:
    """Keep the form as a template, and begin a draft with its fields."""
    async with room.database.unit(OWN) as unit:
        templates = await open_templates(unit, [template_cases.template_id(GOLDEN_OPCO, history.reference)])
        kept = template_cases.save_template(templates, OWN, history.reference, FORM, f.NOON)
        write_templates(templates, unit)
        await unit.flush()
    await carried(
        room, history, [("draft_fiche", lambda fs, h, _g: preparation_cases.draft_fiche(fs, OWN, h.reference, kept.fields, f.NOON))]
    )


async def objections(room: Room, servers: Servers) -> tuple[str, ...]:
    """Return what the audit has against this database: transitions, contents kept, the chain of the trail, who did what."""
    async with evidence_of(room, servers) as evidence:
        found = await i04_legal_transitions.look(evidence) + await i13_trail_unbroken.look(evidence)
        owners = {row["id"]: row["opco"] for row in await evidence.rows("submission", i14_actor_allowed._OWNERS)}
        roles = ((one, "opco" if one in (OWN, OTHER) else "dreets") for one in (OWN, OTHER, PEOPLE["dreets"]))
        known = [i14_actor_allowed.Standing(one.id, EARLY, one.organisation, frozenset({role})) for one, role in roles]
        replay = i14_actor_allowed.Replay("submission", known, owners)
        for row in await evidence.rows("submission", i14_actor_allowed._TRAIL):
            replay.take(i14_actor_allowed.Done(*row))
    return (*found.violations, *replay.wrong)


@pytest.fixture
def submission_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The audit looks at one database: the other services have none here."""
    for invariant in (i04_legal_transitions, i13_trail_unbroken):
        monkeypatch.setattr(invariant, "SERVICES", ("submission",))


def test_every_command_and_every_event_of_the_lifecycle_is_among_the_moves() -> None:
    assert set(COMMANDED) == {row.command for row in COMMANDS}
    assert set(TOLD) == {row.command for row in HEARD}


@pytest.mark.usefixtures("submission_alone")
async def test_whatever_an_opco_does_in_whatever_order_the_audit_finds_it_clean(room: Room, servers: Servers) -> None:
    loop, done = asyncio.get_running_loop(), set[str]()
    spring = {"year": 2018, "quarter": 2, "opens_on": "2018-01-02", "deadline": "2018-02-28"}
    opened = await room.command("dreets", "/campaigns", spring)
    assert opened.status_code == 201, opened.text

    async def left_by(moves: list[Move]) -> tuple[str, ...]:
        history = History()
        await carried(room, history, moves)
        done.update(history.done)
        return await objections(room, servers)

    @settings(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @example(TO_THE_END)
    @example(TO_A_DISPUTE)
    @example(TO_NOTHING)
    @example(TO_DROP)
    @drawn(histories())
    def whatever(moves: list[Move]) -> None:
        found = asyncio.run_coroutine_threadsafe(left_by(moves), loop).result()
        assert found == (), [name for name, _ in moves]

    await asyncio.to_thread(whatever)
    rows = await room.fetch("SELECT DISTINCT headers->>'ce_type' AS type FROM outbox WHERE topic = $1", FICHES)
    assert done == {*COMMANDED, *TOLD}, "each of them was carried out at least once"
    assert {row["type"] for row in rows} == SAID


@pytest.mark.usefixtures("submission_alone")
async def test_a_transition_that_no_row_has_is_found_in_what_a_history_leaves(room: Room, servers: Servers) -> None:
    def confirm_what_was_refused(fiches: Fiches, history: History, _given: Given) -> None:
        held = fiches.get(history.fiche)
        assert held is not None
        wrong = Change("confirm_programmation", OWN.id, held.status.value, "confirmed")
        fiches.put(history.fiche, replace(f.confirmed(), id=history.fiche, reference=history.reference), wrong)

    history = History()
    await carried(room, history, [FILED, step("fiche_refused")])
    assert await objections(room, servers) == ()
    await carried(room, history, [("confirm_programmation", confirm_what_was_refused)])
    assert history.done == ["submit_fiche", "fiche_refused", "confirm_programmation"]
    (found, *_) = await objections(room, servers)
    assert "confirm_programmation may not lead from refused to confirmed" in found
