"""The doors of submission on a real database: what an OPCO's program sees, over HTTP and by its ingress topic, and what is written."""

import asyncio
import datetime as dt
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.submission.consumers import hearing
from services.submission.domain.fiche import Status
from services.submission.store import TABLE
from shared.contracts import ingress as asked
from shared.contracts.fiche import fiche_id
from shared.contracts.references import SessionMotive, WithdrawalReason
from shared.contracts.validation import AdaptationProposed, AvisGiven, CompletionAsked, FicheValidated
from shared.statements import pg_type
from tests.services.submission import filings as f
from tests.services.submission.room import Room
from tests.support.fiches import GOLDEN_OPCO, PAST_WARNINGS, golden_content, golden_json

DATES = {
    "start": "2018-06-04",
    "end": "2018-09-07",
    "motive": "SOURCING_INSUFFISANT",
    "acknowledged": list(PAST_WARNINGS),
}


def body(reference: str | None = None, **changes: Any) -> dict[str, Any]:
    content = golden_content(**changes).model_dump(mode="json") if changes else golden_json()
    return {"reference": reference or uuid4().hex, "content": content, "acknowledged": list(PAST_WARNINGS)}


async def filed(room: Room, reference: str | None = None) -> UUID:
    answer = await room.post(GOLDEN_OPCO, "", body(reference))
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["fiche_id"])


def about(event: Any, fiche: UUID, revision: int = 1) -> Any:
    return event.model_copy(update={"fiche_id": fiche, "revision": revision})


async def validated(room: Room) -> UUID:
    fiche = await filed(room)
    validation: FicheValidated = about(f.VALIDATED, fiche).model_copy(update={"reference": f"POEC-{fiche}"})
    gave: AvisGiven = about(f.GAVE, fiche)
    await room.hear((gave, 1), (validation, 2))
    return fiche


async def confirmed(room: Room) -> UUID:
    fiche = await validated(room)
    assert (await room.post(GOLDEN_OPCO, f"/{fiche}/programmation", {})).json()["status"] == "confirmed"
    return fiche


def test_what_is_heard_is_what_the_flow_table_sends_here() -> None:
    ears = hearing(f.GIVEN)
    ears.check()
    assert set(ears.commands) == set(asked.OPCO_COMMANDS)


async def test_the_tables_are_those_the_code_thinks_of(room: Room) -> None:
    rows = await room.fetch("SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'fiche'")
    assert {row["column_name"]: row["data_type"] for row in rows} == {c.name: pg_type(c) for c in TABLE.c}


async def test_every_status_of_the_domain_fits_the_table(room: Room) -> None:
    query = "SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint WHERE conname = 'fiche_status_check'"
    (row,) = await room.fetch(query)
    assert all(f"'{status}'" in row["text"] for status in Status)


async def test_a_filed_fiche_is_answered_with_its_place_and_read_with_its_revision_as_etag(room: Room) -> None:
    reference = uuid4().hex
    answer = await room.post(GOLDEN_OPCO, "", body(reference))
    made = answer.json()
    assert (answer.status_code, made["status"], made["revision"]) == (201, "submitted", 1)
    assert made["fiche_id"] == str(fiche_id(GOLDEN_OPCO, reference))
    assert [warning["code"] for warning in made["warnings"]] == list(PAST_WARNINGS)
    assert answer.headers["location"] == f"/fiches/{made['fiche_id']}"
    read = await room.get(GOLDEN_OPCO, f"/{made['fiche_id']}")
    assert read.headers["etag"] == answer.headers["etag"] == '"1"'
    seen = read.json()
    assert (seen["reference"], seen["status_label"], seen["opco"]) == (reference, "Déposée", GOLDEN_OPCO)
    assert seen["content"] == golden_content().model_dump(mode="json")
    assert [one["state"] for one in seen["sessions"]] == ["planned"]
    assert await room.said(UUID(made["fiche_id"])) == ["fr.poec.fiche.submitted.v1"]


async def test_what_the_rules_refuse_comes_back_all_at_once_and_nothing_is_filed(room: Room) -> None:
    wrong = body(hours={"total": 401}, rome="H3499", place={"zone_emploi": "5315"})
    answer = await room.post(GOLDEN_OPCO, "", wrong)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "rules_refused")
    assert answer.headers["content-type"] == "application/problem+json"
    assert [one["code"] for one in problem["objections"]] == ["HOURS_CAP", "PLACE_ZONE", "ROME_UNKNOWN"]
    assert problem["objections"][0]["facts"] == {"total": 401, "cap": 400}
    assert await room.fetch("SELECT 1 FROM fiche WHERE reference = $1", wrong["reference"]) == []


async def test_what_has_not_the_form_is_named_field_by_field(room: Room) -> None:
    wrong = body()
    wrong["content"]["hours"]["total"] = "beaucoup"
    wrong["content"]["surprise"] = 1
    problem = (await room.post(GOLDEN_OPCO, "", wrong)).json()
    assert {one["field"] for one in problem["objections"]} == {"content.hours.total", "content"}


async def test_unanswered_warnings_are_the_answer_and_the_acknowledged_command_passes(room: Room) -> None:
    fiche = body()
    codes = fiche.pop("acknowledged")
    answer = await room.post(GOLDEN_OPCO, "", fiche)
    assert (answer.status_code, answer.json()["code"]) == (409, "warnings_unanswered")
    assert [one["code"] for one in answer.json()["warnings"]] == codes
    assert (await room.post(GOLDEN_OPCO, "", {**fiche, "acknowledged": codes})).status_code == 201


async def test_the_same_filing_sent_again_is_answered_byte_for_byte(room: Room) -> None:
    fiche, key = body(), uuid4().hex
    first, again = [await room.post(GOLDEN_OPCO, "", fiche, key=key) for _ in range(2)]
    assert (first.status_code, first.content) == (again.status_code, again.content)
    taken = await room.post(GOLDEN_OPCO, "", fiche)
    assert (taken.status_code, taken.json()["objections"][0]["code"]) == (409, "REFERENCE_TAKEN")


async def test_the_same_reference_filed_by_many_at_once_makes_one_fiche(room: Room) -> None:
    fiche = body()
    answers = await asyncio.gather(*(room.post(GOLDEN_OPCO, "", fiche) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7


async def test_another_opco_sees_nothing_and_the_readers_see_all(room: Room) -> None:
    fiche = await filed(room)
    assert (await room.get("akto", f"/{fiche}")).status_code == 404
    assert (await room.get("akto")).json()["fiches"] == []
    assert (await room.post("akto", f"/{fiche}/withdrawal", {"reason": "AUTRE"})).status_code == 404
    assert (await room.get("region", f"/{fiche}")).status_code == 200
    assert (await room.get("dreets", f"/{fiche}")).status_code == 200
    assert (await room.post("region", f"/{fiche}/withdrawal", {"reason": "AUTRE"})).status_code == 403
    assert (await room.get("nobody", f"/{fiche}")).status_code == 401


async def test_a_new_content_needs_the_revision_it_was_written_on(room: Room) -> None:
    fiche = await filed(room)
    new = {key: value for key, value in body(title="POEC - Peintre").items() if key != "reference"}
    assert (await room.post(GOLDEN_OPCO, f"/{fiche}/amendment", new)).status_code == 428
    done = await room.post(GOLDEN_OPCO, f"/{fiche}/amendment", new, 1)
    assert (done.status_code, done.headers["etag"]) == (200, '"2"')
    stale = await room.post(GOLDEN_OPCO, f"/{fiche}/amendment", new, 1)
    assert (stale.status_code, stale.json()["objections"][0]["facts"]["changed"]) == (412, "title")
    assert await room.said(fiche) == ["fr.poec.fiche.submitted.v1", "fr.poec.fiche.amended.v1"]


@pytest.mark.parametrize(
    "path",
    ["completion", "amendment", "adaptation/acceptance", "adaptation/counter-proposal", "sessions/1/postponement"],
)
async def test_whatever_changes_the_content_asks_for_the_revision(room: Room, path: str) -> None:
    fiche = await filed(room)
    new = {"content": golden_json(), "acknowledged": list(PAST_WARNINGS)}
    bodies = {"adaptation/acceptance": {}, "adaptation/counter-proposal": {**new, "reason": "R"}}
    given = DATES if path.startswith("sessions") else bodies.get(path, new)
    assert (await room.post(GOLDEN_OPCO, f"/{fiche}/{path}", given)).status_code == 428


async def test_a_fiche_goes_from_completion_to_engaged_postponed_and_cancelled_over_http(room: Room) -> None:
    fiche = await filed(room)
    completion: CompletionAsked = about(f.ASKED, fiche)
    await room.hear((completion, 1))
    assert (await room.get(GOLDEN_OPCO, f"/{fiche}")).json()["completion"][0]["field"] == "hours.total"
    new = {key: value for key, value in body(title="POEC - Peintre").items() if key != "reference"}
    done = await room.post(GOLDEN_OPCO, f"/{fiche}/completion", new, 1)
    assert (done.json()["status"], done.json()["revision"]) == ("submitted", 2)
    validation: FicheValidated = about(f.VALIDATED, fiche, 2).model_copy(update={"reference": f"POEC-{fiche}"})
    await room.hear((about(f.GAVE, fiche, 2), 2), (validation, 3))
    assert (await room.get(GOLDEN_OPCO, f"/{fiche}")).json()["validation"]["reference"] == f"POEC-{fiche}"
    assert (await room.post(GOLDEN_OPCO, f"/{fiche}/sessions/1/engagement", {"enrolled": 8})).status_code == 409
    assert (await room.post(GOLDEN_OPCO, f"/{fiche}/programmation", {}, 2)).json()["status"] == "confirmed"
    engaged = await room.post(GOLDEN_OPCO, f"/{fiche}/sessions/1/engagement", {"enrolled": 8})
    assert engaged.json()["sessions"][0]["state"] == "engaged"
    postponed = await room.post(GOLDEN_OPCO, f"/{fiche}/sessions/1/postponement", DATES, 2)
    assert (postponed.json()["sessions"][0]["state"], postponed.headers["etag"]) == ("postponed", '"3"')
    cancelled = await room.post(GOLDEN_OPCO, f"/{fiche}/sessions/1/cancellation", {"motive": "BESOIN_DISPARU"})
    assert cancelled.json()["status"] == "cancelled"
    assert [name.removeprefix("fr.poec.") for name in await room.said(fiche)] == [
        "fiche.submitted.v1",
        "fiche.completed.v1",
        "programmation.confirmed.v1",
        "session.engaged.v1",
        "session.postponed.v1",
        "session.cancelled.v1",
    ]


async def test_a_proposed_adaptation_is_seen_and_answered(room: Room) -> None:
    fiche = await filed(room)
    proposed: AdaptationProposed = about(f.PROPOSED, fiche).model_copy(update={"expires_on": dt.date(2100, 1, 1)})
    await room.hear((proposed, 1))
    seen = (await room.get(GOLDEN_OPCO, f"/{fiche}")).json()
    assert seen["proposal"]["adaptation"]["sessions"][0]["start"] == "2018-05-14"
    taken = await room.post(GOLDEN_OPCO, f"/{fiche}/adaptation/acceptance", {"acknowledged": list(PAST_WARNINGS)}, 1)
    assert (taken.json()["status"], taken.json()["revision"]) == ("submitted", 2)
    await room.hear((about(proposed, fiche, 2), 2))
    declined = await room.post(GOLDEN_OPCO, f"/{fiche}/adaptation/refusal", {"reason": "Besoin daté."})
    assert declined.json()["status"] == "submitted"


async def test_a_command_that_comes_too_early_waits_for_the_news(room: Room) -> None:
    fiche = await filed(room)
    headers = {"authorization": GOLDEN_OPCO, "idempotency-key": uuid4().hex, "prefer": "wait=10"}
    early = asyncio.create_task(room.client.post(f"/fiches/{fiche}/programmation", content="{}", headers=headers))
    while str(fiche) not in {str(one) for one in room.news._waiting}:
        await asyncio.sleep(0.01)
    validation: FicheValidated = about(f.VALIDATED, fiche).model_copy(update={"reference": f"POEC-{fiche}"})
    await room.hear((validation, 1))
    assert (await early).json()["status"] == "confirmed"


async def test_an_opcos_system_goes_the_whole_way_by_its_topic(room: Room) -> None:
    reference = f"AKTO {uuid4().hex}"
    content = golden_content(branch_idcc="1979", contact="poec@akto.example")
    (wrong,) = await room.tell(
        "akto", reference, asked.SubmitFiche(content=golden_content(), acknowledged=PAST_WARNINGS)
    )
    assert (wrong.outcome, [one.code for one in wrong.objections]) == ("refused", ["BRANCH_OPCO"])
    (warned,) = await room.tell("akto", reference, asked.SubmitFiche(content=content))
    assert (warned.outcome, [one.code for one in warned.warnings]) == ("warned", list(PAST_WARNINGS))
    (accepted,) = await room.tell("akto", reference, asked.SubmitFiche(content=content, acknowledged=PAST_WARNINGS))
    fiche = fiche_id("akto", reference)
    assert (accepted.outcome, accepted.fiche_id, accepted.revision) == ("accepted", fiche, 1)
    validation: FicheValidated = about(f.VALIDATED, fiche).model_copy(
        update={"opco": "akto", "reference": f"P-{fiche}"}
    )
    await room.hear((validation, 1))
    answers = await room.tell(
        "akto",
        reference,
        asked.ConfirmProgrammation(),
        asked.EngageSession(number=1, enrolled=2),
        asked.EngageSession(number=1, enrolled=2, forced_reason="Groupe promis."),
        asked.PostponeSession(
            number=1,
            start=dt.date(2018, 5, 14),
            end=dt.date(2018, 8, 17),
            motive=SessionMotive.SANITAIRE,
            acknowledged=PAST_WARNINGS,
        ),
        asked.CancelSession(number=1, motive=SessionMotive.SANITAIRE),
        asked.WithdrawFiche(reason=WithdrawalReason.AUTRE),
    )
    outcomes = ["accepted", "refused", "accepted", "accepted", "accepted", "refused"]
    assert [answer.outcome for answer in answers] == outcomes
    assert [answer.status for answer in answers if answer.status] == [
        "confirmed",
        "confirmed",
        "confirmed",
        "cancelled",
    ]
    assert {answer.reference for answer in answers} == {reference}


async def test_every_command_of_the_contract_is_carried_out_by_the_topic(room: Room) -> None:
    reference, acknowledged = uuid4().hex, PAST_WARNINGS
    fiche = fiche_id(GOLDEN_OPCO, reference)
    proposed: AdaptationProposed = about(f.PROPOSED, fiche).model_copy(update={"expires_on": dt.date(2100, 1, 1)})
    steps: list[tuple[Any, asked.Command]] = [
        (None, asked.SubmitFiche(content=golden_content(), acknowledged=acknowledged)),
        (None, asked.AmendFiche(content=golden_content(title="Deux"), acknowledged=acknowledged)),
        (f.ASKED, asked.CompleteFiche(content=golden_content(title="Trois"), acknowledged=acknowledged)),
        (proposed, asked.CounterPropose(content=golden_content(title="Quatre"), reason="R", acknowledged=acknowledged)),
        (proposed, asked.DeclineAdaptation(reason="R")),
        (proposed, asked.AcceptAdaptation(acknowledged=acknowledged)),
        (None, asked.WithdrawFiche(reason=WithdrawalReason.FICHE_REMPLACEE)),
    ]
    heard = 0
    for event, command in steps:
        if event is not None:
            heard += 1
            await room.hear((about(event, fiche), heard))
        (answer,) = await room.tell(GOLDEN_OPCO, reference, command)
        assert answer.outcome == "accepted", answer
    assert len(await room.said(fiche)) == len(steps)


async def test_a_key_that_names_no_fiche_of_the_sender_is_answered_as_unknown(room: Room) -> None:
    (answer,) = await room.tell("akto", uuid4().hex, asked.ConfirmProgrammation())
    assert (answer.outcome, [one.code for one in answer.objections]) == ("refused", ["UNKNOWN"])


async def test_the_list_is_read_page_by_page_the_newest_first_and_by_filter(room: Room) -> None:
    made = [await filed(room) for _ in range(3)]
    await room.post(GOLDEN_OPCO, f"/{made[0]}/withdrawal", {"reason": "AUTRE"})
    first = await room.get("region", "", {"limit": 2, "opco": GOLDEN_OPCO, "start_year": 2018})
    assert [one["fiche_id"] for one in first.json()["fiches"]] == [str(made[2]), str(made[1])]
    link = first.headers["link"]
    assert link.endswith('>; rel="next"')
    second = await room.client.get(link.split(">")[0][1:], headers={"authorization": "region"})
    assert second.json()["fiches"][0]["fiche_id"] == str(made[0])
    gone = await room.get("region", "", {"status": "withdrawn"})
    assert str(made[0]) in {one["fiche_id"] for one in gone.json()["fiches"]}
    assert {one["status"] for one in gone.json()["fiches"]} == {"withdrawn"}
    assert (await room.get("region", "", {"start_year": 2019})).json()["fiches"] == []
    assert (await room.get("region", "", {"opco": "opca"})).status_code == 422
    assert (await room.get("region", "", {"after": "x"})).status_code == 422


async def test_every_transition_is_in_the_trail_with_its_actor(room: Room) -> None:
    fiche = await confirmed(room)
    rows = await room.fetch(
        "SELECT actor, action, facts->>'to' AS after FROM audit_entry WHERE aggregate = $1 ORDER BY n", str(fiche)
    )
    assert [tuple(row) for row in rows] == [
        ("opco-2i", "submit_fiche", "submitted"),
        ("submission:worker", "avis_given", "submitted"),
        ("submission:worker", "fiche_validated", "validated"),
        ("opco-2i", "confirm_programmation", "confirmed"),
    ]


async def test_personal_data_in_a_text_are_refused_by_http_and_by_the_topic_and_kept_nowhere(room: Room) -> None:
    content = golden_json() | {"objective": "Écrire à canari.secret@exemple.fr ou au 02 31 00 00 00."}
    found = (await room.post(GOLDEN_OPCO, "", {"reference": "canari.ref@exemple.fr", "content": content})).json()
    assert [(one["field"], one["code"]) for one in found["objections"]] == [
        ("reference", "FREE_TEXT_EMAIL"),
        ("content.objective", "FREE_TEXT_EMAIL"),
        ("content.objective", "FREE_TEXT_TELEPHONE"),
    ]
    told = await room.tell(
        "akto",
        uuid4().hex,
        asked.SubmitFiche.model_validate({"content": content}),
        asked.DeclineAdaptation(reason="Voir canari.secret@exemple.fr"),
    )
    assert [answer.outcome for answer in told] == ["refused", "refused"]
    assert [one.field for one in told[1].objections] == ["reason"]
    (by_key,) = await room.tell("akto", "canari.cle@exemple.fr", asked.ConfirmProgrammation())
    assert (by_key.outcome, by_key.reference, by_key.objections[0].field) == ("refused", None, "reference")
    tables = ("outbox", "inbox", "dead_letter", "audit_entry", "fiche")
    kept = [await room.fetch(f"SELECT 1 FROM {table} t WHERE t::text LIKE '%canari%'") for table in tables]
    assert kept == [[], [], [], [], []]
