"""What the texts of a fiche may not do: name a person, or give one's own mailbox for that of a service."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from services.submission.domain.case import Case, Facts
from shared.contracts.fiche import FicheContent
from shared.contracts.field_labels import full_label
from shared.contracts.text import fields_naming_a_person
from shared.errors import Objection, WarningsUnanswered

_RGPD: Final = "RGPD art. 5"
_FUNCTIONS: Final = re.compile(
    r"contact|formation|poec|recrut|emploi|accueil|info|secretariat|direction|agence|antenne|service|siege|projet|fiche|session"
    r"|inscription|sourcing|alternance|normandie|region|pole|equipe|gestion|dispositif|rh$|opco|noreply|commercial|partenaire"
    r"|entreprise|admin|bureau|relation|campus|centre|ecole|cfa|greta|afpa|caen|rouen|havre|evreux|alencon|cherbourg|dieppe|lisieux"
)
_BESIDE: Final[Mapping[str, str]] = {
    "intention.title": "Intitulé",
    "outside_campaign.reason": "Précisions sur le dépôt hors campagne",
    "forced_reason": "Motif de l’engagement sous le minimum",
    "reason": "Motif",
    "name": "Nom",
    "agenda.*": "Point de l’ordre du jour",
    "decisions.*": "Décision",
    "decisions.*.text": "Texte",
    "targets.*": "Objectif",
    "targets.*.words": "Nombre en toutes lettres",
}
"""What people call the texts that are none of a fiche's content."""
_NAMED: Final = 20
"""Texts that a warning calls by their names; it says how many more there are."""
_A_NAME: Final = re.compile(r"[a-zà-ÿ-]{1,40}[._][a-zà-ÿ-]{2,40}[0-9]{0,2}")


def nobody_is_named(case: Case) -> Objection | None:
    """Warning: texts speak of functions and services, not of persons; what looks like a name is read again (RGPD)."""
    return name_warning(_texts(case.content))


def mailbox_is_functional(case: Case) -> Objection | None:
    """Warning: the contact is the mailbox of a service; `prenom.nom@` or `p.nom@` looks like a person's (RGPD)."""
    return personal_mailbox(case.content.contact, "contact")


def personal_mailbox(address: str, field: str) -> Objection | None:
    """Return the warning about a mailbox that looks like a person's."""
    local = address.lower().partition("@")[0]
    if not _A_NAME.fullmatch(local) or _FUNCTIONS.search(local):
        return None
    message = (
        "Cette adresse semble être celle d’une personne\u202f: indiquez une boîte fonctionnelle"
        " (contact@, formation@, poec@), ou confirmez que c’en est une."
    )
    return Objection("CONTACT_PERSONAL", message, _RGPD, field)


def name_warning(texts: Iterable[tuple[str, str]]) -> Objection | None:
    """Return the one warning about (field, text) pairs that seem to name a person; its sentence names every text concerned.

    Whoever confirms it confirms all of them. Its field is the first one; all of them are a fact.
    """
    fields = fields_naming_a_person(texts)
    if not fields:
        return None
    seem = "Ce texte semble" if len(fields) == 1 else "Ces textes semblent"
    message = (
        f"{seem} nommer une personne ({_called(fields)})\u202f: écrivez sa fonction ou son service,"
        " ou confirmez que personne n’est nommé."
    )
    facts: Facts = {"fields": ",".join(fields)[:300], "count": len(fields)}
    return Objection("PERSON_NAME_SUSPECTED", message, _RGPD, fields[0], facts)


def heeded(warning: Objection | None, acknowledged: Sequence[str]) -> tuple[Objection, ...]:
    """Return a warning that was acknowledged, if there is one; raises `WarningsUnanswered` where it was not."""
    if warning is not None and warning.code not in acknowledged:
        raise WarningsUnanswered(warnings=(warning,))
    return (warning,) if warning else ()


def _called(fields: Sequence[str]) -> str:
    """Return what people call these fields, as one text; one that has no name yet keeps its own."""
    named = [full_label(field) or full_label(field, _BESIDE) or field for field in fields[:_NAMED]]
    more = len(fields) - _NAMED
    return "\u202f; ".join([*named, f"et {more} de plus"] if more > 0 else named)


def _texts(content: FicheContent) -> Iterator[tuple[str, str]]:
    """Yield the free texts of a content, each with its field; postal addresses apart: streets are named after people."""
    for name in ("title", "objective", "contents", "prerequisites", "modalities"):
        yield name, getattr(content, name)
    yield "need.reference", content.need.reference
    if content.derogation:
        yield "derogation.reference", content.derogation.reference
    yield "provider.name", content.provider.name
    if content.trainer:
        yield "trainer.name", content.trainer.name
    for s, plan in enumerate(content.sessions):
        for m, meeting in enumerate(plan.meetings):
            yield f"sessions.{s}.meetings.{m}.place", meeting.place
            yield f"sessions.{s}.meetings.{m}.audience", meeting.audience
    yield "sourcing.plan", content.sourcing.plan
    yield from ((f"sourcing.partners.{n}", partner) for n, partner in enumerate(content.sourcing.partners))
