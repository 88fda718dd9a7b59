"""Two people at one draft: who comes too late is told what changed, as long as that is known."""

import pytest

from services.submission.domain.fiche import CHANGES_KEPT
from services.submission.domain.preparation import Preparation
from services.submission.domain.preparing import Named, draft_fiche, preparation_at_revision
from shared.errors import Stale
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
