"""A small schema of LHÉO 2.3 of our own, written from the public XSD: order, cardinalities, lengths, lists, real dates.

It needs no XSD, and knows more than the XSD in one thing: a date must be one (20221332 is not).
Elements that publication never writes are not in it, and are objected to.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

NAMESPACE: Final = "{http://lheo.gouv.fr/2.3}"
MANY: Final = 10_000
Facet = Callable[[str], bool]


@dataclass(frozen=True)
class Child:
    """One place in a sequence: the element's name, how often it must and may stand there."""

    name: str
    least: int
    most: int


def _children(text: str) -> tuple[Child, ...]:
    """Read `name` (exactly one), `name?` (at most one), `name*`, `name+`, `name{least,most}`."""
    counts = {"": (1, 1), "?": (0, 1), "*": (0, MANY), "+": (1, MANY)}
    found = []
    for word in text.split():
        match = re.fullmatch(r"([A-Za-z-]+)([?*+]?)(?:\{([0-9]+),([0-9]+)\})?", word)
        assert match, "the table below is well formed"
        least, most = (int(match[3]), int(match[4])) if match[3] else counts[match[2]]
        found.append(Child(match[1], least, most))
    return tuple(found)


_EXTRAS: Final = " extras*"
STRUCTURE: Final[Mapping[str, tuple[Child, ...]]] = {
    name: _children(children)
    for name, children in {
        "lheo": "offres" + _EXTRAS,
        "offres": "formation+" + _EXTRAS,
        "formation": "domaine-formation intitule-formation objectif-formation resultats-attendus contenu-formation certifiante "
        "contact-formation+ parcours-de-formation code-niveau-entree objectif-general-formation? certification{0,5} action+ "
        "organisme-formation-responsable" + _EXTRAS,
        "domaine-formation": "code-FORMACODE{0,5} code-NSF{0,3} code-ROME{0,5}" + _EXTRAS,
        "contact-formation": "type-contact? coordonnees" + _EXTRAS,
        "contact-organisme": "type-contact? coordonnees" + _EXTRAS,
        "coordonnees": "civilite? nom? prenom? ligne{0,3} adresse? courriel?" + _EXTRAS,
        "certification": "code-RNCP? code-CERTIFINFO? code-RS?" + _EXTRAS,
        "action": "rythme-formation code-public-vise{1,10} info-public-vise? niveau-entree-obligatoire modalites-alternance "
        "modalites-enseignement conditions-specifiques prise-en-charge-frais-possible lieu-de-formation* "
        "modalites-entrees-sorties session+ adresse-information? date-information{0,3} langue-formation{0,5} "
        "modalites-recrutement? modalites-pedagogiques? frais-restants? code-perimetre-recrutement? "
        "infos-perimetre-recrutement? nombre-heures-centre? nombre-heures-entreprise? nombre-heures-total? "
        "detail-conditions-prise-en-charge? conventionnement? duree-conventionnee? organisme-formateur* "
        "organisme-financeur{0,8}" + _EXTRAS,
        "lieu-de-formation": "SIRET-lieu-formation? coordonnees" + _EXTRAS,
        "SIRET-lieu-formation": "SIRET" + _EXTRAS,
        "adresse": "denomination? ligne{1,4} codepostal ville departement? code-INSEE-commune? code-INSEE-canton? region? pays?"
        + _EXTRAS,
        "session": "periode adresse-inscription modalites-inscription? periode-inscription? etat-recrutement? recrutement* cycle*"
        + _EXTRAS,
        "periode": "debut fin" + _EXTRAS,
        "periode-inscription": "periode",
        "adresse-inscription": "adresse" + _EXTRAS,
        "adresse-information": "adresse" + _EXTRAS,
        "date-information": "date" + _EXTRAS,
        "recrutement": "modalite-recrutement code-perimetre-recrutement? infos-perimetre-recrutement? a-distance? adresse? "
        "nb-places? periode? heure-debut? heure-fin? commentaire?" + _EXTRAS,
        "cycle": "type-cycle annee-cycle* effectif-minimal? capacite-simultanee? capacite-cumulee?" + _EXTRAS,
        "organisme-formateur": "SIRET-formateur raison-sociale-formateur" + _EXTRAS,
        "SIRET-formateur": "SIRET" + _EXTRAS,
        "organisme-financeur": "code-financeur nb-places-financees?" + _EXTRAS,
        "organisme-formation-responsable": "numero-activite SIRET-organisme-formation nom-organisme raison-sociale "
        "coordonnees-organisme contact-organisme+ renseignements-specifiques?" + _EXTRAS,
        "SIRET-organisme-formation": "SIRET" + _EXTRAS,
        "coordonnees-organisme": "coordonnees" + _EXTRAS,
    }.items()
}


def _length(least: int, most: int) -> Facet:
    return lambda text: least <= len(text) <= most


def _one_of(*values: str) -> Facet:
    return frozenset(values).__contains__


def _numbers(last: int, *more: int) -> Facet:
    return _one_of(*(str(n) for n in (*range(last + 1), *more)))


def _whole(text: str) -> bool:
    return bool(re.fullmatch(r"-?[0-9]{1,18}", text))


def real_date(text: str) -> bool:
    """Return whether this is a date LHÉO may carry: a real AAAAMMJJ, a month (AAAAMM00), or one of the two unknowns."""
    if text in ("00000000", "99999999"):
        return True
    if not re.fullmatch(r"[0-9]{8}", text):
        return False
    try:
        dt.date(int(text[:4]), int(text[4:6]), int(text[6:]) or 1)
    except ValueError:
        return False
    return True


_LONG: Final = _length(1, 3000)
_FLAG: Final = _one_of("0", "1")
_LEVEL: Final = _numbers(8, *range(11, 19))
FACETS: Final[Mapping[str, Facet]] = {
    "intitule-formation": _length(1, 255),
    **dict.fromkeys(("objectif-formation", "resultats-attendus", "contenu-formation", "rythme-formation"), _LONG),
    **dict.fromkeys(("modalites-alternance", "conditions-specifiques"), _LONG),
    **dict.fromkeys(
        ("certifiante", "niveau-entree-obligatoire", "prise-en-charge-frais-possible", "a-distance"), _FLAG
    ),
    **dict.fromkeys(("modalites-entrees-sorties", "conventionnement", "type-cycle"), _FLAG),
    "type-contact": _numbers(14),
    "parcours-de-formation": _one_of("1", "2", "3", "4"),
    "code-niveau-entree": _LEVEL,
    "objectif-general-formation": _one_of("1", "2", "3", "4", "5", "6", "7", "8", "9"),
    **dict.fromkeys(
        ("code-FORMACODE", "code-ROME", "code-public-vise", "codepostal", "code-INSEE-commune"), _length(5, 5)
    ),
    "code-NSF": _length(3, 3),
    **dict.fromkeys(("code-RNCP", "code-CERTIFINFO"), _length(1, 10)),
    "code-RS": _length(3, 10),
    "modalites-enseignement": _one_of("0", "1", "2"),
    **dict.fromkeys(("debut", "fin", "date"), real_date),
    "etat-recrutement": _one_of("1", "2", "3"),
    "modalite-recrutement": _numbers(9),
    "code-perimetre-recrutement": _numbers(6),
    "infos-perimetre-recrutement": _length(0, 50),
    **dict.fromkeys(("heure-debut", "heure-fin"), _length(2, 5)),
    "commentaire": _length(1, 500),
    **dict.fromkeys(("nb-places", "nb-places-financees", "annee-cycle", "effectif-minimal"), _whole),
    **dict.fromkeys(("capacite-simultanee", "capacite-cumulee", "duree-conventionnee"), _whole),
    **dict.fromkeys(("nombre-heures-centre", "nombre-heures-entreprise", "nombre-heures-total"), _whole),
    "detail-conditions-prise-en-charge": _length(1, 600),
    "frais-restants": _length(0, 200),
    "modalites-recrutement": _length(0, 3000),
    "modalites-pedagogiques": _length(0, 200),
    "langue-formation": _length(2, 2),
    "code-financeur": _numbers(20),
    "numero-activite": _length(11, 11),
    "SIRET": _length(14, 14),
    **dict.fromkeys(("nom-organisme", "raison-sociale"), _length(1, 250)),
    "raison-sociale-formateur": _length(0, 250),
    **dict.fromkeys(("info-public-vise",), _length(1, 250)),
    **dict.fromkeys(("modalites-inscription", "denomination"), _length(1, 255)),
    **dict.fromkeys(("ligne", "ville", "nom", "prenom", "civilite"), _length(1, 50)),
    "departement": _length(2, 3),
    "code-INSEE-canton": _length(4, 5),
    **dict.fromkeys(("region", "pays"), _length(2, 2)),
    "courriel": _length(3, 160),
    "renseignements-specifiques": _length(0, 3000),
}


def objections(document: bytes) -> list[str]:
    """Return what a LHÉO document has against it, one sentence per fault with the element's path; empty where it conforms."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=True)
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError:
        return ["the document is not well-formed XML"]
    if root.tag != f"{NAMESPACE}lheo":
        return ["the root is not lheo in the namespace of LHÉO 2.3"]
    return list(_faults(root, "lheo"))


def _faults(element: etree._Element, path: str) -> Iterator[str]:
    name = _name(element)
    if name in STRUCTURE:
        yield from _order(element, STRUCTURE[name], path)
    elif name in FACETS:
        if len(element) or not FACETS[name](element.text or ""):
            yield f"{path}: its text is not one that LHÉO allows"
    elif name not in ("extras", "extra"):
        yield f"{path}: not an element of this schema"
        return
    for child in element:
        yield from _faults(child, f"{path}/{_name(child)}")
    if name == "periode" and [c.text or "" for c in element] != sorted(c.text or "" for c in element):
        yield f"{path}: its end is before its start"


def _order(element: etree._Element, sequence: tuple[Child, ...], path: str) -> Iterator[str]:
    names = [_name(child) for child in element]
    for place in sequence:
        count = 0
        while names and names[0] == place.name:
            names.pop(0)
            count += 1
        if not place.least <= count <= place.most:
            yield f"{path}: {place.name} stands {count} times, not {place.least} to {place.most}"
    if names:
        yield f"{path}: {names[0]} stands where it may not"


def _name(element: etree._Element) -> str:
    tag = element.tag
    return tag.removeprefix(NAMESPACE) if isinstance(tag, str) else "comment"
