"""What a service hears: one table from event or command to the use case that answers it."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from shared.contracts.events import Event
from shared.contracts.flow import check_handlers
from shared.contracts.ingress import Command, RowOut
from shared.database import UnitOfWork
from shared.errors import Objection
from shared.identity import Principal

W = TypeVar("W")

Open = Callable[[UnitOfWork, Collection[UUID]], Awaitable[W]]
Write = Callable[[W, UnitOfWork], None]


@dataclass(frozen=True)
class Done:
    """What a partner's command led to, for its answer."""

    fiche_id: UUID | None = None
    revision: int | None = None
    status: str | None = None
    rows: tuple[RowOut, ...] = ()
    warnings: tuple[Objection, ...] = ()


@dataclass(frozen=True)
class Hearing(Generic[W]):
    """A service's ears: how its working set is opened and written, and who handles what.

    `handlers` must be exactly the events that the flow table sends to the service (checked at start).
    A handler changes the working set or raises; it never waits and never sees the database.
    """

    service: str
    open: Open[W]
    write: Write[W]
    event_ids: Callable[[Any], Collection[UUID]]
    handlers: Mapping[type[Event], Callable[[W, Any, datetime], object]]
    command_ids: Callable[[Principal, str, Any], Collection[UUID]] = lambda _principal, _key, _command: ()
    commands: Mapping[type[Command], Callable[[W, Principal, str, Any, datetime], Done]] = field(default_factory=dict)

    def check(self) -> None:
        """Raise RuntimeError naming every event that nobody hears and every handler of nothing."""
        if problems := check_handlers(self.service, self.handlers):
            raise RuntimeError("; ".join(problems))
