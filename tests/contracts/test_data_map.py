"""The data map says of every field of every contract what it is for; that its tables are those of the databases is `test_tables`."""

from tests.support import data_map
from tests.support.documents import is_between


def test_every_field_of_a_contract_has_its_purpose_and_no_purpose_is_left_over() -> None:
    assert data_map.without_purpose(data_map.fields()) == [], "say in tests/support/data_map.py what it is for"
    assert sorted(set(data_map.purposes()) - set(data_map.fields())) == []


def test_the_table_of_the_contracts_is_as_made() -> None:
    assert is_between(data_map.PAGE, "contracts", data_map.contract_table()), "run `make docs`"


def test_a_field_without_a_purpose_is_found() -> None:
    assert data_map.without_purpose([*data_map.fields(), "remark", "birthday"]) == ["birthday", "remark"]


def test_a_table_and_a_telling_column_without_a_word_are_found() -> None:
    planted = {"person": ["principal_id", "login", "phone"], "visitor": ["id"], "fiche": ["id", "title", "email"]}
    assert data_map.unexplained(planted) == ["fiche.email", "person.phone", "visitor"]


def test_no_field_of_a_contract_is_a_persons() -> None:
    assert data_map.PERSON not in {purpose.personal for purpose in data_map.CONTRACT}
    assert "**yes**" not in data_map.contract_table()
