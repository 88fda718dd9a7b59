"""First: the delivery tables every service has, and the fiches."""

from alembic import op

from shared.messaging.schema import delivery_v1, tenant_table_v1

revision = "0001"
down_revision = None

_FICHE = """
CREATE TABLE fiche (
  id uuid PRIMARY KEY,
  version int NOT NULL,
  sequence bigint NOT NULL,
  audit_hash text NOT NULL,
  opco text NOT NULL,
  reference text NOT NULL,
  status text NOT NULL CHECK (status IN ('submitted', 'to_complete', 'to_adapt', 'avis_lapsed', 'validated', 'confirmed',
    'refused', 'withdrawn', 'cancelled')),
  revision int NOT NULL CHECK (revision >= 1),
  title text NOT NULL,
  first_start date NOT NULL,
  submitted_at timestamptz NOT NULL,
  validation_reference text,
  document jsonb NOT NULL,
  UNIQUE (opco, reference),
  CHECK (status NOT IN ('validated', 'confirmed') OR validation_reference IS NOT NULL)
)
"""


def upgrade() -> None:
    """Make the tables, their grants and their row-level security."""
    delivery_v1(op, "submission")
    op.execute(_FICHE)
    op.execute("CREATE INDEX fiche_newest ON fiche (submitted_at, id)")
    op.execute("CREATE INDEX fiche_by_status ON fiche (status, submitted_at, id)")
    op.execute("CREATE INDEX fiche_by_opco ON fiche (opco, submitted_at, id)")
    op.execute("CREATE INDEX fiche_by_start ON fiche (first_start)")
    tenant_table_v1(op, "submission", "fiche")
