"""The local issuer: who gets a token, who is refused and how, and that it never runs in production."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from deploy.local.clients import TABLE, ClientsFile, add_client, clients_of, write_clients
from deploy.local.guarded import wait_until
from deploy.local.issuer import EXIT_UNSAFE, LIFETIME, Issuer, create_app
from deploy.local.issuer_forms import BODY_LIMIT
from deploy.local.ports import LOOPBACK, free_port, is_ours
from deploy.local.secrets import change

ROOT = Path(__file__).parents[2]
URL = f"http://{LOOPBACK}:8099"
NOW = 1_600_000_000
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def secrets(tmp_path: Path) -> dict[str, str]:
    """Client id to secret."""
    return {name: client.client_secret for name, client in clients_of(tmp_path).items()}


@pytest.fixture
def client(tmp_path: Path, secrets: dict[str, str]) -> httpx.AsyncClient:
    """An HTTP client of an issuer in this process."""
    app = create_app(Issuer(URL, ClientsFile(write_clients(tmp_path))), clock=lambda: float(NOW))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL)


def _asked(client_id: str, secret: str, **other: str) -> dict[str, str]:
    return {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret} | other


async def _keys(client: httpx.AsyncClient) -> KeySet:
    return KeySet.import_key_set((await client.get("/jwks.json")).json())


async def test_each_client_gets_a_token_that_says_its_name_and_nothing_else(
    client: httpx.AsyncClient, secrets: dict[str, str]
) -> None:
    keys = await _keys(client)
    seen = set()
    for name in TABLE:
        answer = await client.post("/token", data=_asked(name, secrets[name]))
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        assert answer.json().keys() == {"access_token", "token_type", "expires_in"}
        token = jwt.decode(answer.json()["access_token"], keys, algorithms=["ES256"])
        assert (token.header["typ"], str(token.header["kid"])[:4]) == ("at+jwt", "dev-")
        seen.add(token.claims.pop("jti"))
        assert token.claims == {
            "iss": URL,
            "aud": "poec",
            "sub": name,
            "client_id": name,
            "iat": NOW,
            "exp": NOW + LIFETIME,
        }
    assert len(seen) == len(TABLE) == 20


async def test_a_client_that_is_added_and_a_secret_that_is_changed_count_at_once(
    client: httpx.AsyncClient, tmp_path: Path, secrets: dict[str, str]
) -> None:
    secret = add_client(tmp_path, "lycee", "99912345800013", ("training_provider",))
    assert add_client(tmp_path, "lycee", "99912345800013", ("training_provider",)) == secret
    assert (await client.post("/token", data=_asked("lycee", secret))).status_code == 200
    new = change(tmp_path, "clients", "akto")
    write_clients(tmp_path)
    assert (await client.post("/token", data=_asked("akto", secrets["akto"]))).status_code == 401
    assert (await client.post("/token", data=_asked("akto", new))).status_code == 200
    assert set(clients_of(tmp_path)) == {*TABLE, "lycee"}


async def test_http_basic_serves_as_well(client: httpx.AsyncClient, secrets: dict[str, str]) -> None:
    form = {"grant_type": "client_credentials"}
    assert (await client.post("/token", data=form, auth=("akto", secrets["akto"]))).status_code == 200
    wrong = await client.post("/token", data=form, auth=("akto", secrets["region"]))
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert wrong.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize("name", ["akto", "somebody-unknown"])
async def test_a_wrong_secret_is_refused_without_echo_and_like_an_unknown_client(
    client: httpx.AsyncClient, name: str
) -> None:
    answer = await client.post("/token", data=_asked(name, "guessed-secret"))
    assert answer.status_code == 401
    assert answer.json() == {"error": "invalid_client", "error_description": "client authentication failed"}
    assert answer.headers["cache-control"] == "no-store"


async def test_other_requests_get_the_errors_of_rfc_6749(client: httpx.AsyncClient, secrets: dict[str, str]) -> None:
    good = _asked("akto", secrets["akto"])
    cases = [
        ({"data": good | {"grant_type": "password"}}, 400, "unsupported_grant_type"),
        ({"data": {k: v for k, v in good.items() if k != "grant_type"}}, 400, "invalid_request"),
        ({"data": {"grant_type": "client_credentials"}}, 401, "invalid_client"),
        ({"json": good}, 400, "invalid_request"),
        ({"content": b"client_id=a&client_id=b", "headers": FORM}, 400, "invalid_request"),
        ({"content": b"a=%FF", "headers": FORM}, 400, "invalid_request"),
        ({"content": b"&".join(b"f%d=1" % n for n in range(11)), "headers": FORM}, 400, "invalid_request"),
        ({"content": b"a=" + b"x" * BODY_LIMIT, "headers": FORM}, 413, "invalid_request"),
        ({"data": good, "headers": {"authorization": "Basic !"}}, 400, "invalid_request"),
        ({"data": {"grant_type": "x"}, "headers": {"authorization": "Basic !"}}, 401, "invalid_client"),
        ({"data": {"grant_type": "x"}, "headers": {"authorization": "Bearer x"}}, 401, "invalid_client"),
    ]
    for request, status, error in cases:
        answer = await client.post("/token", **request)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["error"]) == (status, error), request


async def test_only_public_keys_are_published_and_they_change_with_each_start(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    [key] = (await client.get("/jwks.json")).json()["keys"]
    assert key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert Issuer(URL, dict).keys() != Issuer(URL, dict).keys()
    found = (await client.get("/.well-known/openid-configuration")).json()
    assert (found["issuer"], found["token_endpoint"], found["jwks_uri"]) == (URL, f"{URL}/token", f"{URL}/jwks.json")
    assert (await client.get("/livez")).status_code == 200
    assert (await client.get("/livez", headers={"host": "attacker.invalid"})).status_code == 400


def _environment(home: Path, **other: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("POEC_")}
    port = str(free_port())
    mine = {
        "POEC_MODE": "local",
        "POEC_HTTP_PORT": port,
        "POEC_ISSUER": f"http://{LOOPBACK}:{port}",
        "POEC_CLIENTS_FILE": str(write_clients(home)),
        "POEC_STDIN_WATCH": "1",
        "PYTHONPATH": str(ROOT),
    }
    return {name: value for name, value in (kept | mine | other).items() if value}


def _run(environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "deploy.local.issuer"]
    return subprocess.run(command, env=environment, input="", capture_output=True, text=True, timeout=30, check=False)


def test_production_unset_mode_and_bad_settings_are_refused_without_echo(tmp_path: Path) -> None:
    production = _run(_environment(tmp_path, POEC_MODE="production"))
    assert (production.returncode, production.stdout) == (EXIT_UNSAFE, "")
    assert "never runs in production" in production.stderr
    assert _run(_environment(tmp_path, POEC_MODE="")).returncode == EXIT_UNSAFE
    bad = _run(_environment(tmp_path, POEC_MODE="sesame", POEC_HTTP_PORT="sesame"))
    assert bad.returncode == EXIT_UNSAFE
    assert "POEC_MODE" in bad.stderr
    assert "POEC_HTTP_PORT" in bad.stderr
    assert "sesame" not in bad.stderr
    assert _run(_environment(tmp_path, POEC_CLIENTS_FILE=str(tmp_path / "none"))).returncode == EXIT_UNSAFE


def test_it_serves_on_loopback_and_ends_with_its_standard_input(tmp_path: Path) -> None:
    environment = _environment(tmp_path)
    command = [sys.executable, "-m", "deploy.local.issuer"]
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    port = int(environment["POEC_HTTP_PORT"])
    assert wait_until(lambda: is_ours(port, process.pid), 20)
    secret = clients_of(tmp_path)["dreets"].client_secret
    assert httpx.post(f"{environment['POEC_ISSUER']}/token", data=_asked("dreets", secret)).status_code == 200
    _, said = process.communicate(b"", timeout=20)
    assert process.returncode == 0
    assert b"development only" in said


def test_secrets_and_clients_are_kept_and_private(tmp_path: Path) -> None:
    first = write_clients(tmp_path).read_text()
    assert write_clients(tmp_path).read_text() == first
    for name in ("clients.json", "secrets.json"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    [some] = [client for name, client in clients_of(tmp_path).items() if name == "akto"]
    assert len(some.client_secret) >= 43
    assert some.client_secret not in repr(some)
