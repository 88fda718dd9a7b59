"""`services/<service>/openapi.json` is what `python -m services.<service> openapi` prints, and valid OpenAPI 3.1."""

import json
import subprocess
import sys
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.support.documents import ROOT, is_committed, references, resolved
from tests.support.ears import present

HEALTH = {"/livez", "/readyz", "/metrics"}


@pytest.fixture(scope="module", params=present())
def document(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """A service's name and its document, from a process of its own: the way anybody gets it."""
    asked = [sys.executable, "-m", f"services.{request.param}", "openapi"]
    printed = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=60, check=True)
    found: dict[str, Any] = json.loads(printed.stdout)
    return request.param, found


def test_the_committed_document_is_the_generated_one(document: tuple[str, dict[str, Any]]) -> None:
    service, generated = document
    text = json.dumps(generated, ensure_ascii=False, indent=2) + "\n"
    assert is_committed(ROOT / "services" / service / "openapi.json", text), "run `make docs`"


def test_the_document_is_valid(document: tuple[str, dict[str, Any]]) -> None:
    assert document[1]["openapi"].startswith("3.1")
    assert [error.message for error in OpenAPIV31SpecValidator(document[1]).iter_errors()] == []
    for reference in references(document[1]):
        resolved(document[1], reference)


def test_every_write_names_its_body_and_its_key(document: tuple[str, dict[str, Any]]) -> None:
    for path, methods in document[1]["paths"].items():
        for method, operation in methods.items():
            if method in ("post", "put", "patch", "delete"):
                named = {parameter["name"] for parameter in operation.get("parameters", ())}
                by_nature = path.startswith(("/dead-letters", "/principals", "/sign-out", "/fiches/check"))
                assert ("Idempotency-Key" in named) is not by_nature, path
                assert by_nature or operation["requestBody"]["required"], path


def test_every_operation_says_what_it_does_and_how_it_fails(document: tuple[str, dict[str, Any]]) -> None:
    for path, methods in document[1]["paths"].items():
        if path in HEALTH:
            continue
        for operation in methods.values():
            assert operation.get("description"), path
            assert {"401", "403"} <= set(operation["responses"]), path


def test_a_document_that_is_wrong_is_found_out(document: tuple[str, dict[str, Any]]) -> None:
    wrong = {**document[1], "paths": {"/x": {"get": {"responses": {"200": {}}}}}}
    assert list(OpenAPIV31SpecValidator(wrong).iter_errors())
