"""I7: everyone sees the same figure: the running counts, the recount from the databases and the recount from the log are equal.

Three ways that share no code: analytics' own counting, rows of the other three services, events of the log.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields

from deploy.audit.chronicle import Chronicle, Listed
from deploy.audit.evidence import Evidence
from deploy.audit.kept_facts import kept_facts, kept_years
from deploy.audit.recount import Bucket, FicheFacts, counts_of, facts_of_log
from deploy.audit.verdict import Invariant, Verdict, verdict

RUNNING = "SELECT measure, opco, month, value FROM running_count WHERE value <> 0"
HELD = "SELECT DISTINCT topic, encode(key, 'escape') AS key FROM dead_letter WHERE state = 'dead' AND parks AND key IS NOT NULL"


def judge_counts(
    running: Mapping[Bucket, int],
    databases: Mapping[Bucket, int],
    log: Mapping[Bucket, int],
    held: Collection[str] = (),
) -> Verdict:
    """Compare the three counts, bucket by bucket; OPCOs in `held` have a dead letter that keeps analytics from hearing more."""
    buckets = sorted(running.keys() | databases.keys() | log.keys())
    wrong = []
    for bucket in buckets:
        ran, kept, told = running.get(bucket, 0), databases.get(bucket, 0), log.get(bucket, 0)
        if (ran != told and bucket[1] not in held) or kept != told:
            where = f"{bucket[0]} of {bucket[1]} in {bucket[2]}"
            wrong.append(f"{where}: {ran} counted, {kept} by the databases, {told} by the log")
    return verdict(len(buckets), wrong)


def judge_facts(databases: Mapping[str, FicheFacts], log: Mapping[str, FicheFacts]) -> Verdict:
    """Compare what the databases and the log know of each fiche, field by field: names the culprit behind a count."""
    wrong = []
    for fiche in sorted(databases.keys() | log.keys()):
        kept, told = databases.get(fiche), log.get(fiche)
        if kept is None or told is None:
            wrong.append(f"fiche {fiche} is known to the {'log' if kept is None else 'databases'} only")
        elif kept != told:
            names = [one.name for one in fields(FicheFacts) if getattr(kept, one.name) != getattr(told, one.name)]
            wrong.append(f"fiche {fiche}: databases and log differ in {', '.join(names)}")
    return verdict(len(databases.keys() | log.keys()), wrong)


def judge_nets(sessions: Iterable[Listed]) -> Verdict:
    """Each AIS and AES says what the session has after it: that must be the count of what was said so far."""
    return verdict(
        0, [f"session {one.id}: {one.miscounted} AIS or AES say another count" for one in sessions if one.miscounted]
    )


async def held_opcos(evidence: Evidence, chronicle: Chronicle) -> set[str]:
    """Return the OPCOs of the fiches, sessions and years that a dead letter holds in analytics."""
    keys = {row["key"] for row in await evidence.rows("analytics", HELD)}
    opcos = {fiche.id: fiche.opco for fiche in chronicle.fiches.values()}
    opcos |= {dossier.id: dossier.opco for dossier in chronicle.dossiers.values()}
    opcos |= {session.id: session.opco for session in chronicle.sessions.values()}
    of_years = {opco for key, year in chronicle.years.items() if key in keys for opco in year.numbers}
    return of_years | {opco for identifier, opco in opcos.items() if identifier in keys}


async def running_counts(evidence: Evidence) -> dict[Bucket, int]:
    """Return analytics' running counts that are not zero."""
    rows = await evidence.rows("analytics", RUNNING)
    return {(row["measure"], row["opco"], row["month"]): row["value"] for row in rows}


async def look(evidence: Evidence) -> Verdict:
    """Count twice, and compare with what analytics has counted."""
    chronicle = evidence.fold(Chronicle)
    kept, told = await kept_facts(evidence), facts_of_log(chronicle)
    held = await held_opcos(evidence, chronicle)
    by_rows = counts_of(kept.values(), await kept_years(evidence))
    by_log = counts_of(told.values(), chronicle.years.values())
    found = judge_counts(await running_counts(evidence), by_rows, by_log, held)
    return found + judge_facts(kept, told) + judge_nets(chronicle.sessions.values())


INVARIANT = Invariant(
    "I7", "Running counts, recount from the databases and recount from the log are equal.", look, (Chronicle,)
)
