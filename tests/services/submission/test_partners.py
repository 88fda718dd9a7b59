"""The directory of partners: its rules and its life, its doors on a real database, and what a fiche may choose from it."""

import contextlib
import datetime as dt
import itertools
import json
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.submission.domain import partners as d
from services.submission.domain.partners import Partner, PartnerStatus, Sheet
from services.submission.partners_store import open_partners, write_partners
from services.submission.store import open_fiches
from shared.audit_trail import Change
from shared.contracts.references import PartnerKind
from shared.errors import NotAllowedNow, NotFound, RulesRefused, Stale, WarningsUnanswered
from tests.services.submission.room import PEOPLE, Room

NOON = dt.datetime(2018, 3, 1, 12, tzinfo=dt.UTC)
SHEET = Sheet("Mission locale inventée", PartnerKind.MISSION_LOCALE, ("2804", "2814"), "accueil@mission.example")


def recorded() -> Partner:
    return d.record_partner("mission", SHEET, (), NOON, None)


def retired() -> Partner:
    return d.retire_partner(recorded(), NOON)


# rules and life


def test_the_same_sheet_again_changes_nothing_and_another_one_is_a_change_with_its_revision() -> None:
    held = recorded()
    assert d.record_partner("mission", SHEET, (), NOON, held) is held
    assert d.change_partner(held, SHEET, (), NOON) is held
    assert d.change_partner(held, replace(SHEET, zones=("2804",)), (), NOON).revision == 2


def test_a_code_that_is_taken_is_said_with_the_partner_that_has_it() -> None:
    for held in (recorded(), retired()):
        with pytest.raises(NotAllowedNow) as refused:
            d.record_partner("mission", replace(SHEET, name="Autre"), (), NOON, held)
        (objection,) = refused.value.objections
        assert objection.code == "PARTNER_CODE_TAKEN"
        assert objection.facts == {"partner_id": str(held.id), "revision": held.revision, "status": held.status.value}


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"zones": ("2804", "0054")}, []),
        ({"zones": ("7501",)}, ["PLACE_ZONE"]),
        ({"zones": ("2804", "2804")}, ["CODE_TWICE"]),
        ({"zones": ("7501", "2804", "2804")}, ["PLACE_ZONE", "CODE_TWICE"]),
    ],
)
def test_zones_are_those_of_the_region_each_once_and_all_objections_come_together(
    changes: dict[str, Any], codes: list[str]
) -> None:
    try:
        d.record_partner("mission", replace(SHEET, **changes), (), NOON, None)
        said: list[str] = []
    except RulesRefused as refused:
        said = [objection.code for objection in refused.objections]
    assert said == codes


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"mailbox": "jeanne.canari@mission.example"}, "CONTACT_PERSONAL", "mailbox"),
        ({"name": "Mission locale, contact\u202f: Madame Canari"}, "PERSON_NAME_SUSPECTED", "name"),
    ],
)
def test_what_looks_like_a_person_is_warned_about_and_kept_only_when_somebody_says_so(
    changes: dict[str, Any], code: str, field: str
) -> None:
    sheet = replace(SHEET, **changes)
    with pytest.raises(WarningsUnanswered) as asked:
        d.record_partner("mission", sheet, (), NOON, None)
    assert [(warning.code, warning.field) for warning in asked.value.warnings] == [(code, field)]
    assert d.record_partner("mission", sheet, (code,), NOON, None).acknowledged == (code,)


def test_the_life_of_a_partner_is_its_table_and_every_cell_outside_is_refused() -> None:
    held = {None: None, PartnerStatus.ACTIVE: recorded(), PartnerStatus.RETIRED: retired()}
    other = replace(SHEET, name="Autre")
    done: dict[tuple[str, PartnerStatus | None], PartnerStatus] = {}
    for status, partner in held.items():
        if partner is None:
            done["record_partner", status] = d.record_partner("mission", other, (), NOON, None).status
            continue
        done["record_partner", status] = d.change_partner(partner, other, (), NOON).status
        if status is PartnerStatus.ACTIVE:
            done["retire_partner", status] = d.retire_partner(partner, NOON).status
        else:
            with pytest.raises(NotAllowedNow):
                d.retire_partner(partner, NOON)
    commands = ("record_partner", "retire_partner")
    legal = {cell for cell in itertools.product(commands, held, PartnerStatus) if d.legal(*cell)}
    assert {(command, before, after) for (command, before), after in done.items()} == legal


def test_a_change_is_decided_on_the_present_revision_of_a_partner_that_is_there() -> None:
    with pytest.raises(Stale):
        d.at_revision(recorded(), 2)
    with pytest.raises(NotFound):
        d.existing(None)


# doors


def body(**changes: Any) -> dict[str, Any]:
    sheet = {
        "name": "Mission locale inventée",
        "kind": "MISSION_LOCALE",
        "zones": ["2804"],
        "mailbox": "accueil@mission.example",
    }
    return {"code": f"p-{uuid4()}", **sheet, **changes}


async def command(room: Room, who: str, path: str, sent: object, revision: int | None = None) -> Any:
    headers = {"authorization": who, "idempotency-key": uuid4().hex}
    if revision is not None:
        headers["if-match"] = f'"{revision}"'
    return await room.client.post(f"/partners{path}", content=json.dumps(sent), headers=headers)


async def listed(room: Room, who: str = "akto", **query: str | int) -> list[str]:
    answer = await room.client.get("/partners", params=query, headers={"authorization": who})
    assert answer.status_code == 200, answer.text
    return [partner["code"] for partner in answer.json()["partners"]]


async def test_the_region_keeps_the_directory_and_an_opco_reads_it(room: Room) -> None:
    sent = body()
    answer = await command(room, "region", "", sent)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["kind_label"], made["status_label"], answer.headers["etag"]) == (
        "Mission locale",
        "En activité",
        '"1"',
    )
    assert (await command(room, "region", "", sent)).status_code == 200
    assert (await command(room, "akto", "", body())).status_code == 403
    read = await room.client.get(answer.headers["location"], headers={"authorization": "akto"})
    assert read.json() == made

    sheet = {name: value for name, value in sent.items() if name != "code"} | {"zones": ["2815"]}
    path = f"/{made['partner_id']}"
    assert (await command(room, "region", f"{path}/sheet", sheet)).status_code == 428
    assert (await command(room, "region", f"{path}/sheet", sheet, 7)).status_code == 412
    assert (await command(room, "region", f"{path}/sheet", sheet, 1)).json()["zones"] == ["2815"]
    assert (await command(room, "region", f"{path}/retirement", {}, 1)).status_code == 412
    assert (await command(room, "region", f"{path}/retirement", {}, 2)).json()["status"] == "retired"
    assert (await command(room, "region", f"{path}/retirement", {})).status_code == 409
    assert (await command(room, "region", f"/{uuid4()}/retirement", {})).status_code == 404
    trail = await room.fetch(
        "SELECT action, actor, facts ->> 'from' AS before, facts ->> 'to' AS after FROM audit_entry WHERE aggregate = $1 ORDER BY n",
        made["partner_id"],
    )
    assert [tuple(entry) for entry in trail] == [
        ("record_partner", "region", None, "active"),
        ("record_partner", "region", "active", "active"),
        ("retire_partner", "region", "active", "retired"),
    ]


async def test_the_list_is_chosen_by_zone_network_and_words_and_goes_on_page_by_page(room: Room) -> None:
    codes = sorted(f"liste-{n}-{uuid4().hex[:8]}" for n in range(3))
    for n, code in enumerate(codes):
        zones, kind = (["2811"], "CAP_EMPLOI") if n else (["2811", "0054"], "AVENIR")
        answer = await command(room, "region", "", body(code=code, zones=zones, kind=kind, name=f"Réseau d’Été {code}"))
        assert answer.status_code == 201, answer.text
    assert await listed(room, zone="2811") == codes
    assert await listed(room, zone="0054") == codes[:1]
    assert await listed(room, zone="2811", kind="CAP_EMPLOI") == codes[1:]
    assert await listed(room, q="ete liste") == codes
    assert await listed(room, q="%") == await listed(room)
    await command(room, "region", f"/{d.partner_id(codes[0])}/retirement", {})
    assert await listed(room, zone="2811") == codes[1:]
    assert await listed(room, zone="2811", retired="true") == codes

    seen: list[str] = []
    url: str | None = "/partners?zone=2811&retired=true&limit=2"
    while url:
        answer = await room.client.get(url, headers={"authorization": "dreets"})
        seen += [partner["code"] for partner in answer.json()["partners"]]
        url = answer.links["next"]["url"] if "next" in answer.links else None
    assert seen == codes
    assert (await room.client.get("/partners?zone=9999", headers={"authorization": "akto"})).status_code == 422


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": "Majuscule"}, "code"),
        ({"web": "ftp://organisme.example"}, "web"),
        ({"mailbox": "sans-arobase"}, "mailbox"),
        ({"zones": []}, "zones"),
        ({"name": "Appelez le 06 12 34 56 78"}, "name"),
    ],
)
async def test_what_has_not_its_form_is_refused_with_its_field(room: Room, changes: dict[str, Any], field: str) -> None:
    answer = await command(room, "region", "", body(**changes))
    assert answer.status_code == 422
    assert [objection["field"] for objection in answer.json()["objections"]] == [field]


async def test_a_fiche_is_given_the_partners_it_names_that_may_be_chosen(room: Room) -> None:
    made = [(await command(room, "region", "", body())).json()["partner_id"] for _ in range(3)]
    await command(room, "region", f"/{made[2]}/retirement", {})
    wanted = [UUID(one) for one in (made[0], made[2])]
    async with room.database.unit(PEOPLE["akto"]) as unit:
        fiches = await open_fiches(unit, [*wanted, uuid4()])
    assert fiches.desk.partners == {wanted[0]}


async def test_rows_of_the_directory_are_written_for_those_alone_who_see_every_row(room: Room) -> None:
    """The second net: what the policy table would let through by mistake, the rows do not."""
    for who, kept in (("region", True), ("akto", False)):
        partner = replace(recorded(), id=uuid4(), code=f"p-{uuid4()}")
        with contextlib.nullcontext() if kept else pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with room.database.unit(PEOPLE[who]) as unit:
                partners = await open_partners(unit, [])
                partners.put(partner.id, partner, Change("record_partner", who, None, "active"))
                write_partners(partners, unit)
                await unit.flush()
        assert (partner.code in await listed(room, limit=200)) is kept
