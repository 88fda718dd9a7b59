"""The facts of fiches as the databases keep them: rows of submission, validation and publication, by the audit's own queries.

Where each thing stands is read from the services' tables, what happened from their trails, and dates of the past (the first start,
the start a postponed session left, what was engaged) from what submission's outbox keeps for ever.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from deploy.audit.chronicle import Year
from deploy.audit.evidence import Evidence
from deploy.audit.recount import FicheFacts, SessionFacts
from deploy.audit.shape import FILED
from shared.contracts.fiche import session_id
from shared.contracts.flow import FICHES

_FICHES: Final = f"""
SELECT id::text AS id, opco, status, (document #> '{{content,sessions}}')::text AS plans, (document -> 'sessions')::text AS states
FROM fiche WHERE {FILED}
"""
_MEANT: Final = """
SELECT id::text AS id, opco, document #>> '{intention,starts_from}' AS start, (document #>> '{intention,seats}')::int AS seats
FROM fiche WHERE intended AND NOT filed AND status <> 'withdrawn'
"""
_COMMANDS: Final = """
SELECT aggregate AS id,
  count(*) FILTER (WHERE action = 'complete_fiche') AS completed,
  count(*) FILTER (WHERE action = 'accept_adaptation') AS accepted,
  count(*) FILTER (WHERE action = 'decline_adaptation') AS declined,
  count(*) FILTER (WHERE action = 'counter_propose') AS countered
FROM audit_entry GROUP BY aggregate
"""
_REVIEWS: Final = """
SELECT aggregate AS id,
  count(*) FILTER (WHERE action = 'validate_fiche') > 0 AS validated,
  coalesce((array_agg((facts ->> 'against_avis')::boolean ORDER BY n DESC) FILTER (WHERE action = 'validate_fiche'))[1], false) AS against,
  count(*) FILTER (WHERE action = 'refuse_fiche') > 0 AS refused,
  (array_agg(facts ->> 'avis' ORDER BY n DESC) FILTER (WHERE action IN ('give_avis', 'correct_avis')))[1] AS avis,
  count(*) FILTER (WHERE action = 'ask_completion') AS sent_back,
  count(*) FILTER (WHERE action = 'propose_adaptation') AS proposed
FROM audit_entry GROUP BY aggregate
"""
_SAID: Final = "SELECT key, sequence, value::jsonb AS v FROM outbox WHERE topic = $1 AND headers ->> 'ce_type' = $2"
_FIRST: Final = f"""
SELECT key AS id, (SELECT min(s ->> 'start') FROM jsonb_array_elements(v #> '{{content,sessions}}') s) AS first FROM ({_SAID}) said
"""
_LEFT: Final = f"""
SELECT DISTINCT ON (key, number) key AS id, (v ->> 'number')::int AS number,
  ((v ->> 'start')::date - (v ->> 'shift_days')::int)::text AS left
FROM ({_SAID}) said ORDER BY key, number, sequence
"""
_ENGAGED: Final = f"""
SELECT DISTINCT ON (key, number) key AS id, (v ->> 'number')::int AS number, (v ->> 'hours')::int AS hours,
  (v ->> 'committed')::bigint AS committed
FROM ({_SAID}) said ORDER BY key, number, sequence DESC
"""
_PLANS: Final = """
SELECT DISTINCT ON (key, number) key AS id, (s ->> 'number')::int AS number, s ->> 'start' AS start, (s ->> 'seats')::int AS seats
FROM outbox o, jsonb_array_elements(o.value::jsonb #> '{content,sessions}') s
WHERE topic = $1 AND jsonb_exists(o.value::jsonb, 'content') ORDER BY key, number, sequence DESC
"""
_ENTRIES: Final = """
SELECT s.id::text AS id,
  (SELECT count(*) FROM ais a WHERE a.session_id = s.id AND a.state = 'recorded') AS ais,
  (SELECT count(*) FROM ais a WHERE a.session_id = s.id AND a.state = 'cancelled') AS ais_cancelled,
  (SELECT count(*) FROM aes e WHERE e.session_id = s.id) AS aes,
  EXISTS (SELECT 1 FROM audit_entry t WHERE t.aggregate = s.id::text
    AND t.facts ->> 'to' IN ('published', 'full', 'suspended')) AS listed
FROM catalogue_session s
"""
_YEARS: Final = """
SELECT 'declared' AS measure, year, opco, number FROM declaration
UNION ALL
SELECT 'targeted', year, t ->> 'opco', sum((t ->> 'number')::int)::int FROM programme, jsonb_array_elements(targets) t GROUP BY 2, 3
"""
Rows = Iterable[Mapping[str, Any]]


class KeptRows:
    """What was read, indexed: fiches by id, sessions by fiche id and number or by session id."""

    def __init__(self, fiches: Rows, plans: Rows) -> None:
        """Take the fiches and the last plan that was ever said of each session."""
        self.fiches = {row["id"]: row for row in fiches}
        self.plans: dict[str, dict[int, Mapping[str, Any]]] = {}
        for row in plans:
            self.plans.setdefault(row["id"], {})[row["number"]] = row
        self.commands: dict[str, Mapping[str, Any]] = {}
        self.reviews: dict[str, Mapping[str, Any]] = {}
        self.first: dict[str, str] = {}
        self.left: dict[tuple[str, int], str] = {}
        self.engaged: dict[tuple[str, int], Mapping[str, Any]] = {}
        self.entries: dict[str, Mapping[str, Any]] = {}
        self.meant: dict[str, Mapping[str, Any]] = {}

    def facts(self) -> dict[str, FicheFacts]:
        """Return the facts of every fiche by id, and of what is meant and not filed."""
        filed = {identifier: self._fiche(identifier, row) for identifier, row in self.fiches.items()}
        meant = {
            identifier: FicheFacts(row["opco"], "", meant=(row["start"], row["seats"]))
            for identifier, row in self.meant.items()
        }
        return filed | meant

    def _fiche(self, identifier: str, row: Mapping[str, Any]) -> FicheFacts:
        plans, states = json.loads(row["plans"]), json.loads(row["states"])
        now = {plan["number"]: plan for plan in plans}
        numbers = {*now, *self.plans.get(identifier, {})}
        happened = {**self.commands.get(identifier, {}), **self.reviews.get(identifier, {})}
        happened.pop("id", None)
        return FicheFacts(
            opco=row["opco"],
            first=self.first.get(identifier, ""),
            withdrawn=row["status"] == "withdrawn",
            sessions={n: self._session(identifier, n, now.get(n), states.get(str(n), {})) for n in sorted(numbers)},
            **happened,
        )

    def _session(
        self, fiche: str, number: int, plan: Mapping[str, Any] | None, state: Mapping[str, Any]
    ) -> SessionFacts:
        stands = state.get("state", "planned") if plan or state.get("state") == "cancelled" else "dropped"
        shown = plan or self.plans[fiche][number]
        engaged = self.engaged.get((fiche, number)) if stands == "engaged" else None
        entries = self.entries.get(str(session_id(UUID(fiche), number)), {})
        return SessionFacts(
            start=shown["start"],
            seats=shown["seats"],
            state=stands,
            left=self.left.get((fiche, number)),
            motive=state.get("motive") if stands == "cancelled" else None,
            hours=engaged["hours"] if engaged else 0,
            committed=engaged["committed"] if engaged else 0,
            **{name: entries.get(name, 0) for name in ("ais", "ais_cancelled", "aes")},
            listed=bool(entries.get("listed")),
            returned=_people(state.get("returned") or {}) if stands == "engaged" else {},
        )


def _people(returned: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    return {
        moment: (told["finishing"], sum(one["count"] for one in told["placed"])) for moment, told in returned.items()
    }


async def kept_facts(evidence: Evidence) -> dict[str, FicheFacts]:
    """Read the three databases and return the facts of every fiche by id."""
    wire = "fr.poec."
    submission = "submission"
    rows = KeptRows(await evidence.rows(submission, _FICHES), await evidence.rows(submission, _PLANS, FICHES))
    rows.meant = {row["id"]: row for row in await evidence.rows(submission, _MEANT)}
    rows.commands = {row["id"]: dict(row) for row in await evidence.rows(submission, _COMMANDS)}
    rows.reviews = {row["id"]: dict(row) for row in await evidence.rows("validation", _REVIEWS)}
    first = await evidence.rows(submission, _FIRST, FICHES, f"{wire}fiche.submitted.v1")
    rows.first = {row["id"]: row["first"] for row in first}
    left = await evidence.rows(submission, _LEFT, FICHES, f"{wire}session.postponed.v1")
    rows.left = {(row["id"], row["number"]): row["left"] for row in left}
    engaged = await evidence.rows(submission, _ENGAGED, FICHES, f"{wire}session.engaged.v1")
    rows.engaged = {(row["id"], row["number"]): row for row in engaged}
    rows.entries = {row["id"]: row for row in await evidence.rows("publication", _ENTRIES)}
    return rows.facts()


async def kept_years(evidence: Evidence) -> list[Year]:
    """Read from submission's database what is declared and aimed at now, by year and OPCO."""
    rows = await evidence.rows("submission", _YEARS)
    return [Year(row["measure"], row["year"], {row["opco"]: row["number"]}) for row in rows]
