"""One principal's flood leaves room for the others; an organisation outside the closed list sees only its own rows."""

import pytest

from shared.errors import TooMany
from shared.http import Door
from shared.identity import Principal, service_principal
from shared.policy import tenant_of


def _door(limit: int) -> Door[object]:
    nothing: object = None
    return Door(nothing, nothing, nothing, nothing, nothing, limit)  # type: ignore[arg-type]  # only the counter is asked


def _who(name: str) -> Principal:
    return Principal(name, name, "machine", frozenset({"opco"}))


def test_a_principal_may_have_so_many_writes_under_way_and_no_more() -> None:
    door = _door(2)
    with door.in_flight(_who("akto")), door.in_flight(_who("akto")):
        with pytest.raises(TooMany) as refused, door.in_flight(_who("akto")):
            pass
        assert refused.value.status == 429
        with door.in_flight(_who("atlas")):
            pass
    with door.in_flight(_who("akto")):
        pass


def test_room_is_given_back_also_after_a_failure() -> None:
    door = _door(1)
    with pytest.raises(ZeroDivisionError), door.in_flight(_who("akto")):
        raise ZeroDivisionError
    with door.in_flight(_who("akto")):
        pass


def test_a_further_door_of_a_process_lets_nothing_more_in() -> None:
    first = _door(1)
    other = Door(first.database, first.open, first.write, first.who, first.news, 1, first.load)
    with first.in_flight(_who("akto")), pytest.raises(TooMany), other.in_flight(_who("akto")):
        pass
    assert other.intake is first.intake


@pytest.mark.parametrize("organisation", ["akto", "afpa", "somebody"])
def test_who_is_not_on_the_closed_list_sees_its_own_rows_only(organisation: str) -> None:
    assert tenant_of(_who(organisation)) == organisation


@pytest.mark.parametrize("organisation", ["region", "france-travail", "carif-oref", "dreets", "operations"])
def test_the_closed_list_sees_every_row(organisation: str) -> None:
    assert tenant_of(_who(organisation)) == "*"


def test_services_see_every_row() -> None:
    assert tenant_of(service_principal("submission", "worker")) == "*"
