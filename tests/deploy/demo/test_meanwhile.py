"""Before filing and after the session: intentions, returned placements, a renewal; a file of fiches; what is told of them."""

import json
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from deploy.demo import margins
from deploy.demo.agenda import agenda
from deploy.demo.contents import ANNOUNCER
from deploy.demo.days import HOLIDAYS
from deploy.demo.errors import CouldNotPlay
from deploy.demo.figures import expected
from deploy.demo.file_door import FileDoor
from deploy.demo.http_door import Ask, HttpDoor, Reply
from deploy.demo.meanwhile import last_content, meanwhile
from deploy.demo.moves import body_of
from deploy.demo.player import Doors, Player
from deploy.demo.programming import Deed
from deploy.demo.told import told
from deploy.demo.watch import Watch
from deploy.demo.year_2021 import Fiche, load
from services.analytics.domain.measures import FEWEST_SHOWN
from services.submission.bodies import FicheIn, IntentionIn, PlacementsIn, RenewalIn
from services.submission.domain.case import Given
from services.submission.domain.intention import Meant, admit_intention
from services.submission.domain.placements import due_on
from services.submission.reference import references
from shared.contracts.fiche import fiche_id
from shared.messaging.clients import KafkaAccess
from shared.parsing import parse_json

FICHES = load().fiches
NAMED = {fiche.reference: fiche for fiche in FICHES}
DEEDS = meanwhile(FICHES)
DAYS = [day for month in agenda(FICHES) for day in month.days]
FILES = [turns for day in DAYS for turns in day.files]


def of(operation: str) -> list[Deed]:
    return [deed for deed in DEEDS if deed.ask.operation == operation]


def parsed(deed: Deed, body_type: type[Any]) -> Any:
    return parse_json(json.dumps(deed.ask.body).encode(), body_type)


def test_everything_is_done_on_a_working_day_before_the_play_ends_under_a_key_of_its_own() -> None:
    assert all(deed.on.weekday() < 5 and deed.on not in HOLIDAYS and deed.on <= DAYS[-1].on for deed in DEEDS)
    assert len({deed.key for deed in DEEDS}) == len(DEEDS)
    assert [deed.on for deed in DEEDS] == sorted(deed.on for deed in DEEDS)


def test_an_intention_is_announced_before_its_fiche_names_the_same_job_zone_and_month_and_is_admitted() -> None:
    for deed in of("preprogramme_fiche"):
        body = parsed(deed, IntentionIn)
        assert admit_intention(Meant(body.intention, ANNOUNCER, Given(references())), ()) == ()
        if (fiche := NAMED.get(body.reference)) is not None:
            assert deed.on < fiche.steps[0].on
            start = fiche.parameters.start
            assert body.intention.starts_from <= start <= body.intention.starts_until
            assert body.intention.zone_emploi == load().towns[fiche.parameters.town].zone


def test_some_intentions_become_fiches_and_those_of_the_next_year_do_not() -> None:
    names = [deed.ask.body["reference"] for deed in of("preprogramme_fiche")]
    assert sum(name in NAMED for name in names) == 5
    assert sum(name not in NAMED for name in names) == len(margins.INTENDED_2022)


def test_a_group_is_told_of_when_its_moment_has_come_and_its_figures_fit() -> None:
    returns = of("return_placements")
    assert len(returns) == 2 * len(margins.RETURNED)
    for deed in returns:
        fiche, placements = NAMED[str(deed.ask.reference)], parsed(deed, PlacementsIn).placements
        (engaged,) = [step.enrolled for step in fiche.steps if step.do == "engage_session"]
        assert deed.on >= due_on(last_content(fiche).sessions[0], placements.moment)
        assert placements.placed_people <= placements.finishing <= engaged


def test_what_is_returned_is_enough_to_be_shown() -> None:
    figures = {figure.name: figure.expected for figure in expected()}
    shown = [figures[f"{name}.{moment}"] for name in ("finishing", "placed") for moment in ("FIN", "TROIS_MOIS")]
    assert min(shown) >= FEWEST_SHOWN


def test_what_is_taken_up_again_has_its_results_by_then() -> None:
    (renewal,) = of("renew_fiche")
    source, draft = margins.RENEWED
    assert str(fiche_id(ANNOUNCER, source)) in renewal.ask.path
    assert parsed(renewal, RenewalIn).reference == draft and draft not in NAMED
    returns = [deed.on for deed in of("return_placements") if deed.ask.reference == source]
    assert len(returns) == 2 and max(returns) < renewal.on


def test_of_a_few_fiches_only_what_is_about_them_is_done() -> None:
    assert meanwhile([fiche for fiche in FICHES if fiche.opco != ANNOUNCER]) == ()


# The file


def test_fiches_of_one_opco_go_in_together_on_one_day_as_the_very_bodies_of_the_door() -> None:
    (turns,) = FILES
    opco, first, _ = margins.FILED_TOGETHER
    assert {(turn.fiche.opco, turn.step.on.isoformat(), turn.n) for turn in turns} == {(opco, first, 0)}
    assert len(turns) == 12
    for turn in turns:
        assert parse_json(json.dumps(body_of(turn)).encode(), FicheIn).reference == turn.fiche.reference


class Submission:
    """Answers imports: what is warned about is filed once it is acknowledged; what is refused is not."""

    def __init__(self, warned: Mapping[str, str], refused: Sequence[str] = ()) -> None:
        self.warned, self.refused, self.sent = warned, refused, list[Ask]()

    async def write(self, ask: Ask) -> Reply:
        self.sent.append(ask)
        return Reply(202, {"import_id": "i", "state": "running"}, "accepted")

    async def read(self, client: str, service: str, path: str) -> Reply:
        if path == "/imports/i":
            return Reply(200, {"import_id": "i", "state": "done"}, "accepted")
        return Reply(200, {"lines": [self._line(str(row["reference"])) for row in self.sent[-1].rows or ()]}, "accepted")

    def _line(self, reference: str) -> dict[str, Any]:
        code = self.warned.get(reference)
        if reference in self.refused:
            return {"outcome": "refused", "said": [{"code": "HOURS_CAP"}]}
        if code and code not in self.sent[-1].path:
            return {"outcome": "warned", "said": [{"code": code}]}
        return {"outcome": "accepted", "said": []}


def send(submission: Submission) -> FileDoor:
    return FileDoor(cast(HttpDoor, submission), "akto")


async def test_a_file_without_a_warning_is_sent_once() -> None:
    submission = Submission({})
    await send(submission).send(FILES[0])
    assert [ask.path for ask in submission.sent] == ["/imports"]


async def test_what_is_warned_about_is_read_and_the_same_file_sent_again_under_another_key() -> None:
    submission = Submission({FILES[0][0].fiche.reference: "NEAR_DUPLICATE"})
    await send(submission).send(FILES[0])
    first, again = submission.sent
    assert again.path == "/imports?acknowledge=NEAR_DUPLICATE"
    assert first.rows == again.rows and first.key != again.key


async def test_a_refused_fiche_of_a_file_ends_the_play_with_its_code() -> None:
    with pytest.raises(CouldNotPlay, match="HOURS_CAP"):
        await send(Submission({}, [FILES[0][1].fiche.reference])).send(FILES[0])


class Known(Submission):
    """Knows some fiches already, as after a play that was broken off."""

    def __init__(self, known: set[str]) -> None:
        super().__init__({})
        self.known = known

    async def read(self, client: str, service: str, path: str) -> Reply:
        if path.startswith("/fiches/"):
            there = path.removeprefix("/fiches/") in self.known
            return Reply(200, {}, "accepted") if there else Reply(404, {}, "not_found")
        return await super().read(client, service, path)


@pytest.mark.parametrize("filed", [0, 11, 12])
async def test_a_file_is_sent_unless_all_its_fiches_are_filed(filed: int) -> None:
    known = {str(fiche_id(turn.fiche.opco, turn.fiche.reference)) for turn in FILES[0][:filed]}
    submission = Known(known)
    player = Player(cast(Doors, SimpleNamespace(http=submission)))
    await player.file(FILES[0])
    assert len(submission.sent) == (filed < len(FILES[0]))
    assert player.by_door["file"] == len(FILES[0])


# What is told


def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    monkeypatch.setattr("deploy.demo.watch.new_reader", lambda *_: None)
    return Watch(KafkaAccess("127.0.0.1:1"))


def say(seen: Watch, kind: str, fiche: Fiche, **value: object) -> None:
    identifier = str(fiche_id(fiche.opco, fiche.reference))
    said = json.dumps({"fiche_id": identifier, **value}).encode()
    seen.take({"ce_type": f"fr.poec.{kind}.v1", "ce_id": f"{kind}/{identifier}/{seen.count}"}, identifier, said)


class Asked:
    """Answers what is asked for at the end."""

    def __init__(self, files: list[dict[str, Any]], draft: dict[str, Any]) -> None:
        self.files, self.draft = files, draft

    async def read(self, client: str, service: str, path: str) -> Reply:
        return Reply(200, {"imports": self.files} if path == "/imports" else self.draft, "accepted")


async def test_of_nothing_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await told(cast(HttpDoor, Asked([], {})), watch(monkeypatch)) == []


async def test_what_was_seen_and_answered_is_told_with_its_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, (one, other) = watch(monkeypatch), FICHES[:2]
    say(seen, "fiche.preprogrammed", one)
    say(seen, "fiche.preprogrammed", other)
    say(seen, "fiche.submitted", one)
    say(seen, "session.cancelled", one, cause="MOBILITE")
    placed = [{"contract": "CDI", "count": 5}]
    say(seen, "placements.returned", one, placements={"moment": "FIN", "finishing": 9, "placed": placed})
    counts = {"accepted": 11, "warned": 1, "unchanged": 0, "refused": 0}
    source, _ = margins.RENEWED
    draft = {"renews": str(fiche_id(ANNOUNCER, source)), "fields": {"title": "x"}, "status": "draft", "status_label": "Brouillon"}
    found = {one.kind: one for one in await told(cast(HttpDoor, Asked([{"fiches": 12, "counts": counts}], draft)), seen)}
    assert found["intentions"].facts == {"announced": 2, "filed": 1}
    assert found["causes"].facts == {"MOBILITE": 1}
    assert "d’abord mobilité (1)" in found["causes"].line
    assert "5 personnes sur 9 en emploi à la fin" in found["placements"].line
    assert "12 fiches" in found["import"].line and "11 déposées, 1 avertie" in found["import"].line
    assert found["renewal"].facts["status"] == "draft"


def test_no_turn_of_a_file_goes_through_another_door() -> None:
    doors: dict[str, set[str]] = {}
    for turn in (turn for day in DAYS for turn in day.turns):
        if turn.fiche.file is not None and turn.step.do == "submit_fiche":
            doors.setdefault(turn.fiche.reference, set()).add(turn.door)
    assert set(doors) == {turn.fiche.reference for turn in FILES[0]}
    assert all(found == {"file"} for found in doors.values())
