"""When a session is in the catalogue, and what is said of it."""

import datetime as dt
from typing import Any

import pytest

from services.publication.domain.facts import Limits
from services.publication.domain.session import CatalogueSession
from shared.contracts.publication import CatalogueEntry, SessionPublished, SessionRemoved, SessionSuspended
from tests.services.publication import heard
from tests.services.publication.heard import FIRST, SECOND, START, Catalogue, names

LISTED = (heard.submitted(), heard.avis(), heard.validated(), heard.confirmed())
MONTH = dt.timedelta(30)


def test_a_submitted_fiche_has_no_session_in_the_catalogue() -> None:
    assert Catalogue().hears(heard.submitted()).session() is None


def test_a_validated_fiche_expects_its_sessions_and_says_nothing() -> None:
    catalogue = Catalogue().hears(heard.submitted(), heard.avis(), heard.validated())
    assert catalogue.status == "expected"
    assert catalogue.said() == [] and catalogue.compacted == {}


def test_a_validated_and_confirmed_fiche_is_published_with_its_whole_entry() -> None:
    catalogue = Catalogue().hears(*LISTED)
    assert catalogue.status == "published"
    (published,) = catalogue.said()
    assert isinstance(published, SessionPublished)
    assert (published.reference, published.start, published.seats) == ("PE-28-2018-REV1", START, 12)
    entry = catalogue.compacted[str(FIRST)]
    assert entry == CatalogueEntry(
        session_id=FIRST,
        fiche_id=heard.FICHE,
        opco="opco-2i",
        number=1,
        status="published",
        reference="PE-28-2018-REV1",
        validated_on=dt.date(2018, 2, 20),
        validated_by="Pôle emploi Normandie",
        content=heard.content(),
    )


def test_a_confirmed_fiche_that_was_not_validated_stays_out() -> None:
    assert Catalogue().hears(heard.submitted(), heard.confirmed()).session() is None


def test_a_validation_heard_before_the_fiche_itself_is_kept_and_joined() -> None:
    catalogue = Catalogue().hears(heard.avis(), heard.validated())
    assert catalogue.session() is None
    assert catalogue.hears(heard.submitted()).status == "expected"
    assert catalogue.hears(heard.confirmed()).status == "published"


def test_both_sessions_of_a_fiche_are_published() -> None:
    two = heard.content(START, START + MONTH)
    catalogue = Catalogue().hears(heard.submitted(two), heard.avis(), heard.validated(), heard.confirmed(1, two))
    assert set(catalogue.compacted) == {str(FIRST), str(SECOND)}


@pytest.mark.parametrize(
    ("days", "status"), [(29, "published"), (30, "published"), (31, "suspended"), (-31, "suspended")]
)
def test_a_postponement_past_thirty_days_suspends_before_validation_says_so(days: int, status: str) -> None:
    later = heard.content(START + dt.timedelta(days))
    catalogue = Catalogue().hears(*LISTED, heard.postponed(2, later))
    assert catalogue.status == status
    assert catalogue.compacted[str(FIRST)].content == later


def test_the_threshold_is_a_setting() -> None:
    later = heard.content(START + dt.timedelta(31))
    assert Catalogue(Limits(shift_days=60)).hears(*LISTED, heard.postponed(2, later)).status == "published"


def test_small_moves_add_up() -> None:
    once, twice = heard.content(START + dt.timedelta(20)), heard.content(START + dt.timedelta(40))
    catalogue = Catalogue().hears(*LISTED, heard.postponed(2, once))
    assert catalogue.status == "published"
    assert catalogue.hears(heard.postponed(3, twice)).status == "suspended"


def test_moves_are_measured_from_the_revision_of_the_avis_not_of_the_validation() -> None:
    once, twice = heard.content(START + dt.timedelta(20)), heard.content(START + dt.timedelta(40))
    catalogue = Catalogue().hears(heard.submitted(), heard.avis(1), heard.amended(2, once), heard.validated(2))
    catalogue.hears(heard.confirmed(2, once))
    assert catalogue.status == "published"
    assert catalogue.hears(heard.postponed(3, twice)).status == "suspended"


@pytest.mark.parametrize(
    "changes",
    [
        {"place": {"insee": "14118"}},
        {"place": {"zone_emploi": "2804"}},
        {"formacodes": ["23083"]},
    ],
)
def test_another_commune_zone_or_main_formacode_suspends(changes: dict[str, Any]) -> None:
    assert Catalogue().hears(*LISTED, heard.amended(2, heard.content(**changes))).status == "suspended"


def test_another_title_does_not_suspend_and_is_said_in_a_new_entry() -> None:
    other = heard.content(title="Peintre en poudre")
    catalogue = Catalogue().hears(*LISTED, heard.amended(2, other))
    assert catalogue.status == "published"
    assert names(catalogue.said()) == ["SessionPublished"]
    assert catalogue.compacted[str(FIRST)].content.title == "Peintre en poudre"
    assert [change.action for change in catalogue.changes()] == ["expect_session", "publish_session", "update_session"]


def test_a_lapsed_avis_suspends_and_a_new_validation_publishes_again() -> None:
    later = heard.content(START + 2 * MONTH)
    catalogue = Catalogue().hears(*LISTED, heard.postponed(2, later), heard.lapsed())
    suspended = [event for event in catalogue.said() if isinstance(event, SessionSuspended)]
    assert [event.reason.value for event in suspended] == ["REPORT", "AVIS_A_RENOUVELER"]
    assert catalogue.compacted[str(FIRST)].status == "suspended"
    catalogue.hears(heard.avis(2), heard.validated(2))
    assert catalogue.status == "published"
    assert catalogue.compacted[str(FIRST)].reference == "PE-28-2018-REV2"


def test_a_validation_ahead_of_the_content_waits_for_it() -> None:
    later = heard.content(START + 2 * MONTH)
    catalogue = Catalogue().hears(*LISTED, heard.lapsed(), heard.avis(2), heard.validated(2))
    assert catalogue.status == "suspended"
    assert catalogue.hears(heard.postponed(2, later)).status == "published"


def test_a_cancelled_session_leaves_the_catalogue_and_its_sister_stays() -> None:
    two = heard.content(START, START + MONTH)
    catalogue = Catalogue().hears(heard.submitted(two), heard.avis(), heard.validated(), heard.confirmed(1, two))
    catalogue.hears(heard.cancelled(1))
    assert set(catalogue.compacted) == {str(SECOND)}
    removed = catalogue.said()[-1]
    assert isinstance(removed, SessionRemoved) and removed.reason.value == "SESSION_ANNULEE"


def test_a_withdrawn_fiche_takes_all_its_sessions_out() -> None:
    catalogue = Catalogue().hears(*LISTED, heard.withdrawn())
    assert catalogue.status == "removed" and catalogue.compacted == {}
    assert names(catalogue.said()) == ["SessionPublished", "SessionRemoved"]


def test_a_refusal_after_a_lapse_takes_them_out_too() -> None:
    catalogue = Catalogue().hears(*LISTED, heard.lapsed(1), heard.refused())
    removed = catalogue.said()[-1]
    assert isinstance(removed, SessionRemoved) and removed.reason.value == "FICHE_REFUSEE"


def test_a_session_that_never_stood_in_the_catalogue_is_removed_in_silence() -> None:
    catalogue = Catalogue().hears(heard.submitted(), heard.avis(), heard.validated(), heard.withdrawn())
    assert catalogue.status == "removed"
    assert catalogue.said() == [] and catalogue.compacted == {}


def test_a_session_taken_out_of_the_content_leaves_and_comes_back_with_it() -> None:
    two = heard.content(START, START + dt.timedelta(7))
    catalogue = Catalogue().hears(heard.submitted(two), heard.avis(), heard.validated(), heard.confirmed(1, two))
    catalogue.hears(heard.amended(2, heard.content()))
    assert set(catalogue.compacted) == {str(FIRST)}
    catalogue.hears(heard.amended(3, two))
    assert set(catalogue.compacted) == {str(FIRST), str(SECOND)}


def test_the_same_fact_twice_changes_nothing() -> None:
    once = Catalogue().hears(*LISTED)
    twice = Catalogue().hears(*LISTED, heard.validated(), heard.confirmed())
    assert len(twice.changes()) == len(once.changes())
    assert len(twice.changes(heard.FICHE)) == len(once.changes(heard.FICHE))


def test_an_engaged_session_is_kept_in_mind_and_changes_nothing_in_the_catalogue() -> None:
    catalogue = Catalogue().hears(*LISTED, heard.engaged())
    assert names(catalogue.said()) == ["SessionPublished"]
    facts = catalogue.listing.fiches.get(heard.FICHE)
    assert facts and facts.engaged == {1}


def test_what_holds_of_a_fiche_is_written_beside_its_facts() -> None:
    def standing(*events: object) -> str:
        columns = [c for table, _, c, _ in Catalogue().hears(*events).written.saved if table == "fiche_facts"]  # type: ignore[arg-type]
        return str(columns[-1]["standing"])

    assert standing(heard.submitted()) == "submitted"
    assert standing(heard.submitted(), heard.validated()) == "validated"
    assert standing(*LISTED) == "confirmed"
    assert standing(*LISTED, heard.lapsed()) == "to_renew"
    assert standing(*LISTED, heard.lapsed(), heard.refused()) == "refused"
    assert standing(*LISTED, heard.withdrawn()) == "withdrawn"


def test_changed_at_moves_with_the_entry_only() -> None:
    catalogue = Catalogue().hears(heard.submitted(), heard.avis(), heard.validated())
    expected = catalogue.session()
    assert isinstance(expected, CatalogueSession) and expected.changed_at is None
    published = catalogue.hears(heard.confirmed()).session()
    assert published and published.changed_at == heard.NOW
