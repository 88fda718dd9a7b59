"""Texts that people write freely, marked as such: what may not stand in them, and what looks like a person's name.

The mark changes nothing for readers: an event that lies in the log is read whatever its texts hold. The edges refuse
(`shared/personal_data.py`), so that nothing of the kind gets in; the domains warn about names.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Annotated, Any, Final

from pydantic import Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema


class Free:
    """The mark of a text that a person writes: no e-mail address, telephone number or NIR may stand in it.

    `numbers` False: a code that a system gives, where any ten digits may stand and say nothing; only addresses are looked for.
    """

    def __init__(self, numbers: bool = True) -> None:
        self.numbers = numbers

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Say so in the documents too."""
        return {**handler(schema), "x-free-text": True}


FREE: Final = Free()
CODE: Final = Free(numbers=False)
FreeText = Annotated[str, FREE]
Label = Annotated[str, Field(min_length=1, max_length=250), FREE]
Text = Annotated[str, Field(min_length=1, max_length=3000), FREE]
Reason = Annotated[str, Field(min_length=1, max_length=500), FREE]

_TITLE: Final = r"\b(?:M\.|MM\.|Mr\.?|Mme|Mmes|Mlle|Monsieur|Madame|Mademoiselle|Dr\.?|Docteur|Me|Maître|Pr\.)"
_WORD: Final = r"[A-ZÀ-ÖØ-Þ][A-Za-zÀ-ÖØ-öø-ÿ’'-]{1,40}"
_PARTICLE: Final = r"(?:(?:de|du|des|d’|d'|le|la|van|von|el|ben)[ ]?){0,2}"
_NO_NAMES: Final = r"(?:Monsieur|Madame|Mesdames|Messieurs|Mademoiselle|Maire|Ministre)\b|Direct|Présid|Préf|Chef|Respons|Déléguée?|Recteur"
_WITH_TITLE: Final = re.compile(rf"{_TITLE}[ ]{{1,3}}{_PARTICLE}(?!(?:{_NO_NAMES})){_WORD}")
_ROLE: Final = (
    r"(?i:\b(?:contact(?:er|ez)?|référente?|interlocut(?:eur|rice)|responsable|conseill(?:er|ère)|formateur|formatrice"
    r"|suivie? par|animée? par|auprès de|s[’']adresser à|votre correspondante?))"
)
_ROLE_HINTS: Final = (
    "contact", "référent", "interlocut", "responsable", "conseill", "formateur", "formatrice", "suivi", "animé", "auprès",
    "adresser", "correspondant",
)  # fmt: skip
"""Without one of these no role stands in a text: most texts are done with that."""
_GIVEN_NAME: Final = r"[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]{1,20}(?:-[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]{1,20})?"
_CAPITALS: Final = r"[A-ZÀ-ÖØ-Þ]{2,}(?:[’'-][A-ZÀ-ÖØ-Þ]{2,}){0,2}\b"
_ORGANISATION: Final = (
    r"(?!(?:Pôle|France|Mission|Cap|Carif|Région|Greta|Afpa|Agence|Maison|Espace|Service|Centre|Direction|Chambre|Conseil"
    r"|Ville|Lycée|Campus|Institut|École|Ecole|Accueil|Groupe|Association|Opco|Branche|Site|Pays|Union|Plateforme)\b)"
)
_BY_ROLE: Final = re.compile(rf"{_ROLE}[ ]{{0,2}}:?[ ]{{0,2}}{_ORGANISATION}{_GIVEN_NAME}[ ]{_PARTICLE}{_CAPITALS}")
_WORDS: Final = re.compile(r"[a-z0-9]+")
_BY_COLON: Final = re.compile(rf"{_ROLE}[ ]{{0,2}}:[ ]{{0,2}}{_ORGANISATION}{_GIVEN_NAME}[ ]{_GIVEN_NAME}\b")


def names_a_person(text: str) -> bool:
    """Return whether a text seems to name a person: a title and a capitalised word, or `contact : Prénom NOM`.

    Not seen: a bare first and last name, names without capitals. Seen wrongly: places called after somebody
    (« lycée Monsieur Vincent »); hence a warning, never a refusal.
    """
    spaced = " ".join(text.split())
    if _WITH_TITLE.search(spaced):
        return True
    small = spaced.lower()
    return any(hint in small for hint in _ROLE_HINTS) and any(p.search(spaced) for p in (_BY_ROLE, _BY_COLON))


def fields_naming_a_person(texts: Iterable[tuple[str, str]]) -> list[str]:
    """Return the fields, of (field, text) pairs, whose text seems to name a person."""
    return [field for field, text in texts if names_a_person(text)]


def folded(text: str) -> str:
    """Return the words of a text without accents, case and marks, one space between them: what two spellings have in common."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("œ", "oe").replace("æ", "ae"))
    return " ".join(_WORDS.findall("".join(sign for sign in plain if not unicodedata.combining(sign))))
