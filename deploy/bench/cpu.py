"""CPU time of each process of a run, in seconds of one core, children included."""

import os

import psutil

from deploy.local.runfile import Run


def cpu_seconds(run: Run) -> dict[str, float]:
    """Return CPU seconds used so far by each service, Kafka, PostgreSQL with its backends, and this process (`client`)."""
    used = {name: sum(_of(pid) for pid in set(service.pids.values())) for name, service in run.services.items()}
    used["kafka"] = sum(_of(pid) for pid in run.kafka.pids)
    used["postgresql"] = _of(run.postgres.pid, children=True) if run.postgres.pid else 0.0
    used["client"] = _of(os.getpid())
    return used


def _of(pid: int, *, children: bool = False) -> float:
    try:
        process = psutil.Process(pid)
        times = process.cpu_times()
        own = times.user + times.system
        if not children:
            return own
        # Backends that ended during the measurement are in the parent's account of its dead children.
        living = sum(_of(child.pid) for child in process.children(recursive=True))
        return own + living + times.children_user + times.children_system
    except psutil.NoSuchProcess:
        return 0.0


def per_fiche(before: dict[str, float], after: dict[str, float], fiches: int) -> dict[str, float]:
    """Return milliseconds of CPU per fiche between two readings."""
    return {name: round(1000 * (after[name] - before[name]) / fiches, 2) for name in after}
