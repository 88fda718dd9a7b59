"""The form of a fiche in steps: every step is kept in the draft, half-typed as it may be, by its button or while one types.

Without a script each button sends the step; with one, what stands in it is kept a moment after the last keystroke. Two people at one
draft: who comes second sees what the first one kept beside what they typed, and decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Request, Response
from fastapi.responses import PlainTextResponse

from services.submission import preparation_cases as story
from services.submission import use_cases
from services.submission.bodies import DraftIn, filed_out
from services.submission.domain import decisions
from services.submission.domain.lifecycle import allowed
from services.submission.domain.preparation import Preparation
from services.submission.domain.sources import ONE_NAME
from services.submission.form_fields import content_of, unfit_fields
from services.submission.pages.form_choices import choices_for, offers_for
from services.submission.pages.form_parts import Step
from services.submission.pages.form_steps import BY_SLUG, NEED, REVIEW, STEPS
from services.submission.pages.form_values import (
    begun_with,
    entry_of,
    in_step,
    is_list,
    is_row,
    merged,
    of_typed,
    rows_of,
    typed_in,
    without_row,
)
from services.submission.pages.partner_choice import PATH, Offered, offered
from services.submission.store import Fiches
from shared.contracts.fiche import FicheContent, fiche_id
from shared.contracts.field_labels import full_label
from shared.errors import InvalidInput, Malformed, NotAllowedNow, NotFound, Objection, Refused, Stale
from shared.http import Answer, Ask, Kept, database, signed_in
from shared.identity import Principal
from shared.policy import authorize
from shared.web.entry import Entry
from shared.web.forms import Posted, posted
from shared.web.french import moment, time_of_day
from shared.web.pages import page_router, render, see_other

router = page_router()


@router.get("/fiches/nouvelle")
async def new_fiche_page(request: Request) -> Response:
    """Ask under which reference a fiche is to be prepared: everything typed afterwards is kept under it."""
    principal = await signed_in(request)
    authorize(principal, "draft_fiche")
    return render(request, "draft_new.html", entry=Entry.of({}))


@router.post("/fiches/nouvelle")
async def post_new_fiche_page(request: Request) -> Response:
    """Begin a draft."""
    async with posted(request) as sent:
        authorize(sent.principal, "draft_fiche")
        reference = sent.text("reference")
        outcome = await _command(sent, reference, _BEGUN)
        if isinstance(outcome, Refused):
            return render(request, "draft_new.html", status=outcome.status, entry=sent.entry(outcome))
    return see_other(address(fiche_id(sent.principal.organisation, reference), NEED.slug))


@router.get("/brouillons/{fiche_id}/{slug}")
async def step_page(request: Request, fiche_id: UUID, slug: str, verifier: str = "", ajout: str = "") -> Response:
    """Show a step; `verifier`: with what there is against it, `ajout`: with one more row of a list."""
    draft = await own_draft(request, await signed_in(request), fiche_id)
    step, fields = step_called(slug), begun_with(draft)
    said = _against(step, fields, typed_only=verifier == "saisie") if verifier else []
    title = "Votre saisie est enregistrée, avec des points à corriger" if said else ""
    return await _page(request, draft, step, entry_of(fields, draft.revision, said, title), adding=ajout)


@router.post("/brouillons/{fiche_id}/{slug}")
async def post_step_page(request: Request, fiche_id: UUID, slug: str) -> Response:
    """Keep a step, and go where its button leads."""
    async with posted(request) as sent:
        draft, step = await own_draft(request, sent.principal, fiche_id), step_called(slug)
        adding, taking = sent.text("ajouter"), sent.text("retirer")
        if (adding and not is_list(adding)) or (taking and not is_row(taking)):
            raise Malformed(Objection("ROW", "Cette ligne n’est pas dans le formulaire\u202f: rechargez la page."))
        outcome = await _command(sent, draft.reference, _Keeping(step, taking))
        if isinstance(outcome, Refused):
            return await _again(request, sent, outcome, fiche_id, step)
    here = address(fiche_id, step.slug)
    if adding:
        row = f"{adding}.{rows_of(typed_in(sent.values, step), adding)}".replace(".", "-")
        return see_other(f"{here}?{urlencode({'ajout': adding})}#f-{row}")
    if taking or sent.text("vers") == "ici":
        return see_other(here, fait="enregistre")
    if sent.text("vers") == "avant":
        return see_other(address(fiche_id, _beside(step, -1)))
    draft = await own_draft(request, sent.principal, fiche_id)
    if _against(step, draft.fields, typed_only=True):
        return see_other(here, verifier="saisie")
    return see_other(address(fiche_id, _beside(step, 1)))


@router.post("/brouillons/{fiche_id}/{slug}/enregistrement")
async def post_autosave_page(request: Request, fiche_id: UUID, slug: str) -> Response:
    """Keep a step while one types; answer one line of text, and by the ETag the revision that the form is now of."""
    async with posted(request) as sent:
        draft, step = await own_draft(request, sent.principal, fiche_id), step_called(slug)
        outcome = await _command(sent, draft.reference, _Keeping(step))
        if isinstance(outcome, Stale):
            text = "Non enregistré\u202f: une autre personne a changé ce brouillon. Utilisez «\u202fEnregistrer\u202f» pour comparer."
            return PlainTextResponse(text, outcome.status)
        if isinstance(outcome, Refused):
            said = " ".join(f"{_named(one)}{one.message}" for one in outcome.objections) or outcome.title
            return PlainTextResponse(f"Non enregistré. {said}", outcome.status)
    at = time_of_day(await database(request).now())
    return PlainTextResponse(f"Enregistré à {at}.", headers={"ETag": outcome.headers["ETag"]})


def _named(objection: Objection) -> str:
    label = full_label((objection.field or "").removeprefix("fields."))
    return f"«\u202f{label}\u202f»\u202f: " if label else ""


def address(identifier: UUID, slug: str) -> str:
    """Return where a step of a draft is."""
    return f"/espace/brouillons/{identifier}/{slug}"


def step_called(slug: str) -> Step:
    """Return a step by its address. Raises `NotFound`."""
    if slug not in BY_SLUG:
        raise NotFound(Objection("STEP_UNKNOWN", "Le formulaire n’a pas cette étape\u202f: revenez à la fiche."))
    return BY_SLUG[slug]


async def own_draft(request: Request, principal: Principal, identifier: UUID) -> Preparation:
    """Return what one's organisation prepares under an identifier; what is filed already is not there.

    Raises `NotFound`, and `NotAllowedNow` for what was dropped.
    """
    authorize(principal, "draft_fiche")
    held = await use_cases.read_fiche(database(request), principal, identifier)
    authorize(principal, "draft_fiche", held.opco, unknown=decisions.UNKNOWN)
    if not isinstance(held, Preparation):
        text = "Cette fiche est déposée\u202f: elle n’a plus de brouillon. Ouvrez-la depuis «\u202fMes fiches\u202f»."
        raise NotFound(Objection("DRAFT_FILED", text))
    allowed("draft_fiche", held.status)
    return held


@dataclass(frozen=True)
class _Keeping:
    """What becomes of a draft's fields: those there were, with those sent."""

    step: Step | None
    taking: str = ""
    new: bool = False

    def fields(self, held: object, typed: Mapping[str, str]) -> Mapping[str, str]:
        if self.step is None:
            return typed
        before = begun_with(held) if isinstance(held, Preparation) else {}
        found = without_row(typed, self.taking) if self.taking else typed
        return merged(before, found, self.step)


_BEGUN: Final = _Keeping(None, new=True)


async def _command(sent: Posted, reference: str, keeping: _Keeping) -> Kept | Refused:
    """Carry out the keeping of a draft through the door of the API."""

    def ids(principal: Principal, body: DraftIn) -> list[UUID]:
        return [fiche_id(principal.organisation, body.reference)]

    def act(fiches: Fiches, ask: Ask[DraftIn]) -> Answer:
        identifier = fiche_id(ask.principal.organisation, ask.body.reference)
        held = fiches.get(identifier)
        if keeping.new and held is not None:
            text = "Cette référence est déjà prise\u202f: choisissez-en une autre, ou reprenez-la depuis «\u202fMes fiches\u202f»."
            raise NotAllowedNow(Objection("REFERENCE_TAKEN", text, ONE_NAME, "reference"))
        revision = None if keeping.new else ask.required_revision()
        fields = keeping.fields(held, ask.body.fields)
        if unfit := list(unfit_fields(fields)):
            raise InvalidInput(*unfit)
        done = story.draft_fiche(fiches, ask.principal, ask.body.reference, fields, ask.at, revision)
        return Answer(201, filed_out(done), revision=done.fiche.revision, location=f"/fiches/{done.fiche.id}")

    typed = typed_in(sent.values, keeping.step)
    return await sent.command(DraftIn, {"reference": reference, "fields": typed}, ids, act)


async def _again(request: Request, sent: Posted, refused: Refused, identifier: UUID, step: Step) -> Response:
    """Show a step again with all that was typed; on another revision, beside what somebody else kept meanwhile."""
    draft = await own_draft(request, sent.principal, identifier)
    typed = merged(begun_with(draft), typed_in(sent.values, step), step)
    if not isinstance(refused, Stale):
        entry = entry_of(typed, sent.revision).refused(refused, strip="fields.")
        return await _page(request, draft, step, entry, status=refused.status)
    rows = [
        (full_label(path) or path, draft.fields.get(path, ""), typed.get(path, ""))
        for path in sorted({*draft.fields, *typed})
        if step.owns(path) and draft.fields.get(path, "") != typed.get(path, "")
    ]
    conflict = {"read": sent.revision, "saved_at": moment(draft.saved_at), "rows": rows}
    return await _page(request, draft, step, entry_of(typed, draft.revision), status=refused.status, conflict=conflict)


async def _page(
    request: Request,
    draft: Preparation,
    step: Step,
    entry: Entry,
    status: int = 200,
    adding: str = "",
    conflict: Mapping[str, Any] | None = None,
) -> Response:
    fields = {name: texts[0] for name, texts in entry.values.items() if texts}
    asks = step.owns(f"{PATH}.0")
    partners = await offered(request, await signed_in(request), draft.fields) if asks else Offered()
    return render(
        request,
        "draft_step.html",
        status=status,
        draft=draft,
        step=step,
        number=STEPS.index(step) + 1,
        last=len(STEPS) + 1,
        title=fields.get("title") or draft.fields.get("title") or "Nouvelle fiche",
        steps=stages(draft, step.slug),
        entry=entry,
        rows=lambda of: rows_of(entry.values, of),
        adding=adding if is_list(adding) else "",
        choices=choices_for(fields, partners.near),
        further=partners.further,
        offers=offers_for(draft.opco, fields),
        linked=[one.field for one in entry.objections],
        before=_beside(step, -1),
        conflict=conflict,
        led=request.query_params.get("verifier") == "oui",
        saved=request.query_params.get("fait") == "enregistre",
    )


def stages(draft: Preparation, here: str) -> list[tuple[str, str, str]]:
    """Return the steps with their addresses: done where nothing is against them, current, or still to come."""
    found = content_of(draft.fields)
    wrong = () if isinstance(found, FicheContent) else found
    shown = []
    for step in STEPS:
        done = any(step.owns(path) for path in draft.fields) and not in_step(wrong, step)
        shown.append(
            (step.title, address(draft.id, step.slug), "current" if here == step.slug else "done" if done else "coming")
        )
    return [*shown, ("Relire et déposer", address(draft.id, REVIEW), "current" if here == REVIEW else "coming")]


def _against(step: Step, fields: Mapping[str, str], typed_only: bool) -> list[Objection]:
    """Return what there is against the form of a step's fields; with `typed_only` nothing of what is missing."""
    found = content_of(fields)
    wrong = [] if isinstance(found, FicheContent) else in_step(found, step)
    return of_typed(wrong, fields) if typed_only else wrong


def _beside(step: Step, by: int) -> str:
    at = STEPS.index(step) + by
    return "" if at < 0 else STEPS[at].slug if at < len(STEPS) else REVIEW
