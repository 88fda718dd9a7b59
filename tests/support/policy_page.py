"""The page of who may do what: the policy table beside the lifecycles' states and the doors, made from the code."""

from typing import Final

from shared.policy import POLICY, ROLES, Relation
from tests.support.operations import (
    AS_THE_SERVICE,
    DOCUMENT,
    HEALTH,
    SIGN_IN,
    STATES,
    http_doors,
    legal_states,
    topic_doors,
)

_SHOWN: Final[dict[Relation, str]] = {"own": "own", "any": "any", "not_author": "any¹"}
_HEADS: Final = {
    "opco": "OPCO",
    "region_reviewer": "Région",
    "pole_emploi_reviewer": "Pôle emploi",
    "entries": "entries (France Travail)",
    "carif_oref": "Carif-Oref",
    "training_provider": "training provider",
    "agency": "agency",
    "dreets": "DREETS",
    "operations": "operations",
    "administrator": "administrator",
    "worker": "a service’s worker",
}
_INTRODUCTION: Final = """\
# Who may do what

Made from `shared/policy.py`, the lifecycles of the services and their doors; `make docs` writes it again. What is not here is
refused. Asked by every route, page, consumer and command alike.

- **own**: objects of the caller’s own organisation; another one’s is answered exactly like one that does not exist (404, or
  `UNKNOWN` on the topic of results). **any**: whoever it belongs to. Empty: refused (403), before anything is looked for.
- ¹ but not on what one gave an avis on. Nobody can hold roles of two sides of a fiche: each role is of its organisations alone.
- A state that is not named is answered 409. “none yet”: the operation makes its object.
- The second net: row-level security shows a unit of work that is opened for an OPCO, an agency or a training provider no row of
  another organisation, whatever query a mistake leads to. Each net is tried alone, at every door (`tests/access/`).
"""


def page() -> str:
    """Return the page: the table of roles and states, then the doors of each operation."""
    return _INTRODUCTION + _one_net() + _table() + "\n## Doors\n\n" + _doors()


def _one_net() -> str:
    names = ", ".join(f"`{operation}`" for operation in AS_THE_SERVICE)
    why = "what is public, or what its own process alone may touch; there this table is the only net"
    return f"- A service acts as itself in {names}: {why}.\n\n"


def _table() -> str:
    heads = [_HEADS[role] for role in (*ROLES, "worker")]
    lines = [f"| operation | {' | '.join(heads)} | in which states |", "|---" * (len(heads) + 2) + "|"]
    for operation, row in POLICY.items():
        cells = [_SHOWN[row[role]] if role in row else "" for role in (*ROLES, "worker")]
        lines.append(f"| `{operation}` | {' | '.join(cells)} | {_states(operation)} |")
    return "\n".join(lines) + "\n"


def _states(operation: str) -> str:
    legal = legal_states(operation)
    if legal is None:
        return ""
    every = next((states for states in STATES.values() if set(legal) < set(states) or legal == states), ())
    if legal and legal == every:
        return "every one"
    missing = [state for state in every if state not in legal]
    if legal and 0 < len(missing) < len(legal):
        return f"every one but {', '.join(missing)}"
    return ", ".join(legal) or "none yet"


def _doors() -> str:
    found: dict[str, list[str]] = {operation: [] for operation in POLICY}
    shared: dict[str, set[str]] = {}
    for door in (*http_doors(), *topic_doors()):
        shared.setdefault(f"{door.operation} {door.name}", set()).add(door.service)
    for name, services in shared.items():
        operation, _, door_name = name.partition(" ")
        where = "every service" if len(services) == 4 else ", ".join(sorted(services))
        found[operation].append(f"{where}: `{door_name}`")
    lines = ["| operation | doors |", "|---|---|"]
    lines += [f"| `{operation}` | {'<br>'.join(doors)} |" for operation, doors in found.items()]
    open_ones = ", ".join(f"`{name}`" for name in sorted(HEALTH | DOCUMENT))
    signing = ", ".join(f"`{name}`" for name in sorted(SIGN_IN))
    people = f"Open to browsers of people who are nobody yet, or stop being somebody: {signing}."
    return "\n".join(lines) + f"\n\nOpen to everybody, as they tell nothing: {open_ones}.\n{people}\n"
