"""What a form shows: the values typed or found, and every objection and warning where it belongs."""

import dataclasses
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.contracts.field_labels import full_label
from shared.errors import Objection, Refused


def new_key() -> str:
    """Return an idempotency key for one form: sent twice, it is carried out once."""
    return secrets.token_urlsafe(18)


@dataclass(frozen=True)
class Entry:
    """The state of one form. `Entry(values)` is a fresh one; `Posted.entry(refused)` one that comes back with objections.

    `values` are texts by the names of fields; lists belong to fields that may be repeated.
    """

    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    objections: tuple[Objection, ...] = ()
    warnings: tuple[Objection, ...] = ()
    title: str = ""
    """What the refusal is, as a whole; empty for a form that was not refused."""
    code: str = ""
    key: str = field(default_factory=new_key)
    revision: int | None = None
    labels: dict[str, str] = field(default_factory=dict, compare=False, repr=False)
    """What the form calls its fields; its macros write it, and `render` shows the form again once they have."""

    @classmethod
    def of(cls, values: Mapping[str, object], revision: int | None = None) -> "Entry":
        """Return a fresh form that is filled in: None is empty, a list repeats its field, everything else is its text."""
        return cls({name: _texts(value) for name, value in values.items()}, revision=revision)

    def value(self, name: str) -> str:
        """Return a field's value; empty where there is none."""
        return next(iter(self.values.get(name, ())), "")

    def chosen(self, name: str, value: str) -> bool:
        """Return whether a choice is among a field's values."""
        return value in self.values.get(name, ())

    def against(self, name: str) -> list[Objection]:
        """Return what there is against a field."""
        return [objection for objection in self.objections if objection.field == name]

    def lead(self, objection: Objection) -> str:
        """Return the label of an objection's field, « Session 2\u202f: Premier jour », which its sentence in a summary begins with.

        Empty where the field has none, or where the sentence names it already.
        """
        label = self._label(objection.field).rstrip(" ?\u202f") if objection.field else ""
        return "" if label in objection.message else label

    def _label(self, name: str) -> str:
        """Return a field's label: of a list's element with its place, of a part that the form has as a whole the whole's."""
        if name in self.labels and not any(part.isdigit() for part in name.split(".")):
            return self.labels[name]
        if of_a_fiche := full_label(name):
            return of_a_fiche
        places = [int(part) + 1 for part in name.split(".") if part.isdigit()]
        if name in self.labels:
            return f"{self.labels[name]} n°\u00a0{places[0]}"
        whole = name.rpartition(".")[0]
        return self._label(whole) if whole else ""

    @property
    def wrong(self) -> bool:
        """Return whether the form came back with something against it, warnings apart."""
        return bool(self.objections) or (bool(self.title) and not self.warnings)

    def refused(self, refused: Refused | None, strip: str = "") -> "Entry":
        """Return the same form with a refusal; fields lose `strip` at their beginning."""
        if refused is None:
            return self
        named = [dataclasses.replace(o, field=_without(o.field, strip)) for o in refused.objections]
        warned = [dataclasses.replace(o, field=_without(o.field, strip)) for o in refused.warnings]
        return dataclasses.replace(
            self, objections=tuple(named), warnings=tuple(warned), title=refused.title, code=refused.code
        )


def _texts(value: object) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(str(one) for one in value)
    return (str(value),)


def _without(name: str | None, beginning: str) -> str | None:
    return name.removeprefix(beginning) if name else name
