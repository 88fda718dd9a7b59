"""Callers known by their name alone, for tests of what lies behind the door: tokens and sessions have their own tests."""

from collections.abc import Mapping

from fastapi import Request

from shared.errors import Objection, Unauthenticated
from shared.identity import Principal


class KnownCallers:
    """Takes the name in the header `Authorization` for the caller."""

    def __init__(self, people: Mapping[str, Principal]) -> None:
        self._people = people

    async def principal(self, request: Request) -> Principal:
        """Return the caller of that name."""
        name = request.headers.get("authorization", "")
        if name not in self._people:
            raise Unauthenticated(Objection("TOKEN", "Un jeton d’accès est attendu."))
        return self._people[name]

    async def again(self, request: Request) -> Principal:
        """Return the same."""
        return await self.principal(request)
