"""HTTP in: an OPCO's templates, and a draft begun from one."""

from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.submission import template_cases as story
from services.submission.bodies import FiledOut, filed_out
from services.submission.domain.form_template import FormTemplate
from services.submission.form_fields import unfit_fields
from services.submission.preparation_cases import draft_fiche
from services.submission.store import Fiches
from services.submission.template_bodies import (
    DeletionIn,
    FromTemplateIn,
    TemplateIn,
    TemplateOut,
    TemplatesOut,
    template_out,
)
from services.submission.template_store import Templates
from shared.contracts.fiche import fiche_id as id_of
from shared.errors import InvalidInput, NotFound
from shared.http import Answer, Ask, answers, database, door, ok, signed_in, takes
from shared.identity import Principal
from shared.policy import authorize

router = APIRouter(prefix="/templates", tags=["préparation"])


@router.post("", status_code=201, openapi_extra=takes(TemplateIn), responses=answers(TemplateOut, 201))
async def post_template(request: Request) -> Response:
    """Keep a form under a name; what was kept under it is replaced (OPCO)."""

    def ids(principal: Principal, body: TemplateIn) -> list[UUID]:
        return [story.template_id(principal.organisation, body.template)]

    def act(templates: Templates, ask: Ask[TemplateIn]) -> Answer:
        authorize(ask.principal, "keep_templates")
        if unfit := list(unfit_fields(ask.body.fields)):
            raise InvalidInput(*unfit)
        saved = story.save_template(templates, ask.principal, ask.body.template, ask.body.fields, ask.at)
        return Answer(201, template_out(saved, whole=True), location=f"/templates/{saved.id}")

    return await door(request, "templates").command(request, TemplateIn, ids, act)


@router.get("", responses=answers(TemplatesOut))
async def get_templates(
    request: Request,
    after: Annotated[str | None, Query(max_length=120)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> Response:
    """Return a page of one's own organisation's templates, by name; `Link` names the next page (OPCO)."""
    found = await story.read_templates(database(request), await signed_in(request), after, limit + 1)
    page = found[:limit]
    following = page[-1].name if len(found) > limit else None
    query = urlencode({"after": following, "limit": limit})
    links = {"Link": f'</templates?{query}>; rel="next"'} if following else {}
    listed = tuple(template_out(one, whole=False) for one in page)
    return ok(TemplatesOut(templates=listed, next=following), headers=links)


@router.get("/{template_id}", responses=answers(TemplateOut))
async def get_template(request: Request, template_id: UUID) -> Response:
    """Return a template whole (OPCO)."""
    return ok(
        template_out(await story.read_template(database(request), await signed_in(request), template_id), whole=True)
    )


@router.post("/{template_id}/deletion", openapi_extra=takes(DeletionIn), responses=answers(TemplateOut))
async def post_deletion(request: Request, template_id: UUID) -> Response:
    """Drop a template and what it held (OPCO)."""

    def act(templates: Templates, ask: Ask[DeletionIn]) -> Answer:
        return Answer(
            200, template_out(story.delete_template(templates, ask.principal, template_id, ask.at), whole=True)
        )

    return await door(request, "templates").command(request, DeletionIn, lambda _principal, _body: [template_id], act)


@router.post(
    "/{template_id}/draft", status_code=201, openapi_extra=takes(FromTemplateIn), responses=answers(FiledOut, 201)
)
async def post_draft_from(request: Request, template_id: UUID) -> Response:
    """Begin a draft with the fields of a template (OPCO; If-Match where a draft is there already)."""
    principal = await signed_in(request)
    template: FormTemplate | None
    try:
        template = await story.read_template(database(request), principal, template_id)
    except NotFound:
        # it is said in the transaction: a key that has served gets its answer again, also once the template is gone
        template = None

    def ids(principal: Principal, body: FromTemplateIn) -> list[UUID]:
        return [id_of(principal.organisation, body.reference)]

    def act(fiches: Fiches, ask: Ask[FromTemplateIn]) -> Answer:
        if template is None:
            raise NotFound(story.UNKNOWN)
        there = fiches.get(id_of(ask.principal.organisation, ask.body.reference))
        revision = ask.if_match if there is None else ask.required_revision()
        done = draft_fiche(fiches, ask.principal, ask.body.reference, template.fields, ask.at, revision)
        return Answer(201, filed_out(done), revision=done.fiche.revision, location=f"/fiches/{done.fiche.id}")

    return await door(request).command(request, FromTemplateIn, ids, act)
