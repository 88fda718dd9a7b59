"""Forms on their way in: bounded, read strictly, and only from who is signed in, with the secret of their session.

A repeated name is a list, everything is text without surrounding spaces; `\\r\\n`, which browsers make of every line's end, is `\\n`.
"""

import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID

import orjson
from fastapi import Request
from pydantic import BaseModel

from shared.errors import (
    CrossSite,
    Forbidden,
    KeyReused,
    Malformed,
    NotFound,
    Objection,
    Refused,
    Unauthenticated,
)
from shared.form_words import to_people
from shared.http import Answer, Ask, Door, Kept, Sent, door, idempotency_key, signed_in
from shared.identity import Principal
from shared.parsing import MAX_BYTES, parse_json
from shared.web.entry import Entry, new_key
from shared.web.fields import cents, read_form, whole
from shared.web.uploads import Upload, multipart
from shared.who_asks import check_form, expect_secret_in_form

B = TypeVar("B", bound=BaseModel)
FORM: Final = "application/x-www-form-urlencoded"
UPLOAD: Final = "multipart/form-data"
OWN_FIELDS: Final = frozenset({"csrf_token", "idempotency_key", "revision"})
"""Hidden fields that the macro `formulaire` writes; they are no part of what a person typed."""
_REVISION: Final = re.compile(r"^[0-9]{1,9}$")
_NOT_A_FORMS: Final = (Unauthenticated, Forbidden, NotFound, CrossSite)
"""Refusals that a form cannot show: they have a page of their own."""


@dataclass(frozen=True)
class Posted:
    """A form that somebody signed in has sent; `files` holds uploads by the name of their field."""

    request: Request
    principal: Principal
    values: Mapping[str, Sequence[str]]
    files: Mapping[str, Upload]

    def text(self, name: str) -> str:
        """Return a field's value; empty where it is missing. Raises `Malformed` for one given twice."""
        found = self.values.get(name, ())
        if len(found) > 1:
            raise Malformed(Objection("FIELD_TWICE", "Un champ qui ne vaut qu’une fois est répété.", field=name))
        return found[0] if found else ""

    def texts(self, name: str) -> tuple[str, ...]:
        """Return every value of a field that may be repeated."""
        return tuple(self.values.get(name, ()))

    def given(self, name: str) -> str | None:
        """Return a field's value; None where nothing was typed."""
        return self.text(name) or None

    def whole(self, name: str) -> int | str | None:
        """Return a field's whole number, its text where it is none, None where nothing was typed."""
        return whole(text) if (text := self.text(name)) else None

    def cents(self, name: str) -> int | str | None:
        """Return a field's amount in euros as cents, its text where it is none, None where nothing was typed."""
        return cents(text) if (text := self.text(name)) else None

    @property
    def acknowledged(self) -> list[str]:
        """Return the codes of the warnings that were ticked."""
        return list(self.texts("acknowledged"))

    @property
    def revision(self) -> int | None:
        """Return the revision that the form was made for, from its hidden field; None where it has none."""
        text = self.text("revision")
        return int(text) if _REVISION.fullmatch(text) else None

    async def command(
        self,
        body_type: type[B],
        document: object,
        ids: Callable[[Principal, B], Collection[UUID]],
        act: Callable[[Any, Ask[B]], Answer],
        way: str = "",
    ) -> Kept | Refused:
        """Carry a command out through the service's door (`way`: one of its others), as a program's is that sends `document` as JSON.

        Returns what was answered, or the refusal to show beside the form (409, 412, 422, 428, 429, 503). Raises those that no
        form can mend: not signed in, not allowed, unknown. Nothing else differs from HTTP: the same parsing, the same key, one
        unit of work.
        """
        try:
            return await self._carried_out(door(self.request, way), body_type, document, ids, act)
        except _NOT_A_FORMS:
            raise
        except Refused as refused:
            refused.objections = tuple(map(to_people, refused.objections))
            return refused

    async def _carried_out(
        self,
        way_in: Door[Any],
        body_type: type[B],
        document: object,
        ids: Callable[[Principal, B], Collection[UUID]],
        act: Callable[[Any, Ask[B]], Answer],
    ) -> Kept:
        with way_in.in_flight(self.principal):
            key = idempotency_key(self.given("idempotency_key"), self.principal)
            raw = orjson.dumps(document)
            sent = Sent(parse_json(raw, body_type), raw, key, self.revision)
            return await way_in.carry_out(self.request, self.principal, sent, ids, act)

    def entry(self, refused: Refused | None = None, *, strip: str = "", revision: int | None = None) -> Entry:
        """Return what was typed, to be shown again with what there is against it.

        `strip` is the beginning of the objections' fields that the form's names do not have (`content.`); `revision` is the
        current one where the refusal says that the form's was not. The key stays, unless it has served.
        """
        key = self.text("idempotency_key") if not isinstance(refused, KeyReused) else new_key()
        typed = {name: tuple(found) for name, found in self.values.items() if name not in OWN_FIELDS}
        kept = self.revision if revision is None else revision
        return Entry(typed, key=key or new_key(), revision=kept).refused(refused, strip)


@asynccontextmanager
async def posted(request: Request, limit: int = MAX_BYTES, content_type: str = FORM) -> AsyncIterator[Posted]:
    """Yield the form of a page's POST; who sends it is known and its secret checked before anything is looked at.

    The body counts against the service's room until the block ends. `content_type` is `UPLOAD` for a form with a file, whose
    `limit` says how large it may be.
    """
    expect_secret_in_form(request)
    principal = await signed_in(request)
    async with door(request).intake.body(request, limit, content_type) as raw:
        values, files = await multipart(request, raw) if content_type == UPLOAD else (read_form(raw), {})
        check_form(request, "".join(values.get("csrf_token", ())))
        yield Posted(request, principal, values, files)
