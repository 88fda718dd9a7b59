"""A person's sign-in, from the first click to a session: begun in one request, completed in another, by the same browser.

What is between the two is a row: it is found by the state and the browser's cookie, and gone once it was found, so that neither a
state nor a code serves twice. Killed anywhere, whoever it was begins again.
"""

import re
import secrets
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from shared.database import Database, Row, UnitOfWork, retried
from shared.errors import Forbidden, Objection, SignInFailed
from shared.id_tokens import NotTrusted
from shared.identity import service_principal
from shared.logs import log
from shared.openid_provider import Identity, OpenIdProvider
from shared.rates import Limit, Rates
from shared.web_sessions import SECRET, WebSessions, begin_session, hashed, new_secret

MINUTES: Final = 10
"""How long a sign-in may take, the time at the provider included."""
_LOCAL: Final = re.compile(r"^/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,500}$")
"""A path of this service: no other host (`//host`, `/\\host`), nothing that browsers take out before they read it."""
SIGN_IN: Final = sa.Table(
    "sign_in",
    sa.MetaData(),
    sa.Column("state_hash", sa.Text, primary_key=True),
    sa.Column("browser_hash", sa.Text),
    sa.Column("nonce", sa.Text),
    sa.Column("verifier", sa.Text),
    sa.Column("next", sa.Text),
)
_TAKE = f"""
DELETE FROM sign_in WHERE state_hash = $1 AND browser_hash = $2
  AND created_at > clock_timestamp() - interval '{MINUTES} minutes' RETURNING nonce, verifier, next
"""
_ACCOUNTS = (
    "SELECT d.principal_id, d.login, d.issuer, d.subject, p.organisation, p.roles, p.state FROM person d"
    " JOIN principal p ON p.id = d.principal_id WHERE (d.issuer = $1 AND d.subject = $2) OR d.login = $3"
    " ORDER BY d.principal_id FOR UPDATE OF d"
)
_BIND = "UPDATE person SET issuer = $2, subject = $3, last_sign_in = clock_timestamp() WHERE principal_id = $1"
_OVER = "DELETE FROM web_session WHERE id_hash = $1"
_LOG = log("sign_in")


@dataclass(frozen=True)
class Begun:
    """Where the browser goes, and the secret by which it is known when it comes back."""

    url: str
    browser: str


@dataclass(frozen=True)
class Returned:
    """What the provider's answer brought along, and from which browser: each as it came, or None."""

    state: str | None
    code: str | None
    issuer: str | None
    browser: str | None
    session: str | None


@dataclass(frozen=True)
class Completed:
    """A new session's identifier, for its cookie alone, and where the browser goes now."""

    session: str
    next: str


class SignIn:
    """Signs people in to one service; `limit` is how often one address may begin."""

    def __init__(self, database: Database, provider: OpenIdProvider, rates: Rates, limit: Limit) -> None:
        self._database, self._provider, self._rates, self._limit = database, provider, rates, limit
        self._us = service_principal(database.service, "api")
        self.sessions = WebSessions(database)

    async def begin(self, address: str, path: str, browser: str | None) -> Begun:
        """Begin for a browser at an address, which goes to `path` in the end. Raises `TooMany`, `Busy`, or `SignInFailed`."""
        if not _LOCAL.fullmatch(path):
            text = "L’adresse de retour doit être un chemin de ce service, par exemple /me."
            raise SignInFailed(Objection("NEXT", text, field="next"))
        await self._rates.take(hashed(address), "sign_in", self._limit)
        state, nonce, verifier = secrets.token_hex(32), secrets.token_hex(32), new_secret()
        browser = browser if browser and SECRET.fullmatch(browser) else new_secret()
        row = {
            "state_hash": hashed(state),
            "browser_hash": hashed(browser),
            "nonce": nonce,
            "verifier": verifier,
            "next": path,
        }
        async with self._database.unit(self._us) as unit:
            unit.insert(SIGN_IN, [row])
            await unit.flush()
        return Begun(await self._provider.authorization_url(state, nonce, verifier), browser)

    async def complete(self, returned: Returned) -> Completed:
        """Make a session of the provider's answer. Raises `SignInFailed`, `Forbidden` for who has no account, `Busy`."""
        begun = await self._taken(returned)
        try:
            await self._provider.check_issuer(returned.issuer)
            if not returned.code:
                raise NotTrusted("refused by the provider")
            identity = await self._provider.identify(returned.code, begun["nonce"], begun["verifier"])
        except NotTrusted as reason:
            _LOG.warning("sign_in_failed", reason=str(reason))
            text = "Le fournisseur d’identité n’a pas confirmé la connexion\u202f: recommencez."
            raise SignInFailed(Objection("NOT_CONFIRMED", text)) from None
        return Completed(await retried(lambda: self._session(identity, returned.session)), begun["next"])

    async def end(self, session: str) -> str:
        """End a session; return where the browser goes: to the provider, to sign out there too, or to our own last page."""
        id_token = await self.sessions.end(session)
        away = await self._provider.end_session_url(id_token, secrets.token_hex(32))
        return away or self._provider.client.signed_out_uri

    async def _taken(self, returned: Returned) -> Row:
        """Return what was begun, and let it serve no more, whatever becomes of it."""
        rows: list[Row] = []
        if returned.state and returned.browser:
            async with self._database.unit(self._us) as unit:
                await unit.read("SELECT 1")
                rows = await unit.read(_TAKE, hashed(returned.state), hashed(returned.browser))
        if not rows:
            text = "Cette connexion n’a pas commencé dans ce navigateur, a expiré ou a déjà servi\u202f: recommencez."
            raise SignInFailed(Objection("NOT_BEGUN_HERE", text))
        return rows[0]

    async def _session(self, identity: Identity, before: str | None) -> str:
        async with self._database.unit(self._us) as unit:
            account = await _account(unit, identity)
            await unit.read(_BIND, account["principal_id"], identity.issuer, identity.subject)
            if before:
                await unit.read(_OVER, hashed(before))
            session = begin_session(unit, account["principal_id"], identity.id_token)
            await unit.flush()
        _LOG.info("signed_in", principal=account["principal_id"])
        return session


async def _account(unit: UnitOfWork, identity: Identity) -> Row:
    """Return the account of who signed in: bound to them already, or registered with their mailbox and bound to nobody yet."""
    rows = await unit.read(_ACCOUNTS, identity.issuer, identity.subject, identity.email)
    bound = [row for row in rows if (row["issuer"], row["subject"]) == (identity.issuer, identity.subject)]
    waiting = [row for row in rows if row["issuer"] is None]
    found = next(iter(bound or waiting), None)
    if found is None or found["state"] != "active":
        text = (
            "Vous êtes bien connecté, mais aucun compte actif ne porte votre adresse de messagerie ici"
            "\u202f: demandez votre inscription à l’exploitation."
        )
        raise Forbidden(Objection("NOT_REGISTERED", text))
    if identity.siret and "training_provider" in found["roles"] and identity.siret != found["organisation"]:
        text = "Le SIRET que donne le fournisseur d’identité n’est pas celui de votre compte\u202f: adressez-vous à l’exploitation."
        raise Forbidden(Objection("OTHER_SIRET", text))
    return found
