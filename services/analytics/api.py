"""HTTP in: the counts, the bilan of a year, and the recount. Everything is read; nothing is typed in."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel

from services.analytics import use_cases as story
from services.analytics.domain.bilan import Bilan, Line
from services.analytics.domain.counts import AsOf
from services.analytics.domain.measures import Measure
from services.analytics.domain.small_cells import RULE
from services.analytics.domain.years import Campaign
from shared.contracts.opco_names import Opco
from shared.contracts.references import OPCOS, PlacementMoment
from shared.errors import InvalidInput, Objection
from shared.http import answers, database, ok, signed_in

router = APIRouter(tags=["analytics"])
Year = Annotated[int, Path(ge=2018, le=2100)]


class AsOfOut(BaseModel):
    """Up to where a figure goes: business time of the last batch counted (None: nothing yet), records consumed by topic."""

    at: dt.datetime | None
    consumed: dict[str, int]


class CountOut(BaseModel):
    """One sum: of which measure, of which OPCO, month (YYYY-MM), quarter (YYYY-Tn) or year."""

    measure: Measure
    key: str
    value: int


class CountsOut(BaseModel):
    """Sums of a year; a sum that is zero is left out.

    Of what became of people, sums below 10 are left out with those that would lead back to them, and all by quarter or month.
    """

    year: int
    by: str
    as_of: AsOfOut
    counts: list[CountOut]


class IndicatorOut(BaseModel):
    """One figure: value (None where it cannot be computed), unit, numerator and denominator, rule (French), source, as of when."""

    code: str
    label: str
    value: int | float | None
    unit: str
    numerator: int | None
    denominator: int | None
    rule: str
    source: str
    as_of: dt.datetime | None


class LineOut(BaseModel):
    """One line of a table: hours are of one trainee, money is in euro cents."""

    key: str
    label: str
    validated: int
    engaged: int
    ais: int
    ais_cancelled: int
    aes: int
    seats: int
    hours: int
    committed_cents: int


class ShareOut(BaseModel):
    """A part of a whole."""

    code: str
    label: str
    count: int
    share: float | None


class MeantOut(BaseModel):
    """Intentions announced and not filed, and their seats: never part of any other figure."""

    key: str
    label: str
    intended: int
    intended_seats: int


class OutcomeOut(BaseModel):
    """What became of people who finished, at one moment, as their OPCO returned it.

    Cells below 10 are not shown (None), nor those that would lead back to them.
    """

    key: str
    label: str
    moment: PlacementMoment
    finishing: int | None
    placed: int | None
    rate: float | None


class CampaignOut(BaseModel):
    """The campaign of a quarter: first and last day to file; `extensions`: the last days of OPCOs that got more time."""

    quarter: int
    opens_on: dt.date
    deadline: dt.date
    extensions: dict[str, dt.date]


class BilanOut(BaseModel):
    """The bilan of a year, computed from the counts as of a moment.

    `not_engaged` parts what was validated for the year and has no session engaged in it; `avis` parts the last avis of its fiches.
    `placements_rule` says in French which of the `placements` are hidden and why.
    """

    year: int
    as_of: AsOfOut
    source: str
    indicators: list[IndicatorOut]
    by_opco: list[LineOut]
    by_quarter: list[LineOut]
    by_month: list[LineOut]
    total: LineOut
    not_engaged: list[ShareOut]
    avis: list[ShareOut]
    intended_by_opco: list[MeantOut]
    intended_by_quarter: list[MeantOut]
    placements: list[OutcomeOut]
    placements_rule: str
    campaigns: list[CampaignOut]


class DifferenceOut(BaseModel):
    """A bucket in which the running count is not what the facts add up to."""

    measure: str
    opco: str
    month: str
    running: int
    recounted: int


class RecountOut(BaseModel):
    """The counts made again from the facts of so many fiches: equal, or where they differ."""

    equal: bool
    fiches: int
    as_of: AsOfOut
    differences: list[DifferenceOut]


SOURCE = "Comptes courants, calculés à partir des événements des OPCO, de la Région, de Pôle emploi et du Carif-Oref."


@router.get("/counts", responses=answers(CountsOut))
async def get_counts(
    request: Request,
    year: Annotated[int, Query(ge=2018, le=2100)],
    by: story.By = "year",
    measure: Annotated[list[Measure] | None, Query()] = None,
    opco: Opco | None = None,
) -> Response:
    """Return the counts of a year, all measures or those named, for all OPCOs or one."""
    principal = await signed_in(request)
    if opco is not None and opco not in OPCOS:
        raise InvalidInput(
            Objection("OPCO_UNKNOWN", "Indiquez un des onze OPCO par son nom ou son identifiant.", field="opco")
        )
    as_of, rows = await story.counted(database(request), principal, year, by, measure or list(Measure), opco)
    counts = [CountOut(measure=Measure(name), key=key, value=value) for name, key, value in rows]
    return ok(CountsOut(year=year, by=by, as_of=_as_of(as_of), counts=counts))


@router.get("/bilan/{year}", responses=answers(BilanOut))
async def get_bilan(request: Request, year: Year) -> Response:
    """Return the bilan of a year."""
    as_of, made, campaigns = await story.bilan_of(database(request), await signed_in(request), year)
    return ok(_bilan(made, as_of, campaigns))


@router.get("/recount", responses=answers(RecountOut))
async def get_recount(request: Request) -> Response:
    """Count everything again from the facts and say where the running counts differ."""
    as_of, fiches, found = await story.recounted(database(request), await signed_in(request))
    rows = [DifferenceOut(**vars(difference)) for difference in found]
    return ok(RecountOut(equal=not rows, fiches=fiches, as_of=_as_of(as_of), differences=rows))


def _as_of(as_of: AsOf) -> AsOfOut:
    return AsOfOut(at=as_of.at, consumed=dict(as_of.consumed))


def _bilan(made: Bilan, as_of: AsOf, campaigns: list[Campaign]) -> BilanOut:
    return BilanOut(
        year=made.year,
        as_of=_as_of(as_of),
        source=SOURCE,
        indicators=[IndicatorOut(**vars(indicator), as_of=as_of.at) for indicator in made.indicators],
        by_opco=[_line(line) for line in made.by_opco],
        by_quarter=[_line(line) for line in made.by_quarter],
        by_month=[_line(line) for line in made.by_month],
        total=_line(made.total),
        not_engaged=[ShareOut(**vars(share)) for share in made.not_engaged],
        avis=[ShareOut(**vars(share)) for share in made.avis],
        intended_by_opco=[MeantOut(**vars(meant)) for meant in made.intended_by_opco],
        intended_by_quarter=[MeantOut(**vars(meant)) for meant in made.intended_by_quarter],
        placements=[OutcomeOut(**vars(outcome)) for outcome in made.placements],
        placements_rule=RULE,
        campaigns=[CampaignOut(**vars(campaign)) for campaign in campaigns],
    )


def _line(line: Line) -> LineOut:
    return LineOut(key=line.key, label=line.label, **{measure.value: count for measure, count in line.counts.items()})
