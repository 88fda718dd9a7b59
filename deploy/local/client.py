"""How a program of this machine signs in: a bearer token of the local issuer, kept until shortly before it ends."""

import base64
import json
import time

import httpx

from deploy.local.errors import LocalError
from deploy.local.runfile import Run

MARGIN = 60.0  # seconds before its end at which a kept token is no longer used
_kept: dict[tuple[str, str, str], tuple[str, float]] = {}


def token(run: Run, client_id: str, fresh: bool = False) -> str:
    """A bearer token for a client of run.json; LocalError when it has no such client, or when the issuer refuses.

    `fresh` asks for a new one: after a 401, since an issuer that was started again signs with a new key.
    """
    client = run.clients.get(client_id)
    if client is None:
        raise LocalError(f"{client_id} has no secret here: it is unknown, or disabled (`poec principals list`).")
    key = (run.issuer.token_url, client_id, client.client_secret)
    value, until = _kept.get(key, ("", 0.0))
    if fresh or time.time() >= until - MARGIN:
        value, until = _ask(run.issuer.token_url, client_id, client.client_secret)
        _kept[key] = (value, until)
    return value


def bearer(run: Run, client_id: str) -> dict[str, str]:
    """The Authorization header of a client, ready to be merged into a request's headers."""
    return {"Authorization": f"Bearer {token(run, client_id)}"}


def _ask(token_url: str, client_id: str, secret: str) -> tuple[str, float]:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    try:
        answer = httpx.post(token_url, data=form, timeout=10)
        answer.raise_for_status()
        value = str(answer.json()["access_token"])
    except httpx.HTTPStatusError as refusal:
        raise LocalError(f"The issuer refused a token for {client_id} ({refusal.response.status_code}).") from None
    except (httpx.HTTPError, ValueError, KeyError) as failure:
        raise LocalError(f"The issuer gave no token for {client_id} ({type(failure).__name__}).") from None
    return value, _end_of(value)


def _end_of(value: str) -> float:
    """`exp` of a JWT, unverified: it only decides when to ask again. Seconds since 1970; 0 when it cannot be read."""
    try:
        part = value.split(".")[1]
        return float(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["exp"])
    except (IndexError, ValueError, KeyError, TypeError):
        return 0.0
