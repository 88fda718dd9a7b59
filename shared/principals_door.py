"""The door through which the table of principals is read and kept: by administrators alone, one list at a time, audited."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from shared.http import answers, by_rights_of_now, database, door, ok, signed_in, takes_body
from shared.identity import SLUG, Principal, service_principal
from shared.parsing import parse_json
from shared.policy import authorize
from shared.principals import Outcome, Registration, State, register, registrations

Slug = Annotated[str, Field(pattern=SLUG)]
Mailbox = Annotated[str, Field(max_length=254, pattern=r"^[^@\s\x00-\x1f]{1,64}@[a-z0-9.-]{1,189}$")]
router = APIRouter(prefix="/principals", tags=["principals"])


class PrincipalIn(BaseModel):
    """What the row of a principal shall say; `login` is the mailbox by which a person signs in for the first time."""

    id: Slug
    kind: Literal["person", "machine"]
    organisation: Slug
    roles: Annotated[list[Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]], Field(max_length=10)]
    state: State = "active"
    login: Mailbox | None = None


class PrincipalsIn(BaseModel):
    """Rows to make or to change; those not named stay as they are."""

    principals: Annotated[list[PrincipalIn], Field(min_length=1, max_length=200)]


class PrincipalOut(BaseModel):
    """A row, without who is behind it: `signs_in` says whether a sign-in is mapped to it."""

    id: str
    kind: str
    organisation: str
    roles: list[str]
    state: str
    signs_in: bool
    changed_at: str


class PrincipalsOut(BaseModel):
    """Every principal of this service, in the order of their identifiers."""

    principals: list[PrincipalOut]


class RegisteredOut(BaseModel):
    """What became of each row: added, changed, or unchanged since it was as wanted."""

    outcomes: dict[str, Outcome]


@router.get("", responses=answers(PrincipalsOut))
async def get_principals(request: Request) -> Response:
    """List who is known here, with organisation, roles and state (administrator, operations)."""
    authorize(await signed_in(request), "read_principals")
    return ok(PrincipalsOut(principals=[_out(row) for row in await registrations(database(request))]))


@router.put("", responses=answers(RegisteredOut), openapi_extra=takes_body(PrincipalsIn))
async def put_principals(request: Request) -> Response:
    """Make or change rows, all or none, each with its entry in the trail (administrator); idempotent by nature."""
    asker = await signed_in(request)
    authorize(asker, "manage_principals")
    where = door(request)
    async with where.intake.body(request) as raw:
        wanted = [_registration(one) for one in parse_json(raw, PrincipalsIn).principals]

    async def once(by: Principal) -> dict[str, Outcome]:
        authorize(by, "manage_principals")
        async with where.database.unit(service_principal(where.database.service, "api"), asker=by) as unit:
            outcomes = await register(unit, wanted, by.id)
            await unit.flush()
        return outcomes

    outcomes = await by_rights_of_now(request, asker, once)
    await where.who.again(request)
    return ok(RegisteredOut(outcomes=outcomes))


def _registration(one: PrincipalIn) -> Registration:
    login = one.login.lower() if one.login else None
    return Registration(one.id, one.kind, one.organisation, tuple(dict.fromkeys(one.roles)), one.state, login)


def _out(row: dict[str, Any]) -> PrincipalOut:
    return PrincipalOut(**{**row, "changed_at": row["changed_at"].isoformat()})
