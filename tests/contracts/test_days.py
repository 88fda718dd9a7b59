"""A day comes in as YYYY-MM-DD and in no other form: in every body, command, event and address."""

import datetime as dt
import importlib
import json
import pkgutil
import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel, BeforeValidator

import services
from shared.contracts.days import Day, iso_day
from shared.contracts.flow import EVENT_TYPES
from shared.contracts.ingress import Command
from shared.errors import InvalidInput
from shared.parsing import parse_json
from tests.support.ears import present, service

NO_DAYS = (
    "1525046400", "-1", "20180430", "2018-W18-1", "2018-4-30", "18-04-30", "30/04/2018", " 2018-04-30", "2018-04-30 ",
    "2018-04-30T00:00:00", "2018-04-30T00:00:00Z", "2018-02-30", "0000-01-01", "٢٠١٨-٠٤-٣٠", "demain", "",
)  # fmt: skip


class Asked(BaseModel):
    on: Day


class Careless(BaseModel):
    on: dt.date
    last: dt.datetime | None = None


class Around(BaseModel):
    good: Day | None = None
    inner: tuple[Careless, ...] = ()


def bare_days(annotation: Any, marks: tuple[Any, ...] = (), place: str = "") -> Iterator[str]:
    """Yield the places below a type where pydantic alone would read a day or an instant."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from bare_days(inner[0], (*marks, *inner[1:]), place)
    elif origin in (Union, types.UnionType, tuple, list, dict, frozenset):
        for one in inner:
            yield from bare_days(one, (), place)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, info in annotation.model_fields.items():
            yield from bare_days(info.annotation, tuple(info.metadata), f"{place}.{name}")
    elif annotation in (dt.date, dt.datetime) and not any(isinstance(mark, BeforeValidator) for mark in marks):
        yield place


def bodies() -> set[type[BaseModel]]:
    """Return what HTTP bodies are read into."""
    for module in pkgutil.walk_packages(services.__path__, "services."):
        if module.name.count(".") == 2 and "__main__" not in module.name:
            importlib.import_module(module.name)
    waiting, found = [BaseModel], set[type[BaseModel]]()
    while waiting:
        for model in waiting.pop().__subclasses__():
            waiting.append(model)
            if model.__module__.startswith(("services.", "shared.")) and model.__name__.endswith("In"):
                found.add(model)
    return found


def query_params(dependant: Any) -> Iterator[Any]:
    """Yield what an address may ask for, also by what a route depends on."""
    yield from dependant.query_params
    for below in dependant.dependencies:
        yield from query_params(below)


@pytest.mark.parametrize("text", NO_DAYS)
def test_a_text_of_another_form_is_no_day(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_json(json.dumps({"on": text}).encode(), Asked)
    (told,) = refused.value.objections
    assert (told.code, told.field) == ("FORM_DATE_PARSING", "on")
    assert told.message == "Une date est attendue, sous la forme AAAA-MM-JJ."


def test_a_number_is_no_day_and_the_one_form_is() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_json(b'{"on": 1525046400}', Asked)
    assert [told.code for told in refused.value.objections] == ["FORM_DATE_TYPE"]
    assert parse_json(b'{"on": "2018-04-30"}', Asked).on == Asked(on=dt.date(2018, 4, 30)).on
    assert Asked.model_json_schema()["properties"]["on"] == Careless.model_json_schema()["properties"]["on"]


def test_no_body_command_or_event_leaves_days_to_pydantic() -> None:
    found = bodies()
    assert {"FicheIn", "CampaignIn", "AdaptationIn", "AisIn"} <= {model.__name__ for model in found}
    events = [model for model in EVENT_TYPES.values() if not model.__module__.endswith(".anchors")]
    commands = Command.__subclasses__()
    assert len(commands) > 10 and len(events) > 20
    wrong = {model.__name__: places for model in (*found, *commands, *events) if (places := list(bare_days(model)))}
    assert wrong == {}


@pytest.mark.parametrize("name", present())
def test_no_address_leaves_days_to_pydantic(name: str) -> None:
    contexts = list(iter_route_contexts(service(name).router.routes))
    routes = [one.original_route for one in contexts if isinstance(one.original_route, APIRoute)]
    asked = [(route, param) for route in routes for param in query_params(route.dependant)]
    wrong = [
        f"{route.path} {param.name}"
        for route, param in asked
        if list(bare_days(param.field_info.annotation, tuple(param.field_info.metadata), param.name))
    ]
    assert routes and wrong == []


def test_a_day_left_to_pydantic_is_found_wherever_it_stands() -> None:
    assert list(bare_days(Around)) == [".inner.on", ".inner.last"]
    assert list(bare_days(dict[str, Annotated[dt.date, "mark"]])) == [""] and not list(bare_days(Day | None))


@pytest.mark.parametrize("text", NO_DAYS)
def test_what_is_read_outside_of_types_takes_the_same_form_alone(text: str) -> None:
    assert iso_day("2018-04-30") == dt.date(2018, 4, 30)
    assert iso_day(text) is None
