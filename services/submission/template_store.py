"""The table of templates and the queries of its readers."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlmodel import Field

from services.submission.domain.form_template import FormTemplate
from services.submission.store import Base, StateRow, head_of
from shared.audit_trail import Head
from shared.database import Database, UnitOfWork
from shared.identity import Principal
from shared.working_set import WorkingSet


class FormTemplateRow(StateRow, table=True):
    """A form kept under a name; `document` is the whole of it."""

    __tablename__ = "form_template"

    opco: str = Field(sa_type=sa.Text)
    name: str = Field(sa_type=sa.Text)
    saved_at: dt.datetime = Field(sa_type=sa.DateTime(timezone=True))


TABLE: Final[sa.Table] = Base.metadata.tables["form_template"]
_WHOLE: Final = TypeAdapter(FormTemplate)
_OPEN: Final = """
SELECT id, version, sequence, audit_hash, document::text AS document, 0 AS saved FROM form_template WHERE id = ANY($1::uuid[])
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, (
  SELECT count(*) FROM form_template WHERE opco = current_setting('poec.tenant', true) AND status = 'saved')::int
"""
"""The templates by these identifiers, and in one row without an identifier how many the asking OPCO keeps."""
_LIST: Final = """
SELECT document::text AS document FROM form_template
WHERE status = 'saved' AND opco = $1 AND ($2::text IS NULL OR name > $2) ORDER BY name LIMIT $3
"""


class Templates(WorkingSet[FormTemplate]):
    """The templates of a transaction; `saved` is how many the asking OPCO keeps."""

    def __init__(self, loaded: Mapping[UUID, tuple[Head, FormTemplate]] | None = None, saved: int = 0) -> None:
        super().__init__(loaded)
        self.saved = saved


async def open_templates(unit: UnitOfWork, ids: Collection[UUID]) -> Templates:
    """Load these templates in one read; one that is not there, or not the caller's, is not in the set."""
    rows = await unit.read(_OPEN, list(ids))
    (beside,) = (row for row in rows if row["id"] is None)
    found = (row for row in rows if row["id"] is not None)
    return Templates(
        {row["id"]: (head_of(row), _WHOLE.validate_json(row["document"])) for row in found}, beside["saved"]
    )


def write_templates(templates: Templates, unit: UnitOfWork) -> None:
    """Hand what changed to the unit of work."""
    templates.write(unit, TABLE, _columns)


def _columns(template: FormTemplate) -> Mapping[str, Any]:
    return {
        "opco": template.opco,
        "status": template.status.value,
        "name": template.name,
        "saved_at": template.saved_at,
        "document": _WHOLE.dump_json(template).decode(),
    }


async def list_templates(database: Database, principal: Principal, after: str | None, limit: int) -> list[FormTemplate]:
    """Return the next templates of the caller's organisation after a name, by name."""
    rows = await database.query(principal, _LIST, principal.organisation, after, limit)
    return [_WHOLE.validate_json(row["document"]) for row in rows]


async def find_template(database: Database, principal: Principal, identifier: UUID) -> FormTemplate | None:
    """Return a template that is saved, None where there is none that the principal may see."""
    query = "SELECT document::text AS document FROM form_template WHERE id = $1 AND status = 'saved'"
    rows = await database.query(principal, query, identifier)
    return _WHOLE.validate_json(rows[0]["document"]) if rows else None
