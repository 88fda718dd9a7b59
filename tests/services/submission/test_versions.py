"""Every content that a fiche has had: listed with what it changed, read whole, any two compared field by field in French."""

import json
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from hypothesis import given, settings

from services.submission import versions_cases
from services.submission.domain.differences import Difference, differences
from services.submission.domain.lifecycle import version_words
from services.submission.form_fields import leaf_at
from shared.contracts.fiche import FicheContent
from shared.errors import Forbidden
from shared.identity import Principal
from tests.services.submission import filings as f
from tests.services.submission.room import Room
from tests.services.submission.test_form_fields import contents
from tests.support.fiches import GOLDEN_OPCO, PAST_WARNINGS, golden_content, golden_json, whole_content


def said(before: FicheContent, after: FicheContent) -> list[tuple[str, str, object, object]]:
    return [(one.path, one.label, one.before, one.after) for one in differences(before, after)]


def test_a_content_does_not_differ_from_itself() -> None:
    assert differences(golden_content(), golden_content()) == ()


def test_fields_that_differ_are_named_in_french_in_the_order_of_the_fiche() -> None:
    after = golden_content(money={"opco": 2703300}, hours={"total": 400}, title="Autre", formacodes=["23026"])
    assert said(golden_content(), after) == [
        ("title", "Intitulé", "POEC - Peintre industriel", "Autre"),
        ("formacodes", "Formacodes", ("22472", "23042", "23053"), ("23026",)),
        ("hours.total", "Heures en tout", 399, 400),
        ("money.opco", "Part de l’OPCO (euros)", 2703200, 2703300),
    ]


def test_sessions_are_told_apart_by_their_numbers_wherever_they_stand() -> None:
    before = golden_content(sessions=[f.session(), f.session(number=2, start="2018-06-04", end="2018-09-07")])
    after = golden_content(sessions=[f.session(number=2, start="2018-06-11", end="2018-09-07"), f.session(number=1)])
    assert said(before, after) == [
        ("sessions.0.start", "Session 2\u202f: Premier jour", "2018-06-04", "2018-06-11"),
    ]


def test_sessions_come_in_the_order_of_their_numbers() -> None:
    before = golden_content(sessions=[f.session(number=2), f.session(number=1)])
    after = golden_content(sessions=[f.session(number=2, seats=9), f.session(number=1, seats=10)])
    assert [label for _, label, _, _ in said(before, after)] == ["Session 1\u202f: Places", "Session 2\u202f: Places"]


def test_a_session_that_came_or_went_is_shown_field_by_field() -> None:
    more = golden_content(sessions=[f.session(), f.session(number=7, seats=9)])
    less = golden_content(sessions=[f.session()])
    came = [one for one in said(less, more) if one[0] == "sessions.1.seats"]
    assert came == [("sessions.1.seats", "Session 7\u202f: Places", None, 9)]
    gone = [one for one in said(more, less) if one[0] == "sessions.1.seats"]
    assert gone == [("sessions.1.seats", "Session 7\u202f: Places", 9, None)]
    assert {path.split(".")[1] for path, *_ in said(less, more)} == {"1"}


def test_a_part_that_a_fiche_gained_is_shown_field_by_field() -> None:
    after = golden_content(derogation=f.REGIONAL)
    assert said(golden_content(), after) == [
        ("derogation.level", "Niveau de la dérogation", None, "REGIONALE"),
        ("derogation.reference", "Référence de la dérogation", None, "DR-2018-7"),
        ("derogation.decided_on", "Date de la dérogation", None, "2018-03-01"),
        ("derogation.cap", "Durée permise par la dérogation (heures)", None, 420),
        ("derogation.zones", "Zones d’emploi de la dérogation", None, ("2816", "2805")),
        ("derogation.valid_until", "Dernier jour de la dérogation", None, "2018-12-31"),
    ]


def test_every_field_of_the_contract_has_its_words() -> None:
    found = differences(golden_content(), whole_content())
    assert {one.path.split(".")[0] for one in found} >= {"trainer", "tender", "modalities", "shortage", "sourcing"}
    assert all(one.label for one in found)


@settings(max_examples=60, deadline=None)
@given(contents(), contents())
def test_what_differs_is_the_same_seen_from_the_other_side(one: FicheContent, other: FicheContent) -> None:
    there, back = differences(one, other), differences(other, one)
    assert {(d.label, d.before, d.after) for d in there} == {(d.label, d.after, d.before) for d in back}
    assert (not there) == (_by_number(one) == _by_number(other))


def _by_number(content: FicheContent) -> FicheContent:
    """Return the content with its sessions as they are compared: the last one of each number, in the order of numbers."""
    plans = {plan.number: plan for plan in content.sessions}
    return content.model_copy(update={"sessions": tuple(plan for _, plan in sorted(plans.items()))})


async def filed(room: Room) -> UUID:
    body = {"reference": uuid4().hex, "content": golden_json(), "acknowledged": list(PAST_WARNINGS)}
    answer = await room.post(GOLDEN_OPCO, "", body)
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["fiche_id"])


async def amended(room: Room, fiche: UUID, revision: int, **changes: Any) -> None:
    content = golden_content(**changes).model_dump(mode="json")
    body = {"content": content, "acknowledged": list(PAST_WARNINGS)}
    answer = await room.post(GOLDEN_OPCO, f"/{fiche}/amendment", body, revision)
    assert answer.status_code == 200, answer.text


async def three_versions(room: Room) -> UUID:
    fiche = await filed(room)
    await amended(room, fiche, 1, title="Deux")
    await amended(room, fiche, 2, title="Trois", companies=7)
    return fiche


async def test_versions_are_listed_with_the_command_and_what_they_changed(room: Room) -> None:
    fiche = await three_versions(room)
    seen = (await room.get(GOLDEN_OPCO, f"/{fiche}/versions")).json()
    listed = [(one["revision"], one["action"], one["action_label"], one["changed"]) for one in seen["versions"]]
    title, companies = {"field": "title", "label": "Intitulé"}, {"field": "companies", "label": "Entreprises associées"}
    assert listed == [
        (1, "submit_fiche", "Fiche déposée", []),
        (2, "amend_fiche", "Fiche modifiée", [title]),
        (3, "amend_fiche", "Fiche modifiée", [title, companies]),
    ]
    assert seen["next"] is None
    assert seen["versions"][0]["acknowledged"] == list(PAST_WARNINGS)
    assert [one["kept_at"] for one in seen["versions"]] == sorted(one["kept_at"] for one in seen["versions"])


async def test_pages_of_versions_follow_each_other_and_say_what_changed_across_their_edges(room: Room) -> None:
    fiche = await three_versions(room)
    whole = (await room.get(GOLDEN_OPCO, f"/{fiche}/versions")).json()["versions"]
    pages, path = [], f"/{fiche}/versions?limit=1"
    while path:
        page = await room.get(GOLDEN_OPCO, path)
        assert len(page.json()["versions"]) == 1
        pages += page.json()["versions"]
        path = _next(page)
    assert pages == whole


def _next(page: httpx.Response) -> str:
    link = page.links.get("next", {}).get("url", "")
    return link.removeprefix("/fiches")


async def test_versions_are_refused_to_a_role_that_reads_no_fiche(room: Room) -> None:
    fiche, nobody = UUID(int=7), Principal("carif", "carif-oref", "machine", frozenset({"carif_oref"}))
    for reading in (
        versions_cases.read_versions(room.database, nobody, fiche, 0, 5),
        versions_cases.read_version(room.database, nobody, fiche, 1),
        versions_cases.compare_versions(room.database, nobody, fiche, 1, 2),
    ):
        with pytest.raises(Forbidden):
            await reading


async def test_one_version_is_read_whole(room: Room) -> None:
    fiche = await three_versions(room)
    seen = (await room.get(GOLDEN_OPCO, f"/{fiche}/versions/2")).json()
    assert FicheContent.model_validate_json(json.dumps(seen["content"])) == golden_content(title="Deux")
    assert (seen["revision"], seen["action_label"]) == (2, "Fiche modifiée")


async def test_any_two_versions_are_compared_in_either_order(room: Room) -> None:
    fiche = await three_versions(room)
    seen = (await room.get(GOLDEN_OPCO, f"/{fiche}/versions/1/differences/3")).json()
    assert (seen["before"], seen["after"]) == (1, 3)
    title = {"path": "title", "label": "Intitulé", "before": "POEC - Peintre industriel", "after": "Trois"}
    companies = {"path": "companies", "label": "Entreprises associées", "before": 4, "after": 7}
    assert seen["differences"] == [title, companies]
    back = (await room.get(GOLDEN_OPCO, f"/{fiche}/versions/3/differences/1")).json()["differences"]
    assert [(one["before"], one["after"]) for one in back] == [("Trois", title["before"]), (7, 4)]
    assert (await room.get(GOLDEN_OPCO, f"/{fiche}/versions/2/differences/2")).json()["differences"] == []


@pytest.mark.parametrize("path", ["", "/1", "/1/differences/1"])
async def test_versions_are_read_by_those_who_read_the_fiche(room: Room, path: str) -> None:
    fiche = await filed(room)
    for reader in (GOLDEN_OPCO, "region", "dreets"):
        assert (await room.get(reader, f"/{fiche}/versions{path}")).status_code == 200
    foreign, absent = [await room.get("akto", f"/{one}/versions{path}") for one in (fiche, uuid4())]
    assert foreign.status_code == absent.status_code == 404
    assert foreign.json()["objections"] == absent.json()["objections"]


@pytest.mark.parametrize("path", ["/2", "/1/differences/2", "/2/differences/1"])
async def test_a_version_that_there_never_was_is_said_to_be_unknown(room: Room, path: str) -> None:
    answer = await room.get(GOLDEN_OPCO, f"/{await filed(room)}/versions{path}")
    assert answer.status_code == 404
    assert [one["code"] for one in answer.json()["objections"]] == ["VERSION_UNKNOWN"]


def test_a_path_leads_to_the_field_of_the_form() -> None:
    for one in differences(golden_content(), whole_content()):
        assert leaf_at(one.path) or leaf_at(f"{one.path}.0"), one
    assert leaf_at(Difference("sessions.x", "", None, None).path) is None


def test_a_command_that_only_a_newer_release_knows_has_a_word_too() -> None:
    assert version_words("merge_fiches") == "Fiche modifiée" and version_words("submit_fiche") == "Fiche déposée"
