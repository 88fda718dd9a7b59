"""No row bears a name that stands for a process, a topic or a migration in the trail, however it is written."""

from collections.abc import Mapping

import asyncpg
import pytest

from shared.contracts.flow import SERVICES
from shared.principals import RESERVED, RESERVED_BEGINNINGS
from tests.access.entrance import Entrance

NAMES = (*RESERVED, *(f"{beginning}x" for beginning in RESERVED_BEGINNINGS))
_ROW = (
    "INSERT INTO principal (id, kind, organisation, roles, state, version, audit_hash, changed_at)"
    " VALUES ($1, 'machine', 'akto', '[\"opco\"]', 'active', 1, '', now())"
)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("role", ["", "_owner"])
async def test_the_table_itself_refuses_names_that_are_taken_by_others(
    entrances: Mapping[str, Entrance], service: str, role: str
) -> None:
    connection = await asyncpg.connect(entrances[service].urls[f"{service}{role}"])
    try:
        await connection.execute(f"SET poec.principal = '{service}:api'; SET poec.tenant = '*'")
        for name in NAMES:
            with pytest.raises(asyncpg.CheckViolationError, match="principal_id_not_reserved"):
                await connection.execute(_ROW, name)
        planted = connection.transaction()
        await planted.start()
        for name in ("migrations", "topics", f"{service}-x", "x:topic:akto", *SERVICES):  # they only look like such names
            assert await connection.execute(_ROW, name) == "INSERT 0 1"
        await planted.rollback()
    finally:
        await connection.close()
