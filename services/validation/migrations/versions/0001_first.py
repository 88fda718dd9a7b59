"""First: the delivery tables every service has, and the dossiers."""

from alembic import op

from shared.messaging.schema import delivery_v1, tenant_table_v1

revision = "0001"
down_revision = None

_DOSSIER = """
CREATE TABLE dossier (
  id uuid PRIMARY KEY,
  version int NOT NULL,
  sequence bigint NOT NULL,
  audit_hash text NOT NULL,
  opco text NOT NULL,
  status text NOT NULL CHECK (status IN ('open', 'completion_asked', 'adaptation_proposed', 'avis_given', 'avis_lapsed',
    'validated', 'refused', 'closed')),
  revision int NOT NULL CHECK (revision >= 1),
  opened_at timestamptz NOT NULL,
  avis_due_on date NOT NULL,
  validation_reference text UNIQUE,
  document jsonb NOT NULL,
  CHECK (status <> 'validated' OR validation_reference IS NOT NULL)
)
"""


def upgrade() -> None:
    """Make the tables, their grants and their row-level security."""
    delivery_v1(op, "validation")
    op.execute(_DOSSIER)
    op.execute("CREATE INDEX dossier_line ON dossier (opened_at, id)")
    op.execute("CREATE INDEX dossier_by_status ON dossier (status, opened_at, id)")
    op.execute("CREATE INDEX dossier_by_opco ON dossier (opco, opened_at, id)")
    tenant_table_v1(op, "validation", "dossier")
