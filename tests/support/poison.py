"""Records that nobody can apply: one kind per way of being wrong, made out of a good one."""

import dataclasses
import json
import random
from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

from shared.messaging.records import Received


def with_header(good: Received, name: str, value: bytes | None) -> Received:
    """Return the record with another value of one header."""
    return dataclasses.replace(good, headers=tuple((k, value if k == name else v) for k, v in good.headers))


def without_header(good: Received, name: str) -> Received:
    """Return the record without one header."""
    return dataclasses.replace(good, headers=tuple((k, v) for k, v in good.headers if k != name))


def with_member(good: Received, name: str, value: Any) -> Received:
    """Return the record with another value of one member of its JSON."""
    return dataclasses.replace(good, value=json.dumps({**json.loads(good.value or b"{}"), name: value}).encode())


Spoil = Callable[[Received], Received]

ANY_RECORD: Final[dict[str, Spoil]] = {
    "not JSON": lambda r: dataclasses.replace(r, value=b"{"),
    "empty": lambda r: dataclasses.replace(r, value=b""),
    "tombstone": lambda r: dataclasses.replace(r, value=None),
    "wrong type of a field": lambda r: dataclasses.replace(r, value=b'{"fiche_id": 1}'),
    "array": lambda r: dataclasses.replace(r, value=b"[]"),
    "100 deep": lambda r: dataclasses.replace(r, value=b"[" * 100 + b"]" * 100),
    "not UTF-8": lambda r: dataclasses.replace(r, value=b'{"opco": "\xff"}'),
    "no key": lambda r: dataclasses.replace(r, key=None),
    "key that is not UTF-8": lambda r: dataclasses.replace(r, key=b"\xff\xfe"),
    "long key of noise": lambda r: dataclasses.replace(r, key=random.Random(1).randbytes(4_000)),
    "long key of text": lambda r: dataclasses.replace(r, key=("é" * 300).encode()),
    "long id": lambda r: with_header(r, "ce_id", ("識" * 999).encode()),
    "unknown version": lambda r: with_header(r, "ce_type", b"fr.poec.fiche.withdrawn.v9"),
    "null header": lambda r: with_header(r, "ce_id", None),
    "header that is not UTF-8": lambda r: with_header(r, "ce_type", b"\xff"),
    "no id": lambda r: without_header(r, "ce_id"),
    "NUL in a header's name": lambda r: dataclasses.replace(r, value=b"{", headers=(*r.headers, ("a\x00b", b"x"))),
    "NUL in a header": lambda r: with_header(r, "ce_id", b"a\x00b"),
}
"""Wrong in an event as in a partner's command."""

EVENTS: Final[dict[str, Spoil]] = {
    **ANY_RECORD,
    "key of another fiche": lambda r: dataclasses.replace(r, key=str(uuid4()).encode()),
    "type of another topic": lambda r: with_header(r, "ce_type", b"fr.poec.fiche.validated.v1"),
    "no sequence": lambda r: without_header(r, "ce_sequence"),
    "negative sequence": lambda r: with_header(r, "ce_sequence", b"-1"),
    "huge sequence": lambda r: with_header(r, "ce_sequence", b"9" * 40),
    "NUL in a value": lambda r: with_member(r, "opco", "ak\x00to"),
    "a revision that no column takes": lambda r: with_member(r, "revision", 2**31),
    "a number beyond 64 bits": lambda r: with_member(r, "revision", 10**30),
    "a revision below one": lambda r: with_member(r, "revision", 0),
    "a name of 9,000 letters": lambda r: with_member(r, "opco", random.Random(1).randbytes(4_500).hex()),
}

COMMANDS: Final[dict[str, Spoil]] = {
    **ANY_RECORD,
    "event instead of a command": lambda r: with_header(r, "ce_type", b"fr.poec.fiche.submitted.v1"),
    "the same member twice": lambda r: dataclasses.replace(r, value=b'{"content": 1, "content": 2}'),
    "NaN": lambda r: dataclasses.replace(r, value=b'{"content": NaN}'),
    "NUL in a text": lambda r: dataclasses.replace(r, value=b'{"content": "\\u0000"}'),
    "half of a character": lambda r: dataclasses.replace(r, value=b'{"content": "\\ud800"}'),
    "a field that does not exist": lambda r: dataclasses.replace(r, value=b'{"content": {}, "extra": 1}'),
    "larger than 256 KiB": lambda r: dataclasses.replace(r, value=b'{"content": "' + b"x" * 300_000 + b'"}'),
    "900 kB": lambda r: dataclasses.replace(r, value=b'{"content": "' + b"x" * 900_000 + b'"}'),
}
