"""Templates: a form kept under a name, a draft begun from it; and what was prepared, dropped."""

import re
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from fastapi import Query, Request, Response

from services.submission import template_cases as story
from services.submission import use_cases
from services.submission.bodies import WithdrawalIn, filed_out
from services.submission.domain import decisions
from services.submission.domain.form_template import FormTemplate, TemplateStatus
from services.submission.domain.preparation import Held, Preparation
from services.submission.domain.sources import ONE_NAME
from services.submission.form_fields import fields_of, unfit_fields
from services.submission.pages.drafts import address, own_draft
from services.submission.pages.form_steps import NEED, is_mark
from services.submission.pages.form_values import begun_with
from services.submission.pages.year_forms import at_revision, take
from services.submission.preparation_cases import draft_fiche
from services.submission.store import Fiches
from services.submission.template_bodies import DeletionIn, FromTemplateIn, TemplateIn, template_out
from services.submission.template_store import Templates
from services.submission.use_cases import Asker
from shared.contracts.fiche import fiche_id as id_of
from shared.contracts.labels import LABELS
from shared.contracts.references import WithdrawalReason
from shared.errors import InvalidInput, NotAllowedNow, Objection, Refused
from shared.http import Answer, Ask, database, signed_in
from shared.identity import Principal
from shared.policy import authorize
from shared.web.entry import Entry
from shared.web.forms import Posted, posted
from shared.web.pages import page_router, render, see_other

router = page_router()
SHOWN: Final = 50
_OF_ONE_FICHE: Final = re.compile(
    r"programme_year|procurement|tender\..*|sessions\.[0-9]+\.(start|end)|sessions\.[0-9]+\.meetings\.[0-9]+\.on"
)
"""Fields that hold for one fiche only: its year, its days, its call for tenders. A template goes without them."""


@router.get("/modeles")
async def templates_page(request: Request, apres: str = Query("", max_length=120), fait: str = "") -> Response:
    """Show one's own organisation's templates, by name."""
    found = await story.read_templates(database(request), await signed_in(request), apres or None, SHOWN + 1)
    following = request.url.include_query_params(apres=found[SHOWN - 1].name).query if len(found) > SHOWN else None
    return render(request, "models/list.html", templates=found[:SHOWN], following=following, after=apres, done=fait)


@router.get("/fiches/{fiche_id}/modele")
async def save_template_page(request: Request, fiche_id: UUID) -> Response:
    """Show the form that keeps a fiche or a draft as a template, under its title."""
    held, fields = await _kept(request, await signed_in(request), fiche_id)
    return _saving(request, held, Entry.of({"template": fields.get("title", "")[:120]}))


@router.post("/fiches/{fiche_id}/modele")
async def post_save_template_page(request: Request, fiche_id: UUID) -> Response:
    """Keep a fiche or a draft as a template; one of the same name is replaced where that was ticked."""
    async with posted(request) as sent:
        held, fields = await _kept(request, sent.principal, fiche_id)
        replacing = bool(sent.text("remplacer"))

        def ids(principal: Principal, body: TemplateIn) -> list[UUID]:
            return [story.template_id(principal.organisation, body.template)]

        def act(templates: Templates, ask: Ask[TemplateIn]) -> Answer:
            there = templates.get(story.template_id(ask.principal.organisation, ask.body.template))
            if there is not None and there.status is TemplateStatus.SAVED and not replacing:
                text = "Un modèle porte déjà ce nom\u202f: choisissez-en un autre, ou cochez «\u202fRemplacer\u202f»."
                raise NotAllowedNow(Objection("TEMPLATE_TAKEN", text, ONE_NAME, "template"))
            if unfit := list(unfit_fields(ask.body.fields)):
                raise InvalidInput(*unfit)
            saved = story.save_template(templates, ask.principal, ask.body.template, ask.body.fields, ask.at)
            return Answer(201, template_out(saved, whole=True), location=f"/templates/{saved.id}")

        document = {"template": sent.text("template"), "fields": dict(fields)}
        outcome = await sent.command(TemplateIn, document, ids, act, way="templates")
        if isinstance(outcome, Refused):
            return _saving(request, held, sent.entry(outcome), outcome.status)
    return see_other("/espace/modeles", fait="enregistre")


@router.get("/modeles/{template_id}/brouillon")
async def from_template_page(request: Request, template_id: UUID) -> Response:
    """Show a template, and ask under which reference a draft is begun from it."""
    template = await story.read_template(database(request), await signed_in(request), template_id)
    return render(request, "models/draft.html", kept=template, entry=Entry.of({}))


@router.post("/modeles/{template_id}/brouillon")
async def post_from_template_page(request: Request, template_id: UUID) -> Response:
    """Begin a draft from a template, under a reference that is not in use."""
    async with posted(request) as sent:
        template = await story.read_template(database(request), sent.principal, template_id)

        def ids(principal: Principal, body: FromTemplateIn) -> list[UUID]:
            return [id_of(principal.organisation, body.reference)]

        def act(fiches: Fiches, ask: Ask[FromTemplateIn]) -> Answer:
            if fiches.get(id_of(ask.principal.organisation, ask.body.reference)) is not None:
                text = "Cette référence est déjà prise\u202f: choisissez-en une autre."
                raise NotAllowedNow(Objection("REFERENCE_TAKEN", text, ONE_NAME, "reference"))
            done = draft_fiche(fiches, ask.principal, ask.body.reference, template.fields, ask.at)
            return Answer(201, filed_out(done), revision=done.fiche.revision, location=f"/fiches/{done.fiche.id}")

        outcome = await sent.command(FromTemplateIn, {"reference": sent.text("reference")}, ids, act)
        if isinstance(outcome, Refused):
            entry = sent.entry(outcome)
            return render(request, "models/draft.html", status=outcome.status, kept=template, entry=entry)
    return see_other(address(id_of(sent.principal.organisation, sent.text("reference")), NEED.slug))


@router.get("/modeles/{template_id}/suppression")
async def deletion_page(request: Request, template_id: UUID) -> Response:
    """Ask whether a template is to be deleted."""
    return await _deletion(request, await signed_in(request), template_id, Entry.of({}))


@router.post("/modeles/{template_id}/suppression")
async def post_deletion_page(request: Request, template_id: UUID) -> Response:
    """Delete a template."""

    def act(templates: Templates, ask: Ask[DeletionIn]) -> Answer:
        return Answer(
            200, template_out(story.delete_template(templates, ask.principal, template_id, ask.at), whole=True)
        )

    async def again(principal: Principal, entry: Entry, status: int) -> Response:
        return await _deletion(request, principal, template_id, entry, status)

    def ids(_principal: Principal, _body: DeletionIn) -> list[UUID]:
        return [template_id]

    done = "/espace/modeles?fait=supprime"
    return await take(request, "keep_templates", DeletionIn, lambda _sent: {}, ids, act, again, done, "templates")


@router.get("/brouillons/{fiche_id}/abandon")
async def drop_page(request: Request, fiche_id: UUID) -> Response:
    """Ask why what was prepared is dropped."""
    principal = await signed_in(request)
    authorize(principal, "withdraw_fiche")
    held = await own_draft(request, principal, fiche_id)
    return _dropping(request, held, Entry.of({}, revision=held.revision))


@router.post("/brouillons/{fiche_id}/abandon")
async def post_drop_page(request: Request, fiche_id: UUID) -> Response:
    """Drop a draft or an intention, on the revision that was read."""

    def act(fiches: Fiches, ask: Ask[WithdrawalIn]) -> Answer:
        asker = Asker(ask.principal, fiche_id, ask.required_revision())
        done = use_cases.withdraw_fiche(fiches, asker, ask.body.reason, ask.at)
        return Answer(200, filed_out(done), revision=done.fiche.revision)

    def document(sent: Posted) -> Mapping[str, Any]:
        return {"reason": sent.given("reason")}

    async def again(principal: Principal, entry: Entry, status: int) -> Response:
        held = await own_draft(request, principal, fiche_id)
        return _dropping(request, held, at_revision(entry, held.revision, status), status)

    def ids(_principal: Principal, _body: WithdrawalIn) -> list[UUID]:
        return [fiche_id]

    done = f"/espace/fiches/{fiche_id}?fait=abandon"
    return await take(request, "withdraw_fiche", WithdrawalIn, document, ids, act, again, done, "")


async def _kept(request: Request, principal: Principal, fiche_id: UUID) -> tuple[Held, Mapping[str, str]]:
    """Return one's own fiche or draft, and those of its fields that a template keeps."""
    authorize(principal, "keep_templates")
    held = await use_cases.read_fiche(database(request), principal, fiche_id)
    authorize(principal, "keep_templates", held.opco, unknown=decisions.UNKNOWN)
    typed = begun_with(held) if isinstance(held, Preparation) else fields_of(held.content)
    return held, {
        path: text for path, text in typed.items() if text and not is_mark(path) and not _OF_ONE_FICHE.fullmatch(path)
    }


def _saving(request: Request, held: Held, entry: Entry, status: int = 200) -> Response:
    taken = any(one.code == "TEMPLATE_TAKEN" for one in entry.objections) or bool(entry.value("remplacer"))
    return render(request, "models/save.html", status=status, held=held, entry=entry, taken=taken)


async def _deletion(
    request: Request, principal: Principal, template_id: UUID, entry: Entry, status: int = 200
) -> Response:
    template: FormTemplate = await story.read_template(database(request), principal, template_id)
    return render(request, "models/delete.html", status=status, kept=template, entry=entry)


def _dropping(request: Request, held: Preparation, entry: Entry, status: int = 200) -> Response:
    reasons = list(LABELS[WithdrawalReason].items())
    return render(request, "drop.html", status=status, held=held, entry=entry, reasons=reasons)
