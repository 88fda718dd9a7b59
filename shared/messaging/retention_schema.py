"""What retention needs of the database: a table of what was removed, the right to remove it, and rows that say so.

Frozen: a later change is a new function (`retention_v2`) called by a new migration.
"""

from typing import Final

from shared.messaging.schema import Operations

_REMOVAL: Final = """
CREATE TABLE removal (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  what text NOT NULL,
  before timestamptz NOT NULL,
  rows bigint NOT NULL CHECK (rows > 0),
  at timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""
_MINE: Final = "current_setting('poec.principal', true) = '{service}:retention'"


def retention_v1(op: Operations, service: str) -> None:
    """Let the principal `<service>:retention` remove answers that are out of their window and empty settled dead letters."""
    op.execute(_REMOVAL)
    op.execute(f"GRANT SELECT, INSERT ON removal TO {service}")
    op.execute("ALTER TABLE dead_letter ADD COLUMN emptied_at timestamptz")
    op.execute(f"GRANT DELETE ON idempotency TO {service}")
    mine = _MINE.format(service=service)
    for command in ("SELECT", "DELETE"):
        op.execute(
            f"CREATE POLICY retention_{command.lower()} ON idempotency FOR {command} TO {service} USING ({mine})"
        )
