"""The form of a fiche: from field paths and texts as they were typed to a content, and back. Screens, files and templates use the same.

A path names one field, elements of lists by their place from 0: `hours.total`, `sessions.0.meetings.1.place`. The fields are those of
`FicheContent` itself, read from its types: a field that the contract gains is one of the form. Money is typed in euros, dates as
30/04/2018 or 2018-04-30, yes and no as oui and non. A part that a fiche may lack (`certification`) has a field of its own name, whether
it is there; a row of a list whose fields are all empty is not there.
"""

import datetime as dt
import json
import re
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from itertools import islice
from typing import Annotated, Any, Final, TypeAlias, Union, get_args, get_origin
from uuid import UUID

from annotated_types import MaxLen
from pydantic import BaseModel, ValidationError

from shared.contracts.days import iso_day
from shared.contracts.fiche import EUROS, FicheContent
from shared.contracts.text import CODE, Free
from shared.errors import Objection
from shared.form_words import to_people
from shared.parsing import MAX_OBJECTIONS, objections_from
from shared.personal_data import objections_to

LONGEST_TEXT: Final = 5000
"""Characters of a free text in a form: more than a fiche may hold, so that what was pasted is kept and then objected to."""
LONGEST_OTHER: Final = 300
MOST_ROWS: Final = 50
"""Rows of a list for which the contract has no bound."""


class Kind(StrEnum):
    """How a field is typed."""

    TEXT = "text"
    WHOLE = "whole"
    EUROS = "euros"
    YES_NO = "yes_no"
    DATE = "date"
    CHOICE = "choice"


@dataclass(frozen=True)
class Leaf:
    """One field: how it is typed, the mark of its text if a person writes it freely, the codes it may be chosen from."""

    kind: Kind
    mark: Free | None = None
    choices: tuple[str, ...] = ()
    address: bool = False


@dataclass(frozen=True)
class Group:
    """Fields that belong together; `optional`: a fiche may lack them."""

    members: "Mapping[str, Plan]"
    optional: bool = False


@dataclass(frozen=True)
class Rows:
    """A list: what each element is, and how many there may be."""

    each: "Plan"
    most: int


Plan: TypeAlias = Leaf | Group | Rows
Place: TypeAlias = tuple[str | int, ...]
Typed: TypeAlias = Mapping[str, str]

_YES: Final = frozenset({"oui", "vrai", "true", "on", "1", "x"})
_NO: Final = frozenset({"non", "faux", "false", "off", "0"})
_BLANK: Final = (
    "\t\n\x0b\x0c\r \x85\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What the contract takes away at both ends of a text, and nothing more: Python's own `strip` also takes separators of files."""
_SPACES: Final = re.compile(r"[ \u00a0\u202f]")
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")
_EUROS: Final = re.compile(r"(-?[0-9]{1,15})(?:[.,]([0-9]{1,2}))?€?")
_START: Final = re.compile(r"sessions\.[0-9]{1,2}\.start")
_ISO_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FRENCH_DATE: Final = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")


def fields_of(content: FicheContent) -> dict[str, str]:
    """Return a content as a form shows it: what is empty or not there is left out; `content_of` gives the same content back."""
    return dict(_shown(form(), content.model_dump(mode="json"), ""))


def content_of(fields: Typed) -> FicheContent | tuple[Objection, ...]:
    """Return the content that was typed, or every objection of form in words for people, each with its field's path as it was given."""
    wrong = list(unfit_fields(fields))
    reading = _Reading()
    document = reading.read(form(), _tree({path: text for path, text in fields.items() if leaf_at(path)}), ())
    try:
        content = FicheContent.model_validate_json(json.dumps(document), extra="forbid", strict=True)
    except ValidationError as errors:
        found = [
            {**error, "loc": reading.given(error["loc"])}
            for error in errors.errors(include_url=False, include_input=False)
        ]
        return tuple(
            [*wrong, *(_in_euros(to_people(one)) for one in objections_from(found, FicheContent))][:MAX_OBJECTIONS]
        )
    return tuple(wrong) or content


def as_typed(fields: Typed, objections: Iterable[Objection]) -> tuple[Objection, ...]:
    """Return what is said of a content with the paths at which its fields were typed: a row that was left empty is in the form alone."""
    reading = _Reading()
    reading.read(form(), _tree({path: text for path, text in fields.items() if leaf_at(path)}), ())

    def place(path: str) -> str:
        parts = tuple(int(part) if part.isdecimal() else part for part in path.split("."))
        return ".".join(map(str, reading.given(parts)))

    return tuple(replace(one, field=place(one.field)) if one.field else one for one in objections)


def unfit_fields(fields: Typed) -> Iterator[Objection]:
    """Yield what a form may not hold even half-typed: fields that no fiche has, texts too long, NUL, what identifies a person."""
    if unknown := sum(leaf_at(path) is None for path in fields):
        message = "Un champ n’existe pas dans la fiche\u202f: retirez-le ou corrigez son nom."
        if unknown > 1:
            message = f"{unknown} champs n’existent pas dans la fiche\u202f: retirez-les ou corrigez leurs noms."
        yield Objection("FIELD_UNKNOWN", message, field="fields", facts={"unknown": unknown})
    yield from islice(_unfit_texts(fields), MAX_OBJECTIONS)


def leaf_at(path: str) -> Leaf | None:
    """Return what is known of the field at a path; None where a fiche has no such field."""
    plan: Plan | None = form()
    for part in path.split("."):
        if isinstance(plan, Rows):
            place = len(part) <= 2 and part.isascii() and part.isdigit() and str(int(part)) == part
            plan = plan.each if place and int(part) < plan.most else None
        else:
            plan = plan.members.get(part) if isinstance(plan, Group) else None
    if isinstance(plan, Group) and plan.optional:
        return _PRESENT
    return plan if isinstance(plan, Leaf) else None


_PRESENT: Final = Leaf(Kind.YES_NO)
"""The field that says whether an optional group is there."""


def _unfit_texts(fields: Typed) -> Iterator[Objection]:
    for path, text in fields.items():
        leaf = leaf_at(path)
        if leaf is None:
            continue
        longest = LONGEST_TEXT if leaf.mark else LONGEST_OTHER
        if len(text) > longest:
            message = f"Ce texte est trop long\u202f: {longest} caractères au plus."
            yield Objection("FORM_STRING_TOO_LONG", message, field=path, facts={"max_length": longest})
        elif "\x00" in text:
            message = "Ce texte contient le caractère NUL\u202f: retirez-le."
            yield Objection("NUL", message, field=path)
        elif not leaf.address:
            yield from objections_to(text, path, leaf.mark or CODE)


def typed_start(fields: Typed) -> dt.date | None:
    """Return the earliest first day that stands in a form; what is no date yet is passed over."""
    texts = (text.strip(_BLANK) for path, text in fields.items() if _START.fullmatch(path))
    days = (day for text in texts if (day := iso_day(_date(text))) is not None)
    return min(days, default=None)


@cache
def form() -> Group:
    """Return the whole form, as the types of `FicheContent` say it."""
    return _group(FicheContent)


def _group(model: type[BaseModel], optional: bool = False) -> Group:
    return Group({name: _plan(f.annotation, f.metadata) for name, f in model.model_fields.items()}, optional)


def _plan(annotation: Any, marks: list[Any], optional: bool = False) -> Plan:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _plan(inner[0], [*marks, *_flat(inner[1:])], optional)
    if origin in (Union, types.UnionType):
        (only,) = [one for one in inner if one is not type(None)]
        return _plan(only, marks, optional=True)
    if origin is tuple:
        most = next((mark.max_length for mark in marks if isinstance(mark, MaxLen)), MOST_ROWS)
        return Rows(_plan(inner[0], []), most)
    if issubclass(annotation, BaseModel):
        return _group(annotation, optional)
    return _leaf(annotation, marks)


def _flat(marks: tuple[Any, ...]) -> Iterator[Any]:
    """Yield the marks of an annotation, those that pydantic holds together one by one."""
    for mark in marks:
        yield from getattr(mark, "metadata", None) or (mark,)


_KINDS: Final[Mapping[type, Kind]] = {bool: Kind.YES_NO, dt.date: Kind.DATE, UUID: Kind.TEXT}


def _leaf(annotation: type, marks: list[Any]) -> Leaf:
    if issubclass(annotation, StrEnum):
        return Leaf(Kind.CHOICE, choices=tuple(member.value for member in annotation))
    if annotation is str:
        pattern = next((mark.pattern for mark in marks if getattr(mark, "pattern", None)), "")
        return Leaf(Kind.TEXT, next((mark for mark in marks if isinstance(mark, Free)), None), address="@" in pattern)
    if annotation is int:
        return Leaf(Kind.EUROS if EUROS in marks else Kind.WHOLE)
    return Leaf(_KINDS[annotation])


def _shown(plan: Plan, value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the fields below a path, from a content in its JSON form."""
    if value is None:
        return
    if isinstance(plan, Leaf):
        if text := _text(plan.kind, value):
            yield path, text
        return
    if isinstance(plan, Rows):
        for n, element in enumerate(value):
            yield from _shown(plan.each, element, f"{path}.{n}")
        return
    if plan.optional:
        yield path, "oui"
    for name, member in plan.members.items():
        yield from _shown(member, value[name], f"{path}.{name}" if path else name)


def _text(kind: Kind, value: Any) -> str:
    if kind is Kind.YES_NO:
        return "oui" if value else "non"
    if kind is Kind.EUROS:
        euros, cents = divmod(value, 100)
        return f"{euros},{cents:02}" if cents else str(euros)
    return str(value)


def _tree(fields: Typed) -> dict[str, Any]:
    """Return the typed texts by the parts of their paths; what is empty is left out, `""` is the text of a group itself."""
    tree: dict[str, Any] = {}
    for path, text in fields.items():
        if not (stripped := text.strip(_BLANK)):
            continue
        node = tree
        for part in path.split("."):
            node = node.setdefault(part, {})
        node[""] = stripped
    return tree


@dataclass
class _Reading:
    """Reads a tree of texts into JSON; remembers which row of the form became which element of a list."""

    rows: dict[Place, int] = field(default_factory=dict)

    def read(self, plan: Plan, node: Mapping[str, Any], at: Place) -> Any:
        """Return what was typed below a place in the form that JSON has for it."""
        if isinstance(plan, Leaf):
            return _value(plan, node[""])
        if isinstance(plan, Rows):
            typed = sorted(int(part) for part in node if _something(node[part]))
            self.rows |= {(*at, n): row for n, row in enumerate(typed)}
            return [self.read(plan.each, node[str(row)], (*at, n)) for n, row in enumerate(typed)]
        return self._group(plan, node, at)

    def _group(self, plan: Group, node: Mapping[str, Any], at: Place) -> dict[str, Any] | None:
        if plan.optional and not (_is(node.get(""), _YES) if "" in node else _something(node)):
            return None
        document = {}
        for name, member in plan.members.items():
            below = node.get(name, {})
            if below or isinstance(member, Rows) or (isinstance(member, Group) and not member.optional):
                document[name] = self.read(member, below, (*at, name))
        return document

    def given(self, loc: Place) -> Place:
        """Return where something stands in the form, from where it stands in the document."""
        return tuple(self.rows.get(loc[: n + 1], part) for n, part in enumerate(loc))


def _something(node: Mapping[str, Any]) -> bool:
    """Return whether anything was typed here or below."""
    return "" in node or any(_something(below) for below in node.values())


def _is(text: str | None, words: frozenset[str]) -> bool:
    return text is not None and text.lower() in words


def _value(leaf: Leaf, text: str) -> str | int | bool:
    """Return what a text means; as it is where it means nothing, so that the contract objects to it."""
    if leaf.kind is Kind.YES_NO and (_is(text, _YES) or _is(text, _NO)):
        return _is(text, _YES)
    if leaf.kind is Kind.DATE:
        return _date(text)
    if leaf.kind is Kind.CHOICE and text.upper() in leaf.choices:
        return text.upper()
    close = _SPACES.sub("", text)
    if leaf.kind is Kind.WHOLE and _WHOLE.fullmatch(close):
        return int(close)
    if leaf.kind is Kind.EUROS and (euros := _EUROS.fullmatch(close)):
        return int(euros[1] + (euros[2] or "").ljust(2, "0"))
    return text


def _date(text: str) -> str:
    """Return a date as the contract wants it; pydantic would take a number of seconds for one, so nothing else gets there."""
    if french := _FRENCH_DATE.fullmatch(text):
        return f"{french[3]}-{int(french[2]):02}-{int(french[1]):02}"
    return text if _ISO_DATE.fullmatch(text) else "no date"


def _in_euros(objection: Objection) -> Objection:
    """Return an objection to an amount in the unit it was typed in."""
    leaf = leaf_at(objection.field or "")
    if leaf is None or leaf.kind is not Kind.EUROS or objection.code == "FORM_MISSING":
        return objection
    message = "Un montant en euros est attendu, avec deux décimales au plus, par exemple 12\u202f500,50."
    return Objection("FORM_EUROS", message, field=objection.field)
