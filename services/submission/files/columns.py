"""The columns of a file of fiches: the leaves of `FicheContent`, each with its French header, how it is typed, its closed list.

One row is one fiche with one session and one meeting. A further session, or a further meeting, is a further row under the
same reference: a fiche may have 20 sessions of 10 meetings, and columns for all of them would be 1,200.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as of
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from services.submission.files.headers import BESIDE_LABELS, COMMENTS, WHOLE_LABELS
from services.submission.form_fields import Kind, Leaf, leaf_at
from services.submission.reference.lists import Entry, ListName, reference_list
from shared.contracts.fiche import FicheContent
from shared.contracts.field_labels import field_label, full_label
from shared.contracts.labels import LABELS
from shared.contracts.references import OutsideMotive


class Level(StrEnum):
    """What a column is about: the fiche, one of its sessions, one meeting of that session."""

    FICHE = "fiche"
    SESSION = "session"
    MEETING = "meeting"


@dataclass(frozen=True)
class Column:
    """A column: `path` is the place of its value in a request (`hours.total`, `sessions.meetings.on`).

    `typed` is the form's own field; `many`: several values in a cell; `digits`: how many digits a code has.
    `choices`: code to label where there is a list; `doubtful`: the labels of several codes.
    """

    path: str
    header: str
    help: str
    typed: Leaf
    required: bool = False
    many: bool = False
    digits: int = 0
    choices: Mapping[str, str] = of(default_factory=dict)
    doubtful: frozenset[str] = frozenset()

    @property
    def level(self) -> Level:
        """Return what the column is about."""
        if self.path.startswith("sessions.meetings."):
            return Level.MEETING
        return Level.SESSION if self.path.startswith("sessions.") else Level.FICHE

    @property
    def is_time(self) -> bool:
        """Return whether a time of the day stands in it."""
        return self.path.endswith(".starts_at")


_TEXT: Final = Leaf(Kind.TEXT)
REFERENCE: Final = "reference"
ACKNOWLEDGED: Final = "acknowledged"
OUTSIDE_MOTIVE: Final = "outside_campaign.motive"
OUTSIDE_REASON: Final = "outside_campaign.reason"
BESIDE: Final = frozenset({REFERENCE, ACKNOWLEDGED, OUTSIDE_MOTIVE, OUTSIDE_REASON})
"""What a filing says beside its content."""
_LISTS: Final[Mapping[str, ListName]] = {
    "branch_idcc": ListName.BRANCHES,
    "rome": ListName.ROME,
    "formacodes": ListName.FORMACODES,
    "nsf": ListName.NSF,
    "place.insee": ListName.COMMUNES,
    "place.zone_emploi": ListName.ZONES,
    "audiences": ListName.AUDIENCES,
}
"""Lists whose codes are texts in the contract."""
_DIGITS: Final = re.compile(r"^\^\[0-9\]\{([0-9])\}\$$")
_SAME_DIGITS: Final = {"place.insee": 5}


@cache
def columns() -> tuple[Column, ...]:
    """Return every column, in the order of the template."""
    leaves = tuple(_leaves(FicheContent, "", True))
    return (
        _beside(REFERENCE, required=True),
        *(leaf for leaf in leaves if leaf.level is Level.FICHE),
        *(leaf for leaf in leaves if leaf.level is Level.SESSION),
        *(leaf for leaf in leaves if leaf.level is Level.MEETING),
        _beside(ACKNOWLEDGED, many=True),
        _beside(OUTSIDE_MOTIVE, Leaf(Kind.CHOICE), choices=LABELS[OutsideMotive]),
        _beside(OUTSIDE_REASON),
    )


def _beside(
    path: str,
    typed: Leaf = _TEXT,
    required: bool = False,
    many: bool = False,
    choices: Mapping[str, str] | None = None,
) -> Column:
    return Column(path, BESIDE_LABELS[path], COMMENTS[path], typed, required, many, choices=choices or {})


def _leaves(model: type[BaseModel], prefix: str, required: bool) -> Iterator[Column]:
    for name, info in model.model_fields.items():
        path = f"{prefix}{name}"
        needed = required and info.is_required()
        annotation, many = _bare(info.annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from _leaves(annotation, f"{path}.", needed)
        else:
            yield _column(path, annotation, info, needed, many)


def _bare(annotation: Any) -> tuple[Any, bool]:
    """Return the type of one value without its marks, and whether there may be several."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _bare(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return _bare(next(one for one in get_args(annotation) if one is not type(None)))
    if origin is tuple:
        return _bare(get_args(annotation)[0])[0], True
    return annotation, False


def _column(path: str, annotation: Any, info: FieldInfo, required: bool, many: bool) -> Column:
    leaf = leaf_at(place(path, many))
    assert leaf is not None, f"{path} is a field of the form"
    header, comment = field_label(place(path)) or path, COMMENTS.get(path, "")
    digits = _SAME_DIGITS.get(path, 0) or _digits(info.metadata, info.annotation)
    if path in _LISTS:
        entries = reference_list(_LISTS[path]).entries.values()
        choices, twice = _unique(entries)
        return Column(path, header, comment, leaf, required, many, digits, choices, twice)
    choices = LABELS.get(annotation) or dict.fromkeys(leaf.choices, "")
    return Column(path, header, comment, leaf, required, many, digits, choices)


def _unique(entries: Iterable[Entry]) -> tuple[Mapping[str, str], frozenset[str]]:
    """Return code to label, and the labels that more than one code has: such a label alone says nothing."""
    choices = {entry.code: entry.label for entry in entries}
    counted = Counter(map(plain, choices.values()))
    return choices, frozenset(label for label, times in counted.items() if times > 1)


def place(path: str, many: bool = False, session: int = 0, meeting: int = 0, value: int = 0) -> str:
    """Return the place in the form of a column's value: `sessions.meetings.on` is `sessions.0.meetings.0.on`."""
    found = path.replace("sessions.", f"sessions.{session}.", 1).replace(".meetings.", f".meetings.{meeting}.", 1)
    return f"{found}.{value}" if many else found


def _digits(metadata: Any, annotation: Any) -> int:
    """Return how many digits the pattern of a code asks for, 0 where it asks for something else."""
    for one in metadata:
        if match := _DIGITS.match(getattr(one, "pattern", None) or ""):
            return int(match[1])
    inner = get_args(annotation)
    if get_origin(annotation) is Annotated:
        marks = [one.metadata for one in inner[1:] if isinstance(one, FieldInfo)]
        return next((digits for metadata in marks if (digits := _digits(metadata, None))), 0)
    return next((digits for one in inner if one is not ... and (digits := _digits((), one))), 0)


def plain(text: str) -> str:
    """Return a text as headers and choices are compared: without case, accents, marks and double spaces."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[^a-z0-9]+", " ", bare.lower()).split())


@cache
def by_header() -> Mapping[str, Column]:
    """Return the columns by what a header cell may say: the French header, or the path."""
    return {plain(name): column for column in columns() for name in (column.path, column.header)}


def said_place(field: str | None) -> str:
    """Return an objection's field in the words of the table, with the session or meeting it is about; as it is where it is none."""
    path = (field or "").removeprefix("content.")
    return full_label(path) or BESIDE_LABELS.get(path) or WHOLE_LABELS.get(path) or path
