"""HTTP out: the lists that people and systems choose from, the same for everybody who is signed in.

They change with a version of the product only: an answer says by its ETag which one it is, and may be kept for an hour.
"""

import hashlib
from collections.abc import Callable
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from services.submission.domain.yearbook import opco_is_known
from services.submission.reference.lists import Entry, ListName, reference_list
from shared.contracts.fiche import Value
from shared.contracts.opco_names import Opco
from shared.errors import InvalidInput
from shared.http import answers, signed_in
from shared.policy import authorize

MOST: Final = 1000
KEPT_SECONDS: Final = 3600
router = APIRouter(prefix="/references", tags=["references"])


class ReferenceOut(Value):
    """A list: `closed` says that a code beside it is refused, `count` how many codes it has."""

    list: ListName
    title: str
    closed: bool
    origin: str
    count: int


class ReferencesOut(Value):
    """Every list there is."""

    lists: tuple[ReferenceOut, ...]


class EntryOut(Value):
    """A code with its label; of a commune, a branch, a Formacode, a derogation also what else is known."""

    code: str
    label: str
    opco: str | None
    department: str | None
    arrondissement: str | None
    zone_emploi: str | None
    postal_codes: tuple[str, ...]
    population: int | None
    nsf: str | None
    cap_hours: int | None


class EntriesOut(Value):
    """A page of a list, by code; what is found by `q` comes likeliest first and has no next page."""

    list: ListName
    title: str
    closed: bool
    origin: str
    entries: tuple[EntryOut, ...]
    next: str | None = None


_UNCHANGED: Final[dict[int | str, dict[str, Any]]] = {304: {"description": "Inchangé depuis l’ETag de If-None-Match"}}


@router.get("", responses={**answers(ReferencesOut), **_UNCHANGED})
async def get_references(request: Request) -> Response:
    """Return which lists there are."""
    authorize(await signed_in(request), "read_references")
    lists = (reference_list(name) for name in ListName)
    shown = (
        ReferenceOut(list=one.name, title=one.title, closed=one.closed, origin=one.origin, count=len(one.entries))
        for one in lists
    )
    return _kept(request, ReferencesOut(lists=tuple(shown)))


@router.get("/{name}", responses={**answers(EntriesOut), **_UNCHANGED})
async def get_reference(
    request: Request,
    name: ListName,
    q: Annotated[str | None, Query(max_length=100, description="Débuts de mots, sans égard aux accents")] = None,
    opco: Opco | None = None,
    department: Annotated[str | None, Query(max_length=2)] = None,
    zone_emploi: Annotated[str | None, Query(max_length=4)] = None,
    after: Annotated[str | None, Query(max_length=40, description="Dernier code de la page précédente")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> Response:
    """Return a page of a list, or what is found in it; `Link` names the next page."""
    authorize(await signed_in(request), "read_references")
    if unknown := opco_is_known(opco):
        raise InvalidInput(unknown)
    of, chosen = reference_list(name), _chosen(opco, department, zone_emploi)
    if q is not None:
        return _kept(request, _page(of.name, of.found(q, limit, chosen)))
    entries = of.after(after, limit + 1, chosen)
    following = entries[limit - 1].code if len(entries) > limit else None
    asked = {"opco": opco, "department": department, "zone_emploi": zone_emploi, "after": following, "limit": limit}
    query = urlencode({key: value for key, value in asked.items() if value is not None})
    links = {"Link": f'</references/{name.value}?{query}>; rel="next"'} if following else {}
    return _kept(request, _page(of.name, entries[:limit], following), links)


def _chosen(opco: str | None, department: str | None, zone_emploi: str | None) -> Callable[[Entry], bool]:
    """Return whether an element is of this OPCO, department and employment zone; None does not choose."""

    def chosen(entry: Entry) -> bool:
        pairs = ((opco, entry.opco), (department, entry.department), (zone_emploi, entry.zone_emploi))
        return all(wanted is None or wanted == has for wanted, has in pairs)

    return chosen


def _page(name: ListName, entries: list[Entry], following: str | None = None) -> EntriesOut:
    of = reference_list(name)
    shown = tuple(EntryOut.model_validate(entry, from_attributes=True) for entry in entries)
    return EntriesOut(list=name, title=of.title, closed=of.closed, origin=of.origin, entries=shown, next=following)


def _kept(request: Request, body: BaseModel, headers: dict[str, str] | None = None) -> Response:
    """Return an answer that may be kept, or that what is kept still holds."""
    text = body.model_dump_json().encode()
    tag = f'"{hashlib.sha256(text).hexdigest()[:32]}"'
    said = {"ETag": tag, "Cache-Control": f"private, max-age={KEPT_SECONDS}", **(headers or {})}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=said)
    return Response(text, 200, said, "application/json")
