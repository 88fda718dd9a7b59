"""What is prepared before it is filed, by HTTP and by topic, on a real database: intentions, drafts, renewals, who sees what."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest

from services.submission.domain import preparing
from services.submission.form_fields import fields_of
from shared.contracts import ingress as asked
from shared.contracts.fiche import Intention, fiche_id
from shared.contracts.references import WithdrawalReason
from tests.services.submission import filings as f
from tests.services.submission.room import Room
from tests.support.fiches import GOLDEN_OPCO, PAST_WARNINGS, golden_content, golden_json
from tests.support.servers import Servers

MEANT: dict[str, Any] = {**f.INTENTION.model_dump(mode="json")}


@pytest.fixture
async def room(servers: Servers) -> Any:
    made = await Room.make(servers)
    yield made
    await made.close()


def draft(reference: str, **fields: str) -> dict[str, Any]:
    return {"reference": reference, "fields": {path.replace("__", "."): text for path, text in fields.items()}}


async def test_an_intention_is_announced_seen_by_the_region_drafted_and_filed_under_its_identifier(room: Room) -> None:
    made = await room.post(GOLDEN_OPCO, "/intentions", {"reference": "I-1", "intention": MEANT})
    assert made.status_code == 201, made.text
    fiche = UUID(made.json()["fiche_id"])
    assert fiche == fiche_id(GOLDEN_OPCO, "I-1")
    shown = (await room.get("region", f"/{fiche}")).json()
    assert (shown["status_label"], shown["intention"]["rome"], shown["fields"]) == ("Intention", "H3404", {})
    assert (await room.get("akto", f"/{fiche}")).status_code == 404
    again = {"reference": "I-1", "intention": {**MEANT, "seats": 15}}
    assert (await room.post(GOLDEN_OPCO, "/intentions", again)).status_code == 428
    assert (await room.post(GOLDEN_OPCO, "/intentions", again, revision=1)).json()["revision"] == 2
    drafted = await room.post(GOLDEN_OPCO, "/drafts", draft("I-1", title="Peintre"), revision=2)
    assert (drafted.json()["status"], drafted.json()["revision"]) == ("draft", 3)
    seen = (await room.get("region", f"/{fiche}")).json()
    assert (seen["intention"]["seats"], seen["fields"]) == (15, {})
    body = {"reference": "I-1", "content": golden_json(), "acknowledged": list(PAST_WARNINGS)}
    assert (await room.post(GOLDEN_OPCO, "", body, revision=3)).status_code == 201
    assert await room.said(fiche) == [
        "fr.poec.fiche.preprogrammed.v1",
        "fr.poec.fiche.preprogrammed.v1",
        "fr.poec.fiche.submitted.v1",
    ]
    assert (await room.post(GOLDEN_OPCO, "/drafts", draft("I-1"), revision=1)).status_code == 409


async def test_two_people_at_one_draft_do_not_overwrite_each_other(room: Room) -> None:
    first = await room.post(GOLDEN_OPCO, "/drafts", draft("D-1", title="Peintre", hours__total="399"))
    assert (first.status_code, first.headers["etag"]) == (201, '"1"')
    mine = await room.post(GOLDEN_OPCO, "/drafts", draft("D-1", title="Peintre", hours__total="400 ?"), revision=1)
    assert mine.json()["revision"] == 2
    other = await room.post(GOLDEN_OPCO, "/drafts", draft("D-1", title="Peintre industriel", hours__total="399"), revision=1)
    assert other.status_code == 412
    facts = other.json()["objections"][0]["facts"]
    assert (facts["read"], facts["current"], facts["changed"]) == (1, 2, "hours.total")
    assert "400 ?" not in other.text
    kept = (await room.get(GOLDEN_OPCO, f"/{fiche_id(GOLDEN_OPCO, 'D-1')}")).json()
    assert kept["fields"] == {"title": "Peintre", "hours.total": "400 ?"}
    same = await room.post(GOLDEN_OPCO, "/drafts", draft("D-1", title="Peintre", hours__total="400 ?"), revision=2)
    assert same.json()["revision"] == 2


async def test_filing_over_a_draft_names_the_revision_read_and_loses_no_colleagues_text(room: Room) -> None:
    drafted = await room.post(GOLDEN_OPCO, "/drafts", draft("D-5", title="Peintre"))
    await room.post(GOLDEN_OPCO, "/drafts", draft("D-5", title="Peintre industriel"), revision=1)
    body = {"reference": "D-5", "content": golden_json(), "acknowledged": list(PAST_WARNINGS)}
    blind = await room.post(GOLDEN_OPCO, "", body)
    assert (blind.status_code, blind.json()["code"]) == (428, "revision_required")
    (told,) = blind.json()["objections"]
    assert told["facts"] == {"fiche_id": drafted.json()["fiche_id"], "status": "draft"}
    assert told["message"].startswith("Un brouillon porte cette référence")
    late = await room.post(GOLDEN_OPCO, "", body, revision=1)
    assert (late.status_code, late.json()["code"]) == (412, "stale_revision")
    assert late.json()["objections"][0]["facts"]["changed"] == "title"
    fiche = drafted.json()["fiche_id"]
    assert (await room.get(GOLDEN_OPCO, f"/{fiche}")).json()["fields"] == {"title": "Peintre industriel"}
    filed = await room.post(GOLDEN_OPCO, "", body, revision=2)
    assert (filed.status_code, filed.json()["fiche_id"]) == (201, fiche)
    again = await room.post(GOLDEN_OPCO, "", body)
    assert (again.status_code, again.json()["objections"][0]["code"]) == (409, "REFERENCE_TAKEN")


async def test_filing_over_what_was_dropped_says_so_and_asks_for_no_revision(room: Room) -> None:
    drafted = await room.post(GOLDEN_OPCO, "/drafts", draft("D-6", title="Peintre"))
    await room.post(GOLDEN_OPCO, f"/{drafted.json()['fiche_id']}/withdrawal", {"reason": "AUTRE"})
    body = {"reference": "D-6", "content": golden_json(), "acknowledged": list(PAST_WARNINGS)}
    refused = await room.post(GOLDEN_OPCO, "", body)
    assert (refused.status_code, refused.json()["objections"][0]["code"]) == (409, "STATUS")


async def test_filing_under_a_free_reference_at_a_revision_says_that_nothing_was_there_to_be_read(room: Room) -> None:
    body = {"reference": "D-7", "content": golden_json(), "acknowledged": list(PAST_WARNINGS)}
    refused = await room.post(GOLDEN_OPCO, "", body, revision=1)
    assert (refused.status_code, refused.json()["objections"][0]["code"]) == (412, "REVISION")
    assert (await room.post(GOLDEN_OPCO, "", body)).status_code == 201


async def test_a_record_on_a_topic_files_over_a_draft_as_its_opcos_system_has_it(room: Room) -> None:
    await room.post(GOLDEN_OPCO, "/drafts", draft("D-8", title="Peintre"))
    filing = asked.SubmitFiche(content=golden_content(), acknowledged=PAST_WARNINGS)
    (told,) = await room.tell(GOLDEN_OPCO, "D-8", filing)
    assert told.outcome == "accepted"
    fiche = (await room.get(GOLDEN_OPCO, f"/{fiche_id(GOLDEN_OPCO, 'D-8')}")).json()
    assert fiche["status"] == "submitted"


async def test_a_draft_is_its_opcos_own_business_and_may_go_silently(room: Room) -> None:
    await room.post(GOLDEN_OPCO, "/drafts", draft("D-2", title="Peintre"))
    fiche = fiche_id(GOLDEN_OPCO, "D-2")
    for who in ("region", "dreets", "akto"):
        assert (await room.get(who, f"/{fiche}")).status_code == 404
        assert (await room.get(who, "", {"status": "draft"})).json()["fiches"] == []
    assert len((await room.get(GOLDEN_OPCO, "", {"status": "draft"})).json()["fiches"]) == 1
    dropped = await room.post(GOLDEN_OPCO, f"/{fiche}/withdrawal", {"reason": "BESOIN_DISPARU"}, revision=1)
    assert (dropped.status_code, dropped.json()["status"]) == (200, "withdrawn")
    assert await room.said(fiche) == []
    assert (await room.get("region", f"/{fiche}")).status_code == 404
    assert (await room.get("region", "", {"status": "withdrawn"})).json()["fiches"] == []
    shown = (await room.get(GOLDEN_OPCO, f"/{fiche}")).json()
    assert (shown["status"], shown["fields"], shown["withdrawal"]) == ("withdrawn", {}, "BESOIN_DISPARU")


async def test_a_draft_holds_half_typed_values_and_nothing_that_identifies_a_person(room: Room) -> None:
    wrong = draft("D-3", title="Appeler le 06 12 34 56 78", nothing="x", sessions__20__start="x")
    refused = await room.post(GOLDEN_OPCO, "/drafts", wrong)
    assert refused.status_code == 422
    assert [(o["code"], o["field"]) for o in refused.json()["objections"]] == [
        ("FIELD_UNKNOWN", "fields"),
        ("FREE_TEXT_TELEPHONE", "title"),
    ]
    assert "06 12" not in refused.text


async def test_all_that_is_wrong_with_an_intention_is_said_at_once(room: Room) -> None:
    wrong = {
        **MEANT,
        "rome": "H3499",
        "zone_emploi": "5315",
        "branch_idcc": "1413",
        "starts_from": "2018-06-01",
        "starts_until": "2017-05-01",
    }
    refused = await room.post(GOLDEN_OPCO, "/intentions", {"reference": "I-9", "intention": wrong})
    assert [o["code"] for o in refused.json()["objections"]] == [
        "ROME_UNKNOWN",
        "PLACE_ZONE",
        "BRANCH_OPCO",
        "INTENTION_PERIOD",
        "INTENTION_YEAR",
    ]


async def test_a_partner_announces_and_drops_an_intention_by_its_topic(room: Room) -> None:
    meant = Intention.model_validate(MEANT)
    told = await room.tell(
        GOLDEN_OPCO,
        "I-2",
        asked.PreprogrammeFiche(intention=meant),
        asked.PreprogrammeFiche(intention=meant),
        asked.WithdrawFiche(reason=WithdrawalReason.MARCHE_INFRUCTUEUX),
    )
    assert [answer.outcome for answer in told] == ["accepted", "refused", "accepted"]
    assert told[1].objections[0].code == "INTENTION_UNCHANGED"
    assert await room.said(fiche_id(GOLDEN_OPCO, "I-2")) == [
        "fr.poec.fiche.preprogrammed.v1",
        "fr.poec.intention.dropped.v1",
    ]


async def test_last_years_fiche_is_taken_up_again_with_its_results_beside_it(room: Room) -> None:
    body = {"reference": "F-1", "content": golden_json(), "acknowledged": list(PAST_WARNINGS)}
    source = UUID((await room.post(GOLDEN_OPCO, "", body)).json()["fiche_id"])
    early = await room.post(GOLDEN_OPCO, f"/{source}/renewal", {"reference": "F-2", "programme_year": 2019})
    assert (early.status_code, early.json()["objections"][0]["code"]) == (409, "STATUS")
    cancelled = {"motive": "SOURCING_INSUFFISANT", "cause": "MOBILITE"}
    await room.post(GOLDEN_OPCO, f"/{source}/sessions/1/cancellation", cancelled)
    same = await room.post(GOLDEN_OPCO, f"/{source}/renewal", {"reference": "F-2", "programme_year": 2018})
    assert same.json()["objections"][0]["code"] == "RENEWAL_YEAR"
    renewed = await room.post(GOLDEN_OPCO, f"/{source}/renewal", {"reference": "F-2", "programme_year": 2019})
    assert renewed.status_code == 201, renewed.text
    shown = (await room.get(GOLDEN_OPCO, f"/{renewed.json()['fiche_id']}")).json()
    assert (shown["status"], shown["renews"]) == ("draft", str(source))
    (result,) = shown["renewed"]["sessions"]
    assert (result["state"], result["motive"], result["cause"]) == ("cancelled", "SOURCING_INSUFFISANT", "MOBILITE")
    expected = fields_of(golden_content()) | {
        "programme_year": "2019",
        "sessions.0.start": "2019-04-29",
        "sessions.0.end": "2019-08-02",
        "sessions.0.meetings.0.on": "2019-04-03",
    }
    assert shown["fields"] == {path: text for path, text in expected.items() if path != "procurement"}
    assert (await room.get("akto", f"/{source}")).status_code == 404
    other = await room.post("akto", f"/{source}/renewal", {"reference": "F-2", "programme_year": 2019})
    assert other.status_code == 404
    again = await room.post(GOLDEN_OPCO, f"/{source}/renewal", {"reference": "F-2", "programme_year": 2020})
    assert again.json()["objections"][0]["code"] == "REFERENCE_TAKEN"


async def test_the_database_alone_keeps_a_draft_from_who_sees_every_fiche(room: Room) -> None:
    await room.post(GOLDEN_OPCO, "/drafts", draft("D-4", title="Peintre"))
    await room.post(GOLDEN_OPCO, "/intentions", {"reference": "I-4", "intention": MEANT})
    seen = {row["reference"] for row in await room.fetch("SELECT reference FROM fiche")}
    assert seen == {"I-4"}


async def test_saving_what_is_there_already_writes_nothing(room: Room) -> None:
    first = await room.post(GOLDEN_OPCO, "/drafts", draft("B-11", title="Peintre"))
    again = await room.post(GOLDEN_OPCO, "/drafts", draft("B-11", title="Peintre"), revision=1)
    assert (first.json()["revision"], again.json()["revision"]) == (1, 1)
    written = await room.fetch("SELECT n FROM audit_entry WHERE aggregate = $1", first.json()["fiche_id"])
    assert len(written) == 1


async def test_one_draft_or_intention_too_many_is_refused_until_one_is_dropped(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "MOST_OPEN", 2)
    first = (await room.post(GOLDEN_OPCO, "/drafts", draft("M-1", title="Peintre"))).json()["fiche_id"]
    await room.post(GOLDEN_OPCO, "/intentions", {"reference": "M-2", "intention": MEANT})
    for path, body in (("/drafts", draft("M-3")), ("/intentions", {"reference": "M-3", "intention": MEANT})):
        refused = await room.post(GOLDEN_OPCO, path, body)
        assert (refused.status_code, refused.json()["objections"][0]["code"]) == (409, "PREPARATIONS_OPEN")
        assert refused.json()["objections"][0]["facts"] == {"limit": 2}
    assert (await room.post(GOLDEN_OPCO, "/drafts", draft("M-1", title="Peintre 2"), revision=1)).status_code == 201
    assert (await room.post("akto", "/drafts", draft("M-3"))).status_code == 201, "each OPCO has its own room"
    filed = {"reference": "M-4", "content": golden_json(), "acknowledged": list(PAST_WARNINGS)}
    assert (await room.post(GOLDEN_OPCO, "", filed)).status_code == 201, "what is filed is no draft"
    await room.post(GOLDEN_OPCO, f"/{first}/withdrawal", {"reason": "AUTRE"})
    assert (await room.post(GOLDEN_OPCO, "/drafts", draft("M-3"))).status_code == 201


async def test_the_last_step_leads_to_the_row_that_a_rule_objects_to_past_a_row_that_was_left_empty(room: Room) -> None:
    last = {"number": "2", "start": "30/04/2018", "end": "27/04/2018", "seats": "12", "minimum": "8"}
    fields = {**fields_of(golden_content()), **{f"sessions.2.{name}": text for name, text in last.items()}}
    drafted = (await room.post(GOLDEN_OPCO, "/drafts", {"reference": "B-9", "fields": fields})).json()
    page = await room.read(GOLDEN_OPCO, f"/espace/brouillons/{drafted['fiche_id']}/relire", None)
    assert page.status_code == 200, page.text
    assert "verifier=oui#f-sessions-2-end" in page.text
    assert "verifier=oui#f-sessions-1-end" not in page.text
    content = {"reference": "B-10", "content": golden_json(), "acknowledged": list(PAST_WARNINGS)}
    filed = (await room.post(GOLDEN_OPCO, "", content)).json()["fiche_id"]
    form = urlencode({**fields, "revision": "1", "idempotency_key": uuid4().hex})
    headers = {"authorization": GOLDEN_OPCO, "content-type": "application/x-www-form-urlencoded"}
    refused = await room.client.post(f"/espace/fiches/{filed}/contenu", content=form, headers=headers)
    assert refused.status_code == 422
    assert 'href="#f-sessions-2-end"' in refused.text and 'href="#f-sessions-1-end"' not in refused.text
