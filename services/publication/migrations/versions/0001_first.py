"""Delivery tables, facts of fiches, sessions in the catalogue, AIS and AES; who may see and touch them."""

from alembic import op

from shared.messaging.schema import delivery_v1, tenant_table_v1

revision = "0001"
down_revision = None

_TABLES = (
    """
    CREATE TABLE fiche_facts (
      id uuid PRIMARY KEY,
      version int NOT NULL,
      sequence bigint NOT NULL,
      audit_hash text NOT NULL,
      opco text NOT NULL,
      standing text NOT NULL
        CHECK (standing IN ('submitted', 'validated', 'confirmed', 'to_renew', 'refused', 'withdrawn')),
      reference text,
      siret text,
      insee text,
      document jsonb NOT NULL
    )
    """,
    "CREATE INDEX fiche_facts_place ON fiche_facts (siret, insee)",
    """
    CREATE TABLE fiche_reference (
      reference text PRIMARY KEY,
      fiche_id uuid NOT NULL REFERENCES fiche_facts (id),
      opco text NOT NULL
    )
    """,
    """
    CREATE TABLE catalogue_session (
      id uuid PRIMARY KEY,
      version int NOT NULL,
      sequence bigint NOT NULL,
      audit_hash text NOT NULL,
      fiche_id uuid NOT NULL REFERENCES fiche_facts (id),
      opco text NOT NULL,
      number int NOT NULL,
      status text NOT NULL CHECK (status IN ('expected', 'published', 'full', 'suspended', 'removed')),
      start_on date NOT NULL,
      end_on date NOT NULL,
      seats int NOT NULL CHECK (seats > 0),
      ais int NOT NULL CHECK (ais >= 0),
      aes int NOT NULL CHECK (aes >= 0),
      document jsonb NOT NULL,
      UNIQUE (fiche_id, number)
    )
    """,
    """
    CREATE INDEX catalogue_session_listed ON catalogue_session (fiche_id, number)
      WHERE status IN ('published', 'full', 'suspended')
    """,
    """
    CREATE TABLE ais (
      ais_id uuid PRIMARY KEY,
      session_id uuid NOT NULL REFERENCES catalogue_session (id),
      opco text NOT NULL,
      state text NOT NULL CHECK (state IN ('recorded', 'cancelled')),
      recorded_on date NOT NULL,
      at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ais_session ON ais (session_id)",
    """
    CREATE TABLE aes (
      aes_id uuid PRIMARY KEY,
      session_id uuid NOT NULL REFERENCES catalogue_session (id),
      opco text NOT NULL,
      entered_on date NOT NULL,
      ais_id uuid,
      without_ais boolean NOT NULL,
      at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX aes_session ON aes (session_id)",
)


def upgrade() -> None:
    """Create everything."""
    delivery_v1(op, "publication")
    for statement in _TABLES:
        op.execute(statement)
    for table in ("fiche_facts", "fiche_reference", "catalogue_session", "ais", "aes"):
        tenant_table_v1(op, "publication", table)
