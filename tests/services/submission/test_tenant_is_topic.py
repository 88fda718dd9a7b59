"""Whose a record is: its topic says it, and the brokers know who may write there; nothing in the record changes it."""

from uuid import uuid4

import pytest

from shared.contracts import ingress as asked
from shared.contracts.fiche import fiche_id
from tests.services.submission.room import Room
from tests.support.fiches import GOLDEN_OPCO, PAST_WARNINGS, golden_content

CLAIMS = {
    "ce_source": "/poec/akto",
    "ce_subject": "akto",
    "organisation": "akto",
    "opco": "akto",
    "tenant": "akto",
    "principal": "operations",
    "authorization": "Bearer akto",
}
"""Headers in which a record could say that it is another's."""
FILING = asked.SubmitFiche(content=golden_content(), acknowledged=PAST_WARNINGS)


async def test_a_record_that_names_another_opco_in_its_headers_is_its_topics(room: Room) -> None:
    reference = uuid4().hex
    (answer,) = await room.tell(GOLDEN_OPCO, reference, FILING, claims=CLAIMS)
    assert (answer.outcome, answer.fiche_id) == ("accepted", fiche_id(GOLDEN_OPCO, reference))
    assert [row["opco"] for row in await room.fetch("SELECT opco FROM fiche WHERE reference = $1", reference)] == [GOLDEN_OPCO]
    assert await room.fetch("SELECT 1 FROM outbox WHERE topic LIKE '%.akto'") == []


@pytest.mark.parametrize("field", ["opco", "organisation", "tenant", "principal", "fiche_id"])
async def test_a_value_has_no_field_to_name_another_opco_in(room: Room, field: str) -> None:
    (answer,) = await room.tell(GOLDEN_OPCO, uuid4().hex, FILING, more={field: "akto"})
    assert (answer.outcome, [one.code for one in answer.objections]) == ("refused", ["FORM_EXTRA_FORBIDDEN"])


async def test_anothers_fiche_is_answered_like_one_that_does_not_exist(room: Room) -> None:
    reference = uuid4().hex
    (mine,) = await room.tell(GOLDEN_OPCO, reference, FILING)
    answers = [
        (await room.tell("akto", key, asked.ConfirmProgrammation(), claims={"opco": GOLDEN_OPCO}))[0]
        for key in (reference, str(mine.fiche_id), f"{GOLDEN_OPCO}/{reference}", "never-filed")
    ]
    assert {(answer.outcome, answer.objections[0].code, answer.fiche_id) for answer in answers} == {("refused", "UNKNOWN", None)}
    assert len({answer.objections[0].message for answer in answers}) == 1


HEADERS = {
    "no id": ({"ce_id": ""}, "HEADER_MISSING", "ce_id"),
    "no type": ({"ce_type": ""}, "HEADER_MISSING", "ce_type"),
    "a type of nobody": ({"ce_type": "fr.poec.command.ask_nicely.v1"}, "TYPE_UNKNOWN", "ce_type"),
}


@pytest.mark.parametrize(("claims", "code", "field"), HEADERS.values(), ids=HEADERS)
async def test_a_header_that_makes_a_record_unreadable_is_named(room: Room, claims: dict[str, str], code: str, field: str) -> None:
    (answer,) = await room.tell(GOLDEN_OPCO, uuid4().hex, FILING, claims=claims)
    (objection,) = answer.objections
    assert (answer.outcome, objection.code, objection.field) == ("unreadable", code, field)
    assert field in objection.message and "asyncapi.json" in objection.message and "ask_nicely" not in objection.message
