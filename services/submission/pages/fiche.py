"""One fiche: what is expected of its OPCO and by when, its content, its sessions, its journey, its versions and what they differ in."""

import datetime as dt
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from services.submission import use_cases as story
from services.submission.domain.dates import civil_date
from services.submission.domain.expectations import duties
from services.submission.domain.fiche import CLOSED, LABELS, PREPARED, SESSION_LABELS, Fiche
from services.submission.domain.lifecycle import possible, version_words
from services.submission.domain.preparation import Held, Preparation
from services.submission.domain.retroplanning import Milestone, retroplanning
from services.submission.form_fields import typed_start
from services.submission.pages.contents import differences, label_of, sections
from services.submission.pages.deeds import Deed, legal, may, show, take
from services.submission.pages.drafts import address as step_address
from services.submission.pages.fiche_deeds import ADAPTATION, CONFIRM, FICHE_DEEDS, RENEW, WITHDRAW, compared
from services.submission.pages.fiches import ways
from services.submission.pages.form_choices import words_of
from services.submission.pages.form_steps import NEED
from services.submission.pages.journey import journey
from services.submission.pages.session_deeds import SESSION_DEEDS
from services.submission.pages.words import BADGES, NOTICES, SESSION_BADGES
from services.submission.pages.year_forms import may as allowed_to
from services.submission.reference.lists import ListName
from services.submission.versions_cases import read_named, read_pair
from services.submission.versions_store import Kept, Named
from services.submission.working_days import is_working_day
from services.submission.yearbook_place_answers import cut
from shared.contracts.labels import label
from shared.contracts.references import OPCOS, ZONES_EMPLOI
from shared.errors import NotFound, Objection
from shared.http import database, signed_in
from shared.identity import Principal
from shared.web.entry import Entry
from shared.web.pages import page_router, render

router = page_router()
Number = Annotated[int, Path(ge=1, le=99)]
PAGE: Final = 50
"""Versions that a page shows; older ones follow on the page that compares them."""
_ON_THE_PAGE: Final = (CONFIRM, RENEW, WITHDRAW)
"""Deeds with a button at the head of the page; answers to an adaptation stand beside what they answer."""


@router.get("/fiches/{fiche_id}")
async def fiche_page(request: Request, fiche_id: UUID, fait: str = "") -> Response:
    """Show a fiche, filed or prepared."""
    principal = await signed_in(request)
    held = await story.read_fiche(database(request), principal, fiche_id)
    today = civil_date(await database(request).now())
    shared: dict[str, Any] = ways(request) | {
        "labels": LABELS,
        "badges": BADGES,
        "label": label,
        "opcos": OPCOS,
        "zones": ZONES_EMPLOI,
        "today": today,
        "planning": _planning(held, today),
        "renewed": await _renewed(request, principal, held),
        "session_labels": SESSION_LABELS,
        "session_badges": SESSION_BADGES,
    }
    own = principal.organisation == held.opco
    if isinstance(held, Preparation):
        return render(
            request,
            "preparation.html",
            held=held,
            own=own,
            notice=NOTICES.get(fait),
            resumes=_resumes(held, own),
            rome_words=words_of(ListName.ROME) if held.intention else {},
            **shared,
        )
    versions, older = cut(await read_named(database(request), principal, fiche_id, None, PAGE + 1), PAGE)
    return render(
        request,
        "fiche.html",
        fiche=held,
        own=own,
        notice=NOTICES.get(fait),
        expected=duties(held),
        sections=sections(held.content),
        steps=journey(held, versions[::-1], today),
        versions=[(one, version_words(one.action)) for one in versions],
        older=f"/espace/fiches/{fiche_id}/versions?liste={older.revision}" if older else None,
        label_of=label_of,
        session_deeds=_by_session(principal, held),
        deeds=_possible(principal, held, _ON_THE_PAGE),
        answers=_possible(principal, held, ADAPTATION),
        keeps=own and allowed_to(principal, "keep_templates"),
        amendable=own and allowed_to(principal, "amend_fiche") and possible("amend_fiche", held.status),
        **compared(held) | shared,
    )


@router.get("/fiches/{fiche_id}/versions")
async def versions_page(
    request: Request,
    fiche_id: UUID,
    avant: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    apres: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    liste: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> Response:
    """Show in what two versions of a fiche differ; by default the last two, of those older than `liste` where it is given."""
    principal = await signed_in(request)
    held = await story.read_fiche(database(request), principal, fiche_id)
    if not isinstance(held, Fiche):
        raise NotFound(Objection("VERSIONS", "Cette fiche n’est pas déposée\u202f: elle n’a pas encore de version."))
    named = await read_named(database(request), principal, fiche_id, liste, PAGE + 1)
    listed, older = cut(named, PAGE)
    newest = apres or max((one.revision for one in listed), default=0)
    oldest = avant or max((one.revision for one in named if one.revision < newest), default=newest)
    before, after = await read_pair(database(request), principal, fiche_id, oldest, newest)
    offered: tuple[Kept | Named, ...] = (before, after, *listed)
    choices = {one.revision: _called(one) for one in offered}
    here = f"/espace/fiches/{fiche_id}/versions"
    return render(
        request,
        "versions.html",
        fiche=held,
        before=before,
        after=after,
        rows=differences(before.content, after.content),
        choices=sorted(choices.items()),
        first=here if liste else None,
        older=f"{here}?liste={older.revision}" if older else None,
        **ways(request),
        entry=Entry.of({"avant": before.revision, "apres": after.revision}),
    )


def _resumes(held: Preparation, own: bool) -> str | None:
    """Return where a draft is gone on with, or an intention made one; None for what is not the reader's or was given up."""
    return step_address(held.id, NEED.slug) if own and held.status in PREPARED else None


def _planning(held: Held, today: dt.date) -> tuple[Milestone, ...]:
    """Return the retro-planning of what goes on and has a start; nothing of what is over."""
    if held.status in CLOSED:
        return ()
    start = typed_start(held.fields) if isinstance(held, Preparation) else None
    if isinstance(held, Preparation) and start is None and held.intention is None:
        return ()
    return retroplanning(held, today, is_working_day, start)


async def _renewed(request: Request, principal: Principal, held: Held) -> Fiche | None:
    """Return the fiche that this one takes up again, for its results to be read beside it; to its own OPCO alone."""
    if held.renews is None or held.opco != principal.organisation:
        return None
    before = await story.read_fiche(database(request), principal, held.renews)
    return before if isinstance(before, Fiche) else None


def _called(kept: Kept | Named) -> str:
    day = f"{civil_date(kept.kept_at):%d/%m/%Y}"
    made_by = version_words(kept.action).lower()
    return f"Révision {kept.revision} — {made_by}, {day}"


def _possible(principal: Principal, fiche: Fiche, deeds: tuple[Deed[Any], ...]) -> list[Deed[Any]]:
    """Return the deeds that somebody may do with a fiche as it stands."""
    return [deed for deed in deeds if legal(deed, fiche) and may(principal, deed, fiche)]


def _by_session(principal: Principal, fiche: Fiche) -> dict[int, list[Deed[Any]]]:
    """Return the same for each session."""
    allowed = [deed for deed in SESSION_DEEDS if may(principal, deed, fiche)]
    return {n: [deed for deed in allowed if legal(deed, fiche, n)] for n in fiche.sessions}


def _pages_of(deed: Deed[Any], to: APIRouter) -> None:
    """Give a deed its two routes: the form, and what takes it."""

    async def form_page(request: Request, fiche_id: UUID) -> Response:
        return await show(request, fiche_id, deed)

    async def post_page(request: Request, fiche_id: UUID) -> Response:
        return await take(request, fiche_id, deed)

    async def session_form_page(request: Request, fiche_id: UUID, number: Number) -> Response:
        return await show(request, fiche_id, deed, number)

    async def post_session_page(request: Request, fiche_id: UUID, number: Number) -> Response:
        return await take(request, fiche_id, deed, number)

    below = "/sessions/{number}" if deed.of_session else ""
    path = f"/fiches/{{fiche_id}}{below}/{deed.path}"
    to.get(path)(session_form_page if deed.of_session else form_page)
    to.post(path)(post_session_page if deed.of_session else post_page)


for _deed in (*FICHE_DEEDS, *SESSION_DEEDS):
    _pages_of(_deed, router)
