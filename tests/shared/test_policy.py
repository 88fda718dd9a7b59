"""The policy table: denied unless a row allows it, and another organisation's object is answered like an unknown one."""

import pytest

from shared.contracts.references import FRANCE_TRAVAIL, OPCOS
from shared.errors import Forbidden, NotFound, Refused
from shared.identity import Principal, principal_of_topic, service_principal
from shared.policy import POLICY, authorize, fits, tenant_of
from shared.policy import ROLES as POLICY_ROLES


def principal(role: str | None, organisation: str = "akto") -> Principal:
    return Principal("somebody", organisation, "person", frozenset({role} if role else ()))


ROLES = sorted({role for row in POLICY.values() for role in row})


@pytest.mark.parametrize("operation", POLICY)
def test_nobody_may_do_anything_without_a_role(operation: str) -> None:
    for role in (None, "admin", "root", "*", "OPCO", "opco "):
        with pytest.raises(Forbidden):
            authorize(principal(role), operation)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("operation", POLICY)
def test_a_role_may_do_what_its_row_says_and_nothing_else(operation: str, role: str) -> None:
    relation = POLICY[operation].get(role)
    own = principal(role, "akto")
    if relation is None:
        with pytest.raises(Forbidden):
            authorize(own, operation, "akto")
        return
    authorize(own, operation, "akto")
    if relation == "own":
        with pytest.raises(NotFound):
            authorize(own, operation, "afdas")
        return
    authorize(own, operation, "afdas")
    if relation == "not_author":
        authorize(own, operation, "afdas", ("somebody-else",))
        with pytest.raises(Forbidden, match="DECIDES_ON_OWN_AVIS"):
            authorize(own, operation, "afdas", ("somebody-else", own.id))


def test_nobody_can_hold_both_sides_of_a_fiche() -> None:
    """Who files, who gives the avis and who decides are of different organisations, and a principal has one (minutes L506-508)."""
    sides = ({"submit_fiche"}, {"give_avis", "propose_adaptation"}, {"validate_fiche", "refuse_fiche"})
    organisations = {*OPCOS, FRANCE_TRAVAIL, "region", "carif-oref", "dreets", "operations", "99912345800013", "agence-caen"}
    for organisation in organisations:
        roles = {role for role in POLICY_ROLES if fits(role, organisation)}
        held = [side for side in sides if any(POLICY[operation].keys() & roles for operation in side)]
        assert len(held) <= 1, organisation


def test_every_role_of_the_table_can_be_given_but_the_services_own() -> None:
    assert {role for row in POLICY.values() for role in row} - set(POLICY_ROLES) == {"worker"}
    assert not any(fits(role, "x") for role in ("worker", "root", ""))


@pytest.mark.parametrize("role", ROLES)
def test_an_operation_that_is_not_in_the_table_is_forbidden_to_all(role: str) -> None:
    for operation in ("open_sesame", "", "SUBMIT_FICHE", "submit_fiche "):
        with pytest.raises(Forbidden):
            authorize(principal(role), operation)


def test_another_organisations_object_is_answered_like_an_unknown_one() -> None:
    answers: list[Refused] = []
    for owner in ("afdas", "no-such-organisation"):
        with pytest.raises(Refused) as refused:
            authorize(principal("opco"), "read_fiche", owner)
        answers.append(refused.value)
    assert answers[0].status == answers[1].status == 404
    assert answers[0].objections == answers[1].objections


def test_a_role_too_few_is_said_before_the_object_is_looked_for() -> None:
    with pytest.raises(Forbidden):
        authorize(principal("dreets"), "submit_fiche", "no-such-organisation")


def test_several_roles_add_up() -> None:
    both = Principal("somebody", "akto", "person", frozenset({"opco", "operations"}))
    authorize(both, "read_fiche", "afdas")
    authorize(both, "submit_fiche", "akto")
    with pytest.raises(NotFound):
        authorize(both, "submit_fiche", "afdas")


def test_neither_reviewer_does_the_others_part() -> None:
    """The Région says whether it is complementary, Pôle emploi decides (minutes L168-175)."""
    region, pole_emploi = principal("region_reviewer", "region"), principal("pole_emploi_reviewer", FRANCE_TRAVAIL)
    refused = {
        region: ("validate_fiche", "refuse_fiche"),
        pole_emploi: ("give_avis", "correct_avis", "propose_adaptation"),
    }
    for who, operations in refused.items():
        for operation in operations:
            with pytest.raises(Forbidden):
                authorize(who, operation, "akto")


def test_operations_see_and_mend_but_decide_nothing() -> None:
    operations = principal("operations", "operations")
    allowed = {operation for operation in POLICY if _may(operations, operation)}
    assert {"replay_dead_letter", "discard_dead_letter", "read_dead_letters"} <= allowed
    assert not {"submit_fiche", "give_avis", "validate_fiche", "record_ais", "hear_event"} & allowed


def _may(who: Principal, operation: str) -> bool:
    try:
        authorize(who, operation, "akto")
    except Refused:
        return False
    return True


def test_only_a_worker_hears() -> None:
    authorize(service_principal("validation", "worker"), "hear_event")
    for role in ROLES:
        if role != "worker":
            with pytest.raises(Forbidden):
                authorize(principal(role), "hear_event")


@pytest.mark.parametrize("organisation", [*OPCOS, FRANCE_TRAVAIL])
def test_a_topic_speaks_for_its_organisation_alone(organisation: str) -> None:
    speaker = principal_of_topic(f"poec.ingress.{organisation}")
    assert (speaker.organisation, speaker.kind) == (organisation, "machine")
    assert speaker.roles == ({"entries"} if organisation == FRANCE_TRAVAIL else {"opco"})


@pytest.mark.parametrize(
    "topic", ["poec.ingress.region", "poec.ingress.", "poec.ingress.akto.x", "akto", "poec.submission.fiches", ""]
)
def test_no_other_topic_speaks_for_anybody(topic: str) -> None:
    with pytest.raises(ValueError, match="ingress"):
        principal_of_topic(topic)


def test_an_opco_sees_its_own_rows_and_everybody_else_all() -> None:
    assert tenant_of(principal("opco", "akto")) == "akto"
    assert tenant_of(principal("region_reviewer", "region")) == "*"
    assert tenant_of(service_principal("validation", "worker")) == "*"


@pytest.mark.parametrize("identifier", ["", "A", "a b", "a'b", "a;b", "a\nb", "-a", "é", "a" * 101, "*", "akto\n"])
def test_what_is_no_slug_is_no_principal(identifier: str) -> None:
    for fields in ((identifier, "akto"), ("somebody", identifier)):
        with pytest.raises(ValueError, match="slugs"):
            Principal(*fields, "person")
