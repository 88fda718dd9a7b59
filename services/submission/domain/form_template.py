"""A form kept under a name, to begin the next fiche from: text as it was typed, of one OPCO, for nobody else."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.submission.domain.sources import MOMENT, ROOM_FOR_ALL
from shared.errors import NotAllowedNow, Objection


class TemplateStatus(StrEnum):
    """Where a template stands: a name whose template was deleted may be used again."""

    SAVED = "saved"
    DELETED = "deleted"


LIFECYCLE: Final[tuple[tuple[str, TemplateStatus | None, TemplateStatus], ...]] = (
    ("save_template", None, TemplateStatus.SAVED),
    ("save_template", TemplateStatus.SAVED, TemplateStatus.SAVED),
    ("save_template", TemplateStatus.DELETED, TemplateStatus.SAVED),
    ("delete_template", TemplateStatus.SAVED, TemplateStatus.DELETED),
)
"""Command, from which status (None: there is none of this name), to which."""

MOST_TEMPLATES: Final = 200
"""So many templates one OPCO may keep: a list that people choose from."""


@dataclass(frozen=True)
class FormTemplate:
    """A template; `fields` as in a draft."""

    id: UUID
    opco: str
    name: str
    status: TemplateStatus
    saved_at: dt.datetime
    fields: Mapping[str, str]


def room_for_template(held: FormTemplate | None, saved: int) -> None:
    """Let a form be kept under a name that holds `held`, beside `saved` templates; raises `NotAllowedNow` for one too many."""
    if saved < MOST_TEMPLATES or (held is not None and held.status is TemplateStatus.SAVED):
        return
    message = (
        f"Votre organisation garde déjà {MOST_TEMPLATES} modèles\u202f:"
        " supprimez-en un, ou enregistrez sous le nom de celui que vous remplacez."
    )
    raise NotAllowedNow(Objection("TEMPLATES_KEPT", message, ROOM_FOR_ALL, facts={"limit": MOST_TEMPLATES}))


def save_template(identifier: UUID, opco: str, name: str, fields: Mapping[str, str], at: dt.datetime) -> FormTemplate:
    """Keep a form under a name; what was kept under it is replaced."""
    kept = {path: text for path, text in fields.items() if text}
    return FormTemplate(identifier, opco, name, TemplateStatus.SAVED, at, kept)


def delete_template(template: FormTemplate, at: dt.datetime) -> FormTemplate:
    """Drop a template and what it held; raises `NotAllowedNow` for one that is deleted already."""
    if template.status is TemplateStatus.DELETED:
        message = "Ce modèle est déjà supprimé\u202f: rien n’est à faire."
        raise NotAllowedNow(Objection("STATUS", message, MOMENT, facts={"status": template.status.value}))
    return replace(template, status=TemplateStatus.DELETED, saved_at=at, fields={})
