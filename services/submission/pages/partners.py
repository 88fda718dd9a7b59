"""The directory of partners: who accompanies people towards a POEC, by employment zone; kept by the Région, read by everybody."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from fastapi import Query, Request, Response

from services.submission import partners_cases as story
from services.submission.domain.partners import LABELS as STATUSES
from services.submission.domain.partners import Partner, PartnerStatus, partner_id
from services.submission.pages.form_choices import words_of
from services.submission.pages.year_forms import MOVED, at_revision, may, take
from services.submission.partners_bodies import PartnerIn, RetirementIn, SheetIn, partner_out
from services.submission.partners_store import Partners, Wanted
from services.submission.reference.lists import ListName
from shared.contracts.labels import LABELS
from shared.contracts.references import PartnerKind
from shared.http import Answer, Ask, database, signed_in
from shared.identity import Principal
from shared.policy import authorize
from shared.web.entry import Entry
from shared.web.forms import Posted
from shared.web.pages import page_router, render

router = page_router()
DOOR: Final = "partners"
SHOWN: Final = 50
_SHEET: Final = ("name", "kind", "mailbox", "web")


@router.get("/partenaires")
async def partners_page(
    request: Request,
    zone: str = Query("", max_length=4),
    reseau: str = Query("", max_length=40),
    recherche: str = Query("", max_length=100),
    retires: str = Query("", max_length=3),
    apres: str = Query("", max_length=80),
    fait: str = "",
) -> Response:
    """Show the partners of a zone, of a network, or whose name begins so."""
    principal = await signed_in(request)
    kind = PartnerKind(reseau) if reseau in list(PartnerKind) else None
    wanted = Wanted(zone or None, kind, recherche, retires == "oui")
    found = await story.read_partners(database(request), principal, wanted, apres or None, SHOWN + 1)
    chosen = {"zone": zone, "reseau": reseau, "recherche": recherche, "retires": retires}
    return render(
        request,
        "partners/list.html",
        partners=found[:SHOWN],
        entry=Entry.of(chosen),
        filtered=any(chosen.values()),
        following=request.url.include_query_params(apres=found[SHOWN - 1].code).query if len(found) > SHOWN else None,
        zones=words_of(ListName.ZONES),
        kinds=LABELS[PartnerKind],
        statuses=STATUSES,
        manages=may(principal, "manage_partners"),
        done=fait,
    )


@router.get("/partenaires/nouveau")
async def new_partner_page(request: Request) -> Response:
    """Show the form that puts a partner into the directory."""
    authorize(await signed_in(request), "manage_partners")
    return _sheet(request, None, Entry.of({}))


@router.post("/partenaires/nouveau")
async def post_new_partner_page(request: Request) -> Response:
    """Put a partner into the directory."""

    def document(sent: Posted) -> Mapping[str, Any]:
        return {"code": sent.given("code"), **_typed(sent)}

    def ids(_principal: Principal, body: PartnerIn) -> list[UUID]:
        return [partner_id(body.code)]

    def act(partners: Partners, ask: Ask[PartnerIn]) -> Answer:
        body = ask.body
        held = partners.get(partner_id(body.code))
        new = story.record_partner(partners, ask.principal, body.code, body.sheet(), body.acknowledged, ask.at)
        made = new is not held
        where = f"/partners/{new.id}" if made else None
        return Answer(201 if made else 200, partner_out(new), revision=new.revision, location=where)

    async def again(_principal: Principal, entry: Entry, status: int) -> Response:
        return _sheet(request, None, entry, status)

    done = "/espace/partenaires?fait=inscrit"
    return await take(request, "manage_partners", PartnerIn, document, ids, act, again, done, DOOR)


@router.get("/partenaires/{partner_id}")
async def partner_page(request: Request, partner_id: UUID) -> Response:
    """Show what the directory says of a partner in a form."""
    held = await _managed(request, partner_id)
    typed: dict[str, object] = {name: getattr(held.sheet, name) for name in _SHEET}
    return _sheet(request, held, Entry.of({**typed, "zones": held.sheet.zones}, revision=held.revision))


@router.post("/partenaires/{partner_id}")
async def post_partner_page(request: Request, partner_id: UUID) -> Response:
    """Change what the directory says of a partner, or take it up again."""

    def act(partners: Partners, ask: Ask[SheetIn]) -> Answer:
        revision, body = ask.required_revision(), ask.body
        new = story.change_partner(
            partners, ask.principal, partner_id, revision, body.sheet(), body.acknowledged, ask.at
        )
        return Answer(200, partner_out(new), revision=new.revision)

    async def again(principal: Principal, entry: Entry, status: int) -> Response:
        held = await story.read_partner(database(request), principal, partner_id)
        return _sheet(request, held, at_revision(entry, held.revision, status), status)

    done = "/espace/partenaires?fait=modifie"
    return await take(
        request, "manage_partners", SheetIn, _typed, lambda _who, _body: [partner_id], act, again, done, DOOR
    )


@router.get("/partenaires/{partner_id}/retrait")
async def retirement_page(request: Request, partner_id: UUID) -> Response:
    """Ask whether a partner is to leave the directory."""
    held = await _managed(request, partner_id)
    return _retirement(request, held, Entry.of({}, revision=held.revision))


@router.post("/partenaires/{partner_id}/retrait")
async def post_retirement_page(request: Request, partner_id: UUID) -> Response:
    """Take a partner out of what may be chosen; fiches that name it keep it."""

    def act(partners: Partners, ask: Ask[RetirementIn]) -> Answer:
        new = story.retire_partner(partners, ask.principal, partner_id, ask.required_revision(), ask.at)
        return Answer(200, partner_out(new), revision=new.revision)

    async def again(principal: Principal, entry: Entry, status: int) -> Response:
        held = await story.read_partner(database(request), principal, partner_id)
        return _retirement(request, held, at_revision(entry, held.revision, status), status)

    done = "/espace/partenaires?fait=retire"
    return await take(
        request,
        "manage_partners",
        RetirementIn,
        lambda _sent: {},
        lambda _who, _body: [partner_id],
        act,
        again,
        done,
        DOOR,
    )


def _typed(sent: Posted) -> dict[str, Any]:
    said = {name: sent.given(name) for name in _SHEET}
    return {**said, "zones": [zone for zone in sent.texts("zones") if zone], "acknowledged": sent.acknowledged}


async def _managed(request: Request, identifier: UUID) -> Partner:
    principal = await signed_in(request)
    authorize(principal, "manage_partners")
    return await story.read_partner(database(request), principal, identifier)


def _sheet(request: Request, held: Partner | None, entry: Entry, status: int = 200) -> Response:
    zones = words_of(ListName.ZONES)
    return render(
        request,
        "partners/sheet.html",
        status=status,
        held=held,
        entry=entry,
        retired=held is not None and held.status is PartnerStatus.RETIRED,
        moved=status in MOVED,
        kinds=LABELS[PartnerKind],
        zones=zones,
        zone_names=", ".join(zones.get(zone, zone) for zone in held.sheet.zones) if held else "",
    )


def _retirement(request: Request, held: Partner, entry: Entry, status: int = 200) -> Response:
    retired = held.status is PartnerStatus.RETIRED
    return render(request, "partners/retirement.html", status=status, held=held, entry=entry, retired=retired)
