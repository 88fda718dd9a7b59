"""Forms that no page of ours sends: numbers in other digits, rows and years that are none. No page fails, nothing odd is kept."""

import pytest

from tests.services.submission.room import Room
from tests.support.fiches import GOLDEN_OPCO


@pytest.mark.parametrize(("who", "form", "rows"), [("dreets", "adoption", "targets"), (GOLDEN_OPCO, "livraison", "estimates")])
async def test_a_form_of_a_year_takes_rows_by_their_places_and_no_year_that_is_not_kept(
    room: Room, who: str, form: str, rows: str
) -> None:
    odd = await room.form(who, f"/espace/programmes/2063/{form}", {f"{rows}.\u00b2.rome": "G1602"})
    assert odd.status_code in (303, 422), "a place in other digits is none"
    for year in (2017, 2101, 10**12):
        assert (await room.form(who, f"/espace/programmes/{year}/{form}", {})).status_code == 404
    kept = "SELECT year FROM delivery UNION ALL SELECT year FROM programme"
    assert {row["year"] for row in await room.fetch(kept)} <= set(range(2018, 2101))


async def test_a_number_in_other_digits_is_kept_as_it_was_typed_and_no_page_of_its_draft_fails(room: Room) -> None:
    fields = {"title": "Peintre", "sessions.0.number": "\u00b2", "sessions.0.seats": "8", "sessions.1.seats": "12"}
    made = (await room.post(GOLDEN_OPCO, "/drafts", {"reference": "FORM-N", "fields": fields})).json()["fiche_id"]
    for step in ("sessions", "relire"):
        shown = await room.read(GOLDEN_OPCO, f"/espace/brouillons/{made}/{step}")
        assert shown.status_code == 200
        assert step == "relire" or 'value="\u00b2"' in shown.text
    typed = {"revision": "1", "sessions.0.number": "\u00b2", "sessions.0.seats": "8", "sessions.1.seats": "14", "vers": "ici"}
    kept = await room.form(GOLDEN_OPCO, f"/espace/brouillons/{made}/sessions", typed)
    assert kept.status_code == 303, kept.text
