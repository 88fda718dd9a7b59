"""What analytics hears, on one screen: four topics without an order between them. It takes no command by Kafka."""

from services.analytics import use_cases as story
from services.analytics.store import FactSet, open_facts, write_facts
from shared.contracts import campaigns as programmed
from shared.contracts import publication as listed
from shared.contracts import submission as filed
from shared.contracts import validation as decided
from shared.messaging.hearing import Hearing


def hearing() -> Hearing[FactSet]:
    """Return the ears of analytics."""
    return Hearing(
        service="analytics",
        open=open_facts,
        write=write_facts,
        event_ids=lambda event: (story.subject_of(event),),
        handlers={
            filed.FichePreprogrammed: story.hear_preprogrammed,
            filed.IntentionDropped: story.hear_intention_dropped,
            filed.FicheSubmitted: story.hear_submitted,
            filed.FicheCompleted: story.hear_completed,
            filed.FicheAmended: story.hear_content,
            filed.AdaptationAccepted: story.hear_accepted,
            filed.AdaptationDeclined: story.hear_declined,
            filed.CounterProposed: story.hear_countered,
            filed.ProgrammationConfirmed: story.hear_content,
            filed.SessionEngaged: story.hear_engaged,
            filed.SessionPostponed: story.hear_postponed,
            filed.SessionCancelled: story.hear_cancelled,
            filed.FicheWithdrawn: story.hear_withdrawn,
            filed.PlacementsReturned: story.hear_placements,
            programmed.CampaignOpened: story.hear_campaign,
            programmed.CampaignMoved: story.hear_campaign,
            programmed.CampaignExtended: story.hear_extended,
            programmed.ProgrammeAdopted: story.hear_programme,
            programmed.ProjectsDeclared: story.hear_declared,
            decided.CompletionAsked: story.hear_completion_asked,
            decided.AdaptationProposed: story.hear_adaptation_proposed,
            decided.AvisGiven: story.hear_avis,
            decided.AvisLapsed: story.hear_lapsed,
            decided.FicheValidated: story.hear_validated,
            decided.FicheRefused: story.hear_refused,
            listed.SessionPublished: story.hear_session,
            listed.SessionSuspended: story.hear_session,
            listed.SessionRemoved: story.hear_session,
            listed.AisRecorded: story.hear_session,
            listed.AisCancelled: story.hear_session,
            listed.AesRecorded: story.hear_session,
        },
    )
