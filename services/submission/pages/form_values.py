"""What stands in the form: from what a browser posts to the fields of a draft, and back; rows added, rows taken away.

Nothing that was typed is judged here: fields keep their texts, right or wrong.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from services.submission.domain.preparation import Preparation
from services.submission.form_fields import Group, Rows, form, leaf_at
from services.submission.pages.form_choices import commune_in_words
from services.submission.pages.form_parts import Step
from services.submission.pages.form_steps import is_mark, is_several, step_of
from services.submission.reference.lists import ListName, reference_list
from shared.contracts.fiche import Intention
from shared.contracts.text import folded
from shared.errors import Objection
from shared.web.entry import Entry

Fields = Mapping[str, str]
_ROW: Final = re.compile(r"^[a-z_]+(\.([0-9]{1,2}|[a-z_]+)){0,4}$")


def typed_in(values: Mapping[str, Sequence[str]], step: Step | None = None) -> dict[str, str]:
    """Return the fields of a posted form, those of a step where one is named; boxes of one name become a list."""
    found: dict[str, str] = {}
    for name, texts in values.items():
        ticked = {f"{name}.{n}": text for n, text in enumerate(one for one in texts if one)}
        given = ticked if is_several(name) else {name: texts[-1] if texts else ""}
        found |= {path: text for path, text in given.items() if text and _stands_in(path, step)}
    return found


def _stands_in(path: str, step: Step | None) -> bool:
    return leaf_at(path) is not None and not is_mark(path) and (step is None or step.owns(path))


def merged(before: Fields, typed: Fields, step: Step) -> dict[str, str]:
    """Return a draft's fields with those of a step as they stand now; sessions get numbers, a commune known by name its code and zone."""
    kept = {path: text for path, text in before.items() if not step.owns(path)}
    return completed(kept | in_order_of(before, typed))


def in_order_of(before: Fields, typed: Fields) -> dict[str, str]:
    """Return fields whose ticked boxes stand in the order that they had, new ones after: boxes are shown in the order of their list."""
    found: dict[str, list[str]] = {}
    for path, text in typed.items():
        found.setdefault(_box_of(path), []).append(text)
    done = {path: text for path, text in typed.items() if not _box_of(path)}
    for name, texts in found.items():
        if name:
            had = [text for path, text in sorted(before.items(), key=_in_order) if _box_of(path) == name]
            ordered = [*(text for text in had if text in texts), *(text for text in texts if text not in had)]
            done |= {f"{name}.{n}": text for n, text in enumerate(ordered)}
    return done


def _box_of(path: str) -> str:
    """Return the group of boxes that a field is ticked in; empty where it is none."""
    name = path.rpartition(".")[0]
    return name if is_several(name) else ""


def completed(fields: Fields) -> dict[str, str]:
    """Return fields with what follows from others: numbers of sessions, the code of a commune given by its name, its employment zone."""
    done = _numbered({path: text for path, text in fields.items() if not is_mark(path)})
    communes = reference_list(ListName.COMMUNES).entries
    place = done.get("place.insee", "")
    if place and place not in communes:
        said = folded(place)
        named = [one.code for one in communes.values() if said in (folded(one.label), folded(commune_in_words(one)))]
        done["place.insee"] = named[0] if len(named) == 1 else place
    if (
        (commune := communes.get(done.get("place.insee", "")))
        and commune.zone_emploi
        and not done.get("place.zone_emploi")
    ):
        done["place.zone_emploi"] = commune.zone_emploi
    return done


def _numbered(fields: dict[str, str]) -> dict[str, str]:
    """Return fields whose sessions all have a number: those with anything else typed, and only those."""
    rows: dict[int, bool] = {}
    for path in fields:
        parts = path.split(".")
        if parts[0] == "sessions" and len(parts) > 2:
            rows[int(parts[1])] = rows.get(int(parts[1]), False) or parts[2] != "number"
    typed = (fields.get(f"sessions.{n}.number", "") for n in rows)
    taken = {int(text) for text in typed if text.isascii() and text.isdigit()}
    for row, something in sorted(rows.items()):
        name = f"sessions.{row}.number"
        if not something:
            fields.pop(name, None)
        elif not fields.get(name):
            number = max(taken, default=0) + 1
            taken.add(number)
            fields[name] = str(number)
    return fields


def without_row(fields: Fields, row: str) -> dict[str, str]:
    """Return fields without one row of a list, `sessions.1`; those after it move up."""
    of, _, at = row.rpartition(".")
    left: dict[str, str] = {}
    for path, text in fields.items():
        if path == row or path.startswith(f"{row}."):
            continue
        if path.startswith(f"{of}."):
            place, _, rest = path[len(of) + 1 :].partition(".")
            moved = int(place) - (int(place) > int(at))
            left[f"{of}.{moved}" + (f".{rest}" if rest else "")] = text
        else:
            left[path] = text
    return left


def is_row(name: str) -> bool:
    """Return whether a text names a row of a list of the form, `sessions.0.meetings.1`."""
    of, _, at = name.rpartition(".")
    return bool(_ROW.fullmatch(name)) and at.isascii() and at.isdigit() and is_list(of)


def is_list(name: str) -> bool:
    """Return whether a text names a list of the form."""
    plan: object = form()
    for part in name.split("."):
        if isinstance(plan, Rows) and part.isascii() and part.isdigit():
            plan = plan.each
        elif isinstance(plan, Group) and part in plan.members:
            plan = plan.members[part]
        else:
            return False
    return isinstance(plan, Rows)


def rows_of(fields: Iterable[str], of: str) -> int:
    """Return how many rows of a list stand in the form."""
    start = f"{of}."
    return max((int(path[len(start) :].split(".")[0]) + 1 for path in fields if path.startswith(start)), default=0)


def entry_of(fields: Fields, revision: int | None, objections: Sequence[Objection] = (), title: str = "") -> Entry:
    """Return the state of a form that shows these fields."""
    shown: dict[str, list[str]] = {}
    for path, text in sorted(fields.items(), key=_in_order):
        shown.setdefault(_box_of(path) or path, []).append(text)
    return Entry(shown, tuple(map(_on_group, objections)), title=title, revision=revision)


def entry_refused(entry: Entry) -> Entry:
    """Return a form whose objections to single boxes stand at their group."""
    return replace(entry, objections=tuple(map(_on_group, entry.objections)))


def _on_group(objection: Objection) -> Objection:
    name = _box_of(objection.field or "")
    return replace(objection, field=name) if name else objection


def _in_order(item: tuple[str, str]) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part) for part in item[0].split(".")]


def in_step(objections: Iterable[Objection], step: Step) -> list[Objection]:
    """Return what there is against the fields of a step."""
    return [one for one in objections if one.field and (found := step_of(one.field)) and found.slug == step.slug]


def of_typed(objections: Iterable[Objection], fields: Fields) -> list[Objection]:
    """Return what there is against what was typed, and nothing about what is missing still."""
    return [one for one in objections if one.code != "FORM_MISSING" and fields.get(one.field or "")]


def begun_with(held: Preparation) -> Fields:
    """Return the fields of a draft; of an intention without any, what it says already."""
    return held.fields or (_of_intention(held.intention) if held.intention else {})


def _of_intention(meant: Intention) -> dict[str, str]:
    said = {
        "programme_year": str(meant.programme_year),
        "title": meant.title,
        "rome": meant.rome,
        "formacodes.0": meant.main_formacode or "",
        "branch_idcc": meant.branch_idcc or "",
        "place.zone_emploi": meant.zone_emploi,
    }
    said |= {f"sessions.{n}.seats": str(meant.seats) for n in range(meant.sessions)}
    return _numbered({path: text for path, text in said.items() if text})
