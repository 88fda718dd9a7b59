"""Every route, topic and command of `poec` is a door to one operation of the policy table; the page says which, made from the code."""

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import Route

from deploy.cli import COMMANDS as CLI
from shared.contracts.flow import SERVICES, TOPICS, Topic
from shared.contracts.ingress import Command
from shared.contracts.references import OPCOS
from shared.policy import POLICY, ROLES
from shared.service import openapi
from shared.web.pages import Pages, page_router
from shared.web_app import new_app
from tests.support import operations as o
from tests.support.documents import ROOT, is_committed
from tests.support.ears import ears, service
from tests.support.policy_page import page


def undoored_routes(name: str, document: Mapping[str, Any]) -> list[str]:
    """Return where a service's document and the table of its routes differ."""
    there = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    return sorted((there - o.OPEN) ^ set(o.routes(name)))


def undoored_pages(name: str, app: FastAPI) -> list[str]:
    """Return where the pages that a service serves and the table of them differ."""
    hidden = [route for route in iter_route_contexts(app.routes) if route.include_in_schema is False and route.endpoint]
    there = {f"{method} {route.path}" for route in hidden for method in route.methods or ()}
    return sorted((there - o.FRAME - o.DOCUMENT - {"HEAD /openapi.json"}) ^ set(o.pages(name)))


def app_of(name: str, pages: Pages | None = None) -> FastAPI:
    """Return a service's application, as a process with the role `api` has it."""

    async def never() -> dict[str, bool]:
        return {}

    return new_app(name, "0", never, service(name).router, pages=pages or service(name).pages)


def undoored_topics(topics: Iterable[Topic]) -> list[str]:
    """Return the topics that a service reads, or that are its own, and that are no door to anything."""
    doors = {door.name.split(" ")[0] for door in o.topic_doors()}
    return [
        topic.name
        for topic in topics
        if not {topic.name, _family(topic.name)} & doors
        and topic.name not in o.NO_DOOR
        and (set(topic.readers) & set(SERVICES) or topic.writer not in SERVICES)
    ]


def _family(name: str) -> str:
    family, _, organisation = name.rpartition(".")
    return f"{family}.<opco>" if organisation in OPCOS else name


def undoored_commands(commands: Collection[type[Command]]) -> list[str]:
    """Return the commands by Kafka whose operation is not in the policy table, or that are in no list."""
    return sorted(command.__name__ for command in commands if o.COMMANDS.get(command) not in POLICY)


def undoored_poec(names: Collection[str]) -> list[str]:
    """Return the commands of `poec` of which nobody said what they ask of the services."""
    return sorted(set(names) ^ {*o.POEC, *o.POEC_ASIDE})


@pytest.mark.parametrize("name", SERVICES)
def test_every_route_is_a_door(name: str) -> None:
    assert undoored_routes(name, openapi(service(name))) == [], "write its row in tests/support/operations.py"


@pytest.mark.parametrize("name", SERVICES)
def test_every_page_is_a_door(name: str) -> None:
    assert undoored_pages(name, app_of(name)) == [], "write its row in tests/support/operations.py"


def test_a_page_without_a_row_is_found() -> None:
    planted = page_router()
    planted.get("/planted")(lambda: None)
    planted.post("/planted")(lambda: None)
    found = undoored_pages("analytics", app_of("analytics", Pages(ROOT, "", "", routers=(planted,))))
    assert found == ["GET /espace/planted", "POST /espace/planted"]


def test_every_topic_is_a_door() -> None:
    assert undoored_topics(TOPICS) == []


def test_every_command_by_kafka_is_a_door() -> None:
    assert undoored_commands([command for hearing in ears().values() for command in hearing.commands]) == []


def test_every_command_of_poec_says_what_it_asks() -> None:
    assert undoored_poec(CLI) == []
    assert {operation for asked in o.POEC.values() for operation in asked} <= set(POLICY)


def test_every_door_leads_to_a_row_and_every_row_has_a_door() -> None:
    doors = [*o.http_doors(), *o.topic_doors()]
    assert {door.operation for door in doors} == set(POLICY)
    assert len(set(doors)) >= len({(door.service, door.name) for door in doors})


def test_every_role_may_do_something_and_every_row_names_roles_that_exist() -> None:
    assert {role for row in POLICY.values() for role in row} == {*ROLES, "worker"}


def test_what_is_open_besides_the_doors_is_the_document_alone_and_the_page_says_so() -> None:
    app = app_of("validation")
    besides = {f"GET {route.path}" for route in app.routes if isinstance(route, Route) and not isinstance(route, APIRoute)}
    assert besides == o.DOCUMENT
    assert "`GET /openapi.json`" in page()


def test_the_page_is_as_made() -> None:
    assert is_committed(ROOT / "shared" / "policy.md", page()), "run `make docs`"


def test_the_table_of_the_page_fits_on_one_screen() -> None:
    table = page().split("## Doors", maxsplit=1)[0]
    assert len([line for line in table.splitlines() if line.startswith("|")]) <= 60


def test_a_route_without_a_row_is_found() -> None:
    document = openapi(service("validation"))
    planted = {**document, "paths": {**document["paths"], "/dossiers/{fiche_id}/notes": {"get": {}}}}
    assert undoored_routes("validation", planted) == ["GET /dossiers/{fiche_id}/notes"]
    fewer = {**document, "paths": {path: m for path, m in document["paths"].items() if path != "/dossiers"}}
    assert undoored_routes("validation", fewer) == ["GET /dossiers"]


def test_a_topic_without_a_row_is_found() -> None:
    planted = dataclasses.replace(TOPICS[0], name="poec.submission.planted")
    foreign = dataclasses.replace(TOPICS[0], name="poec.ingress.region", writer="region", readers=("validation",))
    assert undoored_topics([*TOPICS, planted, foreign]) == [planted.name, foreign.name]


def test_a_command_without_a_row_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class RenewFiche(Command):
        """Planted."""

        wire_type = "fr.poec.command.renew_fiche.v1"

    assert undoored_commands([RenewFiche]) == ["RenewFiche"]
    assert undoored_poec([*CLI, "renew"]) == ["renew"]
    monkeypatch.delitem(POLICY, "withdraw_fiche")
    assert undoored_commands(list(o.COMMANDS)) == ["WithdrawFiche"]
