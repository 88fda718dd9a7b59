"""Bytes from outside: what passes, what is refused and why, and that nothing of it is ever echoed."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.fiche import Value
from shared.contracts.ingress import EngageSession, SubmitFiche
from shared.errors import InvalidInput, Malformed, Refused, TooLarge
from shared.parsing import MAX_BYTES, MAX_DEPTH, check_json, parse_json
from tests.support.fiches import golden_json, whole_json


class Note(Value):
    """A body with one text."""

    text: str
    number: int = 0


class Numbers(Note):
    """A body with a list."""

    numbers: tuple[int, ...]


def refused(raw: bytes, model: type[Value] = Note) -> Refused:
    with pytest.raises(Refused) as found:
        parse_json(raw, model)
    return found.value


def codes(raw: bytes, model: type[Value] = Note) -> list[str]:
    return [objection.code for objection in refused(raw, model).objections]


def test_a_good_body_passes() -> None:
    assert parse_json('{"text": "Été", "number": 3}'.encode(), Note) == Note(text="Été", number=3)


MALFORMED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "NOT_JSON"),
    "half": (b'{"text": "a"', "NOT_JSON"),
    "a comma too many": (b'{"text": "a",}', "NOT_JSON"),
    "two documents": (b'{"text": "a"}{"text": "b"}', "NOT_JSON"),
    "byte order mark": (b'\xef\xbb\xbf{"text": "a"}', "NOT_JSON"),
    "UTF-16": ('{"text": "a"}'.encode("utf-16"), "NOT_UTF8"),
    "latin-1": (b'{"text": "\xe9t\xe9"}', "NOT_UTF8"),
    "overlong UTF-8": (b'{"text": "\xc0\xaf"}', "NOT_UTF8"),
    "surrogate in UTF-8": (b'{"text": "\xed\xa0\x80"}', "NOT_UTF8"),
    "duplicate member": (b'{"text": "a", "text": "b"}', "DUPLICATE_MEMBER"),
    "duplicate member, written otherwise": (b'{"text": "a", "\\u0074ext": "b"}', "DUPLICATE_MEMBER"),
    "duplicate member, deep": (b'{"text": "a", "x": [{"y": {"z": 1, "z": 1}}]}', "DUPLICATE_MEMBER"),
    "NUL, escaped": (b'{"text": "a\\u0000b"}', "NUL"),
    "NUL in a name": (b'{"te\\u0000xt": "a"}', "NUL"),
    "NUL, raw": (b'{"text": "a\x00b"}', "NOT_JSON"),
    "high surrogate alone": (b'{"text": "\\ud83d"}', "SURROGATE"),
    "low surrogate alone": (b'{"text": "\\uDE00"}', "SURROGATE"),
    "surrogates in the wrong order": (b'{"text": "\\ude00\\ud83d"}', "SURROGATE"),
    "surrogate in a name": (b'{"\\ud800": 1}', "SURROGATE"),
    "NaN": (b'{"text": "a", "number": NaN}', "NOT_A_NUMBER"),
    "Infinity": (b'{"text": "a", "number": Infinity}', "NOT_A_NUMBER"),
    "minus Infinity": (b'{"text": "a", "number": -Infinity}', "NOT_A_NUMBER"),
    "a number of 5,000 digits": (b'{"text": "a", "number": ' + b"9" * 5000 + b"}", "NUMBER_TOO_LARGE"),
    "a number of 250,000 digits": (b'{"text": "a", "number": ' + b"9" * 250_000 + b"}", "NUMBER_TOO_LARGE"),
    "a number beyond 64 bits": (b'{"text": "a", "number": 9223372036854775808}', "NUMBER_TOO_LARGE"),
    "a number below 64 bits": (b'{"text": "a", "number": -9223372036854775808}', "NUMBER_TOO_LARGE"),
    "a large number where none is due": (b'{"text": "a", "x": [{"y": 1e400}]}', "NUMBER_TOO_LARGE"),
    "an exponent that is infinite": (b'{"text": "a", "number": 1e400}', "NUMBER_TOO_LARGE"),
    "a negative one": (b'{"text": "a", "number": -1.5E+999}', "NUMBER_TOO_LARGE"),
    "an exponent of 5,000 digits": (b'{"text": "a", "number": 1e' + b"9" * 5000 + b"}", "NUMBER_TOO_LARGE"),
    "a leading zero": (b'{"text": "a", "number": 01}', "NOT_JSON"),
    "a plus sign": (b'{"text": "a", "number": +1}', "NOT_JSON"),
    "hexadecimal": (b'{"text": "a", "number": 0x10}', "NOT_JSON"),
}


@pytest.mark.parametrize(("raw", "code"), MALFORMED.values(), ids=MALFORMED)
def test_what_two_readers_may_read_differently_is_refused(raw: bytes, code: str) -> None:
    found = refused(raw)
    assert isinstance(found, Malformed)
    assert [objection.code for objection in found.objections] == [code]


def test_a_whole_pair_of_surrogates_is_a_character() -> None:
    assert parse_json(b'{"text": "\\ud83d\\ude00"}', Note).text == "😀"


def test_a_backslash_before_u0000_is_text() -> None:
    """`\\\\u0000` is a backslash and five characters; refusing it too is the safe side, and is said."""
    assert codes(b'{"text": "\\\\u0000"}') == ["NUL"]


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_twenty_levels_pass_and_twenty_one_do_not(opening: bytes) -> None:
    closing, inner = (b"]", b"") if opening == b"[" else (b"}", b"1")
    check_json(opening * MAX_DEPTH + inner + closing * MAX_DEPTH)
    with pytest.raises(Malformed) as found:
        check_json(opening * (MAX_DEPTH + 1) + inner + closing * (MAX_DEPTH + 1))
    assert found.value.objections[0].code == "TOO_DEEP"


def test_brackets_in_a_text_are_no_levels() -> None:
    assert parse_json(json.dumps({"text": '[{"' * 30}).encode(), Note).text == '[{"' * 30


def test_brackets_side_by_side_are_no_levels() -> None:
    check_json(b"[" + b"[]," * 100 + b"[]]")


def test_a_hundred_thousand_levels_cost_nothing() -> None:
    assert codes(b"[" * 100_000) == ["TOO_DEEP"]


def _padded(size: int) -> bytes:
    empty = len(b'{"text": ""}')
    return b'{"text": "' + b"a" * (size - empty) + b'"}'


def test_256_kib_pass_and_one_byte_more_does_not() -> None:
    assert len(parse_json(_padded(MAX_BYTES), Note).text) == MAX_BYTES - 12
    found = refused(_padded(MAX_BYTES + 1))
    assert isinstance(found, TooLarge)
    assert found.objections[0].facts == {"limit": MAX_BYTES}


def test_every_objection_of_form_comes_at_once_with_its_field() -> None:
    content = golden_json()
    content["hours"]["total"] = "beaucoup"
    content["rome"] = "Z9"
    content["sessions"][0]["seats"] = 0
    del content["title"]
    found = refused(json.dumps({"content": content}).encode(), SubmitFiche)
    fields = {objection.field: objection.code for objection in found.objections}
    assert fields == {
        "content.title": "FORM_MISSING",
        "content.rome": "FORM_STRING_PATTERN_MISMATCH",
        "content.hours.total": "FORM_INT_TYPE",
        "content.sessions.0.seats": "FORM_GREATER_THAN_EQUAL",
    }
    assert all(objection.message[0].isupper() for objection in found.objections)


SECRET = "zq7-Ne-Pas-Repeter-7qz"
ECHOES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a text where a number is due": lambda c: c["hours"].update(total=SECRET),
    "a text that is too long": lambda c: c.update(title=SECRET * 100),
    "a code that is in no list": lambda c: c.update(kind=SECRET),
    "a date that is none": lambda c: c["need"].update(decided_on=SECRET),
    "a form that does not fit": lambda c: c.update(contact=SECRET),
    "an unknown field": lambda c: c.update({SECRET: 1}),
    "an unknown field, deep": lambda c: c["provider"]["address"].update({SECRET: SECRET}),
    "an object where a text is due": lambda c: c.update(title={SECRET: SECRET}),
    "a list where an object is due": lambda c: c.update(hours=[SECRET]),
}


@pytest.mark.parametrize("spoil", ECHOES.values(), ids=ECHOES)
def test_an_objection_never_repeats_what_was_sent(spoil: Callable[[dict[str, Any]], Any]) -> None:
    content = golden_json()
    spoil(content)
    found = refused(json.dumps({"content": content}).encode(), SubmitFiche)
    assert SECRET not in repr(found.objections)
    assert SECRET not in str(found)
    assert SECRET not in "".join(map(repr, _causes(found)))


def _causes(failure: BaseException | None) -> list[BaseException]:
    return [] if failure is None else [failure, *_causes(failure.__cause__)]


def test_malformed_bytes_are_not_repeated_either() -> None:
    assert SECRET not in repr(refused(f'{{"text": "{SECRET}"'.encode()).objections)
    assert refused(f'{{"text": "{SECRET}"'.encode()).__cause__ is None


def test_an_unknown_field_is_located_by_the_object_that_holds_it() -> None:
    content = golden_json()
    content["provider"]["adresse"] = 1
    found = refused(json.dumps({"content": content}).encode(), SubmitFiche)
    assert [(o.code, o.field) for o in found.objections] == [("FORM_EXTRA_FORBIDDEN", "content.provider")]


@pytest.mark.parametrize("value", [1.5, 1.0, 1e2, True, "1", None, [1], {"a": 1}, "un", ""])
def test_a_whole_number_is_a_whole_number(value: object) -> None:
    assert codes(json.dumps({"number": value, "enrolled": 4}).encode(), EngageSession) == ["FORM_INT_TYPE"]


def test_minus_zero_is_zero_and_64_bits_are_read() -> None:
    assert parse_json(b'{"text": "a", "number": -0}', Note).number == 0
    assert parse_json(b'{"text": "a", "number": 9223372036854775807}', Note).number == 2**63 - 1
    assert parse_json(b'{"text": "99999999999999999999999 1e999"}', Note).text == "99999999999999999999999 1e999"


@pytest.mark.parametrize("value", ["oui", "true", 1, 0, 1.0, None])
def test_true_is_not_written_otherwise(value: object) -> None:
    content = golden_json()
    content["provider"]["qualiopi"] = value
    assert codes(json.dumps({"content": content}).encode(), SubmitFiche) == ["FORM_BOOL_TYPE"]


@pytest.mark.parametrize("value", [0, 1_519_862_400, "2018-03-01T10:00:00", "01/03/2018", "2018-3-1", "2018-02-30", True])
def test_a_date_is_no_number_and_has_no_time(value: object) -> None:
    content = golden_json()
    content["need"]["decided_on"] = value
    found = refused(json.dumps({"content": content}).encode(), SubmitFiche)
    assert [o.field for o in found.objections] == ["content.need.decided_on"]


@pytest.mark.parametrize("content", [golden_json(), whole_json()], ids=["as first written", "every field"])
def test_the_good_fiche_is_read_as_strictly(content: dict[str, Any]) -> None:
    read = parse_json(json.dumps({"content": content}).encode(), SubmitFiche).content
    assert read.model_dump(mode="json", exclude_unset=True) == content


def test_a_list_is_not_called_too_short_because_of_an_element_that_is_wrong() -> None:
    content = golden_json()
    content["sessions"][0]["seats"] = 0
    found = refused(json.dumps({"content": content}).encode(), SubmitFiche)
    assert [o.field for o in found.objections] == ["content.sessions.0.seats"]
    content["sessions"] = []
    assert codes(json.dumps({"content": content}).encode(), SubmitFiche) == ["FORM_TOO_SHORT"]


def test_many_objections_are_a_hundred_and_the_word_that_there_are_more() -> None:
    """An answer by Kafka must fit into a record: 20,000 numbers that are none would have made one of 4 MB."""
    raw = json.dumps({"text": "a", "numbers": ["un"] * 20_000}).encode()
    found = codes(raw, Numbers)
    assert (len(found), found[0], found[-1]) == (101, "FORM_INT_TYPE", "FORM_MORE")
    assert codes(json.dumps({"text": "a", "numbers": ["un"] * 100}).encode(), Numbers) == ["FORM_INT_TYPE"] * 100


def test_many_unknown_fields_of_one_object_are_one_objection_that_counts_them() -> None:
    found = refused(json.dumps({"text": "a", **{f"a{n}": 1 for n in range(20_000)}}).encode())
    assert [(o.code, o.field, o.facts["unknown"]) for o in found.objections] == [("FORM_EXTRA_FORBIDDEN", None, 20_000)]


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with contextlib.suppress(Malformed, InvalidInput):
        assert isinstance(parse_json(raw, Note), Note)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_what_json_writes_is_read_or_refused_by_name(value: object) -> None:
    raw = json.dumps(value).encode()
    found = ""
    try:
        check_json(raw)
    except Malformed as refusal:
        found = refusal.objections[0].code
    assert found in (("NUL", "NUMBER_TOO_LARGE") if b"\\u0000" in raw else ("", "TOO_DEEP", "SURROGATE", "NUMBER_TOO_LARGE"))
