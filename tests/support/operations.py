"""Which operation of the policy table each door asks: a route, a command or an event by Kafka, a command of `poec`.

A door that is not here fails the tests: whoever adds a route, a topic or a command writes its row.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from services.publication.domain import lifecycle as publication
from services.submission.domain import lifecycle as submission
from services.submission.domain.fiche import Status as FicheStatus
from services.validation.domain import lifecycle as validation
from services.validation.domain.dossier import Status as DossierStatus
from shared.contracts.flow import INGRESS_SERVICE, SERVICES, TOPICS, anchors_topic, dead_letters_topic
from shared.contracts.ingress import ENTRY_COMMANDS, OPCO_COMMANDS, Command
from shared.contracts.references import FRANCE_TRAVAIL, OPCOS

HEALTH: Final = frozenset({"GET /livez", "GET /readyz", "GET /metrics"})
"""Asked by probes that hold no token; they say nothing of a fiche and do nothing for anybody."""
DOCUMENT: Final = frozenset({"GET /openapi.json"})
"""What the doors are, the same for everybody, as it is in the repository."""
SIGN_IN: Final = frozenset({"GET /sign-in", "GET /sign-in/callback", "POST /sign-out", "GET /sign-out"})
"""Asked by browsers of people who are nobody yet, or who stop being somebody: a session is ended whatever one's roles became."""
FRAME: Final = frozenset({"GET /accessibilite", "GET /mentions-legales", "GET /static/{name}"})
"""What pages are made of, the same for everybody and about nobody."""
OPEN: Final = HEALTH | SIGN_IN
"""Routes that ask the policy table nothing."""
EVERY_SERVICE: Final[Mapping[str, str]] = {
    "GET /dead-letters": "read_dead_letters",
    "GET /dead-letters/{letter}": "read_dead_letters",
    "POST /dead-letters/{letter}/replay": "replay_dead_letter",
    "POST /dead-letters/{letter}/discard": "discard_dead_letter",
    "GET /me": "read_own_account",
    "GET /principals": "read_principals",
    "PUT /principals": "manage_principals",
    "GET /principals/{pseudonym}/person": "export_person",
    "DELETE /principals/{pseudonym}/person": "erase_person",
}
"""Routes that every service has."""
OWN: Final[Mapping[str, Mapping[str, str]]] = {
    "submission": {
        "POST /fiches": "submit_fiche",
        "POST /fiches/check": "check_fiche",
        "POST /fiches/intentions": "preprogramme_fiche",
        "POST /fiches/drafts": "draft_fiche",
        "POST /fiches/{fiche_id}/renewal": "renew_fiche",
        "GET /fiches/{fiche_id}/retroplanning": "read_fiche",
        "POST /templates": "keep_templates",
        "GET /templates": "keep_templates",
        "GET /templates/{template_id}": "keep_templates",
        "POST /templates/{template_id}/deletion": "keep_templates",
        "POST /templates/{template_id}/draft": "draft_fiche",
        "GET /fiches": "read_fiche",
        "GET /fiches/counts": "read_fiche",
        "GET /fiches/{fiche_id}": "read_fiche",
        "GET /fiches/{fiche_id}/versions": "read_fiche",
        "GET /fiches/{fiche_id}/versions/{revision}": "read_fiche",
        "GET /fiches/{fiche_id}/versions/{revision}/differences/{other}": "read_fiche",
        "POST /fiches/{fiche_id}/completion": "complete_fiche",
        "POST /fiches/{fiche_id}/amendment": "amend_fiche",
        "POST /fiches/{fiche_id}/adaptation/acceptance": "accept_adaptation",
        "POST /fiches/{fiche_id}/adaptation/refusal": "decline_adaptation",
        "POST /fiches/{fiche_id}/adaptation/counter-proposal": "counter_propose",
        "POST /fiches/{fiche_id}/programmation": "confirm_programmation",
        "POST /fiches/{fiche_id}/withdrawal": "withdraw_fiche",
        "POST /fiches/{fiche_id}/sessions/{number}/engagement": "engage_session",
        "POST /fiches/{fiche_id}/sessions/{number}/postponement": "postpone_session",
        "POST /fiches/{fiche_id}/sessions/{number}/cancellation": "cancel_session",
        "POST /fiches/{fiche_id}/sessions/{number}/placements": "return_placements",
        "POST /imports": "import_fiches",
        "GET /imports": "read_imports",
        "GET /imports/columns": "read_imports",
        "GET /imports/template.xlsx": "read_imports",
        "GET /imports/template.csv": "read_imports",
        "GET /imports/{import_id}": "read_imports",
        "GET /imports/{import_id}/lines": "read_imports",
        "GET /imports/{import_id}/report.csv": "read_imports",
        "GET /imports/{import_id}/report.xlsx": "read_imports",
        "GET /partners": "read_references",
        "POST /partners": "manage_partners",
        "GET /partners/{partner_id}": "read_references",
        "POST /partners/{partner_id}/sheet": "manage_partners",
        "POST /partners/{partner_id}/retirement": "manage_partners",
        "GET /references": "read_references",
        "GET /references/{name}": "read_references",
        "GET /campaigns": "read_yearbook",
        "POST /campaigns": "manage_yearbook",
        "GET /campaigns/{campaign_id}": "read_yearbook",
        "GET /campaigns/{campaign_id}/history": "read_yearbook",
        "POST /campaigns/{campaign_id}/dates": "manage_yearbook",
        "POST /campaigns/{campaign_id}/extensions": "manage_yearbook",
        "GET /conferences": "read_yearbook",
        "POST /conferences": "manage_yearbook",
        "GET /conferences/{conference_id}": "read_yearbook",
        "GET /conferences/{conference_id}/history": "read_yearbook",
        "POST /conferences/{conference_id}/corrections": "manage_yearbook",
        "GET /programmes/{year}": "read_yearbook",
        "GET /programmes/{year}/revisions": "read_yearbook",
        "GET /programmes/{year}/revisions/{revision}": "read_yearbook",
        "POST /programmes/{year}/revisions": "manage_yearbook",
        "GET /programmes/{year}/deliveries": "read_yearbook",
        "GET /programmes/{year}/deliveries/history": "read_yearbook",
        "POST /programmes/{year}/deliveries": "declare_projects",
        "GET /declarations/{year}": "read_yearbook",
        "GET /declarations/{year}/history": "read_yearbook",
        "POST /declarations": "declare_projects",
    },
    "validation": {
        "GET /dossiers": "read_dossier",
        "GET /dossiers/{fiche_id}": "read_dossier",
        "POST /dossiers/{fiche_id}/completion-request": "ask_completion",
        "POST /dossiers/{fiche_id}/adaptation": "propose_adaptation",
        "POST /dossiers/{fiche_id}/avis": "give_avis",
        "POST /dossiers/{fiche_id}/avis/correction": "correct_avis",
        "POST /dossiers/{fiche_id}/validation": "validate_fiche",
        "POST /dossiers/{fiche_id}/refusal": "refuse_fiche",
    },
    "publication": {
        "POST /sessions/{session_id}/ais": "record_ais",
        "POST /sessions/{session_id}/ais-cancellations": "cancel_ais",
        "POST /sessions/{session_id}/aes": "record_aes",
        "GET /sessions": "read_sessions",
        "GET /sessions/{session_id}": "read_sessions",
        "GET /check": "check_validation",
        "GET /catalogue.xml": "read_catalogue",
    },
    "analytics": {
        "GET /counts": "read_counts",
        "GET /bilan/{year}": "read_counts",
        "GET /recount": "recount",
    },
}
"""Each service's own routes."""
PAGES_OF_EVERY_SERVICE: Final[Mapping[str, str]] = {"GET /": "read_own_account"}
"""Where one starts: open to who is not signed in, who sees how to sign in."""


def _form(path: str, operation: str) -> dict[str, str]:
    """Return the two rows of a form: the page that shows it, and what takes it."""
    return {f"GET {path}": operation, f"POST {path}": operation}


PAGES: Final[Mapping[str, Mapping[str, str]]] = {
    "submission": {
        "GET /espace/fiches": "read_fiche",
        **_form("/espace/fiches/nouvelle", "draft_fiche"),
        **_form("/espace/brouillons/{fiche_id}/{slug}", "draft_fiche"),
        "POST /espace/brouillons/{fiche_id}/{slug}/enregistrement": "draft_fiche",
        **_form("/espace/brouillons/{fiche_id}/abandon", "withdraw_fiche"),
        "GET /espace/modeles": "keep_templates",
        **_form("/espace/modeles/{template_id}/brouillon", "keep_templates"),
        **_form("/espace/modeles/{template_id}/suppression", "keep_templates"),
        **_form("/espace/fiches/{fiche_id}/modele", "keep_templates"),
        "GET /espace/brouillons/{fiche_id}/relire": "check_fiche",
        "POST /espace/brouillons/{fiche_id}/relire": "submit_fiche",
        "GET /espace/listes/communes": "read_references",
        "GET /espace/fiches/{fiche_id}": "read_fiche",
        "GET /espace/fiches/{fiche_id}/versions": "read_fiche",
        **_form("/espace/fiches/{fiche_id}/adaptation/acceptation", "accept_adaptation"),
        **_form("/espace/fiches/{fiche_id}/adaptation/refus", "decline_adaptation"),
        **_form("/espace/fiches/{fiche_id}/adaptation/contre-proposition", "counter_propose"),
        **_form("/espace/fiches/{fiche_id}/programmation", "confirm_programmation"),
        **_form("/espace/fiches/{fiche_id}/reconduction", "renew_fiche"),
        **_form("/espace/fiches/{fiche_id}/retrait", "withdraw_fiche"),
        **_form("/espace/fiches/{fiche_id}/sessions/{number}/engagement", "engage_session"),
        **_form("/espace/fiches/{fiche_id}/sessions/{number}/report", "postpone_session"),
        **_form("/espace/fiches/{fiche_id}/sessions/{number}/annulation", "cancel_session"),
        **_form("/espace/fiches/{fiche_id}/sessions/{number}/bilan", "return_placements"),
        **_form("/espace/fiches/{fiche_id}/contenu", "amend_fiche"),
        **_form("/espace/intentions/nouvelle", "preprogramme_fiche"),
        **_form("/espace/intentions/{fiche_id}", "preprogramme_fiche"),
        "GET /espace/imports": "read_imports",
        "POST /espace/imports": "import_fiches",
        "GET /espace/imports/{import_id}": "read_imports",
        "GET /espace/campagnes": "read_yearbook",
        **_form("/espace/campagnes/nouvelle", "manage_yearbook"),
        "GET /espace/campagnes/{campaign_id}": "read_yearbook",
        **_form("/espace/campagnes/{campaign_id}/dates", "manage_yearbook"),
        **_form("/espace/campagnes/{campaign_id}/prolongation", "manage_yearbook"),
        "GET /espace/conferences": "read_yearbook",
        **_form("/espace/conferences/nouvelle", "manage_yearbook"),
        "GET /espace/conferences/{conference_id}/versions": "read_yearbook",
        **_form("/espace/conferences/{conference_id}/correction", "manage_yearbook"),
        "GET /espace/programmes/{year}/revisions": "read_yearbook",
        **_form("/espace/programmes/{year}/adoption", "manage_yearbook"),
        "GET /espace/programmes": "read_yearbook",
        "GET /espace/programmes/{year}": "read_yearbook",
        **_form("/espace/programmes/{year}/livraison", "declare_projects"),
        "GET /espace/declarations": "read_yearbook",
        "GET /espace/partenaires": "read_references",
        **_form("/espace/partenaires/nouveau", "manage_partners"),
        **_form("/espace/partenaires/{partner_id}", "manage_partners"),
        **_form("/espace/partenaires/{partner_id}/retrait", "manage_partners"),
        "GET /espace/declarations/{year}": "read_yearbook",
        "POST /espace/declarations/{year}": "declare_projects",
    },
    "validation": {},
    "publication": {},
    "analytics": {},
}
"""Each service's pages, `GET /espace/…` and the forms that they post; a page is in no OpenAPI document, so that its row is here."""
COMMANDS: Final[Mapping[type[Command], str]] = {
    command: command.wire_type.split(".")[3] for command in (*OPCO_COMMANDS, *ENTRY_COMMANDS)
}
"""Commands by Kafka; their type names their operation."""
POEC: Final[Mapping[str, Collection[str]]] = {
    "demo": (
        *(operation for operations in OWN.values() for operation in operations.values()),
        "manage_principals",
    ),
    "bench": (
        "submit_fiche",
        "give_avis",
        "validate_fiche",
        "confirm_programmation",
        "record_ais",
        "read_counts",
        "import_fiches",
        "read_imports",
    ),
    "bilan": ("read_counts",),
    "principals": ("read_principals", "manage_principals"),
    "import": ("import_fiches", "submit_fiche", "read_imports", "manage_partners"),
    "person": ("export_person", "erase_person"),
    "dlq": ("read_dead_letters", "replay_dead_letter", "discard_dead_letter"),
}
"""What commands of `poec` ask of the services, through the same doors and with a token as everybody else."""
POEC_ASIDE: Final[Mapping[str, str]] = {
    "up": "starts processes of this machine; its registration goes through `PUT /principals`",
    "down": "stops processes of this machine",
    "status": "asks the health of processes",
    "audit": "reads databases and log with roles of their own that write nothing",
    "tail": "reads topics as `operations`, which the brokers let",
    "topics": "compares the brokers with the tables as their administrator",
    "config": "reads settings",
}
"""Commands of `poec` that ask no service for anything, and why they need not."""


def routes(service: str) -> dict[str, str]:
    """Return a service's routes with their operations, health apart."""
    return {**OWN[service], **EVERY_SERVICE}


def pages(service: str) -> dict[str, str]:
    """Return a service's pages with their operations."""
    return {**PAGES[service], **PAGES_OF_EVERY_SERVICE}


@dataclass(frozen=True)
class Door:
    """One way to an operation: a route of a service, a command on an organisation's topic, an event on a service's topic."""

    operation: str
    service: str
    name: str
    """`POST /fiches`, or `poec.ingress.<opco> SubmitFiche`."""


def http_doors() -> Iterator[Door]:
    """Yield every route of the four services, and every page."""
    for service in SERVICES:
        for name, operation in {**routes(service), **pages(service)}.items():
            yield Door(operation, service, name)


def topic_doors() -> Iterator[Door]:
    """Yield what can be told or asked by each topic that a service reads."""
    for organisation, service in INGRESS_SERVICE.items():
        shown = "<opco>" if organisation in OPCOS else organisation
        for command in ENTRY_COMMANDS if organisation == FRANCE_TRAVAIL else OPCO_COMMANDS:
            yield Door(COMMANDS[command], service, f"poec.ingress.{shown} {command.__name__}")
    for topic in TOPICS:
        for reader in topic.readers:
            if reader in SERVICES and topic.writer in SERVICES:
                yield Door("hear_event", reader, topic.name)


NO_DOOR: Final = {*(dead_letters_topic(name) for name in SERVICES), *(anchors_topic(name) for name in SERVICES)}
"""Topics that no service reads: they ask for nothing."""

AS_THE_SERVICE: Final[Mapping[str, str]] = {
    "read_principals": "the mapping of a sign-in is read by the service's own process alone",
    "manage_principals": "rows are made by the service's own process; the policy table asks for an administrator first",
    "export_person": "what is held of a person is read by the service's own process alone",
    "erase_person": "the same",
    "check_validation": "what was validated is public to everybody who is signed in",
    "read_catalogue": "the catalogue is public to everybody who is signed in",
    "read_counts": "the counts are the same for everybody",
    "recount": "counts everything, and shows differences of counts alone",
}
"""Operations in which a service reads as itself: for these the policy table is the only net, and the reason why it may be."""

LETTERS: Final = ("dead", "replayed", "discarded")
_LETTER: Final[Mapping[str, Collection[str]]] = {
    "replay_dead_letter": LETTERS,
    "discard_dead_letter": ("dead", "discarded"),
}
"""A letter that is settled is only reported; one that was replayed has nothing to discard."""


def _from(steps: Collection[Any], statuses: Collection[StrEnum]) -> Callable[[str], tuple[str, ...] | None]:
    """Return who says from which statuses a command may come, in the order of the statuses."""

    def found(command: str) -> tuple[str, ...] | None:
        rows = [step for step in steps if step.command == command]
        possible = {status for step in rows for status in step.from_statuses}
        return tuple(status.value for status in statuses if status in possible) if rows else None

    return found


STATES: Final[Mapping[str, tuple[str, ...]]] = {
    "submission": tuple(status.value for status in FicheStatus),
    "validation": tuple(status.value for status in DossierStatus),
    "publication": tuple(status.value for status in publication.SessionStatus),
    "analytics": (),
}
"""The states of what each service keeps."""
_LIFECYCLES: Final = (
    _from(submission.COMMANDS, tuple(FicheStatus)),
    _from(validation.COMMANDS, tuple(DossierStatus)),
    _from(publication.TABLE, tuple(publication.SessionStatus)),
    lambda operation: tuple(_LETTER[operation]) if operation in _LETTER else None,
)


def legal_states(operation: str) -> tuple[str, ...] | None:
    """Return in which states of its object an operation may be done, by the lifecycles; None where no state matters."""
    return next((states for lifecycle in _LIFECYCLES if (states := lifecycle(operation)) is not None), None)
