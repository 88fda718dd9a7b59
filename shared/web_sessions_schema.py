"""The tables of people's sign-ins: sessions, and sign-ins that are under way.

Frozen: a later change is a new function called by a new migration.
"""

from typing import Final

from shared.messaging.schema import Operations

_TABLES: Final = (
    """
    CREATE TABLE web_session (
      id_hash text PRIMARY KEY,
      principal_id text NOT NULL REFERENCES person (principal_id) ON DELETE CASCADE,
      csrf text NOT NULL,
      id_token text,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE INDEX web_session_of ON web_session (principal_id)",
    """
    CREATE TABLE sign_in (
      state_hash text PRIMARY KEY,
      browser_hash text NOT NULL,
      nonce text NOT NULL,
      verifier text NOT NULL,
      next text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
)


def web_sessions_v1(op: Operations, service: str) -> None:
    """Create both tables: the service's own process alone sees them, not even the audit; it alone writes.

    What a browser is known by is kept as its hash. In clear are what is worth nothing without it (CSRF secret, nonce, PKCE verifier)
    and the provider's own words.
    """
    ours = f"current_setting('poec.principal', true) LIKE '{service}:%'"
    for statement in _TABLES:
        op.execute(statement)
    for table in ("web_session", "sign_in"):
        op.execute(f"REVOKE ALL ON {table} FROM {service}_audit")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {service}")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own ON {table} TO {service} USING ({ours}) WITH CHECK ({ours})")
        op.execute(f"CREATE POLICY owner ON {table} TO {service}_owner USING (true) WITH CHECK (true)")
