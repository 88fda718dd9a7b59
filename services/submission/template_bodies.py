"""The HTTP bodies of templates: what is taken in (`…In`), what is answered (`…Out`)."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from pydantic import Field

from services.submission.bodies import MOST_FIELDS
from services.submission.domain.decisions import REFERENCE_LENGTH
from services.submission.domain.form_template import FormTemplate, TemplateStatus
from services.submission.form_fields import LONGEST_TEXT
from shared.contracts.fiche import Value
from shared.contracts.text import CODE, FREE, FreeText


class TemplateIn(Value):
    """A form under a name: `fields` as in a draft."""

    template: Annotated[str, Field(min_length=1, max_length=120), FREE]
    fields: Annotated[
        dict[Annotated[str, Field(max_length=80)], Annotated[str, Field(max_length=LONGEST_TEXT), FREE]],
        Field(max_length=MOST_FIELDS),
    ]


class FromTemplateIn(Value):
    """Under which reference a draft is begun."""

    reference: Annotated[str, Field(min_length=1, max_length=REFERENCE_LENGTH), CODE]


class DeletionIn(Value):
    """Nothing has to be said beside the command."""


class TemplateOut(Value):
    """A template; in lists without its fields."""

    template_id: UUID
    template: FreeText
    status: TemplateStatus
    saved_at: dt.datetime
    fields: dict[str, FreeText] | None = None


class TemplatesOut(Value):
    """A page of templates by name; `next` is the value of `after` that continues it."""

    templates: tuple[TemplateOut, ...]
    next: str | None = None


def template_out(template: FormTemplate, *, whole: bool) -> TemplateOut:
    """Return a template as it is read, `whole` with its fields."""
    return TemplateOut(
        template_id=template.id,
        template=template.name,
        status=template.status,
        saved_at=template.saved_at,
        fields=dict(template.fields) if whole else None,
    )
