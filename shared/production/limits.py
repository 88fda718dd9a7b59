"""Rules on figures: a limit that is switched off by an absurd value is no limit, and what is kept is kept for a time."""

from typing import Final

from shared.production.rule import Case, Rule, env

BOUNDS: Final[dict[str, tuple[float, float]]] = {
    "receive_seconds": (1, 60),
    "connections": (10, 65_000),
    "connections_per_address": (1, 65_000),
    "rate_per_second": (0.1, 5_000),
    "rate_burst": (1, 10_000),
    "rate_people_per_second": (0.1, 200),
    "rate_people_burst": (1, 400),
    "sign_ins_per_minute": (1, 120),
    "in_flight_per_principal": (1, 5_000),
    "pool_size": (2, 200),
    "relay_batch": (1, 20_000),
    "relay_poll_seconds": (0.01, 60),
    "relay_timeout_seconds": (1, 300),
    "inbox_batch": (1, 5_000),
    "inbox_linger_ms": (0, 10_000),
    "session_timeout_ms": (6_000, 300_000),
    "reconcile_seconds": (1, 3_600),
    "outbox_high_water": (1_000, 5_000_000),
}
"""Setting to the least and the most that production takes; both are still taken."""
LONGEST_GRACE_SECONDS: Final = 3 * 86_400
LONGEST_ANSWERS_HOURS: Final = 72
LONGEST_LETTERS_DAYS: Final = 90


def _outside(case: Case) -> dict[str, str]:
    given = {name: getattr(case.settings, name, None) for name in BOUNDS}
    return {
        env(name): f"Here: {BOUNDS[name][0]:g} to {BOUNDS[name][1]:g}."
        for name, value in given.items()
        if value is not None and not BOUNDS[name][0] <= value <= BOUNDS[name][1]
    }


def _kept_too_long(case: Case) -> list[str]:
    settings = case.settings
    longest = {
        "retain_answers_hours": (settings.retain_answers_hours, LONGEST_ANSWERS_HOURS),
        "retain_letters_days": (settings.retain_letters_days, LONGEST_LETTERS_DAYS),
    }
    return [env(name) for name, (value, most) in longest.items() if value is not None and value > most]


LIMIT_RULES: Final = (
    Rule(
        "LIMIT_OUT_OF_BOUNDS", (),
        "Beyond these bounds a limit no longer holds anything back, or holds everything back.",
        "Give a value within the bounds.",
        _outside,
    ),
    Rule(
        "RATES_CONTRADICT", ("rate_people_per_second", "rate_per_second"),
        "A person would be let in more often than a machine: the two are exchanged.",
        "Give people the lower rate.",
        lambda case: case.settings.rate_people_per_second > case.settings.rate_per_second,
    ),
    Rule(
        "CONNECTIONS_CONTRADICT", ("connections_per_address", "connections", "trusted_proxies"),
        "Behind a proxy all connections come from its address: fewer per address than in all turns callers away early.",
        "Give both the same value.",
        lambda case: bool(case.settings.trusted_proxies)
        and case.settings.connections_per_address < case.settings.connections,
    ),
    Rule(
        "KEYS_GRACE_LONG", ("keys_grace_seconds",),
        "For so long keys are trusted that the issuer may have withdrawn meanwhile.",
        f"Give at most {LONGEST_GRACE_SECONDS // 86_400} days in seconds, and more than none.",
        lambda case: not 0 < case.settings.keys_grace_seconds <= LONGEST_GRACE_SECONDS,
        waivable=True,
    ),
    Rule(
        "RETENTION_LONG", (),
        "What is no longer needed is not kept: answers for three days, the content of settled letters for ninety.",
        "Give a shorter time, or write down what the longer one is for.",
        _kept_too_long,
        waivable=True,
    ),
    Rule(
        "LOG_LEVEL", ("log_level",),
        "DEBUG says more than is meant for logs, ERROR and above hide who was refused.",
        "Use INFO or WARNING.",
        lambda case: case.settings.log_level not in ("INFO", "WARNING"),
        waivable=True,
    ),
)  # fmt: skip
