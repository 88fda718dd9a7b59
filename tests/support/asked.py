"""Which operations of the policy table are asked, where, and by which routes: read from the source with `ast`.

An operation is asked where `authorize` gets its name: directly, through functions that hand a parameter `operation` on, or as the
`operation` of a row, whose name then stands where the service makes its rows (`Deed(operation="engage_session", …)`).
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.support.source_tree import Module, modules

Function = ast.FunctionDef | ast.AsyncFunctionDef
_METHODS: Final = frozenset({"get", "post", "put", "patch", "delete"})
_OPEN: Final = frozenset(
    {"livez", "readyz", "metrics", "sign_in", "sign_in_callback", "sign_out", "signed_out"}
    | {"accessibility_page", "legal_page", "static_file"}
)
"""Health: asked by machines that hold no token, and says nothing about a fiche. Sign-in: asked by who is nobody yet; sign-out: by
whoever has a session, whatever their roles became meanwhile. What is the same for everybody: two pages, and the files they load."""


@dataclass
class Asking:
    """What a tree asks: operation to the places where it is asked; routes that ask nothing; names that are computed."""

    operations: dict[str, list[str]] = field(default_factory=dict)
    silent_routes: list[str] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)


def asking(root: Path) -> Asking:
    """Return what the services and `shared` ask of the policy table."""
    found = Asking()
    looked_at = [m for m in modules(root) if m.parts[0] == "services" or m.parts[0] == "shared"]
    for module in looked_at:
        _literals(module, looked_at, found)
    for module in looked_at:
        near = [m for m in looked_at if m.parts[0] == "shared" or m.parts[:2] == module.parts[:2]]
        _routes(module, near, found)
    return found


def _functions(module: Module) -> Iterator[Function]:
    return (node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _literals(module: Module, everywhere: list[Module], found: Asking) -> None:
    """Take the operation of every call of `authorize`, and of every call of a function that hands one on."""
    for function in _functions(module):
        if function.name == "authorize":
            continue
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call) and _name(node.func) == "authorize"):
            operation = call.args[1] if len(call.args) > 1 else None
            place = f"{module.path}:{call.lineno}"
            if isinstance(operation, ast.Constant) and isinstance(operation.value, str):
                found.operations.setdefault(operation.value, []).append(place)
            elif isinstance(operation, ast.Name) and (owner := _owner(module, operation.id, call)) is not None:
                _handed_on(owner, operation.id, module, found)
            elif isinstance(operation, ast.Attribute) and operation.attr == "operation":
                _of_rows([m for m in everywhere if m.parts[:2] == module.parts[:2]], place, found)
            else:
                found.unclear.append(place)


def _of_rows(near: list[Module], place: str, found: Asking) -> None:
    """Take the operations that the rows of a service name; one that is computed, or a service without rows, is unclear."""
    calls = [node for module in near for node in ast.walk(module.tree) if isinstance(node, ast.Call)]
    values = [keyword.value for call in calls for keyword in call.keywords if keyword.arg == "operation"]
    for value in values:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            found.operations.setdefault(value.value, []).append(place)
    if not values or not all(isinstance(value, ast.Constant) for value in values):
        found.unclear.append(place)


def _owner(module: Module, parameter: str, call: ast.Call) -> Function | None:
    """Return the outermost function around a call that has this parameter."""
    for function in _functions(module):
        named = parameter in {a.arg for a in (*function.args.args, *function.args.kwonlyargs)}
        if named and any(node is call for node in ast.walk(function)):
            return function
    return None


def _handed_on(function: Function, parameter: str, module: Module, found: Asking) -> None:
    """Take the operations that a function is called with, in its own module: such functions are private."""
    place = [a.arg for a in function.args.args].index(parameter)
    for call in (node for node in ast.walk(module.tree) if isinstance(node, ast.Call) and _name(node.func) == function.name):
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        value = keywords.get(parameter, call.args[place] if len(call.args) > place else None)
        where = f"{module.path}:{call.lineno}"
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            found.operations.setdefault(value.value, []).append(where)
        else:
            found.unclear.append(where)


def _routes(module: Module, near: list[Module], found: Asking) -> None:
    bodies = _bodies(near)
    for function in _functions(module):
        if _is_route(function) and function.name not in _OPEN and not _reaches(function, bodies):
            found.silent_routes.append(f"{module.path}:{function.lineno} {function.name}")


def _is_route(function: Function) -> bool:
    calls = (d.func for d in function.decorator_list if isinstance(d, ast.Call))
    return any(isinstance(f, ast.Attribute) and f.attr in _METHODS and _name(f.value) == "router" for f in calls)


def _bodies(near: list[Module]) -> dict[str, list[Function]]:
    """Return functions by name; a method of a widely used name could hide a silence, so that only what is defined here counts."""
    found: dict[str, list[Function]] = {}
    for module in near:
        for function in _functions(module):
            if not _is_route(function):
                found.setdefault(function.name, []).append(function)
    return found


def _reaches(function: Function, bodies: dict[str, list[Function]]) -> bool:
    """Return whether `authorize` can be reached from a function by calls of functions that are near."""
    seen: set[str] = set()
    waiting: list[Function] = [function]
    while waiting:
        for node in ast.walk(waiting.pop()):
            name = _name(node.func) if isinstance(node, ast.Call) else ""
            if name == "authorize":
                return True
            if name and name not in seen:
                seen.add(name)
                waiting += bodies.get(name, ())
    return False


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
