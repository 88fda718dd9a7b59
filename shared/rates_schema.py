"""The table of how much each caller may ask: one bucket per holder and kind.

Frozen: a later change is a new function called by a new migration.
"""

from typing import Final

from shared.messaging.schema import Operations

_TABLE: Final = """
CREATE TABLE rate_bucket (
  holder text NOT NULL CHECK (length(holder) <= 200),
  kind text NOT NULL CHECK (length(kind) <= 40),
  tokens double precision NOT NULL,
  granted double precision NOT NULL DEFAULT 0,
  at timestamptz NOT NULL DEFAULT statement_timestamp(),
  per_second double precision CHECK (per_second >= 0),
  burst double precision CHECK (burst >= 1),
  PRIMARY KEY (holder, kind)
) WITH (fillfactor = 50)
"""
"""`per_second` and `burst` are set where a holder's limit is not the default; `granted` is what the last process took."""
_OUTSIDE: Final = "coalesce(current_setting('poec.tenant', true), '') IN ('', '*')"


def rates_v1(op: Operations, service: str) -> None:
    """Create it. Requests are counted outside any unit of work; what is opened for one organisation sees no row."""
    op.execute(_TABLE)
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON rate_bucket TO {service}")
    op.execute("ALTER TABLE rate_bucket ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE rate_bucket FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY counted ON rate_bucket TO {service} USING ({_OUTSIDE}) WITH CHECK ({_OUTSIDE})")
    op.execute(f"CREATE POLICY owner ON rate_bucket TO {service}_owner USING (true) WITH CHECK (true)")
