"""Who may do what: delivery tables closed by row, the trail closed for good and anchored, principals and their rates."""

from alembic import op

from shared.messaging.retention_schema import retention_v1
from shared.messaging.schema import delivery_v2
from shared.messaging.trail_schema import trail_v1
from shared.principals_schema import principals_v1
from shared.rates_schema import rates_v1
from shared.web_sessions_schema import web_sessions_v1

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Close the ones, make the others."""
    delivery_v2(op, "analytics")
    trail_v1(op, "analytics")
    principals_v1(op, "analytics")
    retention_v1(op, "analytics")
    rates_v1(op, "analytics")
    web_sessions_v1(op, "analytics")
