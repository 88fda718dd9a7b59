"""I19: what is derived can be thrown away: rebuilt from the log alone, the counts and the catalogue are the same, byte for byte."""

from typing import Any

from deploy.audit.chronicle import Chronicle
from deploy.audit.evidence import Evidence
from deploy.audit.i07_counts_agree import held_opcos, running_counts
from deploy.audit.rebuilt import Line, catalogue_of, differences
from deploy.audit.recount import counts_of, facts_of_log
from deploy.audit.verdict import Invariant, Verdict, verdict

_CATALOGUE = """
SELECT s.id::text AS session, s.fiche_id::text AS fiche, s.opco, s.number, s.status, f.reference,
  s.start_on::text AS start, s.end_on::text AS "end", s.seats, s.ais, s.aes
FROM catalogue_session s JOIN fiche_facts f ON f.id = s.fiche_id
"""
_HELD = "SELECT encode(key, 'escape') AS key FROM dead_letter WHERE state = 'dead' AND parks AND key IS NOT NULL"


def judge(what: str, rebuilt: dict[str, Any], kept: dict[str, Any]) -> Verdict:
    """Compare two dumps by their hashes; where these differ, line by line."""
    return verdict(max(len(rebuilt), len(kept)), [f"{what}: {found}" for found in differences(rebuilt, kept)])


async def look(evidence: Evidence) -> Verdict:
    """Rebuild both from the log and compare; what a dead letter holds is left to people."""
    chronicle = evidence.fold(Chronicle)
    held = await held_opcos(evidence, chronicle)
    counts = counts_of(facts_of_log(chronicle).values(), chronicle.years.values())
    told = {bucket: n for bucket, n in counts.items() if bucket[1] not in held}
    kept = {bucket: n for bucket, n in (await running_counts(evidence)).items() if bucket[1] not in held}
    found = judge("counts", _named(told), _named(kept))
    keys = {row["key"] for row in await evidence.rows("publication", _HELD)}
    lines = {row["session"]: Line(**row) for row in await evidence.rows("publication", _CATALOGUE)}
    return found + judge("catalogue", _free(catalogue_of(chronicle), keys), _free(lines, keys))


def _named(counts: dict[tuple[str, str, str], int]) -> dict[str, Any]:
    return {"/".join(bucket): value for bucket, value in counts.items()}


def _free(lines: dict[str, Line], held: set[str]) -> dict[str, Any]:
    return {key: line for key, line in lines.items() if line.fiche not in held}


INVARIANT = Invariant("I19", "Counts and catalogue rebuilt from the log alone are the same.", look, (Chronicle,))
