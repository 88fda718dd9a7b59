"""Every code that the rules know: a case for it, what it says to the OPCO, its line in the README."""

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.submission.domain import sessions
from services.submission.domain.admissibility import ADVICE, RULES, WARNINGS
from services.submission.domain.case import Case, Rule
from services.submission.domain.desk import Desk
from services.submission.domain.fiche import Fiche
from shared.contracts.references import SessionMotive
from tests.services.submission.filings import (
    NATIONAL,
    PARTNER,
    REGIONAL,
    SPRING,
    at_desk,
    case,
    engaged,
    filed,
    lasting,
    says,
    session,
    two_sessions,
)
from tests.services.submission.readme import shows

WRONG: dict[str, Callable[[], Case]] = {
    "HOURS_TOTAL": lambda: case(hours={"distance": 400}),
    "HOURS_CAP": lambda: lasting(401),
    "DEROGATION_NATIONAL": lambda: lasting(434, derogation=NATIONAL),
    "DEROGATION_DATE": lambda: lasting(420, derogation={**REGIONAL, "decided_on": "2018-03-02"}),
    "DEROGATION_ZONES": lambda: lasting(420, derogation={**REGIONAL, "zones": []}),
    "DEROGATION_UNBOUNDED": lambda: lasting(420, derogation={**REGIONAL, "valid_until": None}),
    "IMMERSION_THIRD": lambda: case(hours={"company": 140}),
    "SESSION_NUMBERS": lambda: case(sessions=[session(), session()]),
    "SESSION_DATES": lambda: case(sessions=[session(end="2018-04-01")]),
    "MEETING_DATE": lambda: case(sessions=[session(meetings=_meeting("2018-05-02"))]),
    "PROGRAMME_YEAR": lambda: case(programme_year=2020),
    "DEROGATION_PERIOD": lambda: lasting(420, derogation={**REGIONAL, "valid_until": "2018-04-29"}),
    "CAMPAIGN_CLOSED": lambda: at_desk(Desk((SPRING,)), case()),
    "TENDER_DATES": lambda: case(tender={"published_on": "2018-02-01", "awarded_on": "2018-01-31"}),
    "SEATS_MINIMUM": lambda: case(sessions=[session(minimum=13)]),
    "SESSION_ENGAGED": lambda: case(before=engaged(), sessions=[session(number=2)]),
    "SESSION_CANCELLED": lambda: case(before=_one_cancelled(), sessions=[session(), session(number=2)]),
    "SESSION_LEFT": lambda: case(before=_one_cancelled(), sessions=[session(number=2)]),
    "PLACE_DEPARTMENT": lambda: case(place={"insee": "35238"}),
    "PLACE_COMMUNE": lambda: case(place={"insee": "50999"}),
    "PLACE_ZONE": lambda: case(place={"zone_emploi": "5315"}),
    "BRANCH_OPCO": lambda: case("akto"),
    "NEED_DATE": lambda: case(need={"decided_on": "2018-03-02"}),
    "PROVIDER_SIRET": lambda: case(provider={"siret": "1"}),
    "TRAINER_SIRET": lambda: case(trainer={"siret": "1", "name": "Coopérative des Enduits"}),
    "PROVIDER_NDA": lambda: case(provider={"nda": "1"}),
    "PROVIDER_QUALIOPI": lambda: case(provider={"qualiopi": False}),
    "CFA_AUDIENCE": lambda: case(provider={"cfa": True}),
    "PARTNER_UNKNOWN": lambda: case(sourcing={"partner_ids": [str(PARTNER)]}),
    "ROME_UNKNOWN": lambda: case(rome="H3499"),
    "NSF_UNKNOWN": lambda: case(nsf=["999"]),
    "AUDIENCE_UNKNOWN": lambda: case(audiences=["80001"]),
    "CODE_TWICE": lambda: case(audiences=["80006", "80006"]),
    "MONEY_PARTS": lambda: case(money={"company": 1}),
    "FOLLOW_UP_DATE": lambda: case(follow_up={"kind": "ALTERNANCE"}),
    "HOURS_PARTS": case,
    "SESSION_ALREADY_STARTED": lambda: case(on=dt.date(2018, 5, 2)),
    "LEAD_TIME_SHORT": lambda: case(on=dt.date(2018, 4, 2)),
    "LEAD_TIME_CRITICAL": lambda: case(on=dt.date(2018, 4, 20)),
    "FOLLOW_UP_GAP": lambda: case(follow_up={"kind": "ALTERNANCE", "contract_starts_on": "2018-10-01"}),
    "PROVIDER_NDA_STRUCTURE": lambda: case(provider={"nda": "A8500123401"}),
    "QUALIOPI_ENDS": lambda: case(provider={"qualiopi_until": "2018-08-02"}),
    "PROVIDER_OUTSIDE": lambda: case(provider={"address": {"postal_code": "35000"}}),
    "PLACE_ZONE_COMMUNE": lambda: case(place={"zone_emploi": "2805"}),
    "PLACE_POSTAL_CODE": lambda: case(place={"address": {"postal_code": "50502"}}),
    "POEI_LIKELY": lambda: case(companies=1),
    "HIRES_LOW": lambda: case(hires_announced=5),
    "COST_BAND": lambda: case(money={"teaching_cost": 1}),
    "PEAK_MONTH": case,
    "PERSON_NAME_SUSPECTED": lambda: case(sourcing={"plan": "Voir avec Mme Exemple au siège."}),
    "CONTACT_PERSONAL": lambda: case(contact="aline.essai@akto.example"),
}
"""One case for every code that the rules and the warnings know."""


def _meeting(on: str) -> list[dict[str, Any]]:
    return [{"on": on, "starts_at": "09:00", "place": "Saint-Lô", "audience": "Tous", "seats": 20}]


def _one_cancelled() -> Fiche:
    return sessions.cancel_session(filed(two_sessions()), 2, SessionMotive.BESOIN_DISPARU).fiche


def test_every_rule_has_its_case_and_its_own_code() -> None:
    assert len(WRONG) == len(RULES) + len(WARNINGS) + len(ADVICE)


@pytest.mark.parametrize("code", WRONG)
def test_an_objection_names_a_field_of_the_fiche_and_says_in_french_what_to_do(code: str) -> None:
    examined = WRONG[code]()
    said = [
        objection for rule in (*RULES, *WARNINGS, *ADVICE) if (objection := rule(examined)) and objection.code == code
    ]
    assert len(said) == 1
    (objection,) = said
    assert objection.field is not None
    assert objection.source
    assert objection.field.split(".")[0] in {*type(examined.content).model_fields, "outside_campaign"}
    assert objection.message.endswith((".", "?"))
    assert not re.search(r"(?<!\u202f)[;:!?]", objection.message)
    assert "'" not in objection.message


def test_the_readme_lists_the_rules_in_their_order_with_their_codes() -> None:
    assert shows("rules", rule_table())


def rule_table() -> str:
    """Return the rules as a table in Markdown: its code, refusal or warning, what is looked for, where it comes from, its file."""
    head = ["| code | it | rule | source | in |", "|---|---|---|---|---|"]
    kinds = ((RULES, "refuses"), (WARNINGS, "warns"), (ADVICE, "advises"))
    return "\n".join(head + [_rule_row(rule, kind) for rules, kind in kinds for rule in rules])


def _rule_row(rule: Rule, kind: str) -> str:
    (code,) = [code for code, wrong in WRONG.items() if says(rule, wrong()) == code]
    what = (rule.__doc__ or "").partition("\n")[0].removeprefix("Warning: ").removeprefix("Advice: ")
    objection = rule(WRONG[code]())
    assert objection is not None
    return f"| `{code}` | {kind} | {what[0].upper()}{what[1:]} | {objection.source} | `{_module(rule)}.py` |"


def _module(rule: Rule) -> str:
    return rule.__module__.rpartition(".")[2]


@pytest.mark.parametrize("rule", [*RULES, *WARNINGS, *ADVICE], ids=lambda rule: rule.__name__)
def test_a_rule_is_tested_where_the_readme_leads(rule: Rule) -> None:
    beside = Path(__file__).parent
    tests = {"calendar": ("test_calendar", "test_campaign_deadline")}.get(_module(rule), (f"test_{_module(rule)}",))
    assert any(rule.__name__ in (beside / f"{name}.py").read_text("utf-8") for name in tests), _module(rule)
