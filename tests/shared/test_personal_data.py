"""What a free text may not hold is found however it is written, what only looks like it is not, and in linear time."""

import itertools
import json
from typing import Annotated

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from shared.contracts.ingress import DeclineAdaptation, SubmitFiche
from shared.contracts.text import CODE, FREE, FreeText, Label, fields_naming_a_person, names_a_person
from shared.errors import InvalidInput
from shared.parsing import parse_json
from shared.personal_data import free_texts, kinds_in, objections_to
from tests.support.fiches import golden_json


def nir(number: str, form: str = "") -> str:
    """Return an invented number of social security with its right key, in groups where asked."""
    key = 97 - int(number.replace("2A", "19").replace("2B", "18")) % 97
    whole = f"{number}{key:02d}"
    if not form:
        return whole
    cuts = (0, 1, 3, 5, 7, 10, 13, 15)
    return form.join(whole[a:b] for a, b in itertools.pairwise(cuts))


EMAILS = (
    "a.b@c.fr", "X@Y.GOUV.FR", "é@éc.fr", "a@b-c.d.fr", "mailto:poec@akto.example", "contact@formation-exemple.fr.",
    "x @ y . fr", "x@y. fr", "écrire à x (at) y.fr", "x [at] y (dot) fr", "x(a)y.fr", "x_at_y.fr", "jean at exemple.fr",
    "x at y dot fr", "x arobase y point fr", "x＠y．fr", "x@\u200by.fr", "x&#64;y.fr", "x&commat;y.fr", "x%40y.fr",
)  # fmt: skip
TELEPHONES = (
    "0231000000", "02 31 00 00 00", "02.31.00.00.00", "02-31-00-00-00", "02/31/00/00/00", "0612 345 678", "0 800 123 456",
    "06 12 34 5678", "(02) 31 00 00 00",
    "au (0)6 12 34 56 78", "bât. 4 02 31 00 00 00", "+33 2 31 00 00 00", "+33231000000", "0033 2 31 00 00 00",
    "+33 (0)2 31 00 00 00", "+262 692 12 34 56", "00 262 692 123456", "+590 590 12 34 56", "+687 12 34 56",
    "+32 475 12 34 56", "tél:0612345678.", "tel 06.12.34.56.78/79", "06\u00a012\u202f34\u00a056 78", "06–12–34–56–78",
    "06·12·34·56·78", "０６１２３４５６７８", "٠٦١٢٣٤٥٦٧٨", "le 12/03/2021 au 06 12 34 56 78",
)  # fmt: skip
NIRS = [
    written
    for number in ("1850578006084", "2991276540123", "185052A006084", "185052B006084", "2550799123456")
    for written in (nir(number), nir(number, " "), f"n° {nir(number, '-')}.", nir(number, "\u202f"))
]
NIRS += ["1850578006084", "1 85 05 78 006 084"]
HARMLESS = (
    "SIRET 732 829 320 00074", "73282932000074", "SIRET 012 345 678 00012", "SIREN 356000000", "NDA 28760123476",
    "n° 28 14 01234 14", "UAI 0141408E", "IDCC 0176, 0044, 0045", "0176 0044 0045 0292", "RNCP34503 et RS5515",
    "commune 76540, zone 2815, IDCC 1413", "01000 02000", "Formacode 31734 31768", "codes 80006 80009 80003",
    "du 01/02/2021 - 05/03/2021", "01/02/21 03/04/21", "01.02.2021 03.04.2021", "2021-02-01 2021-03-04", "2020-2021-2022",
    "délibération 2021-44 du 12/03/2021", "Marché 2021/06/12/345", "PRF 2021 n° 2021-0042-07", "PE-28-2021-ABCDEFGH",
    "1 234 567,89 €", "14 000 000 euros", "501 000 habitants, 0 250 places", "400 heures dont 133 en entreprise",
    "08h30-12h00", "de 09:00 à 17:00 les 01, 02, 03, 04 et 05", "les 14, 27, 50, 61 et 76", "3949", "978-2-07-036822-8",
    "3250390000273", "version 1.2.3.4.5.6.7.8.9.0", "rendez-vous @ 14h", "10 pièces @ 3.50", "M@thieu", "@poec", "a@b",
    "atelier @ Rouen. Puis", "working at height. Then", "formation at Rouen", "A (à) compléter. Fin", "la date (at) fixée",
    "modules (a) soudage. Ensuite, (b) usinage", "02310000-12ab-4c3d-8e9f-0123456789ab", "185057800608499", "",
)  # fmt: skip


@pytest.mark.parametrize("text", EMAILS)
def test_an_address_is_found(text: str) -> None:
    assert kinds_in(text) == ("FREE_TEXT_EMAIL",)
    assert kinds_in(f"Inscriptions : {text} avant le 12/03/2021") == ("FREE_TEXT_EMAIL",)


@pytest.mark.parametrize("text", TELEPHONES)
def test_a_number_that_rings_is_found(text: str) -> None:
    assert kinds_in(text) == ("FREE_TEXT_TELEPHONE",)
    assert kinds_in(f"Renseignements : {text}, le matin") == ("FREE_TEXT_TELEPHONE",)


@pytest.mark.parametrize("text", NIRS)
def test_a_nir_is_found_and_not_taken_for_a_telephone(text: str) -> None:
    assert kinds_in(text) == ("FREE_TEXT_NIR",)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_it_passes(text: str) -> None:
    assert kinds_in(text) == ()
    assert kinds_in(f"Voir {text}\u202f; suite.") == ()


def test_everything_is_said_at_once() -> None:
    assert kinds_in(f"x@y.fr, 02 31 00 00 00, {nir('1850578006084')}") == (
        "FREE_TEXT_EMAIL",
        "FREE_TEXT_TELEPHONE",
        "FREE_TEXT_NIR",
    )


ALPHABET = st.sampled_from([*"0123456789 @.+-/()_aAtTbBxé«\n", "(at)", " at ", " dot ", "arobase", "&#64;", "０", "٦", "\u200b", "33"])


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=300), st.lists(ALPHABET, max_size=120).map("".join)))
def test_any_text_gets_an_answer(text: str) -> None:
    found = kinds_in(text)
    assert set(found) <= {"FREE_TEXT_EMAIL", "FREE_TEXT_TELEPHONE", "FREE_TEXT_NIR"}
    assert kinds_in(f"x@y.fr {text}")[:1] == ("FREE_TEXT_EMAIL",)
    assert isinstance(names_a_person(text), bool)


BAITS = (
    "a", "a@", "@", "0 ", "06 12 ", "1 ", "a@a.", "(at", "x ( ", "+33", "01/02/", "&#64;", "1850578", "a at ", "+", "٠", "x@y. ",
    "M. ", "contact : Aa ", "Mme de ", "A", "Aa-", "de ",
)  # fmt: skip


@pytest.mark.parametrize("bait", BAITS)
def test_a_bait_costs_what_its_length_costs(bait: str) -> None:
    """A quadratic expression would take minutes on 250 KB of these; the test would be ended by its time-out."""
    text = bait * (250_000 // len(bait))
    kinds_in(text)
    names_a_person(text)


class Part(BaseModel):
    """Something with a free text and a code."""

    words: FreeText
    code: Annotated[str, Field(pattern="^[a-z@.]+$")] = ""


class Whole(BaseModel):
    """Free texts wherever they may lie."""

    title: Label
    note: Annotated[str, FREE] | None = None
    lines: tuple[Label, ...] = ()
    parts: list[Part] = []
    either: Part | int = 0


def test_free_texts_are_found_wherever_they_lie() -> None:
    assert set(free_texts(Whole)) == {"title", "note", "lines", "parts", "either"}
    whole = {
        "title": "0231000000", "note": "x@y.fr", "lines": ["sans rien", "x@y.fr"],
        "parts": [{"words": "rien", "code": "x@y.fr"}, {"words": "x@y.fr 0231000000"}], "either": {"words": "x@y.fr"},
    }  # fmt: skip
    with pytest.raises(InvalidInput) as refused:
        parse_json(json.dumps(whole).encode(), Whole)
    assert [(o.field, o.code) for o in refused.value.objections] == [
        ("title", "FREE_TEXT_TELEPHONE"),
        ("note", "FREE_TEXT_EMAIL"),
        ("lines.1", "FREE_TEXT_EMAIL"),
        ("parts.1.words", "FREE_TEXT_EMAIL"),
        ("parts.1.words", "FREE_TEXT_TELEPHONE"),
        ("either.words", "FREE_TEXT_EMAIL"),
    ]


def test_a_wrong_form_and_a_wrong_text_are_said_together_and_nothing_is_repeated() -> None:
    content = golden_json()
    content["objective"] = "Écrire à secret.canari@exemple.fr"
    content["provider"]["address"]["lines"] = ["12 rue neuve", "Tél. 06 98 76 54 32"]
    content["hours"]["total"] = "400"
    with pytest.raises(InvalidInput) as refused:
        parse_json(json.dumps({"content": content}).encode(), SubmitFiche)
    assert {(o.field, o.code) for o in refused.value.objections} == {
        ("content.objective", "FREE_TEXT_EMAIL"),
        ("content.provider.address.lines.1", "FREE_TEXT_TELEPHONE"),
        ("content.hours.total", "FORM_INT_TYPE"),
    }
    assert "canari" not in repr(refused.value.objections)
    assert "98 76" not in repr(refused.value.objections)


def test_the_functional_mailbox_has_a_field_of_its_own() -> None:
    content = golden_json() | {"contact": "poec@akto.example"}
    assert parse_json(json.dumps({"content": content}).encode(), SubmitFiche).content.contact == "poec@akto.example"


def test_a_reader_takes_a_text_of_long_ago_as_it_is() -> None:
    """The log is not refused for what stands in it: the check is the edge's."""
    assert DeclineAdaptation.model_validate({"reason": "x@y.fr"}).reason == "x@y.fr"


def test_a_text_is_named_by_its_field() -> None:
    assert [(o.field, o.code) for o in objections_to("x@y.fr", "reference")] == [("reference", "FREE_TEXT_EMAIL")]


PERSONS = (
    "Contact : Aline ESSAI-MODÈLE", "Mme Exemple", "M. Le Test", "voir Monsieur Test", "contacter Dr. Modèle", "Me Exemple",
    "animée par Aline ESSAI", "Contact : Aline Essai", "suivi par Aline d’ESSAI", "Madame de Modèle", "référente : Aline ESSAI",
    "Mme\u00a0Exemple",
)  # fmt: skip
NOBODY = (
    "Madame, Monsieur", "Monsieur le Directeur", "M. ou Mme", "Contact : Pôle Emploi", "Contact : Mission Locale",
    "contact : France Travail", "responsable : Carif Oref", "Titre CACES R489", "Région Normandie", "Me former",
    "formateur SST", "Formateur Habilitation B", "Responsable QSE", "Groupe AGRO Normandie", "Master M2", "Référent handicap",
    "Contact entreprise : Normandie LOGISTIQUE", "contact OPCO AKTO", "rue du Maréchal-Exemple",
)  # fmt: skip


@pytest.mark.parametrize("text", PERSONS)
def test_what_looks_like_a_persons_name_is_noticed(text: str) -> None:
    assert names_a_person(text)


@pytest.mark.parametrize("text", NOBODY)
def test_what_names_nobody_is_left_alone(text: str) -> None:
    assert not names_a_person(text)


def test_the_fields_that_name_somebody_are_named() -> None:
    texts = [("title", "Soudage"), ("objective", "Mme Exemple"), ("contents", "M. Test")]
    assert fields_naming_a_person(texts) == ["objective", "contents"]


@pytest.mark.parametrize("reference", ["KILL-04133058-38", "0231000000", "2021/06 12 345 678", "185057800608466"])
def test_a_reference_is_a_code_whose_digits_say_nothing(reference: str) -> None:
    """A system's own name of its fiche may hold any ten digits; refused at random, its fiche could never be filed."""
    assert list(objections_to(reference, "reference", CODE)) == []
    assert [one.code for one in objections_to("akto@akto.example", "reference", CODE)] == ["FREE_TEXT_EMAIL"]
