"""The tables of who may do something: principals with their roles, and the one mapping of a pseudonym to a person's sign-in.

Frozen: a later change is a new function called by a new migration.
"""

from collections.abc import Sequence
from typing import Final

from shared.messaging.schema import Operations

_TABLES: Final = (
    """
    CREATE TABLE principal (
      id text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9_.:-]{0,99}$'),
      kind text NOT NULL CHECK (kind IN ('person', 'machine')),
      organisation text NOT NULL CHECK (organisation ~ '^[a-z0-9][a-z0-9_.:-]{0,99}$'),
      roles jsonb NOT NULL CHECK (jsonb_typeof(roles) = 'array'),
      state text NOT NULL CHECK (state IN ('active', 'disabled')),
      version int NOT NULL CHECK (version >= 1),
      audit_hash text NOT NULL,
      changed_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE person (
      principal_id text PRIMARY KEY REFERENCES principal (id),
      login text NOT NULL UNIQUE CHECK (login = lower(login)),
      issuer text,
      subject text,
      registered_at timestamptz NOT NULL,
      last_sign_in timestamptz,
      UNIQUE (issuer, subject),
      CHECK ((issuer IS NULL) = (subject IS NULL))
    )
    """,
)


def principals_v1(op: Operations, service: str) -> None:
    """Create both tables. Everybody sees their own row, the service's own process all of them; it alone writes.

    Where a partner's record is replayed, the row of who asked for it is seen too (`poec.asker`): whether they still may is asked there.

    `person` holds the only data about a person: no unit of work that is opened for somebody else than the service reads it.
    """
    ours = f"current_setting('poec.principal', true) LIKE '{service}:%'"
    mine = "id IN (current_setting('poec.principal', true), current_setting('poec.asker', true))"
    all_rows = "current_setting('poec.tenant', true) = '*'"
    for statement in _TABLES:
        op.execute(statement)
    for table, seen in (("principal", f"{ours} OR {mine} OR {all_rows}"), ("person", ours)):
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {service}")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY seen ON {table} FOR SELECT TO {service} USING ({seen})")
        op.execute(f"CREATE POLICY added ON {table} FOR INSERT TO {service} WITH CHECK ({ours})")
        op.execute(f"CREATE POLICY changed ON {table} FOR UPDATE TO {service} USING ({ours}) WITH CHECK ({ours})")
        op.execute(f"CREATE POLICY owner ON {table} TO {service}_owner USING (true) WITH CHECK (true)")
    op.execute(f"GRANT DELETE ON person TO {service}")
    op.execute(f"CREATE POLICY erased ON person FOR DELETE TO {service} USING ({ours})")


def principals_v2(op: Operations, services: Sequence[str]) -> None:
    """Refuse names that stand for something else in the trail, whoever writes the row: migrations, topics, the services' processes."""
    begins = "|".join(("topic", *services))
    op.execute(
        "ALTER TABLE principal ADD CONSTRAINT principal_id_not_reserved"
        f" CHECK (id <> 'migration' AND id !~ '^({begins}):')"
    )
