"""The same questions by Kafka: each command on each organisation's topic x own, other or absent x each state, through the real inbox."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import uuid4

import pytest

from shared.contracts.fiche import fiche_id
from shared.contracts.flow import ingress_topic, results_topic
from shared.contracts.ingress import ENTRY_COMMANDS, OPCO_COMMANDS, Command, CommandAnswered
from shared.contracts.references import FRANCE_TRAVAIL, OPCOS
from shared.policy import POLICY
from tests.access.cells import BY_REFERENCE, Cell, Outcome, expected
from tests.access.entrance import OTHER, OWN, Entrance
from tests.access.objects import BODIES, TABLES, Object, at_its_time, fiches, sessions
from tests.support.operations import COMMANDS, STATES

_STATE_CODES = frozenset({"STATUS", "SESSION_STATE", "SESSION_STATUS", "REFERENCE_TAKEN"})
Record = tuple[type[Command], str, str]
"""A record of an ingress topic: its type, its key, its value."""


def outcome(answer: CommandAnswered) -> Outcome:
    """Return what an answer on the topic of results says."""
    codes = {objection.code for objection in answer.objections}
    if answer.outcome == "accepted":
        return "reached"
    if codes & {"UNKNOWN", "SESSION_NOT_PUBLISHED"}:  # a session that nobody heard of yet may still come: it is kept
        return "unknown"
    if "ROLE" in codes:
        return "forbidden"
    if answer.outcome in ("unreadable", "kept"):
        return "broken"
    return "not_now" if codes & _STATE_CODES else "reached"


async def told(entrance: Entrance, organisation: str, records: Sequence[Record]) -> list[CommandAnswered]:
    """Let an organisation's system write records to its topic; return the answer to each."""
    topic, first = ingress_topic(organisation), entrance.offset + 1
    received = [
        entrance.received(topic, key, {"ce_id": uuid4().hex, "ce_type": command.wire_type}, value)
        for command, key, value in records
    ]
    await entrance.inbox.apply(topic, received)
    answers = results_topic(entrance.name, organisation)
    rows = await entrance.owner("SELECT value FROM outbox WHERE topic = $1 ORDER BY id", answers)
    found = [CommandAnswered.model_validate_json(row["value"]) for row in rows]
    by_offset = {answer.offset: answer for answer in found if answer.offset >= first}
    return [by_offset[one.offset] for one in received]


def value_of(command: type[Command], thing: Object) -> str:
    """Return the value of a record that asks what the route of the same operation is asked."""
    body = BODIES[COMMANDS[command]](thing)
    assert isinstance(body, dict)
    place: dict[str, object] = {"number": 1} if "number" in command.model_fields else {}
    if "session_id" in command.model_fields:
        place = {"session_id": str(thing.id)}
    return json.dumps({**{name: part for name, part in body.items() if name != "reference"}, **place})


def questions(commands: Sequence[type[Command]], caller: str, service: str) -> list[tuple[type[Command], Cell]]:
    """Return every command on every kind of object."""
    kinds = [(relation, state) for relation in ("own", "other") for state in STATES[service]]
    return [
        (command, Cell(command.__name__, COMMANDS[command], caller, relation, state))  # type: ignore[arg-type]
        for command in commands
        for relation, state in (*kinds, ("absent", None))
        if not (COMMANDS[command] in BY_REFERENCE and relation == "other")
    ]


async def asked(entrance: Entrance, organisation: str, questions: Sequence[tuple[type[Command], Cell]]) -> list[str]:
    """Ask every question on an organisation's topic; return where the answer is another one than tabled, or told too much."""
    make = fiches if entrance.name == "submission" else sessions
    made = await make(entrance, [cell for _, cell in questions if cell.state])
    things = {cell: made.get(cell) or Object(uuid4(), reference=f"M-{uuid4().hex[:12]}") for _, cell in questions}
    before = await versions(entrance)
    records = [
        (command, things[cell].reference or str(things[cell].id), value_of(command, things[cell]))
        for command, cell in questions
    ]
    records = [(c, json.loads(v)["session_id"] if "session_id" in v else key, v) for c, key, v in records]
    answers = await told(entrance, organisation, records)
    found: list[str] = []
    words: dict[str, set[str]] = {}
    for (_, cell), answer in zip(questions, answers, strict=True):
        said, tabled = outcome(answer), expected(cell)
        tally[said] += 1
        if said != tabled and not (cell.state == "expected" and said == "unknown"):
            found.append(f"{organisation}: {cell}: {tabled} expected, {answer.outcome} {[o.code for o in answer.objections]}")
        if said == "unknown":
            same = answer.model_copy(update={"reference": None, "command_id": None, "offset": 0})
            words.setdefault(cell.door, set()).add(same.model_dump_json())
    found += [f"{organisation}: {door}: unknown is said in {len(ways)} ways" for door, ways in words.items() if len(ways) > 1]
    allowed = {thing.id for (cell, thing), answer in zip(things.items(), answers, strict=True) if answer.outcome == "accepted"}
    after = await versions(entrance)
    return found + [f"{one} changed without leave" for one in after if after[one] != before.get(one, after[one]) and one not in allowed]


tally: Counter[str] = Counter()


async def versions(entrance: Entrance) -> dict[object, int]:
    rows = await entrance.owner(f"SELECT id, version FROM {TABLES[entrance.name]}")
    return {row["id"]: row["version"] for row in rows}


async def test_an_opcos_topic_does_what_is_tabled_for_an_opco(entrances: Mapping[str, Entrance]) -> None:
    entrance = entrances["submission"]
    await at_its_time(entrance)
    tally.clear()
    every = questions(OPCO_COMMANDS, "opco", "submission")
    assert await asked(entrance, OWN, every) == []
    print(f"{ingress_topic(OWN)}: {len(every)} cells as tabled: {dict(tally)}")


async def test_the_topic_of_france_travail_does_what_is_tabled_for_entries(entrances: Mapping[str, Entrance]) -> None:
    entrance = entrances["publication"]
    await at_its_time(entrance)
    tally.clear()
    every = questions(ENTRY_COMMANDS, "entries", "publication")
    assert await asked(entrance, FRANCE_TRAVAIL, every) == []
    print(f"{ingress_topic(FRANCE_TRAVAIL)}: {len(every)} cells as tabled: {dict(tally)}")


async def test_no_opcos_topic_reaches_a_fiche_of_another_one(entrances: Mapping[str, Entrance]) -> None:
    """Each of the ten others names it by its OPCO's reference: it is a name of its own, which nobody has given yet."""
    entrance = entrances["submission"]
    await at_its_time(entrance)
    commands = [command for command in OPCO_COMMANDS if COMMANDS[command] not in BY_REFERENCE]
    every = [(c, cell) for c, cell in questions(commands, "opco", "submission") if cell.relation == "own" and cell.state]
    for opco in sorted(set(OPCOS) - {OWN}):
        foreign = [(c, Cell(cell.door, cell.operation, cell.caller, "absent", cell.state)) for c, cell in every]
        things = await fiches(entrance, [cell for _, cell in every])
        before = await versions(entrance)
        records = [(c, things[cell].reference, value_of(c, things[cell])) for c, cell in every]
        answers = await told(entrance, opco, records)
        assert {outcome(answer) for answer in answers} == {expected(cell) for _, cell in foreign} == {"unknown"}
        assert {answer.fiche_id for answer in answers} == {None}
        assert await versions(entrance) == before


@pytest.mark.parametrize(
    ("service", "organisation", "commands"),
    [("submission", OWN, ENTRY_COMMANDS), ("publication", FRANCE_TRAVAIL, OPCO_COMMANDS)],
    ids=["entries from an OPCO", "fiches from France Travail"],
)
async def test_a_topic_takes_no_command_of_the_other_kind(
    service: str, organisation: str, commands: Sequence[type[Command]], entrances: Mapping[str, Entrance]
) -> None:
    entrance = entrances[service]
    before = await versions(entrance)
    thing = Object(uuid4(), reference="M-1")
    answers = await told(entrance, organisation, [(c, "M-1", value_of(c, thing)) for c in commands])
    assert {answer.outcome for answer in answers} == {"unreadable"}
    assert await versions(entrance) == before


@pytest.mark.parametrize("claim", ["opco", "organisation", "principal", "fiche_id", "tenant", "roles"])
async def test_what_a_record_says_of_its_sender_is_not_read(claim: str, entrances: Mapping[str, Entrance]) -> None:
    """The tenant of a record is its topic: a claim in the value is refused, one in a header is nobody's business."""
    entrance = entrances["submission"]
    await at_its_time(entrance)
    (thing,) = (await fiches(entrance, [Cell("", "", "", "other", "submitted")])).values()
    topic, first = ingress_topic(OWN), entrance.offset + 1
    withdraw = next(command for command in OPCO_COMMANDS if COMMANDS[command] == "withdraw_fiche")
    claimed = str(thing.id) if claim == "fiche_id" else OTHER
    await told(entrance, OWN, [(withdraw, thing.reference, json.dumps({"reason": "AUTRE", claim: claimed}))])
    headers = {"ce_id": uuid4().hex, "ce_type": withdraw.wire_type, claim: claimed, f"poec_{claim}": claimed}
    await entrance.inbox.apply(topic, [entrance.received(topic, thing.reference, headers, '{"reason": "AUTRE"}')])
    rows = await entrance.owner("SELECT value FROM outbox WHERE topic = $1 ORDER BY id", results_topic("submission", OWN))
    answers = [CommandAnswered.model_validate_json(row["value"]) for row in rows]
    said = [answer for answer in answers if answer.offset >= first]
    assert [answer.outcome for answer in said] == ["refused", "refused"]
    assert said[1].objections[0].code == "UNKNOWN"
    assert fiche_id(OTHER, thing.reference) == thing.id
    (status,) = await entrance.owner("SELECT status FROM fiche WHERE id = $1", thing.id)
    assert status["status"] == "submitted"


async def test_a_row_that_is_another_one_is_found_by_topic_too(
    entrances: Mapping[str, Entrance], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(POLICY, "record_aes", {"operations": "any"})
    entrance = entrances["publication"]
    assert await asked(entrance, FRANCE_TRAVAIL, questions(ENTRY_COMMANDS[2:], "entries", "publication"))
