"""The product's own source as a tree of modules, and who imports whom; read with `ast`, never run."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDERS: Final = ("shared", "services", "deploy")


@dataclass(frozen=True)
class Module:
    """One source file: its dotted name, its path below the root, its tree, its number of lines."""

    name: str
    path: str
    tree: ast.Module
    lines: int

    @property
    def parts(self) -> tuple[str, ...]:
        """Return the name in parts: `services`, `validation`, `domain`, `avis`."""
        return tuple(self.name.split("."))


def modules(root: Path) -> list[Module]:
    """Return every module of the tree, sorted by name."""
    found = []
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            below = path.relative_to(root)
            parts = below.with_suffix("").parts
            source = path.read_text("utf-8")
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found.append(Module(name, below.as_posix(), ast.parse(source), source.count("\n")))
    return found


def imports(module: Module, *, inside: frozenset[str] = frozenset(), run: bool = False) -> Iterator[tuple[str, int]]:
    """Yield what a module imports, with its line; `from package import module` is the module where `inside` knows it.

    With `run`, only what is imported when the program runs: not what stands under `if TYPE_CHECKING`.
    """
    only_types = {id(node) for block in ast.walk(module.tree) if run and _for_types(block) for node in ast.walk(block)}
    for node in ast.walk(module.tree):
        if id(node) in only_types:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = _absolute(module, node)
            for alias in node.names:
                deeper = f"{package}.{alias.name}"
                yield (deeper if deeper in inside else package), node.lineno


def _for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = module.parts if module.path.endswith("__init__.py") else module.parts[:-1]
    parents = package[: len(package) - node.level + 1]
    return ".".join((*parents, *([node.module] if node.module else [])))
