"""Documents that are generated, committed and compared: `UPDATE_DOCS=1` writes them, otherwise a difference fails."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parent.parent.parent


_FOLDERS: Final = ("shared", "services", "deploy", "tests")
_TEXTS: Final = (".py", ".md", ".json")
_POINTER: Final = re.compile(r"[\w-]+\.md\b|\bdomain (?:rule )?[0-9][\d.]*|\bdomain notes\b")


def pointers_elsewhere(root: Path) -> list[str]:
    """Return `path:line: words` where a text points at a page or at numbered notes that the repository does not hold."""
    below = (path for folder in _FOLDERS for path in sorted((root / folder).rglob("*")))
    texts = [path for path in (*sorted(root.glob("*")), *below) if path.suffix in _TEXTS and path.is_file()]
    here = {path.name for path in texts}
    return [
        f"{path.relative_to(root).as_posix()}:{number}: {words}"
        for path in texts
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        for words in _POINTER.findall(line)
        if words not in here
    ]


def is_committed(path: Path, text: str) -> bool:
    """Return whether a file holds `text`; with UPDATE_DOCS=1 it does afterwards."""
    if os.environ.get("UPDATE_DOCS"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return path.is_file() and path.read_text("utf-8") == text


def is_between(path: Path, name: str, text: str) -> bool:
    """Return whether a file holds `text` between `<!-- name -->` and `<!-- /name -->`; with UPDATE_DOCS=1 it does afterwards."""
    page = path.read_text("utf-8")
    found = re.search(rf"(<!-- {name} -->\n)(.*?)(<!-- /{name} -->)", page, re.DOTALL)
    assert found is not None, f"{path.name} has no markers <!-- {name} --> … <!-- /{name} -->"
    if os.environ.get("UPDATE_DOCS"):
        page = page[: found.start(2)] + text + page[found.end(2) :]
        path.write_text(page, "utf-8")
        return True
    return found[2] == text


def references(node: Any) -> Iterator[str]:
    """Yield every `$ref` of a document."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def resolved(document: Any, reference: str) -> Any:
    """Return what a local reference (`#/a/b`) points to. Raises KeyError where there is nothing."""
    place = document
    for part in reference.removeprefix("#/").split("/"):
        place = place[part.replace("~1", "/").replace("~0", "~")]
    return place
