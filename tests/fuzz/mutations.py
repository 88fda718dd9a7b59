"""Bytes and JSON changed by chance: small, plausible harm first, because what is all noise never gets past the first check."""

import json
import random
from collections.abc import Callable, Sequence
from typing import Any, Final

Change = Callable[[random.Random, bytes], bytes]

_LARGE: Final = (
    b"0",
    b"-1",
    b"1e999",
    b"9" * 19,
    b"9" * 400,
    b"18446744073709551616",
    b"-9223372036854775809",
    b"1" + b"0" * 5000,
)
_ODD_TEXTS: Final = (
    "\u202e", "\u200d", "\ufeff", "\ufffe", "\x7f", "\x1b[2J", "e\u0301" * 40, "\U0001f468\u200d\U0001f469", "İ", "ﬃ", "\x85", "\u2028",
    "%00", "%c0%ae", "%u0000", "..%2f..%2f", "${jndi:x}", "{{7*7}}", "' OR 1=1 --", "<script>", "=1+1", "\\u0000", "\\ud800", "\r\n",
)  # fmt: skip
"""Texts that other programs stumbled over: direction marks, half a sequence, what a shell, a template, a sheet or SQL would take up."""


def _place(chance: random.Random, raw: bytes) -> tuple[int, int]:
    start = chance.randint(0, len(raw))
    return start, min(len(raw), start + chance.choice((1, 1, 2, 4, 8, 32, 200)))


def _flip(chance: random.Random, raw: bytes) -> bytes:
    changed = bytearray(raw)
    for _ in range(chance.choice((1, 1, 1, 3)) if raw else 0):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _set(chance: random.Random, raw: bytes) -> bytes:
    start, _ = _place(chance, raw)
    return (
        raw[:start]
        + bytes([chance.choice(b"\x00\x09\x0a\x0d\x20\x22\x25\x2c\x3a\x5c\x7f\x80\xc0\xed\xff")])
        + raw[start + 1 :]
    )


def _cut(chance: random.Random, raw: bytes) -> bytes:
    start, end = _place(chance, raw)
    return raw[:start] + raw[end:]


def _end(chance: random.Random, raw: bytes) -> bytes:
    return raw[: chance.randint(0, len(raw))]


def _double(chance: random.Random, raw: bytes) -> bytes:
    start, end = _place(chance, raw)
    return raw[:end] + raw[start:end] * chance.choice((1, 1, 2, 50)) + raw[end:]


def _large(chance: random.Random, raw: bytes) -> bytes:
    """Put a large number where one stands, or anywhere."""
    digits = [n for n, byte in enumerate(raw) if 0x30 <= byte <= 0x39]
    at = chance.choice(digits) if digits else len(raw)
    return raw[:at] + chance.choice(_LARGE) + raw[at + 1 :]


def _odd(chance: random.Random, raw: bytes) -> bytes:
    start, _ = _place(chance, raw)
    return raw[:start] + chance.choice(_ODD_TEXTS).encode() + raw[start:]


def _lines(chance: random.Random, raw: bytes) -> bytes:
    """Swap, double or drop a line: headers of a request."""
    lines = raw.split(b"\r\n")
    n, m = chance.randrange(len(lines)), chance.randrange(len(lines))
    if (what := chance.randrange(3)) == 0:
        lines[n], lines[m] = lines[m], lines[n]
    elif what == 1:
        lines.insert(m, lines[n])
    else:
        del lines[n]
    return b"\r\n".join(lines)


def _case(chance: random.Random, raw: bytes) -> bytes:
    start, end = _place(chance, raw)
    return raw[:start] + raw[start:end].swapcase() + raw[end:]


CHANGES: Final[tuple[Change, ...]] = (_flip, _flip, _set, _cut, _end, _double, _large, _odd, _lines, _case)


def mutated(chance: random.Random, raw: bytes, others: Sequence[bytes] = (), more: Sequence[Change] = ()) -> bytes:
    """Return `raw` with one to four changes; a part of another one of the corpus may be put in, `more` are changes of its own kind."""
    for _ in range(chance.choice((1, 1, 1, 2, 2, 4))):
        if others and chance.random() < 0.05:
            start, end = _place(chance, other := chance.choice(others))
            at = chance.randint(0, len(raw))
            raw = raw[:at] + other[start:end] + raw[at:]
        else:
            raw = chance.choice((*CHANGES, *more, *more))(chance, raw)
    return raw


_VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, -1, 7, 99, 500, 2**31, 2**53 + 1, 2**63 - 1, 0.5, 1e300, "", " ", "x", "0", "2018-02-29", "2018-05-02",
    "9999-12-31", "0001-01-01", "é" * 49, "x" * 250, "x" * 3001, [], {}, [[]], {"": ""}, *_ODD_TEXTS,
)  # fmt: skip
_GENTLE: Final = ("Autre texte, même sens.", "À l’heure", "a", "L’objectif\u202f: œuvrer", "Ⅷ", "日本", "—")


def varied(chance: random.Random, document: Any, *, gently: bool = False) -> Any:
    """Return a JSON document with one place changed: a value, a member more, less or renamed, a list longer or shorter.

    `gently`: another text for a text, a number beside a number; what is well formed mostly stays so.
    """
    made = json.loads(json.dumps(document))
    places = list(_walk(made))
    if not places:
        return made if gently else chance.choice(_VALUES)
    holder, at = chance.choice(places)
    old = holder[at]
    if gently:
        holder[at] = _beside(chance, old)
    elif isinstance(holder, dict) and chance.random() < 0.2:
        del holder[at]
        if chance.random() < 0.5:
            holder[chance.choice(_ODD_TEXTS)] = old
    elif isinstance(old, list) and old and chance.random() < 0.5:
        holder[at] = old * chance.choice((2, 3, 60)) if chance.random() < 0.7 else old[1:]
    else:
        holder[at] = chance.choice(_VALUES)
    return made


def _beside(chance: random.Random, old: Any) -> Any:
    if isinstance(old, bool):
        return not old
    if isinstance(old, int):
        return max(0, old + chance.choice((-1, 1, 2)))
    return chance.choice(_GENTLE) if isinstance(old, str) and " " in old else old


def _walk(document: Any) -> list[tuple[Any, Any]]:
    """Return every place of a document as what holds it and where."""
    found: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting:
        holder = waiting.pop()
        inside = holder.items() if isinstance(holder, dict) else enumerate(holder) if isinstance(holder, list) else ()
        for at, value in inside:
            found.append((holder, at))
            waiting.append(value)
    return found
