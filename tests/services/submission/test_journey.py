"""The journey of a fiche as its page shows it, word by word."""

import datetime as dt

from services.submission.domain import hearing
from services.submission.pages.journey import journey
from tests.services.submission import filings as f


def test_the_day_of_what_is_waited_for_stands_behind_a_narrow_space() -> None:
    opened = hearing.dossier_opened(f.filed(), f.OPENED)
    (waited,) = [step for step in journey(opened, [], dt.date(2018, 3, 2)) if step.state == "current"]
    assert waited.at == "Échéance\u202f: 16\u00a0mars\u00a02018"
