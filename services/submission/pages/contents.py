"""A content as people read it: French labels and values by sections, and what differs between two contents."""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from stdnum.fr import siret

from services.submission.domain import differences as compared
from services.submission.form_fields import Kind, leaf_at
from services.submission.reference import tables
from shared.contracts import references as known
from shared.contracts.fiche import FicheContent
from shared.contracts.field_labels import FICHE, field_label
from shared.contracts.labels import LABELS
from shared.web import french

_PLACE: Final = re.compile(r"\.[0-9]+")
_CODES: Final[Mapping[str, type[StrEnum]]] = {
    "kind": known.FicheKind,
    "need.origin": known.NeedOrigin,
    "target_contracts": known.TargetContract,
    "follow_up.kind": known.FollowUpKind,
    "derogation.level": known.DerogationLevel,
    "procurement": known.ProcurementState,
    "sourcing.pilots": known.SourcingPilot,
}
"""Fields whose codes are labelled."""
_NAMED: Final[Mapping[str, Callable[[str], str]]] = {
    "place.zone_emploi": lambda code: known.ZONES_EMPLOI.get(code, code),
    "audiences": lambda code: known.AUDIENCES.get(code, code),
    "rome": lambda code: _beside(code, tables.rome().get(code)),
    "branch_idcc": lambda code: _beside(code, tables.branches().get(code)),
    "nsf": lambda code: _beside(code, tables.nsf().get(code)),
    "formacodes": lambda code: _beside(code, found.label if (found := tables.formacodes().get(code)) else None),
    "place.insee": lambda code: _beside(code, found.name if (found := tables.communes().get(code)) else None),
}
"""Fields whose codes are known by a name, which stands beside the code where the code is of use."""
SECTIONS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (
        "Le besoin",
        ("programme_year", "kind", "branch_idcc", "need", "companies", "hires_announced", "shortage", "target_contracts", "follow_up"),
    ),
    (
        "La formation",
        ("title", "objective", "contents", "prerequisites", "rome", "formacodes", "nsf", "certification", "hours", "derogation",
         "modalities"),
    ),
    ("L’organisme et le lieu", ("provider", "trainer", "procurement", "tender", "place")),
    ("Le public et les candidats", ("audiences", "sourcing", "contact")),
    ("Le coût d’une session", ("money",)),
)  # fmt: skip
"""The parts of a fiche in the order of reading, each with the members of the content that it shows; sessions have a table."""


def sections(content: FicheContent) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the sections with the labels and values of what was filled in; sessions apart."""
    document = content.model_dump(mode="json")
    return [
        (
            title,
            [(_label(path), as_read(path, value)) for name in members for path, value in _leaves(document[name], name)],
        )
        for title, members in SECTIONS
    ]


def differences(before: FicheContent, after: FicheContent) -> list[tuple[str, str, str]]:
    """Return the fields in which two contents differ: label, value before, value after; nothing is an empty text."""
    return [
        (one.label.removesuffix(_UNIT), as_read(one.path, one.before), as_read(one.path, one.after))
        for one in compared.differences(before, after)
    ]


def label_of(path: str) -> str:
    """Return the French label of a field by its path; of one that is not known, the path."""
    return field_label(path) or path


def as_read(path: str, value: Any) -> str:
    """Return a field's value, as it is on the wire, as it is read; a list of codes is one text, nothing an empty one."""
    if value is None or value in ((), []):
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(as_read(f"{path}.{n}", one) for n, one in enumerate(value))
    column = _PLACE.sub("", path)
    if column in _CODES:
        return LABELS[_CODES[column]][value]
    if column in _NAMED:
        return _NAMED[column](value)
    if column.endswith(".siret") and siret.is_valid(value):
        return str(siret.format(value))
    return _plain(path, column, value)


def _plain(path: str, column: str, value: Any) -> str:
    leaf = leaf_at(path)
    kind = leaf.kind if leaf else Kind.TEXT
    if kind is Kind.WHOLE:
        return french.hours(value) if column.startswith("hours.") or column == "derogation.cap" else str(value)
    return _AS_READ.get(kind, str)(value)


_UNIT: Final = " (euros)"
_AS_READ: Final[Mapping[Kind, Callable[[Any], str]]] = {
    Kind.DATE: lambda iso: french.long_date(dt.date.fromisoformat(iso)),
    Kind.EUROS: french.euros,
    Kind.YES_NO: lambda yes: "Oui" if yes else "Non",
}
"""How values are read that are no texts."""


def _beside(code: str, name: str | None) -> str:
    return f"{name} ({code})" if name else code


def _label(path: str) -> str:
    return FICHE[path].removesuffix(_UNIT)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield every field below a path that was filled in."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}")
    elif value not in (None, "", []):
        yield path, value
