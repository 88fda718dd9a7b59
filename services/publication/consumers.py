"""What publication hears, on one screen: submission's and validation's facts of fiches, and entries from France Travail's systems."""

import datetime as dt
from collections.abc import Callable, Collection
from functools import partial
from uuid import UUID

from services.publication import use_cases as story
from services.publication.domain.facts import Limits
from services.publication.domain.lifecycle import NOT_PUBLISHED
from services.publication.store import Listing, open_listing, write_listing
from services.publication.use_cases import Batch
from shared.contracts import submission as said
from shared.contracts import validation as decided
from shared.contracts.ingress import CancelAis, RecordAes, RecordAis
from shared.errors import NotAllowedNow, NotFound, NotYet, Objection, RulesRefused
from shared.identity import Principal
from shared.messaging.hearing import Done, Hearing


def hearing(limits: Limits = Limits()) -> Hearing[Listing]:  # noqa: B008  # frozen, the domain's own defaults
    """Return the ears of publication; `limits` are the figures of `settings.py`."""
    content = partial(story.hear_content, limits=limits)
    return Hearing(
        service="publication",
        open=open_listing,
        write=partial(write_listing, limits=limits),
        event_ids=lambda event: [event.fiche_id],
        handlers={
            said.FicheSubmitted: partial(story.hear_submitted, limits=limits),
            said.FicheCompleted: content,
            said.FicheAmended: content,
            said.AdaptationAccepted: content,
            said.CounterProposed: content,
            said.ProgrammationConfirmed: partial(story.hear_confirmed, limits=limits),
            said.SessionEngaged: partial(story.hear_engaged, limits=limits),
            said.SessionPostponed: content,
            said.SessionCancelled: partial(story.hear_cancelled, limits=limits),
            said.FicheWithdrawn: partial(story.hear_withdrawn, limits=limits),
            decided.AvisGiven: partial(story.hear_avis, limits=limits),
            decided.AvisLapsed: partial(story.hear_lapsed, limits=limits),
            decided.FicheValidated: partial(story.hear_validated, limits=limits),
            decided.FicheRefused: partial(story.hear_refused, limits=limits),
        },
        command_ids=named,
        commands={
            RecordAis: partial(take_ais, limits=limits),
            CancelAis: partial(take_cancellations, limits=limits),
            RecordAes: partial(take_aes, limits=limits),
        },
    )


def named(_principal: Principal, _key: str, command: RecordAis | CancelAis | RecordAes) -> Collection[UUID]:
    """Return every id that a command names: its session, its AIS, its AES."""
    match command:
        case RecordAis():
            return [command.session_id, *(row.ais_id for row in command.rows)]
        case CancelAis():
            return [command.session_id, *command.ais_ids]
        case RecordAes():
            ais = [row.ais_id for row in command.rows if row.ais_id]
            return [command.session_id, *ais, *(row.aes_id for row in command.rows)]


def take_ais(listing: Listing, by: Principal, key: str, command: RecordAis, at: dt.datetime, *, limits: Limits) -> Done:
    """Record AIS that came by Kafka."""
    return _done(key, command, lambda: story.record_ais(listing, by, command.session_id, command.rows, at, limits))


def take_cancellations(
    listing: Listing, by: Principal, key: str, command: CancelAis, at: dt.datetime, *, limits: Limits
) -> Done:
    """Cancel AIS that came by Kafka."""
    return _done(key, command, lambda: story.cancel_ais(listing, by, command.session_id, command.ais_ids, at, limits))


def take_aes(listing: Listing, by: Principal, key: str, command: RecordAes, at: dt.datetime, *, limits: Limits) -> Done:
    """Record AES that came by Kafka."""
    return _done(key, command, lambda: story.record_aes(listing, by, command.session_id, command.rows, at, limits))


def _done(key: str, command: RecordAis | CancelAis | RecordAes, act: Callable[[], Batch]) -> Done:
    """Return the answer of a command by Kafka.

    A session that is not in the catalogue yet is nobody's mistake: the topics have no order between them. `NotYet` keeps the
    record to be replayed. Raises `RulesRefused` for a key that is not the session's, and what the use case raises.
    """
    if key != str(command.session_id):
        message = "La clé de l’enregistrement doit être l’identifiant de la session\u202f: corrigez-la."
        raise RulesRefused(Objection("SESSION_KEY", message, field="session_id"))
    try:
        batch = act()
    except NotFound as unknown:
        raise NotYet(NOT_PUBLISHED, "no session of this id is expected in the catalogue yet") from unknown
    except NotAllowedNow as early:
        if all(objection.code == NOT_PUBLISHED for objection in early.objections):
            raise NotYet(NOT_PUBLISHED, "the session is expected, not yet in the catalogue") from early
        raise
    return Done(fiche_id=batch.session.fiche_id, status=batch.session.status.value, rows=batch.rows)
