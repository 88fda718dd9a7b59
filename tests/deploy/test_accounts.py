"""`poec principals` on the running product: rows in every service, secrets at the issuer, users at the brokers."""

import json
import os
import subprocess
import sys
from typing import Any

import httpx
import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.local.accounts import Row, add, new_secrets
from deploy.local.client import token
from deploy.local.errors import LocalError
from deploy.local.runfile import Run
from deploy.local.secrets import load_secrets
from shared.contracts.flow import SERVICES, ingress_topic
from shared.messaging.clients import KafkaAccess, confluent_settings
from tests.support.documents import ROOT
from tests.support.stack import Stack


def poec(stack: Stack, *words: str, code: int = 0) -> Any:
    """Run the command and return what it prints as JSON."""
    environment = {**os.environ, "POEC_HOME": str(stack.home)}
    command = [sys.executable, "-m", "deploy.cli", "principals", *words, "--json"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if done.stdout else done.stderr


def asked(run: Run, client: str, service: str, path: str) -> int:
    """Return the status of a read, signed in anew as that client."""
    headers = {"Authorization": f"Bearer {token(run, client, fresh=True)}"}
    return httpx.get(run.services[service].url + path, headers=headers, timeout=30).status_code


def lets_in(access: KafkaAccess, user: str) -> bool:
    """Return whether the broker lets this user in and tells it of its topic."""
    admin = AdminClient({**confluent_settings(access, "test"), "socket.timeout.ms": 3000})
    try:
        found = admin.list_topics(ingress_topic(user), timeout=5).topics[ingress_topic(user)]
    except KafkaException:
        return False
    return found.error is None


def all_of(outcome: str) -> dict[str, str]:
    return dict.fromkeys(SERVICES, outcome)


def test_a_machine_is_added_everywhere_and_signs_in(stack: Stack) -> None:
    words = ("--organisation", "99912345800013", "--role", "training_provider")
    added = poec(stack, "add", "lycee-test", *words)
    assert added["outcomes"] == all_of("added")
    assert len(added["client_secret"]) >= 32
    again = poec(stack, "add", "lycee-test", *words)
    assert again == {"principal": "lycee-test", "outcomes": all_of("unchanged")}
    assert stack.settled(lambda: "lycee-test" in stack.run.clients)
    assert asked(stack.run, "lycee-test", "publication", "/catalogue.xml") in (200, 204)
    assert asked(stack.run, "lycee-test", "submission", "/fiches") == 403


def test_who_is_disabled_is_refused_and_comes_back_when_added_again(stack: Stack) -> None:
    poec(stack, "add", "agence-test", "--organisation", "agence-test", "--role", "agency")
    assert stack.settled(lambda: "agence-test" in stack.run.clients)
    assert asked(stack.run, "agence-test", "publication", "/sessions") == 200
    before, headers = stack.run, {"Authorization": f"Bearer {token(stack.run, 'agence-test')}"}
    assert poec(stack, "disable", "agence-test")["outcomes"] == all_of("changed")
    assert poec(stack, "disable", "agence-test")["outcomes"] == all_of("unchanged")
    url = before.services["publication"].url + "/sessions"
    assert stack.settled(lambda: httpx.get(url, headers=headers, timeout=30).status_code == 403), "with a token of before"
    with pytest.raises(LocalError, match="refused"):
        token(before, "agence-test", fresh=True)
    assert stack.settled(lambda: "agence-test" not in stack.run.clients)
    assert "disabled" in poec(stack, "rotate", "agence-test", code=1)
    back = poec(stack, "add", "agence-test", "--organisation", "agence-test", "--role", "agency")
    assert back["client_secret"] != before.clients["agence-test"].client_secret
    assert stack.settled(lambda: "agence-test" in stack.run.clients)
    assert asked(stack.run, "agence-test", "publication", "/sessions") == 200


def test_new_secrets_replace_the_old_ones_at_the_issuer_and_at_the_brokers(stack: Stack) -> None:
    before = stack.run
    told = poec(stack, "rotate", "afdas")
    assert set(told) == {"principal", "outcomes", "client_secret", "kafka_user", "kafka_password"}
    assert not lets_in(before.kafka.access("afdas"), "afdas")
    with pytest.raises(LocalError):
        token(before, "afdas", fresh=True)
    assert stack.settled(lambda: stack.run.clients["afdas"].client_secret == told["client_secret"])
    assert asked(stack.run, "afdas", "submission", "/fiches") == 200
    assert lets_in(stack.run.kafka.access("afdas"), "afdas")


def test_a_partner_that_is_disabled_is_gone_from_the_brokers_too(stack: Stack) -> None:
    before = stack.run.kafka.access("atlas")
    assert lets_in(before, "atlas")
    poec(stack, "disable", "atlas")
    assert not lets_in(before, "atlas")
    back = poec(stack, "add", "atlas", "--organisation", "atlas", "--role", "opco")
    assert stack.settled(lambda: stack.run.kafka.users.get("atlas") == back["kafka_password"])
    assert lets_in(stack.run.kafka.access("atlas"), "atlas")


def test_a_password_that_was_replaced_or_taken_does_not_come_back_by_the_next_command(stack: Stack) -> None:
    """A command that is given at once finds a run.json of before."""
    before, row = stack.run, Row("ocapiat", "machine", "ocapiat", ("opco",))
    new = poec(stack, "rotate", "ocapiat")["kafka_password"]
    assert add(before, row).secrets == {}
    assert load_secrets(stack.home).kafka["ocapiat"] == new
    poec(stack, "disable", "ocapiat")
    with pytest.raises(LocalError, match="disabled"):
        new_secrets(before, "ocapiat")
    assert (load_secrets(stack.home).kafka["ocapiat"], load_secrets(stack.home).clients["ocapiat"]) == ("", "")
    again = add(before, row).secrets
    assert again["kafka_password"] not in ("", new, before.kafka.users["ocapiat"])
    assert again["client_secret"] not in ("", before.clients["ocapiat"].client_secret)


def test_a_person_gets_a_pseudonym_and_nobody_sees_the_mailbox(stack: Stack) -> None:
    words = ("--organisation", "region", "--role", "region_reviewer", "--login", "avis.test@region.example")
    added = poec(stack, "add", *words)
    assert added["principal"].startswith("p-")
    assert set(added) == {"principal", "outcomes"}
    listed = poec(stack, "list")
    (row,) = [one for one in listed["principals"] if one["id"] == added["principal"]]
    assert (row["kind"], row["signs_in"], listed["differing"]) == ("person", True, [])
    assert "avis.test" not in json.dumps(listed)
    same = {"principal": added["principal"], "outcomes": all_of("unchanged")}
    assert poec(stack, "add", *words) == poec(stack, "add", added["principal"], *words) == same
    assert added["principal"] in poec(stack, "add", "p-somebody-else", *words, code=1)


def test_a_person_whose_command_was_cut_after_the_first_service_is_one_account_by_the_same_command(stack: Stack) -> None:
    login, first = "coupe.test@region.example", next(iter(stack.run.services))
    row = {"id": "p-cut-test", "kind": "person", "organisation": "region", "roles": ["region_reviewer"], "login": login}
    headers = {"Authorization": f"Bearer {token(stack.run, 'administrator')}"}
    url = stack.run.services[first].url + "/principals"
    assert httpx.put(url, json={"principals": [row]}, headers=headers, timeout=30).status_code == 200
    told = poec(stack, "add", "--organisation", "region", "--role", "region_reviewer", "--login", login)
    assert told == {"principal": "p-cut-test", "outcomes": {**all_of("added"), first: "unchanged"}}
    assert poec(stack, "list")["differing"] == []


def test_a_person_who_was_disabled_is_given_back(stack: Stack) -> None:
    words = ("--organisation", "region", "--role", "region_reviewer")
    person = poec(stack, "add", *words, "--login", "retour.test@region.example")["principal"]
    assert poec(stack, "disable", person)["outcomes"] == all_of("changed")
    assert poec(stack, "add", person, *words)["outcomes"] == all_of("changed")
    (row,) = [one for one in poec(stack, "list")["principals"] if one["id"] == person]
    assert (row["kind"], row["state"], row["signs_in"]) == ("person", "active", True)


def test_services_that_differ_are_named_and_made_equal_by_the_same_command(stack: Stack) -> None:
    """As it is when a command was cut off after the first service."""
    words = ("--organisation", "agence-cut", "--role", "agency")
    poec(stack, "add", "agence-cut", *words)
    row = {"id": "agence-cut", "kind": "machine", "organisation": "agence-cut", "roles": ["agency"], "state": "disabled"}
    headers = {"Authorization": f"Bearer {token(stack.run, 'administrator')}"}
    url = stack.run.services["validation"].url + "/principals"
    assert httpx.put(url, json={"principals": [row]}, headers=headers, timeout=30).status_code == 200
    assert poec(stack, "list", code=1)["differing"] == ["agence-cut"]
    assert poec(stack, "add", "agence-cut", *words)["outcomes"] == {**all_of("unchanged"), "validation": "changed"}
    assert poec(stack, "list")["differing"] == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("add", "x-test", "--organisation", "akto", "--role", "region_reviewer"), "rôles"),
        (("add", "--organisation", "akto", "--role", "opco"), "machine"),
        (("disable", "nobody-at-all"), "No service knows"),
        (("disable", "administrator"), "son propre compte"),
        (("rotate", "nobody-at-all"), "No service knows"),
        (("rotate", "submission-relay"), "our own processes"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_refused_says_why(stack: Stack, words: tuple[str, ...], why: str) -> None:
    assert why in poec(stack, *words, code=1)
