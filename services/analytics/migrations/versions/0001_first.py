"""First: the delivery tables every service has, the facts of fiches, and the running counts."""

from alembic import op

from shared.messaging.schema import delivery_v1, tenant_table_v1

revision = "0001"
down_revision = None

_TABLES = (
    "CREATE TABLE fiche_fact (id uuid PRIMARY KEY, opco text NOT NULL, document jsonb NOT NULL)",
    "ALTER TABLE fiche_fact SET (fillfactor = 80)",
    """
    CREATE TABLE running_count (
      measure text NOT NULL,
      opco text NOT NULL,
      month text NOT NULL CHECK (month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
      value bigint NOT NULL,
      PRIMARY KEY (measure, opco, month)
    )
    """,
    "ALTER TABLE running_count SET (fillfactor = 70)",
    "CREATE TABLE counted (one boolean PRIMARY KEY DEFAULT true CHECK (one), at timestamptz NOT NULL)",
)


def upgrade() -> None:
    """Make the tables and their grants; the facts have row-level security, the counts are everybody's (README)."""
    delivery_v1(op, "analytics")
    for statement in _TABLES:
        op.execute(statement)
    tenant_table_v1(op, "analytics", "fiche_fact")
    op.execute("GRANT SELECT, INSERT, UPDATE ON running_count, counted TO analytics")
