"""HTTP out: what was on record for a year before, page by page, the last word first. Everybody reads the conference's, an OPCO its own."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from services.submission import yearbook_read_cases as reads
from services.submission.yearbook_answers import (
    adopted_out,
    dated_out,
    declared_out,
    delivered_out,
    minutes_out,
    revision_out,
)
from services.submission.yearbook_bodies import (
    AdoptedOut,
    CampaignHistoryOut,
    ConferenceHistoryOut,
    DeclarationHistoryOut,
    DeliveryHistoryOut,
    RevisionsOut,
)
from services.submission.yearbook_place_answers import cut, link, month_of, told_of
from shared.contracts.campaigns import programme_id
from shared.http import answers, database, ok, signed_in

Year = Annotated[int, Path(ge=2018, le=2100)]
Revision = Annotated[int, Path(ge=1, le=2**31 - 2)]
After = Annotated[str | None, Query(max_length=60)]
Before = Annotated[int | None, Query(ge=1, le=2**31 - 1)]
Limit = Annotated[int, Query(ge=1, le=100)]
Few = Annotated[int, Query(ge=1, le=20)]
"""How many are answered at once of what has up to 2,000 lines, or a hundred texts."""
router = APIRouter(tags=["yearbook"])


@router.get("/campaigns/{campaign_id}/history", responses=answers(CampaignHistoryOut))
async def get_campaign_history(
    request: Request, campaign_id: UUID, after: Before = None, limit: Limit = 50
) -> Response:
    """Return a page of the decisions on the dates of a campaign, the last one first; `Link` names the next page."""
    principal = await signed_in(request)
    found = await reads.read_campaign_history(database(request), principal, campaign_id, after, limit + 1)
    page, last = cut(found, limit)
    following = last.revision if last else None
    body = CampaignHistoryOut(history=tuple(map(dated_out, page)), next=following)
    return ok(body, headers=link(f"/campaigns/{campaign_id}/history", {}, following, limit))


@router.get("/conferences/{conference_id}/history", responses=answers(ConferenceHistoryOut))
async def get_conference_history(
    request: Request, conference_id: UUID, after: Before = None, limit: Few = 10
) -> Response:
    """Return a page of the versions of the record of a conference, the last one first; `Link` names the next page."""
    principal = await signed_in(request)
    found = await reads.read_conference_history(database(request), principal, conference_id, after, limit + 1)
    page, last = cut(found, limit)
    following = last.revision if last else None
    body = ConferenceHistoryOut(history=tuple(map(minutes_out, page)), next=following)
    return ok(body, headers=link(f"/conferences/{conference_id}/history", {}, following, limit))


@router.get("/programmes/{year}/revisions", responses=answers(RevisionsOut))
async def get_revisions(request: Request, year: Year, after: Before = None, limit: Few = 10) -> Response:
    """Return a page of the revisions of a year's programme, the last one first; an OPCO's own targets are counted alone."""
    principal = await signed_in(request)
    found = await reads.read_revisions(database(request), principal, year, after, limit + 1)
    page, last = cut(found, limit)
    following = last.revision if last else None
    body = RevisionsOut(
        programme_id=programme_id(year), year=year, revisions=tuple(map(revision_out, page)), next=following
    )
    return ok(body, headers=link(f"/programmes/{year}/revisions", {}, following, limit))


@router.get("/programmes/{year}/revisions/{revision}", responses=answers(AdoptedOut))
async def get_revision(request: Request, year: Year, revision: Revision) -> Response:
    """Return one revision of a year's programme whole; an OPCO reads its own targets."""
    found = await reads.read_revision(database(request), await signed_in(request), year, revision)
    return ok(adopted_out(found))


@router.get("/programmes/{year}/deliveries/history", responses=answers(DeliveryHistoryOut))
async def get_delivery_history(request: Request, year: Year, after: After = None, limit: Few = 10) -> Response:
    """Return a page of all that OPCOs ever delivered for a year, the latest month first; an OPCO reads its own."""
    principal = await signed_in(request)
    of, revision = told_of(after) if after else ("", 0)
    before = (*month_of(of), revision) if after else None
    found = await reads.read_delivery_history(database(request), principal, year, before, limit + 1)
    page, last = cut(found, limit)
    following = f"{last.month}.{last.opco}.{last.said.revision}" if last else None
    body = DeliveryHistoryOut(history=tuple(map(delivered_out, page)), next=following)
    return ok(body, headers=link(f"/programmes/{year}/deliveries/history", {}, following, limit))


@router.get("/declarations/{year}/history", responses=answers(DeclarationHistoryOut))
async def get_declaration_history(request: Request, year: Year, after: After = None, limit: Limit = 50) -> Response:
    """Return a page of all that OPCOs ever declared for a year, of each the last first; an OPCO reads its own."""
    principal = await signed_in(request)
    before = told_of(after) if after else None
    found = await reads.read_declaration_history(database(request), principal, year, before, limit + 1)
    page, last = cut(found, limit)
    following = f"{last.opco}.{last.said.revision}" if last else None
    body = DeclarationHistoryOut(history=tuple(map(declared_out, page)), next=following)
    return ok(body, headers=link(f"/declarations/{year}/history", {}, following, limit))
