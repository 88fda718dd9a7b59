"""The README of submission, where it shows what the code knows: printed between markers, compared by the tests."""

import os
from pathlib import Path
from typing import Final

import services.submission

README: Final = Path(services.submission.__file__).parent / "README.md"


def shows(name: str, content: str) -> bool:
    """Return whether the README has this content between `name`'s markers; with UPDATE_DOCS=1 it is written there first."""
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(start)
    printed = f"{before}{start}\n{content}\n{end}{rest.partition(end)[2]}"
    if os.environ.get("UPDATE_DOCS") == "1":
        README.write_text(printed, encoding="utf-8")
        return True
    return text == printed
