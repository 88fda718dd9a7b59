"""Who may do what: the delivery tables closed by row."""

from alembic import op

from shared.messaging.schema import delivery_v2

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Close them."""
    delivery_v2(op, "publication")
