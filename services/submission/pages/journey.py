"""The journey of a fiche in business steps: what the fiche and its versions know, in the order of the story."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.submission.domain.content import first_start
from services.submission.domain.dates import civil_date
from services.submission.domain.fiche import FINAL, Fiche, SessionState, Status
from services.submission.domain.lifecycle import version_words
from services.submission.versions_store import Named
from shared.contracts.labels import label
from shared.web import french

_WAITING: Final = (Status.SUBMITTED, Status.TO_COMPLETE, Status.TO_ADAPT, Status.AVIS_LAPSED)


@dataclass(frozen=True)
class Step:
    """One step: `state` is done, current, late or coming; `at` says when in words, empty where no day is known."""

    title: str
    state: str
    at: str = ""
    text: str = ""


def journey(fiche: Fiche, versions: Sequence[Named], today: dt.date) -> list[Step]:
    """Return the steps of a fiche, the first one first: what was done, what is waited for, what comes."""
    return [*_done(fiche, versions), *_now(fiche, today), *_coming(fiche)]


def _done(fiche: Fiche, versions: Sequence[Named]) -> list[Step]:
    """Return versions and validation by their days, the avis where it stands."""
    dated = [
        (
            civil_date(one.kept_at),
            Step(version_words(one.action), "done", french.moment(one.kept_at), _revision(one)),
        )
        for one in versions
    ]
    if fiche.validation is not None:
        day = fiche.validation.validated_on
        said = f"Référence {fiche.validation.reference}, révision {fiche.validation.revision}"
        dated.append((day, Step("Fiche validée par Pôle emploi", "done", french.long_date(day), said)))
    steps = [step for _, step in sorted(dated, key=lambda pair: pair[0])]
    if fiche.avis is not None:
        lapsed = "Il n’est plus valable : la fiche a changé au-delà des seuils." if fiche.avis_lapsed else ""
        avis = Step(f"Avis de la Région : {label(fiche.avis).lower()}", "done", "", lapsed)
        before = next((n for n, step in enumerate(steps) if "validée" in step.title), len(steps))
        steps.insert(before, avis)
    if fiche.confirmed_revision:
        steps.append(Step("Programmation confirmée", "done", "", f"Révision {fiche.confirmed_revision}"))
    return [*steps, *_sessions(fiche)]


def _revision(kept: Named) -> str:
    return f"Révision {kept.revision}"


def _sessions(fiche: Fiche) -> list[Step]:
    engaged = [n for n, session in sorted(fiche.sessions.items()) if session.state is SessionState.ENGAGED]
    return [
        Step(f"Session {number} engagée", "done", "", french.counted(fiche.sessions[number].enrolled or 0, "inscrit"))
        for number in engaged
    ]


def _now(fiche: Fiche, today: dt.date) -> list[Step]:
    """Return what is waited for at this moment, or how the fiche ended."""
    if fiche.status in FINAL:
        return [_end(fiche)]
    expires = fiche.proposal.expires_on if fiche.proposal else None
    avis_due = None if fiche.avis and not fiche.avis_lapsed else fiche.avis_due_on
    decides = "Validation de Pôle emploi attendue" if fiche.avis else "Avis de la Région attendu"
    waited = {
        Status.TO_COMPLETE: ("Complément demandé", fiche.avis_due_on),
        Status.TO_ADAPT: ("Adaptation proposée par la Région", expires),
        Status.AVIS_LAPSED: ("Avis de la Région attendu", fiche.avis_due_on),
        Status.SUBMITTED: (decides, avis_due),
        Status.VALIDATED: ("Confirmation de la programmation attendue", None),
    }
    return [_until(*waited[fiche.status], today)] if fiche.status in waited else []


def _until(title: str, due: dt.date | None, today: dt.date) -> Step:
    late = due is not None and due < today
    return Step(title, "late" if late else "current", f"Échéance\u202f: {french.long_date(due)}" if due else "")


def _end(fiche: Fiche) -> Step:
    if fiche.refusal is not None:
        reasons = ", ".join(label(reason) for reason in fiche.refusal.reasons)
        return Step("Fiche refusée par Pôle emploi", "done", "", reasons)
    if fiche.withdrawal is not None:
        return Step("Fiche retirée", "done", "", label(fiche.withdrawal))
    return Step("Fiche annulée avec sa dernière session", "done")


def _coming(fiche: Fiche) -> list[Step]:
    decided = fiche.status is Status.SUBMITTED and fiche.avis is not None
    answers = fiche.status in (Status.TO_COMPLETE, Status.TO_ADAPT) and (fiche.avis is None or fiche.avis_lapsed)
    waiting = fiche.status in _WAITING
    steps = [
        *([Step("Avis de la Région", "coming")] if answers else []),
        *([Step("Validation de Pôle emploi", "coming")] if waiting and not decided else []),
        *([Step("Confirmation de la programmation", "coming")] if waiting else []),
    ]
    if (waiting or fiche.status in (Status.VALIDATED, Status.CONFIRMED)) and fiche.live_sessions:
        start = first_start(fiche.live_sessions)
        steps.append(Step("Début de la première session", "coming", french.long_date(start)))
    return steps
