"""Templates: kept under a name, listed, used for a draft, deleted; one OPCO's own business."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from deploy.audit.transitions import legal
from services.submission.domain import form_template
from services.submission.domain.form_template import LIFECYCLE, TemplateStatus
from shared.contracts.fiche import fiche_id
from tests.services.submission.room import Room
from tests.support.fiches import GOLDEN_OPCO
from tests.support.servers import Servers

FIELDS = {"title": "Peintre industriel", "hours.total": "399"}


@pytest.fixture
async def room(servers: Servers) -> AsyncIterator[Room]:
    made = await Room.make(servers)
    yield made
    await made.close()


async def save(room: Room, name: str, who: str = GOLDEN_OPCO, **fields: str) -> Any:
    return await room.command(who, "/templates", {"template": name, "fields": fields or FIELDS})


async def test_a_template_is_saved_listed_used_and_deleted(room: Room) -> None:
    for name in ("Soudeurs", "Peintres", "Peintres"):
        saved = await save(room, name)
        assert saved.status_code == 201, saved.text
    first = (await room.read(GOLDEN_OPCO, "/templates", {"limit": 1})).json()
    assert [one["template"] for one in first["templates"]] == ["Peintres"]
    rest = (await room.read(GOLDEN_OPCO, "/templates", {"after": first["next"]})).json()
    assert ([one["template"] for one in rest["templates"]], rest["next"]) == (["Soudeurs"], None)
    template = first["templates"][0]["template_id"]
    assert (await room.read(GOLDEN_OPCO, f"/templates/{template}")).json()["fields"] == FIELDS
    drafted = await room.command(GOLDEN_OPCO, f"/templates/{template}/draft", {"reference": "T-1"})
    assert (drafted.status_code, drafted.json()["status"]) == (201, "draft")
    shown = (await room.get(GOLDEN_OPCO, f"/{fiche_id(GOLDEN_OPCO, 'T-1')}")).json()
    assert shown["fields"] == FIELDS
    again = await room.command(GOLDEN_OPCO, f"/templates/{template}/draft", {"reference": "T-1"})
    assert again.status_code == 428
    deleted = await room.command(GOLDEN_OPCO, f"/templates/{template}/deletion", {})
    assert (deleted.json()["status"], deleted.json()["fields"]) == ("deleted", {})
    assert (await room.command(GOLDEN_OPCO, f"/templates/{template}/deletion", {})).status_code == 409
    assert (await room.read(GOLDEN_OPCO, f"/templates/{template}")).status_code == 404
    left = (await room.read(GOLDEN_OPCO, "/templates")).json()["templates"]
    assert [one["template"] for one in left] == ["Soudeurs"]
    assert (await save(room, "Peintres")).status_code == 201
    trail = await room.fetch("SELECT action FROM audit_entry WHERE aggregate = $1 ORDER BY n", template)
    assert [row["action"] for row in trail] == ["save_template"] * 2 + ["delete_template", "save_template"]


async def test_one_template_too_many_is_refused_until_one_is_deleted(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form_template, "MOST_TEMPLATES", 1)
    kept = (await save(room, "Peintres")).json()["template_id"]
    refused = await save(room, "Soudeurs")
    assert (refused.status_code, refused.json()["objections"][0]["code"]) == (409, "TEMPLATES_KEPT")
    assert (await save(room, "Peintres", title="Peintre")).status_code == 201
    assert (await save(room, "Soudeurs", "akto")).status_code == 201, "each OPCO has its own room"
    await room.command(GOLDEN_OPCO, f"/templates/{kept}/deletion", {})
    assert (await save(room, "Soudeurs")).status_code == 201


async def test_a_key_that_served_gets_its_answer_again_once_the_template_is_gone(room: Room) -> None:
    template = (await save(room, "Peintres")).json()["template_id"]
    path, body = f"/templates/{template}/draft", {"reference": "T-3"}
    first = await room.command(GOLDEN_OPCO, path, body, key="once")
    assert first.status_code == 201, first.text
    assert (await room.command(GOLDEN_OPCO, f"/templates/{template}/deletion", {})).status_code == 200
    again = await room.command(GOLDEN_OPCO, path, body, key="once")
    assert (again.status_code, again.content) == (201, first.content)
    assert (await room.command(GOLDEN_OPCO, path, {"reference": "T-4"})).status_code == 404


async def test_templates_are_one_opcos_own_business(room: Room) -> None:
    template = (await save(room, "Peintres")).json()["template_id"]
    for who, status in (("akto", 404), ("region", 403), ("dreets", 403)):
        assert (await room.read(who, f"/templates/{template}")).status_code == status
        assert (await room.command(who, f"/templates/{template}/deletion", {})).status_code == status
        assert (await room.command(who, f"/templates/{template}/draft", {"reference": "T-2"})).status_code == status
    assert (await room.read("akto", "/templates")).json()["templates"] == []
    assert (await save(room, "Peintres", "akto")).json()["template_id"] != template


async def test_a_template_holds_nothing_that_identifies_a_person(room: Room) -> None:
    refused = await save(room, "Peintres", title="Appeler le 06 12 34 56 78", other="x")
    assert [one["code"] for one in refused.json()["objections"]] == ["FIELD_UNKNOWN", "FREE_TEXT_TELEPHONE"]
    named = await save(room, "nom@exemple.fr")
    assert [one["code"] for one in named.json()["objections"]] == ["FREE_TEXT_EMAIL"]


def test_the_audit_knows_the_life_of_a_template() -> None:
    for command in ("save_template", "delete_template"):
        for before in (None, *TemplateStatus):
            for after in TemplateStatus:
                assert legal("submission", command, before, after) == ((command, before, after) in LIFECYCLE)
