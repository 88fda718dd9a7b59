"""OPCO, provider, place and partners: each rule at its boundary."""

from dataclasses import replace

import pytest

from services.submission.domain import parties
from services.submission.domain.desk import Desk
from shared.contracts.references import IDCC_BY_OPCO
from tests.services.submission.filings import (
    PARTNER,
    at_desk,
    case,
    filed,
    says,
)


@pytest.mark.parametrize(
    ("insee", "department", "commune"),
    [
        ("50502", None, None),
        ("14118", None, None),
        ("27229", None, None),
        ("61001", None, None),
        ("76540", None, None),
        ("50999", None, "PLACE_COMMUNE"),
        ("35238", "PLACE_DEPARTMENT", None),
        ("2A004", "PLACE_DEPARTMENT", None),
    ],
)
def test_the_place_is_a_commune_of_normandie(insee: str, department: str | None, commune: str | None) -> None:
    assert says(parties.place_is_in_normandie, case(place={"insee": insee})) == department
    assert says(parties.commune_is_known, case(place={"insee": insee})) == commune


@pytest.mark.parametrize(
    ("day", "code"), [("2017-12-14", None), ("2018-03-01", None), ("2018-03-02", "NEED_DATE"), ("9999-12-31", "NEED_DATE")]
)
def test_the_need_was_identified_by_the_day_of_filing(day: str, code: str | None) -> None:
    assert says(parties.need_is_identified, case(need={"decided_on": day})) == code


@pytest.mark.parametrize(
    ("insee", "zone", "code"),
    [
        ("50502", "2816", None),
        ("50502", "2805", "PLACE_ZONE_COMMUNE"),
        ("50129", "2805", None),
        ("50129", "2816", "PLACE_ZONE_COMMUNE"),
        ("50502", "5315", None),  # PLACE_ZONE says more
        ("50999", "2816", None),  # PLACE_COMMUNE says more
    ],
)
def test_a_commune_in_another_zone_is_a_warning(insee: str, zone: str, code: str | None) -> None:
    examined = case(place={"insee": insee, "zone_emploi": zone})
    assert says(parties.zone_is_that_of_the_commune, examined) == code


@pytest.mark.parametrize(
    ("insee", "postal_code", "code"),
    [("14118", "14000", None), ("14118", "14118", "PLACE_POSTAL_CODE"), ("14118", "14052", "PLACE_POSTAL_CODE"), ("14999", "1", None)],
)
def test_a_postal_code_of_another_commune_is_a_warning(insee: str, postal_code: str, code: str | None) -> None:
    examined = case(place={"insee": insee, "address": {"postal_code": postal_code.zfill(5)}})
    assert says(parties.postal_code_is_that_of_the_commune, examined) == code


@pytest.mark.parametrize(("zone", "code"), [("2816", None), ("0051", None), ("5315", "PLACE_ZONE")])
def test_the_employment_zone_touches_normandie(zone: str, code: str | None) -> None:
    assert says(parties.zone_is_known, case(place={"zone_emploi": zone})) == code


@pytest.mark.parametrize(
    ("siret", "code"),
    [
        ("73282932000074", None),
        ("35600000049837", None),  # La Poste: the sum of the digits is a multiple of 5
        ("35600000000048", None),  # La Poste's head office passes the usual check
        ("35600000000049", "PROVIDER_SIRET"),
        ("73282932000075", "PROVIDER_SIRET"),
        ("7328293200007", "PROVIDER_SIRET"),
        ("732 829 320 00074", "PROVIDER_SIRET"),
        ("٧٣٢٨٢٩٣٢٠٠٠٠٧٤", "PROVIDER_SIRET"),
        ("73282932100072", "PROVIDER_SIRET"),  # its own key holds, that of the SIREN in it does not
    ],
)
def test_the_siret_passes_its_check_digits(siret: str, code: str | None) -> None:
    assert says(parties.siret_is_valid, case(provider={"siret": siret})) == code


@pytest.mark.parametrize(
    ("nda", "form", "structure"),
    [
        ("28500123401", None, None),
        ("2576P001876", None, None),
        ("2850012340", "PROVIDER_NDA", None),
        ("285001234011", "PROVIDER_NDA", None),
        ("28 50012340", "PROVIDER_NDA", None),
        ("2850012340x", "PROVIDER_NDA", None),
        ("A8500123401", None, "PROVIDER_NDA_STRUCTURE"),
    ],
)
def test_the_nda_has_eleven_characters_and_usually_a_structure(
    nda: str, form: str | None, structure: str | None
) -> None:
    assert says(parties.nda_has_its_form, case(provider={"nda": nda})) == form
    assert says(parties.nda_has_the_usual_structure, case(provider={"nda": nda})) == structure


@pytest.mark.parametrize(
    ("opco", "idcc", "code"),
    [
        ("opco-2i", "3248", None),
        ("akto", "1979", None),
        ("akto", "3248", "BRANCH_OPCO"),
        ("akto", "9999", "BRANCH_OPCO"),
    ],
)
def test_the_branch_belongs_to_the_opco(opco: str, idcc: str, code: str | None) -> None:
    assert says(parties.branch_belongs_to_the_opco, case(opco, branch_idcc=idcc)) == code


def test_an_opco_is_named_as_one_says_it() -> None:
    of_others = parties.branch_belongs_to_the_opco(case("constructys", branch_idcc=next(iter(IDCC_BY_OPCO["atlas"]))))
    of_nobody = parties.branch_belongs_to_the_opco(case("opco-ep", branch_idcc="9998"))
    assert of_others is not None and of_nobody is not None
    assert "relève d’Atlas et non de Constructys\u202f:" in of_others.message
    assert "branches d’Opco EP\u202f:" in of_nobody.message
    lopcommerce = parties.branch_belongs_to_the_opco(case("lopcommerce", branch_idcc="9998"))
    assert lopcommerce is not None and "branches de L’Opcommerce\u202f:" in lopcommerce.message


@pytest.mark.parametrize(
    ("siret", "code"),
    [("73282932000074", None), ("99912345800013", "TRAINER_SIRET"), ("73282932000075", "TRAINER_SIRET")],
)
def test_who_trains_is_another_organisation_with_a_valid_siret(siret: str, code: str | None) -> None:
    assert says(parties.trainer_is_another_organisation, case()) is None
    assert says(parties.trainer_is_another_organisation, case(trainer={"siret": siret, "name": "Enduits"})) == code


@pytest.mark.parametrize(("until", "code"), [(None, None), ("2018-08-03", None), ("2018-08-02", "QUALIOPI_ENDS")])
def test_the_certificate_lasts_until_the_last_day(until: str | None, code: str | None) -> None:
    assert says(parties.certificate_lasts, case(provider={"qualiopi_until": until})) == code


@pytest.mark.parametrize(
    ("audiences", "code"),
    [(["80009"], None), (["81024", "80009"], None), (["80009", "80006"], "CFA_AUDIENCE"), (["83056"], "CFA_AUDIENCE")],
)
def test_an_apprenticeship_centre_trains_people_under_26(audiences: list[str], code: str | None) -> None:
    assert says(parties.cfa_is_for_the_young, case(audiences=audiences, provider={"cfa": True})) == code
    assert says(parties.cfa_is_for_the_young, case(audiences=audiences)) is None


def test_partners_are_in_the_directory_or_were_in_the_fiche_before() -> None:
    examined = case(sourcing={"partner_ids": [str(PARTNER)]})
    assert says(parties.partners_are_known, examined) == "PARTNER_UNKNOWN"
    assert says(parties.partners_are_known, at_desk(Desk(partners=frozenset({PARTNER})), examined)) is None
    before = replace(filed(), content=examined.content)
    assert says(parties.partners_are_known, replace(examined, before=before)) is None


def test_the_provider_is_qualiopi_certified() -> None:
    assert says(parties.provider_is_certified, case(provider={"qualiopi": False})) == "PROVIDER_QUALIOPI"


@pytest.mark.parametrize(("postal_code", "code"), [("76000", None), ("35000", "PROVIDER_OUTSIDE")])
def test_a_provider_from_elsewhere_is_a_warning(postal_code: str, code: str | None) -> None:
    examined = case(provider={"address": {"postal_code": postal_code}})
    assert says(parties.provider_is_of_the_region, examined) == code
