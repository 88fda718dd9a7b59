"""The sentences and codes that the LHÉO mapping puts where a fiche has facts; French, as the catalogue is read."""

import datetime as dt
import re
from typing import Final

from shared.contracts.fiche import FicheContent, TrainingHours
from shared.contracts.labels import in_sentence

TITLE_PREFIX: Final = "POEC - "
TITLE_LENGTH: Final = 255
ENROLMENT_CLOSES_DAYS: Final = 3
"""Enrolment closes this many days before the first day of a session."""

FUNDING: Final = (
    "Coûts pédagogiques pris en charge par l’OPCO et ses cofinanceurs\u202f; "
    "rémunération du demandeur d’emploi selon sa situation (AREF ou RFPE)."
)
RECRUITMENT: Final = "Information collective, puis entretien avec l’OPCO, l’organisme de formation et un employeur."
NOTHING_TO_PAY: Final = "Aucun frais pour le stagiaire."
NONE: Final = "aucune"


def title(content: FicheContent) -> str:
    """Return the title with its prefix, 255 characters at most."""
    prefixed = content.title.startswith(TITLE_PREFIX)
    return (content.title if prefixed else TITLE_PREFIX + content.title)[:TITLE_LENGTH]


def expected_results(content: FicheContent) -> str:
    """Return the sentence about the jobs a POEC leads to (contracts of L6326-3)."""
    words = ", ".join(map(in_sentence, content.target_contracts))
    return f"Accès à un emploi durable\u202f: {words}."


def rhythm(hours: TrainingHours) -> str:
    """Return how much of the week the training takes; from 30 hours on it is full time."""
    return f"{'Temps plein' if hours.weekly >= 30 else 'Temps partiel'}, {hours.weekly}\u202fh par semaine"


def immersion(hours: TrainingHours) -> str:
    """Return the hours in company, or that there are none."""
    return f"{hours.company}\u202fh d’immersion en entreprise" if hours.company else "aucune période en entreprise"


def teaching_mode(hours: TrainingHours) -> str:
    """Return LHÉO's code: 0 in presence, 1 mixed, 2 at a distance."""
    if not hours.distance:
        return "0"
    return "2" if hours.distance >= hours.centre else "1"


def date8(day: dt.date) -> str:
    """Return a date as LHÉO writes it, AAAAMMJJ."""
    return day.strftime("%Y%m%d")


def readable(text: str) -> str:
    """Return a text with a space for every character that XML 1.0 cannot carry."""
    return _UNFIT.sub(" ", text)


_UNFIT: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
