"""Our own readers of what comes from outside: whatever they get, they take it or refuse it in the one way they say they do."""

import io
import json
import random
from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

import pytest

from services.submission.api import _cursor, _place
from services.submission.domain.decisions import Filing
from services.submission.files.readers import drafts_of
from services.submission.files.tables import Unreadable
from services.submission.import_job import filing_of
from services.submission.import_store import Import, Waiting
from services.submission.store import Place
from shared.audit_trail import Change, Head, chained
from shared.contracts.flow import EVENT_TYPES
from shared.contracts.ingress import SubmitFiche
from shared.edge import check_request
from shared.errors import Impossible, InvalidInput, Refused
from shared.messaging.records import decode_event
from shared.parsing import parse_json
from shared.trace import follow
from tests.fuzz.effort import Figures, Found
from tests.fuzz.files import spoilt
from tests.fuzz.mutations import mutated, varied
from tests.fuzz.records import Storyteller, golden
from tests.support.fiches import golden_json
from tests.support.wire_examples import AT

TRIED: Final = 2_000
FILING: Final = json.dumps({"content": golden_json(), "acknowledged": []}).encode()
CURSOR: Final = _cursor(type("Shown", (), {"submitted_at": AT, "fiche_id": uuid4()})())
Reader = Callable[[random.Random], None]


def _body(chance: random.Random) -> None:
    raw = mutated(chance, FILING) if chance.random() < 0.5 else json.dumps(varied(chance, json.loads(FILING))).encode()
    parse_json(raw, SubmitFiche)


def _record(chance: random.Random) -> None:
    decode_event(chance.choice(list(Storyteller("publication", chance, spoilt=0.7).story())), EVENT_TYPES)


def _cursor_of_ours(chance: random.Random) -> None:
    place = _place(mutated(chance, CURSOR.encode()).decode("latin-1") if chance.random() < 0.9 else CURSOR)
    assert isinstance(place, Place) and place.submitted_at.tzinfo is not None


def _address(chance: random.Random) -> None:
    headers = [(mutated(chance, b"host").lower(), mutated(chance, b"localhost:8000")) for _ in range(2)]
    path = mutated(chance, b"/fiches/1/sessions").decode("utf-8", "replace")
    scope = {"headers": headers, "path": path, "query_string": mutated(chance, b"status=submitted&limit=5&after=a%20b")}
    check_request(scope, frozenset({"localhost"}), frozenset)


def _trace(chance: random.Random) -> None:
    follow(mutated(chance, golden("fr.poec.fiche.withdrawn.v1")["headers"]["traceparent"].encode()).decode("latin-1"))


def _file(kind: str) -> Reader:
    """Return what reads a file, then each of its lines as it is carried out: refused where no line files a fiche."""
    asked = Import(uuid4(), "opco-2i", "opco-2i", kind, (), 1, "running", AT, None, {})

    def reader(chance: random.Random) -> None:
        try:
            drafts = list(drafts_of(kind, io.BytesIO(spoilt(kind, chance))))
        except Unreadable as unreadable:
            raise InvalidInput(*unreadable.objections) from unreadable
        documents = [said["request"] if kind == "json" else json.dumps(said) for said in drafts]
        read = [filing_of(Waiting(n, n, None, document), asked, AT)[1] for n, document in enumerate(documents, 1)]
        if not any(isinstance(one, Filing) for one in read):
            raise InvalidInput()

    return reader


READERS: Final[dict[str, Reader]] = {
    "body of a command": _body, "record of an event": _record, "cursor of a page": _cursor_of_ours, "address": _address, "trace": _trace,
    "workbook of fiches": _file("xlsx"), "CSV of fiches": _file("csv"), "JSON of fiches": _file("json"),
}  # fmt: skip
COSTLY: Final = {"workbook of fiches": 20, "CSV of fiches": 8, "JSON of fiches": 8}
"""Readers that are tried so many times less: what they read is made, or is far longer."""


def read(name: str, reader: Reader, chance: random.Random, count: int, found: Found) -> None:
    """Let a reader read so often; anything but a value or its own refusal is noted."""
    for n in range(count):
        number = chance.getrandbits(48)
        try:
            reader(random.Random(number))
        except (Refused, Impossible):
            found.saw(name, "refused")
        except Exception as defect:
            found.wrong.append(f"{name}, no. {n}, seed {number}: {type(defect).__name__} {defect}")
        else:
            found.saw(name, "taken")


@pytest.mark.parametrize("name", READERS)
def test_a_reader_takes_or_refuses_and_does_nothing_else(figures: Figures, name: str) -> None:
    found = figures.part(f"reader: {name}")
    for chance in figures.effort.rounds(0.02):
        read(name, READERS[name], chance, TRIED // COSTLY.get(name, 1), found)
        figures.rounds[f"reader: {name}"] += 1
    assert found.wrong == []
    assert found.share("taken") > 0.02 and (found.share("refused") > 0.02 or name == "trace"), found.answers


def test_a_reader_that_breaks_is_found() -> None:
    found = Found()
    read("planted", lambda chance: print(1 // chance.randrange(50), end=""), random.Random(1), 500, found)
    assert any("ZeroDivisionError" in one for one in found.wrong)


def test_two_facts_that_differ_have_two_hashes_and_the_order_of_members_none(figures: Figures) -> None:
    """The canonical JSON of the trail: same content, same hash; anything else, another one."""
    seen: dict[str, str] = {}

    def hashed(facts: dict[str, Any]) -> str:
        return chained("fiche/1", Head(), [Change("a", "b", None, "c", facts=facts)], AT)[0].hash

    chance = random.Random(figures.effort.seed)
    for _ in range(TRIED // 4):
        facts = varied(chance, {"revision": 1, "reasons": ["A", "B"], "more": {"b": 1, "a": "x"}, "text": "é\u202f!"})
        if _fits(facts):
            text = json.dumps(facts, sort_keys=True)
            assert seen.setdefault(hashed(facts), text) == text
            assert hashed(dict(reversed(facts.items()))) == hashed(facts)
    assert len(seen) > 100


def _fits(facts: Any) -> bool:
    """Return whether facts are of those that entries hold: no numbers beyond 64 bits, no fractions."""
    return "e+" not in (text := json.dumps(facts)) and "0.5" not in text
