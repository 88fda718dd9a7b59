"""Who sent an HTTP request: the holder of its bearer token, looked up in the table of principals."""

from fastapi import Request

from shared.identity import Principal
from shared.principals import Directory
from shared.tokens import TokenVerifier


class SignedIn:
    """Knows callers by their bearer token."""

    def __init__(self, verifier: TokenVerifier, directory: Directory) -> None:
        self._verifier, self._directory = verifier, directory

    async def principal(self, request: Request) -> Principal:
        """Return who asks. Raises `Unauthenticated`, or `Forbidden` for a name that has no row."""
        return await self._verifier.principal(request.headers.get("authorization"))

    async def again(self, request: Request) -> Principal:
        """Return who asks, by their row as it is now."""
        self._directory.forget()
        return await self.principal(request)
