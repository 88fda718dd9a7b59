"""Refusals as RFC 9457 problems: all objections at once, and nothing of what was sent."""

from fastapi import Response
from pydantic import BaseModel

from shared.errors import Objection, Refused
from shared.metrics import OBJECTIONS

MEDIA_TYPE = "application/problem+json"


class ProblemObjection(BaseModel):
    """One objection: stable code, field, what to do, source of the rule, figures compared."""

    code: str
    field: str | None = None
    message: str
    source: str | None = None
    facts: dict[str, str | int | bool | None] = {}


class Problem(BaseModel):
    """RFC 9457, with all objections and warnings at once."""

    type: str
    title: str
    status: int
    code: str
    objections: list[ProblemObjection] = []
    warnings: list[ProblemObjection] = []


def problem(refused: Refused) -> Response:
    """Return a refusal as RFC 9457; counts each objection's code."""
    for objection in (*refused.objections, *refused.warnings):
        OBJECTIONS.labels(objection.code).inc()
    body = Problem(
        type=f"urn:poec:problem:{refused.code}",
        title=refused.title,
        status=refused.status,
        code=refused.code,
        objections=[_shown(o) for o in refused.objections],
        warnings=[_shown(o) for o in refused.warnings],
    )
    headers = dict(refused.headers)
    if refused.status in (429, 503):
        headers.setdefault("Retry-After", "2")
    if refused.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="poec"'
    return Response(body.model_dump_json(exclude_none=True), refused.status, headers, MEDIA_TYPE)


def defect_problem() -> Response:
    """Return the answer to what is our own mistake: it tells nothing."""
    body = Problem(type="urn:poec:problem:defect", title="Erreur interne", status=500, code="defect")
    return Response(body.model_dump_json(exclude_none=True), 500, media_type=MEDIA_TYPE)


def _shown(objection: Objection) -> ProblemObjection:
    return ProblemObjection(
        code=objection.code,
        field=objection.field,
        message=objection.message,
        source=objection.source,
        facts=dict(objection.facts),
    )
