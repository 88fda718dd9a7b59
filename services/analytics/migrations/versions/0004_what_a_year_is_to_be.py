"""What a year is to be: campaigns, programmes and declarations as they were last said. Everybody's, like the counts made of them."""

from alembic import op

revision = "0004"
down_revision = "0003"

_TABLE = """
CREATE TABLE year_fact (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('campaign', 'programme', 'declaration')),
  year int NOT NULL,
  document jsonb NOT NULL
)
"""


def upgrade() -> None:
    """Make the table and its index, and let the process write it."""
    op.execute(_TABLE)
    op.execute("CREATE INDEX year_fact_by_year ON year_fact (year, kind)")
    op.execute("GRANT SELECT, INSERT, UPDATE ON year_fact TO analytics")
