"""Runs a service's alembic migrations: its own folder, its own database, under an advisory lock so that two starts do not meet."""

import asyncio
from pathlib import Path

import asyncpg
import sqlalchemy as sa
from alembic import command, context
from alembic.config import Config
from sqlalchemy.ext.asyncio import create_async_engine

_LOCK = 7_046_029_254
"""Advisory lock taken while migrating; the number only has to be the same everywhere."""


def configuration(folder: Path, url: str) -> Config:
    """Return alembic's configuration for the migrations in `folder` and the owner's `url` (postgresql://…)."""
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes["url"] = url
    return config


def upgrade(folder: Path, url: str) -> None:
    """Bring the database to the newest revision; does nothing where it is there already."""
    command.upgrade(configuration(folder, url), "head")


def run() -> None:
    """Do what a service's `env.py` is for: called by alembic, online only."""
    asyncio.run(_online(str(context.config.attributes["url"])))


async def _online(url: str) -> None:
    # asyncpg reads the URL itself, as the processes do: SQLAlchemy would not know its sslmode, nor several hosts
    engine = create_async_engine(
        "postgresql+asyncpg://", poolclass=sa.NullPool, async_creator=lambda: asyncpg.connect(url)
    )
    async with engine.connect() as connection:
        await connection.execute(sa.text(f"SELECT pg_advisory_lock({_LOCK})"))
        await connection.commit()
        await connection.run_sync(_migrate)
        await connection.commit()
    await engine.dispose()


def _migrate(connection: sa.Connection) -> None:
    context.configure(connection=connection, transactional_ddl=True, transaction_per_migration=False)
    with context.begin_transaction():
        context.run_migrations()
