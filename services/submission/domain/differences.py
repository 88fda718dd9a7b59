"""Two contents of a fiche side by side: every field in which they differ, by the name that people give it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from shared.contracts.fiche import FicheContent
from shared.contracts.field_labels import full_label

Plain: TypeAlias = str | int | bool | tuple[str, ...] | None
"""What stands in a field, as on the wire: dates as ISO texts, amounts in cents, a list of codes as a whole; None: nothing."""
Key: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True)
class Difference:
    """One field in which two contents differ.

    `path` is its place in the later content, or in the earlier one where it is gone; sessions are told apart by their numbers,
    wherever they stand in the lists, and so they are called in `label`.
    """

    path: str
    label: str
    before: Plain
    after: Plain


_ORDER: Final = {name: n for n, name in enumerate(FicheContent.model_fields)}


def differences(before: FicheContent, after: FicheContent) -> tuple[Difference, ...]:
    """Return the fields in which two contents differ, in the order of the fiche and of the sessions' numbers."""
    old, new = dict(_leaves(_aligned(before), ())), dict(_leaves(_aligned(after), ()))
    changed = [key for key in dict.fromkeys((*new, *old)) if new.get(key) != old.get(key)]
    changed.sort(key=lambda key: (_ORDER[str(key[0])], key[1] if key[0] == "sessions" else 0))
    return tuple(Difference(_path(key, after, before), _label(key), old.get(key), new.get(key)) for key in changed)


def _aligned(content: FicheContent) -> Mapping[str, Any]:
    """Return a content in its JSON form, with its sessions by number."""
    document = content.model_dump(mode="json")
    return {**document, "sessions": {plan["number"]: plan for plan in document["sessions"]}}


def _leaves(value: Any, at: Key) -> Iterator[tuple[Key, Plain]]:
    """Yield every field below a place with what stands in it; a list of objects by their places, a list of codes as one field."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, (*at, name))
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        for n, inner in enumerate(value):
            yield from _leaves(inner, (*at, n))
    elif isinstance(value, list):
        yield at, tuple(value) or None
    else:
        yield at, value


def _path(key: Key, *contents: FicheContent) -> str:
    """Return the path of a field in the first of these contents that has it."""
    if key[0] != "sessions":
        return _joined(key)
    numbers = next(listed for content in contents if key[1] in (listed := [plan.number for plan in content.sessions]))
    return _joined((key[0], numbers.index(int(key[1])), *key[2:]))


def _label(key: Key) -> str:
    """Return what people call a field; a session by its number."""
    path = _joined((key[0], int(key[1]) - 1, *key[2:]) if key[0] == "sessions" else key)
    label = full_label(path)
    assert label is not None, "a test compares the labels with the fields of the contract"
    return label


def _joined(key: Key) -> str:
    return ".".join(map(str, key))
