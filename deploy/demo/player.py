"""Takes the steps of the year one by one through their doors, and knows when each may go out and when it is done."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from deploy.demo.agenda import Turn
from deploy.demo.contents import fiche_id_of, revision_before, session_id_of
from deploy.demo.errors import CouldNotPlay
from deploy.demo.file_door import FileDoor
from deploy.demo.http_door import HttpDoor, Reply
from deploy.demo.ingress_door import IngressDoor
from deploy.demo.moves import ENTRIES, record_of, request_of
from deploy.demo.past import Past
from deploy.demo.pauses import Pause
from deploy.demo.programming import Deed
from deploy.demo.watch import NothingCame, Seen, Watch
from deploy.journal import ACCEPTED
from shared.contracts import publication, submission, validation
from shared.contracts.events import Event

NOT_YET: Final = frozenset({"STATUS", "ADAPTATION_PENDING", "UNKNOWN"})
"""Codes of a refusal that time heals: the service has not heard yet what the command builds on."""
BEHIND: Final = "REVISION_UNKNOWN"
"""Code of a refusal on a revision that is not heard of yet."""


@dataclass(frozen=True)
class Doors:
    """The two doors, and the watch that sees what comes out."""

    http: HttpDoor
    ingress: IngressDoor
    watch: Watch


@dataclass
class Player:
    """Plays turns; counts what went through which door, and what had to be said twice."""

    doors: Doors
    past: Past = field(default_factory=Past)
    by_door: Counter[str] = field(default_factory=Counter)
    warned: int = 0
    again: int = 0

    async def play(self, turn: Turn) -> None:
        """Play one turn to its answer. Raises `CouldNotPlay` with the codes answered when it is refused."""
        await self.ready(turn)
        if turn.door == "ingress":
            await self._by_kafka(turn)
        else:
            await self._by_http(turn)
        self.by_door[turn.door] += 1

    async def file(self, turns: Sequence[Turn]) -> None:
        """File fiches together, as one file; those that an earlier play filed are not sent again."""
        if not all([await self._is_filed(turn) for turn in turns]):
            await FileDoor(self.doors.http, turns[0].fiche.opco).send(turns)
        self.by_door["file"] += len(turns)

    async def _is_filed(self, turn: Turn) -> bool:
        reply = await self.doors.http.read(turn.fiche.opco, "submission", f"/fiches/{fiche_id_of(turn.fiche)}")
        return reply.outcome == ACCEPTED

    async def ready(self, turn: Turn) -> None:
        """Wait for the event that the step builds on."""
        try:
            await self._awaited(turn)
        except NothingCame as nothing:
            raise CouldNotPlay(f"{turn.fiche.reference}, {turn.step.do}: {nothing}") from None

    async def _awaited(self, turn: Turn) -> None:
        fiche, do = fiche_id_of(turn.fiche), turn.step.do
        if do in _AFTER:
            event, by = _AFTER[do]
            before = sum(past.do == by for past in turn.fiche.steps[: turn.n])
            await self.doors.watch.until(event.wire_type, str(fiche), nth=before)
        elif do in ENTRIES:
            await self._published(turn)

    async def _published(self, turn: Turn) -> None:
        """Wait until the session stands in the catalogue under the reference of its last validation."""
        validations = sum(past.do == "validate_fiche" for past in turn.fiche.steps[: turn.n])
        fiche, session = str(fiche_id_of(turn.fiche)), str(session_id_of(turn.fiche))
        validated = await self.doors.watch.until(validation.FicheValidated.wire_type, fiche, nth=validations)
        reference = validated.value["reference"]
        wire_type = publication.SessionPublished.wire_type
        await self.doors.watch.until(wire_type, session, lambda seen: seen.value["reference"] == reference)

    async def _by_http(self, turn: Turn) -> None:
        reply = await self._until_heard(turn)
        if reply.outcome == "warnings_unanswered":
            self.warned += 1
            reply = await self._until_heard(turn, reply.codes, "/acknowledged")
        if reply.outcome != "accepted" and not self.past.perhaps(turn):
            raise CouldNotPlay(f"{turn.fiche.reference}, {turn.step.do}: {reply.outcome} {', '.join(reply.codes)}")
        _check_rows(turn, reply.body)

    async def _until_heard(self, turn: Turn, acknowledged: tuple[str, ...] = (), attempt: str = "") -> Reply:
        """Ask; while the service is behind the revision that the step is about, ask again."""
        pause = Pause(f"{turn.fiche.reference}, {turn.step.do}")
        while True:
            reply = await self.doors.http.write(request_of(turn, acknowledged, attempt))
            if reply.outcome == "accepted" or BEHIND not in reply.codes:
                return reply
            self.again += 1
            await pause.longer()

    async def _by_kafka(self, turn: Turn) -> None:
        """Send the command; what is refused because it came too early is sent again under an id of its own."""
        pause = Pause(f"{turn.fiche.reference}, {turn.step.do}")
        acknowledged: tuple[str, ...] = ()
        attempt, tries = "", 0
        while True:
            answer = await self.doors.ingress.ask(record_of(turn, acknowledged, attempt))
            said, codes = answer.value, _codes(answer)
            if said["outcome"] in ("accepted", "duplicate") or self.past.perhaps(turn):
                _check_rows(turn, said)
                return
            if said["outcome"] == "warned" and not acknowledged:
                self.warned += 1
                acknowledged, attempt = codes, "/acknowledged"
            elif said["outcome"] == "refused" and codes and set(codes) <= NOT_YET and turn.step.do != "submit_fiche":
                self.again, tries = self.again + 1, tries + 1
                attempt = f"/again-{tries}"
                await pause.longer()
            else:
                raise CouldNotPlay(f"{turn.fiche.reference}, {turn.step.do}: {said['outcome']} {', '.join(codes)}")

    async def put_on_record(self, deed: Deed) -> None:
        """Put on record what frames the year. Raises `CouldNotPlay` with the codes answered when it is refused."""
        reply = await self.doors.http.write(deed.ask)
        if reply.outcome != "accepted":
            raise CouldNotPlay(f"{deed.ask.operation}, {deed.ask.reference}: {reply.outcome} {', '.join(reply.codes)}")
        self.by_door["http"] += 1

    async def known_revision(self, turn: Turn) -> int:
        """Wait until validation knows the revision that a step is about; return it."""
        revision, pause = revision_before(turn.fiche, turn.step), Pause(turn.fiche.reference)
        while (reply := await self._dossier(turn)).revision != revision:
            if reply.revision is not None and reply.revision > revision:
                break
            await pause.longer()
        return revision

    async def _dossier(self, turn: Turn) -> Reply:
        return await self.doors.http.read(turn.step.by, "validation", f"/dossiers/{fiche_id_of(turn.fiche)}")


_AFTER: Final[dict[str, tuple[type[Event], str]]] = {
    "ask_completion": (validation.DossierOpened, "submit_fiche"),
    "propose_adaptation": (validation.DossierOpened, "submit_fiche"),
    "give_avis": (validation.DossierOpened, "submit_fiche"),
    "refuse_fiche": (validation.AvisGiven, "give_avis"),
    "validate_fiche": (validation.AvisGiven, "give_avis"),
    "complete_fiche": (validation.CompletionAsked, "ask_completion"),
    "accept_adaptation": (validation.AdaptationProposed, "propose_adaptation"),
    "decline_adaptation": (validation.AdaptationProposed, "propose_adaptation"),
    "counter_propose": (validation.AdaptationProposed, "propose_adaptation"),
    "confirm_programmation": (validation.FicheValidated, "validate_fiche"),
    "engage_session": (submission.ProgrammationConfirmed, "confirm_programmation"),
}
"""Step to the event that has to be seen on the topics before it, once for each earlier step that leads to it."""


def _codes(answer: Seen) -> tuple[str, ...]:
    said = answer.value
    return tuple(str(one["code"]) for name in ("objections", "warnings") for one in said.get(name) or ())


def _check_rows(turn: Turn, said: dict[str, Any]) -> None:
    """Look at every row's own answer: a batch is only done when all of its rows are."""
    refused = [row for row in said.get("rows") or () if row["outcome"] == "refused"]
    if refused:
        codes = ", ".join(sorted({str(row.get("code")) for row in refused}))
        raise CouldNotPlay(f"{turn.fiche.reference}, {turn.step.do}: {len(refused)} rows refused ({codes})")
