"""ID tokens and signed userinfo: one good one, and many that are forged, doubtful, or made for somebody else."""

import base64
import hashlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import OctKey

from shared.errors import Busy
from shared.id_tokens import IdTokenVerifier, NotTrusted
from shared.issuer_keys import IssuerKeys, Pace
from tests.support.provider import CLIENT_ID, Provider, serving
from tests.support.tokens import new_key, new_rsa_key, part

NONCE = "n" * 64
Made = Callable[[Provider], str]


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def provider() -> AsyncIterator[Provider]:
    """A provider that serves its keys."""
    async with serving() as made:
        yield made


def verifier(provider: Provider, *acr: str) -> IdTokenVerifier:
    return IdTokenVerifier(provider.url, CLIENT_ID, IssuerKeys(f"{provider.url}/jwks", Pace(interval=0.01)), acr)


def good(provider: Provider, header: dict[str, Any] | None = None, **changes: Any) -> str:
    claims = {**provider.id_claims({"nonce": NONCE}), **changes}
    return provider.signed({name: value for name, value in claims.items() if value is not None}, **(header or {}))


def at_hash(access: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(access.encode()).digest()[:16]).rstrip(b"=").decode()


async def test_a_good_one_says_who(provider: Provider) -> None:
    for token in (good(provider), good(provider, aud=[CLIENT_ID], azp=CLIENT_ID, at_hash=at_hash("access"))):
        assert (await verifier(provider).id_token(token, NONCE, "access"))["sub"] == "subject-1"


def _claims(**changes: Any) -> Made:
    return lambda provider: good(provider, **changes)


def _header(**changes: Any) -> Made:
    return lambda provider: good(provider, changes)


def _by(key: Any, alg: str = "ES256") -> Made:
    def made(provider: Provider) -> str:
        header = {"alg": alg, "kid": provider.key.kid, "typ": "JWT"}
        return jwt.encode(header, provider.id_claims({"nonce": NONCE}), key, algorithms=[alg])

    return made


def _tampered(provider: Provider) -> str:
    head, _, signature = good(provider).split(".")
    return f"{head}.{part({**provider.id_claims({'nonce': NONCE}), 'sub': 'subject-2'})}.{signature}"


def _unsigned(provider: Provider) -> str:
    return f"{part({'alg': 'none', 'kid': provider.key.kid})}.{part(provider.id_claims({'nonce': NONCE}))}."


def _twice(provider: Provider) -> str:
    head, body, signature = good(provider).split(".")
    text = base64.urlsafe_b64decode(body + "==").decode()
    return f"{head}.{part(text[:-1] + ', ' + text[1:])}.{signature}"


DOUBTFUL: dict[str, Made] = {
    "no signature": _unsigned,
    "signed by another key of that name": _by(new_key("provider-one")),
    "signed by an RSA key of that name": _by(new_rsa_key("provider-one"), "RS256"),
    "HS256": _by(OctKey.import_key(b"0" * 64), "HS256"),
    "changed after signing": _tampered,
    "a member twice": _twice,
    "an unknown key": _header(kid="other"),
    "no key": _header(kid=None),
    "an access token": _header(typ="at+jwt"),
    "a logout token": _header(typ="logout+jwt"),
    "another issuer": _claims(iss="https://other.example"),
    "no issuer": _claims(iss=None),
    "the issuer with a slash more": lambda provider: good(provider, iss=provider.url + "/"),
    "another client": _claims(aud="poec-submission"),
    "no client": _claims(aud=None),
    "a client more": _claims(aud=[CLIENT_ID, "poec-submission"], azp=CLIENT_ID),
    "made for another party": _claims(azp="poec-submission"),
    "a party that is no text": _claims(azp=[CLIENT_ID]),
    "no subject": _claims(sub=None),
    "an empty subject": _claims(sub=""),
    "a subject that is a number": _claims(sub=7),
    "a subject too long": _claims(sub="s" * 256),
    "expired": lambda provider: good(provider, exp=int(time.time()) - 60),
    "no expiry": _claims(exp=None),
    "an expiry in words": _claims(exp="tomorrow"),
    "an expiry that is true": _claims(exp=True),
    "not yet valid": lambda provider: good(provider, nbf=int(time.time()) + 600),
    "made in the future": lambda provider: good(provider, iat=int(time.time()) + 600),
    "made long ago": lambda provider: good(provider, iat=int(time.time()) - 3600),
    "no time of making": _claims(iat=None),
    "another sign-in's nonce": _claims(nonce="m" * 64),
    "no nonce": _claims(nonce=None),
    "a nonce that is a list": _claims(nonce=[NONCE]),
    "another access token's hash": _claims(at_hash=at_hash("other")),
    "a hash that is a number": _claims(at_hash=7),
    "too large": _claims(filler="x" * 9000),
    "two parts": lambda provider: good(provider).rsplit(".", 1)[0],
    "four parts": lambda provider: good(provider) + ".e30",
    "five parts (JWE)": lambda provider: "a.b.c.d.e",
    "no token": lambda provider: "",
    "not base64": lambda provider: "é.é.é",
    "claims that are a list": lambda provider: f"{part({'alg': 'ES256', 'kid': 'provider-one'})}.{part([1])}.x",
}


@pytest.mark.parametrize("made", DOUBTFUL.values(), ids=DOUBTFUL)
async def test_a_doubtful_one_says_nothing(provider: Provider, made: Made) -> None:
    with pytest.raises(NotTrusted):
        await verifier(provider).id_token(made(provider), NONCE, "access")


async def test_the_reason_quotes_nothing_of_it(provider: Provider) -> None:
    for token in (good(provider, iss="sesame"), good(provider, sub={"sesame": 1}), "e30.e30.sesame"):
        with pytest.raises(NotTrusted) as refused:
            await verifier(provider).id_token(token, NONCE, "access")
        assert "sesame" not in str(refused.value)


async def test_the_level_must_be_one_of_those_asked_for(provider: Provider) -> None:
    assert await verifier(provider, "high", "higher").id_token(good(provider, acr="higher"), NONCE, "access")
    for acr in (None, "low", "", ["high"], {"high": 1}, True):
        with pytest.raises(NotTrusted, match="acr"):
            await verifier(provider, "high").id_token(good(provider, acr=acr), NONCE, "access")


async def test_signed_userinfo_is_of_this_provider_about_this_subject(provider: Provider) -> None:
    for claims in ({"sub": "subject-1"}, {"sub": "subject-1", "iss": provider.url, "aud": CLIENT_ID}):
        assert await verifier(provider).userinfo(provider.signed(claims), "subject-1") == claims
    wrong = (
        provider.signed({"sub": "subject-2"}),
        provider.signed({}),
        provider.signed({"sub": "subject-1", "iss": "https://other.example"}),
        provider.signed({"sub": "subject-1", "aud": "poec-submission"}),
        jwt.encode({"alg": "ES256", "kid": provider.key.kid}, {"sub": "subject-1"}, new_key(str(provider.key.kid))),
        "",
    )
    for token in wrong:
        with pytest.raises(NotTrusted):
            await verifier(provider).userinfo(token, "subject-1")


async def test_a_provider_whose_keys_cannot_be_had_is_away() -> None:
    keys = IssuerKeys("http://127.0.0.1:9/jwks", Pace(interval=0.01))
    with pytest.raises(Busy):
        await IdTokenVerifier("https://p.example", CLIENT_ID, keys).id_token(good(Provider("https://p.example")), NONCE, "access")
