"""Publication on real PostgreSQL: one read, one write, its doors over HTTP, and who sees what."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from services.publication import lheo_schema, store
from services.publication.api import router
from services.publication.app import SERVICE
from services.publication.consumers import hearing
from services.publication.domain.facts import Limits
from services.publication.store import open_listing
from services.publication.use_cases import WORKER
from shared.contracts.events import Event
from shared.contracts.fiche import session_id
from shared.contracts.flow import ingress_topic, results_topic
from shared.contracts.ingress import AisRow, RecordAis
from shared.database import Database
from shared.http import Door
from shared.identity import Principal
from shared.messaging.inbox import Inbox
from shared.messaging.letters import DeadLetters
from shared.messaging.news import News
from shared.messaging.records import Received
from shared.migrations import upgrade
from shared.web_app import new_app
from tests.services.publication import heard
from tests.support.callers import KnownCallers
from tests.support.servers import Servers

OTHER_OPCO = Principal("akto", "akto", "machine", frozenset({"opco"}))
CARIF = Principal("carif-oref", "carif-oref", "machine", frozenset({"carif_oref"}))
OPERATIONS = Principal("operations", "operations", "machine", frozenset({"operations"}))
INGRESS = ingress_topic("france-travail")
CALLERS = {p.id: p for p in (heard.FRANCE_TRAVAIL, heard.OPCO, OTHER_OPCO, CARIF)}
LISTED = (heard.submitted(), heard.avis(), heard.validated(), heard.confirmed())


@dataclass
class Publication:
    """The service without Kafka: its database, its ears and its doors; each test has a fiche of its own."""

    database: Database
    http: httpx.AsyncClient
    fiche: UUID = field(default_factory=uuid4)

    @property
    def first(self) -> UUID:
        return session_id(self.fiche, 1)

    def mine(self, event: Event, fiche: UUID | None = None) -> Event:
        fiche = fiche or self.fiche
        ours: dict[str, object] = {"fiche_id": fiche}
        if number := getattr(event, "number", None):
            ours["session_id"] = session_id(fiche, number)
        if reference := getattr(event, "reference", None):
            ours["reference"] = f"{reference}-{str(fiche)[:8].upper()}"
        return event.model_copy(update=ours)

    async def hears(self, *events: Event, fiche: UUID | None = None) -> None:
        """Hear events of one batch, in one unit of work."""
        ears, mine = hearing(Limits()), [self.mine(event, fiche) for event in events]
        async with self.database.unit(WORKER) as unit:
            listing = await open_listing(unit, [i for event in mine for i in ears.event_ids(event)])
            for event in mine:
                ears.handlers[type(event)](listing, event, unit.now)
            ears.write(listing, unit)
            await unit.flush()

    async def post(self, path: str, body: object, key: str | None = None, by: str = "france-travail") -> httpx.Response:
        headers = {"Authorization": f"Bearer {by}", "Idempotency-Key": key or str(uuid4())}
        return await self.http.post(path, json=body, headers=headers)

    async def get(self, path: str, by: str = "carif-oref", **params: str) -> httpx.Response:
        return await self.http.get(path, params=params, headers={"Authorization": f"Bearer {by}"})

    async def outbox(self, session: UUID | None = None) -> list[tuple[str, str, bool]]:
        """Return what was said of a session: topic, type, whether it is a tombstone."""
        query = (
            "SELECT topic, headers ->> 'ce_type' AS type, value IS NULL AS gone FROM outbox WHERE key = $1 ORDER BY id"
        )
        rows = await self.database.query(WORKER, query, str(session or self.first))
        return [(row["topic"].rpartition(".")[2], row["type"].removeprefix("fr.poec."), row["gone"]) for row in rows]


@pytest_asyncio.fixture
async def publication(servers: Servers) -> AsyncIterator[Publication]:
    urls = servers.urls["publication"]
    await asyncio.to_thread(upgrade, SERVICE.folder / "migrations", urls.owner)
    database = await Database.open(urls.process, "publication", 6)
    ears = hearing(Limits())
    app = new_app("publication", "0", _ready, router)
    app.state.door = Door(
        database, ears.open, ears.write, KnownCallers({f"Bearer {name}": who for name, who in CALLERS.items()}), News()
    )
    app.state.settings = SimpleNamespace(limits=Limits)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://publication") as http:
        yield Publication(database, http)
    await database.close()


async def _ready() -> dict[str, bool]:
    return {}


def rows(*ids: UUID) -> dict[str, object]:
    return {"rows": [{"ais_id": str(i), "recorded_on": "2018-04-10"} for i in ids]}


async def test_a_whole_story_in_one_batch_is_written_in_one_statement(publication: Publication) -> None:
    await publication.hears(*LISTED, heard.amended(2, heard.content(title="Peintre en poudre")))
    assert await publication.outbox() == [
        ("sessions", "session.published.v1", False),
        ("catalogue", "catalogue.entry.v1", False),
        ("catalogue", "catalogue.entry.v1", False),
    ]
    shown = (await publication.get(f"/sessions/{publication.first}")).json()
    assert (shown["status"], shown["label"], shown["ais"]) == ("published", "Ouverte", 0)


async def test_event_by_event_ends_the_same_and_numbers_its_sessions_events_without_gap(
    publication: Publication,
) -> None:
    for event in (*LISTED, heard.lapsed(), heard.avis(2), heard.validated(2), heard.amended(2, heard.content())):
        await publication.hears(event)
    query = "SELECT topic, sequence FROM outbox WHERE key = $1 ORDER BY id"
    said = await publication.database.query(WORKER, query, str(publication.first))
    sessions = [row["sequence"] for row in said if row["topic"] == "poec.publication.sessions"]
    assert sessions == list(range(1, len(sessions) + 1)) and len(sessions) == 3
    entries = [row["sequence"] for row in said if row["topic"] == "poec.publication.catalogue"]
    assert entries == sorted(set(entries))


async def test_a_withdrawn_fiche_leaves_a_tombstone(publication: Publication) -> None:
    await publication.hears(*LISTED)
    await publication.hears(heard.withdrawn())
    assert (await publication.outbox())[-2:] == [
        ("sessions", "session.removed.v1", False),
        ("catalogue", "catalogue.entry.v1", True),
    ]


async def test_the_audit_trail_of_fiche_and_session_is_written_with_the_change(publication: Publication) -> None:
    await publication.hears(*LISTED)
    query = "SELECT action, actor FROM audit_entry WHERE aggregate = $1 ORDER BY n"
    of_fiche = await publication.database.query(WORKER, query, str(publication.fiche))
    assert [row["action"] for row in of_fiche] == [
        "hear_fiche_submitted",
        "hear_avis_given",
        "hear_fiche_validated",
        "hear_programmation_confirmed",
    ]
    of_session = await publication.database.query(WORKER, query, str(publication.first))
    assert [row["action"] for row in of_session] == ["expect_session", "publish_session"]
    assert {row["actor"] for row in (*of_fiche, *of_session)} == {"publication:worker"}


async def test_ais_and_aes_over_http_have_an_answer_per_row(publication: Publication) -> None:
    await publication.hears(*LISTED)
    one, two, entered = uuid4(), uuid4(), uuid4()
    path = f"/sessions/{publication.first}"
    answer = (await publication.post(f"{path}/ais", rows(one, two, two))).json()
    assert [row["outcome"] for row in answer["rows"]] == ["recorded", "recorded", "already"] and answer["ais"] == 2
    answer = (await publication.post(f"{path}/ais-cancellations", {"ais_ids": [str(two), str(uuid4())]})).json()
    assert [row["outcome"] for row in answer["rows"]] == ["cancelled", "refused"] and answer["ais"] == 1
    aes = {"rows": [{"aes_id": str(entered), "entered_on": "2018-04-30", "ais_id": str(one)}]}
    answer = (await publication.post(f"{path}/aes", aes)).json()
    assert answer["rows"][0]["code"] is None and answer["aes"] == 1
    stored = await publication.database.query(WORKER, "SELECT state FROM ais WHERE session_id = $1", publication.first)
    assert sorted(row["state"] for row in stored) == ["cancelled", "recorded"]
    types = [kind for topic, kind, _ in await publication.outbox() if topic == "sessions"]
    assert types == [
        "session.published.v1",
        "ais.recorded.v1",
        "ais.recorded.v1",
        "ais.cancelled.v1",
        "aes.recorded.v1",
    ]


async def test_what_comes_too_early_by_kafka_is_kept_and_replayed(publication: Publication) -> None:
    inbox = Inbox(publication.database, hearing(Limits()))
    command = RecordAis(session_id=publication.first, rows=(AisRow(ais_id=uuid4(), recorded_on=heard.START),))
    names = {"ce_type": command.wire_type, "ce_id": str(uuid4())}
    headers = tuple((name, value.encode()) for name, value in names.items())
    key, offset = str(publication.first), publication.first.int % 2**40
    record = Received(INGRESS, 0, offset, key.encode(), headers, command.model_dump_json().encode())
    await inbox.apply(INGRESS, [record])
    assert await _answers(publication) == ["kept"]
    query = "SELECT id, code FROM dead_letter WHERE key = $1"
    (letter,) = await publication.database.query(WORKER, query, key.encode())
    assert letter["code"] == "SESSION_NOT_PUBLISHED"
    await publication.hears(*LISTED)
    settled = await DeadLetters(inbox).replay(OPERATIONS, letter["id"])
    assert settled.state == "replayed"
    assert await _answers(publication) == ["kept", "accepted"]
    assert (await publication.get(f"/sessions/{publication.first}")).json()["ais"] == 1


async def _answers(publication: Publication) -> list[str]:
    query = "SELECT value::json ->> 'outcome' AS outcome FROM outbox WHERE topic = $1 AND key = $2 ORDER BY id"
    topic = results_topic("publication", "france-travail")
    said = await publication.database.query(WORKER, query, topic, str(publication.first))
    return [row["outcome"] for row in said]


async def test_the_same_key_has_the_same_answer_byte_for_byte(publication: Publication) -> None:
    await publication.hears(*LISTED)
    body, key = rows(uuid4()), str(uuid4())
    path = f"/sessions/{publication.first}/ais"
    first = await publication.post(path, body, key)
    assert (await publication.post(path, body, key)).content == first.content
    assert (await publication.post(path, rows(uuid4()), key)).status_code == 422


async def test_five_hundred_rows_are_taken_and_five_hundred_and_one_refused(publication: Publication) -> None:
    content = heard.content(seats=500)
    await publication.hears(heard.submitted(content), heard.avis(), heard.validated(), heard.confirmed(1, content))
    path = f"/sessions/{publication.first}/ais"
    answer = await publication.post(path, rows(*(uuid4() for _ in range(500))))
    assert answer.status_code == 200 and answer.json()["status"] == "full"
    assert (await publication.post(path, rows(*(uuid4() for _ in range(501))))).status_code == 422


async def test_the_same_ais_in_two_sessions_at_once_is_counted_once(publication: Publication) -> None:
    two = heard.content(heard.START, heard.START)
    await publication.hears(heard.submitted(two), heard.avis(), heard.validated(), heard.confirmed(1, two))
    body = rows(uuid4())
    paths = [f"/sessions/{session_id(publication.fiche, number)}/ais" for number in (1, 2)]
    given = await asyncio.gather(*(publication.post(path, body) for path in paths))
    assert sorted(answer.json()["rows"][0]["code"] or "" for answer in given) == ["", "AIS_ELSEWHERE"]


async def test_batches_at_once_lose_no_ais(publication: Publication) -> None:
    await publication.hears(*LISTED)
    path = f"/sessions/{publication.first}/ais"
    given = await asyncio.gather(*(publication.post(path, rows(uuid4())) for _ in range(6)))
    counted = (await publication.get(f"/sessions/{publication.first}")).json()["ais"]
    assert counted == sum(answer.status_code == 200 for answer in given) > 0


async def test_an_unknown_session_is_404_an_expected_one_409_and_an_opco_403(publication: Publication) -> None:
    path = f"/sessions/{publication.first}/ais"
    assert (await publication.post(path, rows(uuid4()))).status_code == 404
    await publication.hears(*LISTED[:3])
    early = await publication.post(path, rows(uuid4()))
    assert early.status_code == 409 and early.json()["objections"][0]["code"] == "SESSION_NOT_PUBLISHED"
    assert (await publication.post(path, rows(uuid4()), by="opco-2i")).status_code == 403


async def test_an_opco_reads_its_own_sessions_only_and_nobody_unsigned(publication: Publication) -> None:
    await publication.hears(*LISTED)
    path = f"/sessions/{publication.first}"
    assert (await publication.get(path, by="opco-2i")).status_code == 200
    assert (await publication.get(path, by="akto")).status_code == 404
    mine = {"fiche_id": str(publication.fiche)}
    assert len((await publication.get("/sessions", by="opco-2i", **mine)).json()["sessions"]) == 1
    assert (await publication.get("/sessions", by="akto", **mine)).json()["sessions"] == []
    for unsigned in (path, "/sessions", "/check", "/catalogue.xml"):
        assert (await publication.get(unsigned, by="nobody")).status_code == 401


async def test_sessions_come_in_pages(publication: Publication) -> None:
    three = heard.content(*[heard.START] * 3)
    await publication.hears(heard.submitted(three), heard.avis(), heard.validated())
    mine = {"fiche_id": str(publication.fiche), "limit": "2", "status": "expected"}
    page = (await publication.get("/sessions", **mine)).json()
    rest = (await publication.get("/sessions", **mine, after=page["next"])).json()
    assert (len(page["sessions"]), len(rest["sessions"]), rest["next"]) == (2, 1, None)


def _numbers(document: bytes) -> Sequence[str]:
    return [part.partition(b'"')[0].decode() for part in document.split(b'<formation numero="F-')[1:]]


async def test_the_catalogue_is_lheo_page_by_page_and_the_same_for_everybody(
    publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [uuid4(), uuid4()]
    for fiche in (publication.fiche, *others):
        await publication.hears(*LISTED, fiche=fiche)
    await publication.hears(heard.withdrawn(), fiche=others[1])
    monkeypatch.setattr(store, "_PAGE", 1)
    answer = await publication.get("/catalogue.xml")
    assert answer.headers["content-type"].startswith("application/xml")
    assert lheo_schema.objections(answer.content) == []
    shown = set(_numbers(answer.content))
    assert {str(publication.fiche), str(others[0])} <= shown and str(others[1]) not in shown
    assert (await publication.get("/catalogue.xml", by="akto")).content == answer.content


async def test_an_empty_catalogue_has_no_document(publication: Publication, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = store._LISTED.replace("fiche_id > $1::uuid", "fiche_id > $1::uuid AND false")
    monkeypatch.setattr(store, "_LISTED", nothing)
    answer = await publication.get("/catalogue.xml")
    assert answer.status_code == 204 and answer.content == b""


async def test_the_check_says_by_whom_when_and_under_which_reference(publication: Publication) -> None:
    reference = f"PE-28-2018-REV1-{str(publication.fiche)[:8].upper()}"
    assert (await publication.get("/check", reference=reference)).json()["standing"] == "unknown"
    await publication.hears(*LISTED)
    found = (await publication.get("/check", reference=reference)).json()
    assert found["validated"] and found["standing"] == "confirmed" and found["reference"] == reference
    assert (found["validated_by"], found["validated_on"]) == ("Pôle emploi Normandie", "2018-02-20")
    assert found["sessions"] == [str(publication.first)]


async def test_the_check_says_what_holds_now(publication: Publication) -> None:
    reference = f"PE-28-2018-REV1-{str(publication.fiche)[:8].upper()}"

    async def standing() -> tuple[bool, str]:
        found = (await publication.get("/check", reference=reference)).json()
        return found["validated"], found["standing"]

    await publication.hears(*LISTED)
    await publication.hears(heard.lapsed())
    assert await standing() == (False, "to_renew")
    await publication.hears(heard.avis(2), heard.validated(2), heard.amended(2, heard.content()))
    assert await standing() == (False, "superseded")
    await publication.hears(heard.withdrawn())
    assert await standing() == (False, "withdrawn")


async def test_the_check_by_provider_commune_and_day(publication: Publication) -> None:
    day = dt.date(2018, 5, 1) + dt.timedelta(publication.fiche.int % 5000)
    content = heard.content(day)
    await publication.hears(heard.submitted(content), heard.avis(), heard.validated(), heard.confirmed(1, content))
    asked = {"siret": content.provider.siret, "insee": content.place.insee, "start": day.isoformat()}
    assert (await publication.get("/check", **asked)).json()["fiche_id"] == str(publication.fiche)
    await publication.hears(heard.cancelled())
    gone = (await publication.get("/check", **asked)).json()
    assert (gone["validated"], gone["standing"]) == (False, "session_removed")
    elsewhere = {**asked, "insee": "14118"}
    assert (await publication.get("/check", **elsewhere)).json()["standing"] == "unknown"


async def test_the_check_needs_a_reference_or_all_three(publication: Publication) -> None:
    assert (await publication.get("/check")).status_code == 422
    assert (await publication.get("/check", siret="12345678901234")).status_code == 422
    assert (await publication.get("/check", siret="x", insee="y", start="20180101")).status_code == 422
