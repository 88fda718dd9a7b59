"""Which fiches of an OPCO are alike: the same training at the same place at nearly the same time. One query on indexed columns."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.submission.domain.content import first_start
from services.submission.domain.fiche import FINAL, Status
from shared.contracts.fiche import FicheContent
from shared.database import UnitOfWork

NEAR_DAYS: Final = 30
MOST_ALIKE: Final = 5


@dataclass(frozen=True)
class Alike:
    """A fiche that a content resembles; from the first day of its first session to the last day of its last one."""

    fiche_id: UUID
    reference: str
    title: str
    status: Status
    first_start: dt.date
    last_end: dt.date


_RESEMBLES: Final = """
opco = {opco} AND insee = {insee} AND first_start BETWEEN {start} - {days} AND {start} + {days}
  AND (formacode = {formacode} OR rome = {rome}) AND status <> ALL({final}) AND id <> {itself}
"""
"""When a fiche is alike; `are_alike` says the same of two contents."""
ALIKE: Final = f"""
SELECT id AS fiche_id, reference, title, status, first_start,
  (SELECT max((plan->>'end')::date) FROM jsonb_array_elements(document->'content'->'sessions') plan) AS last_end
FROM fiche
WHERE {
    _RESEMBLES.format(
        opco="$1",
        insee="$2",
        start="$3::date",
        days="$4::int",
        formacode="$5",
        rome="$6",
        final="$7::text[]",
        itself="$8::uuid",
    )
}
ORDER BY abs(first_start - $3::date), id LIMIT $9
"""


async def find_alike(unit: UnitOfWork, opco: str, content: FicheContent, itself: UUID) -> tuple[Alike, ...]:
    """Return the fiches of this OPCO that a content resembles, the nearest in time first, at most five; `itself` is not one of them.

    Alike: the main Formacode or the job is the same, the commune is, the first days lie at most 30 days apart, and the fiche goes on.
    """
    final = [status.value for status in FINAL]
    starts = first_start(content.sessions)
    of_training = (content.formacodes[0], content.rome)
    rows = await unit.read(ALIKE, opco, content.place.insee, starts, NEAR_DAYS, *of_training, final, itself, MOST_ALIKE)
    return tuple(Alike(**{**row, "status": Status(row["status"])}) for row in rows)


_OF_MANY: Final = f"""
SELECT asked.n, found.reference
FROM unnest($1::int[], $2::uuid[], $3::text[], $4::date[], $5::text[], $6::text[]) AS asked(n, itself, insee, start, formacode, rome)
CROSS JOIN LATERAL (
  SELECT reference FROM fiche
  WHERE {
    _RESEMBLES.format(
        opco="$7",
        insee="asked.insee",
        start="asked.start",
        days="$8::int",
        formacode="asked.formacode",
        rome="asked.rome",
        final="$9::text[]",
        itself="asked.itself",
    )
}
  LIMIT 1
) found
"""


async def find_one_alike(unit: UnitOfWork, opco: str, asked: Mapping[int, tuple[UUID, FicheContent]]) -> dict[int, str]:
    """Return for each content that resembles a fiche of this OPCO the reference of one; by the caller's numbers, in one query."""
    contents = [content for _, content in asked.values()]
    rows = await unit.read(
        _OF_MANY,
        list(asked),
        [itself for itself, _ in asked.values()],
        [content.place.insee for content in contents],
        [first_start(content.sessions) for content in contents],
        [content.formacodes[0] for content in contents],
        [content.rome for content in contents],
        opco,
        NEAR_DAYS,
        [status.value for status in FINAL],
    )
    return {row["n"]: row["reference"] for row in rows}


def are_alike(one: FicheContent, other: FicheContent) -> bool:
    """Return whether two contents resemble each other, as the queries say it."""
    apart = abs(first_start(one.sessions) - first_start(other.sessions)).days
    training = one.formacodes[0] == other.formacodes[0] or one.rome == other.rome
    return training and one.place.insee == other.place.insee and apart <= NEAR_DAYS
