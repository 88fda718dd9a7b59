"""What frames the year: the programme and the campaigns come first, late fiches say why, the next year's projects are declared."""

import datetime as dt
from collections import Counter

from deploy.demo.agenda import Turn
from deploy.demo.contents import content_of
from deploy.demo.moves import command_of
from deploy.demo.programming import DEADLINES, EXTENDED, EXTENDED_TO, outside_campaign, programming
from deploy.demo.year_2021 import Fiche, load
from shared.contracts.fiche import FicheContent
from shared.contracts.ingress import SubmitFiche
from shared.contracts.references import OPCOS

FICHES = load().fiches
CONTENTS: list[tuple[Fiche, FicheContent]] = [(fiche, content_of(fiche)) for fiche in FICHES]
DEEDS = programming(FICHES)


def quarter(content: FicheContent) -> int:
    return (min(plan.start for plan in content.sessions).month + 2) // 3


def test_programme_and_campaigns_are_there_before_the_first_fiche() -> None:
    first = min(fiche.steps[0].on for fiche in FICHES)
    before = [deed.ask.operation for deed in DEEDS if deed.on <= first]
    assert before == ["adopt_programme", *["open_campaign"] * 4]


def test_everything_has_a_key_of_its_own_and_comes_in_the_order_of_its_days() -> None:
    assert len({deed.key for deed in DEEDS}) == len(DEEDS)
    assert [deed.on for deed in DEEDS] == sorted(deed.on for deed in DEEDS)


def test_a_target_near_a_dozen_is_said_so_and_the_others_are_what_the_year_has() -> None:
    (programme,) = [deed.ask.body for deed in DEEDS if deed.ask.operation == "adopt_programme"]
    wanted = Counter((fiche.opco, content.rome) for fiche, content in CONTENTS)
    for target in programme["targets"]:
        number = wanted.pop((target["opco"], target["rome"]))
        assert target["number"] == number or (target["words"] == "une douzaine" and abs(number - 12) <= 1)
    assert not wanted


def test_who_files_in_time_says_nothing_and_who_does_not_says_why() -> None:
    late = {fiche.reference for fiche, content in CONTENTS if outside_campaign(fiche, content)}
    for fiche, content in CONTENTS:
        last = EXTENDED_TO if quarter(content) == EXTENDED else DEADLINES[quarter(content)]
        assert (fiche.reference in late) == (fiche.steps[0].on > last), fiche.reference
    assert 0 < len(late) < len(FICHES) / 4


def test_two_weeks_more_are_fifteen_days_and_somebody_uses_them() -> None:
    assert EXTENDED_TO - DEADLINES[EXTENDED] == dt.timedelta(days=15)
    used = [f for f, c in CONTENTS if quarter(c) == EXTENDED and DEADLINES[EXTENDED] < f.steps[0].on <= EXTENDED_TO]
    assert used and not any(outside_campaign(fiche, content_of(fiche)) for fiche in used)


def test_a_filing_carries_its_motive_by_either_door() -> None:
    late = next(fiche for fiche, content in CONTENTS if outside_campaign(fiche, content))
    command = command_of(Turn(late, 0, "http"))
    assert isinstance(command, SubmitFiche) and command.outside_campaign == outside_campaign(late, content_of(late))


def test_every_opco_declares_and_together_they_declare_the_178_of_the_minutes() -> None:
    declared = {deed.ask.client: deed.ask.body["number"] for deed in DEEDS if deed.ask.operation == "declare_projects"}
    assert set(declared) == set(OPCOS)
    assert sum(declared.values()) == 178
