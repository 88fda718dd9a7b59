"""What validation hears, on one screen: submission's events about fiches. It takes no command by Kafka."""

from functools import partial

from services.validation import use_cases as story
from services.validation.domain.hearing import Limits
from services.validation.store import open_dossiers, write_dossiers
from services.validation.use_cases import Dossiers
from shared.contracts import submission as said
from shared.messaging.hearing import Hearing


def hearing(limits: Limits = Limits()) -> Hearing[Dossiers]:  # noqa: B008  # frozen, the domain's own defaults
    """Return the ears of validation; `limits` are the figures of `settings.py`."""
    return Hearing(
        service="validation",
        open=open_dossiers,
        write=write_dossiers,
        event_ids=lambda event: [event.fiche_id],
        handlers={
            said.FicheSubmitted: partial(story.hear_submitted, limits=limits),
            said.FicheCompleted: partial(story.hear_completed, limits=limits),
            said.FicheAmended: partial(story.hear_amended, limits=limits),
            said.AdaptationAccepted: partial(story.hear_accepted, limits=limits),
            said.AdaptationDeclined: story.hear_declined,
            said.CounterProposed: partial(story.hear_countered, limits=limits),
            said.SessionPostponed: partial(story.hear_postponed, limits=limits),
            said.SessionCancelled: story.hear_cancelled,
            said.FicheWithdrawn: story.hear_withdrawn,
        },
    )
