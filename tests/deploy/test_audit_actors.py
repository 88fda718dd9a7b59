"""I14: who did what, replayed: each reason why somebody may not have done it, once; and the audit's table beside the product's."""

import datetime as dt

import pytest

from deploy.audit.deeds import DEEDS, may_hold, of_topic
from deploy.audit.i14_actor_allowed import Done, Replay, Standing
from deploy.audit.shape import OPERATIONS as COMMANDS
from shared.contracts.references import CARIF_OREF, DREETS, FRANCE_TRAVAIL, OPCOS, OPERATIONS, REGION
from shared.identity import principal_of_topic
from shared.policy import POLICY, ROLES, fits
from tests.support.operations import OWN

MORNING = dt.datetime(2026, 11, 25, 9, tzinfo=dt.UTC)
FICHE = "0a4b"


def at(hours: float) -> dt.datetime:
    return MORNING + dt.timedelta(hours=hours)


def standing(name: str, organisation: str, *roles: str, since: float = 0) -> Standing:
    return Standing(name, at(since), organisation, frozenset(roles))


KNOWN = [
    standing("root", OPERATIONS, "administrator", since=-1),
    standing("akto-1", "akto", "opco"),
    standing("afdas-1", "afdas", "opco"),
    standing("region-1", REGION, "region_reviewer"),
    standing("pe-1", FRANCE_TRAVAIL, "pole_emploi_reviewer"),
    standing("ops-1", OPERATIONS, "operations"),
    # moved from one job to another at noon, and left at three
    standing("pe-2", FRANCE_TRAVAIL, "entries"),
    standing("pe-2", FRANCE_TRAVAIL, "pole_emploi_reviewer", since=3),
    standing("pe-2", FRANCE_TRAVAIL, since=6),
]


def replayed(
    *deeds: Done, known: list[Standing] | None = None, service: str = "submission", moved: bool = False
) -> list[str]:
    replay = Replay(service, KNOWN if known is None else known, {FICHE: "akto"}, moved)
    for deed in deeds:
        replay.take(deed)
    assert replay.entries == len(deeds)
    return replay.wrong


def done(actor: str, action: str, hours: float = 1, n: int = 1, aggregate: str = FICHE) -> Done:
    return Done(aggregate, n, at(hours), actor, action)


ALLOWED = [
    done("akto-1", "submit_fiche"),
    done("topic:akto", "amend_fiche"),
    done("submission:worker", "avis_given"),
    done("region-1", "give_avis"),
    done("pe-1", "validate_fiche"),
    done("topic:france-travail", "record_ais"),
    done("ops-1", "replay_dead_letter", aggregate="dead_letter/1"),
    done("root", "register_principal", aggregate="principal/akto-1"),
    done("migration", "register_principal", aggregate="principal/root"),
    done("pe-2", "record_ais", 2.9),
    done("pe-2", "validate_fiche", 5.9),
]
REFUSED = {
    "was not known": done("somebody", "submit_fiche"),
    "held no role": done("region-1", "submit_fiche"),
    "of another organisation": done("afdas-1", "submit_fiche"),
    "is of another": done("topic:afdas", "amend_fiche"),
    "held no role for it then": done("topic:nobody", "submit_fiche"),
    "no deed of a service": done("submission:worker", "submit_fiche"),
    "a service's process": done("submission:relay", "avis_given"),
    "no deed of anybody but": done("akto-1", "avis_given"),
    "but the service's worker": done("validation:worker", "avis_given"),
    "no deed of a migration": done("migration", "submit_fiche"),
    "of a migration": done("migration", "register_principal", aggregate="principal/akto-1"),
    "changed his own row": done("root", "change_principal", aggregate="principal/root"),
}


@pytest.mark.parametrize("deed", ALLOWED, ids=lambda deed: f"{deed.actor}-{deed.action}")
def test_what_is_allowed_is_no_violation(deed: Done) -> None:
    assert replayed(deed) == []


@pytest.mark.parametrize("why", REFUSED)
def test_what_is_not_allowed_is_found_with_its_reason(why: str) -> None:
    (sentence,) = replayed(REFUSED[why])
    assert why in sentence


def test_nobody_decides_on_what_he_gave_an_avis_on() -> None:
    both = [
        standing("both", REGION, "region_reviewer"),
        standing("both", FRANCE_TRAVAIL, "pole_emploi_reviewer", since=2),
    ]
    (sentence,) = replayed(done("both", "give_avis"), done("both", "validate_fiche", 3, 2), known=both)
    assert "gave an avis on it" in sentence
    assert replayed(done("both", "give_avis"), done("both", "validate_fiche", 3, 1, "other"), known=both) == []


@pytest.mark.parametrize(("action", "hours"), [("validate_fiche", 2.9), ("record_ais", 3.5), ("validate_fiche", 6.5)])
def test_a_role_counts_only_while_it_is_held(action: str, hours: float) -> None:
    (sentence,) = replayed(done("pe-2", action, hours))
    assert "held no role for it then" in sentence


def test_a_transaction_that_was_under_way_when_a_role_was_taken_away_is_no_violation() -> None:
    assert replayed(done("pe-2", "record_ais", 3.2)) == []


def test_where_the_clock_was_moved_back_times_do_not_say_who_was_known() -> None:
    early = done("akto-1", "submit_fiche", -9000)
    assert replayed(early, moved=True) == []
    assert replayed(done("nobody", "submit_fiche", -9000), moved=True) != []
    assert replayed(done("region-1", "submit_fiche", -9000), moved=True) != []


def test_entries_older_than_the_table_of_principals_are_not_asked_after() -> None:
    assert replayed(done("akto", "submit_fiche", -2)) == []
    assert replayed(done("akto", "submit_fiche", -0.5)) != []


def test_somebody_who_was_given_what_his_organisation_may_not_hold_is_named() -> None:
    (sentence,) = replayed(known=[standing("two-sided", REGION, "region_reviewer", "pole_emploi_reviewer")])
    assert "two-sided was made pole_emploi_reviewer" in sentence


@pytest.mark.parametrize("name", ["submission:worker", "analytics:api", "topic:akto", "migration"])
def test_somebody_who_bears_the_name_of_a_process_is_named(name: str) -> None:
    (sentence,) = replayed(known=[standing(name, "akto", "opco")])
    assert f"{name} bears the name of a process" in sentence


# Beside the product's own table

NOT_HIMSELF = ("manage_principals", "erase_person")
SPOKEN = {
    "manage_principals": ("register_principal", "change_principal", "disable_principal"),
    "manage_yearbook": ("open_campaign", "move_campaign", "extend_campaign", "record_conference", "correct_conference", "adopt_programme"),
    "import_fiches": ("submit_fiche",),
    "declare_projects": ("declare_projects", "deliver_estimates"),
    "manage_partners": ("record_partner", "retire_partner"),
    "keep_templates": ("save_template", "delete_template"),
}
MORE = {"own": "own", "any": "", "not_author": "not author"}
WRITES = [name for name in POLICY if name.split("_")[0] not in ("read", "check", "recount", "hear", "export")]


def test_both_tables_say_the_same_of_whatever_writes_to_a_trail() -> None:
    expected = {}
    for operation in WRITES:
        for action in SPOKEN.get(operation, (operation,)):
            relations = set(POLICY[operation].values())
            more = "not himself" if operation in NOT_HIMSELF else MORE[relations.pop()]
            assert not relations or operation in NOT_HIMSELF
            expected[action] = (set(POLICY[operation]), more)
    assert {action: (set(deed.roles), deed.more) for action, deed in DEEDS.items()} == expected


def carried_out() -> dict[str, str]:
    """Return every command that a service's own routes carry out, with that service."""
    asked = {(operation, service) for service, routes in OWN.items() for operation in routes.values()}
    found = {action: service for name, service in asked if name in WRITES for action in SPOKEN.get(name, (name,))}
    return {**found, "import_fiches": "submission"}


def test_the_audit_knows_of_every_command_which_service_carries_it_out() -> None:
    assert carried_out() == COMMANDS


def test_a_command_that_the_audit_does_not_know_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(POLICY, "split_fiche", POLICY["amend_fiche"])
    monkeypatch.setattr(f"{__name__}.WRITES", [*WRITES, "split_fiche"])
    monkeypatch.setitem(OWN, "submission", {**OWN["submission"], "POST /fiches/{fiche_id}/split": "split_fiche"})
    assert carried_out().keys() - COMMANDS.keys() == {"split_fiche"}


ORGANISATIONS = [
    *OPCOS,
    REGION,
    FRANCE_TRAVAIL,
    CARIF_OREF,
    DREETS,
    OPERATIONS,
    "agence-rouen",
    "73282932000074",
    "nobody",
]


def test_both_tables_let_the_same_organisations_hold_the_same_roles() -> None:
    for role in (*ROLES, "worker", "none"):
        for organisation in ORGANISATIONS:
            assert may_hold(organisation, role) == fits(role, organisation), (role, organisation)


def test_a_topic_has_the_role_that_the_product_gives_it() -> None:
    for organisation in (*OPCOS, FRANCE_TRAVAIL):
        assert of_topic(organisation) == principal_of_topic(f"poec.ingress.{organisation}").roles
    assert of_topic(REGION) == frozenset()
