"""What partners wrote to their ingress topics and what they were answered: a fold over ingress and results topics."""

from dataclasses import dataclass, field
from typing import Final

from deploy.audit.log import LogRecord, Place
from shared.contracts.flow import INGRESS_SERVICE, ingress_topic, results_topic

INGRESS: Final = {ingress_topic(organisation): service for organisation, service in INGRESS_SERVICE.items()}
"""Ingress topic to the service that reads it."""
RESULTS: Final = {
    results_topic(service, organisation): organisation for organisation, service in INGRESS_SERVICE.items()
}
SUBMIT: Final = "fr.poec.command.submit_fiche.v1"


@dataclass(frozen=True)
class Reply:
    """One answer to one ingress record."""

    id: str
    organisation: str
    outcome: str
    command: str | None
    fiche: str | None
    reference: str | None


@dataclass
class Answers:
    """The fold: every ingress record's place, every place's answers (each once, however often it was sent)."""

    records: list[Place] = field(default_factory=list)
    replies: dict[Place, dict[str, Reply]] = field(default_factory=dict)
    unreadable: list[Place] = field(default_factory=list)

    def take(self, record: LogRecord) -> None:
        """Take one record into account."""
        if record.place.topic in INGRESS:
            self.records.append(record.place)
        elif record.place.topic in RESULTS:
            self._reply(record)

    def _reply(self, record: LogRecord) -> None:
        said, event_id = record.json(), record.header("ce_id")
        if said is None or event_id is None or not {"topic", "partition", "offset", "outcome"} <= said.keys():
            self.unreadable.append(record.place)
            return
        organisation = RESULTS[record.place.topic]
        place = Place(said["topic"], said["partition"], said["offset"])
        reply = Reply(
            event_id, organisation, said["outcome"], said.get("command"), said.get("fiche_id"), said.get("reference")
        )
        self.replies.setdefault(place, {})[event_id] = reply
