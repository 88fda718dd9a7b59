"""Sessions of people who signed in: an opaque identifier in a cookie, everything else in a row of the service's own database.

A session ends by sign-out, after 30 minutes without a request, after 8 hours, when its person's row is disabled or erased, or
when their sign-in changes; each of these holds at once, in every replica, since every request reads the row.
"""

import datetime as dt
import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from shared.database import Database, UnitOfWork
from shared.identity import Principal, service_principal
from shared.principals import principal_of

IDLE: Final = dt.timedelta(minutes=30)
LONGEST: Final = dt.timedelta(hours=8)
SECRET: Final = re.compile(r"^[A-Za-z0-9_-]{43}$")
"""256 random bits, as `new_secret` writes them."""
_STEP: Final = dt.timedelta(minutes=1)
"""How exactly `seen_at` is kept: a row is not written at every request, and a session ends a minute early rather than late."""
WEB_SESSION: Final = sa.Table(
    "web_session",
    sa.MetaData(),
    sa.Column("id_hash", sa.Text, primary_key=True),
    sa.Column("principal_id", sa.Text),
    sa.Column("csrf", sa.Text),
    sa.Column("id_token", sa.Text),
)
_FIND = (
    "SELECT s.csrf, s.created_at, s.seen_at < clock_timestamp() - $4::interval AS stale, p.*"
    " FROM web_session s JOIN principal p ON p.id = s.principal_id AND p.state = 'active'"
    " WHERE s.id_hash = $1 AND s.created_at > clock_timestamp() - $2::interval AND s.seen_at > clock_timestamp() - $3::interval"
)
_SEEN = "UPDATE web_session SET seen_at = clock_timestamp() WHERE id_hash = $1 AND seen_at < clock_timestamp() - $2::interval"
_END = "DELETE FROM web_session WHERE id_hash = $1 RETURNING id_token"


@dataclass(frozen=True)
class WebSession:
    """A session that holds: who it is, the secret that their pages' writes carry, and when it ends at the latest (UTC)."""

    principal: Principal
    csrf: str
    ends_at: dt.datetime


def new_secret() -> str:
    """Return 256 random bits as 43 characters that fit into a cookie and an address."""
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> str:
    """Return what is kept of a secret that only has to be recognised."""
    return hashlib.sha256(secret.encode()).hexdigest()


class WebSessions:
    """The sessions of one service."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._us = service_principal(database.service, "api")

    async def find(self, identifier: str) -> WebSession | None:
        """Return the session of a cookie; None for one that is unknown, over, or of somebody who is no longer active."""
        async with self._database.unit(self._us) as unit:
            rows = await unit.read(_FIND, hashed(identifier), LONGEST, IDLE, _STEP)
            if not rows or (principal := principal_of(rows[0])) is None:
                return None
            if rows[0]["stale"]:
                await unit.read(_SEEN, hashed(identifier), _STEP)
        return WebSession(principal, rows[0]["csrf"], rows[0]["created_at"] + LONGEST)

    async def end(self, identifier: str) -> str | None:
        """End a session; return the provider's id_token it was begun with, if it was kept."""
        async with self._database.unit(self._us) as unit:
            await unit.read("SELECT 1")
            rows = await unit.read(_END, hashed(identifier))
        return rows[0]["id_token"] if rows else None


def begin_session(unit: UnitOfWork, principal: str, id_token: str | None) -> str:
    """Put a new session of a principal into a unit of work; return its identifier, which is nowhere else."""
    identifier = new_secret()
    row = {"id_hash": hashed(identifier), "principal_id": principal, "csrf": new_secret(), "id_token": id_token}
    unit.insert(WEB_SESSION, [row])
    return identifier
