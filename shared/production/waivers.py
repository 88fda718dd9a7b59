"""Waivers: a rule that may be waived is waived in writing, in the configuration, and said again at every start.

`POEC_WAIVERS="CODE: reason; CODE: reason"`.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from shared.production.rule import Finding

SETTING: Final = "POEC_WAIVERS"
SHORTEST_REASON: Final = 15
"""Characters: less than that is no reason that somebody else understands."""


@dataclass(frozen=True)
class Judged:
    """What stands in the way of a start, what was waived (finding and reason), and codes of waivers that nothing needed."""

    findings: tuple[Finding, ...] = ()
    waived: tuple[tuple[Finding, str], ...] = ()
    unused: tuple[str, ...] = field(default=())


def read_waivers(text: str) -> dict[str, str]:
    """Return code to reason."""
    parts = [part.partition(":") for part in text.split(";") if part.strip()]
    return {code.strip(): reason.strip() for code, _, reason in parts}


def objections(text: str, waivable: Collection[str], known: Collection[str]) -> list[Finding]:
    """Return what is wrong with the waivers themselves; codes are shown only where they are codes of rules."""
    found = []
    for code, reason in read_waivers(text).items():
        if code not in known:
            found.append(_finding("WAIVER_UNKNOWN", "A waiver names no rule.", "Correct its code, or remove it."))
        elif code not in waivable:
            found.append(_finding("WAIVER_NOT_ALLOWED", f"{code} cannot be waived.", "Do what the rule asks."))
        elif len(reason) < SHORTEST_REASON:
            text = f"Write why, in at least {SHORTEST_REASON} characters: CODE: reason; CODE: reason."
            found.append(_finding("WAIVER_WITHOUT_REASON", f"{code} is waived without a reason.", text))
    return found


def _finding(code: str, why: str, do: str) -> Finding:
    return Finding(code, SETTING, why, do)


def sorted_out(findings: Iterable[Finding], waivers: str, waivable: Collection[str]) -> Judged:
    """Part findings into those that stand and those that are waived."""
    reasons = {code: reason for code, reason in read_waivers(waivers).items() if code in waivable}
    reasons = {code: reason for code, reason in reasons.items() if len(reason) >= SHORTEST_REASON}
    listed = list(findings)
    needed = {finding.code for finding in listed}
    return Judged(
        tuple(finding for finding in listed if finding.code not in reasons),
        tuple((finding, reasons[finding.code]) for finding in listed if finding.code in reasons),
        tuple(code for code in reasons if code not in needed),
    )
