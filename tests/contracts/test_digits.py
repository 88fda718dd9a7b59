r"""A digit is one of 0 to 9 wherever a form is asked for: `\d` would take those of every script, which nobody finds again."""

import json
import re
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

import services
from shared.contracts.fiche import Certification, FicheContent
from shared.contracts.flow import EVENT_TYPES
from shared.form_words import PATTERNS

TREE = Path(services.__file__).parent.parent
READ = re.compile(r"pattern=|re\.(compile|fullmatch|match)\(|^\s+r\"\^")


def any_digit(text: str) -> list[int]:
    """Return the lines on which a pattern takes the digits of every script."""
    return [n for n, line in enumerate(text.splitlines(), 1) if r"\d" in line and READ.search(line)]


def test_no_pattern_takes_the_digits_of_every_script() -> None:
    free = {"personal_data.py", "french.py"}  # what is looked for in prose, or spaced there
    files = [
        path for top in ("services", "shared") for path in sorted((TREE / top).rglob("*.py")) if path.name not in free
    ]
    assert len(files) > 200
    assert [(path.name, n) for path in files for n in any_digit(path.read_text("utf-8"))] == []
    models: tuple[type[BaseModel], ...] = (FicheContent, *EVENT_TYPES.values())
    documents = json.dumps([one.model_json_schema() for one in models])
    assert r"\\d" not in documents and not any(r"\d" in pattern for pattern in PATTERNS)


@pytest.mark.parametrize(
    "line", [r'x: str = Field(pattern=r"^\d{5}$")', r'_WHOLE = re.compile(r"-?\d+")', r'    r"^\d{3}$": "3"']
)
def test_a_pattern_of_any_digit_is_found(line: str) -> None:
    assert any_digit(f"first\n{line}") == [2]


def test_a_code_in_the_digits_of_another_script_is_refused() -> None:
    assert Certification(certifinfo="83899").certifinfo == "83899"
    with pytest.raises(ValidationError):
        Certification(certifinfo="٨٣٨٩٩")
