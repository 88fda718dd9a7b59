"""The last step of the form: everything typed, what filing would say of it, fiches that are alike; then it is filed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from fastapi import Request, Response

from services.submission import use_cases as story
from services.submission.bodies import FicheIn, filed_out
from services.submission.check_cases import Checked, Wanted, check_fiche
from services.submission.domain.case import Given
from services.submission.domain.decisions import Filing
from services.submission.domain.fiche import LABELS, Fiche
from services.submission.domain.preparation import Preparation
from services.submission.form_fields import as_typed, content_of
from services.submission.pages.drafts import address, own_draft, stages
from services.submission.pages.form_choices import words_for
from services.submission.pages.form_parts import Box, Step, pattern
from services.submission.pages.form_steps import REVIEW, STEPS, is_several, step_of
from services.submission.pages.form_values import begun_with
from services.submission.pages.partner_choice import names
from services.submission.pages.words import BADGES
from services.submission.store import Fiches
from shared.contracts.fiche import FicheContent, OutsideCampaign
from shared.contracts.fiche import fiche_id as id_of
from shared.contracts.field_labels import full_label
from shared.contracts.labels import LABELS as WORDS
from shared.contracts.references import OutsideMotive
from shared.errors import Objection, Refused
from shared.http import Answer, Ask, database, signed_in
from shared.identity import Principal
from shared.policy import authorize
from shared.web.entry import Entry
from shared.web.fields import cents
from shared.web.forms import Posted, posted
from shared.web.french import euros
from shared.web.pages import page_router, render, see_other

router = page_router()
_ABOUT_CAMPAIGN: Final = "CAMPAIGN_CLOSED"


@dataclass(frozen=True)
class Wrong:
    """Something to correct: what is said, of which field, where that is typed (None: nowhere in the form)."""

    message: str
    source: str | None
    label: str
    address: str | None


@router.get("/brouillons/{fiche_id}/relire")
async def review_page(request: Request, fiche_id: UUID) -> Response:
    """Show everything typed and what filing would say of it; nothing is filed by looking."""
    principal = await signed_in(request)
    draft = await own_draft(request, principal, fiche_id)
    return await _page(request, principal, draft, Entry.of({}, revision=draft.revision))


@router.post("/brouillons/{fiche_id}/relire")
async def post_review_page(request: Request, fiche_id: UUID) -> Response:
    """File the fiche, or look at it again with the reason that is given for being late."""
    given: Given = request.app.state.settings.given()
    async with posted(request) as sent:
        if await _is_filed(request, sent.principal, fiche_id):
            return see_other(f"/espace/fiches/{fiche_id}", fait="deja-deposee")
        draft = await own_draft(request, sent.principal, fiche_id)
        content = content_of(begun_with(draft))
        if sent.text("vers") == "ici" or not isinstance(content, FicheContent):
            return await _page(request, sent.principal, draft, sent.entry(revision=draft.revision), sent)

        def ids(principal: Principal, body: FicheIn) -> list[UUID]:
            return [id_of(principal.organisation, body.reference), *story.partners_named(body)]

        def act(fiches: Fiches, ask: Ask[FicheIn]) -> Answer:
            held, body = fiches.get(fiche_id), ask.body
            revision = ask.required_revision() if isinstance(held, Preparation) else None
            filing = Filing(body.content, body.acknowledged, ask.at, body.outside_campaign)
            decision = story.submit_fiche(fiches, ask.principal, body.reference, filing, given, revision)
            fiche = decision.fiche  # the audit takes the kept answer for proof that its filer was told
            return Answer(201, filed_out(decision), revision=fiche.revision, location=f"/fiches/{fiche.id}")

        document = {
            "reference": draft.reference,
            "content": content.model_dump(mode="json"),
            "acknowledged": sent.acknowledged,
            "outside_campaign": _outside_typed(sent),
        }
        outcome = await sent.command(FicheIn, document, ids, act)
        if isinstance(outcome, Refused):
            entry = sent.entry(outcome, strip="content.", revision=draft.revision)
            return await _page(request, sent.principal, draft, entry, sent, outcome.status)
    return see_other(f"/espace/fiches/{fiche_id}", fait="depot")


async def _is_filed(request: Request, principal: Principal, fiche_id: UUID) -> bool:
    """Return whether one's own fiche was filed meanwhile: the button was pressed twice, or a colleague was first."""
    authorize(principal, "submit_fiche")
    held = await story.read_fiche(database(request), principal, fiche_id)
    return isinstance(held, Fiche) and held.opco == principal.organisation


def _outside_typed(sent: Posted) -> dict[str, str] | None:
    motive, reason = sent.text("outside_campaign.motive"), sent.text("outside_campaign.reason")
    typed = {"motive": motive, "reason": reason}
    return {name: text for name, text in typed.items() if text} or None


async def _page(
    request: Request,
    principal: Principal,
    draft: Preparation,
    entry: Entry,
    sent: Posted | None = None,
    status: int = 200,
) -> Response:
    fields = begun_with(draft)
    content = content_of(fields)
    wrong: Iterable[Objection]
    checked: Checked | None = None
    if isinstance(content, FicheContent):
        checked = await _checked(request, principal, draft, content, sent)
        wrong = as_typed(fields, checked.findings.objections)
    else:
        wrong = content
    refused = [one for one in entry.objections if one.field and one.field.startswith("outside_campaign")]
    partners = await names(request, principal, fields)
    shown = replace(entry, warnings=as_typed(fields, checked.findings.warnings) if checked else ())
    return render(
        request,
        "draft_review.html",
        status=status,
        draft=draft,
        title=fields.get("title") or "Nouvelle fiche",
        steps=stages(draft, REVIEW),
        entry=shown,
        wrong=_in_order(draft, wrong),
        complete=checked is not None,
        advice=checked.findings.advice if checked else (),
        alike=checked.alike if checked else (),
        late=bool(refused)
        or any(one.code == _ABOUT_CAMPAIGN for one in wrong)
        or bool(entry.value("outside_campaign.motive")),
        motives=list(WORDS[OutsideMotive].items()),
        sections=[(step.title, address(draft.id, step.slug), _shown(fields, step, partners)) for step in STEPS],
        labels=LABELS,
        badges=BADGES,
    )


async def _checked(
    request: Request, principal: Principal, draft: Preparation, content: FicheContent, sent: Posted | None
) -> Checked:
    given: Given = request.app.state.settings.given()
    motive = sent.text("outside_campaign.motive") if sent else ""
    outside = OutsideCampaign(motive=OutsideMotive(motive)) if motive in list(OutsideMotive) else None
    return await check_fiche(database(request), principal, Wanted(content, draft.reference, None, outside), given)


def _in_order(draft: Preparation, wrong: Iterable[Objection]) -> list[tuple[str, list[Wrong]]]:
    """Return what is to be corrected by the steps in which it is."""
    found: dict[str, list[Wrong]] = {step.title: [] for step in STEPS}
    for one in wrong:
        step = step_of(one.field) if one.field else None
        label = full_label(one.field) or "" if one.field else ""
        where = None
        if step and one.field:
            where = f"{address(draft.id, step.slug)}?verifier=oui#{_anchor(one.field)}"
        found.setdefault(step.title if step else "Le dépôt", []).append(Wrong(one.message, one.source, label, where))
    return [(title, some) for title, some in found.items() if some]


def _anchor(path: str) -> str:
    """Return the id of a field on its page: of a box its group, of a list that is missing its first row."""
    name = path.rpartition(".")[0]
    there = name if is_several(name) else "sessions.0" if path == "sessions" else path
    return "f-" + there.replace(".", "-").replace("_", "-")


def _shown(fields: Mapping[str, str], step: Step, partners: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what stands in a step as people read it, in its order: labels, words of codes; rows of lists of one field on one line."""
    boxes = {at: (n, box) for n, box in enumerate(step.boxes) for at in box.patterns}
    found: dict[str, tuple[list[int], list[str]]] = {}
    for path, text in fields.items():
        if (there := boxes.get(pattern(path))) is None:
            continue
        n, box = there
        rows = [int(part) for part in path.split(".") if part.isdigit()]
        alone = box.several or bool(box.most)
        label = box.name if alone else full_label(path) or path
        found.setdefault(label, (_order([] if alone else rows, n), []))[1].append(
            partners.get(text) or _said(box, text)
        )
    return [(label, ", ".join(texts)) for label, (_, texts) in sorted(found.items(), key=lambda one: one[1][0])]


def _order(rows: list[int], n: int) -> list[int]:
    """Return where a field comes: by its row, what lies in rows of that row after it."""
    return [rows[0], len(rows), *rows[1:], n] if rows else [n]


def _said(box: Box, text: str) -> str:
    if box.widget == "date" and len(text) == 10 and text[4] == "-":
        return f"{text[8:]}/{text[5:7]}/{text[:4]}"
    words = words_for(box)
    if text in words:
        return f"{words[text]} ({text})" if text.isdigit() or box.offers else words[text]
    if box.widget == "money":
        amount = cents(text)
        return euros(amount) if isinstance(amount, int) else text
    return f"{text}\u00a0{box.suffix}" if box.suffix else text
