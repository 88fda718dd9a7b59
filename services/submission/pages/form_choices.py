"""What the fields of the form are chosen from, and what helps to type them: labels and codes of the reference lists."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Final

from fastapi import Query, Request, Response

from services.submission.pages.form_parts import Box
from services.submission.reference.lists import Entry, ListName, reference_list
from shared.contracts.references import DEPARTMENTS
from shared.http import signed_in
from shared.policy import authorize
from shared.web.french import by_label
from shared.web.pages import page_router, render

router = page_router()
Pairs = Sequence[tuple[str, str]]
OFFERED: Final = 60
"""So many communes help at once; more are found by what is typed."""
_BY_NAME: Final = frozenset({ListName.ZONES, ListName.ROME, ListName.COMMUNES})


def choices_for(fields: Mapping[str, str], partners: Pairs = ()) -> Callable[[Box], Pairs]:
    """Return what a field is chosen from; what it holds already is among it, also where no list knows it any more.

    `partners` are those of the directory that a fiche may choose.
    """

    def choices(box: Box) -> Pairs:
        known = _pairs(box.choices) if box.choices else partners if box.path == "sourcing.partner_ids" else ()
        if not known:
            return ()
        codes = {code for code, _ in known}
        start = f"{box.path}."
        held = {text for path, text in fields.items() if path == box.path or path.startswith(start)}
        return [*known, *((text, f"{text} (saisi)") for text in sorted(held - codes) if box.widget != "boxes")]

    return choices


def words_of(name: ListName) -> Mapping[str, str]:
    """Return what the codes of a list are called."""
    return dict(_pairs(name))


def words_for(box: Box) -> Mapping[str, str]:
    """Return what the codes of a field are called, of those too that are typed."""
    if box.offers is ListName.COMMUNES:
        return {one.code: commune_in_words(one) for one in reference_list(ListName.COMMUNES).entries.values()}
    named = box.choices or box.offers
    return dict(_pairs(named)) if named else {"oui": "Oui", "non": "Non"} if box.widget in ("yes_no", "tick") else {}


def offers_for(opco: str, fields: Mapping[str, str]) -> Callable[[Box], Pairs]:
    """Return what helps to type a field: branches of the OPCO, communes of the zone chosen, and the short lists whole."""

    def offers(box: Box) -> Pairs:
        if box.offers is ListName.BRANCHES:
            return [
                (one.code, one.label) for one in reference_list(ListName.BRANCHES).entries.values() if one.opco == opco
            ]
        if box.offers is ListName.COMMUNES:
            return communes("", fields.get("place.zone_emploi", ""))
        return _pairs(box.offers) if box.offers else ()

    return offers


@router.get("/listes/communes")
async def communes_page(
    request: Request,
    typed: str = Query("", max_length=60, alias="place.insee"),
    zone: str = Query("", max_length=4, alias="place.zone_emploi"),
) -> Response:
    """Return the options that help to type a commune, by the beginning of its name or its code; fields are those of the form."""
    authorize(await signed_in(request), "read_references")
    return render(request, "form/options.html", pairs=communes(typed, zone))


def communes(typed: str, zone: str) -> Pairs:
    """Return communes by what was typed, the largest first; those of a zone where nothing was."""
    listed = reference_list(ListName.COMMUNES)
    if typed:
        found = listed.found(typed, OFFERED, lambda _one: True)
    else:
        of_zone = [one for one in listed.entries.values() if not zone or one.zone_emploi == zone]
        found = sorted(of_zone, key=lambda one: -(one.population or 0))[:OFFERED]
    return [(one.code, commune_in_words(one)) for one in found]


def commune_in_words(one: Entry) -> str:
    """Return a commune with its department: names come twice."""
    return f"{one.label} ({DEPARTMENTS.get(one.department or '', one.department)})"


@cache
def _pairs(name: ListName) -> Pairs:
    entries = reference_list(name).entries.values()
    pairs = [(one.code, one.label) for one in entries]
    return by_label(pairs) if name in _BY_NAME else pairs
