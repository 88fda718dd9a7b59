"""From what is on record for a year to what is answered over HTTP: one function per body."""

import datetime as dt

from services.submission.domain.campaigns import Campaign, Dated
from services.submission.domain.conferences import Conference, Minutes, Resolution
from services.submission.domain.dates import civil_date
from services.submission.domain.declarations import Declaration, Declared
from services.submission.domain.deliveries import Delivered, Delivery, Estimate
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
    RevisionOut,
    StandingOut,
    TargetOut,
)
from services.submission.yearbook_figures_store import Reconciled, Standing
from services.submission.yearbook_history_store import Told
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
        warnings=warnings_out(warnings),
    )


def conference_out(conference: Conference, warnings: tuple[Objection, ...] = ()) -> ConferenceOut:
    """Return a conference as it is read."""
    now = minutes_out(conference.now)
    return ConferenceOut(
        conference_id=conference.id,
        held_on=conference.held_on,
        revision=conference.revision,
        agenda=now.agenda,
        decisions=now.decisions,
        warnings=warnings_out(warnings),
    )


def minutes_out(minutes: Minutes) -> MinutesOut:
    """Return one version of the record of a conference."""
    decisions = tuple(ResolutionOut(**vars(decision)) for decision in minutes.decisions)
    return MinutesOut(**{**vars(minutes), "decisions": decisions})


def resolutions(given: tuple[ResolutionIn, ...]) -> tuple[Resolution, ...]:
    """Return the decisions of a body as the domain has them."""
    return tuple(Resolution(one.text, one.decides, one.revision) for one in given)


def dated_out(dated: Dated) -> DatedOut:
    """Return one decision on the dates of a campaign."""
    return DatedOut(**vars(dated))


def programme_out(programme: Programme, warnings: tuple[Objection, ...] = ()) -> ProgrammeOut:
    """Return a programme as it holds now."""
    now = adopted_out(programme.now)
    return ProgrammeOut(**dict(now), programme_id=programme.id, year=programme.year, warnings=warnings_out(warnings))


def adopted_out(adopted: Adopted) -> AdoptedOut:
    """Return one revision of a programme whole."""
    return AdoptedOut(**{**vars(adopted), "targets": tuple(map(_target, adopted.targets))})


def revision_out(adopted: Adopted) -> RevisionOut:
    """Return one revision of a programme without its targets."""
    return RevisionOut(**{**vars(adopted), "targets": len(adopted.targets)})


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
        known=KnownOut(
            filed=line.filed, validated=line.validated, confirmed=line.confirmed, not_pursued=line.not_pursued
        ),
        intended=line.intended,
        estimated=EstimatedOut(number=line.estimated or 0, told_on=told, words=known_on(told)) if told else None,
    )


def delivery_out(delivery: Delivery) -> DeliveryOut:
    """Return a delivery as it is read."""
    return DeliveryOut(
        delivery_id=delivery.id,
        opco=delivery.opco,
        year=delivery.year,
        month=delivery.month,
        revision=delivery.revision,
        estimates=tuple(map(_estimate, delivery.now.estimates)),
    )


def delivered_out(told: Told[Delivered]) -> DeliveredOut:
    """Return what an OPCO delivered once."""
    said = told.said
    return DeliveredOut(
        opco=told.opco,
        month=told.month or "",
        revision=said.revision,
        delivered_at=said.delivered_at,
        estimates=tuple(map(_estimate, said.estimates)),
    )


def _estimate(estimate: Estimate) -> EstimateIn:
    return EstimateIn(**vars(estimate))


def declaration_out(declaration: Declaration) -> DeclarationOut:
    """Return a declaration as it is read."""
    return DeclarationOut(
        declaration_id=declaration.id,
        opco=declaration.opco,
        year=declaration.year,
        revision=declaration.revision,
        **vars(declaration.now.figure),
    )


def declared_out(told: Told[Declared]) -> DeclaredOut:
    """Return what an OPCO declared once."""
    said = told.said
    return DeclaredOut(opco=told.opco, revision=said.revision, declared_at=said.declared_at, **vars(said.figure))


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
        not_pursued=line.not_pursued,
        intended=line.intended,
        declaration=declaration_out(line.declaration) if line.declaration else None,
    )
