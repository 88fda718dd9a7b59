"""The business clock as it is read for people: by the role of the audit, from a database as the migrations make it."""

from datetime import UTC, datetime, timedelta

import asyncpg

from deploy.local.business_clock import move_clock, read_clock, reset_clock
from deploy.local.databases import database_url
from deploy.local.secrets import load_secrets
from tests.support.heart import Heart


async def test_a_moved_clock_is_read_and_one_that_is_not_moved_says_so(heart: Heart) -> None:
    secrets = load_secrets(heart.servers.home)
    name = heart.url.rpartition("/")[2].partition("?")[0]
    admin = await asyncpg.connect(heart.servers.postgres.admin_url)
    try:
        await admin.execute(f"GRANT CONNECT ON DATABASE {name} TO validation_audit")
    finally:
        await admin.close()
    url = database_url(heart.servers.postgres.admin_url, name, "validation_audit", secrets.roles["validation_audit"])
    real = read_clock([url])
    assert real is not None and real.moved_seconds == 0
    wanted = datetime(2021, 12, 9, 8, tzinfo=UTC)
    await move_clock([heart.owner_url], wanted)
    try:
        moved = read_clock([url, "postgresql://nobody@127.0.0.1:1/none"])
        assert moved is not None and moved.moved_seconds < 0
        assert abs(moved.now - wanted) < timedelta(hours=1)
        assert str(moved) == "business clock: 2021-12-09, moved by the demo"
    finally:
        await reset_clock([heart.owner_url])


def test_databases_that_do_not_answer_say_nothing() -> None:
    assert read_clock(["postgresql://nobody@127.0.0.1:1/none", ""]) is None
