"""What a reviewer's text may not do without being read again: name a person (RGPD art. 5)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from services.validation.domain.dossier import Decided
from shared.contracts.field_labels import full_label
from shared.contracts.text import fields_naming_a_person
from shared.errors import Objection, RulesRefused, WarningsUnanswered

_CALLED: Final[Mapping[str, str]] = {
    "comment": "Commentaire",
    "reason": "Motif",
    "items.*": "Élément à compléter",
    "items.*.request": "Demande",
}
"""What people call the texts of a decision."""


def name_warnings(texts: Sequence[tuple[str, str]]) -> tuple[Objection, ...]:
    """Return the one warning about (field, text) pairs that seem to name a person; its sentence names them, its field is the first."""
    fields = fields_naming_a_person(texts)
    if not fields:
        return ()
    seem = "Ce texte semble" if len(fields) == 1 else "Ces textes semblent"
    called = "\u202f; ".join(full_label(field, _CALLED) or field for field in fields)
    message = (
        f"{seem} nommer une personne ({called})\u202f: écrivez sa fonction ou son service,"
        " ou confirmez que personne n’est nommé."
    )
    facts: dict[str, str | int | bool | None] = {"fields": ",".join(fields)[:300], "count": len(fields)}
    return (Objection("PERSON_NAME_SUSPECTED", message, "RGPD art. 5", fields[0], facts),)


def noticed(decide: Callable[[], Decided], texts: Sequence[tuple[str, str]], acknowledged: Sequence[str]) -> Decided:
    """Decide, once the warning about the texts of the decision is acknowledged.

    Raises what the decision raises, `RulesRefused` with the warning beside the objections, or `WarningsUnanswered`.
    """
    warned = name_warnings(texts)
    try:
        decided = decide()
    except RulesRefused as refused:
        raise RulesRefused(*refused.objections, warnings=warned) from None
    if not {warning.code for warning in warned} <= set(acknowledged):
        raise WarningsUnanswered(warnings=warned)
    return decided
