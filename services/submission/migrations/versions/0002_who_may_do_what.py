"""Who may do what: the delivery tables closed by row, the trail closed for good and anchored."""

from alembic import op

from shared.messaging.schema import delivery_v2
from shared.messaging.trail_schema import trail_v1

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Close them."""
    delivery_v2(op, "submission")
    trail_v1(op, "submission")
