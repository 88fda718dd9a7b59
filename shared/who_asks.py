"""Who sent an HTTP request: the holder of its bearer token, or the person whose session its cookie names; never both."""

import hmac
import re
from typing import Final

from fastapi import Request

from shared.errors import CrossSite, Malformed, Objection, Unauthenticated
from shared.identity import Principal
from shared.principals import Directory
from shared.tokens import TokenVerifier
from shared.web_sessions import SECRET, WebSession, WebSessions

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class SignedIn:
    """Knows callers by their bearer token, and, where people sign in, by the cookie of their session.

    `origin` is the service's own (scheme, host, port): a write by cookie must come from there and carry the session's secret.
    """

    def __init__(
        self,
        verifier: TokenVerifier,
        directory: Directory,
        sessions: WebSessions | None = None,
        origin: str = "",
        cookie: str = "",
    ) -> None:
        self._verifier, self._directory, self._sessions = verifier, directory, sessions
        self._origin, self._cookie = origin, cookie

    async def principal(self, request: Request) -> Principal:
        """Return who asks. Raises `Unauthenticated`, `Forbidden` for a name that has no row, `CrossSite` or `Malformed`."""
        authorization = request.headers.get("authorization")
        given = cookies(request, self._cookie) if self._sessions else []
        if not given or self._sessions is None:
            return await self._verifier.principal(authorization)
        if authorization is not None:
            text = "La demande porte un jeton et un cookie de session\u202f: gardez l’un des deux."
            raise Malformed(Objection("TWO_CREDENTIALS", text))
        session = await self._sessions.find(given[0]) if len(given) == 1 and SECRET.fullmatch(given[0]) else None
        if session is None:
            raise Unauthenticated(Objection("SESSION", "Votre session est terminée\u202f: reconnectez-vous."))
        if request.method not in _SAFE:
            objections = _objections_to_origin(request, self._origin)
            if not getattr(request.state, "secret_in_form", False):
                objections += _objections_to_secret(request.headers.get("x-csrf-token", ""), session, _BY_HEADER)
            if objections:
                raise CrossSite(*objections)
        request.state.web_session = session
        return session.principal

    async def again(self, request: Request) -> Principal:
        """Return who asks, by their row as it is now."""
        self._directory.forget()
        return await self.principal(request)


def session_of(request: Request) -> WebSession | None:
    """Return the session by which a request's principal was found; None for a bearer token."""
    found: WebSession | None = getattr(request.state, "web_session", None)
    return found


def cookies(request: Request, name: str) -> list[str]:
    """Return every value that a request gives for a cookie: two are one too many, whichever a parser would take."""
    pairs = [
        part.strip().partition("=") for header in request.headers.getlist("cookie") for part in re.split("[;,]", header)
    ]
    return [value for found, _, value in pairs if found == name]


def expect_secret_in_form(request: Request) -> None:
    """Say of a write, before it is known who asks, that its secret is in its form: `check_form` must follow once that is read."""
    request.state.secret_in_form = True


def check_form(request: Request, given: str) -> None:
    """Raise `CrossSite` unless the hidden field of a form holds the secret of the session that sent it."""
    session = session_of(request)
    if session is not None and (objections := _objections_to_secret(given, session, _BY_FIELD)):
        raise CrossSite(*objections)


_BY_HEADER: Final = Objection(
    "CSRF_TOKEN",
    "L’en-tête X-CSRF-Token manque ou n’est pas celui de votre session\u202f:"
    " envoyez-y la valeur de csrf_token que donne GET /me.",
    field="X-CSRF-Token",
)
_BY_FIELD: Final = Objection(
    "CSRF_TOKEN",
    "Ce formulaire n’est pas de votre session\u202f: rechargez la page, puis recommencez.",
    field="csrf_token",
)


def _objections_to_origin(request: Request, origin: str) -> list[Objection]:
    """Return what there is against a write that does not come from a page of ours."""
    if _is_from_here(request, origin):
        return []
    text = (
        "Une écriture avec une session ne vient que des pages de ce service\u202f: l’en-tête Origin porte l’origine du service,"
        " ou Sec-Fetch-Site vaut same-origin\u202f; un programme présente plutôt un jeton."
    )
    return [Objection("ORIGIN", text, field="Origin")]


def _objections_to_secret(given: str, session: WebSession, what: Objection) -> list[Objection]:
    """Return what there is against a write that does not carry its session's secret."""
    return [] if hmac.compare_digest(given.encode(), session.csrf.encode()) else [what]


def _is_from_here(request: Request, origin: str) -> bool:
    """Return whether the browser says that the request comes from a page of ours."""
    site, said = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    ours = site == "same-origin" if site is not None else said is not None
    return ours and (said is None or said == origin)
