"""What an OPCO does with its templates: save, read, delete. Using one is drafting with its fields."""

import datetime as dt
from collections.abc import Mapping
from typing import Final
from uuid import UUID, uuid5

from services.submission.domain import form_template
from services.submission.domain.form_template import FormTemplate
from services.submission.domain.sources import RIGHTS
from services.submission.template_store import Templates, find_template, list_templates
from shared.audit_trail import Change
from shared.contracts.fiche import POEC_NAMESPACE
from shared.database import Database
from shared.errors import NotFound, Objection
from shared.identity import Principal
from shared.policy import authorize

UNKNOWN: Final = Objection("UNKNOWN", "Aucun modèle de ce nom n’est visible pour votre organisation.", RIGHTS)


def template_id(opco: str, name: str) -> UUID:
    """Return the identifier of the template an OPCO calls `name`: derived, so the same name is the same template."""
    return uuid5(POEC_NAMESPACE, f"template/{opco}/{name}")


def save_template(
    templates: Templates, principal: Principal, name: str, fields: Mapping[str, str], at: dt.datetime
) -> FormTemplate:
    """Keep a form under a name, in the place of what was kept under it."""
    opco = principal.organisation
    authorize(principal, "keep_templates", opco)
    identifier = template_id(opco, name)
    form_template.room_for_template(templates.get(identifier), templates.saved)
    new = form_template.save_template(identifier, opco, name, fields, at)
    return _put(templates, templates.get(identifier), new, "save_template", principal)


def delete_template(templates: Templates, principal: Principal, identifier: UUID, at: dt.datetime) -> FormTemplate:
    """Drop a template."""
    authorize(principal, "keep_templates")
    found = templates.get(identifier)
    if found is None:
        raise NotFound(UNKNOWN)
    authorize(principal, "keep_templates", found.opco, unknown=UNKNOWN)
    return _put(templates, found, form_template.delete_template(found, at), "delete_template", principal)


async def read_templates(database: Database, principal: Principal, after: str | None, limit: int) -> list[FormTemplate]:
    """Return the next templates of the caller's own organisation."""
    authorize(principal, "keep_templates")
    return await list_templates(database, principal, after, limit)


async def read_template(database: Database, principal: Principal, identifier: UUID) -> FormTemplate:
    """Return one of the caller's own templates."""
    authorize(principal, "keep_templates")
    found = await find_template(database, principal, identifier)
    if found is None:
        raise NotFound(UNKNOWN)
    authorize(principal, "keep_templates", found.opco, unknown=UNKNOWN)
    return found


def _put(
    templates: Templates, before: FormTemplate | None, new: FormTemplate, action: str, principal: Principal
) -> FormTemplate:
    was = before.status.value if before else None
    facts: dict[str, str | int | bool | None] = {"fields": len(new.fields)}
    templates.put(new.id, new, Change(action, principal.id, was, new.status.value, (), facts))
    return new
