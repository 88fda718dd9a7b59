"""I5: the avis comes before the validation, the validation before the catalogue, fiche by fiche; by versions, never by timestamps.

Within a dossier its trail says what came first. Between services a reference does: it cannot be known before the validation made it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from deploy.audit.chronicle import Chronicle, Dossier, Listed
from deploy.audit.evidence import Evidence
from deploy.audit.verdict import Invariant, Verdict, verdict

_TRAIL = (
    "SELECT aggregate, action, facts ->> 'to' AS after, facts ->> 'reference' AS reference FROM audit_entry"
    " ORDER BY aggregate, n"
)
_AVIS: Final = frozenset({"give_avis", "correct_avis"})
_FIRST_LISTED = (
    "SELECT DISTINCT s.fiche_id::text AS fiche, s.id::text AS session FROM catalogue_session s"
    " JOIN audit_entry e ON e.aggregate = s.id::text WHERE e.facts ->> 'to' IN ('published', 'full')"
)
_CONFIRMED = "SELECT DISTINCT aggregate FROM audit_entry WHERE action = 'confirm_programmation'"


@dataclass(frozen=True)
class Step:
    """One entry of a dossier's trail; `reference` where a validation made one."""

    dossier: str
    action: str
    after: str | None
    reference: str | None = None


@dataclass
class Decisions:
    """Walks the dossiers' trails: each validation needs an avis that holds, and makes a reference."""

    references: dict[str, set[str]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    checked: int = 0
    _with_avis: set[str] = field(default_factory=set)

    def take(self, step: Step) -> None:
        """Take the next step; steps of one dossier come by version."""
        if step.action in _AVIS:
            self._with_avis.add(step.dossier)
        elif step.after == "avis_lapsed":
            self._with_avis.discard(step.dossier)
        elif step.action in ("validate_fiche", "refuse_fiche"):
            self.checked += 1
            if step.dossier not in self._with_avis:
                self.wrong.append(f"dossier {step.dossier}: {step.action} without an avis that holds before it")
            if step.action == "validate_fiche":
                self._validated(step)

    def _validated(self, step: Step) -> None:
        if not step.reference:
            self.wrong.append(f"dossier {step.dossier} was validated without a reference")
        else:
            self.references.setdefault(step.dossier, set()).add(step.reference)


def judge_trail(steps: Iterable[Step]) -> tuple[Verdict, Mapping[str, set[str]]]:
    """Judge the dossiers' trails; also return the references each dossier was validated under."""
    decisions = Decisions()
    for step in steps:
        decisions.take(step)
    return verdict(decisions.checked, decisions.wrong), decisions.references


def judge_log(dossiers: Iterable[Dossier]) -> Verdict:
    """Judge what validation said, in the order it said it: an avis stands before each validation and refusal."""
    wrong, checked = [], 0
    for dossier in dossiers:
        holds = False
        for kind in dossier.steps:
            if kind in ("avis.given.v1", "avis.lapsed.v1"):
                holds = kind == "avis.given.v1"
            elif kind in ("fiche.validated.v1", "fiche.refused.v1"):
                checked += 1
                wrong += (
                    [] if holds else [f"dossier {dossier.id}: {kind} was said without an avis that holds before it"]
                )
    return verdict(checked, wrong)


def judge_catalogue(
    sessions: Iterable[Listed],
    listed: Iterable[tuple[str, str]],
    references: Mapping[str, set[str]],
    confirmed: Collection[str],
) -> Verdict:
    """Judge what was published: under a reference that the fiche's dossier has, of a fiche that its OPCO confirmed.

    `listed` are (fiche, session) of every session that ever stood in the catalogue.
    """
    wrong, checked = [], 0
    for session in sessions:
        known = references.get(session.fiche, set())
        checked += len(session.references)
        wrong += [
            f"session {session.id} was published under {reference}, which no validation of fiche {session.fiche} made"
            for reference in session.references
            if reference not in known
        ]
    for fiche, session_id in listed:
        checked += 1
        if not references.get(fiche):
            wrong.append(f"session {session_id} was published, fiche {fiche} never validated")
        if fiche not in confirmed:
            wrong.append(f"session {session_id} was published, the programmation of fiche {fiche} never confirmed")
    return verdict(checked, wrong)


async def look(evidence: Evidence) -> Verdict:
    """Walk the dossiers' trails, what validation said, and what publication published."""
    decisions = Decisions()
    async for row in evidence.stream("validation", _TRAIL):
        decisions.take(Step(row["aggregate"], row["action"], row["after"], row["reference"]))
    chronicle = evidence.fold(Chronicle)
    listed = [(row["fiche"], row["session"]) for row in await evidence.rows("publication", _FIRST_LISTED)]
    confirmed = {row["aggregate"] for row in await evidence.rows("submission", _CONFIRMED)}
    found = verdict(decisions.checked, decisions.wrong) + judge_log(chronicle.dossiers.values())
    return found + judge_catalogue(chronicle.sessions.values(), listed, decisions.references, confirmed)


INVARIANT = Invariant(
    "I5", "The avis comes before the validation, the validation before the catalogue.", look, (Chronicle,)
)
