"""I6: what recruits in the catalogue is what is validated and confirmed, neither more nor less; and the topic says the same.

Submission's and validation's own rows say what must stand there; publication's rows and the compacted topic say what does.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from deploy.audit.chronicle import CatalogueLine, Chronicle
from deploy.audit.evidence import Evidence
from deploy.audit.shape import FILED
from deploy.audit.verdict import Invariant, Verdict, verdict
from shared.contracts.fiche import session_id
from shared.contracts.flow import DOSSIERS, FICHES

_FICHES = f"""
SELECT id, status, coalesce((document ->> 'confirmed_revision')::int, 0) > 0 AS confirmed,
  jsonb_path_query_array(document, '$.content.sessions[*].number')::text AS planned,
  (SELECT coalesce(jsonb_object_agg(number, s -> 'state'), '{{}}') FROM jsonb_each(document -> 'sessions') e(number, s))::text AS states
FROM fiche WHERE {FILED}
"""
_DOSSIERS = (
    "SELECT d.id, d.status, EXISTS (SELECT 1 FROM audit_entry e WHERE e.aggregate = d.id::text AND e.action = 'validate_fiche') AS ever"
    " FROM dossier d"
)
_CATALOGUE = """
SELECT s.id, s.fiche_id, s.opco, s.status, s.seats, s.ais, f.reference
FROM catalogue_session s JOIN fiche_facts f ON f.id = s.fiche_id
"""
_HELD = """
SELECT encode(key, 'escape') FROM dead_letter WHERE state = 'dead' AND parks AND key IS NOT NULL AND topic = ANY($1::text[])
"""
RECRUITING: Final = frozenset({"published", "full"})
LISTED: Final = RECRUITING | {"suspended"}


@dataclass(frozen=True)
class Truth:
    """What the two services that decide know of one session; `ever` = its fiche was validated at least once."""

    session: UUID
    fiche: UUID
    fiche_status: str
    dossier_status: str
    ever: bool
    confirmed: bool
    stands: bool

    def due(self) -> str:
        """Return how the session must stand: `out`, `expected`, `recruiting` or `suspended`."""
        gone = self.fiche_status in ("withdrawn", "cancelled") or self.dossier_status in ("refused", "closed")
        if gone or not self.ever or not self.stands:
            return "out"
        if not self.confirmed:
            return "expected"
        return "recruiting" if self.dossier_status == "validated" else "suspended"


@dataclass(frozen=True)
class Shown:
    """What publication shows of one session: its status, seats, AIS net, and the validation's reference."""

    session: UUID
    fiche: UUID
    opco: str
    status: str
    seats: int | None
    ais: int
    reference: str | None

    @property
    def stands(self) -> str:
        """Return the status in the words of `Truth.due`."""
        return "recruiting" if self.status in RECRUITING else "out" if self.status == "removed" else self.status


def judge_sets(truths: Iterable[Truth], shown: Iterable[Shown], held: Collection[str] = ()) -> Verdict:
    """Compare both ways; `held` are fiches of which a dead letter keeps publication from hearing more."""
    due = {truth.session: truth.due() for truth in truths if str(truth.fiche) not in held}
    found = {one.session: one.stands for one in shown if str(one.fiche) not in held}
    sessions = sorted(due.keys() | found.keys())
    wrong = [
        f"session {session} is {found.get(session, 'out')} in the catalogue, and must be {due.get(session, 'out')}"
        for session in sessions
        if due.get(session, "out") != found.get(session, "out")
    ]
    return verdict(len(sessions), wrong)


def judge_seats(shown: Iterable[Shown]) -> Verdict:
    """A session that recruits is full exactly when its AIS reach its seats."""
    wrong = [
        f"session {one.session} is {one.status} with {one.ais} AIS for {one.seats} seats"
        for one in shown
        if one.status in RECRUITING and one.seats is not None and (one.ais >= one.seats) != (one.status == "full")
    ]
    return verdict(0, wrong)


def judge_topic(shown: Iterable[Shown], topic: Mapping[str, CatalogueLine]) -> Verdict:
    """Compare the compacted topic, folded, with publication's rows."""
    rows = {
        str(s.session): CatalogueLine(str(s.fiche), s.opco, s.status, s.reference or "")
        for s in shown
        if s.status in LISTED
    }
    wrong = [
        f"session {session} stands in the catalogue topic as {_words(topic.get(session))}, in the database as {_words(rows.get(session))}"
        for session in sorted(rows.keys() | topic.keys())
        if rows.get(session) != topic.get(session)
    ]
    return verdict(len(rows), wrong)


def _words(line: CatalogueLine | None) -> str:
    return f"{line.status} under {line.reference} for {line.opco}" if line else "nothing"


def truths_of(fiches: Iterable[Mapping[str, Any]], dossiers: Iterable[Mapping[str, Any]]) -> list[Truth]:
    """Return what submission's and validation's rows say of every session that a fiche ever had."""
    known = {dossier["id"]: dossier for dossier in dossiers}
    truths = []
    for fiche in fiches:
        dossier = known.get(fiche["id"], {"status": "", "ever": False})
        planned, states = set(json.loads(fiche["planned"])), json.loads(fiche["states"])
        for number in sorted(planned | {int(n) for n in states}):
            stands = number in planned and states.get(str(number)) != "cancelled"
            of = (fiche["status"], dossier["status"], dossier["ever"], fiche["confirmed"])
            truths.append(Truth(session_id(fiche["id"], number), fiche["id"], *of, stands))
    return truths


async def look(evidence: Evidence) -> Verdict:
    """Read the three databases and compare; then compare the topic."""
    truths = truths_of(await evidence.rows("submission", _FICHES), await evidence.rows("validation", _DOSSIERS))
    rows = await evidence.rows("publication", _CATALOGUE)
    shown = [Shown(r["id"], r["fiche_id"], r["opco"], r["status"], r["seats"], r["ais"], r["reference"]) for r in rows]
    held = {row[0] for row in await evidence.rows("publication", _HELD, [FICHES, DOSSIERS])}
    return judge_sets(truths, shown, held) + judge_seats(shown) + judge_topic(shown, evidence.fold(Chronicle).catalogue)


INVARIANT = Invariant("I6", "What recruits in the catalogue is what is validated and confirmed.", look, (Chronicle,))
