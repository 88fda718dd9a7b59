"""What the steps of the form are made of: fields, parts, steps, and the short ways to write them down.

A path is the contract's with `*` for the elements of lists; labels are those of `shared/contracts/field_labels.py`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from services.submission.reference.lists import ListName
from shared.contracts.field_labels import FICHE

REVIEWERS: Final = "la Région, Pôle emploi et la DREETS"


@dataclass(frozen=True)
class Box:
    """One field: `widget` is its macro, `choices` the list it is chosen from, `offers` the list that helps to type it.

    `several`: the boxes of a list are ticked, under one name; `least` and `most` count the inputs of a list that is typed.
    """

    path: str
    widget: str
    hint: str = ""
    required: bool = False
    width: str = "l"
    suffix: str = ""
    choices: ListName | None = None
    offers: ListName | None = None
    visible_by: str = ""
    maxlength: int = 0
    least: int = 0
    most: int = 0
    label: str = ""

    @property
    def name(self) -> str:
        """Return what people call the field."""
        return self.label or FICHE[self.path]

    @property
    def each(self) -> str:
        """Return what people call one element of a list."""
        return FICHE[f"{self.path}.*"]

    @property
    def is_short(self) -> bool:
        """Return whether it takes little room."""
        return self.width in ("xs", "s") and not self.most

    @property
    def several(self) -> bool:
        """Return whether it is a group of boxes of one name."""
        return self.widget == "boxes"

    @property
    def patterns(self) -> tuple[str, ...]:
        """Return the paths that it holds, elements of lists as `*`."""
        return (f"{self.path}.*",) if self.several or self.most else (self.path,)


@dataclass(frozen=True)
class Part:
    """Fields under one title; `rows`: they repeat for each element of that list (`within` it, another list)."""

    title: str
    boxes: tuple[Box, ...]
    hint: str = ""
    rows: str = ""
    within: "Part | None" = None

    @property
    def lines(self) -> tuple[tuple[Box, ...], ...]:
        """Return the fields line by line: short ones side by side, each other one alone."""
        lines: list[tuple[Box, ...]] = []
        for box in self.boxes:
            if box.is_short and lines and lines[-1][0].is_short:
                lines[-1] += (box,)
            else:
                lines.append((box,))
        return tuple(lines)


@dataclass(frozen=True)
class Step:
    """One page of the form."""

    slug: str
    title: str
    about: str
    parts: tuple[Part, ...]
    groups: tuple[str, ...] = ()
    """Fields that are not shown: marks of parts that a fiche may lack (what is typed in them says that they are there), numbers."""

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Return every field of the step, those of lists too."""
        inner = [part.within for part in self.parts if part.within]
        return tuple(box for part in (*self.parts, *inner) for box in part.boxes)

    def owns(self, path: str) -> bool:
        """Return whether a field of a form stands in this step, the mark that an optional group is there too."""
        return pattern(path) in self.patterns

    @cached_property
    def patterns(self) -> frozenset[str]:
        """Return the paths that it holds, elements of lists as `*`."""
        return frozenset([*(one for box in self.boxes for one in box.patterns), *self.groups])


def pattern(path: str) -> str:
    """Return a path with its places in lists as `*`."""
    return ".".join("*" if part.isdigit() else part for part in path.split("."))


def line(path: str, hint: str = "", *, required: bool = True, width: str = "l", maxlength: int = 0, **more: Any) -> Box:
    """Return a line of text."""
    return Box(path, "text", hint, required, width, maxlength=maxlength, **more)


def area(path: str, hint: str = "", *, required: bool = True, maxlength: int = 3000) -> Box:
    """Return a longer text, read by those who review."""
    return Box(path, "area", hint, required, visible_by=REVIEWERS, maxlength=maxlength)


def whole(path: str, hint: str = "", *, required: bool = True, suffix: str = "", label: str = "") -> Box:
    """Return a whole number."""
    return Box(path, "number", hint, required, "xs", suffix, label=label)


def euros(path: str, label: str, hint: str = "", *, required: bool = False) -> Box:
    """Return an amount in euros."""
    return Box(path, "money", hint, required, "s", "€", label=label)


def day(path: str, hint: str = "", *, required: bool = True) -> Box:
    """Return a day."""
    return Box(path, "date", hint, required, "s")


def choice(path: str, choices: ListName, hint: str = "", *, required: bool = True) -> Box:
    """Return one of a long list."""
    return Box(path, "select", hint, required, choices=choices)


def radios(path: str, choices: ListName, hint: str = "", *, required: bool = True) -> Box:
    """Return one of a short list."""
    return Box(path, "radios", hint, required, choices=choices)


def ticked(path: str, choices: ListName | None, hint: str = "", *, required: bool = True) -> Box:
    """Return several of a short list."""
    return Box(path, "boxes", hint, required, choices=choices)


def address_of(of: str) -> tuple[Box, ...]:
    """Return the fields of an address."""
    return (
        Box(
            f"{of}.address.lines",
            "list",
            "Voie et bâtiment, 50 caractères par ligne.",
            True,
            "l",
            maxlength=50,
            least=2,
            most=4,
        ),
        line(f"{of}.address.postal_code", width="xs", maxlength=5),
        line(f"{of}.address.city", maxlength=50),
    )
