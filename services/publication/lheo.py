"""The catalogue in LHÉO 2.3: one formation per fiche with its listed sessions. Pure: facts in, XML out.

The budget is not public and is never written. Elements carry no namespace of their own: they stand inside `PROLOGUE`, whose
default namespace is theirs; that way each formation is made, written and forgotten alone, whatever the size of the catalogue.
"""

import datetime as dt
import textwrap
from collections.abc import Sequence
from typing import Final

from lxml import etree

from services.publication import lheo_words as words
from services.publication.domain.facts import FicheFacts
from services.publication.domain.lifecycle import SessionStatus
from services.publication.domain.session import CatalogueSession
from shared.contracts.fiche import Address, FicheContent, InformationMeeting
from shared.contracts.references import OPCOS

NAMESPACE: Final = "http://lheo.gouv.fr/2.3"
PROLOGUE: Final = f'<?xml version="1.0" encoding="UTF-8"?>\n<lheo xmlns="{NAMESPACE}"><offres>\n'.encode()
EPILOGUE: Final = b"</offres></lheo>\n"
RECRUITMENT_STATE: Final = {SessionStatus.PUBLISHED: "1", SessionStatus.FULL: "2", SessionStatus.SUSPENDED: "3"}
FORMACODE_VERSION: Final = "V14"
ROME_VERSION: Final = "V4"
_OPCO_CONTACT, _PROVIDER_CONTACT = "7", "3"
_COLLECTIVE_INFORMATION: Final = "9"
_REGION, _COUNTRY, _REGIONAL = "28", "FR", "3"
_OPCO_FUNDER, _FRANCE_TRAVAIL_FUNDER = "16", "4"


def formation_xml(facts: FicheFacts, sessions: Sequence[CatalogueSession]) -> bytes:
    """Return the `formation` of a fiche with these listed sessions (at least one), as UTF-8 on one line."""
    return etree.tostring(formation(facts, sessions), encoding="utf-8") + b"\n"


def formation(facts: FicheFacts, sessions: Sequence[CatalogueSession]) -> etree._Element:
    """Return the `formation` element of a fiche; ValueError where its content or its sessions are missing."""
    content = facts.content
    if content is None or not sessions:
        raise ValueError("a fiche in the catalogue has a content and at least one session")
    changed = max((s.changed_at for s in sessions if s.changed_at), default=None)
    root = _stamped(etree.Element("formation", numero=f"F-{facts.id}"), changed)
    _domain(root, content)
    _add(root, "intitule-formation", words.title(content))
    _add(root, "objectif-formation", content.objective)
    _add(root, "resultats-attendus", words.expected_results(content))
    _add(root, "contenu-formation", content.contents)
    _add(root, "certifiante", "1" if content.certification else "0")
    _contact(root, "contact-formation", _OPCO_CONTACT, name=OPCOS.get(facts.opco, facts.opco), mail=content.contact)
    _contact(root, "contact-formation", _PROVIDER_CONTACT, name=content.provider.name)
    _add(root, "parcours-de-formation", "1")
    _add(root, "code-niveau-entree", "1")
    _add(root, "objectif-general-formation", "6" if content.certification else "7")
    _certification(root, content)
    _action(root, facts, content, sessions, changed)
    _provider(root, content)
    return root


def _domain(parent: etree._Element, content: FicheContent) -> None:
    domain = _add(parent, "domaine-formation")
    for index, code in enumerate(content.formacodes):
        element = _add(domain, "code-FORMACODE", code, ref=FORMACODE_VERSION)
        if index == 0:
            element.set("tag", "principal")
    for code in content.nsf:
        _add(domain, "code-NSF", code)
    _add(domain, "code-ROME", content.rome, ref=ROME_VERSION)


def _certification(parent: etree._Element, content: FicheContent) -> None:
    held = content.certification
    if held is None or not (held.rncp or held.certifinfo or held.rs):
        return
    element = _add(parent, "certification")
    if held.rncp:
        _add(element, "code-RNCP", "RNCP" + held.rncp.removeprefix("RNCP"))
    if held.certifinfo:
        _add(element, "code-CERTIFINFO", held.certifinfo)
    if held.rs:
        _add(element, "code-RS", "RS" + held.rs.removeprefix("RS"))


def _action(
    parent: etree._Element,
    facts: FicheFacts,
    content: FicheContent,
    sessions: Sequence[CatalogueSession],
    changed: dt.datetime | None,
) -> None:
    action = _stamped(_add(parent, "action", numero=f"A-{facts.id}"), changed)
    _add(action, "rythme-formation", words.rhythm(content.hours))
    for code in content.audiences:
        _add(action, "code-public-vise", code, ref=FORMACODE_VERSION)
    _add(action, "niveau-entree-obligatoire", "0")
    _add(action, "modalites-alternance", words.immersion(content.hours))
    _add(action, "modalites-enseignement", words.teaching_mode(content.hours))
    _add(action, "conditions-specifiques", content.prerequisites or words.NONE)
    _add(action, "prise-en-charge-frais-possible", "1")
    _place(action, content)
    _add(action, "modalites-entrees-sorties", "0")
    for session in sessions:
        _session(action, facts, content, session)
    for day in sorted({m.on for s in sessions for m in s.plan.meetings})[:3]:
        _add(_add(action, "date-information"), "date", words.date8(day))
    _add(action, "langue-formation", "FR")
    _add(action, "modalites-recrutement", words.RECRUITMENT)
    _add(action, "frais-restants", words.NOTHING_TO_PAY)
    _add(action, "code-perimetre-recrutement", _REGIONAL)
    _hours(action, content)
    _funders(action, facts, content, sum(s.plan.seats for s in sessions))
    _extras(action, facts, content)


def _place(parent: etree._Element, content: FicheContent) -> None:
    place = _add(parent, "lieu-de-formation", tag="principal")
    address = _address(_add(place, "coordonnees"), content.place.address)
    _add(address, "departement", _department(content.place.insee))
    _add(address, "code-INSEE-commune", content.place.insee)
    _add(address, "region", _REGION)
    _add(address, "pays", _COUNTRY)


def _session(parent: etree._Element, facts: FicheFacts, content: FicheContent, session: CatalogueSession) -> None:
    plan, validated = session.plan, facts.validation.validated_on
    element = _stamped(_add(parent, "session", numero=f"S-{session.id}"), session.changed_at)
    _period(element, plan.start, plan.end)
    _address(_add(element, "adresse-inscription"), content.provider.address)
    closes = plan.start - dt.timedelta(words.ENROLMENT_CLOSES_DAYS)
    if validated and validated <= closes:
        _period(_add(element, "periode-inscription"), validated, closes)
    _add(element, "etat-recrutement", RECRUITMENT_STATE[session.status])
    for meeting in plan.meetings:
        _meeting(element, content, meeting)
    cycle = _add(element, "cycle")
    _add(cycle, "type-cycle", "0")
    _add(cycle, "effectif-minimal", str(plan.minimum))
    _add(cycle, "capacite-simultanee", str(plan.seats))
    _add(cycle, "capacite-cumulee", str(plan.seats))
    extras = _add(element, "extras", info="poec")
    _add(extras, "extra", str(plan.minimum), info="effectif-minimal")
    _add(extras, "extra", str(plan.seats), info="places-prevues")


def _meeting(parent: etree._Element, content: FicheContent, meeting: InformationMeeting) -> None:
    element = _add(parent, "recrutement")
    _add(element, "modalite-recrutement", _COLLECTIVE_INFORMATION)
    _add(element, "code-perimetre-recrutement", _REGIONAL)
    _add(element, "a-distance", "0")
    where, home = _add(element, "adresse"), content.place.address
    _add(where, "denomination", meeting.place)
    for line in textwrap.wrap(words.readable(meeting.place), 50)[:4] or list(home.lines):
        _add(where, "ligne", line)
    _add(where, "codepostal", home.postal_code)
    _add(where, "ville", home.city)
    _add(element, "nb-places", str(meeting.seats))
    _period(element, meeting.on, meeting.on)
    _add(element, "heure-debut", meeting.starts_at)
    _add(element, "commentaire", f"Public\u202f: {meeting.audience}")


def _hours(parent: etree._Element, content: FicheContent) -> None:
    hours = content.hours
    _add(parent, "nombre-heures-centre", str(hours.centre))
    _add(parent, "nombre-heures-entreprise", str(hours.company))
    _add(parent, "nombre-heures-total", str(hours.total))
    _add(parent, "detail-conditions-prise-en-charge", words.FUNDING)
    _add(parent, "conventionnement", "1")
    _add(parent, "duree-conventionnee", str(hours.total))


def _funders(parent: etree._Element, facts: FicheFacts, content: FicheContent, seats: int) -> None:
    trainer = _add(parent, "organisme-formateur")
    _add(_add(trainer, "SIRET-formateur"), "SIRET", content.provider.siret)
    _add(trainer, "raison-sociale-formateur", content.provider.name)
    opco = _add(parent, "organisme-financeur")
    _add(opco, "code-financeur", _OPCO_FUNDER)
    _add(opco, "nb-places-financees", str(seats))
    extras = _add(opco, "extras", info="specificites")
    _add(extras, "extra", "POEC", info="programme-financeur")
    _add(extras, "extra", OPCOS.get(facts.opco, facts.opco), info="opco")
    if content.money.france_travail:
        _add(_add(parent, "organisme-financeur"), "code-financeur", _FRANCE_TRAVAIL_FUNDER)


def _extras(parent: etree._Element, facts: FicheFacts, content: FicheContent) -> None:
    said = facts.validation
    own = {
        "numero-fiche": facts.reference,
        "idcc": content.branch_idcc,
        "derogation": content.derogation.reference if content.derogation else None,
        "reference-validation": said.reference,
        "validee-par": said.validated_by,
        "validee-le": said.validated_on and words.date8(said.validated_on),
    }
    extras = _add(parent, "extras", info="poec")
    for name, value in own.items():
        if value:
            _add(extras, "extra", value, info=name)
    _add(_add(parent, "extras", info="duree-hebdo"), "extra", str(content.hours.weekly), info="duree-hebdo")


def _provider(parent: etree._Element, content: FicheContent) -> None:
    provider = content.provider
    element = _add(parent, "organisme-formation-responsable", numero=f"OR-{provider.siret}")
    _add(element, "numero-activite", provider.nda)
    _add(_add(element, "SIRET-organisme-formation"), "SIRET", provider.siret)
    _add(element, "nom-organisme", provider.name)
    _add(element, "raison-sociale", provider.name)
    _address(_add(_add(element, "coordonnees-organisme"), "coordonnees"), provider.address)
    _contact(element, "contact-organisme", _PROVIDER_CONTACT, name=provider.name)


def _contact(parent: etree._Element, tag: str, kind: str, *, name: str, mail: str | None = None) -> None:
    contact = _add(parent, tag)
    _add(contact, "type-contact", kind)
    details = _add(contact, "coordonnees")
    _add(details, "nom", name[:50])
    if mail:
        _add(details, "courriel", mail)


def _address(parent: etree._Element, address: Address) -> etree._Element:
    element = _add(parent, "adresse")
    for line in address.lines:
        _add(element, "ligne", line)
    _add(element, "codepostal", address.postal_code)
    _add(element, "ville", address.city)
    return element


def _period(parent: etree._Element, start: dt.date, end: dt.date) -> None:
    period = _add(parent, "periode")
    _add(period, "debut", words.date8(start))
    _add(period, "fin", words.date8(end))


def _department(insee: str) -> str:
    return insee[:3] if insee.startswith("97") else insee[:2]


def _stamped(element: etree._Element, changed: dt.datetime | None) -> etree._Element:
    if changed:
        element.set("horodatage-modification", changed.astimezone(dt.UTC).isoformat(timespec="seconds"))
    return element


def _add(parent: etree._Element, name: str, text: str | None = None, /, **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, name, attributes)
    if text is not None:
        element.text = words.readable(text)
    return element
