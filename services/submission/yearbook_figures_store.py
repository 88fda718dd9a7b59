"""What is known of a year, counted from the fiches: the programme as it stands, and what is declared beside what was received."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter

from services.submission.domain.declarations import Declaration
from services.submission.domain.fiche import FINAL
from services.submission.store import OWN_TARGET, last_word
from shared.database import Database, Row
from shared.identity import Principal

_DECLARATION: Final = TypeAdapter(Declaration)
_NOT_PURSUED: Final = sorted(FINAL)


@dataclass(frozen=True)
class Standing:
    """One line of a programme as it stands: an OPCO and a métier.

    Numbers of projects, kept apart and never added: the target (None: none was set) and its words; of the fiches that are filed and
    not refused, withdrawn or cancelled (`not_pursued`) how many there are, are validated, are confirmed; what is announced without
    a fiche; what the OPCO estimates for the months to come, and when it told so (None: it never told anything for the year).
    """

    opco: str
    rome: str
    target: int | None
    words: str | None
    filed: int
    validated: int
    confirmed: int
    not_pursued: int
    intended: int
    estimated: int | None
    estimated_at: dt.datetime | None


_STANDING: Final = f"""
WITH aimed AS (
  SELECT t->>'opco' AS opco, t->>'rome' AS rome, (t->>'number')::int AS number, t->>'words' AS words
  FROM programme, jsonb_array_elements(targets) t WHERE year = $1 AND {OWN_TARGET.format(opco="$3")}
), told AS (
  SELECT DISTINCT ON (opco) opco, delivered_at, estimates FROM delivery WHERE year = $1 ORDER BY opco, month DESC
), guessed AS (
  SELECT opco, e->>'rome' AS rome, sum((e->>'projects')::int) FILTER (WHERE e->>'month' >= $2)::int AS number
  FROM told, jsonb_array_elements(estimates) e GROUP BY 1, 2
), counted AS (
  SELECT opco, rome,
    count(*) FILTER (WHERE filed AND status <> ALL($4::text[])) AS filed,
    count(*) FILTER (WHERE status IN ('validated', 'confirmed', 'reviewed')) AS validated,
    count(*) FILTER (WHERE status IN ('confirmed', 'reviewed')) AS confirmed,
    count(*) FILTER (WHERE filed AND status = ANY($4::text[])) AS not_pursued,
    count(*) FILTER (WHERE intended AND status <> 'withdrawn') AS intended
  FROM fiche WHERE programme_year = $1 AND rome IS NOT NULL AND (filed OR (intended AND status <> 'withdrawn'))
  GROUP BY opco, rome
), lines AS (
  SELECT opco, rome FROM aimed UNION SELECT opco, rome FROM guessed UNION SELECT opco, rome FROM counted
)
SELECT opco, rome, a.number AS target, a.words, coalesce(c.filed, 0) AS filed, coalesce(c.validated, 0) AS validated,
  coalesce(c.confirmed, 0) AS confirmed, coalesce(c.not_pursued, 0) AS not_pursued, coalesce(c.intended, 0) AS intended,
  CASE WHEN t.opco IS NULL THEN NULL ELSE coalesce(g.number, 0) END AS estimated, t.delivered_at AS estimated_at
FROM lines LEFT JOIN aimed a USING (opco, rome) LEFT JOIN counted c USING (opco, rome) LEFT JOIN guessed g USING (opco, rome)
LEFT JOIN told t USING (opco)
WHERE $3::text IS NULL OR opco = $3 ORDER BY opco, rome
"""


async def programme_standing(
    database: Database, principal: Principal, year: int, month: str, opco: str | None
) -> list[Standing]:
    """Return a year's programme as it stands, by OPCO and métier, in one query; `month` (YYYY-MM) is the first one to come."""
    rows = await database.query(principal, _STANDING, year, month, opco, _NOT_PURSUED)
    return [Standing(**row) for row in rows]


@dataclass(frozen=True)
class Reconciled:
    """One OPCO's projects of a year: declared (None: it did not declare), and what is here of the year.

    `received` are the fiches filed, whatever became of them; `not_pursued` those of them that were refused, withdrawn or
    cancelled;
    `intended` what was announced and not filed.
    """

    opco: str
    declaration: Declaration | None
    received: int
    not_pursued: int
    intended: int

    @property
    def gap(self) -> int | None:
        """Return how many declared projects have no fiche (below zero: more fiches than were declared); None without a declaration."""
        return None if self.declaration is None else self.declaration.now.figure.number - self.received


_RECONCILED: Final = f"""
WITH said AS (SELECT opco, {last_word("history")} FROM declaration WHERE year = $1),
counted AS (
  SELECT opco, count(*) FILTER (WHERE filed) AS received,
    count(*) FILTER (WHERE filed AND status = ANY($3::text[])) AS not_pursued,
    count(*) FILTER (WHERE intended AND status <> 'withdrawn') AS intended
  FROM fiche WHERE programme_year = $1 GROUP BY opco
)
SELECT opco, d.document, coalesce(c.received, 0) AS received, coalesce(c.not_pursued, 0) AS not_pursued,
  coalesce(c.intended, 0) AS intended
FROM unnest($2::text[]) asked(opco) LEFT JOIN said d USING (opco) LEFT JOIN counted c USING (opco) ORDER BY opco
"""


async def reconciliation(
    database: Database, principal: Principal, year: int, opcos: Collection[str]
) -> list[Reconciled]:
    """Return what each of these OPCOs declared for a year beside its fiches of that year, in one query."""
    return [_reconciled(row) for row in await database.query(principal, _RECONCILED, year, list(opcos), _NOT_PURSUED)]


def _reconciled(row: Row) -> Reconciled:
    document = row["document"]
    declaration = _DECLARATION.validate_json(document) if document else None
    return Reconciled(row["opco"], declaration, row["received"], row["not_pursued"], row["intended"])
