"""The doors of validation on a real database: what a reviewer's program sees, and what is written."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from services.validation.consumers import hearing
from services.validation.domain.decision import validation_reference
from services.validation.domain.dossier import Status
from services.validation.store import TABLE
from shared.clock import civil_date
from shared.contracts.flow import DOSSIERS
from shared.contracts.submission import FicheAmended, FicheSubmitted, FicheWithdrawn
from shared.statements import pg_type
from tests.services.validation import dossiers as d
from tests.services.validation.room import Room
from tests.services.validation.test_dossier_lifecycle import SHIFT
from tests.support.servers import Servers

PLAIN = {"avis": "COMPLEMENTAIRE"}
COMPETING = {"avis": "CONCURRENT", "reasons": ["LIEU"], "comment": "Même lieu.", "prf_committed": True}
REFUSAL = {"reasons": ["HORS_CADRE_POEC"], "comment": "Hors cadre."}
COMPLETION = {"items": [{"field": "hours.total", "request": "Précisez la durée."}]}


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def room(servers: Servers) -> AsyncIterator[Room]:
    made = await Room.make(servers)
    try:
        yield made
    finally:
        await made.close()


def filed(fiche: UUID, opco: str = d.OPCO) -> FicheSubmitted:
    return d.submitted(fiche).model_copy(update={"opco": opco})


def amended(fiche: UUID, revision: int, days: int) -> FicheAmended:
    return FicheAmended(fiche_id=fiche, opco=d.OPCO, revision=revision, content=d.moved(days), shift=SHIFT)


async def opened(room: Room) -> UUID:
    fiche = uuid4()
    await room.hear((filed(fiche), 1))
    return fiche


def test_what_is_heard_is_what_the_flow_table_sends_here() -> None:
    hearing().check()


async def test_the_tables_are_those_the_code_thinks_of(room: Room) -> None:
    query = "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'dossier'"
    rows = await room.fetch(query)
    assert {row["column_name"]: row["data_type"] for row in rows} == {c.name: pg_type(c) for c in TABLE.c}


async def test_every_status_of_the_domain_fits_the_table(room: Room) -> None:
    query = "SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint WHERE conname = 'dossier_status_check'"
    (row,) = await room.fetch(query)
    assert all(f"'{status}'" in row["text"] for status in Status)


async def test_a_filed_fiche_is_read_with_its_revision_as_etag(room: Room) -> None:
    fiche = await opened(room)
    answer = await room.get("region", f"/{fiche}")
    assert answer.headers["etag"] == '"1"'
    seen = answer.json()
    assert (seen["status"], seen["status_label"]) == ("open", "Avis attendu")
    due = civil_date(dt.datetime.fromisoformat(seen["opened_at"])) + dt.timedelta(days=15)
    assert seen["avis_due_on"] == due.isoformat()
    assert seen["content"]["rome"] == "H3404"


async def test_the_whole_way_from_filing_to_validation_is_said_in_order(room: Room) -> None:
    fiche = await opened(room)
    assert (await room.post("region", fiche, "completion-request", COMPLETION)).json()["status"] == "completion_asked"
    await room.hear((amended(fiche, 2, 3), 2))
    assert (await room.post("region", fiche, "avis", PLAIN, 2)).status_code == 409
    fiche = await opened(room)
    assert (await room.post("region", fiche, "avis", COMPETING)).json()["avis"] == "CONCURRENT"
    assert (await room.post("region", fiche, "avis/correction", PLAIN)).json()["avis"] == "COMPLEMENTAIRE"
    answer = await room.post("pole-emploi", fiche, "validation", {})
    today = civil_date(await room.database.now())
    assert answer.json() == {
        "fiche_id": str(fiche),
        "status": "validated",
        "status_label": "Validée",
        "revision": 1,
        "avis": "COMPLEMENTAIRE",
        "validation_reference": validation_reference(fiche, 1, today),
    }
    said = await room.fetch("SELECT headers ->> 'ce_type' AS type FROM outbox WHERE key = $1 ORDER BY id", str(fiche))
    names = ["dossier.opened", "avis.given", "avis.given", "fiche.validated"]
    assert [row["type"] for row in said] == [f"fr.poec.{name}.v1" for name in names]


async def test_events_get_sequences_without_gap_and_the_trail_an_entry_each(room: Room) -> None:
    fiche = await opened(room)
    await room.post("region", fiche, "avis", PLAIN)
    await room.hear((amended(fiche, 2, 5), 2), (amended(fiche, 3, 40), 3))
    rows = await room.fetch("SELECT topic, sequence FROM outbox WHERE key = $1 ORDER BY id", str(fiche))
    assert [(row["topic"], row["sequence"]) for row in rows] == [(DOSSIERS, 1), (DOSSIERS, 2), (DOSSIERS, 3)]
    trail = await room.fetch("SELECT n, action, actor FROM audit_entry WHERE aggregate = $1 ORDER BY n", str(fiche))
    assert [(row["n"], row["action"], row["actor"]) for row in trail] == [
        (1, "fiche_submitted", "validation:worker"),
        (2, "give_avis", "region"),
        (3, "fiche_amended", "validation:worker"),
        (4, "fiche_amended", "validation:worker"),
    ]
    assert (await room.get("dreets", f"/{fiche}")).json()["status"] == "avis_lapsed"


async def test_a_decision_without_revision_is_428_and_on_a_stale_one_412_with_what_changed(room: Room) -> None:
    fiche = await opened(room)
    assert (await room.post("region", fiche, "avis", PLAIN, None)).status_code == 428
    await room.hear((amended(fiche, 2, 5), 2))
    stale = await room.post("region", fiche, "avis", PLAIN, 1)
    assert stale.status_code == 412
    (objection,) = stale.json()["objections"]
    assert objection["facts"] == {"revision": 2, "changed": "sessions"}
    assert (await room.post("region", fiche, "avis", PLAIN, 2)).status_code == 200


@pytest.mark.parametrize(
    ("who", "path", "body"),
    [
        ("pole-emploi", "avis", PLAIN),
        ("pole-emploi", "avis/correction", PLAIN),
        ("region", "validation", {}),
        ("region", "refusal", REFUSAL),
        ("opco-2i", "completion-request", COMPLETION),
        ("dreets", "validation", {}),
    ],
)
async def test_nobody_does_another_one_s_part(room: Room, who: str, path: str, body: object) -> None:
    fiche = await opened(room)
    for revision in (1, None):
        assert (await room.post(who, fiche, path, body, revision)).status_code == 403


async def test_an_opco_does_not_read_dossiers_and_nobody_reads_without_a_token(room: Room) -> None:
    fiche = await opened(room)
    assert (await room.get("opco-2i", f"/{fiche}")).status_code == 403
    assert (await room.get("opco-2i")).status_code == 403
    assert (await room.get("nobody")).status_code == 401


async def test_an_unknown_fiche_is_404(room: Room) -> None:
    assert (await room.get("region", f"/{uuid4()}")).status_code == 404
    assert (await room.post("region", uuid4(), "avis", PLAIN)).status_code == 404


async def test_a_validation_before_the_avis_is_409_and_against_concurrent_without_reason_422(room: Room) -> None:
    fiche = await opened(room)
    assert (await room.post("pole-emploi", fiche, "validation", {})).status_code == 409
    await room.post("region", fiche, "avis", COMPETING)
    refused = await room.post("pole-emploi", fiche, "validation", {})
    assert (refused.status_code, refused.json()["objections"][0]["code"]) == (422, "AGAINST_AVIS_REASON_MISSING")
    assert (await room.post("pole-emploi", fiche, "validation", {"reason": "Postes."})).status_code == 200


async def test_the_same_key_gets_the_same_bytes_and_has_one_effect(room: Room) -> None:
    fiche = await opened(room)
    first = await room.post("region", fiche, "avis", PLAIN, key="once")
    again = await room.post("region", fiche, "avis", PLAIN, key="once")
    assert (first.status_code, first.content, first.headers["etag"]) == (200, again.content, again.headers["etag"])
    assert (await room.post("region", fiche, "avis", COMPETING, key="once")).status_code == 422
    assert len(await room.fetch("SELECT 1 AS one FROM audit_entry WHERE aggregate = $1", str(fiche))) == 2


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("avis", {"avis": "OPPORTUN"}, "avis"),
        ("avis", {"avis": "CONCURRENT", "reasons": ["OPPORTUNITE"]}, "reasons.0"),
        ("avis", {**PLAIN, "comment": "x" * 2001}, "comment"),
        ("completion-request", {"items": []}, "items"),
        ("adaptation", {"adaptation": {}, "reasons": [], "expires_on": "2021-01-01"}, "reasons"),
    ],
)
async def test_bad_input_names_the_field_and_echoes_nothing(room: Room, path: str, body: object, field: str) -> None:
    answer = await room.post("region", await opened(room), path, body)
    assert answer.status_code == 422
    assert field in [objection["field"] for objection in answer.json()["objections"]]
    assert "OPPORTUN" not in answer.text
    assert "xxx" not in answer.text


async def test_of_decisions_given_at_once_one_counts(room: Room) -> None:
    fiche = await opened(room)
    await room.post("region", fiche, "avis", PLAIN)
    commands = [("validation", {}), ("refusal", REFUSAL)] * 4
    given = await asyncio.gather(*(room.post("pole-emploi", fiche, path, body) for path, body in commands))
    assert sorted(answer.status_code for answer in given) == [200, *[409] * 7]
    said = await room.fetch("SELECT 1 AS one FROM outbox WHERE key = $1", str(fiche))
    assert len(said) == 3


async def test_a_refused_comment_is_never_echoed(room: Room) -> None:
    body = {"avis": "COMPLEMENTAIRE", "reasons": ["LIEU"], "comment": "Secret de dossier"}
    answer = await room.post("region", await opened(room), "avis", body)
    assert answer.status_code == 422
    assert "Secret" not in answer.text


async def test_the_queue_is_read_page_by_page_the_oldest_first(room: Room) -> None:
    fiches = [uuid4() for _ in range(5)]
    await room.hear(*((filed(fiche, "afdas"), 1) for fiche in fiches))
    await room.post("region", fiches[0], "avis", PLAIN)
    seen: list[dict[str, object]] = []
    query: dict[str, str | int] = {"opco": "afdas", "limit": 2}
    while True:
        page = (await room.get("region", query=query)).json()
        seen += page["dossiers"]
        if page["next"] is None:
            break
        query["after"] = page["next"]
    assert {item["fiche_id"] for item in seen} == {str(fiche) for fiche in fiches}
    assert len(seen) == 5
    assert seen == sorted(seen, key=lambda item: (item["opened_at"], item["fiche_id"]))
    assert {(item["age_days"], item["late"]) for item in seen} == {(0, False)}
    given = (await room.get("region", query={"opco": "afdas", "status": "avis_given"})).json()["dossiers"]
    assert [item["fiche_id"] for item in given] == [str(fiches[0])]


async def test_age_and_lateness_follow_the_business_clock(room: Room) -> None:
    await room.hear((filed(uuid4(), "atlas"), 1))
    owner = await asyncpg.connect(room.owner_url)
    try:
        for days, late in ((15, False), (16, True)):
            await owner.execute("UPDATE clock_offset SET seconds = $1", days * 86_400)
            (item,) = (await room.get("region", query={"opco": "atlas"})).json()["dossiers"]
            assert (item["age_days"], item["late"]) == (days, late)
    finally:
        await owner.execute("UPDATE clock_offset SET seconds = 0")
        await owner.close()


@pytest.mark.parametrize(
    "query",
    [{"status": "approved"}, {"opco": "unknown"}, {"limit": 0}, {"limit": 201}, {"after": "%%"}, {"after": "YQ=="}],
)
async def test_a_query_that_makes_no_sense_is_422(room: Room, query: dict[str, str | int]) -> None:
    assert (await room.get("region", query=query)).status_code == 422


async def test_a_fact_about_a_fiche_without_dossier_is_a_dead_letter(room: Room) -> None:
    fiche = uuid4()
    withdrawn = FicheWithdrawn.model_validate({"fiche_id": fiche, "opco": d.OPCO, "revision": 1, "reason": "AUTRE"})
    await room.hear((withdrawn, 1))
    (letter,) = await room.fetch("SELECT code FROM dead_letter WHERE key = $1", str(fiche).encode())
    assert letter["code"] == "DOSSIER_UNKNOWN"


async def test_the_process_owns_nothing_and_the_audit_role_reads_all(room: Room) -> None:
    await opened(room)
    async with room.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM dossier") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("UPDATE audit_entry SET actor = 'x'")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DELETE FROM dossier")
    audit = await asyncpg.connect(room.audit_url)
    assert await audit.fetchval("SELECT count(*) FROM dossier") > 0
    await audit.close()


async def test_a_comment_that_seems_to_name_somebody_is_warned_about_and_passes_once_acknowledged(room: Room) -> None:
    fiche = await opened(room)
    named = PLAIN | {"comment": "Vu avec Mme Exemple."}
    warned = await room.post("region", fiche, "avis", named)
    assert (warned.status_code, warned.json()["warnings"][0]["code"]) == (409, "PERSON_NAME_SUSPECTED")
    known: dict[str, object] = {**named, "acknowledged": ["PERSON_NAME_SUSPECTED"]}
    passed = await room.post("region", fiche, "avis", known)
    assert passed.status_code == 200
    rows = await room.fetch("SELECT facts->>'acknowledged' AS kept FROM audit_entry WHERE aggregate = $1 ORDER BY n", str(fiche))
    assert rows[-1]["kept"] == "PERSON_NAME_SUSPECTED"
