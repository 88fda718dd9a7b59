"""Drafts: of two people at one, who comes too late is told what changed; how many there may be, and how often one is saved."""

from contextlib import nullcontext
from dataclasses import replace

import pytest

from services.submission.domain.fiche import CHANGES_KEPT, Status
from services.submission.domain.form_template import MOST_TEMPLATES, FormTemplate, TemplateStatus, room_for_template
from services.submission.domain.preparation import Preparation
from services.submission.domain.preparing import (
    MOST_OPEN,
    MOST_SAVINGS,
    Named,
    draft_fiche,
    drop_preparation,
    preparation_at_revision,
)
from services.submission.preparation_cases import draft_fiche as draft
from services.submission.store import Fiches
from shared.contracts.references import WithdrawalReason
from shared.errors import NotAllowedNow, Stale
from shared.identity import Principal
from tests.services.submission import filings as f
from tests.support.fiches import GOLDEN_OPCO, GOLDEN_REFERENCE

SAVED = CHANGES_KEPT + 2


def often_saved() -> Preparation:
    held: Preparation | None = None
    for n in range(1, SAVED + 1):
        named = Named(f.FICHE, GOLDEN_OPCO, GOLDEN_REFERENCE)
        held = draft_fiche(named, {"title": f"POEC {n}", "objective": "" if n < SAVED else "Recruter"}, f.NOON, held).fiche
    assert held is not None and held.revision == SAVED
    return held


@pytest.mark.parametrize(
    ("read", "told"),
    [
        (SAVED - 1, {"changed": "objective,title", "changed_count": 2}),
        (SAVED - 2, {"changed": "objective,title", "changed_count": 2}),
        (SAVED - CHANGES_KEPT, {"changed": "objective,title", "changed_count": 2}),
        (SAVED - CHANGES_KEPT - 1, {}),
        (SAVED + 1, {}),
    ],
)
def test_what_changed_since_is_named_as_far_back_as_it_is_kept(read: int, told: dict[str, object]) -> None:
    with pytest.raises(Stale) as stale:
        preparation_at_revision(often_saved(), read)
    (objection,) = stale.value.objections
    assert objection.facts == {"read": read, "current": SAVED, **told}


def test_who_has_read_the_present_revision_goes_on_and_of_nothing_nothing_was_read() -> None:
    preparation_at_revision(often_saved(), SAVED)
    with pytest.raises(Stale):
        preparation_at_revision(None, 1)


def another(prepared: int, held: Preparation | None = None) -> Preparation:
    return draft_fiche(Named(f.FICHE, GOLDEN_OPCO, GOLDEN_REFERENCE, prepared), {"title": "POEC"}, f.NOON, held).fiche


def test_an_opco_begins_drafts_up_to_its_limit_and_goes_on_with_those_it_has() -> None:
    last = another(MOST_OPEN - 1)
    with pytest.raises(NotAllowedNow) as refused:
        another(MOST_OPEN)
    (objection,) = refused.value.objections
    assert (objection.code, objection.facts) == ("PREPARATIONS_OPEN", {"limit": MOST_OPEN})
    assert "1\u202f000 brouillons" in objection.message
    assert another(MOST_OPEN, replace(last, fields={})).revision == 2


def test_what_one_transaction_prepares_counts_for_what_follows_in_it() -> None:
    fiches = Fiches(prepared=MOST_OPEN - 1)
    opco = Principal(GOLDEN_OPCO, GOLDEN_OPCO, "machine", frozenset({"opco"}))
    draft(fiches, opco, "D-1", {"title": "POEC"}, f.NOON)
    with pytest.raises(NotAllowedNow):
        draft(fiches, opco, "D-2", {"title": "POEC"}, f.NOON)
    draft(fiches, opco, "D-1", {"title": "POEC, suite"}, f.NOON)


def test_a_draft_is_saved_up_to_its_limit_and_then_filed_or_dropped() -> None:
    held = replace(another(0), revision=MOST_SAVINGS - 1, fields={})
    last = another(0, held)
    assert last.revision == MOST_SAVINGS
    with pytest.raises(NotAllowedNow) as refused:
        another(0, replace(last, fields={}))
    assert [one.code for one in refused.value.objections] == ["SAVINGS_OVER"]
    assert drop_preparation(last, WithdrawalReason.AUTRE, f.NOON).fiche.status is Status.WITHDRAWN


@pytest.mark.parametrize(
    ("held", "saved", "fits"),
    [
        (None, MOST_TEMPLATES - 1, True),
        (None, MOST_TEMPLATES, False),
        (TemplateStatus.SAVED, MOST_TEMPLATES, True),
        (TemplateStatus.DELETED, MOST_TEMPLATES - 1, True),
        (TemplateStatus.DELETED, MOST_TEMPLATES, False),
    ],
)
def test_an_opco_keeps_templates_up_to_its_limit_and_replaces_those_it_has(
    held: TemplateStatus | None, saved: int, fits: bool
) -> None:
    before = FormTemplate(f.FICHE, GOLDEN_OPCO, "Peintres", held, f.NOON, {}) if held else None
    with nullcontext() if fits else pytest.raises(NotAllowedNow, match="TEMPLATES_KEPT"):
        room_for_template(before, saved)
