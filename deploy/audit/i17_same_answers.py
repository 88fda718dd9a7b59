"""I17: the same Idempotency-Key gets the same answer as long as answers are kept: every 2xx a client holds is the one that is stored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from deploy.audit.evidence import Evidence
from deploy.audit.shape import OPERATIONS
from deploy.audit.verdict import Invariant, Verdict, verdict
from deploy.journal import Entry
from shared.contracts.flow import SERVICES

_STORED = "SELECT principal, key, status, encode(sha256(convert_to(body, 'UTF8')), 'hex') AS answer FROM idempotency"
Key = tuple[str, str, str]
"""Service, principal, Idempotency-Key."""


@dataclass(frozen=True)
class Stored:
    """The answer a service keeps for a key: HTTP status and SHA-256 (hex) of the body."""

    status: int
    answer: str


def judge(entries: Iterable[Entry], stored: Mapping[Key, Stored]) -> Verdict:
    """Compare each answered 2xx of the journals with the others of its key and with what is stored."""
    held: dict[Key, set[Stored]] = {}
    for entry in entries:
        service = OPERATIONS.get(entry.operation)
        if (
            entry.kind == "http"
            and entry.accepted
            and service
            and entry.status is not None
            and entry.answer_sha256 is not None
        ):
            held.setdefault((service, entry.principal, entry.key), set()).add(Stored(entry.status, entry.answer_sha256))
    sentences = []
    for key, answers in held.items():
        where = f"{key[0]}: key {key[2]} of {key[1]}"
        if len(answers) > 1:
            sentences.append(f"{where} was given {len(answers)} different answers")
        elif key in stored and stored[key] not in answers:
            sentences.append(f"{where}: the stored answer is not the one that was given")
    sentences += [
        f"{k[0]}: key {k[2]} of {k[1]} keeps a refusal ({kept.status})"
        for k, kept in stored.items()
        if kept.status >= 300
    ]
    return verdict(len(held), sentences)


async def look(evidence: Evidence) -> Verdict:
    """Compare the journals with every service's stored answers; that an answer is stored at all is I2."""
    stored: dict[Key, Stored] = {}
    for service in SERVICES:
        async for row in evidence.stream(service, _STORED):
            stored[(service, row["principal"], row["key"])] = Stored(row["status"], row["answer"])
    return judge(evidence.journal, stored)


INVARIANT = Invariant(
    "I17", "The same Idempotency-Key gets the same answer, byte for byte, as long as answers are kept.", look
)
