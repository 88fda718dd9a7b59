"""No principal bears a name that stands for a process, a topic or a migration: the table says so too."""

from alembic import op

from shared.principals_schema import principals_v2

revision = "0003"
down_revision = "0002"

_SERVICES = ("submission", "validation", "publication", "analytics")


def upgrade() -> None:
    """Add the constraint; it fails where such a row was written by hand."""
    principals_v2(op, _SERVICES)
