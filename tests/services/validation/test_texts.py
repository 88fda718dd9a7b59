"""A reviewer's text that seems to name a person waits for its acknowledgement; events say what was decided, never by whom."""

import pytest

from services.validation.domain import adaptation, avis, completion, decision
from services.validation.domain.dates import decider_label
from services.validation.domain.dossier import Decided
from services.validation.domain.texts import name_warnings, noticed
from shared.contracts.references import AvisKind
from shared.errors import RulesRefused, WarningsUnanswered
from tests.services.validation import dossiers as d

NAMED = [("comment", "Vu avec Mme Exemple.")]
CANARY = "reviewer-canary-7q"


def plain() -> Decided:
    return avis.give_avis(d.an_open_dossier(), d.PLAIN, d.AGENT, d.NOON)


def test_a_name_waits_for_its_acknowledgement() -> None:
    with pytest.raises(WarningsUnanswered) as refused:
        noticed(plain, NAMED, ())
    (warning,) = refused.value.warnings
    assert (warning.code, warning.field) == ("PERSON_NAME_SUSPECTED", "comment")
    assert "Exemple" not in repr(warning)
    assert warning.message.startswith("Ce texte semble nommer une personne (Commentaire)")
    assert noticed(plain, NAMED, ("PERSON_NAME_SUSPECTED",)) == plain()
    assert noticed(plain, [("comment", "Vu en commission.")], ()) == plain()


def test_the_warning_calls_every_text_that_seems_to_name_somebody() -> None:
    named = [("items.0.request", "Vu avec Mme Exemple."), ("items.1.request", "Rien."), ("items.2.request", "M. Essai")]
    (warning,) = name_warnings(named)
    assert (warning.field, warning.facts["count"]) == ("items.0.request", 2)
    assert "Ces textes semblent" in warning.message
    assert "(Élément à compléter 1\u202f: Demande\u202f; Élément à compléter 3\u202f: Demande)" in warning.message


def test_objections_and_the_warning_come_together() -> None:
    competing = avis.AskedAvis(AvisKind.CONCURRENT)
    with pytest.raises(RulesRefused) as refused:
        noticed(lambda: avis.give_avis(d.an_open_dossier(), competing, d.AGENT, d.NOON), NAMED, ())
    assert len(refused.value.objections) > 1
    assert [warning.code for warning in refused.value.warnings] == ["PERSON_NAME_SUSPECTED"]


def test_no_event_says_which_reviewer_it_was() -> None:
    dossier, gave = avis.give_avis(d.an_open_dossier(), d.COMPETING, CANARY, d.NOON)
    _, corrected = avis.correct_avis(dossier, d.PLAIN, CANARY, d.NOON)
    validated, yes = decision.validate_fiche(d.with_avis(), None, d.NOON)
    _, no = decision.refuse_fiche(d.with_avis(), d.NO, d.NOON)
    _, asked = completion.ask_completion(d.an_open_dossier(), d.ITEMS)
    _, proposed = adaptation.propose_adaptation(d.an_open_dossier(), d.an_adaptation(), d.NOON)
    events = (*gave, *corrected, *yes, *no, *asked, *proposed)
    assert len(events) >= 6
    assert CANARY not in "".join(event.model_dump_json() for event in events)
    assert validated.validation is not None
    assert validated.validation.by == decider_label(d.TODAY) == "Pôle emploi"
