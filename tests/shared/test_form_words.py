"""Errors of form in words: the limit in French, the known names near an unknown one, and nothing of the sender."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel

from shared.contracts.fiche import Address, FicheContent, Money, SessionPlan
from shared.contracts.ingress import SubmitFiche
from shared.errors import InvalidInput, Objection
from shared.form_words import PATTERNS, model_at, to_people, words_of
from shared.parsing import parse_json
from tests.support.documents import ROOT
from tests.support.fiches import golden_json

DOCUMENTS = [ROOT / "shared" / "contracts" / "asyncapi.json", *sorted(ROOT.glob("services/*/openapi.json"))]


def objection(body: dict[str, Any]) -> Objection:
    with pytest.raises(InvalidInput) as found:
        parse_json(json.dumps(body).encode(), SubmitFiche)
    (only,) = found.value.objections
    return only


def patterns(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("pattern"), str):
            yield node["pattern"]
        node = list(node.values())
    if isinstance(node, list):
        for inner in node:
            yield from patterns(inner)


def unworded(document: Any) -> set[str]:
    return set(patterns(document)) - set(PATTERNS)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_pattern_of_the_contracts_has_words(path: Any) -> None:
    assert unworded(json.loads(path.read_text("utf-8"))) == set()


def test_a_pattern_without_words_is_found() -> None:
    assert unworded({"a": [{"pattern": "^x$"}, {"pattern": r"^[0-9]{5}$"}]}) == {"^x$"}


WORDS = {
    ("string_too_short", "min_length", "3"): "Ce texte est trop court\u202f: 3 caractères au moins.",
    ("string_too_short", "min_length", "1"): "Ce texte est trop court\u202f: 1 caractère au moins.",
    ("too_long", "max_length", "5"): "Cette liste a trop d’éléments\u202f: 5 éléments au plus.",
    ("less_than_equal", "le", "100"): "Ce nombre est trop grand\u202f: 100 au plus.",
    ("greater_than_equal", "ge", "1"): "Ce nombre est trop petit\u202f: 1 au moins.",
    ("literal_error", "expected", "'A', 'B' or 'C'"): "Cette valeur n’est pas dans la liste fermée\u202f: parmi A, B, C.",
    ("string_pattern_mismatch", "pattern", r"^[A-N][0-9]{4}$"): (
        "Ce texte n’a pas la forme attendue\u202f: une lettre de A à N et 4 chiffres, par exemple H3404."
    ),
    ("string_pattern_mismatch", "pattern", "^of nobody$"): "Ce texte n’a pas la forme attendue.",
    ("of no known kind", "", ""): "Cette valeur n’a pas la forme attendue.",
}


@pytest.mark.parametrize(("error", "sentence"), WORDS.items(), ids=lambda value: str(value)[:40])
def test_a_limit_is_said_in_words(error: tuple[str, str, str], sentence: str) -> None:
    kind, name, value = error
    assert words_of(kind, {name: value} if name else {}) == sentence


TO_PEOPLE = {
    ("FORM_ENUM", "expected", "'BESOIN_DISPARU' or 'AUTRE'"): "Choisissez une réponse dans la liste.",
    ("FORM_DATE_PARSING", "", ""): "Indiquez une date (jj/mm/aaaa).",
    ("FORM_DATE_TYPE", "", ""): "Indiquez une date (jj/mm/aaaa).",
    ("FORM_INT_TYPE", "", ""): "Indiquez un nombre entier, en chiffres.",
    ("FORM_STRING_TYPE", "", ""): "Renseignez ce champ.",
    ("FORM_STRING_TOO_SHORT", "min_length", "1"): "Renseignez ce champ.",
    ("FORM_TOO_SHORT", "min_length", "1"): "Renseignez ce champ.",
    ("FORM_STRING_TOO_SHORT", "min_length", "3"): "as it was",
    ("REFERENCE_TAKEN", "", ""): "as it was",
}


@pytest.mark.parametrize(("said", "sentence"), TO_PEOPLE.items(), ids=lambda value: str(value)[:40])
def test_a_person_at_a_form_is_told_what_to_do_and_no_word_of_the_contract(said: tuple[str, str, str], sentence: str) -> None:
    code, name, value = said
    objection = Objection(code, "as it was", field="motive", facts={name: value} if name else {})
    assert to_people(objection) == replace(objection, message=sentence)


def test_the_facts_keep_the_limit_for_machines() -> None:
    found = objection({"content": {**golden_json(), "rome": "Z9"}})
    assert found.facts == {"pattern": r"^[A-N][0-9]{4}$"}
    assert "pattern" not in found.message


def test_an_unknown_field_is_said_of_its_object_with_the_known_name_that_is_near() -> None:
    content = golden_json()
    content["provider"]["adress"] = content["provider"]["sirett"] = 1
    found = objection({"content": content})
    assert (found.field, found.facts) == ("content.provider", {"unknown": 2, "nearest": "address, siret"})
    assert found.message.startswith("Cet objet contient 2 champs qui n’existent pas dans le contrat")


def test_at_the_top_it_is_the_request_that_holds_it() -> None:
    found = objection({"content": golden_json(), "zzz": 1})
    assert (found.field, found.facts) == (None, {"unknown": 1})
    assert found.message.startswith("La demande contient un champ qui n’existe pas")


@pytest.mark.parametrize("name", ["opco", "organisation"])
def test_who_asks_is_known_otherwise(name: str) -> None:
    assert "celle du jeton ou du topic" in objection({"content": golden_json(), name: "x"}).message
    content = {**golden_json(), name: "x"}
    assert "celle du jeton ou du topic" not in objection({"content": content}).message


PLACES: dict[tuple[str | int, ...], type[BaseModel] | None] = {
    (): SubmitFiche,
    ("content",): FicheContent,
    ("content", "sessions", 0): SessionPlan,
    ("content", "money"): Money,
    ("content", "place", "address"): Address,
    ("content", "title"): None,
    ("nowhere", 3): None,
}


@pytest.mark.parametrize(("place", "model"), PLACES.items(), ids=str)
def test_the_model_of_a_place_is_found(place: tuple[str | int, ...], model: type[BaseModel] | None) -> None:
    assert model_at(SubmitFiche, place) is model
