"""The one table of who says what to whom: topics, their writers and readers, events and their hearers.

Topics on the broker, AsyncAPI, the picture in the README and the start-up check of every service come from here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from shared.contracts import campaigns as c
from shared.contracts import publication as p
from shared.contracts import submission as s
from shared.contracts import validation as v
from shared.contracts.events import Event
from shared.contracts.publication import PUBLICATION_EVENTS, CatalogueEntry
from shared.contracts.references import CARIF_OREF, FRANCE_TRAVAIL, OPCOS, OPERATIONS

SERVICES: Final = ("submission", "validation", "publication", "analytics")
FOR_EVER: Final = -1
NINETY_DAYS: Final = 90 * 24 * 3600 * 1000


@dataclass(frozen=True)
class Topic:
    """A Kafka topic: its single writer, its readers, partitions, retention in ms (-1: for ever), compaction."""

    name: str
    writer: str
    readers: tuple[str, ...]
    partitions: int = 6
    retention_ms: int = FOR_EVER
    compacted: bool = False


FICHES: Final = "poec.submission.fiches"
CAMPAIGNS: Final = "poec.submission.campaigns"
DOSSIERS: Final = "poec.validation.fiches"
SESSIONS: Final = "poec.publication.sessions"
CATALOGUE: Final = "poec.publication.catalogue"

_BUSINESS: Final = (
    Topic(FICHES, "submission", ("validation", "publication", "analytics")),
    Topic(CAMPAIGNS, "submission", ("analytics",)),
    Topic(DOSSIERS, "validation", ("submission", "publication", "analytics")),
    Topic(SESSIONS, "publication", ("analytics", CARIF_OREF)),
    Topic(CATALOGUE, "publication", (CARIF_OREF,), compacted=True),
)


def ingress_topic(organisation: str) -> str:
    """Return the topic an organisation's systems write to."""
    return f"poec.ingress.{organisation}"


def results_topic(service: str, organisation: str) -> str:
    """Return the topic on which a service answers an organisation."""
    return f"poec.{service}.results.{organisation}"


def dead_letters_topic(service: str) -> str:
    """Return the topic on which a service announces its dead letters."""
    return f"poec.{service}.dead-letters"


def anchors_topic(service: str) -> str:
    """Return the topic on which a service announces the anchors of its audit trail."""
    return f"poec.{service}.anchors"


def _partner_topics(service: str, organisations: Iterable[str]) -> tuple[Topic, ...]:
    return tuple(
        topic
        for organisation in organisations
        for topic in (
            Topic(ingress_topic(organisation), organisation, (service,), partitions=2),
            Topic(results_topic(service, organisation), service, (organisation,), partitions=2),
        )
    )


INGRESS_SERVICE: Final[dict[str, str]] = {**dict.fromkeys(OPCOS, "submission"), FRANCE_TRAVAIL: "publication"}
"""Which service reads an organisation's ingress topic: by the record types it may send."""

TOPICS: Final[tuple[Topic, ...]] = (
    *_BUSINESS,
    *_partner_topics("submission", OPCOS),
    *_partner_topics("publication", (FRANCE_TRAVAIL,)),
    *(
        Topic(dead_letters_topic(name), name, (OPERATIONS,), partitions=1, retention_ms=NINETY_DAYS)
        for name in SERVICES
    ),
    # kept for ever: an anchor is there to be compared years later
    *(Topic(anchors_topic(name), name, (OPERATIONS,), partitions=1) for name in SERVICES),
)

HEARERS: Final[dict[type[Event], tuple[str, ...]]] = {
    s.FichePreprogrammed: ("analytics",),
    s.IntentionDropped: ("analytics",),
    s.FicheSubmitted: ("validation", "publication", "analytics"),
    s.FicheCompleted: ("validation", "publication", "analytics"),
    s.FicheAmended: ("validation", "publication", "analytics"),
    s.AdaptationAccepted: ("validation", "publication", "analytics"),
    s.AdaptationDeclined: ("validation", "analytics"),
    s.CounterProposed: ("validation", "publication", "analytics"),
    s.ProgrammationConfirmed: ("publication", "analytics"),
    s.SessionEngaged: ("publication", "analytics"),
    s.SessionPostponed: ("validation", "publication", "analytics"),
    s.SessionCancelled: ("validation", "publication", "analytics"),
    s.PlacementsReturned: ("analytics",),
    s.FicheWithdrawn: ("validation", "publication", "analytics"),
    c.CampaignOpened: ("analytics",),
    c.CampaignMoved: ("analytics",),
    c.CampaignExtended: ("analytics",),
    c.ProgrammeAdopted: ("analytics",),
    c.ProjectsDeclared: ("analytics",),
    v.DossierOpened: ("submission",),
    v.CompletionAsked: ("submission", "analytics"),
    v.AdaptationProposed: ("submission", "analytics"),
    v.AvisGiven: ("submission", "publication", "analytics"),
    v.AvisLapsed: ("submission", "publication", "analytics"),
    v.FicheValidated: ("submission", "publication", "analytics"),
    v.FicheRefused: ("submission", "publication", "analytics"),
    p.SessionPublished: ("analytics", CARIF_OREF),
    p.SessionFilled: (CARIF_OREF,),
    p.SessionSuspended: ("analytics", CARIF_OREF),
    p.SessionRemoved: ("analytics", CARIF_OREF),
    p.AisRecorded: ("analytics",),
    p.AisCancelled: ("analytics",),
    p.AesRecorded: ("analytics",),
    p.CatalogueEntry: (CARIF_OREF,),
}
"""Event to its hearers; a hearer that is not a service is a partner's system. An event that nobody hears is an error at start."""

EVENT_TYPES: Final[dict[str, type[Event]]] = {event.wire_type: event for event in HEARERS}

assert CatalogueEntry in PUBLICATION_EVENTS


def topic_named(name: str) -> Topic:
    """Return the row of a topic; KeyError for a topic that is not in the table."""
    return _BY_NAME[name]


_BY_NAME: Final = {topic.name: topic for topic in TOPICS}


def topics_heard_by(service: str) -> tuple[str, ...]:
    """Return the names of the topics a service subscribes to: business topics first, then its partners' ingress."""
    return tuple(topic.name for topic in TOPICS if service in topic.readers)


def events_heard_by(service: str) -> frozenset[type[Event]]:
    """Return the events a service must have a handler for."""
    return frozenset(event for event, hearers in HEARERS.items() if service in hearers)


def check_handlers(service: str, handled: Iterable[type[Event]]) -> list[str]:
    """Return one sentence per event heard by nobody here, or handled although the table does not say so."""
    expected, actual = events_heard_by(service), frozenset(handled)
    missing = [f"{service} has no handler for {event.__name__}" for event in expected - actual]
    surplus = [
        f"{service} handles {event.__name__}, which the flow table does not send to it" for event in actual - expected
    ]
    unheard = [f"{event.__name__} is heard by nobody" for event, hearers in HEARERS.items() if not hearers]
    return sorted(missing + surplus + unheard)
