"""Who may do what at the brokers, made from the flow table: every user, the topics it writes and reads, the groups it may use.

What is not here is refused by the brokers. A service has two users, one per role that speaks to Kafka (its API does not); every
other writer or reader of the flow table is a partner with one user of its name; operations and the audit read and write nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from shared.contracts.flow import SERVICES, TOPICS, Topic
from shared.contracts.references import OPERATIONS

AUDIT: Final = "audit"


@dataclass(frozen=True)
class Access:
    """One user: names of the topics it may write and read, its group by its full name, or the beginning of its groups' names."""

    user: str
    writes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    group: str | None = None
    group_prefix: str | None = None

    def may_use(self, group: str) -> bool:
        """Return whether the user may be a member of a group, and read and commit its offsets."""
        return group == self.group or (self.group_prefix is not None and group.startswith(self.group_prefix))


def worker_user(service: str) -> str:
    """Return the user of a service's worker: it hears, and says nothing itself."""
    return f"{service}-worker"


def relay_user(service: str) -> str:
    """Return the user of a service's relay: it says what the outbox holds, and reads it again to compare."""
    return f"{service}-relay"


def users_of(topics: Iterable[Topic]) -> tuple[Access, ...]:
    """Return the users that a flow table asks for, in the order of services, partners, operations, audit."""
    table = tuple(topics)
    partners = dict.fromkeys(name for topic in table for name in (topic.writer, *topic.readers))
    return (
        *(access for service in SERVICES for access in _of_service(service, table)),
        *(_of_partner(name, table) for name in partners if name not in (*SERVICES, OPERATIONS)),
        Access(OPERATIONS, reads=tuple(topic.name for topic in table if topic.writer in SERVICES)),
        Access(AUDIT, reads=tuple(topic.name for topic in table)),
    )


def _of_service(service: str, table: tuple[Topic, ...]) -> tuple[Access, Access]:
    heard = tuple(topic.name for topic in table if service in topic.readers)
    said = _written_by(service, table)
    return Access(worker_user(service), reads=heard, group=service), Access(relay_user(service), said, said)


def _of_partner(name: str, table: tuple[Topic, ...]) -> Access:
    reads = tuple(topic.name for topic in table if name in topic.readers)
    return Access(name, _written_by(name, table), reads, group_prefix=f"{name}." if reads else None)


def _written_by(name: str, table: tuple[Topic, ...]) -> tuple[str, ...]:
    return tuple(topic.name for topic in table if topic.writer == name)


USERS: Final[tuple[Access, ...]] = users_of(TOPICS)
"""Everybody who may sign in at the brokers, the brokers' own two users (`admin`, `broker`) apart."""

_BY_USER: Final = {access.user: access for access in USERS}


def access_of(user: str) -> Access:
    """Return the row of a user; KeyError for a user that is not in the table."""
    return _BY_USER[user]
