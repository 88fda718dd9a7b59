"""What the local issuer takes in: url-encoded forms, bounded, and credentials in one of two ways."""

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote_plus

from fastapi import Request

BODY_LIMIT = 8192  # bytes


class TokenRefused(Exception):
    """A token request that is answered by an error of RFC 6749 section 5.2."""

    def __init__(self, error: str, description: str, status: int = 400, challenge: bool = False) -> None:
        super().__init__(description)
        self.error, self.description, self.status, self.challenge = error, description, status, challenge


async def read_form(request: Request) -> dict[str, str]:
    """The url-encoded form of a request, at most 8 KiB and 10 fields, none of them twice."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise TokenRefused("invalid_request", "the body must be application/x-www-form-urlencoded")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise TokenRefused("invalid_request", "the body is too large", 413)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=10, errors="strict")
    except ValueError:
        raise TokenRefused("invalid_request", "the body is not a form") from None
    if len({name for name, _ in pairs}) != len(pairs):
        raise TokenRefused("invalid_request", "a field is given twice")
    return dict(pairs)


def credentials(form: Mapping[str, str], authorization: str | None) -> tuple[str, str, bool]:
    """Client id, secret, and whether they came by HTTP Basic; one of the two ways of RFC 6749 section 2.3.1."""
    if authorization is None:
        if "client_id" not in form or "client_secret" not in form:
            raise TokenRefused("invalid_client", "client_id and client_secret are required", 401)
        return form["client_id"], form["client_secret"], False
    if "client_secret" in form:
        raise TokenRefused("invalid_request", "credentials are given twice")
    scheme, _, encoded = authorization.partition(" ")
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    if scheme.lower() != "basic" or ":" not in text:
        raise TokenRefused("invalid_client", "the Authorization header is not HTTP Basic", 401, challenge=True)
    name, _, secret = text.partition(":")
    return unquote_plus(name), unquote_plus(secret), True
