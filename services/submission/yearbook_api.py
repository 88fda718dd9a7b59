"""HTTP in: campaigns, conferences, programmes and declarations. The conference's decisions come from the DREETS, the rest from OPCOs.

Changing a campaign, a conference or a programme that is there says in If-Match which revision was read.
"""

from collections.abc import Callable
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel

from services.submission import yearbook_read_cases as reads
from services.submission import yearbook_use_cases as story
from services.submission.domain.campaigns import Campaign, Dates, Why
from services.submission.domain.conferences import Conference, Recording, conference_id
from services.submission.domain.declarations import Figure
from services.submission.domain.deliveries import Estimate, delivery_id, months_around
from services.submission.domain.targets import Adopting
from services.submission.domain.yearbook import Decided
from services.submission.yearbook_answers import (
    campaign_out,
    comparison_out,
    conference_out,
    declaration_out,
    delivery_out,
    programme_out,
    reconciliation_out,
    resolutions,
)
from services.submission.yearbook_bodies import (
    AdoptionIn,
    CampaignDatesIn,
    CampaignIn,
    CampaignOut,
    CampaignsOut,
    ComparisonOut,
    ConferenceIn,
    ConferenceOut,
    ConferencesOut,
    CorrectionIn,
    DeclarationIn,
    DeclarationOut,
    DeliveriesOut,
    DeliveryIn,
    DeliveryOut,
    ExtensionIn,
    ProgrammeOut,
    ReconciliationOut,
)
from services.submission.yearbook_place_answers import day_of, link, month_of, quarter_of
from services.submission.yearbook_store import Yearbook
from services.submission.yearbook_use_cases import On
from shared.contracts.campaigns import Target, campaign_id, declaration_id, programme_id
from shared.http import Answer, Ask, answers, database, door, ok, signed_in, takes
from shared.identity import Principal
from shared.policy import authorize

B = TypeVar("B", bound=BaseModel)
Year = Annotated[int, Path(ge=2018, le=2100)]
Limit = Annotated[int, Query(ge=1, le=100)]
Few = Annotated[int, Query(ge=1, le=20)]
"""How many deliveries or revisions are answered at once: each has up to 2,000 lines."""
After = Annotated[str | None, Query(max_length=40)]
router = APIRouter(tags=["yearbook"])


@router.get("/campaigns", responses=answers(CampaignsOut))
async def get_campaigns(
    request: Request,
    year: Annotated[int | None, Query(ge=2018, le=2100)] = None,
    after: After = None,
    limit: Limit = 50,
) -> Response:
    """Return a page of campaigns, of a year or of all, the latest quarter first; `Link` names the next page."""
    principal = await signed_in(request)
    before = quarter_of(after) if after else None
    found = await reads.read_campaigns(database(request), principal, year, before, limit + 1)
    page = found[:limit]
    following = f"{page[-1].year}-T{page[-1].quarter}" if len(found) > limit else None
    body = CampaignsOut(campaigns=tuple(map(campaign_out, page)), next=following)
    return ok(body, headers=link("/campaigns", {"year": year}, following, limit))


@router.post("/campaigns", status_code=201, openapi_extra=takes(CampaignIn), responses=answers(CampaignOut, 201))
async def post_campaign(request: Request) -> Response:
    """Open the campaign of a quarter (DREETS)."""

    def ids(_principal: Principal, body: CampaignIn) -> list[UUID]:
        return [campaign_id(body.year, body.quarter)]

    def act(book: Yearbook, ask: Ask[CampaignIn]) -> Answer:
        body = ask.body
        dates = Dates(body.opens_on, body.deadline)
        return _campaign(story.open_campaign(book, ask.principal, body.year, body.quarter, dates, ask.at), 201)

    return await door(request, "yearbook").command(request, CampaignIn, ids, act)


@router.get("/campaigns/{campaign_id}", responses=answers(CampaignOut))
async def get_campaign(request: Request, campaign_id: UUID) -> Response:
    """Return a campaign; its ETag is what a change repeats in If-Match."""
    campaign = await reads.read_campaign(database(request), await signed_in(request), campaign_id)
    return ok(campaign_out(campaign), revision=campaign.revision)


@router.post("/campaigns/{campaign_id}/dates", openapi_extra=takes(CampaignDatesIn), responses=answers(CampaignOut))
async def post_campaign_dates(request: Request, campaign_id: UUID) -> Response:
    """Give a campaign other dates, for everybody (DREETS; If-Match)."""

    def act(book: Yearbook, ask: Ask[CampaignDatesIn]) -> Answer:
        authorize(ask.principal, "manage_yearbook")
        body, on = ask.body, On(ask.principal, campaign_id, ask.required_revision())
        why = Why(body.reason, body.acknowledged, ask.at)
        return _campaign(story.move_campaign(book, on, Dates(body.opens_on, body.deadline), why))

    return await _on(request, campaign_id, CampaignDatesIn, act)


@router.post("/campaigns/{campaign_id}/extensions", openapi_extra=takes(ExtensionIn), responses=answers(CampaignOut))
async def post_extension(request: Request, campaign_id: UUID) -> Response:
    """Give one OPCO, or all, more time (DREETS; If-Match)."""

    def act(book: Yearbook, ask: Ask[ExtensionIn]) -> Answer:
        authorize(ask.principal, "manage_yearbook")
        body, on = ask.body, On(ask.principal, campaign_id, ask.required_revision())
        why = Why(body.reason, body.acknowledged, ask.at)
        return _campaign(story.extend_campaign(book, on, body.opco, body.deadline, why))

    return await _on(request, campaign_id, ExtensionIn, act)


@router.get("/conferences", responses=answers(ConferencesOut))
async def get_conferences(request: Request, after: After = None, limit: Limit = 50) -> Response:
    """Return a page of conferences, the latest first; `Link` names the next page."""
    principal = await signed_in(request)
    before = day_of(after) if after else None
    found = await reads.read_conferences(database(request), principal, before, limit + 1)
    page = found[:limit]
    following = page[-1].held_on.isoformat() if len(found) > limit else None
    body = ConferencesOut(conferences=tuple(map(conference_out, page)), next=following)
    return ok(body, headers=link("/conferences", {}, following, limit))


@router.post("/conferences", status_code=201, openapi_extra=takes(ConferenceIn), responses=answers(ConferenceOut, 201))
async def post_conference(request: Request) -> Response:
    """Put a conference on record: its agenda, and what was decided (DREETS)."""

    def ids(_principal: Principal, body: ConferenceIn) -> list[UUID]:
        return [conference_id(body.held_on), *_decided(body)]

    def act(book: Yearbook, ask: Ask[ConferenceIn]) -> Answer:
        body = ask.body
        recording = Recording(body.agenda, resolutions(body.decisions), body.acknowledged, ask.at, story.linked(book))
        return _conference(story.record_conference(book, ask.principal, body.held_on, recording), 201)

    return await door(request, "yearbook").command(request, ConferenceIn, ids, act)


@router.get("/conferences/{conference_id}", responses=answers(ConferenceOut))
async def get_conference(request: Request, conference_id: UUID) -> Response:
    """Return a conference as it stands on record."""
    conference = await reads.read_conference(database(request), await signed_in(request), conference_id)
    return ok(conference_out(conference), revision=conference.revision)


@router.post(
    "/conferences/{conference_id}/corrections", openapi_extra=takes(CorrectionIn), responses=answers(ConferenceOut)
)
async def post_correction(request: Request, conference_id: UUID) -> Response:
    """Put something else on record of a conference; what stood there stays in its history (DREETS; If-Match)."""

    def ids(_principal: Principal, body: CorrectionIn) -> list[UUID]:
        return [conference_id, *_decided(body)]

    def act(book: Yearbook, ask: Ask[CorrectionIn]) -> Answer:
        authorize(ask.principal, "manage_yearbook")
        body, on = ask.body, On(ask.principal, conference_id, ask.required_revision())
        recording = Recording(
            body.agenda, resolutions(body.decisions), body.acknowledged, ask.at, story.linked(book), body.reason
        )
        return _conference(story.correct_conference(book, on, recording))

    return await door(request, "yearbook").command(request, CorrectionIn, ids, act)


@router.get("/programmes/{year}", responses=answers(ComparisonOut))
async def get_programme(request: Request, year: Year) -> Response:
    """Return a year's programme beside what is known, intended and estimated of it now; an OPCO reads its own lines."""
    now, programme, lines = await reads.compare_programme(database(request), await signed_in(request), year)
    return ok(comparison_out(year, now, programme, lines), revision=programme.revision if programme else None)


@router.post("/programmes/{year}/revisions", openapi_extra=takes(AdoptionIn), responses=answers(ProgrammeOut))
async def post_revision(request: Request, year: Year) -> Response:
    """Adopt a year's programme, or revise it: the whole of it (DREETS; If-Match once there is one)."""

    def act(book: Yearbook, ask: Ask[AdoptionIn]) -> Answer:
        authorize(ask.principal, "manage_yearbook")
        body = ask.body
        read = ask.required_revision() if book.programmes.get(programme_id(year)) else ask.if_match
        aimed = tuple(Target(**target.model_dump()) for target in body.targets)
        adopting = Adopting(body.adopted_on, aimed, body.acknowledged, ask.at, _rome(request))
        decided = story.adopt_programme(book, ask.principal, year, read, adopting)
        return Answer(200, programme_out(decided.state, decided.warnings), revision=decided.state.revision)

    return await _on(request, programme_id(year), AdoptionIn, act)


@router.get("/programmes/{year}/deliveries", responses=answers(DeliveriesOut))
async def get_deliveries(request: Request, year: Year, after: After = None, limit: Few = 10) -> Response:
    """Return a page of what OPCOs told about a year, the latest month first; an OPCO reads its own."""
    principal = await signed_in(request)
    before = month_of(after) if after else None
    found = await reads.read_deliveries(database(request), principal, year, before, limit + 1)
    page = found[:limit]
    following = f"{page[-1].month}.{page[-1].opco}" if len(found) > limit else None
    body = DeliveriesOut(deliveries=tuple(map(delivery_out, page)), next=following)
    return ok(body, headers=link(f"/programmes/{year}/deliveries", {}, following, limit))


@router.post("/programmes/{year}/deliveries", openapi_extra=takes(DeliveryIn), responses=answers(DeliveryOut))
async def post_delivery(request: Request, year: Year) -> Response:
    """Tell what is expected for the months to come; told again within the month, it replaces what was told (OPCO)."""
    now = await database(request).now()

    def ids(principal: Principal, _body: DeliveryIn) -> list[UUID]:
        return [delivery_id(principal.organisation, year, month) for month in months_around(now)]

    def act(book: Yearbook, ask: Ask[DeliveryIn]) -> Answer:
        estimates = tuple(Estimate(**vars(one)) for one in ask.body.estimates)
        decided = story.deliver_estimates(book, ask.principal, year, estimates, ask.at, _rome(request))
        return Answer(200, delivery_out(decided.state), revision=decided.state.revision)

    return await door(request, "yearbook").command(request, DeliveryIn, ids, act)


@router.get("/declarations/{year}", responses=answers(ReconciliationOut))
async def get_declarations(request: Request, year: Year) -> Response:
    """Return what OPCOs declared for a year beside the fiches received, as of now; an OPCO reads its own line."""
    now, lines = await reads.reconcile(database(request), await signed_in(request), year)
    return ok(reconciliation_out(year, now, lines))


@router.post(
    "/declarations", status_code=201, openapi_extra=takes(DeclarationIn), responses=answers(DeclarationOut, 201)
)
async def post_declaration(request: Request) -> Response:
    """Declare how many projects the OPCO has for a year; a correction is a new declaration (OPCO)."""

    def ids(principal: Principal, body: DeclarationIn) -> list[UUID]:
        return [declaration_id(principal.organisation, body.year)]

    def act(book: Yearbook, ask: Ask[DeclarationIn]) -> Answer:
        body = ask.body
        figure = Figure(body.as_of, body.number, body.source)
        decided = story.declare_projects(book, ask.principal, body.year, figure, ask.at)
        location = f"/declarations/{body.year}"
        return Answer(201, declaration_out(decided.state), revision=decided.state.revision, location=location)

    return await door(request, "yearbook").command(request, DeclarationIn, ids, act)


async def _on(
    request: Request, identifier: UUID, body_type: type[B], act: Callable[[Yearbook, Ask[B]], Answer]
) -> Response:
    """Carry a command out on one record."""
    return await door(request, "yearbook").command(request, body_type, lambda _principal, _body: [identifier], act)


def _campaign(decided: Decided[Campaign], status: int = 200) -> Answer:
    campaign = decided.state
    location = f"/campaigns/{campaign.id}" if status == 201 else None
    return Answer(status, campaign_out(campaign, decided.warnings), campaign.revision, location)


def _conference(decided: Decided[Conference], status: int = 200) -> Answer:
    conference = decided.state
    location = f"/conferences/{conference.id}" if status == 201 else None
    return Answer(status, conference_out(conference, decided.warnings), conference.revision, location)


def _decided(body: ConferenceIn | CorrectionIn) -> list[UUID]:
    """Return what the decisions of a conference name, each once."""
    return list(dict.fromkeys(one.decides for one in body.decisions if one.decides is not None))


def _rome(request: Request) -> frozenset[str]:
    listed: frozenset[str] = request.app.state.settings.given().references.rome
    return listed
