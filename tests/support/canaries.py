"""Words that must come back nowhere: invented secrets and invented persons, the places where a sender can put them, and the search.

In: every part of a request and of a record that is not, by contract, the sender's own name for a thing. Out, because they are
that: the key and the `ce_id` of a partner's record, which its answer names; the reference of a fiche; free texts of an accepted
fiche, which travel in its events and have rules of their own. A dead letter's row keeps its record whole, to be replayed.
"""

import dataclasses
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, quote_plus

from shared.messaging.records import Received
from tests.support.poison import with_header

_FIRST: Final = ("Zorvane", "Quillar", "Mebrune", "Tavolie", "Yspare", "Oldrisse", "Fenaure", "Brisquel", "Caldoure", "Nervaine")
_LAST: Final = ("Trouvelan", "Asquivert", "Dormelieu", "Palvignac", "Hestroman")


@dataclass(frozen=True)
class Canary:
    """One planted word, in all the forms that it is looked for."""

    word: str

    @property
    def forms(self) -> tuple[bytes, ...]:
        """Return the word as it could show: as it is, in lower case, in an address."""
        word = self.word
        return tuple({form.lower().encode() for form in (word, quote(word), quote_plus(word), word.replace(" ", ""))})


def planted_secrets(count: int = 20) -> list[Canary]:
    """Return invented passwords, keys, tokens, cookies and database addresses."""
    kinds = ("pw-{}", "poec_sk_{}", "eyJhbGciOiJub25lIn0.{}.x", "__Host-session={}", "postgresql://u:{}@db.invalid/x")
    return [Canary(kinds[n % len(kinds)].format(secrets.token_hex(12))) for n in range(count)]


def planted_persons(count: int = 50) -> list[Canary]:
    """Return invented persons' names, addresses and numbers; the numbers are of the range kept for invention."""
    found = []
    for n in range(count):
        first, last = _FIRST[n % len(_FIRST)], _LAST[n // len(_FIRST) % len(_LAST)]
        forms = (f"{first} {last}", f"{first}.{last}.{n}@personne.invalid", f"+33 1 99 00 47 {n:02}")
        found.append(Canary(forms[n % len(forms)]))
    return found


def hits(places: Mapping[str, bytes], canaries: Sequence[Canary]) -> list[str]:
    """Return `place: which canary` for each one found."""
    found = []
    for place, content in places.items():
        lower = content.lower()
        found += [f"{place}: canary {n}" for n, canary in enumerate(canaries) if any(f in lower for f in canary.forms)]
    return found


Request = tuple[str, str, dict[str, str], bytes]
"""Method, path with query, headers beside the token, body."""
_KEYED: Final = {"Content-Type": "application/json", "Idempotency-Key": "canary"}


def _post(body: str, **more: str) -> Request:
    return ("POST", "/fiches", {**_KEYED, **{name.replace("_", "-"): value for name, value in more.items()}}, body.encode())


def _get(path: str, **more: str) -> Request:
    return ("GET", path, {name.replace("_", "-"): value for name, value in more.items()}, b"")


REQUESTS: Final[dict[str, Callable[[str], Request]]] = {
    "bearer token": lambda w: _get("/fiches", Authorization=f"Bearer {w}"),
    "basic authorization": lambda w: _get("/fiches", Authorization=f"Basic {w}"),
    "authorization of no kind": lambda w: _post("{}", Authorization=w),
    "cookie": lambda w: _get("/fiches", Cookie=w),
    "user agent and referer": lambda w: _get("/fiches", User_Agent=w, Referer=f"https://x.invalid/{quote(w)}"),
    "forwarded": lambda w: _get("/fiches", Forwarded=f'for="{w}"', X_Forwarded_For=w, X_Forwarded_Host=w),
    "host": lambda w: _get("/fiches", Host=f"{quote(w, safe='')}.invalid"),
    "traceparent": lambda w: _get("/fiches", traceparent=f"00-{w}", tracestate=w, baggage=w),
    "a header of their own": lambda w: _get("/fiches", X_Api_Key=w, X_Person=w),
    "path": lambda w: _get(f"/{quote(w, safe='')}"),
    "path of a fiche": lambda w: _get(f"/fiches/{quote(w, safe='')}"),
    "path of a dossier": lambda w: _get(f"/dossiers/{quote(w, safe='')}"),
    "path of a session": lambda w: _get(f"/sessions/{quote(w, safe='')}"),
    "path of a year": lambda w: _get(f"/bilan/{quote(w, safe='')}"),
    "path of a dead letter": lambda w: _get(f"/dead-letters/{quote(w, safe='')}"),
    "number in a path": lambda w: _get(f"/fiches/00000000-0000-4000-8000-000000000000/sessions/{quote(w, safe='')}/engagement"),
    "query value": lambda w: _get(f"/fiches?status={quote(w, safe='')}&after={quote(w, safe='')}&limit={quote(w, safe='')}"),
    "query name": lambda w: _get(f"/fiches?{quote(w, safe='')}=1"),
    "query twice": lambda w: _get(f"/fiches?opco={quote(w, safe='')}&opco={quote(w, safe='')}"),
    "idempotency key with spaces": lambda w: _post("{}", Idempotency_Key=f"{w} {w}"),
    "if-match": lambda w: _post("{}", If_Match=w, Prefer=f"wait={w}"),
    "content type": lambda w: _post("{}", Content_Type=f"text/{quote(w, safe='')}"),
    "content encoding": lambda w: _post("{}", Content_Encoding=w),
    "no JSON": lambda w: _post(f"{{{w}"),
    "unknown field": lambda w: _post(f'{{"{quote(w)}": 1, "content": {{"{quote(w)}": "{quote(w)}"}}}}'),
    "value of no form": lambda w: _post(f'{{"reference": 1, "content": {{"rome": "{w}", "hours": "{w}", "kind": "{w}"}}}}'),
    "member twice": lambda w: _post(f'{{"a": "{w}", "a": "{w}"}}'),
    "half a character": lambda w: _post(f'{{"reference": "{w}\\ud800"}}'),
    "reason of a dead letter": lambda w: (
        "POST", "/dead-letters/00000000-0000-4000-8000-000000000000/discard", _KEYED, f'{{"reason": "{w}"}}'.encode(),
    ),
    "method": lambda w: ("BREW", f"/{quote(w, safe='')}", {}, b""),
}  # fmt: skip
"""Ways in over HTTP that are all refused, or answered without a use of the word."""

RECORDS: Final[dict[str, Callable[[Received, str], Received]]] = {
    "no JSON": lambda r, w: _valued(r, f"{{{w}"),
    "unknown field": lambda r, w: _valued(r, f'{{"{quote(w)}": "{w}"}}'),
    "value of no form": lambda r, w: _valued(r, f'{{"content": {{"rome": "{w}", "title": 1}}, "acknowledged": ["{w}"]}}'),
    "member twice": lambda r, w: _valued(r, f'{{"a": "{w}", "a": "{w}"}}'),
    "type": lambda r, w: with_header(r, "ce_type", w.encode()),
    "source": lambda r, w: _valued(with_header(r, "ce_source", w.encode()), "{}"),
    "headers of their own": lambda r, w: _headed(_valued(r, "{"), (("authorization", w.encode()), (w, w.encode()))),
    "traceparent": lambda r, w: _headed(_valued(r, "{}"), (("traceparent", w.encode()),)),
}
"""Ways in by an ingress topic; all refused or unreadable."""


def _valued(record: Received, value: str) -> Received:
    return _with(record, value=value.encode())


def _headed(record: Received, more: tuple[tuple[str, bytes], ...]) -> Received:
    return _with(record, headers=(*record.headers, *more))


def _with(record: Received, **changes: Any) -> Received:
    return dataclasses.replace(record, **changes)
