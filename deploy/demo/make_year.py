"""Makes the year: `python -m deploy.demo.make_year` writes `year_2021.json`, the same bytes for the same seed.

Margins in `margins.py` hold exactly; everything else is drawn.
"""

import datetime as dt
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, Final

import orjson

from deploy.demo import margins, stories
from deploy.demo.days import last_day, mondays, plus
from deploy.demo.draw import Draw
from deploy.demo.places import TOWNS
from deploy.demo.stories import Story
from deploy.demo.table import Cell, drawn_table
from deploy.demo.trainings import CHOICES, DRIVER, PROVIDERS, TEMPORARY_WORK, TRAININGS
from deploy.demo.year_2021 import FILE
from shared.contracts.references import (
    AvisKind,
    FollowUpKind,
    NeedOrigin,
    RefusalReason,
    SessionMotive,
    SourcingCause,
    WithdrawalReason,
)

SEED: Final = 2020
NOTE: Final = (
    "Année synthétique et inventée. Seuls les totaux que cite le compte rendu (209 projets validés, 187 sessions engagées, 1 679 AIS,"
    " 339 heures en moyenne, près de 9 M€) viennent d’une source\u202f; fiches, organismes et dates n’existent pas."
)
COMPANY_HOURS: Final = {434: 70, 400: 70, 399: 70, 385: 70, 350: 70, 315: 70, 280: 70, 210: 35}
PLAN: Final = "Informations collectives avec les agences locales, les missions locales et Cap emploi\u202f; visites d’entreprises."
WAYS: Final = ("town", "start")
_HEAD: Final = ("opco", "reference", "door", "outcome", "file")


@dataclass
class Draft:
    """A fiche in the making: what the margins ask of it, then what is drawn for it."""

    opco: str
    outcome: str
    start: dt.date
    ais: int = 9
    ais_cancelled: int = 0
    hours: int = 350
    final_start: dt.date | None = None
    motive: str | None = None
    cause: SourcingCause | None = None
    avis: AvisKind | None = AvisKind.COMPLEMENTAIRE
    completed: bool = False
    adapted: str | None = None
    reason: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)

    @property
    def plain(self) -> bool:
        """Return whether nothing out of the ordinary happens to the fiche yet."""
        return not (self.completed or self.adapted or self.final_start) and self.hours != 434


def made_year() -> dict[str, Any]:
    """Return the whole year as plain data."""
    draw = Draw(SEED)
    drafts = [*_engaged(draw), *_not_engaged(draw), *_refused(draw), *_withdrawn(draw)]
    _give_incidents(drafts, draw)
    providers = dict(_providers())
    for draft in drafts:
        _fill(draft, list(providers), draw)
        _tell(draft, draw)
    drafts.sort(key=lambda draft: (draft.steps[0]["on"], draft.opco, draft.start, draft.ais, draft.outcome))
    return {
        "note": NOTE,
        "year": margins.YEAR,
        "seed": SEED,
        "towns": {
            town.insee: {"name": town.name, "postal_code": town.postal_code, "zone": town.zone} for town in TOWNS
        },
        "providers": providers,
        "trainings": {t.key: {name: value for name, value in vars(t).items() if name != "key"} for t in TRAININGS},
        "fiches": sorted(_named(drafts), key=lambda fiche: str(fiche["steps"][0]["on"])),
    }


def _engaged(draw: Draw) -> list[Draft]:
    cells = drawn_table(draw)
    drafts = [Draft(cell.opco, "engaged", _monday(cell, draw), ais=cell.ais) for cell in cells]
    for first, final in margins.POSTPONED_WITHIN_YEAR:
        end = dt.date.fromisoformat(final)
        moved = draw.one_of([d for d in drafts if d.start.month == end.month and d.plain])
        moved.start, moved.final_start = dt.date.fromisoformat(first), end
    _give_hours(drafts, draw)
    _give_cancelled_ais(drafts, draw)
    return drafts


def _monday(cell: Cell, draw: Draw) -> dt.date:
    return draw.one_of(mondays(margins.YEAR, cell.month))


def _give_hours(drafts: list[Draft], draw: Draw) -> None:
    """Deal the hours: 434 to road freight filed after the deliberation of June 2021, 210 where ten seats share the cost."""
    left = draw.shuffled([hours for hours, n in margins.HOURS.items() for _ in range(n) if hours not in (434, 210)])
    drivers = [
        d for d in drafts if d.opco == "opco-mobilites" and d.start >= dt.date(2021, 9, 13) and not d.final_start
    ]
    short = [d for d in drafts if d.ais >= 9 and d.opco != "opco-mobilites" and not d.final_start]
    special = {id(d): 434 for d in draw.shuffled(drivers)[: margins.HOURS[434]]}
    special |= {id(d): 210 for d in draw.shuffled(short)[: margins.HOURS[210]]}
    for draft in drafts:
        draft.hours = special.get(id(draft)) or left.pop()
    assert not left, "another seed is needed"


def _give_cancelled_ais(drafts: list[Draft], draw: Draw) -> None:
    """Of 118 AIS cancelled, 36 stand on the twelve sessions that found too few people; the others on engaged ones."""
    order = draw.shuffled(drafts)
    for draft in order[:76]:
        draft.ais_cancelled = 1
    for draft in order[:6]:
        draft.ais_cancelled = 2


def _not_engaged(draw: Draw) -> list[Draft]:
    postponed = iter(margins.POSTPONED_TO_NEXT_YEAR)
    counts, causes = iter((2, 3, 4) * 4), cycle(SourcingCause)
    drafts = []
    for opco, motive in margins.NOT_ENGAGED:
        if motive == "NEXT_YEAR":
            first, final = (dt.date.fromisoformat(day) for day in next(postponed))
            drafts.append(Draft(opco, "next_year", first, final_start=final))
            continue
        months = (11, 12) if motive == "ENVELOPPE" else (2, 3, 4, 5, 6, 9, 10, 11)
        start = draw.one_of(mondays(margins.YEAR, draw.one_of(months)))
        sourcing = motive == "SOURCING_INSUFFISANT"
        ais, cause = (next(counts), next(causes)) if sourcing else (0, None)
        drafts.append(Draft(opco, "cancelled", start, motive=motive, cause=cause, ais=ais, ais_cancelled=ais))
    return drafts


def _refused(draw: Draw) -> list[Draft]:
    reasons = [
        *((RefusalReason.CONCURRENCE_PRF, AvisKind.CONCURRENT),) * 5,
        *((RefusalReason.BESOIN_NON_ETABLI, AvisKind.COMPLEMENTAIRE),) * 2,
        (RefusalReason.HORS_CADRE_POEC, AvisKind.COMPLEMENTAIRE),
        (RefusalReason.ENVELOPPE_INSUFFISANTE, AvisKind.COMPLEMENTAIRE),
    ]
    opcos = [opco for opco, n in margins.REFUSED.items() for _ in range(n)]
    starts = (_any_start(draw) for _ in opcos)
    return [
        Draft(opco, "refused", start, reason=reason.value, avis=kind)
        for opco, start, (reason, kind) in zip(opcos, starts, draw.shuffled(reasons), strict=True)
    ]


def _withdrawn(draw: Draw) -> list[Draft]:
    opcos = [opco for opco, n in margins.WITHDRAWN.items() for _ in range(n)]
    kinds = draw.shuffled([AvisKind.COMPLEMENTAIRE, AvisKind.COMPLEMENTAIRE_SOUS_ADAPTATION, *(None,) * 5])
    return [
        Draft(opco, "withdrawn", _any_start(draw), reason=draw.one_of(list(WithdrawalReason)[:2]).value, avis=kind)
        for opco, kind in zip(opcos, kinds, strict=True)
    ]


def _any_start(draw: Draw) -> dt.date:
    return draw.one_of(mondays(margins.YEAR, draw.between(2, 12)))


def _give_incidents(drafts: list[Draft], draw: Draw) -> None:
    """Deal completions, adaptations and avis to fiches that nothing else happens to."""
    refused = [d for d in drafts if d.outcome == "refused" and d.avis is AvisKind.COMPLEMENTAIRE]
    cancelled = [d for d in drafts if d.outcome == "cancelled"]
    engaged = draw.shuffled([d for d in drafts if d.outcome == "engaged" and d.plain and d.start.month > 1])
    for draft in (refused[0], cancelled[0], *(engaged.pop() for _ in range(margins.COMPLETED_ONCE - 2))):
        draft.completed = True
    for answer, n in margins.ADAPTATIONS.items():
        for _ in range(n):
            draft = engaged.pop() if answer == "accepted" else _with_room(engaged)
            draft.adapted = answer
            draft.avis = AvisKind.COMPLEMENTAIRE_SOUS_ADAPTATION if answer == "declined" else AvisKind.COMPLEMENTAIRE
    for kind in (AvisKind.CONCURRENT, AvisKind.COMPLEMENTAIRE_SOUS_ADAPTATION):
        missing = margins.AVIS[kind] - sum(draft.avis is kind for draft in drafts)
        for _ in range(missing):
            engaged.pop().avis = kind


def _with_room(drafts: list[Draft]) -> Draft:
    """Take a fiche out whose start can move two weeks within its month."""
    found = next(
        d
        for d in reversed(drafts)
        if d.start.day <= 14 and d.start + dt.timedelta(days=14) in mondays(2021, d.start.month)
    )
    drafts.remove(found)
    return found


def _providers() -> Iterator[tuple[str, dict[str, str]]]:
    """Yield invented providers; numbers of the block 000 999, which is not given to anybody, with right check digits."""
    for n, name in enumerate(PROVIDERS):
        town = TOWNS[n]
        siren = _checked(f"000999{n + 1:02}")
        nda = f"28{town.insee[:2]}9{n + 1:04}{n + 21:02}"
        yield f"p{n + 1:02}", {"siret": _checked(f"{siren}0001"), "nda": nda, "name": name, "town": town.insee}


def _checked(digits: str) -> str:
    """Return the digits followed by their Luhn check digit."""
    doubled = (int(d) * (2 - n % 2) for n, d in enumerate(reversed(digits)))
    return f"{digits}{-sum(d - 9 if d > 9 else d for d in doubled) % 10}"


def _fill(draft: Draft, providers: Sequence[str], draw: Draw) -> None:
    """Draw the parameters of the first content."""
    branch, training = _taught(draft, draw)
    follow_up, contract = _follow_up(draft, draw)
    seats = draft.ais + 1 if draft.outcome == "engaged" else 10
    company = COMPANY_HOURS[draft.hours]
    draft.parameters = {
        "training": training,
        "provider": draw.one_of(providers),
        "town": draw.one_of([town.insee for town in TOWNS for _ in range(town.weight)]),
        "branch_idcc": branch,
        "kind": draw.one_of(("STRUCTURANTE", "STRUCTURANTE", "CONJONCTURELLE")),
        "need": _need(branch, draw),
        "hours": {"total": draft.hours, "centre": draft.hours - company, "company": company, "weekly": 35},
        **({"derogation": True} if draft.hours == 434 else {}),
        "start": draft.start.isoformat(),
        "end": last_day(draft.start, draft.hours, 35).isoformat(),
        "seats": seats,
        "minimum": 6,
        "meeting_on": plus(draft.start, -21).isoformat(),
        "companies": draw.between(3, 8),
        "hires_announced": seats + draw.between(0, 4),
        "follow_up": follow_up.value,
        **({"contract_starts_on": contract.isoformat()} if contract else {}),
        "sourcing_plan": "À préciser." if draft.completed else PLAN,
        "prerequisites": draw.one_of(("Aucun", "Savoir lire, écrire et compter", "Projet professionnel confirmé")),
    }


def _taught(draft: Draft, draw: Draw) -> tuple[str, str]:
    if draft.hours == 434:
        return DRIVER
    fit = [choice for choice in CHOICES[draft.opco] if draft.motive != "ENVELOPPE" or choice[0] in TEMPORARY_WORK]
    return draw.one_of(fit)


def _follow_up(draft: Draft, draw: Draw) -> tuple[FollowUpKind, dt.date | None]:
    """One plain engaged fiche in eight leads to a work-study contract, within two weeks of its end."""
    if draft.outcome != "engaged" or not draft.plain or draw.below(8):
        return FollowUpKind.EMPLOI_DIRECT, None
    return FollowUpKind.ALTERNANCE, plus(last_day(draft.start, draft.hours, 35), draw.between(3, 14))


def _need(branch: str, draw: Draw) -> dict[str, str]:
    origin = draw.one_of((NeedOrigin.ACCORD_DE_BRANCHE, NeedOrigin.DECISION_CA_OPCO))
    day = plus(dt.date(2020, 1, 6), draw.below(240))
    by_branch = origin is NeedOrigin.ACCORD_DE_BRANCHE
    reference = f"Accord de la branche {branch}, exemple" if by_branch else "Décision du CA, exemple"
    return {"origin": origin.value, "reference": reference, "decided_on": day.isoformat()}


def _tell(draft: Draft, draw: Draw) -> None:
    """Draw the story."""
    story = Story(draft.opco, draft.start, draft.hours, 35, draw)
    if draft.hours == 434:
        stories.submit(story, draw.between(76, 88), dt.date(2021, 6, 14))
    else:
        stories.submit(story, draw.between(95, 150))
    if draft.completed:
        stories.completion(
            story, "sourcing.plan", "Décrire le plan de recherche des stagiaires.", {"sourcing_plan": PLAN}
        )
    if draft.adapted:
        _tell_adaptation(draft, story, draw)
    if draft.avis:
        stories.avis(story, draft.avis)
    if draft.outcome == "refused":
        stories.refusal(story, RefusalReason(draft.reason))
    elif draft.outcome == "withdrawn":
        stories.withdrawal(story, WithdrawalReason(draft.reason))
    elif draft.avis:
        stories.validation(story, draft.avis)
        _tell_session(draft, story)
    draft.steps = story.steps


def _tell_adaptation(draft: Draft, story: Story, draw: Draw) -> None:
    if draft.adapted == "accepted":
        other = draw.one_of([town.insee for town in TOWNS if town.insee != draft.parameters["town"]])
        stories.adaptation(story, "accepted", {"town": other})
        return
    proposed = story.dates(draft.start + dt.timedelta(days=14))
    countered = story.dates(draft.start + dt.timedelta(days=7)) if draft.adapted == "countered" else None
    stories.adaptation(story, draft.adapted or "", proposed, countered)


def _tell_session(draft: Draft, story: Story) -> None:
    """What becomes of the session of a validated fiche."""
    if draft.motive:
        stories.abandonment(story, SessionMotive(draft.motive), draft.ais, draft.cause)
        return
    recorded = 0
    if draft.final_start:
        recorded = 4 if draft.outcome == "engaged" else 0
        if recorded:
            stories.first_entries(story, recorded)
        stories.postponement(story, draft.final_start, (draft.final_start - draft.start).days > 30)
    if draft.outcome == "engaged":
        stories.entries(story, draft.ais, draft.ais_cancelled, recorded)
        stories.go(story, draft.ais)


def _named(drafts: Sequence[Draft]) -> Iterator[dict[str, Any]]:
    """Yield the fiches with their references, every second one filed by the ingress topic, some of one OPCO together in a file."""
    numbers = dict.fromkeys(margins.VALIDATED, 0)
    opco, first, last = margins.FILED_TOGETHER
    for n, draft in enumerate(drafts):
        numbers[draft.opco] += 1
        filing = draft.steps[0]
        together = draft.opco == opco and first <= filing["on"] <= last
        if together:
            filing["on"] = first
        yield {
            "opco": draft.opco,
            "reference": f"{draft.opco.upper()}-{margins.YEAR}-{numbers[draft.opco]:03}",
            "door": ("http", "ingress")[n % 2],
            "outcome": draft.outcome,
            **({"file": f"{opco}-{first}"} if together else {}),
            "parameters": draft.parameters,
            "steps": draft.steps,
        }


def written(year: dict[str, Any]) -> bytes:
    """Return the year as JSON that people can read: one line per table row and per step, UTF-8, a final line break."""
    head = [f'"{name}": {_line(year[name])}' for name in ("note", "year", "seed")]
    tables = [f'"{name}": {{\n{_rows(year[name])}\n}}' for name in ("towns", "providers", "trainings")]
    fiches = ",\n".join(_fiche(fiche) for fiche in year["fiches"])
    return ("{\n" + ",\n".join((*head, *tables, f'"fiches": [\n{fiches}\n]')) + "\n}\n").encode()


def _rows(rows: dict[str, Any]) -> str:
    return ",\n".join(f'  "{key}": {_line(row)}' for key, row in rows.items())


def _fiche(fiche: dict[str, Any]) -> str:
    first = ", ".join(f'"{name}": {_line(fiche[name])}' for name in _HEAD if name in fiche)
    steps = ",\n".join(f"    {_line(step)}" for step in fiche["steps"])
    return f'  {{{first},\n   "parameters": {_line(fiche["parameters"])},\n   "steps": [\n{steps}]}}'


def _line(value: Any) -> str:
    return orjson.dumps(value).decode()


if __name__ == "__main__":
    FILE.write_bytes(written(made_year()))
    sys.stderr.write(f"{FILE.name} written\n")
