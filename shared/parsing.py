"""Bytes from outside into a typed request, or every objection at once; the same for HTTP bodies and ingress records.

Refused although most parsers let it pass: duplicate members (last wins, and a gateway may read the first), NUL, lone surrogates,
NaN and Infinity, numbers that 64 bits do not hold, a text or 1.0 where a whole number is due, nesting deeper than 20.
Nothing that was sent is ever quoted in what is answered.
"""

import json
import math
import re
from collections.abc import Sequence
from itertools import islice
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from shared.errors import InvalidInput, Malformed, Objection, TooLarge
from shared.form_words import unknown_fields, words_of
from shared.personal_data import objections_to_texts

MAX_BYTES: Final = 256 * 1024
MAX_DEPTH: Final = 20
MAX_OBJECTIONS: Final = 100
"""So many objections of form are listed; an answer must stay small enough to be sent, whatever was asked."""
M = TypeVar("M", bound=BaseModel)
_LONG_NUMBER: Final = re.compile(rb"[0-9]{19}|[eE][+-]?[0-9]{3}")
_LARGEST: Final = 2**63 - 1

_LIMITS: Final = ("min_length", "max_length", "ge", "le", "pattern", "expected")


def parse_json(raw: bytes, model: type[M], *, limit: int = MAX_BYTES) -> M:
    """Return `raw` as `model`, unknown fields refused. Raises `TooLarge`, `Malformed`, or `InvalidInput` with every objection."""
    if len(raw) > limit:
        raise TooLarge(
            Objection(
                "TOO_LARGE", f"La demande dépasse {limit // 1024} Kio\u202f: découpez-la.", facts={"limit": limit}
            )
        )
    personal = list(islice(objections_to_texts(check_json(raw), model), MAX_OBJECTIONS))
    try:
        body = model.model_validate_json(raw, extra="forbid", strict=True)
    except ValidationError as wrong:
        raise InvalidInput(*_listed([*personal, *objections_of(wrong, model)])) from None
    if personal:
        raise InvalidInput(*_listed(personal))
    return body


def check_json(raw: bytes) -> Any:
    """Return what was decoded; raise `Malformed` where JSON is not JSON, or is of the kind that two readers read differently."""
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _depth(raw) > MAX_DEPTH:
        raise Malformed(Objection("TOO_DEEP", f"La demande est imbriquée sur plus de {MAX_DEPTH} niveaux."))
    try:
        document = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant, **_numbers(raw)
        )
    except UnicodeDecodeError:
        raise Malformed(Objection("NOT_UTF8", "La demande n’est pas en UTF-8.")) from None
    except (ValueError, RecursionError) as wrong:
        code = wrong.args[0] if wrong.args and wrong.args[0] in _OWN else "NOT_JSON"
        raise Malformed(Objection(code, _OWN.get(code, "La demande n’est pas du JSON valide."))) from None
    if b"\\u0000" in raw or b"\x00" in raw:
        raise Malformed(Objection("NUL", "La demande contient le caractère NUL\u202f: retirez-le."))
    if (b"\\ud" in raw or b"\\uD" in raw) and not _encodable(raw):
        raise Malformed(
            Objection("SURROGATE", "La demande contient une moitié de caractère Unicode\u202f: corrigez le texte.")
        )
    return document


_OWN: Final = {
    "DUPLICATE_MEMBER": "Un objet de la demande porte deux fois le même champ\u202f: gardez-en un.",
    "NOT_A_NUMBER": "NaN et Infinity ne sont pas des nombres JSON.",
    "NUMBER_TOO_LARGE": "Un nombre de la demande ne tient pas sur 64 bits\u202f: corrigez-le.",
}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("DUPLICATE_MEMBER")
    return members


def _no_constant(_: str) -> None:
    raise ValueError("NOT_A_NUMBER")


def _numbers(raw: bytes) -> dict[str, Any]:
    """Return the checks of numbers where one may be too large; a request rarely holds 19 digits or an exponent of three."""
    return {"parse_int": _whole, "parse_float": _fraction} if _LONG_NUMBER.search(raw) else {}


def _whole(digits: str) -> int:
    if len(digits) > 20 or abs(number := int(digits)) > _LARGEST:
        raise ValueError("NUMBER_TOO_LARGE")
    return number


def _fraction(digits: str) -> float:
    if not math.isfinite(number := float(digits)):
        raise ValueError("NUMBER_TOO_LARGE")
    return number


def _encodable(raw: bytes) -> bool:
    try:
        json.dumps(json.loads(raw), ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _depth(raw: bytes) -> int:
    """Return the deepest nesting, strings left out; linear in the length."""
    deepest = depth = 0
    quoted = escaped = False
    for byte in raw:
        if quoted:
            quoted = escaped or byte != 0x22
            escaped = not escaped and byte == 0x5C
        elif byte == 0x22:
            quoted = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def objections_of(wrong: ValidationError, model: type[BaseModel] | None = None) -> list[Objection]:
    """Return one objection per error of form, with the field's path and no trace of what was sent."""
    return objections_from(wrong.errors(include_url=False, include_input=False), model)


def objections_from(errors: Sequence[Any], model: type[BaseModel] | None = None) -> list[Objection]:
    """Return one objection per error in pydantic's form (`type`, `loc`, `ctx`); unknown fields make one per object.

    `model` is what was to be read, for the names that are known there.
    """
    found: list[Objection] = []
    spoiled = {tuple(error["loc"][:n]) for error in errors for n in range(len(error["loc"]))}
    unknown = _unknown(errors)
    for error in errors:
        loc = tuple(error["loc"])
        if error["type"] == "too_short" and loc in spoiled:
            continue  # the list is long enough; an element of it is not good
        if len(found) > MAX_OBJECTIONS:
            break
        if error["type"] != "extra_forbidden":
            found.append(_objection(error))
        elif names := unknown.pop(loc[:-1], None):
            found.append(unknown_fields(model, loc[:-1], names))
    return _listed(found)


def _unknown(errors: Sequence[Any]) -> dict[tuple[int | str, ...], list[str]]:
    """Return the unknown fields by the place of the object that holds them."""
    found: dict[tuple[int | str, ...], list[str]] = {}
    for error in errors:
        if error["type"] == "extra_forbidden":
            found.setdefault(tuple(error["loc"][:-1]), []).append(str(error["loc"][-1]))
    return found


def _objection(error: Any) -> Objection:
    limits = {k: str(v) for k, v in (error.get("ctx") or {}).items() if k in _LIMITS}
    path = ".".join(str(part) for part in error["loc"])[:200] or None
    return Objection(f"FORM_{error['type'].upper()}", words_of(error["type"], limits), field=path, facts=limits)


def _listed(found: Sequence[Objection]) -> list[Objection]:
    """Return so many objections as are listed, and that there are more where there are."""
    if len(found) <= MAX_OBJECTIONS:
        return list(found)
    more = f"Seules les {MAX_OBJECTIONS} premières objections sont listées\u202f: corrigez-les, puis renvoyez."
    return [*found[:MAX_OBJECTIONS], Objection("FORM_MORE", more)]
