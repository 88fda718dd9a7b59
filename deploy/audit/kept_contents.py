"""What was ever filed of a fiche is kept whole: one content per revision, the last one the fiche's own, each the one that was said.

Rows that are as they must be stay in the database; only what is wrong is read.
"""

from typing import Final

from deploy.audit.evidence import Evidence
from deploy.audit.shape import FILED
from deploy.audit.verdict import Verdict, verdict
from shared.contracts.flow import FICHES

_COUNT: Final = "SELECT count(*) AS n FROM fiche_version"
_MISSING: Final = f"""
SELECT f.id::text AS id, f.revision, coalesce(kept.n, 0) AS n, kept.high FROM fiche f LEFT JOIN (
  SELECT fiche_id, count(*) AS n, max(revision) AS high, min(revision) FILTER (WHERE action = 'migration') AS since
  FROM fiche_version GROUP BY fiche_id) kept ON kept.fiche_id = f.id
WHERE {FILED} AND (kept.high IS DISTINCT FROM f.revision OR kept.n <> f.revision + 1 - coalesce(kept.since, 1))
"""
"""Of a fiche that was filed before contents were kept, those from then on are (`since`)."""
_OTHER: Final = f"""
SELECT f.id::text AS id, v.revision FROM fiche f JOIN fiche_version v ON v.fiche_id = f.id AND v.revision = f.revision
WHERE {FILED} AND v.content IS DISTINCT FROM f.document -> 'content'
"""
_STRAY: Final = f"""
SELECT v.fiche_id::text AS id, count(*) AS n FROM fiche_version v
WHERE NOT EXISTS (SELECT FROM fiche f WHERE f.id = v.fiche_id AND {FILED}) GROUP BY 1
"""
_SAID: Final = """
SELECT v.fiche_id::text AS id, v.revision FROM outbox o
JOIN fiche_version v ON v.fiche_id = o.key::uuid AND v.revision = (o.value::jsonb ->> 'revision')::int
WHERE o.topic = $1 AND jsonb_exists(o.value::jsonb, 'content') AND o.value::jsonb -> 'content' <> v.content
"""


async def look(evidence: Evidence) -> Verdict:
    """Compare submission's contents with its fiches and with what it said."""
    rows, service = evidence.rows, "submission"
    wrong = [
        f"fiche {row['id']} is at revision {row['revision']}, {row['n']} contents of it are kept, the last being no. {row['high']}"
        for row in await rows(service, _MISSING)
    ]
    for query, what in (
        (_OTHER, "has another content than is kept of"),
        (_SAID, "was said with another content than is kept of"),
    ):
        args = (FICHES,) if query is _SAID else ()
        wrong += [f"fiche {row['id']} {what} revision {row['revision']}" for row in await rows(service, query, *args)]
    wrong += [
        f"{row['n']} contents are kept of {row['id']}, which was not filed" for row in await rows(service, _STRAY)
    ]
    return verdict((await rows(service, _COUNT))[0]["n"], wrong)
