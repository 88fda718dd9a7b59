"""HTTP in: what would be said of a fiche if it were filed now. Nothing is written, so that no key is asked for."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from services.submission.bodies import objections_out
from services.submission.check_cases import Checked, Wanted, check_fiche
from services.submission.check_store import Alike
from services.submission.domain.case import Given
from services.submission.domain.decisions import REFERENCE_LENGTH
from services.submission.domain.fiche import LABELS, Status
from shared.contracts.fiche import FicheContent, OutsideCampaign, Value
from shared.contracts.ingress import ObjectionOut
from shared.contracts.text import CODE
from shared.http import answers, by_rights_of_now, door, ok, signed_in, takes_body
from shared.identity import Principal
from shared.parsing import parse_json
from shared.policy import authorize

router = APIRouter(prefix="/fiches", tags=["fiches"])


class CheckIn(Value):
    """A content to look at: as a new fiche under `reference`, or in place of what the fiche `fiche_id` has."""

    content: FicheContent
    reference: Annotated[str, Field(min_length=1, max_length=REFERENCE_LENGTH), CODE] | None = None
    fiche_id: UUID | None = None
    outside_campaign: OutsideCampaign | None = None


class AlikeOut(Value):
    """A fiche that the content resembles: same training, same commune, first days at most 30 days apart."""

    fiche_id: UUID
    reference: str
    title: str
    status: Status
    status_label: str
    first_start: dt.date
    last_end: dt.date


class CheckedOut(Value):
    """What filing would say: it refuses where there are objections, and waits for `warnings` to be acknowledged; advice does neither."""

    admissible: bool
    objections: tuple[ObjectionOut, ...]
    warnings: tuple[ObjectionOut, ...]
    advice: tuple[ObjectionOut, ...]
    alike: tuple[AlikeOut, ...]


@router.post("/check", responses=answers(CheckedOut), openapi_extra=takes_body(CheckIn))
async def post_check(request: Request) -> Response:
    """Say what filing this content would say, and which of one's fiches are alike (OPCO)."""
    asker = await signed_in(request)
    authorize(asker, "check_fiche")
    async with door(request).intake.body(request) as raw:
        body = parse_json(raw, CheckIn)
    wanted = Wanted(body.content, body.reference, body.fiche_id, body.outside_campaign)
    given: Given = request.app.state.settings.given()

    async def once(by: Principal) -> Checked:
        return await check_fiche(door(request).database, by, wanted, given)

    return ok(_checked_out(await by_rights_of_now(request, asker, once)))


def _checked_out(checked: Checked) -> CheckedOut:
    findings = checked.findings
    return CheckedOut(
        admissible=not findings.objections,
        objections=objections_out(findings.objections),
        warnings=objections_out(findings.warnings),
        advice=objections_out(findings.advice),
        alike=tuple(_alike_out(one) for one in checked.alike),
    )


def _alike_out(alike: Alike) -> AlikeOut:
    return AlikeOut(**alike.__dict__, status_label=LABELS[alike.status])
