"""Pôle emploi's decision: never before an avis that holds. That nobody decides on his own avis is the policy table's (`not_author`).

Against an avis CONCURRENT it may validate, with a written reason that is shown and counted.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from services.validation.domain.dates import civil_date, decider_label
from services.validation.domain.dossier import Decided, Dossier, Refusal, Status, Validation
from services.validation.domain.lifecycle import allowed
from shared.contracts.references import AvisKind, RefusalReason
from shared.contracts.validation import FicheRefused, FicheValidated
from shared.errors import Objection, RulesRefused, Stale

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U to misread on paper."""


@dataclass(frozen=True)
class AskedRefusal:
    """What a reviewer of Pôle emploi refuses a fiche for: codes that are counted, words that the OPCO reads."""

    reasons: tuple[RefusalReason, ...]
    comment: str
    acknowledged: tuple[str, ...] = ()


def refusal_is_coded(asked: AskedRefusal) -> Objection | None:
    """A refusal names at least one coded reason, so that refusals can be counted."""
    if asked.reasons:
        return None
    return Objection("REFUSAL_REASONS_MISSING", "Indiquez au moins un motif de refus.", field="reasons")


def refusal_is_explained(asked: AskedRefusal) -> Objection | None:
    """A refusal is explained in words."""
    if asked.comment.strip():
        return None
    message = "Expliquez le refus\u202f: l’OPCO lira ce texte."
    return Objection("REFUSAL_COMMENT_MISSING", message, field="comment")


REFUSAL_RULES: Final = (refusal_is_coded, refusal_is_explained)


def at_revision(dossier: Dossier, read: int) -> None:
    """Raise `Stale` where the caller read another revision than the current one; says which members changed since."""
    if read == dossier.revision:
        return
    if read > dossier.revision:
        message = f"Cette révision n’est pas encore parvenue ici\u202f: le dossier en est à la {dossier.revision}."
        raise Stale(Objection("REVISION_UNKNOWN", message, facts={"revision": dossier.revision}))
    known = {change.revision for change in dossier.changes}
    since = {field for change in dossier.changes if change.revision > read for field in change.fields}
    complete = set(range(read + 1, dossier.revision + 1)) <= known
    fields = [name for name in type(dossier.content).model_fields if name in since] if complete else []
    what = f" ({', '.join(fields)})" if fields else ""
    message = f"La fiche en est à la révision {dossier.revision}\u202f: relisez ce qui a changé{what}, puis décidez."
    facts = {"revision": dossier.revision, "changed": ",".join(fields) or None}
    raise Stale(Objection("REVISION_STALE", message, facts=facts))


def validation_reference(fiche_id: UUID, revision: int, on: dt.date) -> str:
    """Return the reference of a validation: the same for the same fiche, revision and year (40 bits of a SHA-256)."""
    number = int.from_bytes(hashlib.sha256(f"{fiche_id}/{revision}".encode()).digest()[:5])
    code = "".join(_ALPHABET[number >> shift & 31] for shift in range(35, -1, -5))
    return f"PE-28-{on.year}-{code}"


def validate_fiche(dossier: Dossier, reason: str | None, when: dt.datetime) -> Decided:
    """Validate the current revision. Raises `NotAllowedNow` or `RulesRefused`."""
    allowed("validate_fiche", dossier.status)
    against = dossier.avis is not None and dossier.avis.kind is AvisKind.CONCURRENT
    reason = reason.strip() or None if reason else None
    if against and not reason:
        message = "L’avis est concurrent\u202f: écrivez pourquoi vous validez malgré lui\u202f; ce motif sera montré."
        raise RulesRefused(Objection("AGAINST_AVIS_REASON_MISSING", message, "minutes L168-175", "reason"))
    on = civil_date(when)
    reference = validation_reference(dossier.fiche_id, dossier.revision, on)
    validation = Validation(reference, on, decider_label(on), dossier.revision, against, reason)
    event = FicheValidated(
        fiche_id=dossier.fiche_id,
        opco=dossier.opco,
        revision=dossier.revision,
        reference=reference,
        validated_on=on,
        validated_by=validation.by,
        against_avis=against,
        reason=reason,
    )
    return replace(dossier, status=Status.VALIDATED, validation=validation), (event,)


def refuse_fiche(dossier: Dossier, asked: AskedRefusal, when: dt.datetime) -> Decided:
    """Refuse the fiche for good. Raises `NotAllowedNow` or `RulesRefused`."""
    allowed("refuse_fiche", dossier.status)
    objections = [objection for rule in REFUSAL_RULES if (objection := rule(asked))]
    if objections:
        raise RulesRefused(*objections)
    on = civil_date(when)
    reasons = tuple(dict.fromkeys(asked.reasons))
    refusal = Refusal(reasons, asked.comment, on, decider_label(on), dossier.revision)
    event = FicheRefused(
        fiche_id=dossier.fiche_id,
        opco=dossier.opco,
        revision=dossier.revision,
        reasons=reasons,
        comment=asked.comment,
    )
    return replace(dossier, status=Status.REFUSED, refusal=refusal), (event,)
