"""The fields of a form, out of the bytes that a browser sent: strictly, and nothing of them is quoted in what is answered."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl

from shared.errors import InvalidInput, Malformed, Objection

MAX_FIELDS: Final = 2000


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
