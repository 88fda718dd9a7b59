"""The reference lists: as many as their origin has, each code in its form and once, each label printed as French is; and their doors."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import httpx
import pytest

import services.submission.reference as here
from services.submission.form_fields import Group, Plan, Rows, form
from services.submission.reference import references, tables
from services.submission.reference.lists import ListName, reference_list
from shared.contracts import references as known
from shared.contracts.fiche import Intention
from shared.contracts.field_labels import FICHE, INTENTION, field_label, full_label
from shared.contracts.labels import LABELS, in_sentence, label
from shared.contracts.opco_names import opco_named
from tests.services.submission.room import Room

FOLDER = Path(here.__file__).parent
FORMS: Mapping[str, Mapping[str, str]] = {
    "communes_normandie.csv": {"code_insee": r"(14|27|50|61|76)\d{3}", "departement": r"\d\d", "codes_postaux": r"\d{5}( \d{5})*"},
    "zones_emploi_2020.csv": {"code_insee": r"(14|27|50|61|76)\d{3}", "zone_emploi": r"(28\d\d|00\d\d)"},
    "arrondissements.csv": {"code": r"(14|27|50|61|76)\d", "departement": r"14|27|50|61|76"},
    "rome_532_v3.csv": {"code": r"[A-N]\d{4}"},
    "nsf.csv": {"code": r"[1-4]\d{2}"},
    "formacodes_usuels.csv": {"code": r"\d{5}", "nsf": r"\d{3}"},
    "branches.csv": {"idcc": r"\d{4}"},
    "partners_example.csv": {"code": r"exemple-[a-z0-9-]+", "boite": r"([a-z]+@[a-z-]+\.example)?", "site": r"(https://[a-z-]+\.example)?"},
    "derogations.csv": {"rome": r"[A-N]\d{4}", "plafond_heures": r"4\d\d", "depuis": r"\d{4}-\d\d-\d\d"},
}  # fmt: skip
"""The form of each column that holds codes; the first one names the row."""
UNPRINTED = re.compile(r"'|\.\.\.| [;:?!]|  |\s$|^\s|^$")
"""What French does not print so: the typewriter's apostrophe, three dots, a space that breaks before a mark."""


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines(), delimiter=";"))


def faults(found: list[dict[str, str]], forms: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the codes of a file: their form, and codes that come twice."""
    wrong = [
        f"{column}={row[column]}"
        for row in found
        for column, form in forms.items()
        if not re.fullmatch(form, row[column])
    ]
    first = next(iter(forms))
    return wrong + [f"{code} twice" for code, times in Counter(row[first] for row in found).items() if times > 1]


def readme_rows() -> dict[str, int]:
    """Return how many rows the README says that each file has."""
    lines = re.findall(r"^\| `([\w.]+)` \|.*?\| (\d+) \|", (FOLDER / "README.md").read_text("utf-8"), re.MULTILINE)
    return {file: int(count) for file, count in lines}


@pytest.mark.parametrize("file", FORMS)
def test_each_file_has_its_codes_once_and_in_their_form_and_as_many_as_its_origin(file: str) -> None:
    found = rows((FOLDER / file).read_text("utf-8"))
    assert faults(found, FORMS[file]) == []
    assert len(found) == readme_rows()[file]


def test_every_file_is_in_the_readme_with_its_origin_and_every_line_there_has_a_file() -> None:
    assert set(FORMS) == {path.name for path in FOLDER.glob("*.csv")} == set(readme_rows())


@pytest.mark.parametrize(
    "planted",
    ["code;libelle\n100;A\n100;B", "code;libelle\n1000;A", "code;libelle\nABC;A"],
    ids=["twice", "long", "letters"],
)
def test_a_code_that_is_wrong_or_comes_twice_is_found(planted: str) -> None:
    assert faults(rows(planted), FORMS["nsf.csv"])


def test_every_commune_has_its_zone_its_department_and_its_arrondissement() -> None:
    for insee, commune in tables.communes().items():
        assert commune.zone_emploi in known.ZONES_EMPLOI, insee
        assert commune.department == insee[:2]
        assert tables.arrondissements()[commune.arrondissement].department == commune.department
    by_department = Counter(commune.department for commune in tables.communes().values())
    assert by_department == {"14": 526, "27": 585, "50": 445, "61": 381, "76": 707}
    assert {commune.zone_emploi for commune in tables.communes().values()} == set(known.ZONES_EMPLOI)


@pytest.mark.parametrize(
    ("insee", "zone"),
    [("14118", "2804"), ("76540", "2815"), ("61001", "0051"), ("50502", "2816"), ("27229", "2808"), ("76312", "0054")],
)
def test_a_commune_lies_in_the_zone_that_insee_says(insee: str, zone: str) -> None:
    assert references().zones[insee] == zone


def test_every_branch_of_an_opco_has_a_label_and_belongs_to_one_opco() -> None:
    owned = [idcc for branches in known.IDCC_BY_OPCO.values() for idcc in branches]
    assert sorted(owned) == sorted(tables.branches())


def test_what_refers_to_another_list_is_in_it() -> None:
    assert {formacode.nsf for formacode in tables.formacodes().values()} <= set(tables.nsf())
    assert {one.rome for one in tables.derogations()} <= set(tables.rome())
    assert {(one.rome, one.cap_hours) for one in tables.derogations()} == {
        ("N4101", 434),
        ("N4103", 434),
        ("N4105", 434),
    }


def unprinted(labels: Iterable[str]) -> list[str]:
    return [text for text in labels if UNPRINTED.search(text)]


def test_every_label_is_printed_as_french_is() -> None:
    entries = [entry for name in ListName for entry in reference_list(name).entries.values()]
    assert unprinted(entry.label for entry in entries) == []
    assert unprinted([*FICHE.values(), *INTENTION.values(), *(reference_list(name).title for name in ListName)]) == []
    assert unprinted(["L'Aigle", "Bâtiment : finitions", ""]) == ["L'Aigle", "Bâtiment : finitions", ""]


# what codes and fields are called


def unnamed(enumerations: Iterable[type[StrEnum]], labels: Mapping[type[StrEnum], Mapping[str, str]]) -> list[str]:
    return [f"{one.__name__}.{member}" for one in enumerations for member in one if not labels.get(one, {}).get(member)]


def enumerations() -> list[type[StrEnum]]:
    return [
        one for one in vars(known).values() if isinstance(one, type) and issubclass(one, StrEnum) and one is not StrEnum
    ]


def test_every_member_of_every_closed_list_has_a_french_label_and_no_label_is_left_over() -> None:
    assert len(enumerations()) >= 13
    assert unnamed(enumerations(), LABELS) == []
    assert [
        code for one, words in LABELS.items() for code in words if code not in {member.value for member in one}
    ] == []
    assert label(known.SessionMotive.OF_DEFAILLANT) == "Organisme de formation défaillant"


def test_a_label_stands_in_a_sentence_with_a_small_letter_but_for_abbreviations() -> None:
    assert in_sentence(known.TargetContract.APPRENTISSAGE) == "contrat d’apprentissage"
    assert in_sentence(known.TargetContract.CDD_12_MOIS) == "CDD d’au moins 12 mois"


def test_a_member_without_a_label_is_found() -> None:
    planted = StrEnum("planted", {"NEW": "NEW"})
    assert unnamed([planted, known.FicheKind], {**LABELS, known.FicheKind: {"STRUCTURANTE": "Structurante"}}) == [
        "planted.NEW",
        "FicheKind.CONJONCTURELLE",
    ]


def paths(plan: Plan, path: str = "") -> Iterable[str]:
    """Yield the path of every field, group and list of a form, `*` for the elements of lists."""
    if path:
        yield path
    if isinstance(plan, Group):
        for name, member in plan.members.items():
            yield from paths(member, f"{path}.{name}" if path else name)
    elif isinstance(plan, Rows):
        yield from paths(plan.each, f"{path}.*")


def test_every_field_of_a_fiche_has_one_french_label_and_no_label_is_left_over() -> None:
    assert sorted(paths(form())) == sorted(FICHE)
    assert sorted(Intention.model_fields) == sorted(INTENTION)
    leaves = [path for path in FICHE if not any(other.startswith(f"{path}.") for other in FICHE)]
    said = Counter(FICHE[path] for path in leaves)
    assert [words for words, times in said.items() if times > 1] == []


def test_a_field_without_a_label_is_found() -> None:
    planted = Group({**form().members, "remark": form().members["title"]})
    assert set(paths(planted)) - set(FICHE) == {"remark"}


@pytest.mark.parametrize(
    ("path", "short", "whole"),
    [
        ("hours.company", "Heures en entreprise", "Heures en entreprise"),
        ("sessions.1.start", "Premier jour", "Session 2\u202f: Premier jour"),
        (
            "sessions.0.meetings.2.on",
            "Date de la réunion",
            "Session 1, réunion d’information 3\u202f: Date de la réunion",
        ),
        ("formacodes.0", "Formacode", "Formacode 1"),
        ("remark", None, None),
        ("sessions.x.start", None, None),
    ],
)
def test_a_field_is_called_by_its_label_and_told_in_which_element_it_lies(
    path: str, short: str | None, whole: str | None
) -> None:
    assert (field_label(path), full_label(path)) == (short, whole)


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("ESSFIMO", "akto"), ("PEPSS", "opco-ep"), ("2I", "opco-2i"), ("Opco Cohésion sociale", "uniformation"),
        ("Opcommerce", "lopcommerce"), ("OPCO Construction", "constructys"), ("  l'opcommerce ", "lopcommerce"),
        ("OPCO2i", "opco-2i"), ("opco  MOBILITES", "opco-mobilites"),
        ("OPCO des entreprises de proximité", None), ("entreprises de proximité", "opco-ep"), ("Opca", None), ("opco", None), ("", None),
        ("Commerce de gros", None),
    ],
)  # fmt: skip
def test_an_opco_is_known_by_each_of_its_names(text: str, slug: str | None) -> None:
    assert opco_named(text) == slug


def test_every_opco_is_known_by_its_slug_and_by_what_screens_call_it() -> None:
    for slug, name in known.OPCOS.items():
        assert opco_named(slug) == opco_named(name) == opco_named(f"OPCO {name.upper()}") == slug


# the doors


async def read(room: Room, path: str, kept: str = "", **query: str | int) -> httpx.Response:
    said = {"authorization": "akto", **({"if-none-match": kept} if kept else {})}
    return await room.client.get(f"/references{path}", params=query or None, headers=said)


async def codes(room: Room, name: str, **query: str | int) -> list[str]:
    answer = await read(room, f"/{name}", "", **query)
    assert answer.status_code == 200, answer.text
    return [entry["code"] for entry in answer.json()["entries"]]


async def test_the_index_names_every_list_with_its_origin_and_its_count(room: Room) -> None:
    lists: list[dict[str, Any]] = (await read(room, "")).json()["lists"]
    assert {one["list"] for one in lists} == {name.value for name in ListName}
    assert all(one["origin"] and one["title"] and one["count"] for one in lists)
    assert [one["list"] for one in lists if not one["closed"]] == ["formacodes"]


async def test_every_list_is_read_by_pages_that_follow_each_other(room: Room) -> None:
    for name in ListName:
        seen: list[str] = []
        url: str | None = f"/{name.value}?limit=1000"
        while url:
            answer = await read(room, url)
            seen += [entry["code"] for entry in answer.json()["entries"]]
            url = answer.links["next"]["url"].removeprefix("/references") if "next" in answer.links else None
        assert seen == sorted(reference_list(name).entries), name


@pytest.mark.parametrize(
    ("name", "query", "first"),
    [
        ("communes", {"q": "evreux"}, "27229"),
        ("communes", {"q": "14000"}, "14118"),
        ("communes", {"q": "Saint Lô"}, "50502"),
        ("communes", {"q": "havre"}, "76351"),
        ("rome", {"q": "chaudronnerie"}, "H2902"),
        ("rome", {"q": "N1101"}, "N1101"),
        ("opcos", {"q": "essfimo"}, "akto"),
        ("branches", {"opco": "akto"}, "0573"),
        ("arrondissements", {"department": "76"}, "761"),
        ("nsf", {"q": "magasinage"}, "311"),
        ("derogations", {"q": "voyageurs"}, None),
        ("communes", {"q": "caen", "department": "76"}, None),
        ("zones", {"q": "'"}, "0051"),
    ],
)
async def test_what_is_looked_for_comes_first_whatever_its_accents(
    room: Room, name: str, query: dict[str, str | int], first: str | None
) -> None:
    found = await codes(room, name, **query)
    assert next(iter(found), None) == first


async def test_an_answer_may_be_kept_and_is_not_sent_again_while_it_holds(room: Room) -> None:
    answer = await read(room, "/zones")
    assert answer.headers["cache-control"] == "private, max-age=3600"
    again = await read(room, "/zones", answer.headers["etag"])
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])
    assert (await read(room, "/rome", answer.headers["etag"])).status_code == 200


async def test_lists_are_for_those_who_are_signed_in_and_exist(room: Room) -> None:
    assert (await room.client.get("/references/zones")).status_code == 401
    assert (await read(room, "/nowhere")).status_code == 422
    assert (await read(room, "/communes", limit=1001)).status_code == 422
    assert (await read(room, "/branches", opco="opco-1")).status_code == 422


@pytest.mark.parametrize("name", ["opco-2i", "2I", "OPCO 2i", "Interindustriel"])
async def test_a_list_is_of_an_opco_by_any_of_its_names(room: Room, name: str) -> None:
    answer = await read(room, "/branches", opco=name)
    assert {one["code"] for one in answer.json()["entries"]} == known.IDCC_BY_OPCO["opco-2i"]
