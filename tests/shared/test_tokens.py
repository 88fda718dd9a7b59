"""Bearer tokens: one good one, and many that are forged or doubtful."""

import asyncio
import functools
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from shared.errors import Busy, Forbidden, Refused, Unauthenticated
from shared.identity import Principal
from shared.issuer_keys import IssuerKeys, Pace
from shared.tokens import Claim, TokenVerifier
from tests.support.doubtful_tokens import DOUBTFUL
from tests.support.tokens import AUDIENCE, ISSUER, JWKS_URL, Issuer, new_key, part


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Issuer:
    """An issuer at the address that the verifier asks."""
    made = Issuer()
    client = functools.partial(httpx.AsyncClient, transport=httpx.MockTransport(made.answer))
    monkeypatch.setattr(httpx, "AsyncClient", client)
    return made


OPCO_2I = Principal("opco-2i", "opco-2i", "machine", frozenset({"opco"}), 1)
QUICK = Pace(interval=0.02)


async def register(name: str) -> Principal | None:
    """Stands for the table of principals, which has its own tests."""
    return OPCO_2I if name == OPCO_2I.id else None


def a_verifier(pace: Pace = QUICK, claim: Claim = "sub") -> TokenVerifier:
    return TokenVerifier(ISSUER, IssuerKeys(JWKS_URL, pace), AUDIENCE, register, claim)


@pytest.fixture
def verifier(issuer: Issuer) -> TokenVerifier:
    return a_verifier()


async def test_a_good_token_is_its_principal(issuer: Issuer, verifier: TokenVerifier) -> None:
    found = await verifier.principal(f"Bearer {issuer.token()}")
    assert found == Principal("opco-2i", "opco-2i", "machine", frozenset({"opco"}))


@pytest.mark.parametrize("kid", ["dev-1", "DEV-1", "dev-"])
async def test_in_production_a_development_key_is_refused_though_it_is_published(kid: str, issuer: Issuer) -> None:
    issuer.keys.insert(0, new_key(kid))
    header = {"alg": "ES256", "kid": kid, "typ": "at+jwt"}
    token = jwt.encode(header, issuer.claims(), issuer.keys[0], algorithms=["ES256"])
    local = a_verifier()
    production = TokenVerifier(ISSUER, IssuerKeys(JWKS_URL, QUICK, no_dev_keys=True), AUDIENCE, register)
    assert await local.principal(f"Bearer {token}")
    assert await production.principal(f"Bearer {issuer.token()}")
    with pytest.raises(Unauthenticated):
        await production.principal(f"Bearer {token}")


async def test_one_of_several_audiences_is_enough(issuer: Issuer, verifier: TokenVerifier) -> None:
    assert await verifier.principal(f"Bearer {issuer.token(aud=['other', AUDIENCE])}")


@pytest.mark.parametrize("forge", DOUBTFUL.values(), ids=DOUBTFUL)
async def test_a_doubtful_token_is_refused(
    forge: Callable[[Issuer], str], issuer: Issuer, verifier: TokenVerifier
) -> None:
    token = forge(issuer)
    for _ in range(2):
        with pytest.raises(Unauthenticated) as refused:
            await verifier.principal(f"Bearer {token}")
        assert [objection.code for objection in refused.value.objections] == ["TOKEN"]
        assert token[:20] not in repr(refused.value.objections) or not token
    assert await verifier.principal(f"Bearer {issuer.token()}")


@pytest.mark.parametrize("header", [None, "", "Basic b3BjbzpvcGNv", "bearer x", "Bearer", "Bearer ", "Token x"])
async def test_what_is_no_bearer_token_is_refused(header: str | None, verifier: TokenVerifier) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.principal(header)


async def test_a_token_is_verified_once_and_forgotten_when_it_expires(
    issuer: Issuer, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = issuer.token()
    await verifier.principal(f"Bearer {token}")
    issuer.down = True
    await verifier.principal(f"Bearer {token}")
    later = time.time() + 700
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(Unauthenticated):
        await verifier.principal(f"Bearer {token}")


async def test_without_any_keys_the_answer_is_to_come_back_later(issuer: Issuer, verifier: TokenVerifier) -> None:
    issuer.down = True
    with pytest.raises(Busy):
        await verifier.principal(f"Bearer {issuer.token()}")
    issuer.down = False
    assert await verifier.principal(f"Bearer {issuer.token()}")


async def test_known_keys_survive_an_issuer_that_is_down(issuer: Issuer, verifier: TokenVerifier) -> None:
    await verifier.principal(f"Bearer {issuer.token()}")
    issuer.down = True
    assert await verifier.principal(f"Bearer {issuer.token(jti='2')}")


async def test_but_not_for_ever(issuer: Issuer) -> None:
    verifier = a_verifier(Pace(interval=0.0, refresh=0.0, grace=0.05))
    await verifier.principal(f"Bearer {issuer.token()}")
    issuer.down = True
    async with asyncio.timeout(10):
        while True:
            try:
                await verifier.principal(f"Bearer {issuer.token(jti='2')}")
            except Busy:
                break
            await asyncio.sleep(0.01)


async def test_a_rotation_refuses_no_valid_token(issuer: Issuer, verifier: TokenVerifier) -> None:
    """Keys come one after the other, quicker than fetches may; every token signed by a published key is let in."""
    for n in range(20):
        issuer.keys.append(new_key(f"key-{n}"))
        del issuer.keys[:-2]
        tokens = [issuer.token(jti=f"{n}-{m}") for m in range(5)]
        found = await asyncio.gather(*(verifier.principal(f"Bearer {token}") for token in tokens))
        assert found == [OPCO_2I] * 5
    assert issuer.asked <= 20


async def test_a_key_that_was_withdrawn_is_no_longer_good(issuer: Issuer, verifier: TokenVerifier) -> None:
    """Once the issuer publishes its keys without it, tokens that were verified before are refused too."""
    stolen = Issuer(list(issuer.keys))
    seen = stolen.token(jti="seen")
    await verifier.principal(f"Bearer {seen}")
    issuer.keys[:] = [new_key("two")]
    await verifier.principal(f"Bearer {issuer.token()}")
    for token in (seen, stolen.token(jti="3")):
        with pytest.raises(Unauthenticated):
            await verifier.principal(f"Bearer {token}")


async def test_keys_that_are_old_are_fetched_again_behind_the_back_of_requests(issuer: Issuer) -> None:
    verifier = a_verifier(Pace(interval=0.0, refresh=0.0))
    await verifier.principal(f"Bearer {issuer.token()}")
    async with asyncio.timeout(10):
        while issuer.asked < 3:
            await verifier.principal(f"Bearer {issuer.token()}")
            await asyncio.sleep(0)


async def test_one_token_used_over_and_over_does_not_outlive_its_key(issuer: Issuer) -> None:
    """Nobody brings another token: what was verified before must be held against new keys all the same."""
    verifier = a_verifier(Pace(interval=0.0, refresh=0.2))
    token = f"Bearer {issuer.token()}"
    await verifier.principal(token)
    issuer.keys[:] = [new_key("two")]

    async def used_for_ever() -> None:
        while True:
            await verifier.principal(token)
            await asyncio.sleep(0.01)

    async with asyncio.timeout(10):
        with pytest.raises(Unauthenticated):
            await used_for_ever()


async def outcome(verifier: TokenVerifier, token: str) -> str:
    """Return what a token is answered with, in one word."""
    try:
        await verifier.principal(f"Bearer {token}")
    except Refused as refused:
        return refused.code
    return "let in"


async def test_a_new_key_in_a_storm_of_invented_ones_is_let_in_or_told_to_come_back(issuer: Issuer) -> None:
    """More keys than are waited for at once are named while the new one is published."""
    verifier = a_verifier(Pace(interval=0.2))
    await verifier.principal(f"Bearer {issuer.token()}")
    invented = [issuer.token({"kid": f"invented-{n}"}) for n in range(150)]
    storm = [asyncio.create_task(outcome(verifier, token)) for token in invented]
    await asyncio.sleep(0)
    issuer.keys.append(new_key("new"))
    assert await outcome(verifier, issuer.token()) == "busy"
    assert set(await asyncio.gather(*storm)) == {"busy", "unauthenticated"}
    assert await outcome(verifier, issuer.token()) == "let in"


@pytest.mark.parametrize("away", [{"status": 429}, {"status": 500}, {"down": True}])
async def test_a_new_key_while_the_issuer_does_not_answer_is_told_to_come_back(issuer: Issuer, away: dict[str, Any]) -> None:
    verifier = a_verifier()
    old = issuer.token()
    await verifier.principal(f"Bearer {old}")
    issuer.keys.append(new_key("new"))
    vars(issuer).update(away)
    new = issuer.token()
    assert [await outcome(verifier, token) for token in (new, new, old)] == ["busy", "busy", "let in"]
    vars(issuer).update(status=200, down=False)
    assert await outcome(verifier, new) == "let in"


async def test_a_key_that_somebody_guessed_before_it_was_published_is_let_in_once_it_is(issuer: Issuer) -> None:
    verifier = a_verifier(Pace(interval=0.2))
    assert await outcome(verifier, issuer.token({"kid": "guessed"})) == "unauthenticated"
    issuer.keys.append(new_key("guessed"))
    assert await outcome(verifier, issuer.token()) == "let in"


async def test_invented_key_ids_do_not_become_a_storm_of_fetches(issuer: Issuer) -> None:
    verifier = a_verifier(Pace(interval=0.2))
    await verifier.principal(f"Bearer {issuer.token()}")
    began = time.monotonic()
    tokens = [issuer.token({"kid": f"invented-{n % 40}"}) for n in range(400)]
    assert set(await asyncio.gather(*(outcome(verifier, token) for token in tokens))) == {"unauthenticated"}
    assert issuer.asked <= (time.monotonic() - began) / 0.2 + 2


async def test_a_name_without_a_row_is_signed_in_and_may_do_nothing(issuer: Issuer, verifier: TokenVerifier) -> None:
    with pytest.raises(Forbidden, match="NOT_REGISTERED"):
        await verifier.principal(f"Bearer {issuer.token(sub='akto')}")


async def test_a_person_does_not_come_by_a_token(issuer: Issuer) -> None:
    async def person(name: str) -> Principal | None:
        return Principal(name, "opco-2i", "person", frozenset({"opco"}), 1)

    verifier = TokenVerifier(ISSUER, IssuerKeys(JWKS_URL, QUICK), AUDIENCE, person)
    with pytest.raises(Unauthenticated):
        await verifier.principal(f"Bearer {issuer.token()}")


async def test_what_a_token_says_of_roles_and_organisation_is_not_read(
    issuer: Issuer, verifier: TokenVerifier
) -> None:
    token = issuer.token(organisation="region", roles=["region_reviewer", "operations"], kind="service")
    assert await verifier.principal(f"Bearer {token}") == OPCO_2I


async def test_an_issuer_whose_subjects_are_numbers_names_its_clients_otherwise(issuer: Issuer) -> None:
    verifier = a_verifier(claim="client_id")
    assert await verifier.principal(f"Bearer {issuer.token(sub='f:1:2', client_id='opco-2i')}") == OPCO_2I
    for claims in ({"client_id": None}, {"client_id": 7}, {"client_id": "OPCO"}):
        with pytest.raises(Unauthenticated):
            await verifier.principal(f"Bearer {issuer.token(**claims)}")


async def test_an_address_that_serves_nonsense_lets_nobody_in(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = (b"<html>", b"[]", b'{"keys": 1}', b'{"keys": [{"kty": "EC"}]}', b"null", b"x" * 300_000)
    for content in bad:
        answer = httpx.MockTransport(lambda _, content=content: httpx.Response(200, content=content))
        monkeypatch.setattr(httpx, "AsyncClient", functools.partial(httpx.AsyncClient, transport=answer))
        with pytest.raises(Refused):
            await a_verifier().principal(f"Bearer {issuer.token()}")


def test_the_test_issuer_signs_as_others_do() -> None:
    """What `signed` makes by hand is a token like any other: else the doubtful ones would be refused for their signature."""
    issuer = Issuer()
    token = issuer.signed(json.dumps(issuer.claims()))
    assert jwt.decode(token, KeySet([ECKey.import_key(issuer.keys[0].as_dict())])).claims["sub"] == "opco-2i"


@pytest.mark.parametrize("where", [0, 1])
async def test_a_token_nested_six_thousand_deep_is_refused_like_any_other(
    issuer: Issuer, verifier: TokenVerifier, where: int
) -> None:
    parts = issuer.token().split(".")
    parts[where] = part("[" * (6000 if where == 0 else 5500))
    with pytest.raises(Unauthenticated):
        await verifier.principal(f"Bearer {'.'.join(parts)}")
