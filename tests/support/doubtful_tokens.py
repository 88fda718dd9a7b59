"""Tokens that are forged or doubtful, by name: each is refused, at every door, in the same words."""

import json
import time
from collections.abc import Callable
from typing import Any, Final

from joserfc import jwt
from joserfc.jwk import OctKey

from tests.support.tokens import AUDIENCE, ISSUER, Issuer, new_key, new_rsa_key, part


def _unsigned(issuer: Issuer) -> str:
    return f"{part({'alg': 'none', 'kid': 'one', 'typ': 'at+jwt'})}.{part(issuer.claims())}."


def _hs256_with_the_public_key(issuer: Issuer) -> str:
    public = json.dumps(issuer.keys[0].as_dict(private=False))
    header = {"alg": "HS256", "kid": "one", "typ": "at+jwt"}
    return jwt.encode(header, issuer.claims(), OctKey.import_key(public), algorithms=["HS256"])


def _hs256_with_the_pem(issuer: Issuer) -> str:
    header = {"alg": "HS256", "kid": "one", "typ": "at+jwt"}
    return jwt.encode(header, issuer.claims(), OctKey.import_key(b"0" * 64), algorithms=["HS256"])


def _signed_by(key: Any, issuer: Issuer, alg: str = "ES256") -> str:
    return jwt.encode({"alg": alg, "kid": "one", "typ": "at+jwt"}, issuer.claims(), key, algorithms=[alg])


def _own_key_inside(issuer: Issuer) -> str:
    mine = new_key("mine")
    header = {"alg": "ES256", "kid": "mine", "typ": "at+jwt", "jwk": mine.as_dict(private=False)}
    return jwt.encode(header, issuer.claims(), mine)


def _tampered(issuer: Issuer) -> str:
    header, _, signature = issuer.token().split(".")
    return f"{header}.{part(issuer.claims(sub='akto'))}.{signature}"


def _with_text(issuer: Issuer, member: str) -> str:
    """Return a signed token whose claims are the good ones without `exp`, and this member as text."""
    claims = json.dumps(issuer.claims(exp=None))
    return issuer.signed(claims[:-1] + f", {member}}}")


def _padded(issuer: Issuer) -> str:
    header, claims, signature = issuer.token().split(".")
    return f"{header}.{claims}==.{signature}"


DOUBTFUL: Final[dict[str, Callable[[Issuer], str]]] = {
    "no signature (alg none)": _unsigned,
    "alg None, written otherwise": lambda i: (
        f"{part({'alg': 'nOnE', 'kid': 'one', 'typ': 'at+jwt'})}.{part(i.claims())}."
    ),
    "HS256 with the public key as secret": _hs256_with_the_public_key,
    "HS256 with a guessed secret": _hs256_with_the_pem,
    "signed by another key of the same kid": lambda i: _signed_by(new_key("one"), i),
    "RS256 by a key that was never published": lambda i: _signed_by(new_rsa_key("one"), i, "RS256"),
    "key brought along in the header": _own_key_inside,
    "claims changed after signing": _tampered,
    "signature cut": lambda i: i.token()[:-4],
    "signature left out": lambda i: i.token().rsplit(".", maxsplit=1)[0] + ".",
    "two parts": lambda i: i.token().rsplit(".", maxsplit=1)[0],
    "four parts": lambda i: i.token() + ".e30",
    "no token at all": lambda i: "",
    "not base64": lambda i: "ä.ö.ü",
    "header is no object": lambda i: f"{part([1])}.{part(i.claims())}.x",
    "header is not JSON": lambda i: f"{part('{')}.{part(i.claims())}.x",
    "no kid": lambda i: i.token({"kid": None}),
    "unknown kid": lambda i: i.token({"kid": "two"}),
    "kid is a number": lambda i: i.signed(json.dumps(i.claims()), '{"alg": "ES256", "kid": 1, "typ": "at+jwt"}'),
    "kid is a path": lambda i: i.token({"kid": "../../etc/passwd"}),
    "typ JWT (an identity token)": lambda i: i.token({"typ": "JWT"}),
    "no typ": lambda i: i.token({"typ": None}),
    "typ is a number": lambda i: i.signed(json.dumps(i.claims()), '{"alg": "ES256", "kid": "one", "typ": 1}'),
    "critical header that nobody understands": lambda i: i.signed(
        json.dumps(i.claims()), '{"alg": "ES256", "kid": "one", "typ": "at+jwt", "crit": ["x"], "x": 1}'
    ),
    "duplicate member in the header": lambda i: i.signed(
        json.dumps(i.claims()), '{"alg": "ES256", "kid": "one", "kid": "one", "typ": "at+jwt"}'
    ),
    "another issuer": lambda i: i.token(iss="https://issuer.example"),
    "issuer with a slash more": lambda i: i.token(iss=ISSUER + "/"),
    "no issuer": lambda i: i.token(iss=None),
    "another audience": lambda i: i.token(aud="catalogue"),
    "no audience": lambda i: i.token(aud=None),
    "expired": lambda i: i.token(exp=int(time.time()) - 60),
    "no expiry": lambda i: i.token(exp=None),
    "exp as text": lambda i: i.token(exp=str(int(time.time()) + 600)),
    "exp true": lambda i: i.token(exp=True),
    "exp NaN": lambda i: _with_text(i, '"exp": NaN'),
    "exp 1e400": lambda i: _with_text(i, '"exp": 1e400'),
    "exp in the year 5000": lambda i: i.token(exp=95_617_584_000),
    "exp twice": lambda i: _with_text(i, f'"exp": 1, "exp": {int(time.time()) + 600}'),
    "jti twice": lambda i: _with_text(i, f'"exp": {int(time.time()) + 600}, "jti": "2"'),
    "issued tomorrow": lambda i: i.token(iat=int(time.time()) + 86_400),
    "not before tomorrow": lambda i: i.token(nbf=int(time.time()) + 86_400),
    "no issue time": lambda i: i.token(iat=None),
    "iat as text": lambda i: i.token(iat="now"),
    "no subject": lambda i: i.token(sub=None),
    "subject is a number": lambda i: i.token(sub=7),
    "subject that would break out of a setting": lambda i: i.token(sub="x'; DROP TABLE fiche; --"),
    "subject with a line end": lambda i: i.token(sub="opco-2i\n"),
    "subject is a list": lambda i: i.token(sub=["opco-2i"]),
    "subject is a star": lambda i: i.token(sub="*"),
    "subject is empty": lambda i: i.token(sub=""),
    "subject twice": lambda i: _with_text(i, f'"exp": {int(time.time()) + 600}, "sub": "akto"'),
    "lives a day": lambda i: i.token(exp=int(time.time()) + 86_400),
    "exp -Infinity": lambda i: _with_text(i, '"exp": -Infinity'),
    "exp false": lambda i: i.token(exp=False),
    "exp is a list": lambda i: i.token(exp=[int(time.time()) + 600]),
    "audience of a list of lists": lambda i: i.token(aud=[[AUDIENCE]]),
    "payload padded": _padded,
    "header and claims exchanged": lambda i: ".".join(i.token().split(".")[n] for n in (1, 0, 2)),
    "encrypted (five parts)": lambda i: i.token() + ".e30.e30",
    "a blank inside": lambda i: i.token().replace(".", " .", 1),
    "9 KiB": lambda i: i.token(padding="x" * 9 * 1024),
}
"""What a forger, a careless issuer or an old client might send: name to how it is made with the keys of an issuer."""
