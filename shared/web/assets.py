"""What the screens load from npm packages: copied out of `npm/node_modules` by `make assets`, listed in a manifest that a test reads.

Run as `python -m shared.web.assets`, after `npm ci` in `npm/`; nothing of npm is needed to run or to test the product.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

WEB: Final = Path(__file__).parent
NPM: Final = WEB / "npm"
STATIC: Final = WEB / "static"
MANIFEST: Final = WEB / "assets.json"
LICENCES: Final = WEB / "licences"
_SANS: Final = "@fontsource/source-sans-3"
COPIED: Final[Mapping[str, tuple[str, str]]] = {
    "bootstrap.min.css": ("bootstrap", "dist/css/bootstrap.min.css"),
    "htmx.min.js": ("htmx.org", "dist/htmx.min.js"),
    "source-sans-3-400.woff2": (_SANS, "files/source-sans-3-latin-400-normal.woff2"),
    "source-sans-3-400-italic.woff2": (_SANS, "files/source-sans-3-latin-400-italic.woff2"),
    "source-sans-3-600.woff2": (_SANS, "files/source-sans-3-latin-600-normal.woff2"),
    "source-sans-3-700.woff2": (_SANS, "files/source-sans-3-latin-700-normal.woff2"),
    "source-sans-3-ext-400.woff2": (_SANS, "files/source-sans-3-latin-ext-400-normal.woff2"),
    "source-sans-3-ext-600.woff2": (_SANS, "files/source-sans-3-latin-ext-600-normal.woff2"),
}
"""File in `static/` to its package and its place there."""
ICONS: Final = (
    "arrow-left-right", "arrow-repeat", "box-arrow-right", "calendar-event", "check-circle", "check-lg", "chevron-left",
    "chevron-right", "clock", "dash-circle", "download", "exclamation-circle", "exclamation-triangle-fill", "file-earmark-text",
    "info-circle", "keyboard", "list", "pencil", "people", "person", "plus-lg", "printer", "search", "send", "slash-circle",
    "trash", "upload", "x-circle", "x-lg",
)  # fmt: skip
"""Icons that templates may name; they are one file of shapes, written into the page where they are used."""


def collect(source: Path = NPM / "node_modules", into: Path = WEB) -> None:
    """Copy what is listed, the licences beside it, the icons as one file, and write the manifest."""
    entries = []
    for name, (package, place) in COPIED.items():
        shutil.copyfile(source / package / place, into / "static" / name)
        entries.append(_entry(source, package, f"static/{name}", into))
    shapes = {name: _shape(source / "bootstrap-icons" / "icons" / f"{name}.svg") for name in ICONS}
    (into / "icons.json").write_text(json.dumps(shapes, indent=1) + "\n", "utf-8")
    entries.append(_entry(source, "bootstrap-icons", "icons.json", into))
    for package in sorted({entry["package"] for entry in entries}):
        licence = next(path for path in sorted((source / package).iterdir()) if path.name.upper().startswith("LICENSE"))
        name = package.replace("@", "").replace("/", "-")
        text = "\n".join(line.rstrip() for line in licence.read_text("utf-8").splitlines())
        (into / "licences" / f"{name}.txt").write_text(text.strip() + "\n", "utf-8")
    (into / "assets.json").write_text(json.dumps(entries, indent=1) + "\n", "utf-8")


def differences(web: Path = WEB) -> list[str]:
    """Return where files and manifest differ: changed, missing, not listed, without a licence, or another version than is locked."""
    entries = json.loads((web / "assets.json").read_text("utf-8"))
    locked = json.loads((web / "npm" / "package-lock.json").read_text("utf-8"))["packages"]
    found = []
    for entry in entries:
        path = web / entry["file"]
        if not path.is_file():
            found.append(f"{entry['file']} is missing")
        elif _sha256(path) != entry["sha256"]:
            found.append(f"{entry['file']} is not the file of {entry['package']} {entry['version']}")
        if locked.get(f"node_modules/{entry['package']}", {}).get("version") != entry["version"]:
            found.append(f"{entry['file']} is of another version than package-lock.json says")
        if not (web / entry["licence_file"]).is_file():
            found.append(f"{entry['package']} comes without its licence")
    listed = {entry["file"] for entry in entries} | {f"static/{name}" for name in OWN}
    there = {path.relative_to(web).as_posix() for path in (web / "static").iterdir()}
    found += [f"{name} is in no list" for name in sorted(there - listed)]
    return found


OWN: Final = ("poec.css", "poec.js", "check.svg", "dash.svg", "dot.svg", "caret.svg", "favicon.svg")
"""Files in `static/` that are our own."""


def _entry(source: Path, package: str, file: str, into: Path) -> dict[str, Any]:
    described = json.loads((source / package / "package.json").read_text("utf-8"))
    return {
        "file": file,
        "package": package,
        "version": described["version"],
        "licence": described["license"],
        "licence_file": f"licences/{package.replace('@', '').replace('/', '-')}.txt",
        "sha256": _sha256(into / file),
    }


def _shape(path: Path) -> str:
    """Return what is inside an icon's <svg>: 16 by 16, in the colour of the text."""
    text = " ".join(path.read_text("utf-8").split())
    return text[text.index(">") + 1 : text.rindex("</svg>")].strip()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    collect()
