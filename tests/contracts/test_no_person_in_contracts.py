"""No contract has a field for a person, and every text that is not a code is marked as free: the edges look through it."""

import copy
import json
import re
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any, Final

from shared.contracts.asyncapi import asyncapi
from shared.contracts.flow import SERVICES
from tests.support.documents import ROOT, references

SPOKEN: Final[dict[str, Any]] = asyncapi(version("poec"))["components"]["schemas"]
SERVED: Final[dict[str, dict[str, Any]]] = {
    name: json.loads((ROOT / "services" / name / "openapi.json").read_bytes()) for name in SERVICES
}
CODES: Final = {
    "opco": "slug of the closed list",
    "status": "state of a lifecycle",
    "reference": "made by validation; in CommandAnswered what the sender called its fiche, checked by ingress",
    "validated_by": "label of the organisation that validates",
    "acknowledged": "codes, closed by their pattern at the edge",
    "command": "type of a command",
    "command_id": "the sender's id of its record, checked by ingress",
    "topic": "name of the flow table",
    "code": "stable code of a rule",
    "detail": "the product's own words, never the record's",
    "field": "path into a contract",
    "message": "the product's own sentence",
    "source": "article or line a rule comes from",
}
"""Strings of what services say that nobody writes freely; those of what comes in have to be closed by their schema."""
PERSONAL: Final = re.compile(
    r"(^|_)(nom|prenom|first_?name|last_?name|surname|full_?name|civilite|person|personne|people|birth\w*|naissance|e?mail|courriel|phone"
    r"|telephone|tel|mobile|portable|nir|gender|sexe|nationality|age(?!_days)|author|actor|user|reviewer|adviser|principal|signatory"
    r"|trainee|stagiaire|candidat\w*|ip)(s)?($|_)"
)
ACCOUNTS: Final = frozenset({"PrincipalsIn", "PrincipalIn", "PrincipalsOut", "PrincipalOut", "PersonOut", "ErasedOut"})
"""The door of who may sign in: pseudonyms, and the one login, which goes into its own table and comes out of no door."""
CLOSED: Final = frozenset({"pattern", "enum", "const", "format", "x-free-text"})


def open_strings(node: Any, path: str = "") -> Iterator[str]:
    """Yield the places of strings that are neither closed by their schema nor marked as free text."""
    if isinstance(node, dict):
        if node.get("type") == "string" and not CLOSED & set(node):
            yield path
        for name, below in node.items():
            if name not in ("description", "title", "default", "examples"):
                yield from open_strings(below, f"{path}.{name}" if path else name)
    elif isinstance(node, list):
        for below in node:
            yield from open_strings(below, path)


def uncoded(schemas: dict[str, Any]) -> list[str]:
    """Return the open strings whose member is not a known code."""
    return [place for place in open_strings(schemas) if _member(place) not in CODES]


def _member(place: str) -> str:
    parts = place.split(".")
    return parts[len(parts) - parts[::-1].index("properties")] if "properties" in parts else place


def taken_in(document: dict[str, Any]) -> dict[str, Any]:
    """Return the schemas of the bodies a service takes, with all they refer to."""
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    wanted = [ref for operation in operations for ref in references(operation.get("requestBody", {}))]
    found: dict[str, Any] = {}
    while wanted:
        name = wanted.pop().rsplit("/", maxsplit=1)[-1]
        if name not in found:
            found[name] = document["components"]["schemas"][name]
            wanted += references(found[name])
    return found


def members(schemas: dict[str, Any]) -> Iterator[str]:
    """Yield every member of every type, `Type.member`."""
    for name, schema in schemas.items():
        yield from (f"{name}.{member}" for member in schema.get("properties", {}))


def for_a_person(schemas: dict[str, Any]) -> list[str]:
    """Return members whose name is one for a person's data."""
    return [member for member in members(schemas) if PERSONAL.search(member.rsplit(".", maxsplit=1)[-1])]


def test_every_text_that_services_say_is_a_code_or_marked_as_free() -> None:
    assert uncoded(SPOKEN) == []
    assert len(list(open_strings(SPOKEN))) > len(CODES)


def test_every_text_that_a_service_takes_in_is_closed_or_marked_as_free() -> None:
    for service, document in SERVED.items():
        assert list(open_strings(taken_in(document))) == [], service
    assert "FicheIn" in taken_in(SERVED["submission"])
    assert "Provider" in taken_in(SERVED["submission"])


def test_what_partners_say_by_kafka_is_closed_or_marked_as_free() -> None:
    commands = {name: schema for name, schema in SPOKEN.items() if name in {"SubmitFiche", "DeclineAdaptation", "EngageSession"}}
    assert len(commands) == 3  # the three named
    assert list(open_strings(commands)) == []


def test_a_bare_string_is_found_out() -> None:
    planted = copy.deepcopy(SPOKEN)
    planted["AvisGiven"]["properties"]["remark"] = {"type": "string"}
    planted["AvisGiven"]["properties"]["notes"] = {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "null"}]}}
    assert [place.split(".")[2] for place in uncoded(planted)] == ["remark", "notes"]


def test_no_contract_has_a_field_for_a_person() -> None:
    assert for_a_person(SPOKEN) == []
    for service, document in SERVED.items():
        schemas = {name: schema for name, schema in document["components"]["schemas"].items() if name not in ACCOUNTS}
        assert for_a_person(schemas) == [], service


def test_no_account_is_answered_with_its_login() -> None:
    for document in SERVED.values():
        out = {name: document["components"]["schemas"][name] for name in ACCOUNTS if name.endswith("Out")}
        assert "PrincipalOut.signs_in" in set(members(out))
        assert not [member for member in members(out) if "login" in member or "subject" in member]


def test_a_field_for_a_person_is_found_out() -> None:
    for name in ("nom", "prenom_stagiaire", "email", "contact_email", "phone", "birth_date", "reviewer", "person_id", "nir", "tel"):
        planted = copy.deepcopy(SPOKEN)
        planted["AisRecorded"]["properties"][name] = {"type": "string"}
        assert for_a_person(planted) == [f"AisRecorded.{name}"]


def test_only_the_fiche_has_a_contact_and_only_organisations_a_name() -> None:
    """`contact` is a functional mailbox, `name` that of an organisation: nothing else may be called so."""
    for schemas in (SPOKEN, *(document["components"]["schemas"] for document in SERVED.values())):
        named = {place for place in members(schemas) if place.split(".")[1] in ("contact", "name")}
        organisations = {"Provider.name", "Trainer.name", "SheetIn.name", "PartnerIn.name", "PartnerOut.name"}
        assert named <= {"PublishedContent.contact", "FicheContent.contact", *organisations}
