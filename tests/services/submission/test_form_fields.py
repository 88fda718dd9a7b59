"""The form of a fiche: what was typed becomes a content or all its objections, and a content becomes what was typed."""

import datetime as dt
import types
from enum import StrEnum
from typing import Annotated, Any, Union, get_args, get_origin
from uuid import UUID

import pytest
from annotated_types import Ge, Le, MaxLen, MinLen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from services.submission.domain.admissibility import admit
from services.submission.domain.case import Case
from services.submission.form_fields import Kind, as_typed, content_of, fields_of, leaf_at, unfit_fields
from shared.contracts.fiche import FicheContent
from shared.errors import Objection, RulesRefused
from shared.personal_data import kinds_in
from tests.services.submission.filings import GIVEN, NOON
from tests.support.fiches import GOLDEN_OPCO, golden_content

WRITTEN = st.characters(codec="utf-8", exclude_characters="\x00")


def contents() -> st.SearchStrategy[FicheContent]:
    """Return contents of every form that the contract takes, whatever the rules would say of them."""
    return _model(FicheContent).map(FicheContent.model_validate)


def _model(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({name: _any(f.annotation, f.metadata) for name, f in model.model_fields.items()})


def _any(annotation: Any, marks: list[Any]) -> st.SearchStrategy[Any]:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        flat = [one for mark in inner[1:] for one in (getattr(mark, "metadata", None) or [mark])]
        return _any(inner[0], [*marks, *flat])
    if origin in (Union, types.UnionType):
        return st.none() | _any(next(one for one in inner if one is not type(None)), marks)
    if origin is tuple:
        return st.lists(_any(inner[0], []), min_size=_mark(marks, MinLen, 0), max_size=min(2, _mark(marks, MaxLen, 2)))
    if issubclass(annotation, BaseModel):
        return _model(annotation)
    return _one(annotation, marks)


def _one(annotation: type, marks: list[Any]) -> st.SearchStrategy[Any]:
    if issubclass(annotation, StrEnum):
        return st.sampled_from(annotation)
    if annotation is int:
        return st.integers(_mark(marks, Ge, 0), _mark(marks, Le, 10**6))
    if annotation is not str:
        return {bool: st.booleans(), dt.date: st.dates(), UUID: st.uuids()}[annotation]
    pattern = next((mark.pattern for mark in marks if getattr(mark, "pattern", None)), None)
    if pattern:
        return st.from_regex(pattern.replace(r"\d", "[0-9]"), fullmatch=True, alphabet=WRITTEN).filter(
            lambda text: len(text) <= 160 and text == text.strip()
        )
    least = max(1, _mark(marks, MinLen, 0))
    texts = st.text(WRITTEN, min_size=least, max_size=min(30, _mark(marks, MaxLen, 30)))
    return texts.filter(lambda text: len(text.strip()) >= least and not kinds_in(text))


def _mark(marks: list[Any], kind: type, otherwise: int) -> int:
    (name,) = kind.__annotations__
    return next((getattr(mark, name) for mark in marks if isinstance(mark, kind)), otherwise)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(contents())
def test_what_a_form_shows_of_a_content_is_read_back_as_that_content(content: FicheContent) -> None:
    shown = fields_of(content)
    assert content_of(shown) == content
    assert all(leaf_at(path) for path in shown)


def typed(**changes: str) -> dict[str, str]:
    """Return the golden fiche as a form shows it, with changes; `__` stands for a point."""
    return {**fields_of(golden_content()), **{path.replace("__", "."): text for path, text in changes.items()}}


def objections(fields: dict[str, str]) -> list[tuple[str, str | None]]:
    found = content_of(fields)
    assert isinstance(found, tuple)
    return [(one.code, one.field) for one in found]


def read(fields: dict[str, str]) -> FicheContent:
    content = content_of(fields)
    assert isinstance(content, FicheContent), [(one.code, one.field) for one in content]
    return content


@pytest.mark.parametrize(
    ("path", "text", "cents"),
    [
        ("money.opco", "27032", 2703200),
        ("money.opco", "27 032,5", 2703250),
        ("money.opco", "27\u202f032.05 €", 2703205),
        ("money.opco", "0,99", 99),
    ],
)
def test_money_is_typed_in_euros(path: str, text: str, cents: int) -> None:
    assert read(typed() | {path: text}).money.opco == cents
    assert fields_of(read(typed() | {path: "27 032,5"}))[path] == "27032,50"


@pytest.mark.parametrize("text", ["12,345", "1e3", "--5", "12,3,4", "€"])
def test_what_is_no_amount_is_objected_to_in_euros(text: str) -> None:
    assert objections(typed(money__opco=text)) == [("FORM_EUROS", "money.opco")]


@pytest.mark.parametrize("text", ["30/04/2018", "30.4.2018", "2018-04-30", " 30-04-2018 "])
def test_a_date_is_typed_as_people_write_it(text: str) -> None:
    assert read(typed(sessions__0__start=text)).sessions[0].start == dt.date(2018, 4, 30)


@pytest.mark.parametrize("text", ["20180430", "31/02/2018", "1525046400", "demain", "20221332"])
def test_what_is_no_date_is_objected_to(text: str) -> None:
    assert [field for _, field in objections(typed(sessions__0__start=text))] == ["sessions.0.start"]


def test_all_objections_come_together_each_with_the_path_it_was_typed_at() -> None:
    fields = typed(hours__total="", kind="durable", provider__qualiopi="peut-être", sessions__3__start="x")
    found = objections(fields)
    assert [field for _, field in found if field and not field.startswith("sessions.3")] == [
        "kind",
        "hours.total",
        "provider.qualiopi",
    ]
    assert ("FORM_MISSING", "sessions.3.number") in found


def test_an_empty_row_is_not_there_and_the_others_close_up() -> None:
    one = {path: text for path, text in typed().items() if path.startswith("sessions.0")}
    moved = {path.replace("sessions.0", "sessions.2"): text for path, text in one.items()}
    fields = {**typed(), **dict.fromkeys(one, " "), **moved}
    assert read(fields) == golden_content()


def test_what_a_rule_says_of_a_row_after_an_empty_one_is_said_where_that_row_was_typed() -> None:
    one = {path: text for path, text in typed().items() if path.startswith("sessions.0")}
    second = {path.replace("sessions.0", "sessions.2"): text for path, text in one.items()}
    late = {"sessions.2.number": "2", "sessions.2.start": "30/04/2018", "sessions.2.end": "27/04/2018"}
    lines = {"place.address.lines.0": "", "place.address.lines.1": "Zone d’activités"}
    fields = {**typed(), **dict.fromkeys((path.replace("sessions.0", "sessions.1") for path in one), ""), **second, **late, **lines}
    with pytest.raises(RulesRefused) as refused:
        admit(Case(read(fields), GOLDEN_OPCO, NOON.date(), GIVEN), ())
    (wrong,) = (found for found in refused.value.objections if found.code == "SESSION_DATES")
    assert wrong.field == "sessions.1.end", "in the content the empty row is not there"
    said = (wrong, Objection("ANY", "", field="place.address.lines.0"), Objection("ANY", "", field="sessions"), Objection("ANY", ""))
    placed = [found.field for found in as_typed(fields, said)]
    assert placed == ["sessions.2.end", "place.address.lines.1", "sessions", None]


def test_a_part_that_is_said_not_to_be_there_is_left_out_whatever_was_typed_in_it() -> None:
    assert read(typed(certification="non")).certification is None
    without = {path: text for path, text in typed().items() if path != "certification"}
    assert read(without) == golden_content()
    wanted = [field for _, field in objections(typed(derogation="oui"))]
    assert "derogation.reference" in wanted


@pytest.mark.parametrize(
    "path",
    ["", ".", "title.", "titre", "hours", "sessions", "sessions.0", "sessions.20.start", "sessions.01.start", "sessions.-1.end",
     "sessions.0.meetings.10.on", "sessions.٣.start", "audiences.x", "__class__", "title.0"],
)  # fmt: skip
def test_a_field_that_no_fiche_has_is_refused_and_not_repeated(path: str) -> None:
    assert leaf_at(path) is None
    (objection,) = unfit_fields({path: "x"})
    assert (objection.code, objection.field) == ("FIELD_UNKNOWN", "fields")
    assert objections(typed() | {path: "x"}) == [("FIELD_UNKNOWN", "fields")]


def test_a_half_typed_form_is_kept_and_what_identifies_a_person_is_not() -> None:
    assert not list(unfit_fields({"hours.total": "quatre cents ?", "contact": "poec@", "sessions.19.start": "30/"}))
    wrong = {"title": "Appeler le 06 12 34 56 78", "hours.total": "nom@exemple.fr", "rome": "H3404\x00", "objective": "a" * 5001}
    assert [(one.code, one.field) for one in unfit_fields(wrong)] == [
        ("FREE_TEXT_TELEPHONE", "title"),
        ("FREE_TEXT_EMAIL", "hours.total"),
        ("NUL", "rome"),
        ("FORM_STRING_TOO_LONG", "objective"),
    ]
    assert not list(unfit_fields({"contact": "poec.normandie@opco-2i.example"}))


def test_a_field_knows_how_it_is_typed() -> None:
    kinds = {path: leaf.kind for path in typed() if (leaf := leaf_at(path))}
    assert kinds["money.opco"] is Kind.EUROS
    assert kinds["hours.total"] is Kind.WHOLE
    assert kinds["certification"] is Kind.YES_NO
    assert kinds["sessions.0.end"] is Kind.DATE
    procurement = leaf_at("procurement")
    assert procurement is not None
    assert procurement.choices == ("AUCUN", "EN_PREPARATION", "PUBLIE", "ATTRIBUE")
