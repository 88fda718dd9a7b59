"""Asking the OPCO to complete its fiche: what is missing or unclear, field by field."""

from dataclasses import replace

from services.validation.domain.dossier import Decided, Dossier, Status
from services.validation.domain.lifecycle import allowed
from shared.contracts.fiche import FicheContent
from shared.contracts.validation import CompletionAsked, CompletionItem
from shared.errors import Objection, RulesRefused

_FIELDS = frozenset(FicheContent.model_fields)


def ask_completion(dossier: Dossier, items: tuple[CompletionItem, ...]) -> Decided:
    """Ask for these items; a field is a path into the content (`hours.total`).

    Raises `NotAllowedNow` or `RulesRefused`.
    """
    allowed("ask_completion", dossier.status)
    objections = [objection for n, item in enumerate(items) if (objection := _names_a_field(n, item))]
    if not items:
        objections.append(Objection("COMPLETION_EMPTY", "Indiquez au moins un élément à compléter.", field="items"))
    if objections:
        raise RulesRefused(*objections)
    event = CompletionAsked(fiche_id=dossier.fiche_id, opco=dossier.opco, revision=dossier.revision, items=items)
    return replace(dossier, status=Status.COMPLETION_ASKED, items=items), (event,)


def _names_a_field(n: int, item: CompletionItem) -> Objection | None:
    if item.field.split(".")[0] in _FIELDS:
        return None
    message = "Désignez un champ de la fiche par son nom, par exemple «\u202fhours.total\u202f»."
    return Objection("COMPLETION_FIELD_UNKNOWN", message, field=f"items.{n}.field")
