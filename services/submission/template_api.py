"""HTTP in: an OPCO's templates, and a draft begun from one."""

import datetime as dt
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from services.submission import template_cases as story
from services.submission.bodies import MOST_FIELDS, FiledOut, filed_out
from services.submission.domain.decisions import REFERENCE_LENGTH
from services.submission.domain.form_template import FormTemplate, TemplateStatus
from services.submission.form_fields import LONGEST_TEXT, unfit_fields
from services.submission.preparation_cases import draft_fiche
from services.submission.store import Fiches
from services.submission.template_store import Templates
from shared.contracts.fiche import Value
from shared.contracts.fiche import fiche_id as id_of
from shared.contracts.text import CODE, FREE, FreeText
from shared.errors import InvalidInput
from shared.http import Answer, Ask, answers, database, door, ok, signed_in, takes
from shared.identity import Principal
from shared.policy import authorize

router = APIRouter(prefix="/templates", tags=["préparation"])


class TemplateIn(Value):
    """A form under a name: `fields` as in a draft."""

    template: Annotated[str, Field(min_length=1, max_length=120), FREE]
    fields: Annotated[
        dict[Annotated[str, Field(max_length=80)], Annotated[str, Field(max_length=LONGEST_TEXT), FREE]],
        Field(max_length=MOST_FIELDS),
    ]


class FromTemplateIn(Value):
    """Under which reference a draft is begun."""

    reference: Annotated[str, Field(min_length=1, max_length=REFERENCE_LENGTH), CODE]


class DeletionIn(Value):
    """Nothing has to be said beside the command."""


class TemplateOut(Value):
    """A template; in lists without its fields."""

    template_id: UUID
    template: FreeText
    status: TemplateStatus
    saved_at: dt.datetime
    fields: dict[str, FreeText] | None = None


class TemplatesOut(Value):
    """A page of templates by name; `next` is the value of `after` that continues it."""

    templates: tuple[TemplateOut, ...]
    next: str | None = None


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
        return Answer(201, _out(saved, whole=True), location=f"/templates/{saved.id}")

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
    listed = tuple(_out(one, whole=False) for one in page)
    return ok(TemplatesOut(templates=listed, next=following), headers=links)


@router.get("/{template_id}", responses=answers(TemplateOut))
async def get_template(request: Request, template_id: UUID) -> Response:
    """Return a template whole (OPCO)."""
    return ok(_out(await story.read_template(database(request), await signed_in(request), template_id), whole=True))


@router.post("/{template_id}/deletion", openapi_extra=takes(DeletionIn), responses=answers(TemplateOut))
async def post_deletion(request: Request, template_id: UUID) -> Response:
    """Drop a template and what it held (OPCO)."""

    def act(templates: Templates, ask: Ask[DeletionIn]) -> Answer:
        return Answer(200, _out(story.delete_template(templates, ask.principal, template_id, ask.at), whole=True))

    return await door(request, "templates").command(request, DeletionIn, lambda _principal, _body: [template_id], act)


@router.post(
    "/{template_id}/draft", status_code=201, openapi_extra=takes(FromTemplateIn), responses=answers(FiledOut, 201)
)
async def post_draft_from(request: Request, template_id: UUID) -> Response:
    """Begin a draft with the fields of a template (OPCO; If-Match where a draft is there already)."""
    template = await story.read_template(database(request), await signed_in(request), template_id)

    def ids(principal: Principal, body: FromTemplateIn) -> list[UUID]:
        return [id_of(principal.organisation, body.reference)]

    def act(fiches: Fiches, ask: Ask[FromTemplateIn]) -> Answer:
        there = fiches.get(id_of(ask.principal.organisation, ask.body.reference))
        revision = ask.if_match if there is None else ask.required_revision()
        done = draft_fiche(fiches, ask.principal, ask.body.reference, template.fields, ask.at, revision)
        return Answer(201, filed_out(done), revision=done.fiche.revision, location=f"/fiches/{done.fiche.id}")

    return await door(request).command(request, FromTemplateIn, ids, act)


def _out(template: FormTemplate, *, whole: bool) -> TemplateOut:
    return TemplateOut(
        template_id=template.id,
        template=template.name,
        status=template.status,
        saved_at=template.saved_at,
        fields=dict(template.fields) if whole else None,
    )
