"""The whole content of a fiche on one page: to complete it, to change it, or to answer an adaptation with another content."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from fastapi import Request, Response

from services.submission import use_cases as story
from services.submission.bodies import ContentIn, CounterProposalIn, filed_out
from services.submission.domain import decisions
from services.submission.domain.case import Given
from services.submission.domain.content import adapted
from services.submission.domain.decisions import Decision, Filing
from services.submission.domain.fiche import Fiche
from services.submission.domain.lifecycle import allowed
from services.submission.form_fields import as_typed, content_of, fields_of
from services.submission.pages.contents import label_of
from services.submission.pages.form_choices import choices_for, offers_for
from services.submission.pages.form_steps import STEPS, is_mark
from services.submission.pages.form_values import (
    completed,
    entry_of,
    entry_refused,
    in_order_of,
    is_list,
    is_row,
    rows_of,
    typed_in,
    without_row,
)
from services.submission.pages.partner_choice import offered
from services.submission.store import Fiches
from services.submission.use_cases import Asker
from shared.contracts.fiche import FicheContent
from shared.contracts.field_labels import full_label
from shared.errors import NotFound, Objection, Refused, Stale
from shared.http import Answer, Ask, database, signed_in
from shared.identity import Principal
from shared.policy import authorize
from shared.web.entry import Entry
from shared.web.forms import Posted, posted
from shared.web.pages import page_router, render, see_other

router = page_router()
Body = ContentIn | CounterProposalIn


@dataclass(frozen=True)
class Purpose:
    """What the content is typed for: the operation, the words of its page, how it is carried out, what is said afterwards."""

    operation: str
    title: str
    button: str
    body: type[Any]
    act: Callable[[Fiches, Asker, Ask[Any], Given], Decision]
    done: str
    with_reason: bool = False


def _filing(ask: Ask[Any]) -> Filing:
    return Filing(ask.body.content, ask.body.acknowledged, ask.at)


PURPOSES: Final[Mapping[str, Purpose]] = {
    "completion": Purpose(
        operation="complete_fiche",
        title="Compléter la fiche",
        button="Envoyer le complément",
        body=ContentIn,
        act=lambda fiches, asker, ask, given: story.complete_fiche(fiches, asker, _filing(ask), given),
        done="complement",
    ),
    "modification": Purpose(
        operation="amend_fiche",
        title="Modifier la fiche",
        button="Enregistrer la modification",
        body=ContentIn,
        act=lambda fiches, asker, ask, given: story.amend_fiche(fiches, asker, _filing(ask), given),
        done="modification",
    ),
    "contre-proposition": Purpose(
        operation="counter_propose",
        title="Proposer un autre contenu",
        button="Envoyer la contre-proposition",
        body=CounterProposalIn,
        act=lambda fiches, asker, ask, given: story.counter_propose(
            fiches, asker, _filing(ask), ask.body.reason, given
        ),
        done="contre-proposition",
        with_reason=True,
    ),
}


@router.get("/fiches/{fiche_id}/contenu")
async def content_page(request: Request, fiche_id: UUID, pour: str = "modification") -> Response:
    """Show the content in a form, the proposed adaptation in it where that is answered."""
    principal = await signed_in(request)
    fiche = await _own(request, principal, fiche_id, pour)
    proposed = fiche.proposal.adaptation if fiche.proposal and PURPOSES[pour].with_reason else None
    content = adapted(fiche.content, proposed) if proposed else fiche.content
    fields = {path: text for path, text in fields_of(content).items() if not is_mark(path)}
    return await _page(request, fiche, pour, entry_of(fields, fiche.revision))


@router.post("/fiches/{fiche_id}/contenu")
async def post_content_page(request: Request, fiche_id: UUID, pour: str = "modification") -> Response:
    """Carry out what the content was typed for; buttons that add or take away rows only show the form again."""
    given: Given = request.app.state.settings.given()
    async with posted(request) as sent:
        fiche = await _own(request, sent.principal, fiche_id, pour, now=False)
        purpose, fields = PURPOSES[pour], _typed(fiche, sent.values)
        adding, taking = sent.text("ajouter"), sent.text("retirer")
        if is_list(adding) or is_row(taking):
            kept = completed(without_row(fields, taking)) if is_row(taking) else fields
            return await _page(request, fiche, pour, _shown(sent, kept), adding=adding)
        content = content_of(fields)
        if not isinstance(content, FicheContent):
            entry = _shown(sent, fields, content, "La fiche n’est pas complète")
            return await _page(request, fiche, pour, entry, 422)

        def ids(_principal: Principal, body: Body) -> list[UUID]:
            return [fiche_id, *story.partners_named(body)]

        def act(fiches: Fiches, ask: Ask[Body]) -> Answer:
            asker = Asker(ask.principal, fiche_id, ask.required_revision())
            decision = purpose.act(fiches, asker, ask, given)
            return Answer(200, filed_out(decision), revision=decision.fiche.revision)

        document = {"content": content.model_dump(mode="json"), "acknowledged": sent.acknowledged}
        if purpose.with_reason:
            document["reason"] = sent.text("reason")
        outcome = await sent.command(purpose.body, document, ids, act)
        if isinstance(outcome, Refused):
            fiche = await _own(request, sent.principal, fiche_id, pour, now=False)
            entry = _shown(sent, fields)
            if isinstance(outcome, Stale):
                return await _page(
                    request, fiche, pour, replace(entry, revision=fiche.revision), outcome.status, read=sent.revision
                )
            return await _page(request, fiche, pour, _refused(entry, outcome, fields), outcome.status)
    return see_other(f"/espace/fiches/{fiche_id}", fait=purpose.done)


async def _own(request: Request, principal: Principal, fiche_id: UUID, pour: str, now: bool = True) -> Fiche:
    """Return the fiche whose content somebody may type anew. Raises what a stranger is told, or that its state does not let it `now`.

    Of what was typed already the command says so: a button pressed twice gets its answer again, and no text is lost.
    """
    authorize(principal, "amend_fiche")
    if pour not in PURPOSES:
        raise NotFound(Objection("PURPOSE_UNKNOWN", "Cette page n’existe pas\u202f: revenez à la fiche."))
    held = await story.read_fiche(database(request), principal, fiche_id)
    authorize(principal, PURPOSES[pour].operation, held.opco, unknown=decisions.UNKNOWN)
    if not isinstance(held, Fiche):
        raise NotFound(decisions.UNKNOWN)
    if now:
        allowed(PURPOSES[pour].operation, held.status)
    return held


def _typed(fiche: Fiche, values: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the fields that were typed, boxes in the order that the fiche has them in."""
    return completed(in_order_of(fields_of(fiche.content), typed_in(values)))


def _shown(sent: Posted, fields: Mapping[str, str], wrong: Sequence[Objection] = (), title: str = "") -> Entry:
    """Return the form as it was typed, with the reason and the warnings that were ticked."""
    entry = entry_of(fields, sent.revision, wrong, title)
    beside = {name: sent.texts(name) for name in ("reason", "acknowledged") if sent.texts(name)}
    return replace(entry, values={**entry.values, **beside})


def _refused(entry: Entry, refused: Refused, fields: Mapping[str, str]) -> Entry:
    """Return the form with what was said of its content, each where it was typed."""
    said = entry.refused(refused, strip="content.")
    objections, warnings = (as_typed(fields, found) for found in (said.objections, said.warnings))
    return entry_refused(replace(said, objections=objections, warnings=warnings))


async def _page(
    request: Request,
    fiche: Fiche,
    pour: str,
    entry: Entry,
    status: int = 200,
    adding: str = "",
    read: int | None = None,
) -> Response:
    fields = {name: texts[0] for name, texts in entry.values.items() if texts}
    partners = await offered(request, await signed_in(request), _typed(fiche, entry.values))
    return render(
        request,
        "content.html",
        status=status,
        fiche=fiche,
        pour=pour,
        purpose=PURPOSES[pour],
        entry=entry,
        steps=STEPS,
        linked=[one.field for one in entry.objections],
        rows=lambda of: rows_of(entry.values, of),
        adding=adding if is_list(adding) else "",
        choices=choices_for(fields, partners.near),
        further=partners.further,
        offers=offers_for(fiche.opco, fields),
        label_of=label_of,
        conflict=_conflict(fiche, entry, read) if read is not None else None,
    )


def _conflict(fiche: Fiche, entry: Entry, read: int) -> Mapping[str, Any]:
    """Return in what the fiche as it is now and what was typed differ."""
    now, typed = fields_of(fiche.content), _typed(fiche, entry.values)
    rows = [
        (full_label(path) or path, now.get(path, ""), typed.get(path, ""))
        for path in sorted({*now, *typed})
        if not is_mark(path) and now.get(path, "") != typed.get(path, "")
    ]
    return {"read": read, "rows": rows}
