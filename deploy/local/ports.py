"""Loopback ports: finding free ones, and checking that the one who listens is really ours."""

import random
import socket
from collections.abc import Collection, Iterable

import psutil

LOOPBACK = "127.0.0.1"
# Below the ports that systems lend to outgoing connections (32768 and up), so that a kept port stays free between runs.
FIRST, LAST = 21_000, 31_999


def is_free(port: int) -> bool:
    """True when we could listen on 127.0.0.1:`port` now; connections of a dead listener that linger do not count."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port(taken: Collection[int] = ()) -> int:
    """A loopback port nobody listens on, none of `taken`; it is only found, not held, so verify the listener later."""
    for _ in range(200):
        port = random.randint(FIRST, LAST)
        if port not in taken and is_free(port):
            return port
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:  # a machine that is nearly full: let it choose
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def free_ports(count: int, taken: Collection[int] = ()) -> list[int]:
    """`count` different free loopback ports, none of `taken`."""
    found: list[int] = []
    while len(found) < count:
        found.append(free_port([*taken, *found]))
    return found


def keep_or_choose(kept: int | None, taken: Collection[int] = ()) -> int:
    """The port of the last run when it is free, else another one."""
    return kept if kept is not None and kept not in taken and is_free(kept) else free_port(taken)


def family(pid: int) -> list[psutil.Process]:
    """The process and all its living descendants; empty when it is gone."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _listening(process: psutil.Process) -> set[int]:
    try:
        connections = process.net_connections(kind="tcp")
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return set()
    return {found.laddr.port for found in connections if found.status == psutil.CONN_LISTEN}


def listening_ports(pid: int) -> set[int]:
    """TCP ports on which the process or one of its descendants listens."""
    return {port for process in family(pid) for port in _listening(process)}


def is_ours(port: int, pid: int) -> bool:
    """True when the listener on `port` is the process `pid` or one of its descendants."""
    return port in listening_ports(pid)


def listener_pid(port: int, among: Iterable[int] | None = None) -> int | None:
    """Pid of the process listening on `port`: nobody, or a process we may not look into, gives None.

    `among` limits the search to these processes and their descendants.
    """
    if among is not None:
        candidates = (process for pid in among for process in family(pid))
        return next((process.pid for process in candidates if port in _listening(process)), None)
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:  # macOS shows other users' sockets to root only
        return None
    return next(
        (c.pid for c in connections if c.status == psutil.CONN_LISTEN and c.laddr and c.laddr.port == port), None
    )


def describe_listener(port: int) -> str:
    """Who holds the port, for an error message: the pid and name when they can be seen."""
    pid = listener_pid(port)
    if pid is None:
        return "a program that cannot be seen from this account"
    try:
        return f"process {pid} ({psutil.Process(pid).name()})"
    except psutil.NoSuchProcess:
        return f"process {pid}, gone meanwhile"
