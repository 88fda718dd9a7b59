"""The golden fiche: a real Normandie POEC of 2018 with invented organisations, used wherever a test needs a whole fiche.

Manche, 30/04/2018 to 03/08/2018, 399 h of which 70 h in company, ROME H3404 (industrial painting).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from shared.contracts.fiche import FicheContent

GOLDEN_FILE: Final = Path(__file__).parent.parent / "contracts" / "golden" / "fiche_content.json"
WHOLE_FILE: Final = GOLDEN_FILE.with_name("fiche_content_whole.json")
"""The same fiche with every field filled in, those that came later too; `GOLDEN_FILE` is as it was written before they came."""
GOLDEN_OPCO: Final = "opco-2i"
GOLDEN_REFERENCE: Final = "2I-2018-042"
GOLDEN_WARNINGS: Final = ("HOURS_PARTS",)
"""What submission warns about when the golden fiche is filed in time: the real example counts company hours within centre hours."""
PAST_WARNINGS: Final = (*GOLDEN_WARNINGS, "SESSION_ALREADY_STARTED")
"""What it warns about when the golden fiche is filed today, years after its session."""


def golden_json() -> dict[str, Any]:
    """Return the golden content as parsed JSON: a new dictionary at every call."""
    content: dict[str, Any] = json.loads(GOLDEN_FILE.read_bytes())
    return content


def whole_json() -> dict[str, Any]:
    """Return the content with every field filled in as parsed JSON: a new dictionary at every call."""
    content: dict[str, Any] = json.loads(WHOLE_FILE.read_bytes())
    return content


def whole_content() -> FicheContent:
    """Return the content with every field filled in."""
    return FicheContent.model_validate_json(WHOLE_FILE.read_bytes())


def golden_content(**changes: Any) -> FicheContent:
    """Return the golden content with changes; a dictionary changes only the fields it names, at any depth.

    `golden_content(hours={"total": 434}, title="Autre")`; lists are replaced as a whole. Strings are parsed as on the wire.
    """
    return FicheContent.model_validate_json(json.dumps(_merged(golden_json(), changes), default=_plain))


def _merged(old: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    both = {name: _merged(old[name], value) for name, value in changes.items() if _maps(old.get(name), value)}
    return {**old, **changes, **both}


def _maps(old: Any, new: Any) -> bool:
    return isinstance(old, Mapping) and isinstance(new, Mapping)


def _plain(value: Any) -> Any:
    """Return a date as ISO text, a model as its JSON form."""
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value.isoformat()
