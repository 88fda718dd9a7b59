"""What is put on record for a year, in the order of the year: programme, campaigns, conference; what OPCOs declare and deliver.

Reads are in `yearbook_read_cases.py`.

A command asks the policy table, then the revision it was decided on, then the domain; each leaves one entry in the audit trail, with
codes and figures only.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from services.submission.domain import campaigns, conferences, declarations, deliveries, targets, yearbook
from services.submission.domain.campaigns import Campaign, Dates, Why
from services.submission.domain.conferences import Conference, Recording
from services.submission.domain.declarations import Declaration, Figure
from services.submission.domain.deliveries import Delivery, Estimate, delivery_id, month_of
from services.submission.domain.targets import Adopting, Programme
from services.submission.domain.yearbook import Decided, at_revision, existing
from services.submission.yearbook_store import Yearbook
from shared.audit_trail import Change
from shared.contracts.campaigns import campaign_id, declaration_id, programme_id
from shared.identity import Principal
from shared.policy import authorize
from shared.working_set import WorkingSet

S = TypeVar("S")
Facts = Mapping[str, str | int | bool | None]


@dataclass(frozen=True)
class On:
    """Who decides on which record, on which revision they have read (None: they did not say)."""

    principal: Principal
    id: UUID
    revision: int | None = None


def adopt_programme(
    book: Yearbook, principal: Principal, year: int, read: int | None, adopting: Adopting
) -> Decided[Programme]:
    """Adopt a year's programme, or revise it."""
    authorize(principal, "manage_yearbook")
    before = book.programmes.get(programme_id(year))
    if read is not None:
        at_revision(before.revision if before else 0, read)
    decided = targets.adopt_programme(before, year, adopting)
    facts = {"revision": decided.state.revision, "targets": len(adopting.targets), "year": year}
    _record(book.programmes, decided.state.id, decided, "adopt_programme", principal, facts)
    return decided


def open_campaign(
    book: Yearbook, principal: Principal, year: int, quarter: int, dates: Dates, at: dt.datetime
) -> Decided[Campaign]:
    """Open the campaign of a quarter."""
    authorize(principal, "manage_yearbook")
    identifier = campaign_id(year, quarter)
    decided = campaigns.open_campaign(book.campaigns.get(identifier), identifier, year, quarter, dates, at)
    _record(book.campaigns, identifier, decided, "open_campaign", principal, _dated(decided.state))
    return decided


def move_campaign(book: Yearbook, on: On, dates: Dates, why: Why) -> Decided[Campaign]:
    """Give a campaign other dates."""
    authorize(on.principal, "manage_yearbook")
    decided = campaigns.move_campaign(_read(book.campaigns, on), dates, why)
    _record(book.campaigns, on.id, decided, "move_campaign", on.principal, _dated(decided.state))
    return decided


def extend_campaign(book: Yearbook, on: On, opco: str | None, deadline: dt.date, why: Why) -> Decided[Campaign]:
    """Give one OPCO, or all, more time."""
    authorize(on.principal, "manage_yearbook")
    decided = campaigns.extend_campaign(_read(book.campaigns, on), opco, deadline, why)
    facts = {**_dated(decided.state), "opco": opco, "until": deadline.isoformat()}
    _record(book.campaigns, on.id, decided, "extend_campaign", on.principal, facts)
    return decided


def record_conference(
    book: Yearbook, principal: Principal, held_on: dt.date, recording: Recording
) -> Decided[Conference]:
    """Put a conference on record."""
    authorize(principal, "manage_yearbook")
    taken = book.conferences.get(conferences.conference_id(held_on))
    decided = conferences.record_conference(taken, held_on, recording)
    _record(book.conferences, decided.state.id, decided, "record_conference", principal, _recorded(decided.state))
    return decided


def correct_conference(book: Yearbook, on: On, recording: Recording) -> Decided[Conference]:
    """Put something else on record of a conference."""
    authorize(on.principal, "manage_yearbook")
    decided = conferences.correct_conference(_read(book.conferences, on), recording)
    _record(book.conferences, on.id, decided, "correct_conference", on.principal, _recorded(decided.state))
    return decided


def linked(book: Yearbook) -> Mapping[UUID, int]:
    """Return the revision of every campaign and programme that was opened: what a decision of a conference may name."""
    return {key: one.revision for one_set in (book.campaigns, book.programmes) for key, one in one_set.states().items()}


def declare_projects(
    book: Yearbook, principal: Principal, year: int, figure: Figure, at: dt.datetime
) -> Decided[Declaration]:
    """Declare how many projects the OPCO has for a year."""
    opco = principal.organisation
    authorize(principal, "declare_projects", opco)
    before = book.declarations.get(declaration_id(opco, year))
    decided = declarations.declare_projects(before, opco, year, figure, at)
    facts = {"revision": decided.state.revision, "year": year, "number": figure.number, "source": figure.source.value}
    _record(book.declarations, decided.state.id, decided, "declare_projects", principal, facts)
    return decided


def deliver_estimates(
    book: Yearbook,
    principal: Principal,
    year: int,
    estimates: tuple[Estimate, ...],
    at: dt.datetime,
    rome: frozenset[str],
) -> Decided[Delivery]:
    """Tell what the OPCO expects for the months to come of a year."""
    opco = principal.organisation
    authorize(principal, "declare_projects", opco)
    before = book.deliveries.get(delivery_id(opco, year, month_of(at)))
    decided = deliveries.deliver_estimates(before, opco, year, estimates, at, rome)
    facts = {"revision": decided.state.revision, "year": year, "estimates": len(estimates)}
    _record(book.deliveries, decided.state.id, decided, "deliver_estimates", principal, facts)
    return decided


def _read(records: WorkingSet[S], on: On) -> S:
    """Return the record that a decision is on, at the revision that was read."""
    state = existing(records.get(on.id))
    if on.revision is not None:
        at_revision(_revision(state), on.revision)
    return state


def _revision(state: object) -> int:
    assert isinstance(state, Campaign | Conference)
    return state.revision


def _record(
    records: WorkingSet[S], identifier: UUID, decided: Decided[S], action: str, principal: Principal, facts: Facts
) -> None:
    """Put the new state into its set with its one audit entry."""
    status = STATUSES[action]
    before = status if records.get(identifier) is not None else None
    told = dict(facts)
    if decided.warnings:
        told["acknowledged"] = ",".join(warning.code for warning in decided.warnings)
    records.put(identifier, decided.state, Change(action, principal.id, before, status, decided.events, told))


def _dated(campaign: Campaign) -> Facts:
    return {
        "revision": campaign.revision,
        "year": campaign.year,
        "quarter": campaign.quarter,
        "opens_on": campaign.opens_on.isoformat(),
        "deadline": campaign.deadline.isoformat(),
    }


def _recorded(conference: Conference) -> Facts:
    now = conference.now
    return {"revision": conference.revision, "agenda": len(now.agenda), "decisions": len(now.decisions)}


STATUSES: Mapping[str, str] = {step.command: step.status for step in yearbook.TABLE}
"""The status in which a command leaves its record, by the lifecycle."""
