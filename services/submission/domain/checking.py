"""What would be said of a content if it were filed now: every objection, every warning, some advice; nothing is decided."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from services.submission.domain.admissibility import ADVICE, RULES, WARNINGS, said
from services.submission.domain.case import Case, Given
from services.submission.domain.dates import civil_date
from services.submission.domain.decisions import reference_form, reference_taken
from services.submission.domain.fiche import Fiche
from services.submission.domain.preparation import Held
from services.submission.domain.texts import name_warning
from shared.contracts.fiche import FicheContent, OutsideCampaign
from shared.errors import Objection


@dataclass(frozen=True)
class Draft:
    """A content that an OPCO wants looked at, as a new filing under `reference` (None: not chosen yet) or in place of a fiche's."""

    content: FicheContent
    opco: str
    at: dt.datetime
    reference: str | None = None
    outside_campaign: OutsideCampaign | None = None


@dataclass(frozen=True)
class Findings:
    """What the rules say of a content; `advice` refuses nothing and is not acknowledged."""

    objections: tuple[Objection, ...]
    warnings: tuple[Objection, ...]
    advice: tuple[Objection, ...]


def check_filing(draft: Draft, given: Given, taken: Held | None) -> Findings:
    """Look at a content as a new fiche's; `taken` is what has its reference already."""
    outside = draft.outside_campaign
    wrong = reference_form(draft.reference) if draft.reference is not None else None
    used = reference_taken(taken, draft.content) if isinstance(taken, Fiche) else None
    named = name_warning([("outside_campaign.reason", outside.reason or "")]) if outside else None
    case = Case(draft.content, draft.opco, civil_date(draft.at), given, outside_campaign=outside)
    return _found(case, (wrong, used), (named,))


def check_change(draft: Draft, given: Given, before: Fiche) -> Findings:
    """Look at a content that would replace the one a fiche has."""
    return _found(Case(draft.content, draft.opco, civil_date(draft.at), given, before), (), ())


def _found(case: Case, also: Iterable[Objection | None], also_warned: Iterable[Objection | None]) -> Findings:
    return Findings(
        objections=(*(one for one in also if one), *said(case, RULES)),
        warnings=(*said(case, WARNINGS), *(one for one in also_warned if one)),
        advice=said(case, ADVICE),
    )
