"""The delivery tables every service's database has, as its migrations make them, and who may touch them.

Frozen: a later change is a new function (`delivery_v3`) called by a new migration.
"""

from typing import Final, Protocol

from shared.messaging.records import SHARDS


class Operations(Protocol):
    """What is used of alembic's `op`."""

    def execute(self, sqltext: str) -> None:
        """Run one statement."""


DELIVERY_V1 = """
CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_id uuid NOT NULL UNIQUE,
  shard smallint NOT NULL,
  topic text NOT NULL,
  key text NOT NULL,
  headers jsonb NOT NULL,
  value text,
  sequence bigint,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  published_at timestamptz,
  kafka_partition int,
  kafka_offset bigint
);
CREATE INDEX outbox_unpublished ON outbox (shard, id) WHERE published_at IS NULL;
CREATE INDEX outbox_place ON outbox (topic, kafka_partition, kafka_offset) WHERE published_at IS NOT NULL;
ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0.01, fillfactor = 80);
CREATE TABLE outbox_shard (shard smallint PRIMARY KEY);
CREATE TABLE inbox (
  n bigint GENERATED ALWAYS AS IDENTITY,
  topic text NOT NULL,
  event_id text NOT NULL,
  kafka_partition int NOT NULL,
  kafka_offset bigint NOT NULL,
  key text NOT NULL,
  sequence bigint,
  outcome text NOT NULL CHECK (outcome IN ('applied', 'ignored', 'answered')),
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (topic, event_id)
);
CREATE TABLE stream (topic text, key text, last_sequence bigint NOT NULL, PRIMARY KEY (topic, key));
CREATE TABLE parked (
  topic text NOT NULL,
  key text NOT NULL,
  sequence bigint NOT NULL,
  event_id text NOT NULL,
  kafka_partition int NOT NULL,
  kafka_offset bigint NOT NULL,
  headers jsonb NOT NULL,
  value bytea,
  reason text NOT NULL CHECK (reason IN ('gap', 'dead_letter')),
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (topic, key, sequence, event_id)
);
CREATE TABLE dead_letter (
  id uuid PRIMARY KEY,
  topic text NOT NULL,
  kafka_partition int NOT NULL,
  kafka_offset bigint NOT NULL,
  key bytea,
  event_id text,
  sequence bigint,
  code text NOT NULL,
  detail text NOT NULL,
  headers jsonb NOT NULL,
  value bytea,
  state text NOT NULL DEFAULT 'dead' CHECK (state IN ('dead', 'replayed', 'discarded')),
  attempts int NOT NULL DEFAULT 1,
  parks boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  closed_at timestamptz,
  closed_by text,
  reason text
);
CREATE INDEX dead_letter_place ON dead_letter (topic, kafka_offset);
CREATE INDEX dead_letter_key ON dead_letter USING hash (key);
CREATE TABLE position (
  topic text NOT NULL,
  kafka_partition int NOT NULL,
  next_offset bigint NOT NULL,
  received bigint NOT NULL DEFAULT 0,
  applied bigint NOT NULL DEFAULT 0,
  ignored bigint NOT NULL DEFAULT 0,
  duplicates bigint NOT NULL DEFAULT 0,
  parked bigint NOT NULL DEFAULT 0,
  released bigint NOT NULL DEFAULT 0,
  dead bigint NOT NULL DEFAULT 0,
  answered bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (topic, kafka_partition)
);
CREATE TABLE position_reset (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  topic text NOT NULL,
  kafka_partition int NOT NULL,
  from_offset bigint NOT NULL,
  to_offset bigint NOT NULL,
  reason text NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE known_topic (topic text PRIMARY KEY, topic_id text NOT NULL, cluster_id text NOT NULL, seen_at timestamptz NOT NULL);
CREATE TABLE reconciled (topic text, kafka_partition int, next_offset bigint NOT NULL, PRIMARY KEY (topic, kafka_partition));
CREATE TABLE idempotency (
  principal text NOT NULL,
  key text NOT NULL,
  body_hash text NOT NULL,
  status int NOT NULL,
  headers jsonb NOT NULL,
  body text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (principal, key)
);
CREATE TABLE audit_entry (
  aggregate text NOT NULL,
  n int NOT NULL,
  at timestamptz NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  facts jsonb NOT NULL,
  previous_hash text NOT NULL,
  hash text NOT NULL,
  PRIMARY KEY (aggregate, n)
);
CREATE TABLE clock_offset (one boolean PRIMARY KEY DEFAULT true CHECK (one), seconds bigint NOT NULL DEFAULT 0);
INSERT INTO clock_offset (seconds) VALUES (0);
"""

_READ_WRITE = (
    "outbox",
    "inbox",
    "stream",
    "parked",
    "dead_letter",
    "position",
    "known_topic",
    "reconciled",
    "outbox_shard",
)
_APPEND_ONLY = ("position_reset", "idempotency", "audit_entry")


def delivery_v1(op: Operations, service: str) -> None:
    """Create the delivery tables and grant each role what it needs: the process appends to the audit trail and never edits it."""
    _each(op, DELIVERY_V1)
    op.execute(f"INSERT INTO outbox_shard SELECT generate_series(0, {SHARDS - 1})")
    for table in _READ_WRITE:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {service}")
    for table in _APPEND_ONLY:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {service}")
    op.execute(f"GRANT SELECT ON clock_offset TO {service}")
    op.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {service}_audit")
    op.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {service}_audit")


def tenant_table_v1(op: Operations, service: str, table: str) -> None:
    """Give a table that has a column `opco` its grants and its row-level security: one OPCO sees its own rows, `*` sees all."""
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {service}")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON {table} TO {service} USING (current_setting('poec.tenant', true) IN ('*', opco))"
        f" WITH CHECK (current_setting('poec.tenant', true) IN ('*', opco))"
    )
    op.execute(f"CREATE POLICY owner ON {table} TO {service}_owner USING (true) WITH CHECK (true)")


_TENANT: Final = "coalesce(current_setting('poec.tenant', true), '')"
_SEEN_BY_ALL: Final = f"{_TENANT} = '*'"
_OF_OWN_TOPIC: Final = f"{_TENANT} = '*' OR topic = 'poec.ingress.' || {_TENANT}"
ROW_RULES_V2: Final = {
    # table: who sees its rows, who may add rows
    "idempotency": ("principal = current_setting('poec.principal', true)",) * 2,
    "audit_entry": (_SEEN_BY_ALL, "true"),
    # a partner's records are applied in a unit of work that is opened for that partner
    "dead_letter": (_OF_OWN_TOPIC, _OF_OWN_TOPIC),
    "parked": (_OF_OWN_TOPIC, _OF_OWN_TOPIC),
    # relay and reconciler read it outside any unit of work, where no tenant is set
    "outbox": (f"{_TENANT} IN ('', '*')", "true"),
}
"""Row-level security of the delivery tables: a unit of work that is opened for one OPCO reads no answer, letter, record or entry
of another one, whatever query a mistake may lead to it."""


def delivery_v2(op: Operations, service: str) -> None:
    """Close the delivery tables by row: a principal's answers are its own; records, letters and trail are for those who see all."""
    for table, (seen, added) in ROW_RULES_V2.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY seen ON {table} TO {service} USING ({seen}) WITH CHECK ({added})")
        op.execute(f"CREATE POLICY owner ON {table} TO {service}_owner USING (true) WITH CHECK (true)")


def _each(op: Operations, script: str) -> None:
    for statement in script.split(";\n"):
        if statement.strip():
            op.execute(statement)
