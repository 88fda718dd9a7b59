"""What an error of form is called in French: the rule that was broken, with its limit, and nothing of what was sent."""

import types
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel

from shared.errors import Objection

_WORDS: Final[dict[str, str]] = {
    "missing": "Ce champ est obligatoire\u202f: renseignez-le.",
    "string_too_short": "Ce texte est trop court",
    "string_too_long": "Ce texte est trop long",
    "string_pattern_mismatch": "Ce texte n’a pas la forme attendue",
    "string_type": "Un texte est attendu.",
    "int_type": "Un nombre entier est attendu.",
    "int_parsing": "Un nombre entier est attendu.",
    "int_from_float": "Un nombre entier est attendu.",
    "int_parsing_size": "Ce nombre est trop grand.",
    "float_type": "Un nombre est attendu.",
    "greater_than_equal": "Ce nombre est trop petit",
    "less_than_equal": "Ce nombre est trop grand",
    "enum": "Cette valeur n’est pas dans la liste fermée",
    "literal_error": "Cette valeur n’est pas dans la liste fermée",
    "date_from_datetime_parsing": "Une date est attendue, sous la forme AAAA-MM-JJ.",
    "date_parsing": "Une date est attendue, sous la forme AAAA-MM-JJ.",
    "date_type": "Une date est attendue, sous la forme AAAA-MM-JJ.",
    "uuid_parsing": "Un identifiant UUID est attendu.",
    "uuid_type": "Un identifiant UUID est attendu.",
    "bool_type": "Vrai ou faux est attendu.",
    "bool_parsing": "Vrai ou faux est attendu.",
    "tuple_type": "Une liste est attendue.",
    "too_short": "Cette liste a trop peu d’éléments",
    "too_long": "Cette liste a trop d’éléments",
    "model_type": "Un objet est attendu.",
    "model_attributes_type": "Un objet est attendu.",
}
_FILL_IN: Final = "Renseignez ce champ."
_CHOOSE: Final = "Choisissez une réponse dans la liste."
_NUMBER: Final = "Indiquez un nombre entier, en chiffres."
_DATE: Final = "Indiquez une date (jj/mm/aaaa)."
_YES_OR_NO: Final = "Répondez par oui ou par non."
_TO_PEOPLE: Final[Mapping[str, str]] = {
    "FORM_STRING_TYPE": _FILL_IN,
    "FORM_TUPLE_TYPE": _FILL_IN,
    "FORM_MODEL_TYPE": _FILL_IN,
    "FORM_MODEL_ATTRIBUTES_TYPE": _FILL_IN,
    "FORM_INT_TYPE": _NUMBER,
    "FORM_INT_PARSING": _NUMBER,
    "FORM_INT_FROM_FLOAT": _NUMBER,
    "FORM_FLOAT_TYPE": "Indiquez un nombre.",
    "FORM_ENUM": _CHOOSE,
    "FORM_LITERAL_ERROR": _CHOOSE,
    "FORM_DATE_FROM_DATETIME_PARSING": _DATE,
    "FORM_DATE_PARSING": _DATE,
    "FORM_DATE_TYPE": _DATE,
    "FORM_UUID_PARSING": "Cet identifiant n’est pas reconnu\u202f: reprenez celui de l’annuaire.",
    "FORM_BOOL_TYPE": _YES_OR_NO,
    "FORM_BOOL_PARSING": _YES_OR_NO,
}
"""Code to what a person is told who fills in a form or a table: no code of the contract, dates as they are typed there."""
_LEAST_ONE: Final = frozenset({"FORM_STRING_TOO_SHORT", "FORM_TOO_SHORT"})
_OTHER: Final = "Cette valeur n’a pas la forme attendue"

PATTERNS: Final[dict[str, str]] = {
    r"^[0-9]{3}$": "3 chiffres, par exemple 326",
    r"^[0-9]{4}$": "4 chiffres, par exemple 1501",
    r"^[0-9]{5}$": "5 chiffres, par exemple 14000",
    r"^[0-9]{1,10}$": "1 à 10 chiffres, par exemple 83899",
    r"^[0-9]{14}$": "14 chiffres, sans espace",
    r"^[1-9][0-9]{0,16}$": "un nombre entier positif, sans zéro devant",
    r"^(RNCP)?[0-9]{1,6}$": "1 à 6 chiffres, précédés ou non de RNCP, par exemple RNCP34095",
    r"^(RS)?[0-9]{1,6}$": "1 à 6 chiffres, précédés ou non de RS, par exemple RS5550",
    r"^[0-9AB]{5}$": "5 caractères, chiffres ou A et B pour la Corse, par exemple 14118",
    r"^[A-N][0-9]{4}$": "une lettre de A à N et 4 chiffres, par exemple H3404",
    r"^([01][0-9]|2[0-3]):[0-5][0-9]$": "une heure de 00:00 à 23:59, par exemple 09:30",
    r"^[^@\s]+@[^@\s]+\.[^@\s]+$": "une adresse électronique, par exemple formation@organisme.example",
    r"^[^@\s\x00-\x1f]{1,64}@[a-z0-9.-]{1,189}$": "une adresse électronique, le domaine en minuscules",
    r"^[A-Z][A-Z0-9_]{2,60}$": "3 à 61 majuscules, chiffres ou tirets bas, par exemple PERSON_NAMED",
    r"^[a-z_]{1,40}$": "1 à 40 minuscules ou tirets bas",
    r"^[a-z0-9-]{1,40}$": "1 à 40 minuscules, chiffres ou tirets, par exemple opco-2i",
    r"^20[0-9]{2}-(0[1-9]|1[0-2])$": "une année et un mois, par exemple 2026-03",
    r"^[a-z0-9][a-z0-9_.:-]{0,99}$": "1 à 100 minuscules, chiffres, points, deux-points ou tirets, d’abord une lettre ou un chiffre",
    r"^[a-z0-9][a-z0-9-]{1,59}$": "2 à 60 minuscules, chiffres ou tirets, d’abord une lettre ou un chiffre",
    r"^https?://[^\s@]+$": "une adresse web, par exemple https://organisme.example",
    r"^[0-9a-f]{64}$": "64 chiffres hexadécimaux en minuscules",
    r"^([0-9a-f]{64})?$": "64 chiffres hexadécimaux en minuscules, ou rien",
    "^(dead|replayed|discarded)$": "dead, replayed ou discarded",
}
"""Every pattern of the contracts and bodies, in words; a test compares it with the documents."""

_BOUNDS: Final = {"min_length": "{} {} au moins", "max_length": "{} {} au plus"}
_UNKNOWN_LOOKED_AT: Final = 5
_LONGEST_NAME: Final = 60
_OF_THE_TOKEN: Final = frozenset({"opco", "organisation", "organization", "organisation_id", "opco_id"})


def words_of(kind: str, limits: Mapping[str, str]) -> str:
    """Return the sentence for an error of pydantic's `kind` and its limits, by their names there."""
    said = _WORDS.get(kind, _OTHER).removesuffix(".")
    bounds = [words for name, value in limits.items() if (words := _bound(kind, name, value))]
    if bounds:
        return f"{said}\u202f: {', '.join(bounds)}."
    return f"{said}."


def to_people(objection: Objection) -> Objection:
    """Return an objection of form as it is said to a person at a form or a table; to programs it speaks of the contract."""
    empty = objection.code in _LEAST_ONE and objection.facts.get("min_length") == "1"
    words = _FILL_IN if empty else _TO_PEOPLE.get(objection.code)
    return objection if words is None else replace(objection, message=words)


def _bound(kind: str, name: str, value: str) -> str:
    if name in _BOUNDS:
        thing = "caractère" if kind.startswith("string") else "élément"
        return _BOUNDS[name].format(value, thing if value in ("0", "1") else f"{thing}s")
    if name in ("ge", "le"):
        return f"{value} {'au moins' if name == 'ge' else 'au plus'}"
    if name == "expected":
        return f"parmi {value.replace(' or ', ', ').replace(chr(39), '')}"
    return PATTERNS.get(value, "")


def unknown_fields(model: type[BaseModel] | None, place: Sequence[str | int], names: Sequence[str]) -> Objection:
    """Return the objection to an object that holds fields its contract has not: how many, and which known ones are near.

    `place` leads to the object from `model`. The names were chosen by the sender: none is said, only our own that resemble them.
    """
    what = "Cet objet contient" if place else "La demande contient"
    some = "un champ qui n’existe pas" if len(names) == 1 else f"{len(names)} champs qui n’existent pas"
    message = f"{what} {some} dans le contrat\u202f: "
    message += "retirez-le ou corrigez son nom." if len(names) == 1 else "retirez-les ou corrigez leurs noms."
    facts: dict[str, str | int | bool | None] = {"unknown": len(names)}
    if near := _near(_fields(model_at(model, place)), names[:_UNKNOWN_LOOKED_AT]):
        facts["nearest"] = ", ".join(near)
        message += f" Noms connus les plus proches\u202f: {facts['nearest']}."
    if not place and any(name.lower() in _OF_THE_TOKEN for name in names[:_UNKNOWN_LOOKED_AT]):
        message += " L’organisation est celle du jeton ou du topic\u202f: elle ne se donne pas dans la demande."
    field = ".".join(str(part) for part in place)[:200] or None
    return Objection("FORM_EXTRA_FORBIDDEN", message, field=field, facts=facts)


def _near(known: Sequence[str], names: Sequence[str]) -> list[str]:
    found = [near for name in names for near in get_close_matches(name.lower()[:_LONGEST_NAME], known, n=1)]
    return list(dict.fromkeys(found))


def _fields(model: type[BaseModel] | None) -> list[str]:
    return [] if model is None else [field.alias or name for name, field in model.model_fields.items()]


def model_at(model: Any, place: Sequence[str | int]) -> type[BaseModel] | None:
    """Return the model of the object at `place`; None where it is not one model."""
    found = _models(model)
    for part in place:
        if isinstance(part, int):
            continue  # an element of a list: `_models` looked into it
        found = [inner for one in found for inner in _models(_annotation(one, part))]
    return found[0] if len(found) == 1 else None


def _annotation(model: type[BaseModel], name: str) -> Any:
    fields = (field for own, field in model.model_fields.items() if name in (own, field.alias))
    return next((field.annotation for field in fields), None)


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Return the models that an annotation speaks of, through Annotated, unions and lists."""
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return [annotation] if issubclass(annotation, BaseModel) else []
    origin = get_origin(annotation)
    if origin is Annotated:
        return _models(get_args(annotation)[0])
    if origin in (Union, types.UnionType, tuple, list):
        return [model for inner in get_args(annotation) for model in _models(inner)]
    return []
