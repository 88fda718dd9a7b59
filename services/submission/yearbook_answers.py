"""From what is on record for a year to what is answered over HTTP: one function per body."""

import datetime as dt

from services.submission.domain.campaigns import Campaign
from services.submission.domain.conferences import Conference, Minutes, Resolution
from services.submission.domain.dates import civil_date
from services.submission.domain.declarations import Declaration, Declared
from services.submission.domain.deliveries import Delivery, Estimate
from services.submission.domain.targets import Adopted, Programme
from services.submission.domain.yearbook import said
from services.submission.yearbook_bodies import (
    AdoptedOut,
    CampaignOut,
    ComparisonOut,
    ConferenceOut,
    DatedOut,
    DeclarationOut,
    DeclaredOut,
    DeliveredOut,
    DeliveryOut,
    EstimatedOut,
    EstimateIn,
    KnownOut,
    MinutesOut,
    ProgrammeOut,
    ReconciledOut,
    ReconciliationOut,
    ResolutionIn,
    ResolutionOut,
    StandingOut,
    TargetOut,
)
from services.submission.yearbook_store import Reconciled, Standing
from shared.contracts.campaigns import Target
from shared.contracts.ingress import ObjectionOut
from shared.contracts.references import OPCOS
from shared.errors import Objection


def warnings_out(warnings: tuple[Objection, ...]) -> tuple[ObjectionOut, ...]:
    """Return the warnings that stand acknowledged."""
    return tuple(ObjectionOut(code=w.code, field=w.field, message=w.message, source=w.source) for w in warnings)


def campaign_out(campaign: Campaign, warnings: tuple[Objection, ...] = ()) -> CampaignOut:
    """Return a campaign as it is read."""
    return CampaignOut(
        campaign_id=campaign.id,
        year=campaign.year,
        quarter=campaign.quarter,
        revision=campaign.revision,
        opens_on=campaign.opens_on,
        deadline=campaign.deadline,
        extensions=dict(campaign.extensions),
        history=tuple(DatedOut(**vars(dated)) for dated in campaign.history),
        warnings=warnings_out(warnings),
    )


def conference_out(conference: Conference, warnings: tuple[Objection, ...] = ()) -> ConferenceOut:
    """Return a conference as it is read."""
    history = tuple(map(_minutes, conference.history))
    return ConferenceOut(
        conference_id=conference.id,
        held_on=conference.held_on,
        revision=conference.revision,
        agenda=history[-1].agenda,
        decisions=history[-1].decisions,
        history=history,
        warnings=warnings_out(warnings),
    )


def _minutes(minutes: Minutes) -> MinutesOut:
    decisions = tuple(ResolutionOut(**vars(decision)) for decision in minutes.decisions)
    return MinutesOut(**{**vars(minutes), "decisions": decisions})


def resolutions(given: tuple[ResolutionIn, ...]) -> tuple[Resolution, ...]:
    """Return the decisions of a body as the domain has them."""
    return tuple(Resolution(one.text, one.decides, one.revision) for one in given)


def programme_out(programme: Programme, warnings: tuple[Objection, ...] = ()) -> ProgrammeOut:
    """Return a programme with all its revisions."""
    return ProgrammeOut(
        programme_id=programme.id,
        year=programme.year,
        revision=programme.revision,
        revisions=tuple(map(_adopted, programme.revisions)),
        warnings=warnings_out(warnings),
    )


def _adopted(adopted: Adopted) -> AdoptedOut:
    return AdoptedOut(**{**vars(adopted), "targets": tuple(map(_target, adopted.targets))})


def _target(target: Target) -> TargetOut:
    return TargetOut(**target.model_dump(), approximate=target.words is not None)


def known_on(at: dt.date) -> str:
    """Return as of when a figure is known, in words: no figure of a year that is not over stands without it (rule 16)."""
    return f"connu au {said(at)}"


def comparison_out(year: int, at: dt.datetime, programme: Programme | None, lines: list[Standing]) -> ComparisonOut:
    """Return a programme beside what is known of it."""
    return ComparisonOut(
        year=year,
        as_of=at,
        known_on=known_on(civil_date(at)),
        revision=programme.revision if programme else None,
        adopted_on=programme.now.adopted_on if programme else None,
        lines=tuple(map(_standing, lines)),
    )


def _standing(line: Standing) -> StandingOut:
    target = line.target is not None
    told = civil_date(line.estimated_at) if line.estimated_at else None
    return StandingOut(
        opco=line.opco,
        opco_label=OPCOS[line.opco],
        rome=line.rome,
        target=_target(Target(opco=line.opco, rome=line.rome, number=line.target or 0, words=line.words))
        if target
        else None,
        known=KnownOut(filed=line.filed, validated=line.validated, confirmed=line.confirmed, closed=line.closed),
        intended=line.intended,
        estimated=EstimatedOut(number=line.estimated or 0, told_on=told, words=known_on(told)) if told else None,
    )


def delivery_out(delivery: Delivery) -> DeliveryOut:
    """Return a delivery as it is read."""
    history = tuple(
        DeliveredOut(
            revision=one.revision, delivered_at=one.delivered_at, estimates=tuple(map(_estimate, one.estimates))
        )
        for one in delivery.history
    )
    return DeliveryOut(
        delivery_id=delivery.id,
        opco=delivery.opco,
        year=delivery.year,
        month=delivery.month,
        revision=delivery.revision,
        estimates=history[-1].estimates,
        history=history,
    )


def _estimate(estimate: Estimate) -> EstimateIn:
    return EstimateIn(**vars(estimate))


def declaration_out(declaration: Declaration) -> DeclarationOut:
    """Return a declaration as it is read."""
    history = tuple(map(_declared, declaration.history))
    return DeclarationOut(
        declaration_id=declaration.id,
        opco=declaration.opco,
        year=declaration.year,
        revision=declaration.revision,
        as_of=history[-1].as_of,
        number=history[-1].number,
        source=history[-1].source,
        history=history,
    )


def _declared(declared: Declared) -> DeclaredOut:
    return DeclaredOut(revision=declared.revision, declared_at=declared.declared_at, **vars(declared.figure))


def reconciliation_out(year: int, at: dt.datetime, lines: list[Reconciled]) -> ReconciliationOut:
    """Return declared and received of a year."""
    told = [line for line in lines if line.declaration is not None]
    return ReconciliationOut(
        year=year,
        as_of=at,
        known_on=known_on(civil_date(at)),
        declared=sum(line.declaration.now.figure.number for line in told if line.declaration),
        received=sum(line.received for line in lines),
        gap=sum(line.gap or 0 for line in told),
        undeclared=sum(line.received for line in lines if line.declaration is None),
        lines=tuple(map(_reconciled, lines)),
    )


def _reconciled(line: Reconciled) -> ReconciledOut:
    return ReconciledOut(
        opco=line.opco,
        opco_label=OPCOS[line.opco],
        declared=line.declaration.now.figure.number if line.declaration else None,
        received=line.received,
        gap=line.gap,
        closed=line.closed,
        intended=line.intended,
        declaration=declaration_out(line.declaration) if line.declaration else None,
    )
