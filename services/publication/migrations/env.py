"""Called by alembic; what it does is the same for every service."""

from shared.migrations import run

run()
