"""HTTP in: the directory of partners, kept by the Région, read by everybody who is signed in."""

from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.submission import partners_cases as story
from services.submission.domain.partners import Partner, partner_id
from services.submission.partners_bodies import PartnerIn, PartnerOut, PartnersOut, RetirementIn, SheetIn, partner_out
from services.submission.partners_store import Partners, Wanted
from shared.contracts.references import ZONES_EMPLOI, PartnerKind
from shared.errors import InvalidInput, Objection
from shared.http import Answer, Ask, answers, database, door, ok, signed_in, takes
from shared.policy import authorize

DOOR = "partners"
router = APIRouter(prefix="/partners", tags=["partners"])


@router.get("", responses=answers(PartnersOut))
async def get_partners(
    request: Request,
    zone: Annotated[str | None, Query(max_length=4, description="Zone d’emploi (ZE2020)")] = None,
    kind: PartnerKind | None = None,
    q: Annotated[str, Query(max_length=100, description="Débuts de mots, sans égard aux accents")] = "",
    retired: Annotated[bool, Query(description="Avec ceux qui sont retirés")] = False,
    after: Annotated[str | None, Query(max_length=60)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """Return a page of the directory; `Link` names the next page."""
    principal = await signed_in(request)
    if zone is not None and zone not in ZONES_EMPLOI:
        message = "Indiquez une zone d’emploi de Normandie par son code à 4 chiffres."
        raise InvalidInput(Objection("ZONE_UNKNOWN", message, field="zone"))
    found = await story.read_partners(database(request), principal, Wanted(zone, kind, q, retired), after, limit + 1)
    page = found[:limit]
    following = page[-1].code if len(found) > limit else None
    chosen = {
        "zone": zone,
        "kind": kind.value if kind else None,
        "q": q or None,
        "retired": "true" if retired else None,
    }
    query = urlencode({name: value for name, value in {**chosen, "limit": limit, "after": following}.items() if value})
    links = {"Link": f'</partners?{query}>; rel="next"'} if following else {}
    return ok(PartnersOut(partners=tuple(map(partner_out, page)), next=following), headers=links)


@router.get("/{partner_id}", responses=answers(PartnerOut))
async def get_partner(request: Request, partner_id: UUID) -> Response:
    """Return one partner; its ETag is what a change repeats in If-Match."""
    found = await story.read_partner(database(request), await signed_in(request), partner_id)
    return ok(partner_out(found), revision=found.revision)


@router.post(
    "", status_code=201, openapi_extra=takes(PartnerIn), responses={**answers(PartnerOut), **answers(PartnerOut, 201)}
)
async def post_partner(request: Request) -> Response:
    """Put a partner into the directory (Région); one that is there with the same sheet is answered as it is."""

    def act(partners: Partners, ask: Ask[PartnerIn]) -> Answer:
        body = ask.body
        held = partners.get(partner_id(body.code))
        new = story.record_partner(partners, ask.principal, body.code, body.sheet(), body.acknowledged, ask.at)
        return _answer(new, 200 if new is held else 201)

    return await door(request, DOOR).command(request, PartnerIn, lambda _who, body: [partner_id(body.code)], act)


@router.post("/{partner_id}/sheet", openapi_extra=takes(SheetIn), responses=answers(PartnerOut))
async def post_sheet(request: Request, partner_id: UUID) -> Response:
    """Change what the directory says of a partner, or take it up again (Région; If-Match)."""

    def act(partners: Partners, ask: Ask[SheetIn]) -> Answer:
        authorize(ask.principal, "manage_partners")
        revision, body = ask.required_revision(), ask.body
        sheet = body.sheet()
        new = story.change_partner(partners, ask.principal, partner_id, revision, sheet, body.acknowledged, ask.at)
        return _answer(new, 200)

    return await door(request, DOOR).command(request, SheetIn, lambda _who, _body: [partner_id], act)


@router.post("/{partner_id}/retirement", openapi_extra=takes(RetirementIn), responses=answers(PartnerOut))
async def post_retirement(request: Request, partner_id: UUID) -> Response:
    """Take a partner out of what may be chosen (Région); fiches that name it keep it."""

    def act(partners: Partners, ask: Ask[RetirementIn]) -> Answer:
        return _answer(story.retire_partner(partners, ask.principal, partner_id, ask.if_match, ask.at), 200)

    return await door(request, DOOR).command(request, RetirementIn, lambda _who, _body: [partner_id], act)


def _answer(partner: Partner, status: int) -> Answer:
    location = f"/partners/{partner.id}" if status == 201 else None
    return Answer(status, partner_out(partner), revision=partner.revision, location=location)
