"""The whole matrix, run against the real services: each door x each caller x own, other or absent x each state, every cell as tabled."""

from collections.abc import Mapping

import pytest

from services.validation import api, use_cases
from shared.contracts.flow import SERVICES
from shared.policy import POLICY
from tests.access.cells import BY_REFERENCE, Cell, Report, cells, expected, run
from tests.access.entrance import Entrance
from tests.access.objects import TABLES, at_its_time, requests
from tests.access.yearbook import CANARY
from tests.support.operations import routes

OBJECTS: Mapping[str, str] = {
    "submission": "SELECT id, version FROM fiche",
    "validation": "SELECT id, version FROM dossier",
    "publication": "SELECT id, version FROM catalogue_session",
    "analytics": "SELECT NULL::uuid AS id, 0 AS version WHERE false",
}


def _makes(cell: Cell) -> bool:
    """Return whether a cell's command makes an object that was not there."""
    begun = cell.relation == "absent" or "{template_id}" in cell.door
    return cell.operation == "renew_fiche" or (cell.operation in BY_REFERENCE and begun)


async def played(entrance: Entrance, asked: list[Cell]) -> Report:
    """Run cells, and add where an object changed although its command was refused."""
    await at_its_time(entrance)
    of_cells = await requests(entrance, asked)
    before = {row["id"]: row["version"] for row in await entrance.owner(OBJECTS[entrance.name])}
    report = await run(entrance, {cell: request for cell, (_, request) in of_cells.items()})
    after = {row["id"]: row["version"] for row in await entrance.owner(OBJECTS[entrance.name])}
    changed = {identifier for identifier, version in after.items() if before.get(identifier, version) != version}
    report.deviations += [
        f"{cell} shows another OPCO's target"
        for cell, answer in report.done.items()
        if cell.caller == "opco" and CANARY.encode() in answer.body
    ]
    allowed = {of_cells[cell][0].id for cell in report.effective}
    report.deviations += [f"{identifier} changed without leave" for identifier in changed - allowed]
    filed = sum(_makes(cell) for cell in report.effective)
    if len(after) - len(before) != filed:
        report.deviations.append(f"{len(after) - len(before)} objects are new, {filed} were to be")
    return report


@pytest.mark.parametrize("name", SERVICES)
async def test_every_cell_is_answered_as_tabled(name: str, entrances: Mapping[str, Entrance]) -> None:
    asked = list(cells(name))
    report = await played(entrances[name], asked)
    assert report.deviations == []
    assert len(report.done) == len(asked) == sum(report.outcomes.values())
    shown = {cell.caller for cell, answer in report.done.items() if CANARY.encode() in answer.body}
    assert ("dreets" in shown) == (name == "submission"), "who reads all targets is shown the one that others may not see"
    print(f"{name}: {len(asked)} cells as tabled: {dict(report.outcomes)}, of which {len(report.effective)} had their effect")


async def test_what_is_allowed_is_done_somewhere(entrances: Mapping[str, Entrance]) -> None:
    """A request that the rules always refuse would be a cell that says nothing: each route has its effect for somebody."""
    for name, entrance in entrances.items():
        asked = [cell for cell in cells(name) if expected(cell) == "reached"]
        report = await played(entrance, asked)
        assert {cell.door for cell in report.effective} == set(routes(name))


async def found_with_a_hole(entrance: Entrance, door: str) -> list[str]:
    return (await played(entrance, list(cells(entrance.name, {door})))).deviations


async def test_a_row_that_lets_too_many_in_is_found(entrances: Mapping[str, Entrance], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(POLICY, "give_avis", {**POLICY["give_avis"], "pole_emploi_reviewer": "any"})
    found = await found_with_a_hole(entrances["validation"], "POST /dossiers/{fiche_id}/avis")
    assert found and all("pole_emploi_reviewer" in line for line in found if "expected" in line)


async def test_a_row_that_keeps_too_many_out_is_found(
    entrances: Mapping[str, Entrance], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(POLICY, "read_dossier", {"region_reviewer": "any"})
    assert await found_with_a_hole(entrances["validation"], "GET /dossiers/{fiche_id}")


async def test_a_decision_on_ones_own_avis_is_found(
    entrances: Mapping[str, Entrance], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(POLICY, "validate_fiche", {"pole_emploi_reviewer": "any"})
    found = await found_with_a_hole(entrances["validation"], "POST /dossiers/{fiche_id}/validation")
    assert any("on judged" in line for line in found)
    assert any("changed" not in line for line in found)


async def test_a_route_that_forgets_to_ask_is_found(
    entrances: Mapping[str, Entrance], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (api, use_cases):
        monkeypatch.setattr(module, "authorize", lambda *_, **__: None)
    found = await found_with_a_hole(entrances["validation"], "POST /dossiers/{fiche_id}/refusal")
    assert any("by opco" in line for line in found)


def test_every_service_with_objects_is_looked_at() -> None:
    assert set(TABLES) == {name for name in OBJECTS if "WHERE false" not in OBJECTS[name]}
