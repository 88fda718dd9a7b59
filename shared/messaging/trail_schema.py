"""The tables of the audit trail closed for good: entries and anchors are inserted, and never changed, deleted or emptied by anybody.

Frozen: a later change is a new function (`trail_v2`) called by a new migration.
Privileges hold back the process and the owner; the trigger holds back the owner who grants himself the right again, and fires in
every replication mode. A superuser can still take the trigger away: what he changes then, the anchors show.
"""

from typing import Final

from shared.messaging.schema import Operations

INSERT_ONLY: Final = ("audit_entry", "anchor", "anchored_head")
"""The tables into which rows are only inserted."""

_TABLES: Final = (
    """
CREATE TABLE anchor (
  n int PRIMARY KEY CHECK (n > 0),
  at timestamptz NOT NULL,
  written_at timestamptz NOT NULL,
  entries bigint NOT NULL,
  heads int NOT NULL CHECK (heads > 0),
  root text NOT NULL,
  previous_hash text NOT NULL,
  hash text NOT NULL
)""",
    """
CREATE TABLE anchored_head (
  anchor int NOT NULL,
  aggregate text COLLATE "C" NOT NULL,
  n int NOT NULL,
  entries int NOT NULL CHECK (entries > 0),
  hash text NOT NULL,
  PRIMARY KEY (anchor, aggregate)
)""",
    "CREATE UNIQUE INDEX anchored_head_last ON anchored_head (aggregate, anchor DESC) INCLUDE (n)",
)
_REFUSE: Final = """
CREATE FUNCTION only_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE insufficient_privilege USING MESSAGE = format('rows of %I are only inserted: %s is refused', TG_TABLE_NAME, TG_OP);
END $$"""
_LOWEST: Final = (
    "ALTER TABLE clock_offset ADD COLUMN lowest bigint NOT NULL DEFAULT 0",
    "UPDATE clock_offset SET lowest = least(0, seconds)",
    """
CREATE FUNCTION clock_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.lowest := least(OLD.lowest, NEW.seconds);
  RETURN NEW;
END $$""",
    "CREATE TRIGGER moved BEFORE UPDATE ON clock_offset FOR EACH ROW EXECUTE FUNCTION clock_moved()",
)
"""How far back the business clock ever stood: an entry that claims an earlier time than that explains was added afterwards."""
_SEEN: Final = "coalesce(current_setting('poec.tenant', true), '') = '*'"


def trail_v1(op: Operations, service: str) -> None:
    """Make the tables of the anchors, and let rows of the trail and of the anchors only ever be inserted."""
    for statement in (*_TABLES, _REFUSE, *_LOWEST):
        op.execute(statement)
    for table in ("anchor", "anchored_head"):
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {service}")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY seen ON {table} TO {service} USING ({_SEEN}) WITH CHECK ({_SEEN})")
        op.execute(f"CREATE POLICY owner ON {table} TO {service}_owner USING (true) WITH CHECK (true)")
    for table in INSERT_ONLY:
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {service}_owner, {service}")
        op.execute(
            f"CREATE TRIGGER only_inserted BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION only_inserted()"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER only_inserted")
