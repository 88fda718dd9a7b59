"""What the texts of a fiche may not do without being read again: name a person, or give a person's mailbox as contact."""

import pytest

from services.submission.domain import decisions, sessions
from services.submission.domain.fiche import Status
from services.submission.domain.texts import mailbox_is_functional, name_warning, nobody_is_named
from shared.errors import Refused, WarningsUnanswered
from tests.services.submission import filings as f
from tests.services.submission.filings import case
from tests.support.fiches import golden_content

NAMED = "Voir avec Mme Exemple."
CODE = "PERSON_NAME_SUSPECTED"


@pytest.mark.parametrize(
    "contact",
    ["aline.essai@x.example", "a.essai@x.example", "aline_essai@x.example", "aline-marie.essai@x.example", "A.ESSAI2@x.example"],
)
def test_a_persons_mailbox_is_noticed(contact: str) -> None:
    objection = mailbox_is_functional(case(contact=contact))
    assert objection is not None
    assert objection.field == "contact"
    assert contact not in repr(objection)


@pytest.mark.parametrize(
    "contact",
    ["contact@x.example", "formation@x.example", "poec.normandie@x.example", "recrutement.caen@x.example", "accueil-76@x.example",
     "agence_rouen@x.example", "poec.zone@x.example", "alternance.rh@x.example", "essai@x.example"],
)  # fmt: skip
def test_a_mailbox_of_a_service_passes(contact: str) -> None:
    assert mailbox_is_functional(case(contact=contact)) is None


def test_streets_are_named_after_people() -> None:
    assert nobody_is_named(case(provider={"address": {"lines": ["3 rue du Docteur Exemple"]}})) is None


def test_every_field_that_names_somebody_is_a_fact_of_the_one_warning() -> None:
    objection = nobody_is_named(case(objective=NAMED, sourcing={"plan": NAMED, "partners": ["Greta", "M. Essai"]}))
    assert objection is not None
    assert (objection.field, objection.facts["fields"]) == ("objective", "objective,sourcing.plan,sourcing.partners.1")
    assert "(Objectif\u202f; Plan de recherche de candidats\u202f; Autre partenaire 2)" in objection.message


def test_the_warning_about_other_texts_calls_them_by_their_names_too() -> None:
    texts = [("agenda.1", NAMED), ("decisions.0.text", NAMED), ("reason", "Rien.")]
    objection = name_warning(texts)
    assert objection is not None
    assert "Ces textes semblent" in objection.message
    assert "(Point de l’ordre du jour 2\u202f; Décision 1\u202f: Texte)" in objection.message
    alone = name_warning([("intention.title", NAMED)])
    assert alone is not None
    assert alone.message.startswith("Ce texte semble nommer une personne (Intitulé)")


def test_a_warning_about_very_many_texts_says_how_many_more_there_are() -> None:
    objection = name_warning([(f"decisions.{n}.text", NAMED) for n in range(23)])
    assert objection is not None
    assert objection.message.count("Décision") == 20
    assert "et 3 de plus)" in objection.message


def warned(refused: Refused) -> list[str]:
    return [warning.code for warning in refused.warnings]


def test_a_reason_that_names_somebody_waits_for_its_acknowledgement() -> None:
    fiche = f.AT[Status.TO_ADAPT]()
    with pytest.raises(WarningsUnanswered) as refused:
        decisions.decline_adaptation(fiche, NAMED, f.NOON)
    assert warned(refused.value) == [CODE]
    assert [w.code for w in decisions.decline_adaptation(fiche, NAMED, f.NOON, (CODE,)).warnings] == [CODE]
    with pytest.raises(WarningsUnanswered) as refused:
        sessions.engage_session(f.confirmed(), 1, 5, NAMED)
    assert warned(refused.value) == [CODE]
    assert sessions.engage_session(f.confirmed(), 1, 5, NAMED, (CODE,)).warnings[0].field == "forced_reason"


def test_the_reason_of_a_counter_proposal_is_warned_about_beside_its_content() -> None:
    fiche = f.AT[Status.TO_ADAPT]()
    filing = f.filing(golden_content(title="Autre intitulé"), ())
    with pytest.raises(WarningsUnanswered) as refused:
        decisions.counter_propose(fiche, filing, NAMED, f.GIVEN)
    assert warned(refused.value)[-1] == CODE
    assert len(warned(refused.value)) > 1
