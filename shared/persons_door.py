"""The door to what is held of one person's own account: to show it to them, and to erase it; for administrators alone."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel

from shared.http import answers, by_rights_of_now, database, door, ok, signed_in
from shared.identity import SLUG, Principal, service_principal
from shared.logs import log
from shared.persons import PAGE, erase, held_of
from shared.policy import authorize

Pseudonym = Annotated[str, Path(pattern=SLUG)]
router = APIRouter(prefix="/principals", tags=["principals"])
_LOG = log("persons")


class PersonOut(BaseModel):
    """All that is held under a pseudonym: its row, what hangs on it by name, a page of its trail; `next` continues it."""

    row: dict[str, Any]
    held: dict[str, list[dict[str, Any]]]
    trail: list[dict[str, Any]]
    next_aggregate: str | None = None
    next_n: int | None = None


class ErasedOut(BaseModel):
    """`erased`, or `unchanged` where it was before."""

    outcome: Literal["erased", "unchanged"]


@router.get("/{pseudonym}/person", responses=answers(PersonOut))
async def get_person(
    request: Request,
    pseudonym: Pseudonym,
    after_aggregate: Annotated[str, Query(max_length=200)] = "",
    after_n: Annotated[int, Query(ge=0, le=2_147_483_647)] = 0,
) -> Response:
    """Show everything that is held of a person's own account (administrator); the trail 1,000 entries at a time."""
    asker = await signed_in(request)
    authorize(asker, "export_person")
    found = await held_of(database(request), pseudonym, (after_aggregate, after_n))
    _LOG.info("person_exported", principal=pseudonym, by=asker.id)
    last = found["trail"][-1] if len(found["trail"]) == PAGE else {}
    return ok(PersonOut(**found, next_aggregate=last.get("aggregate"), next_n=last.get("n")))


@router.delete("/{pseudonym}/person", responses=answers(ErasedOut))
async def delete_person(request: Request, pseudonym: Pseudonym) -> Response:
    """Erase what ties a pseudonym to a person, and disable it (administrator); what was decided stays. Idempotent by nature."""
    where = door(request)

    async def once(by: Principal) -> Literal["erased", "unchanged"]:
        authorize(by, "erase_person")
        async with where.database.unit(service_principal(where.database.service, "api"), asker=by) as unit:
            outcome = await erase(unit, pseudonym, by.id)
            await unit.flush()
        return outcome

    outcome = await by_rights_of_now(request, await signed_in(request), once)
    await where.who.again(request)
    return ok(ErasedOut(outcome=outcome))
