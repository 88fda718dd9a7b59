"""Rules on the process: nothing of tests and of development around it, no user above others, every name meant."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from shared.production.rule import PROCESS, Case, Rule

FIRST_ADMINISTRATOR: Final = "POEC_FIRST_ADMINISTRATOR"
_DEBUGGING: Final = (
    "PYTHONASYNCIODEBUG", "PYTHONBREAKPOINT", "PYTHONDEBUG", "PYTHONDEVMODE", "PYTHONFAULTHANDLER", "PYTHONINSPECT",
    "PYTHONSTARTUP", "PYTHONTRACEMALLOC", "COVERAGE_PROCESS_START",
)  # fmt: skip


def _set(case: Case, names: Iterable[str]) -> list[str]:
    return [name for name in names if case.around.environment.get(name)]


def _faked(case: Case) -> list[str]:
    names = [name for name in case.around.environment if name.startswith("FAKETIME")]
    return names + [name for name in _loaders(case) if "faketime" in case.around.environment[name].lower()]


def _loaders(case: Case) -> list[str]:
    return _set(case, ("LD_PRELOAD", "LD_AUDIT", "DYLD_INSERT_LIBRARIES"))


def _unknown(case: Case) -> dict[str, str]:
    """Return the POEC_ names that this process does not read, each with the one that may have been meant."""
    known = sorted({*case.around.known, FIRST_ADMINISTRATOR})
    names = sorted(name for name in case.around.environment if name.upper().startswith("POEC_"))
    found = {name: get_close_matches(name.upper(), known, n=1) for name in names if name.upper() not in known}
    return {name: f"Was {near[0]} meant?" if near else "" for name, near in found.items()}


PROCESS_RULES: Final = (
    Rule(
        "SETTING_UNKNOWN", (),
        "Nothing of this process reads it: a name that is mistyped leaves its default in force.",
        "Correct or remove it (names that the platform adds itself: enableServiceLinks: false).",
        _unknown,
    ),
    Rule(
        "MODE_NOT_PRODUCTION", ("mode",),
        "In any other mode none of this is checked at start.",
        "Set POEC_MODE=production.",
        lambda case: case.settings.mode != "production",
    ),
    Rule(
        "CRASH_POINT_SET", ("crash_point",),
        "A crash point lets a process kill itself: it is for tests on one machine.",
        "Unset it.",
        lambda case: bool(case.settings.crash_point),
    ),
    Rule(
        "STDIN_WATCHED", ("stdin_watch",),
        "The process ends when its standard input is closed: that is for one that a supervisor on this machine holds.",
        "Unset it.",
        lambda case: case.settings.stdin_watch,
    ),
    Rule(
        "FIRST_ADMINISTRATOR_LEFT", (),
        "The first administrator is named to `migrate` once, and manages principals from then on.",
        "Remove it from the environment of running processes.",
        lambda case: _set(case, (FIRST_ADMINISTRATOR,)),
    ),
    Rule(
        "CLOCK_FAKED", (),
        "Expiry of tokens, deadlines and the trail hang on the real time.",
        "Remove faketime from the environment.",
        _faked,
    ),
    Rule(
        "LIBRARY_PRELOADED", (),
        "A library that is loaded first can stand in for any call.",
        "Unset it; an allocator that is meant is worth a waiver.",
        lambda case: [name for name in _loaders(case) if name not in _faked(case)],
        waivable=True,
    ),
    Rule(
        "TLS_KEYS_LOGGED", (),
        "The keys of every TLS connection are written to a file.",
        "Unset it.",
        lambda case: _set(case, ("SSLKEYLOGFILE",)),
    ),
    Rule(
        "INTERPRETER_DEBUGGED", (),
        "Switches for developers: they open prompts, run files of somebody's home, or slow everything down.",
        "Unset it.",
        lambda case: _set(case, _DEBUGGING) or ([PROCESS] if case.around.debugged else []),
    ),
    Rule(
        "ASSERTIONS_OFF", (),
        "Assertions stay on in production: what cannot be is to be found at once.",
        "Start without -O and PYTHONOPTIMIZE.",
        lambda case: _set(case, ("PYTHONOPTIMIZE",)) or ([PROCESS] if case.around.optimized else []),
    ),
    Rule(
        "RUNNING_AS_ROOT", (),
        "Who breaks into a process of root has the machine.",
        "Run it as a user of its own.",
        lambda case: case.around.root,
        kind="process",
    ),
    Rule(
        "DEVELOPMENT_CODE", (),
        "The development issuer, or the tests, can be imported here: an image holds `services` and `shared` alone.",
        "Remove these folders from the installation.",
        lambda case: {PROCESS: f"Found: {', '.join(case.around.development)}."} if case.around.development else (),
        kind="process",
    ),
)  # fmt: skip
