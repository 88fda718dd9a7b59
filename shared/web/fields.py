"""The fields of a form, out of the bytes that a browser sent: strictly, and nothing of them is quoted in what is answered."""

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Final
from urllib.parse import parse_qsl

from shared.errors import InvalidInput, Malformed, Objection

MAX_FIELDS: Final = 2000
_SPACES: Final = re.compile(r"\s")
_WHOLE: Final = re.compile(r"^-?[0-9]{1,18}$")


def read_form(raw: bytes) -> dict[str, list[str]]:
    """Return the fields of a form. Raises `Malformed` for what is none: not UTF-8 (half characters too), NUL, too many fields."""
    try:
        pairs = parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(raw),
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:
        raise Malformed(
            Objection("FORM_UNREADABLE", "Le formulaire n’est pas lisible\u202f: rechargez la page.")
        ) from None
    return fields_of(pairs)


def fields_of(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Return pairs as fields, in their order; raises `Malformed` for NUL, `InvalidInput` for a name that is far too long."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        if "\x00" in name or "\x00" in value:
            raise Malformed(Objection("NUL", "La demande contient le caractère NUL\u202f: retirez-le."))
        if len(name) > 200:
            raise InvalidInput(Objection("FIELD_NAME", "Le nom d’un champ est trop long\u202f: rechargez la page."))
        found.setdefault(name, []).append(value.replace("\r\n", "\n").replace("\r", "\n").strip())
    return found


def whole(text: str) -> int | str:
    """Return a whole number, « 1 000 »; the text itself where it is none, so that the objection of form is the door's."""
    digits = _SPACES.sub("", text)
    return int(digits) if _WHOLE.fullmatch(digits) else text


def cents(text: str) -> int | str:
    """Return so many euros, « 61 200,50 », in cents; the text itself where it is no amount."""
    try:
        amount = Decimal(_SPACES.sub("", text).removesuffix("€").replace(",", ".")) * 100
        return int(amount) if amount == amount.to_integral_value() and abs(amount) < 10**15 else text
    except (InvalidOperation, ValueError, OverflowError):
        return text
