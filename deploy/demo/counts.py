"""From what analytics answers to the figures of the year, under the names of `figures.expected()`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

Number = int | float

_CODES: Final = {
    "validated": "validated",
    "engaged": "engaged",
    "ais": "ais",
    "mean_hours": "mean_hours",
    "committed": "committed",
    "refused": "refused",
    "withdrawn": "withdrawn",
    "completed": "completed",
    "adaptations_proposed": "adaptations",
    "adaptations_accepted": "adaptations.accepted",
    "adaptations_declined": "adaptations.declined",
    "adaptations_countered": "adaptations.countered",
    "postponed_within_year": "postponed.within_year",
    "postponed_to_next_year": "postponed.next_year",
    "ais_cancelled": "ais_cancelled",
}
"""Code of an indicator to the name of a figure."""


def counted(bilan: Mapping[str, Any], following: Mapping[str, Any] | None = None) -> dict[str, Number]:
    """Return every figure that a bilan (`GET /bilan/2021`) has, by its name, and of the next one's what is meant.

    What they lack is left out.
    """
    return {**dict(_counted(bilan)), **dict(_declared(following or {}))}


def _declared(following: Mapping[str, Any]) -> Iterator[tuple[str, Number]]:
    for indicator in following.get("indicators", ()):
        if indicator["code"] in ("declared", "validated") and indicator["value"] is not None:
            yield f"{indicator['code']}.next_year", indicator["value"]
    if meant := following.get("intended_by_opco"):
        yield "intended.next_year", sum(line["intended"] for line in meant)


def _counted(bilan: Mapping[str, Any]) -> Iterator[tuple[str, Number]]:
    for indicator in bilan.get("indicators", ()):
        if indicator["code"] in _CODES and indicator["value"] is not None:
            yield _CODES[indicator["code"]], indicator["value"]
    for share in bilan.get("not_engaged", ()):
        yield f"cancelled.{share['code']}", share["count"]
    for share in bilan.get("avis", ()):
        yield f"avis.{share['code']}", share["count"]
    yield from _placed(bilan.get("placements", ()))
    for line in bilan.get("by_opco", ()):
        for name in ("validated", "engaged", "ais"):
            yield f"opco.{line['key']}.{name}", line[name]
    for line in bilan.get("by_month", ()):
        for name in ("engaged", "ais"):
            yield f"month.{int(line['key'][5:])}.{name}", line[name]


def _placed(outcomes: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Number]]:
    """Yield the people of all OPCOs who finished, and those of them in a job; what is too small to be shown is left out."""
    for outcome in outcomes:
        for name in ("finishing", "placed"):
            if outcome["key"] == "total" and outcome[name] is not None:
                yield f"{name}.{outcome['moment']}", outcome[name]
