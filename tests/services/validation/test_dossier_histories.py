"""Any history of facts and commands: what must hold after each step."""

import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from services.validation.domain.avis import AskedAvis, departures
from services.validation.domain.dossier import FINAL, Dossier, Status, bound_to
from services.validation.domain.lifecycle import COMMANDS, legal
from services.validation.store import parsed, written
from services.validation.use_cases import (
    Dossiers,
    ask_completion,
    correct_avis,
    give_avis,
    propose_adaptation,
    refuse_fiche,
    validate_fiche,
)
from shared.audit_trail import Change
from shared.contracts.events import FicheEvent
from shared.contracts.references import AvisKind
from shared.contracts.validation import AvisLapsed, FicheRefused, FicheValidated
from shared.errors import Refused
from shared.identity import Principal
from tests.services.validation import dossiers as d
from tests.services.validation.test_dossier_lifecycle import FACTS, Recorded, hear

BOTH = frozenset({"region_reviewer", "pole_emploi_reviewer"})
PEOPLE = tuple(Principal(f"agent-{n}", "region", "person", BOTH) for n in range(2))
ORDERS = ("ask_completion", "propose_adaptation", "give_avis", "correct_avis", "validate_fiche", "refuse_fiche")


CALM = tuple(fact for fact in FACTS if fact not in ("fiche_cancelled", "fiche_withdrawn"))
BEGINNINGS = tuple(make for status, make in d.IN_STATUS.items() if status not in FINAL)
contents = st.builds(
    lambda days, place, codes: d.content([d.START + dt.timedelta(days=n) for n in days], place=place, formacodes=codes),
    st.lists(st.sampled_from([0, 1, 29, 30, 31, 60]), min_size=1, max_size=2),
    st.sampled_from([d.elsewhere(), d.elsewhere(), d.elsewhere(insee="14118"), d.elsewhere(zone_emploi="2804")]),
    st.sampled_from([("23053",), ("23053", "23083"), ("23083",)]),
)
avis = st.sampled_from([d.PLAIN, d.RESERVED, d.COMPETING, AskedAvis(AvisKind.CONCURRENT)])


def likely(status: Status) -> st.SearchStrategy[str]:
    """Return what may happen next: mostly what the table allows now, sometimes anything."""
    now = [step.command for step in COMMANDS if status in step.from_statuses]
    return st.sampled_from((*now * 3, *CALM, *ORDERS, "fiche_cancelled", "fiche_withdrawn"))


def command(draw: st.DataObject, what: str, dossiers: Dossiers, who: Principal, when: dt.datetime) -> None:
    """Give one command, on the revision read or on the one before."""
    revision = dossiers.states()[d.FICHE].revision - draw.draw(st.sampled_from([0, 0, 0, 0, 1]))
    match what:
        case "ask_completion":
            ask_completion(dossiers, who, d.FICHE, revision, d.ITEMS)
        case "propose_adaptation":
            asked = d.an_adaptation(draw.draw(st.integers(0, 40)))
            propose_adaptation(dossiers, who, d.FICHE, revision, asked, when)
        case "give_avis":
            give_avis(dossiers, who, d.FICHE, revision, draw.draw(avis), when)
        case "correct_avis":
            correct_avis(dossiers, who, d.FICHE, revision, draw.draw(avis), when)
        case "validate_fiche":
            reason = draw.draw(st.sampled_from([None, "Trente postes."]))
            validate_fiche(dossiers, who, d.FICHE, revision, reason, (), when)
        case "refuse_fiche":
            refuse_fiche(dossiers, who, d.FICHE, revision, d.NO, when)


def current(dossier: Dossier) -> bool:
    """Return whether the avis holds, by the figures alone."""
    return dossier.avis is not None and not departures(
        dossier.avis.bound, bound_to(dossier.content, dossier.cancelled), d.LIMITS.shift_days
    )


def check(dossier: Dossier) -> None:
    if dossier.status in (Status.VALIDATED, Status.AVIS_GIVEN):
        assert dossier.avis is not None
        assert not dossier.avis.lapsed
        assert current(dossier)
    assert (dossier.validation is not None) >= (dossier.status is Status.VALIDATED)
    if dossier.status not in FINAL:
        assert (dossier.validation is not None) is (dossier.status is Status.VALIDATED)
    assert (dossier.refusal is not None) is (dossier.status is Status.REFUSED)
    references = [validation.reference for validation in dossier.past_validations]
    assert len(set(references)) == len(references)
    assert parsed(written(dossier)) == dossier


def check_turn(before: Dossier, change: Change, after: Dossier, who: Principal) -> None:
    assert legal(change.action, before.status, after.status)
    for event in change.events:
        assert isinstance(event, FicheEvent)
        assert event.revision == after.revision
        if isinstance(event, FicheValidated | FicheRefused):
            assert current(before)
            assert who.id not in before.advisers
        if isinstance(event, AvisLapsed):
            assert event.was_validated is (before.status is Status.VALIDATED)


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_a_fiche_is_validated_only_while_a_current_avis_of_somebody_else_stands(draw: st.DataObject) -> None:
    dossiers = Recorded(draw.draw(st.sampled_from(BEGINNINGS))())
    when = d.NOON
    for _ in range(draw.draw(st.integers(1, 20))):
        before, taken = dossiers.states()[d.FICHE], len(dossiers.taken)
        what, who = draw.draw(likely(before.status)), draw.draw(st.sampled_from(PEOPLE))
        when += dt.timedelta(days=draw.draw(st.sampled_from([0, 1, 11])))
        try:
            if what in FACTS:
                hear(what, dossiers, before, draw.draw(contents))
            else:
                command(draw, what, dossiers, who, when)
        except Refused:
            assert what in ORDERS
            assert dossiers.get(d.FICHE) == before
            continue
        (change,) = dossiers.taken[taken:]
        check(dossiers.states()[d.FICHE])
        check_turn(before, change, dossiers.states()[d.FICHE], who)
