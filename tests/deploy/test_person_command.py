"""`poec person` on the running product: one account in two services is exported, and erased in both, also from the middle on."""

import json
from collections.abc import Mapping

import httpx
from typer.testing import CliRunner, Result

from deploy.audit.run import audit, sources_of
from deploy.cli.person import person
from deploy.local.client import bearer
from deploy.local.clients import ADMINISTRATOR
from tests.support.stack import Stack

PSEUDONYM = "p-7f3a"
LOGIN = "avis.canari@region.example"
ROW = {"id": PSEUDONYM, "kind": "person", "organisation": "region", "roles": ["region_reviewer"], "login": LOGIN}
KNOWN_IN = ("validation", "analytics")


def ask(stack: Stack, service: str, method: str, path: str, body: Mapping[str, object] | None = None) -> httpx.Response:
    run = stack.run
    answer = httpx.request(method, run.services[service].url + path, json=body, headers=bearer(run, ADMINISTRATOR), timeout=30)
    assert answer.is_success, answer.text
    return answer


def poec(stack: Stack, *words: str) -> Result:
    return CliRunner().invoke(person, [*words, "--home", str(stack.home)])


async def test_an_account_is_exported_and_erased_in_every_service_that_knows_it(stack: Stack) -> None:
    for service in KNOWN_IN:
        ask(stack, service, "PUT", "/principals", {"principals": [ROW]})
    told = poec(stack, "export", PSEUDONYM)
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)["services"]
    assert sorted(found) == sorted(KNOWN_IN)
    for held in found.values():
        assert held["held"]["sign_in"][0]["login"] == LOGIN
        assert [entry["action"] for entry in held["trail"]] == ["register_principal"]

    assert poec(stack, "erase", PSEUDONYM).exit_code != 0, "nothing without --yes"
    ask(stack, "validation", "DELETE", f"/principals/{PSEUDONYM}/person")  # as far as one got that was killed then
    outcomes = [json.loads(poec(stack, "erase", PSEUDONYM, "--yes", "--json").stdout)["services"] for _ in range(2)]
    unknown = dict.fromkeys(("submission", "publication"), "unknown")
    assert outcomes[0] == {**unknown, "validation": "unchanged", "analytics": "erased"}
    assert outcomes[1] == {**unknown, "validation": "unchanged", "analytics": "unchanged"}
    for service in KNOWN_IN:
        assert await stack.rows(service, "SELECT 1 FROM person WHERE principal_id = $1", PSEUDONYM) == []
        for table in ("principal", "audit_entry", "outbox"):
            assert await stack.rows(service, f"SELECT 1 FROM {table} t WHERE t::text LIKE '%{LOGIN}%'") == []
    assert LOGIN not in poec(stack, "export", PSEUDONYM).output
    assert poec(stack, "erase", "p-nobody", "--yes").exit_code != 0
    assert (await audit(sources_of(stack.home))).clean
