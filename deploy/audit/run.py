"""One audit: let what waits settle, look, and look again at what was found while the system moved."""

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from deploy.audit import (
    i01_accepted_once,
    i02_answered_is_durable,
    i04_legal_transitions,
    i05_avis_then_validation_then_catalogue,
    i06_catalogue_is_what_is_validated,
    i07_counts_agree,
    i08_nothing_lost,
    i09_nothing_doubled,
    i10_applied_in_order,
    i11_all_accounted_for,
    i12_positions_in_bounds,
    i13_trail_unbroken,
    i14_actor_allowed,
    i17_same_answers,
    i19_rebuilt_the_same,
)
from deploy.audit.evidence import Evidence, Sources, evidence, stamp
from deploy.audit.i03_nothing_waits import SENTENCE, SETTLE_SECONDS, settle
from deploy.audit.kept_anchors import read_kept
from deploy.audit.report import Finding, Report
from deploy.audit.verdict import CouldNotLook, Invariant, Verdict
from deploy.journal import JournalUnreadable, journals_of, read_journals
from deploy.local.errors import LocalError
from deploy.local.runfile import Run
from shared.contracts.access import AUDIT

INVARIANTS: Final[tuple[Invariant, ...]] = (
    i01_accepted_once.INVARIANT,
    i02_answered_is_durable.INVARIANT,
    i04_legal_transitions.INVARIANT,
    i05_avis_then_validation_then_catalogue.INVARIANT,
    i06_catalogue_is_what_is_validated.INVARIANT,
    i07_counts_agree.INVARIANT,
    i08_nothing_lost.INVARIANT,
    i09_nothing_doubled.INVARIANT,
    i10_applied_in_order.INVARIANT,
    i11_all_accounted_for.INVARIANT,
    i12_positions_in_bounds.INVARIANT,
    i13_trail_unbroken.INVARIANT,
    i14_actor_allowed.INVARIANT,
    i17_same_answers.INVARIANT,
    i19_rebuilt_the_same.INVARIANT,
)
LOOKS: Final = 4
"""How often the audit looks, at most, at a system that moves: what it finds every time is a violation."""
REPAIRED: Final = frozenset({"I8", "I12"})
"""What holds once the reconcilers had their time: a broker that lost its data is noticed within seconds and sent everything again."""
_PAUSE_SECONDS: Final = 2.0
Progress = Callable[[str], None]


def sources_of(home: Path, journals: Sequence[Path] | None = None, anchors: Sequence[Path] = ()) -> Sources:
    """Return where to look for what runs on a data folder; without named journals, those that lie there. Raises `CouldNotLook`.

    `anchors` are files of anchors that were kept outside.
    """
    try:
        run = Run.load(home)
        entries = read_journals(journals_of(home) if journals is None else journals)
    except (LocalError, JournalUnreadable) as wrong:
        raise CouldNotLook(str(wrong)) from wrong
    urls = {name: service.audit_database_url for name, service in run.services.items()}
    return Sources(urls, run.kafka.access(AUDIT), entries, read_kept(anchors))


async def audit(
    sources: Sources, *, settle_seconds: float = SETTLE_SECONDS, progress: Progress = lambda _: None, looks: int = LOOKS
) -> Report:
    """Look at everything. Raises `CouldNotLook` when something cannot be read."""
    began = time.monotonic()
    progress("waiting for what waits on a machine")
    settled = await settle(sources, settle_seconds)
    waited = Finding("I3", SENTENCE, settled, time.monotonic() - began)
    findings, looked = await _looked(sources, progress, looks, began + settle_seconds)
    everything = sorted([waited, *findings], key=lambda finding: int(finding.id[1:]))
    return Report(everything, looked, len(sources.journal), time.monotonic() - began, dt.datetime.now(dt.UTC))


async def _looked(sources: Sources, progress: Progress, looks: int, until: float) -> tuple[list[Finding], int]:
    """Look until nothing is found, or nothing moved while looking, or often enough; keep what was found every time.

    A log that is not what the outboxes say is given until `until` (monotonic seconds) to be repaired by the reconcilers.
    """
    confirmed: dict[str, Verdict] = {}
    number = 0
    while True:
        before = await stamp(sources)
        found = await _look(sources, progress)
        number += 1
        if time.monotonic() < until and any(f.verdict.violations for f in found if f.id in REPAIRED):
            progress("the log is not what the outboxes say: waiting for its repair")
        else:
            kept = [_confirmed(finding, confirmed.get(finding.id)) for finding in found]
            dirty = any(finding.verdict.violations for finding in kept)
            if not dirty or looks <= 1 or await stamp(sources) == before:
                return kept, number
            looks -= 1
            confirmed = {finding.id: finding.verdict for finding in kept}
            progress("the system moved meanwhile: looking again")
        await asyncio.sleep(_PAUSE_SECONDS)


def _confirmed(finding: Finding, before: Verdict | None) -> Finding:
    return finding if before is None else replace(finding, verdict=before.confirmed_by(finding.verdict))


async def _look(sources: Sources, progress: Progress) -> list[Finding]:
    progress("reading the log")
    folds = list(dict.fromkeys(fold for invariant in INVARIANTS for fold in invariant.folds))
    async with evidence(sources, folds) as seen:
        return [await _judged(invariant, seen, progress) for invariant in INVARIANTS]


async def _judged(invariant: Invariant, seen: Evidence, progress: Progress) -> Finding:
    progress(f"{invariant.id}  {invariant.sentence}")
    began = time.monotonic()
    found = await invariant.look(seen)
    return Finding(invariant.id, invariant.sentence, found, time.monotonic() - began)
