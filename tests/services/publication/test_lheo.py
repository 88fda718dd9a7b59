"""The catalogue in LHÉO 2.3: the mapping of a fiche, our own check of it, and the XSD where that file is present."""

import datetime as dt
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from services.publication import lheo, lheo_schema, lheo_words
from services.publication.domain.facts import FicheFacts
from services.publication.domain.lifecycle import SessionStatus
from services.publication.domain.session import CatalogueSession
from shared.contracts.fiche import FicheContent
from tests.services.publication import heard
from tests.services.publication.heard import FICHE, START, Catalogue
from tests.support.fiches import golden_content

XSD = Path(__file__).parents[4] / "shared" / "lheo" / "lheo-2.3.xsd"
L = {"l": "http://lheo.gouv.fr/2.3"}


def listed(content: FicheContent) -> tuple[FicheFacts, list[CatalogueSession]]:
    catalogue = Catalogue().hears(
        heard.submitted(content), heard.avis(), heard.validated(), heard.confirmed(1, content)
    )
    facts = catalogue.listing.fiches.get(FICHE)
    assert facts is not None
    sessions = [catalogue.listing.session_of(FICHE, plan.number) for plan in content.sessions]
    return facts, [session for session in sessions if session]


def document(content: FicheContent | None = None) -> bytes:
    return lheo.PROLOGUE + lheo.formation_xml(*listed(content or golden_content())) + lheo.EPILOGUE


def tree(content: FicheContent | None = None) -> Any:
    return etree.fromstring(document(content))


def texts(content: FicheContent | None, path: str) -> list[str]:
    return [str(text) for text in tree(content).xpath(path, namespaces=L)]


def test_the_golden_fiche_conforms() -> None:
    assert lheo_schema.objections(document()) == []


@cache
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(XSD))


@pytest.fixture
def xsd() -> etree.XMLSchema:
    if not XSD.exists():
        pytest.skip("the XSD of LHÉO 2.3 is not here")
    return schema()


def test_the_golden_fiche_is_valid_against_the_xsd(xsd: etree.XMLSchema) -> None:
    xsd.assertValid(tree())


def test_the_title_has_its_prefix_once() -> None:
    path = "//l:intitule-formation/text()"
    assert texts(golden_content(title="Soudeur"), path) == ["POEC - Soudeur"]
    assert texts(golden_content(title="POEC - Soudeur"), path) == ["POEC - Soudeur"]
    assert len(texts(golden_content(title="S" * 240), path)[0]) == 247


def test_dates_hours_codes_and_numbers_of_the_golden_fiche() -> None:
    assert texts(None, "//l:session/l:periode/*/text()") == ["20180430", "20180803"]
    assert texts(None, "//l:nombre-heures-total/text() | //l:nombre-heures-entreprise/text()") == ["70", "399"]
    assert texts(None, "//l:code-FORMACODE[@tag='principal']/text()") == ["22472"]
    assert texts(None, "//l:code-ROME/text()") == ["H3404"]
    assert texts(None, "//l:code-financeur/text()") == ["16"]
    assert texts(None, "//l:extra[@info='programme-financeur']/text()") == ["POEC"]
    assert texts(None, "//l:extra[@info='reference-validation']/text()") == ["PE-28-2018-REV1"]
    assert texts(None, "//l:extra[@info='numero-fiche']/text()") == ["2I-2018-042"]
    assert texts(None, "//l:certifiante/text() | //l:code-RNCP/text()") == ["1", "RNCP6036"]
    assert (
        texts(None, "//l:recrutement/l:periode/l:debut/text() | //l:date-information/l:date/text()") == ["20180404"] * 2
    )
    assert texts(None, "//l:session/@numero") == [f"S-{heard.FIRST}"]


def test_a_fiche_with_two_sessions_is_one_formation() -> None:
    content = heard.content(START, START + dt.timedelta(90))
    assert len(texts(content, "//l:formation/@numero")) == 1
    assert len(texts(content, "//l:session/@numero")) == 2
    assert texts(content, "//l:nb-places-financees/text()") == ["24"]


@pytest.mark.parametrize(("status", "code"), [("published", "1"), ("full", "2"), ("suspended", "3")])
def test_the_status_is_the_state_of_recruitment(status: str, code: str) -> None:
    facts, (session,) = listed(golden_content())
    changed = replace(session, status=SessionStatus(status))
    xml = lheo.formation(facts, [changed])
    assert xml.xpath("//etat-recrutement/text()") == [code]


def test_the_budget_is_never_written() -> None:
    money = {"teaching_cost": 7654321, "opco": 3654321, "state": 1111111, "france_travail": 2222222, "company": 666667}
    text = document(golden_content(money=money)).decode()
    assert "prix" not in text
    for cents in money.values():
        assert str(cents) not in text and f"{cents / 100:.2f}" not in text and str(cents // 100) not in text


def test_france_travail_is_a_funder_only_if_the_fiche_says_so() -> None:
    assert texts(golden_content(money={"france_travail": 100}), "//l:code-financeur/text()") == ["16", "4"]


def test_what_xml_cannot_carry_becomes_a_space() -> None:
    odd = golden_content(objective="a\x0bb\ufffec", contents="<&>\"' ]]>")
    assert lheo_schema.objections(document(odd)) == []
    assert texts(odd, "//l:objectif-formation/text()") == ["a b c"]
    assert texts(odd, "//l:contenu-formation/text()") == ["<&>\"' ]]>"]


def test_defaults_where_the_fiche_has_nothing() -> None:
    plain = golden_content(prerequisites="", certification=None, hours={"company": 0}, nsf=[])
    assert texts(plain, "//l:conditions-specifiques/text()") == ["aucune"]
    assert texts(plain, "//l:certifiante/text()") == ["0"] and not texts(plain, "//l:certification")
    assert texts(plain, "//l:modalites-alternance/text()") == ["aucune période en entreprise"]
    assert lheo_schema.objections(document(plain)) == []


def test_part_time_and_distance_have_their_words_and_codes() -> None:
    mixed = golden_content(hours={"weekly": 24, "distance": 40})
    assert texts(mixed, "//l:rythme-formation/text()") == ["Temps partiel, 24\u202fh par semaine"]
    assert texts(mixed, "//l:modalites-enseignement/text()") == ["1"]
    assert texts(golden_content(hours={"distance": 399}), "//l:modalites-enseignement/text()") == ["2"]


def test_enrolment_opens_with_the_validation_and_closes_three_days_before_the_start() -> None:
    assert texts(None, "//l:periode-inscription//l:debut/text() | //l:periode-inscription//l:fin/text()") == [
        "20180220",
        "20180427",
    ]
    late = heard.content(dt.date(2018, 2, 22))
    assert texts(late, "//l:periode-inscription") == []
    assert lheo_words.date8(dt.date(2018, 4, 5)) == "20180405"


PLANTED = {
    "an unknown funder": (b"<code-financeur>16<", b"<code-financeur>99<"),
    "an ISO date": (b"<debut>20180430<", b"<debut>2018-04-30<"),
    "certifiante missing": (b"<certifiante>1</certifiante>", b""),
    "a Formacode of four digits": (b">22472<", b">2247<"),
    "an NDA of ten characters": (b"<numero-activite>28500123401<", b"<numero-activite>2850012340<"),
    "an unknown element": (b"<certifiante>1</certifiante>", b"<certifiante>1</certifiante><certifie/>"),
    "two elements that changed places": (
        b"<parcours-de-formation>1</parcours-de-formation><code-niveau-entree>1</code-niveau-entree>",
        b"<code-niveau-entree>1</code-niveau-entree><parcours-de-formation>1</parcours-de-formation>",
    ),
}
ONLY_OURS = {
    "a date that is none": (b"<debut>20180430<", b"<debut>20221332<"),
    "an end before its start": (b"<fin>20180803<", b"<fin>20180103<"),
}


@pytest.mark.parametrize("planted", [*PLANTED, *ONLY_OURS])
def test_our_own_check_sees_a_planted_violation(planted: str) -> None:
    right, wrong = {**PLANTED, **ONLY_OURS}[planted]
    good = document()
    assert right in good
    assert lheo_schema.objections(good.replace(right, wrong, 1)) != []


@pytest.mark.parametrize("planted", PLANTED)
def test_the_xsd_sees_the_same(planted: str, xsd: etree.XMLSchema) -> None:
    right, wrong = PLANTED[planted]
    assert not xsd.validate(etree.fromstring(document().replace(right, wrong, 1)))


def test_what_is_not_lheo_at_all_is_said_so() -> None:
    assert lheo_schema.objections(b"<lheo/>") and lheo_schema.objections(b"<lheo") and lheo_schema.objections(b"")


@pytest.mark.parametrize(
    ("text", "real"),
    [
        ("20180430", True),
        ("20180400", True),
        ("00000000", True),
        ("99999999", True),
        ("20180431", False),
        ("2018043", False),
    ],
)
def test_a_date_is_a_real_one_a_month_or_unknown(text: str, real: bool) -> None:
    assert lheo_schema.real_date(text) is real


WORDS = st.text(min_size=1, max_size=60).filter(lambda text: bool(text.strip()) and "\x00" not in text)


@settings(max_examples=60, deadline=None)
@given(
    title=WORDS.filter(lambda text: len(text.strip()) >= 3),
    objective=WORDS,
    prerequisites=st.text(max_size=40),
    place=WORDS,
    name=WORDS,
    seats=st.integers(1, 500),
    certification=st.sampled_from(
        [None, {"rncp": "1"}, {"rs": "9"}, {"rncp": "RNCP123456", "rs": "RS123456", "certifinfo": "1"}]
    ),
)
def test_whatever_a_fiche_may_contain_the_document_conforms(
    title: str,
    objective: str,
    prerequisites: str,
    place: str,
    name: str,
    seats: int,
    certification: dict[str, str] | None,
) -> None:
    meeting = {"on": "2018-04-04", "starts_at": "09:30", "place": place, "audience": name, "seats": 30}
    plan = {
        "number": 1,
        "start": "2018-04-30",
        "end": "2018-08-03",
        "seats": seats,
        "minimum": 1,
        "meetings": [meeting],
    }
    content = golden_content(
        title=title,
        objective=objective,
        prerequisites=prerequisites,
        provider={"name": name},
        sessions=[plan],
        certification=certification,
    )
    whole = document(content)
    assert lheo_schema.objections(whole) == []
    if XSD.exists():
        schema().assertValid(etree.fromstring(whole))
