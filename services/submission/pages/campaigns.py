"""Campaigns: until when one files for each quarter, and what became of that.

Everybody who is concerned reads them; the DREETS opens, moves, gives more time.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query, Request, Response

from services.submission import yearbook_read_cases as reads
from services.submission import yearbook_use_cases as story
from services.submission.domain.campaigns import Campaign, Dates, Why
from services.submission.domain.dates import civil_date
from services.submission.pages.year_forms import at_revision, may, take
from services.submission.yearbook_answers import campaign_out
from services.submission.yearbook_bodies import CampaignDatesIn, CampaignIn, ExtensionIn
from services.submission.yearbook_place_answers import cut, quarter_of
from services.submission.yearbook_store import Yearbook
from services.submission.yearbook_use_cases import On
from shared.contracts.campaigns import campaign_id as id_of
from shared.contracts.references import OPCOS
from shared.http import Answer, Ask, database, signed_in
from shared.identity import Principal
from shared.policy import authorize
from shared.web.entry import Entry
from shared.web.forms import Posted
from shared.web.pages import page_router, render

router = page_router()
PAGE: Final = 20
"""Campaigns, or decisions on the dates of one, on one page."""


@router.get("/campagnes")
async def campaigns_page(request: Request, fait: str = "", campagne: str = "", apres: str = "") -> Response:
    """Show the deadlines, one's own where it is another."""
    principal = await signed_in(request)
    before = quarter_of(apres) if apres else None
    found, last = cut(await reads.read_campaigns(database(request), principal, None, before, PAGE + 1), PAGE)
    today = civil_date(await database(request).now())
    return render(
        request,
        "year/campaigns.html",
        campaigns=found,
        first="/espace/campagnes" if apres else None,
        following=f"/espace/campagnes?apres={last.year}-T{last.quarter}" if last else None,
        opco=principal.organisation if principal.organisation in OPCOS else None,
        today=today,
        over=any(str(one.id) == campagne and one.deadline < today for one in found),
        manages=may(principal, "manage_yearbook"),
        done=fait,
    )


@router.get("/campagnes/nouvelle")
async def new_campaign_page(request: Request) -> Response:
    """Show the form that opens a campaign."""
    authorize(await signed_in(request), "manage_yearbook")
    return render(request, "year/campaign_new.html", entry=Entry.of({}))


@router.post("/campagnes/nouvelle")
async def post_new_campaign_page(request: Request) -> Response:
    """Open the campaign of a quarter."""

    def document(sent: Posted) -> Mapping[str, Any]:
        days = {name: sent.given(name) for name in ("opens_on", "deadline")}
        return {"year": sent.whole("year"), "quarter": sent.whole("quarter"), **days}

    def ids(_principal: Principal, body: CampaignIn) -> list[UUID]:
        return [id_of(body.year, body.quarter)]

    def act(book: Yearbook, ask: Ask[CampaignIn]) -> Answer:
        body = ask.body
        dates = Dates(body.opens_on, body.deadline)
        decided = story.open_campaign(book, ask.principal, body.year, body.quarter, dates, ask.at)
        made = decided.state
        return Answer(201, campaign_out(made), revision=made.revision, location=f"/campaigns/{made.id}")

    async def again(_principal: Principal, entry: Entry, status: int) -> Response:
        return render(request, "year/campaign_new.html", status=status, entry=entry)

    def done(sent: Posted) -> str:
        opened = id_of(int(str(sent.whole("year"))), int(str(sent.whole("quarter"))))
        return f"/espace/campagnes?fait=ouverte&campagne={opened}"

    return await take(request, "manage_yearbook", CampaignIn, document, ids, act, again, done)


@router.get("/campagnes/{campaign_id}")
async def campaign_page(
    request: Request, campaign_id: UUID, fait: str = "", apres: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None
) -> Response:
    """Show a campaign with the decisions on its dates, the last one first."""
    principal = await signed_in(request)
    campaign = await reads.read_campaign(database(request), principal, campaign_id)
    found = await reads.read_campaign_history(database(request), principal, campaign_id, apres, PAGE + 1)
    history, last = cut(found, PAGE)
    here = f"/espace/campagnes/{campaign_id}"
    return render(
        request,
        "year/campaign.html",
        campaign=campaign,
        history=history,
        first=here if apres else None,
        following=f"{here}?apres={last.revision}" if last else None,
        opcos=OPCOS,
        manages=may(principal, "manage_yearbook"),
        done=fait,
    )


@router.get("/campagnes/{campaign_id}/dates")
async def dates_page(request: Request, campaign_id: UUID) -> Response:
    """Show the form that gives a campaign other dates."""
    campaign = await _managed(request, campaign_id)
    typed = {"opens_on": campaign.opens_on, "deadline": campaign.deadline}
    return _form(request, "dates", campaign, Entry.of(typed, revision=campaign.revision))


@router.post("/campagnes/{campaign_id}/dates")
async def post_dates_page(request: Request, campaign_id: UUID) -> Response:
    """Give a campaign other dates, for everybody."""

    def act(book: Yearbook, ask: Ask[CampaignDatesIn]) -> Answer:
        body, on = ask.body, On(ask.principal, campaign_id, ask.required_revision())
        why = Why(body.reason, body.acknowledged, ask.at)
        return _answer(story.move_campaign(book, on, Dates(body.opens_on, body.deadline), why).state)

    return await _change(request, campaign_id, "dates", CampaignDatesIn, ("opens_on", "deadline", "reason"), act)


@router.get("/campagnes/{campaign_id}/prolongation")
async def extension_page(request: Request, campaign_id: UUID) -> Response:
    """Show the form that gives more time."""
    campaign = await _managed(request, campaign_id)
    return _form(request, "prolongation", campaign, Entry.of({}, revision=campaign.revision))


@router.post("/campagnes/{campaign_id}/prolongation")
async def post_extension_page(request: Request, campaign_id: UUID) -> Response:
    """Give one OPCO, or all, more time."""

    def act(book: Yearbook, ask: Ask[ExtensionIn]) -> Answer:
        body, on = ask.body, On(ask.principal, campaign_id, ask.required_revision())
        why = Why(body.reason, body.acknowledged, ask.at)
        return _answer(story.extend_campaign(book, on, body.opco, body.deadline, why).state)

    return await _change(request, campaign_id, "prolongation", ExtensionIn, ("opco", "deadline", "reason"), act)


async def _managed(request: Request, campaign_id: UUID) -> Campaign:
    principal = await signed_in(request)
    authorize(principal, "manage_yearbook")
    return await reads.read_campaign(database(request), principal, campaign_id)


def _answer(campaign: Campaign) -> Answer:
    return Answer(200, campaign_out(campaign), revision=campaign.revision)


def _form(request: Request, what: str, campaign: Campaign, entry: Entry, status: int = 200) -> Response:
    choices = sorted(OPCOS.items(), key=lambda one: one[1])
    return render(
        request, "year/campaign_change.html", status=status, what=what, campaign=campaign, entry=entry, opcos=choices
    )


async def _change(
    request: Request,
    campaign_id: UUID,
    what: str,
    body_type: type[Any],
    names: tuple[str, ...],
    act: Callable[[Yearbook, Ask[Any]], Answer],
) -> Response:
    def document(sent: Posted) -> Mapping[str, Any]:
        return {**{name: sent.given(name) for name in names}, "acknowledged": sent.acknowledged}

    async def again(principal: Principal, entry: Entry, status: int) -> Response:
        campaign = await reads.read_campaign(database(request), principal, campaign_id)
        return _form(request, what, campaign, at_revision(entry, campaign.revision, status), status)

    done = f"/espace/campagnes/{campaign_id}?fait={what}"
    return await take(
        request, "manage_yearbook", body_type, document, lambda _principal, _body: [campaign_id], act, again, done
    )
