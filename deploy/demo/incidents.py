"""What goes wrong on the way, on purpose: a duplicate, a stale decision, two dead letters, a killed process. Each leaves one line."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from deploy.demo.agenda import Day, Month, Turn
from deploy.demo.contents import revision_before
from deploy.demo.errors import CouldNotPlay
from deploy.demo.http_door import Ask, Reply
from deploy.demo.ingress_door import Record, Sent
from deploy.demo.moves import ENTRIES, record_of, request_of
from deploy.demo.player import Player
from deploy.demo.watch import LETTER, Seen
from deploy.local.runfile import Run
from shared.contracts.ingress import SubmitFiche

VICTIM: Final = "publication"
OPERATIONS: Final = "operations"
NBSP: Final = "\u202f"
Play = Callable[[Turn], Awaitable[None]]


@dataclass(frozen=True)
class Incident:
    """What went wrong, what became of it in one French line, and the figures behind it."""

    kind: str
    line: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Chosen:
    """Where in the year each incident has its place; the data decide, so that every play has the same."""

    duplicate: Turn
    stale: Turn
    early: Turn
    kept: Turn
    poisoned: Day
    killed: Day


def choose(months: Sequence[Month]) -> Chosen:
    """Return the places of the incidents. ValueError where the year has no place for one."""
    days = [day for month in months for day in month.days]
    turns = [turn for day in days for turn in day.turns]
    kept = _first(turns, lambda t: t.step.do == "record_ais" and t.fiche.outcome == "engaged" and t.door == "ingress")
    return Chosen(
        duplicate=_first(turns, lambda t: t.step.do == "submit_fiche" and t.door == "ingress"),
        stale=_first(turns, lambda t: t.step.do == "give_avis" and t.fiche.steps[t.n - 1].do == "complete_fiche"),
        early=_first(turns, lambda t: t.fiche is kept.fiche and t.step.do == "confirm_programmation"),
        kept=kept,
        poisoned=next(day for day in days if day.on.isoformat() >= "2021-02-01"),
        killed=max((day for day in days if day.on.month in (9, 10, 11)), key=lambda day: len(_by_kafka(day))),
    )


def _first(turns: Sequence[Turn], fits: Callable[[Turn], bool]) -> Turn:
    found = next((turn for turn in turns if fits(turn)), None)
    if found is None:
        raise ValueError("the year has no place for an incident")
    return found


def _by_kafka(day: Day) -> list[Turn]:
    """Return the turns of a day that only the victim's worker can answer."""
    return [turn for turn in day.turns if turn.step.do in ENTRIES and turn.door == "ingress"]


class Incidents:
    """Lets the chosen turns and days go wrong; `happened` has what became of each, `tell` is given every one when it is over."""

    def __init__(self, player: Player, home: Path, chosen: Chosen, tell: Callable[[Incident], None]) -> None:
        self._player, self._doors, self._home, self._chosen, self._tell = player, player.doors, home, chosen, tell
        self._kept: Sent | None = None
        self.happened: list[Incident] = []

    async def story(self, turns: Sequence[Turn]) -> None:
        """Play one fiche's turns of a day, in their order, with what is to go wrong about them."""
        for turn in turns:
            if turn.door == "file" or self._player.past.done(turn):  # a file went in before the stories of its day
                continue
            if turn == self._chosen.stale:
                await self._decide_on_a_stale_revision(turn)
            if turn == self._chosen.early:
                await self._send_too_early(self._chosen.kept)
            if turn == self._chosen.kept and (kept := self._kept or self._kept_before(turn)):
                await self._replay(turn, kept)
            else:
                await self._player.play(turn)
            if turn == self._chosen.duplicate:
                await self._send_twice(turn)

    async def day(self, day: Day) -> None:
        """Play a day, all its fiches at the same time, with what is to go wrong on it."""
        if day == self._chosen.killed and not any(map(self._player.past.done, day.turns)):
            await self._kill_in_the_middle(day)
            return
        poison = (self._poison(),) if day == self._chosen.poisoned else ()
        await together(*(self.story(story) for story in day.stories), *poison)

    def _over(self, kind: str, line: str, **facts: Any) -> None:
        incident = Incident(kind, line, facts)
        self.happened.append(incident)
        self._tell(incident)

    # A record that is sent twice

    async def _send_twice(self, turn: Turn) -> None:
        answer = await self._doors.ingress.ask(record_of(turn))
        _expect("duplicate", answer.value["outcome"], "duplicate")
        line = (
            f"Doublon{NBSP}: {turn.fiche.reference} déposée deux fois sous le même identifiant, la seconde est écartée"
        )
        self._over("duplicate", line, reference=turn.fiche.reference, outcome="duplicate")

    # A decision on a revision that is not the current one

    async def _decide_on_a_stale_revision(self, turn: Turn) -> None:
        now = revision_before(turn.fiche, turn.step)
        await self._player.known_revision(turn)
        ask = request_of(turn)
        reply = await self._doors.http.write(replace(ask, key=f"{ask.key}/stale", revision=now - 1, wait=0))
        _expect("stale", str(reply.status), "412")
        line = (
            f"Décision périmée{NBSP}: avis sur la révision {now - 1} de {turn.fiche.reference},"
            f" qui en est à la {now}{NBSP}: refusé (412)"
        )
        self._over("stale", line, reference=turn.fiche.reference, status=reply.status, revision=now)

    # A batch of AIS that comes before its session stands in the catalogue

    async def _send_too_early(self, turn: Turn) -> None:
        sent = await self._doors.ingress.send(record_of(turn))
        answer = await self._doors.ingress.answer(sent)
        _expect("kept", answer.value["outcome"], "kept")
        self._kept = sent

    def _kept_before(self, turn: Turn) -> Sent | None:
        """Return what an earlier play sent too early and did not replay any more."""
        return self._doors.ingress.sent_before(record_of(turn), "kept")

    async def _replay(self, turn: Turn, sent: Sent) -> None:
        await self._player.ready(turn)
        letter = await self._letter(sent)
        reply = await self._settle("publication", letter, "replay")
        _expect("replay", reply.body["state"], "replayed")
        answer = await self._doors.ingress.answer(sent, lambda seen: seen.value["outcome"] != "kept")
        rows = [row["outcome"] for row in answer.value["rows"]]
        _expect("replay", f"{answer.value['outcome']} {set(rows)}", "accepted {'recorded'}")
        line = (
            f"Trop tôt{NBSP}: {len(rows)} AIS de {turn.fiche.reference} reçues avant la publication de la session,"
            f" gardées, rejouées{NBSP}: comptées"
        )
        self._over("kept", line, reference=turn.fiche.reference, letter=letter.value["id"], ais=len(rows))

    # A record that nobody can read

    async def _poison(self) -> None:
        record = Record("akto", "AKTO-ILLISIBLE", "demo-2021/poison", SubmitFiche.wire_type, b'{"content": \xff\xfe')
        sent = self._doors.ingress.sent_before(record, "unreadable") or await self._doors.ingress.send(record)
        answer = await self._doors.ingress.answer(sent)
        _expect("poison", answer.value["outcome"], "unreadable")
        letter = await self._letter(sent)
        again = await self._settle("submission", letter, "replay")
        if again.body["state"] == "discarded":  # by an earlier play
            return
        _expect("poison", again.body["state"], "dead")
        reason = {"reason": "Enregistrement illisible, renvoyé corrigé par son organisation"}
        gone = await self._settle("submission", letter, "discard", reason)
        _expect("poison", gone.body["state"], "discarded")
        line = f"Illisible{NBSP}: un enregistrement d’AKTO, répondu, gardé, rejoué en vain, écarté avec un motif"
        self._over("poison", line, letter=letter.value["id"], code=letter.value["code"])

    async def _letter(self, sent: Sent) -> Seen:
        return await self._doors.watch.until(LETTER, sent.place)

    async def _settle(self, service: str, letter: Seen, order: str, body: dict[str, str] | None = None) -> Reply:
        ask = Ask(
            OPERATIONS, service, f"{order}_dead_letter", f"/dead-letters/{letter.value['id']}/{order}", body or {}
        )
        reply = await self._doors.http.operate(ask)
        _expect(order, reply.outcome, "accepted")
        return reply

    # A process that is killed while it works

    async def _kill_in_the_middle(self, day: Day) -> None:
        """Send one half, kill the worker while it is busy with it, send the other half: only the process started again can answer that."""
        by_kafka = _by_kafka(day)
        late = {turn.fiche.reference for turn in by_kafka[len(by_kafka) // 2 :]}
        first = [asyncio.create_task(self.story(s)) for s in day.stories if s[0].fiche.reference not in late]
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        pid = Run.load(self._home).services[VICTIM].pids["worker"]
        os.kill(pid, signal.SIGKILL)
        killed = time.monotonic()
        second = [asyncio.create_task(self.story(s)) for s in day.stories if s[0].fiche.reference in late]
        await asyncio.wait(second, return_when=asyncio.FIRST_COMPLETED)
        seconds = time.monotonic() - killed
        await together(*first, *second)
        line = f"Panne{NBSP}: le processus de {VICTIM} tué (kill -9) en plein travail, premier nouvel effet après {seconds:.1f} s"
        self._over(
            "killed",
            line.replace(f"{seconds:.1f}", f"{seconds:.1f}".replace(".", ",")),
            pid=pid,
            seconds=round(seconds, 2),
        )


async def together(*work: Awaitable[None]) -> None:
    """Do it all at the same time; the first failure ends the others and is raised as it is."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        for task in asyncio.as_completed(tasks):
            await task
    finally:
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _expect(incident: str, found: str, wanted: str) -> None:
    if found != wanted:
        raise CouldNotPlay(f"incident {incident}: {found} instead of {wanted}.")
