"""Buttons pressed twice, and forms that come after the state moved on: one effect, one answer, no text lost."""

from typing import Any
from uuid import uuid4

from services.submission.form_fields import fields_of
from shared.contracts.fiche import fiche_id
from tests.services.submission import filings as f
from tests.services.submission.room import Room
from tests.support.fiches import GOLDEN_OPCO, PAST_WARNINGS, golden_content, golden_json


async def sent_back(room: Room, reference: str) -> Any:
    """File a fiche and ask for its completion; return where its form is."""
    body = {"reference": reference, "content": golden_json(), "acknowledged": list(PAST_WARNINGS)}
    made = (await room.post(GOLDEN_OPCO, "", body)).json()["fiche_id"]
    await room.hear((f.ASKED.model_copy(update={"fiche_id": fiche_id(GOLDEN_OPCO, reference)}), 1))
    return made


async def test_a_button_pressed_twice_files_once_and_leads_to_the_fiche_both_times(room: Room) -> None:
    fields = fields_of(golden_content())
    made = (await room.post(GOLDEN_OPCO, "/drafts", {"reference": "FORM-F", "fields": fields})).json()["fiche_id"]
    form = {"revision": "1", "idempotency_key": uuid4().hex, "acknowledged": list(PAST_WARNINGS)}
    path = f"/espace/brouillons/{made}/relire"
    first, again = [await room.form(GOLDEN_OPCO, path, form) for _ in range(2)]
    assert (first.status_code, first.headers["location"]) == (303, f"/espace/fiches/{made}?fait=depot"), first.text
    assert (again.status_code, again.headers["location"]) == (303, f"/espace/fiches/{made}?fait=deja-deposee")
    shown = await room.read(GOLDEN_OPCO, again.headers["location"])
    assert "La fiche est déjà déposée." in shown.text
    other = await room.form("akto", path, form)
    assert other.status_code == 404, "another organisation is told of no fiche"


async def test_a_completion_sent_twice_is_one_and_leads_to_the_fiche_both_times(room: Room) -> None:
    made = await sent_back(room, "FORM-C")
    typed = {**fields_of(golden_content()), "revision": "1", "acknowledged": list(PAST_WARNINGS), "idempotency_key": uuid4().hex}
    for _ in range(2):
        answer = await room.form(GOLDEN_OPCO, f"/espace/fiches/{made}/contenu?pour=completion", typed)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/espace/fiches/{made}?fait=complement"), answer.text
    assert (await room.get(GOLDEN_OPCO, f"/{made}")).json()["revision"] == 2


async def test_a_completion_that_comes_too_late_says_so_and_keeps_what_was_typed(room: Room) -> None:
    made = await sent_back(room, "FORM-L")
    assert (await room.post(GOLDEN_OPCO, f"/{made}/withdrawal", {"reason": "BESOIN_DISPARU"})).status_code == 200
    typed = {**fields_of(golden_content()), "title": "Peintre au pistolet", "revision": "1", "acknowledged": list(PAST_WARNINGS)}
    late = await room.form(GOLDEN_OPCO, f"/espace/fiches/{made}/contenu?pour=completion", typed)
    assert late.status_code == 409
    assert "Peintre au pistolet" in late.text and "La fiche est à l’état «\u202fRetirée\u202f»" in late.text
    shown = await room.read(GOLDEN_OPCO, f"/espace/fiches/{made}/contenu?pour=completion")
    assert shown.status_code == 409, "a form that cannot be sent is not shown"
