"""The stories of the year: what is done about a fiche, by whom, on which working day."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Final

from deploy.demo.days import last_day, plus, working
from deploy.demo.draw import Draw
from shared.contracts.references import (
    AvisKind,
    AvisReason,
    RefusalReason,
    SessionMotive,
    SourcingCause,
    WithdrawalReason,
)

OPENING: Final = dt.date(2020, 10, 1)
"""The first day on which fiches of 2021 are filed."""

CLOSING: Final = dt.date(2021, 12, 31)
"""The last day of the play."""

LEAD_DAYS: Final = 42
"""Days under which submission warns that a group takes six weeks to build."""

REGION: Final = "region"
POLE_EMPLOI: Final = "pole-emploi"
ENTRIES: Final = "france-travail"

OVERLAP: Final = "Une action du programme régional se tient au même moment dans la même zone."
_REFUSALS: Final = {
    RefusalReason.CONCURRENCE_PRF: "L’action régionale engagée répond déjà à ce besoin sur la zone.",
    RefusalReason.BESOIN_NON_ETABLI: "Les embauches annoncées ne sont pas établies.",
    RefusalReason.HORS_CADRE_POEC: "Le besoin d’une seule entreprise relève d’une POE individuelle.",
    RefusalReason.ENVELOPPE_INSUFFISANTE: "Les crédits de l’année ne permettent pas de financer ce projet.",
}


@dataclass
class Story:
    """A story being told: the fiche's OPCO, its dates as they now stand, and its steps so far."""

    opco: str
    start: dt.date
    hours: int
    weekly: int
    draw: Draw
    steps: list[dict[str, Any]] = field(default_factory=list)

    @property
    def last(self) -> dt.date:
        """Return the day of the last step."""
        return dt.date.fromisoformat(self.steps[-1]["on"])

    def tell(self, on: dt.date, by: str, do: str, **facts: Any) -> None:
        """Add a step on the first working day that fits: never before the step before it, never after the year."""
        day = working(max(on, self.last) if self.steps else on)
        if day > CLOSING:
            raise ValueError("a story runs past the year")
        self.steps.append({"on": day.isoformat(), "by": by, "do": do, **facts})

    def later(self, low: int, high: int) -> dt.date:
        """Return a working day so many days after the last step."""
        return plus(self.last, self.draw.between(low, high))

    def before_start(self, low: int, high: int) -> dt.date:
        """Return a working day so many days before the session starts."""
        return plus(self.start, -self.draw.between(low, high))

    def dates(self, start: dt.date) -> dict[str, str]:
        """Return the changes that move the session to another start."""
        return {"start": start.isoformat(), "end": last_day(start, self.hours, self.weekly).isoformat()}


def submit(story: Story, lead: int, earliest: dt.date = OPENING) -> None:
    """The OPCO files the fiche some `lead` days before the session, not before the opening."""
    day = plus(story.start, -lead)
    if day < earliest:
        day = plus(earliest, story.draw.below(20))
    story.tell(day, story.opco, "submit_fiche")


def completion(story: Story, wanted: str, request: str, changes: dict[str, Any]) -> None:
    """A reviewer sends the fiche back once, the OPCO completes it."""
    story.tell(
        story.later(2, 4), story.draw.one_of((REGION, POLE_EMPLOI)), "ask_completion", field=wanted, request=request
    )
    story.tell(story.later(3, 6), story.opco, "complete_fiche", changes=changes)


def adaptation(story: Story, answer: str, changes: dict[str, Any], countered: dict[str, Any] | None = None) -> None:
    """The Région proposes an adaptation; the OPCO accepts, declines or counters."""
    reason = AvisReason.LIEU if "town" in changes else AvisReason.CALENDRIER
    day = story.later(3, 5)
    proposal = {"changes": changes, "reasons": [reason.value], "comment": OVERLAP}
    story.tell(day, REGION, "propose_adaptation", **proposal, expires_on=plus(day, 15).isoformat())
    day = story.later(3, 6)
    if answer == "accepted":
        story.tell(day, story.opco, "accept_adaptation", changes=changes)
    elif answer == "declined":
        story.tell(day, story.opco, "decline_adaptation", reason="Les entreprises tiennent à ces dates et à ce lieu.")
    else:
        story.tell(
            day,
            story.opco,
            "counter_propose",
            changes=countered,
            reason="Une semaine de moins que proposé convient mieux.",
        )
    kept = changes if answer == "accepted" else countered or {}
    story.start = dt.date.fromisoformat(kept["start"]) if "start" in kept else story.start


def avis(story: Story, kind: AvisKind, low: int = 5, high: int = 10) -> None:
    """The Région gives its avis."""
    facts: dict[str, Any] = {"avis": kind.value}
    if kind is not AvisKind.COMPLEMENTAIRE:
        others = (AvisReason.CALENDRIER, AvisReason.LIEU, AvisReason.SOURCING)
        facts |= {"reasons": [AvisReason.DOMAINE.value, story.draw.one_of(others).value], "comment": OVERLAP}
    story.tell(story.later(low, high), REGION, "give_avis", **facts)


def validation(story: Story, kind: AvisKind) -> None:
    """Pôle emploi validates, the OPCO confirms the programmation."""
    reason = (
        "Les embauches promises dépassent les places de l’action régionale." if kind is AvisKind.CONCURRENT else None
    )
    story.tell(story.later(2, 5), POLE_EMPLOI, "validate_fiche", **({"reason": reason} if reason else {}))
    story.tell(story.later(2, 5), story.opco, "confirm_programmation")


def refusal(story: Story, reason: RefusalReason) -> None:
    """Pôle emploi refuses: the end."""
    story.tell(story.later(2, 5), POLE_EMPLOI, "refuse_fiche", reasons=[reason.value], comment=_REFUSALS[reason])


def withdrawal(story: Story, reason: WithdrawalReason) -> None:
    """The OPCO takes the fiche back: the end."""
    story.tell(story.later(1, 3), story.opco, "withdraw_fiche", reason=reason.value)


def postponement(story: Story, start: dt.date, renewed: bool) -> None:
    """The session moves; beyond the threshold of rule 8 the avis and the decision are taken anew."""
    facts: dict[str, Any] = {"changes": story.dates(start), "motive": SessionMotive.SOURCING_INSUFFISANT.value}
    day = story.before_start(13, 16)
    if (start - day).days < LEAD_DAYS:
        facts["acknowledged"] = ["LEAD_TIME_SHORT"]
    story.tell(day, story.opco, "postpone_session", **facts)
    story.start = start
    if renewed:
        avis(story, AvisKind.COMPLEMENTAIRE, 5, 8)
        story.tell(story.later(2, 5), POLE_EMPLOI, "validate_fiche")


def first_entries(story: Story, count: int) -> None:
    """Pôle emploi records the first AIS, four weeks before the start."""
    story.tell(story.before_start(24, 30), ENTRIES, "record_ais", first=1, count=count)


def entries(story: Story, net: int, cancelled: int, recorded: int = 0) -> None:
    """Pôle emploi records AIS and cancels some, so that `net` stand in the end; never more at a time than seats."""
    if not recorded:
        recorded = (
            net + 1
            if cancelled == 1 and story.draw.below(2)
            else net
            if not cancelled and story.draw.below(2)
            else net // 2 + 1
        )
        first_entries(story, recorded)
    if cancelled:
        numbers = sorted(story.draw.shuffled(range(1, recorded + 1))[:cancelled])
        story.tell(story.before_start(17, 20), ENTRIES, "cancel_ais", numbers=numbers)
    left = net + cancelled - recorded
    if left:
        story.tell(story.before_start(11, 14), ENTRIES, "record_ais", first=recorded + 1, count=left)


def go(story: Story, net: int) -> None:
    """The OPCO engages the session."""
    story.tell(story.before_start(4, 9), story.opco, "engage_session", enrolled=net)


def abandonment(story: Story, motive: SessionMotive, enrolled: int, cause: SourcingCause | None = None) -> None:
    """The session is cancelled; AIS that stand are cancelled before it. `cause`: why too few people came, where that is the motive."""
    if enrolled:
        first_entries(story, enrolled)
        story.tell(story.before_start(13, 16), ENTRIES, "cancel_ais", numbers=list(range(1, enrolled + 1)))
    day = story.before_start(8, 12) if enrolled else story.before_start(28, 40)
    story.tell(day, story.opco, "cancel_session", motive=motive.value, **({"cause": cause.value} if cause else {}))
