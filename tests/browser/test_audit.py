"""What the folder did by its screens leaves the databases and the log true; `conftest.py` runs this after everything else here."""

from tests.browser.desk import Desk
from tests.support.stack import Stack


async def test_what_was_done_on_screen_leaves_a_clean_audit(desk: Desk, stack: Stack) -> None:
    await stack.audited()
