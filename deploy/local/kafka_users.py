"""The users of the brokers and their rights: made where they are missing, taken back where the table no longer gives them.

The table is `shared/contracts/access.py`. Everything here may be done while clients run: a connection that stands goes on after a
change of password, rights are asked for at each request. Every call may be repeated.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, cast

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from deploy.local.errors import LocalError
from deploy.local.guarded import wait_until
from deploy.local.secrets import KAFKA_ADMIN, KAFKA_BROKER
from deploy.local.topics import TIMEOUT, admin_client
from shared.contracts.access import USERS, Access
from shared.messaging.clients import KafkaAccess, Mechanism

ITERATIONS = 4096  # the least that Kafka takes: these passwords are 32 random bytes, nobody can try them all
_MECHANISMS = {"SCRAM-SHA-256": ScramMechanism.SCRAM_SHA_256, "SCRAM-SHA-512": ScramMechanism.SCRAM_SHA_512}
_TOPIC, _GROUP = ResourceType.TOPIC, ResourceType.GROUP
_LITERAL, _PREFIXED = ResourcePatternType.LITERAL, ResourcePatternType.PREFIXED


def rights(access: Access) -> set[AclBinding]:
    """The rows of the brokers' own table that give a user what `access` says; READ and WRITE include DESCRIBE."""
    given = {_allow(access.user, _TOPIC, topic, _LITERAL, AclOperation.WRITE) for topic in access.writes}
    given |= {_allow(access.user, _TOPIC, topic, _LITERAL, AclOperation.READ) for topic in access.reads}
    if access.group is not None:
        given.add(_allow(access.user, _GROUP, access.group, _LITERAL, AclOperation.READ))
    if access.group_prefix is not None:
        given.add(_allow(access.user, _GROUP, access.group_prefix, _PREFIXED, AclOperation.READ))
    return given


def ensure_users(access: KafkaAccess, passwords: Mapping[str, str], users: Iterable[Access] = USERS) -> list[str]:
    """Make the users that are missing and give every user exactly its rights; return what was changed, a line each.

    A user that is there keeps its password. One without a password in `passwords` is left as it is. Rights that the table no
    longer gives to one of its users are taken back; users and rights that are not the table's are left alone. LocalError when
    the brokers refuse.
    """
    admin, table = admin_client(access), [user for user in users if passwords.get(user.user)]
    there = _users(admin)
    new = [user.user for user in table if user.user not in there]
    _alter(admin, [_upsertion(name, passwords[name], access.sasl_mechanism) for name in new])
    wanted = {right for user in table for right in rights(user)}
    ours = {_principal(user.user) for user in table}
    found = {right for right in _rights(admin) if right.principal in ours}
    _create(admin, wanted - found)
    _delete(admin, found - wanted)
    if new or wanted != found:
        _told(lambda: set(new) <= _users(admin) and {r for r in _rights(admin) if r.principal in ours} == wanted)
    return sorted(
        [f"user {name} made" for name in new]
        + [f"given: {words(right)}" for right in wanted - found]
        + [f"taken back: {words(right)}" for right in found - wanted]
    )


def differences(access: KafkaAccess, users: Iterable[Access] = USERS, *, foreign: bool = True) -> list[str]:
    """What the brokers have otherwise than the table says, a line each: users and rights missing, foreign or too many.

    Without `foreign` the users that are not in the table, and their rights, are somebody else's and not looked at.
    """
    admin, table = admin_client(access), list(users)
    names, there, found = {user.user for user in table}, _users(admin), _rights(admin)
    wanted = {right for user in table for right in rights(user)}
    if not foreign:
        there, ours = there & names, {_principal(name) for name in names}
        found = {right for right in found if right.principal in ours}
    return sorted(
        [f"user {name} is missing" for name in names - there]
        + [f"user {name} is not in the table" for name in there - names - {KAFKA_ADMIN, KAFKA_BROKER}]
        + [f"right is missing: {words(right)}" for right in wanted - found]
        + [f"right is not in the table: {words(right)}" for right in found - wanted]
    )


def make_user(access: KafkaAccess, user: Access, password: str) -> None:
    """Make one user with its rights, or give the one that is there this password and exactly these rights."""
    admin = admin_client(access)
    found = _rights_of(admin, user.user)
    _delete(admin, found - rights(user))
    _alter(admin, [_upsertion(user.user, password, access.sasl_mechanism)])
    _create(admin, rights(user) - found)
    _told(lambda: user.user in _users(admin) and _rights_of(admin, user.user) == rights(user))


def set_passwords(access: KafkaAccess, passwords: Mapping[str, str]) -> None:
    """Make users without rights, or give those that are there these passwords."""
    mechanism: Mechanism = access.sasl_mechanism
    _alter(admin_client(access), [_upsertion(name, word, mechanism) for name, word in passwords.items()])


def rotate(access: KafkaAccess, user: str, password: str) -> None:
    """Give a user another password; LocalError when there is no such user.

    There is no time in which both are right: connections that stand go on, new ones need the new one.
    """
    admin = admin_client(access)
    if user not in _users(admin):
        raise LocalError(f"Apache Kafka has no user {user}: make it first.")
    _alter(admin, [_upsertion(user, password, access.sasl_mechanism)])


def drop(access: KafkaAccess, user: str) -> None:
    """Take a user's rights and then the user itself; nothing happens when there is none.

    The rights go first: they are asked for at each request, while a connection that stands outlives its user.
    """
    admin = admin_client(access)
    _delete(admin, _rights_of(admin, user))
    _told(lambda: not _rights_of(admin, user))
    if user in (there := _described(admin)):
        _alter(admin, [UserScramCredentialDeletion(user, mechanism) for mechanism in there[user]])
        _told(lambda: user not in _users(admin))


def words(right: AclBinding) -> str:
    """A right in words: `akto WRITE topic poec.ingress.akto`; one for many names ends in `*`."""
    many = "*" if right.resource_pattern_type == _PREFIXED else ""
    denied = "" if right.permission_type == AclPermissionType.ALLOW else "not "
    user = right.principal.removeprefix("User:")
    operation, kind = AclOperation(right.operation), ResourceType(right.restype)
    return f"{user} {denied}{operation.name} {kind.name.lower()} {right.name}{many}"


def _principal(user: str) -> str:
    return f"User:{user}"


def _allow(
    user: str, kind: ResourceType, name: str, pattern: ResourcePatternType, operation: AclOperation
) -> AclBinding:
    return AclBinding(kind, name, pattern, _principal(user), "*", operation, AclPermissionType.ALLOW)


def _upsertion(user: str, password: str, mechanism: Mechanism) -> UserScramCredentialUpsertion:
    return UserScramCredentialUpsertion(
        user, ScramCredentialInfo(_MECHANISMS[mechanism], ITERATIONS), password.encode()
    )


def _users(admin: AdminClient) -> set[str]:
    return set(_described(admin))


def _described(admin: AdminClient) -> dict[str, list[ScramMechanism]]:
    try:
        asked = cast("Future[Any]", admin.describe_user_scram_credentials(request_timeout=TIMEOUT))
        found = asked.result(TIMEOUT + 1)
    except KafkaException as failure:
        raise _refused("tell its users", failure) from None
    return {name: [info.mechanism for info in described.scram_credential_infos] for name, described in found.items()}


def _rights(admin: AdminClient) -> set[AclBinding]:
    any_name: Any = None  # the library's types do not know that it takes it
    everything = AclBindingFilter(
        *(ResourceType.ANY, any_name, ResourcePatternType.ANY, any_name, any_name),
        *(AclOperation.ANY, AclPermissionType.ANY),
    )
    try:
        return set(admin.describe_acls(everything, request_timeout=TIMEOUT).result(TIMEOUT + 1))
    except KafkaException as failure:
        raise _refused("tell its rights", failure) from None


def _rights_of(admin: AdminClient, user: str) -> set[AclBinding]:
    return {right for right in _rights(admin) if right.principal == _principal(user)}


def _told(condition: Callable[[], bool]) -> None:
    """Wait until a broker says what a controller has taken: it follows some tenths of a second behind."""
    if not wait_until(condition, TIMEOUT, 0.02):
        raise LocalError(f"Apache Kafka does not tell after {TIMEOUT:.0f} s what it was asked to change.")


def _alter(admin: AdminClient, changes: Sequence[UserScramCredentialAlteration]) -> None:
    if not changes:
        return
    for user, answer in admin.alter_user_scram_credentials(list(changes), request_timeout=TIMEOUT).items():
        try:
            answer.result(TIMEOUT + 1)
        except KafkaException as failure:
            raise _refused(f"change the user {user}", failure) from None


def _create(admin: AdminClient, given: set[AclBinding]) -> None:
    if not given:
        return
    for right, answer in admin.create_acls(list(given), request_timeout=TIMEOUT).items():
        try:
            answer.result(TIMEOUT + 1)
        except KafkaException as failure:
            raise _refused(f"give the right {words(right)}", failure) from None


def _delete(admin: AdminClient, taken: set[AclBinding]) -> None:
    if not taken:
        return
    exactly = [
        AclBindingFilter(
            one.restype,
            one.name,
            one.resource_pattern_type,
            one.principal,
            one.host,
            one.operation,
            one.permission_type,
        )
        for one in taken
    ]
    for answer in admin.delete_acls(exactly, request_timeout=TIMEOUT).values():
        try:
            answer.result(TIMEOUT + 1)
        except KafkaException as failure:
            raise _refused("take a right back", failure) from None


def _refused(what: str, failure: KafkaException) -> LocalError:
    error: KafkaError = failure.args[0]
    return LocalError(f"Apache Kafka did not {what} ({error.name()}).")
