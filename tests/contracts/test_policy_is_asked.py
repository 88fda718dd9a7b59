"""Every operation of the policy table is asked by somebody, nobody asks for one that is not there, and no door asks nothing."""

from pathlib import Path

import pytest

from shared.contracts.flow import INGRESS_SERVICE, ingress_topic
from shared.contracts.ingress import ENTRY_COMMANDS, OPCO_COMMANDS, Command
from shared.contracts.references import FRANCE_TRAVAIL
from shared.errors import Forbidden
from shared.identity import Principal, principal_of_topic
from shared.policy import POLICY
from shared.working_set import WorkingSet
from tests.support.asked import asking
from tests.support.documents import ROOT
from tests.support.ears import ears
from tests.support.fiches import GOLDEN_OPCO
from tests.support.wire_examples import AT, COMMANDS, key_of

ASKED = asking(ROOT)
NOBODY = Principal("nobody", GOLDEN_OPCO, "machine", frozenset())


def test_every_operation_of_the_table_is_asked_somewhere() -> None:
    assert sorted(set(POLICY) - set(ASKED.operations)) == []


def test_nobody_asks_for_an_operation_that_is_not_in_the_table() -> None:
    assert {operation: places for operation, places in ASKED.operations.items() if operation not in POLICY} == {}


def test_it_can_be_read_from_the_source_what_is_asked() -> None:
    assert ASKED.unclear == []


def test_no_route_answers_without_asking() -> None:
    assert ASKED.silent_routes == []


def _of(command: Command) -> str:
    return FRANCE_TRAVAIL if isinstance(command, ENTRY_COMMANDS) else GOLDEN_OPCO


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.wire_type)
def test_a_command_by_kafka_asks_before_it_looks(command: Command) -> None:
    """Without a role the answer is the same for what is there and what is not: the object is never opened."""
    handler = ears()[INGRESS_SERVICE[_of(command)]].commands[type(command)]
    with pytest.raises(Forbidden):
        handler(WorkingSet(), NOBODY, key_of(command), command, AT)


def test_a_topic_gives_the_role_that_its_commands_need() -> None:
    for command in (*OPCO_COMMANDS, *ENTRY_COMMANDS):
        organisation = FRANCE_TRAVAIL if command in ENTRY_COMMANDS else GOLDEN_OPCO
        operation = command.wire_type.split(".")[3]
        assert POLICY[operation].keys() & principal_of_topic(ingress_topic(organisation)).roles


ROUTE = """
from fastapi import APIRouter
from shared.policy import authorize
router = APIRouter()

@router.get("/things")
async def get_things(request):
    return await found(request)

async def found(request):
    {body}
"""
PLANTED = {
    "a route that asks nothing": ROUTE.format(body="return []"),
    "an operation nobody knows": ROUTE.format(body='authorize(request, "open_sesame")'),
    "an operation that is computed": ROUTE.format(body='authorize(request, "read_" + "fiche")'),
}


@pytest.mark.parametrize("source", PLANTED.values(), ids=PLANTED)
def test_what_is_planted_is_found(source: str, tmp_path: Path) -> None:
    (tmp_path / "services" / "validation").mkdir(parents=True)
    (tmp_path / "services" / "validation" / "api.py").write_text(source, "utf-8")
    found = asking(tmp_path)
    assert found.silent_routes or found.unclear or set(found.operations) - set(POLICY)


def test_an_operation_that_is_handed_on_is_found(tmp_path: Path) -> None:
    (tmp_path / "services" / "validation").mkdir(parents=True)
    source = 'def a(p):\n    b(p, "read_fiche")\n\ndef b(p, operation):\n    authorize(p, operation)\n'
    (tmp_path / "services" / "validation" / "use_cases.py").write_text(source, "utf-8")
    found = asking(tmp_path)
    assert set(found.operations) == {"read_fiche"}
    assert found.unclear == []


ROWS = "def a(p, row):\n    authorize(p, row.operation)\n\nROW = Row({rows})\n"


def test_an_operation_that_a_row_names_is_found(tmp_path: Path) -> None:
    (tmp_path / "services" / "validation").mkdir(parents=True)
    source = tmp_path / "services" / "validation" / "pages.py"
    source.write_text(ROWS.format(rows='operation="read_fiche"'), "utf-8")
    assert (set(asking(tmp_path).operations), asking(tmp_path).unclear) == ({"read_fiche"}, [])
    for computed in ('operation="read_" + "fiche"', ""):
        source.write_text(ROWS.format(rows=computed), "utf-8")
        assert asking(tmp_path).unclear
