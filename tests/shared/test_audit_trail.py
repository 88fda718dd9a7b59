"""The trail: one link per change, each holding the hash of the one before; recomputed here by hand."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.audit_trail import NEW, Change, Head, Link, chained, entry_hash

AT = dt.datetime(2021, 3, 1, 9, 0, 0, 123456, dt.UTC)
CHANGES = [
    Change("submit_fiche", "opco-2i", None, "submitted", facts={"revision": 1, "sessions": 2}),
    Change(
        "fiche_validated",
        "submission:worker",
        "submitted",
        "validated",
        facts={"reference": "PE-28-2021-7K3QXW9C", "late": False},
    ),
    Change("withdraw_fiche", "opco-2i", "validated", "withdrawn", facts={"motif": "été « fini »", "nothing": None}),
]


def by_hand(link: Link) -> str:
    """Return the hash as anybody can compute it: SHA-256 of JSON with sorted keys, no spaces, UTF-8."""
    entry = {
        "aggregate": link.aggregate,
        "n": link.n,
        "at": link.at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+00:00"),
        "actor": link.actor,
        "action": link.action,
        "facts": json.loads(link.facts),
        "previous_hash": link.previous_hash,
    }
    canonical = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def test_a_chain_can_be_recomputed_by_hand() -> None:
    links = chained("fiche", NEW, CHANGES, AT)
    assert [link.n for link in links] == [1, 2, 3]
    assert [link.previous_hash for link in links] == ["", links[0].hash, links[1].hash]
    assert [by_hand(link) for link in links] == [link.hash for link in links]


def test_a_chain_goes_on_where_the_row_left_it() -> None:
    whole = chained("fiche", NEW, CHANGES, AT)
    first = chained("fiche", NEW, CHANGES[:1], AT)
    rest = chained("fiche", NEW.after(first, 1), CHANGES[1:], AT)
    assert [*first, *rest] == whole


def test_the_head_knows_the_last_link() -> None:
    links = chained("fiche", Head(4, 9, "abc"), CHANGES, AT)
    assert Head(4, 9, "abc").after(links, 11) == Head(7, 11, links[-1].hash)
    assert Head(4, 9, "abc").after([], 9) == Head(4, 9, "abc")


def test_every_link_says_from_where_to_where() -> None:
    facts = [json.loads(link.facts) for link in chained("fiche", NEW, CHANGES, AT)]
    assert [(f["from"], f["to"]) for f in facts] == [
        (None, "submitted"),
        ("submitted", "validated"),
        ("validated", "withdrawn"),
    ]


def test_the_canonical_form_has_sorted_keys_and_no_spaces() -> None:
    link = chained("fiche", NEW, [Change("a", "b", None, "c", facts={"z": 1, "a": True, "m": "é"})], AT)[0]
    assert link.facts == '{"a":true,"from":null,"m":"é","to":"c","z":1}'


def test_a_known_chain_has_its_known_hash() -> None:
    """If this changes, every trail ever written can no longer be checked."""
    assert (
        entry_hash("", "fiche", 1, AT, "opco-2i", "submit_fiche", {"from": None, "revision": 1, "to": "submitted"})
        == KNOWN
    )


KNOWN = hashlib.sha256(
    b'{"action":"submit_fiche","actor":"opco-2i","aggregate":"fiche","at":"2021-03-01T09:00:00.123456+00:00",'
    b'"facts":{"from":null,"revision":1,"to":"submitted"},"n":1,"previous_hash":""}'
).hexdigest()


def test_the_time_is_the_same_in_every_zone() -> None:
    paris = AT.astimezone(dt.timezone(dt.timedelta(hours=1)))
    assert chained("fiche", NEW, CHANGES, paris)[-1].hash == chained("fiche", NEW, CHANGES, AT)[-1].hash


def test_a_whole_second_has_its_six_zeros_too() -> None:
    link = chained("fiche", NEW, CHANGES[:1], AT.replace(microsecond=0))[0]
    assert by_hand(link) == link.hash


TAMPERING: dict[str, Callable[[Link], Link]] = {
    "another actor": lambda link: replace(link, actor="region"),
    "another action": lambda link: replace(link, action="refuse_fiche"),
    "another time": lambda link: replace(link, at=link.at + dt.timedelta(microseconds=1)),
    "another fact": lambda link: replace(link, facts=link.facts.replace("false", "true")),
    "another number": lambda link: replace(link, n=link.n + 1),
    "another aggregate": lambda link: replace(link, aggregate="other"),
    "another past": lambda link: replace(link, previous_hash="0" * 64),
}


@pytest.mark.parametrize("tamper", TAMPERING.values(), ids=TAMPERING)
def test_whatever_is_changed_changes_the_hash(tamper: Callable[[Link], Link]) -> None:
    link = chained("fiche", NEW, CHANGES, AT)[1]
    assert by_hand(tamper(link)) != link.hash


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
FACTS = st.dictionaries(
    st.from_regex(r"[a-z_]{1,12}", fullmatch=True), TEXTS | st.integers(-(2**53), 2**53) | st.booleans() | st.none()
)


@given(FACTS)
def test_any_facts_can_be_recomputed_by_hand(facts: dict[str, Any]) -> None:
    link = chained("fiche", NEW, [Change("a", "b", None, "c", facts=facts)], AT)[0]
    assert by_hand(link) == link.hash
