"""Who reads which of what is on record for a year, by every door, and that no answer grows with its history."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import pytest
import pytest_asyncio

from services.submission.domain.fiche import CLOSED, FINAL, PREPARED, Fiche, Status
from services.submission.domain.preparation import Held
from services.submission.pages import campaigns, conferences, programme
from services.submission.pages.fiche import PAGE
from services.submission.pages.fiches import GROUPS
from services.submission.store import Version, open_fiches, write_fiches
from services.submission.yearbook_figures_store import programme_standing
from services.submission.yearbook_history_store import programme_revisions
from shared.audit_trail import Change
from shared.contracts.fiche import fiche_id
from shared.identity import service_principal
from tests.services.submission import filings
from tests.services.submission.room import PEOPLE, Room
from tests.services.submission.test_yearbook_doors import REASON, aimed, quarter

OWN, OTHER = "opco-2i", "akto"
YEAR: Final = 2051
JOBS: Final = {OWN: "H2913", OTHER: "N1101"}
"""A métier of each: no answer to one of them may hold that of the other."""
READS: Final = (
    f"/programmes/{YEAR}",
    f"/programmes/{YEAR}/revisions",
    f"/programmes/{YEAR}/revisions/1",
    f"/programmes/{YEAR}/revisions/2",
    f"/espace/programmes/{YEAR}",
    f"/espace/programmes/{YEAR}/revisions",
)
"""Every door that shows targets; Kafka has none of an OPCO's: it reads its own results alone."""


async def adopted(room: Room, year: int, revisions: int) -> None:
    """Adopt a programme with targets of two OPCOs, and revise both of them; once."""
    if (await room.read("dreets", f"/programmes/{year}/revisions")).status_code == 200:
        return
    for n in range(revisions):
        targets = [aimed(opco, 3 + n, None, rome) for opco, rome in JOBS.items()]
        body = {"adopted_on": "2018-01-08", "targets": targets}
        answer = await room.command("dreets", f"/programmes/{year}/revisions", body, n or None)
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", READS)
async def test_an_opco_reads_its_own_targets_and_nobody_elses_by_every_door(room: Room, path: str) -> None:
    await adopted(room, YEAR, 2)
    everything = (await room.read("dreets", path)).text
    counted_alone = path.endswith("/revisions") and not path.startswith("/espace")
    for who, other in ((OWN, OTHER), (OTHER, OWN)):
        answer = await room.read(who, path)
        assert answer.status_code == 200, answer.text
        assert JOBS[other] not in answer.text
        assert counted_alone or JOBS[who] in answer.text
        assert counted_alone or {JOBS[who], JOBS[other]} <= set(re.findall(r"[A-N]\d{4}", everything))
        if counted_alone:
            assert {one["targets"] for one in answer.json()["revisions"]} == {1}


async def test_the_rows_of_targets_alone_keep_them_from_other_opcos(room: Room) -> None:
    """The second net: the same queries with nobody having limited them to an OPCO."""
    await adopted(room, YEAR, 2)
    found = await programme_revisions(room.database, PEOPLE[OTHER], YEAR, None, None, 9) or []
    assert [[target.opco for target in one.targets] for one in found] == [[OTHER], [OTHER]]
    lines = await programme_standing(room.database, PEOPLE[OTHER], YEAR, "2051-01", None)
    assert {line.opco for line in lines} == {OTHER}


def lists(year: int, campaign: str, conference: str) -> Iterator[tuple[str, str]]:
    """Yield every list that has a history behind it, with its name in the answer."""
    yield "/campaigns", "campaigns"
    yield "/conferences", "conferences"
    yield f"/campaigns/{campaign}/history", "history"
    yield f"/conferences/{conference}/history", "history"
    yield f"/programmes/{year}/revisions", "revisions"
    yield f"/declarations/{year}/history", "history"
    yield f"/programmes/{year}/deliveries", "deliveries"
    yield f"/programmes/{year}/deliveries/history", "history"


async def told(room: Room, year: int, times: int) -> tuple[str, str]:
    """Put on record and correct so many times; return the campaign and the conference."""
    campaign = (await room.command("dreets", "/campaigns", quarter(2052, 1))).json()["campaign_id"]
    await room.command("dreets", "/campaigns", quarter(2052, 2))
    held = {"held_on": "2017-01-10", "agenda": ["Point 0"]}
    conference = (await room.command("dreets", "/conferences", held)).json()["conference_id"]
    await room.command("dreets", "/conferences", {**held, "held_on": "2017-01-11"})
    await adopted(room, year, times)
    for n in range(1, times):
        later = {"deadline": f"2052-02-{n:02}", "reason": REASON}
        assert (await room.command("dreets", f"/campaigns/{campaign}/extensions", later, n)).status_code == 200
        correction = {"agenda": [f"Point {n}"], "reason": REASON}
        assert (await room.command("dreets", f"/conferences/{conference}/corrections", correction, n)).status_code == 200
    for n in range(times):
        for who in JOBS:
            figure = {"year": year, "as_of": "2018-02-01", "number": n, "source": "ENQUETE"}
            assert (await room.command(who, "/declarations", figure)).status_code == 201
            estimate = {"rome": JOBS[who], "month": f"{year}-12", "projects": n}
            answer = await room.command(who, f"/programmes/{year}/deliveries", {"estimates": [estimate]})
            assert answer.status_code == 200, answer.text
    return campaign, conference


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def of_2053(room: Room) -> tuple[str, str]:
    """What was told of 2053, three times: its campaign and its conference."""
    return await told(room, 2053, 3)


async def test_every_list_and_history_is_read_page_by_page_without_a_gap(
    room: Room, of_2053: tuple[str, str]
) -> None:
    campaign, conference = of_2053
    for path, name in lists(2053, campaign, conference):
        whole = (await room.read("dreets", path, {"limit": 20})).json()[name]
        seen: list[Any] = []
        following: str | None = f"{path}?limit=1"
        while following:
            page = await room.read("dreets", following)
            assert page.status_code == 200, page.text
            seen += page.json()[name]
            assert len(page.json()[name]) == 1
            linked = re.fullmatch(r'<(.+)>; rel="next"', page.headers.get("link", ""))
            assert bool(linked) == (page.json()["next"] is not None)
            following = linked[1] if linked else None
        assert seen == whole and len(whole) > 1, path


@pytest.mark.usefixtures("of_2053")
async def test_an_answer_about_a_record_does_not_hold_its_history(room: Room) -> None:
    (campaign,) = (await room.read("dreets", "/campaigns", {"year": 2052, "after": "2052-T2"})).json()["campaigns"]
    conference = (await room.read("dreets", "/conferences")).json()["conferences"][-1]
    paths = (f"/campaigns/{campaign['campaign_id']}", f"/conferences/{conference['conference_id']}", "/campaigns", "/conferences")
    for path in (*paths, "/programmes/2053", "/programmes/2053/revisions/1", "/declarations/2053", "/programmes/2053/deliveries"):
        answer = await room.read("dreets", path)
        assert answer.status_code == 200 and '"history"' not in answer.text and '"revisions"' not in answer.text, path


@pytest.mark.usefixtures("of_2053")
@pytest.mark.parametrize("path", ["/declarations/2053/history", "/programmes/2053/deliveries/history"])
async def test_what_an_opco_told_is_read_by_itself_and_by_who_reads_all(room: Room, path: str) -> None:
    for who, seen in ((OWN, {OWN}), (OTHER, {OTHER}), ("dreets", {OWN, OTHER})):
        assert {one["opco"] for one in (await room.read(who, path)).json()["history"]} == seen


@pytest.mark.parametrize("after", ["akto", "akto.", ".3", "akto.\u00b2", "2021-03.2", f"akto.{10**10}"])
async def test_a_place_in_a_history_that_was_not_given_is_objected_to(room: Room, after: str) -> None:
    answer = await room.read("dreets", "/programmes/2053/deliveries/history", {"after": after})
    assert (answer.status_code, answer.json()["objections"][0]["code"]) == (422, "CURSOR_UNFIT")


async def put(room: Room, reference: str, held: Held) -> None:
    """Keep what is held of an OPCO in any status, as the store keeps it."""
    async with room.database.unit(service_principal("submission", "worker")) as unit:
        fiches = await open_fiches(unit, [])
        one = replace(held, id=fiche_id(OWN, reference), opco=OWN, reference=reference)
        fiches.put(one.id, one, Change("made", "test", None, one.status.value, facts={"revision": one.revision}))
        write_fiches(fiches, unit)
        await unit.flush()


async def test_without_a_sequel_and_closed_are_the_same_fiches_in_every_count(room: Room) -> None:
    for status in Status:
        await put(room, f"C-{status}", filings.held(status))
    for status in PREPARED:
        await put(room, f"D-{status}", replace(filings.held(status), status=Status.WITHDRAWN))
    counted = (await room.read(OWN, "/fiches/counts", {"programme_year": 2018})).json()["counts"]
    by_status = {Status(one["status"]): one["count"] for one in counted}
    assert sum(by_status[status] for status in FINAL) == 3, "one of each; what was given up before it was filed is none"
    declared = (await room.read(OWN, "/declarations/2018")).json()["lines"][0]
    assert declared["not_pursued"] == sum(by_status[status] for status in FINAL)
    assert declared["received"] == sum(n for status, n in by_status.items() if status not in PREPARED)
    lines = (await room.read(OWN, "/programmes/2018")).json()["lines"]
    assert sum(line["known"]["not_pursued"] for line in lines) == declared["not_pursued"]
    assert sum(line["known"]["filed"] + line["known"]["not_pursued"] for line in lines) == declared["received"]
    assert set(GROUPS["closes"][1]) == CLOSED == FINAL | {Status.REVIEWED}
    shown = await room.read(OWN, "/espace/fiches", {"vue": "closes"})
    assert len(set(re.findall(r"C-(\w+)", shown.text))) == sum(by_status[status] for status in CLOSED) == 4
    assert not re.search(r"D-\w+", shown.text)


_COPIES: Final = """
INSERT INTO fiche_version (fiche_id, revision, opco, action, actor, kept_at, acknowledged, content)
SELECT fiche_id, n, opco, 'amend_fiche', actor, kept_at + n * interval '1 hour', acknowledged, content
FROM fiche_version, generate_series(2, $2::int) n WHERE fiche_id = $1
"""


async def test_older_versions_of_a_fiche_follow_on_pages_of_their_own(room: Room) -> None:
    held = filings.held(Status.SUBMITTED)
    assert isinstance(held, Fiche)
    identifier, last = fiche_id(OWN, "MANY"), 2 * PAGE + 3
    many = replace(held, id=identifier, opco=OWN, reference="MANY", revision=1)
    async with room.database.unit(service_principal("submission", "worker")) as unit:
        fiches = await open_fiches(unit, [])
        fiches.put(identifier, many, Change("made", "test", None, "submitted", facts={"revision": 1}))
        fiches.keep(Version(many, "submit_fiche", "test"))
        write_fiches(fiches, unit)
        await unit.flush()
    async with room.database.connection() as connection, connection.transaction():
        await connection.execute("SELECT set_config('poec.tenant', '*', true)")
        await connection.execute(_COPIES, identifier, last)
    shown = (await room.read(OWN, f"/espace/fiches/{identifier}")).text
    assert f"Révision {last} — " in shown and f"Révision {last - PAGE} — " not in shown
    seen: set[int] = set()
    path: str | None = f"/espace/fiches/{identifier}/versions"
    pages = 0
    while path:
        page = await room.read(OWN, path)
        assert page.status_code == 200, page.text
        seen |= {int(one) for one in re.findall(r"Révision (\d+) — ", page.text)}
        found = re.search(r'href="([^"]+)" rel="next">Plus anciennes', page.text)
        path, pages = found[1] if found else None, pages + 1
    assert (seen, pages) == (set(range(1, last + 1)), 3)
    assert (await room.read(OWN, f"/espace/fiches/{identifier}/versions?avant=1&apres={last}")).status_code == 200
    assert (await room.read(OWN, f"/espace/fiches/{identifier}/versions?apres={last + 1}")).status_code == 404


async def walked(room: Room, path: str) -> list[str]:
    """Return the pages of a list as an OPCO turns them over without JavaScript."""
    pages, following = [], path
    while following:
        answer = await room.read(OWN, following)
        assert answer.status_code == 200, answer.text
        pages.append(answer.text)
        found = re.search(r'href="([^"]+)" rel="next">Plus anciennes', answer.text)
        assert ("Première page" in answer.text) == (following != path)
        following = found[1].replace("&amp;", "&") if found else ""
    return pages


async def test_screens_show_what_is_older_on_further_pages(room: Room) -> None:
    for n in range(campaigns.PAGE + 1):
        assert (await room.command("dreets", "/campaigns", quarter(2070 + n // 4, n % 4 + 1))).status_code == 201
    for n in range(conferences.PAGE + 1):
        held = {"held_on": f"2016-03-{n + 1:02}", "agenda": [f"Point daté {n}"]}
        assert (await room.command("dreets", "/conferences", held)).status_code == 201
    await adopted(room, 2080, programme.PAGE + 1)
    deadlines = await walked(room, "/espace/campagnes")
    assert len(deadlines) > 1 and "1er trimestre 2070" in "".join(deadlines) and "1er trimestre 2070" not in deadlines[0]
    points = await walked(room, "/espace/conferences")
    assert len(points) > 1 and "Point daté 0" in "".join(points) and "Point daté 0" not in points[0]
    first, second = await walked(room, "/espace/programmes/2080/revisions")
    assert (first.count("Inscrite le"), second.count("Inscrite le")) == (programme.PAGE, 1)
    assert "Révision 1, adoptée" in second and "pas d’objectif" in second and "pas d’objectif" not in first
