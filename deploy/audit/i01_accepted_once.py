"""I1: every accepted POST or ingress record has exactly one fiche, every refused one has none, and every record one answer.

Three witnesses are heard: the clients' journals, the log (ingress records and the answers to them), and submission's own trail,
whose first entry says who filed each fiche. Over HTTP one is told by a stored answer, or by the line of a file that was sent in.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from deploy.audit.answers import INGRESS, SUBMIT, Answers, Reply
from deploy.audit.evidence import Evidence
from deploy.audit.shape import FILED
from deploy.audit.verdict import Invariant, Verdict, verdict
from deploy.journal import Entry
from shared.contracts.fiche import fiche_id

_FICHES = f"SELECT id::text AS id, opco, reference, {FILED} AS filed FROM fiche"
_FILED = "SELECT aggregate, actor, at FROM audit_entry WHERE action = 'submit_fiche'"
_ANSWERS_FROM = "SELECT max(before) FROM removal WHERE what IN ('answers', 'imports')"
_CREATED = """
SELECT principal, substring(headers ->> 'Location' FROM '^/fiches/([0-9a-f-]{36})$') AS fiche FROM idempotency
WHERE status = 201 AND body::jsonb ->> 'status' = 'submitted'
UNION ALL
SELECT file.principal, line.fiche_id::text FROM fiche_import_line line JOIN fiche_import file ON file.id = line.import_id
WHERE line.outcome = 'accepted'
"""
"""Answers that something was filed: an intention or a draft is answered 201 too, and stands as that."""
_POSITIONS = "SELECT topic, kafka_partition, next_offset FROM position WHERE topic LIKE 'poec.ingress.%'"
_RESETS = "SELECT DISTINCT topic FROM position_reset"
REFUSALS: Final = frozenset(
    {
        "refused",
        "warned",
        "unreadable",
        "rules_refused",
        "warnings_unanswered",
        "invalid_input",
        "malformed",
        "too_large",
        "forbidden",
        "unauthenticated",
        "idempotency_key_missing",
    }
)
"""Outcomes after which there is no fiche, unless another request filed one under the same reference."""
_KEPT: Final = frozenset({"kept", "unreadable"})
"""Outcomes of a record that is a dead letter: it may be answered a second time, once it was replayed."""


@dataclass(frozen=True)
class Filed:
    """One row of submission's table of fiches; `filed` is false for what is only prepared under that name."""

    id: str
    opco: str
    reference: str
    filed: bool = True


def judge_journal(entries: Iterable[Entry], fiches: Iterable[Filed]) -> Verdict:
    """Hold what clients were told about `submit_fiche` against the fiches that there are."""
    rows: dict[tuple[str, str], list[str]] = {}
    for fiche in fiches:
        rows.setdefault((fiche.opco, fiche.reference), []).append(fiche.id)
    told: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        if entry.operation == "submit_fiche" and entry.reference is not None:
            told.setdefault((entry.organisation, entry.reference), []).append(entry)
    wrong = [sentence for key, asked in told.items() if (sentence := _judged(key, asked, rows.get(key, [])))]
    return verdict(sum(map(len, told.values())), wrong)


def _judged(key: tuple[str, str], asked: list[Entry], found: list[str]) -> str | None:
    """Return what is wrong with one OPCO's reference: everything it asked under it, beside the fiches of that name."""
    where, accepted = f"fiche {key[1]} of {key[0]}", [entry for entry in asked if entry.accepted]
    if len(found) > 1:
        return f"{where} exists {len(found)} times"
    if len({entry.key for entry in accepted}) > 1:
        return f"{where} was accepted under {len({entry.key for entry in accepted})} different keys"
    if accepted and not found:
        return f"{where} was accepted and does not exist"
    if accepted and any(entry.fiche_id is not None and str(entry.fiche_id) not in found for entry in accepted):
        return f"{where} was accepted under another id than it has"
    if found and not accepted and all(entry.answered and entry.outcome in REFUSALS for entry in asked):
        return f"{where} was refused and exists"
    return None


def judge_answers(answers: Answers, positions: Mapping[tuple[str, int], int], made_anew: AbstractSet[str]) -> Verdict:
    """Count the answers to each ingress record that its service has read; `made_anew` are topics whose log was lost once."""
    wrong = []
    for place in answers.records:
        replies = list(answers.replies.get(place, {}).values())
        read = place.offset < positions.get((place.topic, place.partition), 0)
        if read and not replies:
            wrong.append(f"{place} has no answer")
        if place.topic not in made_anew and len(replies) > _most(replies):
            wrong.append(f"{place} has {len(replies)} answers: {', '.join(sorted(reply.outcome for reply in replies))}")
    records = set(answers.records)
    for place, given in answers.replies.items():
        organisations = {reply.organisation for reply in given.values()}
        if any(place.topic != f"poec.ingress.{organisation}" for organisation in organisations):
            wrong.append(f"{place} was answered to another organisation")
        elif place not in records and place.topic not in made_anew:
            wrong.append(f"{place} was answered, but no such record is in the log")
    wrong += [f"{place} is an answer that cannot be read" for place in answers.unreadable]
    return verdict(len(answers.records), wrong)


def _most(replies: list[Reply]) -> int:
    return 2 if any(reply.outcome in _KEPT for reply in replies) else 1


def judge_origins(
    fiches: AbstractSet[str],
    filed: Mapping[str, str],
    created: Iterable[tuple[str, str]],
    replies: Iterable[Reply],
    long_ago: AbstractSet[str] = frozenset(),
) -> Verdict:
    """Compare the fiches with what was accepted: `filed` says who filed each fiche, `created` are (principal, fiche) of stored 201s and
    of lines of files.

    Answers are kept for a time: of fiches filed `long_ago` nobody can say any more that their filer was told so over HTTP.
    """
    accepted = [(principal, fiche) for principal, fiche in created if fiche is not None]
    accepted += [
        (f"topic:{reply.organisation}", reply.fiche)
        for reply in replies
        if reply.outcome == "accepted" and reply.command == SUBMIT and reply.fiche is not None
    ]
    times, told = Counter(fiche for _, fiche in accepted), set(accepted)
    wrong = [
        f"fiche {fiche} was filed by {actor}, who was not told so"
        for fiche, actor in filed.items()
        if (actor, fiche) not in told and (fiche not in long_ago or actor.startswith("topic:"))
    ]
    wrong += [f"fiche {fiche} was accepted {count} times" for fiche, count in times.items() if count > 1]
    wrong += [f"fiche {fiche} was accepted and does not exist" for fiche in times if fiche not in fiches]
    wrong += [f"fiche {fiche} exists, and nobody filed it" for fiche in sorted(fiches - filed.keys())]
    return verdict(len(fiches), wrong)


def judge_names(fiches: Iterable[Filed]) -> Verdict:
    """Compare each fiche's id with the one that follows from its OPCO and reference."""
    wrong = [
        f"fiche {f.id} is not the id of {f.reference} of {f.opco}"
        for f in fiches
        if f.id != str(fiche_id(f.opco, f.reference))
    ]
    return verdict(0, wrong)


async def look(evidence: Evidence) -> Verdict:
    """Hear the three witnesses."""
    named = [Filed(**row) for row in await evidence.rows("submission", _FICHES)]
    fiches = [fiche for fiche in named if fiche.filed]
    answers_from = (await evidence.rows("submission", _ANSWERS_FROM))[0][0]
    filings = await evidence.rows("submission", _FILED)
    filed = {row["aggregate"]: row["actor"] for row in filings}
    long_ago = {row["aggregate"] for row in filings if answers_from is not None and row["at"] < answers_from}
    created = [(row["principal"], row["fiche"]) for row in await evidence.rows("submission", _CREATED)]
    answers = evidence.fold(Answers)
    positions: dict[tuple[str, int], int] = {}
    made_anew: set[str] = set()
    for service in sorted(set(INGRESS.values())):
        positions |= {(row[0], row[1]): row[2] for row in await evidence.rows(service, _POSITIONS)}
        made_anew |= {row[0] for row in await evidence.rows(service, _RESETS)}
    replies = [reply for given in answers.replies.values() for reply in given.values()]
    found = judge_journal(evidence.journal, fiches) + judge_answers(answers, positions, made_anew)
    return found + judge_origins({fiche.id for fiche in fiches}, filed, created, replies, long_ago) + judge_names(named)


INVARIANT = Invariant(
    "I1",
    "Every accepted filing has exactly one fiche, every refused one none, every record one answer.",
    look,
    (Answers,),
)
