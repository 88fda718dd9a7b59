"""What free texts may not hold: e-mail addresses, telephone numbers, NIR. Found at the edges, before anything is kept.

A text is first brought into one form (compatibility forms of Unicode, entities, invisible characters, dashes), then looked through
by expressions that are bounded at each place: the time is linear in the length. No text is ever quoted in what is answered.
"""

import html
import re
import types
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Final, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel

from shared.contracts.text import FREE, Free
from shared.errors import Objection

_MESSAGES: Final = {
    "FREE_TEXT_EMAIL": (
        "Ce texte contient une adresse électronique\u202f: retirez-la\u202f;"
        " une boîte fonctionnelle se met dans le champ «\u202fcontact\u202f» de la fiche."
    ),
    "FREE_TEXT_TELEPHONE": (
        "Ce texte contient un numéro de téléphone\u202f: retirez-le\u202f;"
        " une boîte fonctionnelle se met dans le champ «\u202fcontact\u202f» de la fiche."
    ),
    "FREE_TEXT_NIR": "Ce texte contient un numéro de sécurité sociale (NIR)\u202f: retirez-le.",
}
_SOURCE: Final = "RGPD art. 5 et 25"

# e-mail: what stands before and after an at sign, written as such or as a word
_TLD: Final = r"[^\W\d_]{2,24}\b"
_HOST: Final = r"[\w-]{1,63}(?:[ ]{0,2}\.[ ]{0,2}[\w-]{1,63}){0,3}"
_DOT: Final = (
    r"(?:\.|[ ]{1,2}\.[ ]{0,2}|\.[ ](?=(?:fr|com|org|net|eu|info)\b)"
    r"|[ ]{0,2}[(\[{<][ ]{0,2}(?:dot|point|\.)[ ]{0,2}[)\]}>][ ]{0,2}|[ _-]{1,3}(?:dot|point)[ _-]{1,3})"
)
_AT: Final = r"(?:@|[(\[{<][ ]{0,2}(?:at|arr?obase?|@)[ ]{0,2}[)\]}>]|\barr?obase\b|_at_|-at-)"
_EMAIL: Final = re.compile(rf"[\w\"'][ ]{{0,3}}{_AT}[ ]{{0,3}}{_HOST}{_DOT}{_TLD}", re.IGNORECASE)
_AT_WORD: Final = re.compile(
    r"\w(?:[ ]{1,3}at[ ]{1,3}|[ ]{0,3}[(\[{<]a[)\]}>][ ]{0,3})[\w-]{1,63}"
    r"(?:[ ]{1,3}(?:dot|point)[ ]{1,3}[a-z]{2,24}\b|\.(?:fr|com|org|net|eu|info)\b)",
    re.IGNORECASE,
)

# telephone: dates are taken out first, so that two of them do not make ten digits
_DATE: Final = re.compile(
    r"(?<![\d/.-])(?:\d{1,2}([/.-])\d{1,2}\1(?:19|20)\d{2}|(?:19|20)\d{2}([/.-])\d{1,2}\2\d{1,2}"
    r"|\d{1,2}/\d{1,2}/\d{2})(?![\d]|[/.-]\d)"
)
_S: Final = r"[ ._/()-]{0,3}"
_NATIONAL: Final = re.compile(rf"(?<![\w,])\(?0{_S}[1-9](?:{_S}\d){{8}}(?!\w)")
_ABROAD: Final = re.compile(
    rf"(?<![\w+])(?:\+|\(\+|00){_S}(?:33|262|269|590|594|596|508|687|689|681){_S}(?:\(?0\)?)?(?:{_S}\d){{6,9}}(?!\w)"
)
_FOREIGN: Final = re.compile(rf"(?<![\w+])\+[1-9]\d{{0,2}}(?:{_S}\d){{7,12}}(?!\w)")
_UUID: Final = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
_TWO_CODES: Final = re.compile(r"\d{5}[ /-]{1,3}\d{5}")

# NIR: sex, year, month, department (2A, 2B), commune, order, key
_G: Final = r"[ ._/-]{0,2}"
_NIR: Final = re.compile(
    rf"(?<![\w])(?=([1-478](?:{_G}\d){{4}}{_G}(?:\d{_G}\d|2{_G}[AaBb])(?:{_G}\d){{6}}))\1((?:{_G}\d){{2}})?(?![\w])"
)
_MONTHS: Final = frozenset(range(1, 13)) | frozenset(range(20, 43)) | frozenset(range(50, 100))
_ENTITY: Final = re.compile(r"%40", re.IGNORECASE)


def kinds_in(text: str, numbers: bool = True) -> tuple[str, ...]:
    """Return the codes of what a free text may not hold (`FREE_TEXT_EMAIL`, `FREE_TEXT_TELEPHONE`, `FREE_TEXT_NIR`).

    Without `numbers` it is a code that a system gave: its digits say nothing about anybody.
    """
    plain = _plain(text)
    found = []
    if _has_email(plain):
        found.append("FREE_TEXT_EMAIL")
    if numbers and _MANY_DIGITS.search(plain):
        nirs = _nirs(_UUID.sub("x", plain))
        undated = _DATE.sub("x", nirs.rest)
        if any(_has_number(undated)):
            found.append("FREE_TEXT_TELEPHONE")
        if nirs.found:
            found.append("FREE_TEXT_NIR")
    return tuple(found)


_MANY_DIGITS: Final = re.compile(r"\d(?:[ ._/()-]{0,3}[\dAaBb]){7}")


def _plain(text: str) -> str:
    """Return a text in one form: compatibility forms, entities, decimal digits, dashes, one kind of space, nothing invisible."""
    if "&" in text:
        text = html.unescape(text)
    if "%" in text:
        text = _ENTITY.sub("@", text)
    if not text.isascii():
        text = _UNUSUAL.sub(_plain_character, unicodedata.normalize("NFKC", text))
    return " ".join(text.split())


_UNUSUAL: Final = re.compile(r"[^\x00-\x7f\u00c0-\u024f’« »\u2026]")
"""Neither ASCII nor a letter or mark of French."""


def _plain_character(found: re.Match[str]) -> str:
    character = found[0]
    category = unicodedata.category(character)
    if category == "Cf":
        return ""
    if category == "Pd" or character in "·•∙‧":
        return "-"
    if category == "Nd":
        return str(unicodedata.digit(character))
    return "." if character in "。｡" else character


_HINTS: Final = (
    "@",
    " at ",
    "at)",
    "at]",
    "at}",
    "at>",
    "at )",
    "at ]",
    "(a)",
    "[a]",
    "{a}",
    "<a>",
    "_at_",
    "-at-",
    "arob",
    "arrob",
)
"""Without one of these a text holds no address: most texts are done with that."""


def _has_email(text: str) -> bool:
    small = text.lower()
    return any(hint in small for hint in _HINTS) and bool(_EMAIL.search(text) or _AT_WORD.search(text))


def _has_number(text: str) -> Iterator[bool]:
    for pattern in (_NATIONAL, _ABROAD, _FOREIGN):
        for found in pattern.finditer(text):
            yield not _TWO_CODES.fullmatch(found[0])


@dataclass(frozen=True)
class _Nirs:
    """Whether a text holds a NIR, and the text without them."""

    found: bool
    rest: str


def _nirs(text: str) -> _Nirs:
    kept, last, found = [], 0, False
    for match in _NIR.finditer(text):
        if _is_nir(match[1], match[2]):
            found = True
            kept.append(text[last : match.start()])
            last = match.end()
    return _Nirs(found, "x".join((*kept, text[last:])))


def _is_nir(number: str, key: str | None) -> bool:
    """Return whether 13 digits are a NIR: by their key where there is one, else by sex and month alone (no other check exists)."""
    digits = re.sub(r"[^0-9AB]", "", number.upper())
    if int(digits[3:5]) not in _MONTHS:
        return False
    if key is None:
        return digits[0] in "12" and 1 <= int(digits[3:5]) <= 12  # months
    value = int(digits.replace("2A", "19").replace("2B", "18"))
    return 97 - value % 97 == int(re.sub(r"\D", "", key))


# Where the free texts of a type lie: built once per type, followed in what was decoded.


@dataclass(frozen=True)
class _Each:
    """A list, each element of which holds free text."""

    plan: "_Plan"


_Plan: TypeAlias = "Free | _Each | Mapping[str, _Plan]"


@lru_cache(maxsize=256)
def free_texts(model: type[BaseModel]) -> Mapping[str, Any]:
    """Return where the free texts of a type lie: member name to its mark, to a list of such, or to the members of an object."""
    found = {}
    for name, field in model.model_fields.items():
        plan = _mark(field.metadata) or _plan(field.annotation)
        if plan:
            found[name] = plan
    return found


def _mark(marks: Iterable[Any]) -> Free | None:
    return next((mark for mark in marks if isinstance(mark, Free)), None)


def _plan(annotation: Any) -> "_Plan | None":
    """Return where free texts lie below a type; None where there are none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return free_texts(annotation) or None
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _mark(inner[1:]) or _plan(inner[0])
    if origin in (Union, types.UnionType):
        return next((plan for one in inner if (plan := _plan(one))), None)
    if origin in (tuple, list) and inner:
        plan = _plan(inner[0])
        return _Each(plan) if plan else None
    return None


def objections_to_texts(document: Any, model: type[BaseModel]) -> Iterator[Objection]:
    """Yield one objection for each free text of a decoded JSON document and each thing in it that may not be there."""
    yield from _followed(document, free_texts(model), "")


def objections_to(text: str, field: str, mark: Free = FREE) -> Iterator[Objection]:
    """Yield what one free text may not hold."""
    for code in kinds_in(text, mark.numbers):
        yield Objection(code, _MESSAGES[code], _SOURCE, field)


def _followed(node: Any, plan: Any, path: str) -> Iterator[Objection]:
    if isinstance(plan, Free):
        if isinstance(node, str):
            yield from objections_to(node, path, plan)
    elif isinstance(plan, _Each):
        if isinstance(node, list):
            for n, element in enumerate(node):
                yield from _followed(element, plan.plan, f"{path}.{n}")
    elif isinstance(node, dict):
        for name, below in plan.items():
            if name in node:
                yield from _followed(node[name], below, f"{path}.{name}" if path else name)
