"""What analytics does, in the order of the story: it hears and counts; it decides nothing and emits nothing."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal, TypeAlias
from uuid import UUID

import orjson

from services.analytics.domain import facts as domain
from services.analytics.domain.bilan import Bilan, bilan, shown_of_people
from services.analytics.domain.counts import (
    AsOf,
    Bucket,
    Difference,
    by_month,
    by_opco,
    by_quarter,
    by_year,
    differences,
    recount,
    shift,
)
from services.analytics.domain.facts import FicheFact, SessionEvent
from services.analytics.domain.measures import OF_PEOPLE, Measure
from services.analytics.domain.years import (
    Campaign,
    YearFact,
    campaign_dated,
    campaign_extended,
    campaign_of,
    programme_adopted,
    projects_declared,
    year_contribution,
)
from services.analytics.store import (
    FactSet,
    campaigns_of,
    everything,
    parsed,
    running_counts,
    year_parsed,
)
from shared.contracts.campaigns import (
    CampaignExtended,
    CampaignMoved,
    CampaignOpened,
    ProgrammeAdopted,
    ProjectsDeclared,
)
from shared.contracts.events import Event, FicheEvent
from shared.contracts.submission import (
    AdaptationAccepted,
    AdaptationDeclined,
    CounterProposed,
    FicheAmended,
    FicheCompleted,
    FichePreprogrammed,
    FicheSubmitted,
    FicheWithdrawn,
    IntentionDropped,
    PlacementsReturned,
    ProgrammationConfirmed,
    SessionCancelled,
    SessionEngaged,
    SessionPostponed,
)
from shared.contracts.validation import (
    AdaptationProposed,
    AvisGiven,
    AvisLapsed,
    CompletionAsked,
    FicheRefused,
    FicheValidated,
)
from shared.database import Database
from shared.identity import Principal, service_principal
from shared.policy import authorize

WORKER: Final = service_principal("analytics", "worker")
API: Final = service_principal("analytics", "api")
"""Reads what is everybody's: the counts. The facts behind them are read for the recount alone."""
By: TypeAlias = Literal["year", "quarter", "month", "opco"]
_SUMS: Final = {"year": by_year, "quarter": by_quarter, "month": by_month, "opco": by_opco}
NewContent: TypeAlias = FicheAmended | ProgrammationConfirmed


def hear_preprogrammed(facts: FactSet, event: FichePreprogrammed, at: dt.datetime) -> None:
    """An OPCO announced what it means to train for: counted apart from all that is firm."""
    _take(facts, event, domain.preprogrammed(_of(facts, event), event))


def hear_intention_dropped(facts: FactSet, event: IntentionDropped, at: dt.datetime) -> None:
    """What was announced will not be filed."""
    _take(facts, event, replace(_of(facts, event), intention=None))


def hear_submitted(facts: FactSet, event: FicheSubmitted, at: dt.datetime) -> None:
    """A fiche is filed; its first start gives it its month for good."""
    _take(facts, event, domain.submitted(_of(facts, event), event.fiche_id, event.content))


def hear_content(facts: FactSet, event: NewContent, at: dt.datetime) -> None:
    """The content changed, or was confirmed as it is."""
    _take(facts, event, domain.with_content(_of(facts, event), event.fiche_id, event.content))


def hear_completion_asked(facts: FactSet, event: CompletionAsked, at: dt.datetime) -> None:
    """The fiche went back to its OPCO."""
    fact = _of(facts, event)
    _take(facts, event, replace(fact, sent_back=fact.sent_back + 1))


def hear_completed(facts: FactSet, event: FicheCompleted, at: dt.datetime) -> None:
    """The OPCO completed it."""
    fact = domain.with_content(_of(facts, event), event.fiche_id, event.content)
    _take(facts, event, replace(fact, completed=fact.completed + 1))


def hear_adaptation_proposed(facts: FactSet, event: AdaptationProposed, at: dt.datetime) -> None:
    """The Région proposed an adaptation (minutes L173-175)."""
    fact = _of(facts, event)
    _take(facts, event, replace(fact, proposed=fact.proposed + 1))


def hear_accepted(facts: FactSet, event: AdaptationAccepted, at: dt.datetime) -> None:
    """The OPCO took it over."""
    fact = domain.with_content(_of(facts, event), event.fiche_id, event.content)
    _take(facts, event, replace(fact, accepted=fact.accepted + 1))


def hear_declined(facts: FactSet, event: AdaptationDeclined, at: dt.datetime) -> None:
    """The OPCO said no."""
    fact = _of(facts, event)
    _take(facts, event, replace(fact, declined=fact.declined + 1))


def hear_countered(facts: FactSet, event: CounterProposed, at: dt.datetime) -> None:
    """The OPCO answered with another content."""
    fact = domain.with_content(_of(facts, event), event.fiche_id, event.content)
    _take(facts, event, replace(fact, countered=fact.countered + 1))


def hear_avis(facts: FactSet, event: AvisGiven, at: dt.datetime) -> None:
    """The Région gave its avis, or corrected it: the last one counts."""
    _take(facts, event, replace(_of(facts, event), avis=event.avis))


def hear_lapsed(facts: FactSet, event: AvisLapsed, at: dt.datetime) -> None:
    """The avis lapsed (rule 8); a validated fiche stays one that was validated."""
    fact = _of(facts, event)
    _take(facts, event, replace(fact, avis_lapsed=fact.avis_lapsed + 1))


def hear_validated(facts: FactSet, event: FicheValidated, at: dt.datetime) -> None:
    """Pôle emploi validated the fiche (minutes L106)."""
    _take(facts, event, replace(_of(facts, event), validated=True, against_avis=event.against_avis))


def hear_refused(facts: FactSet, event: FicheRefused, at: dt.datetime) -> None:
    """Pôle emploi refused it."""
    _take(facts, event, replace(_of(facts, event), refused=True))


def hear_withdrawn(facts: FactSet, event: FicheWithdrawn, at: dt.datetime) -> None:
    """The OPCO took it back."""
    _take(facts, event, replace(_of(facts, event), withdrawn=True))


def hear_engaged(facts: FactSet, event: SessionEngaged, at: dt.datetime) -> None:
    """The OPCO said go for a session (minutes L107)."""
    _take(facts, event, domain.engaged(_of(facts, event), event))


def hear_postponed(facts: FactSet, event: SessionPostponed, at: dt.datetime) -> None:
    """A session got other dates: it leaves its month for another one (minutes L191-193)."""
    _take(facts, event, domain.postponed(_of(facts, event), event))


def hear_cancelled(facts: FactSet, event: SessionCancelled, at: dt.datetime) -> None:
    """A session will not take place (minutes L254-258, L329-332)."""
    _take(facts, event, domain.cancelled(_of(facts, event), event))


def hear_placements(facts: FactSet, event: PlacementsReturned, at: dt.datetime) -> None:
    """The OPCO returned what became of a group, at its end or three months after."""
    _take(facts, event, domain.returned(_of(facts, event), event))


def hear_session(facts: FactSet, event: SessionEvent, at: dt.datetime) -> None:
    """Publication said something of a session: in the catalogue, out of it, an AIS, an AES (minutes L73-76)."""
    _take(facts, event, domain.with_entry(_of(facts, event), event))


def hear_campaign(facts: FactSet, event: CampaignOpened | CampaignMoved, at: dt.datetime) -> None:
    """A campaign has its dates, or others (minutes L176-182)."""
    _take_year(facts, event, campaign_dated(event, _of_year(facts, event)))


def hear_extended(facts: FactSet, event: CampaignExtended, at: dt.datetime) -> None:
    """One OPCO, or all, got more time (minutes L487-490)."""
    _take_year(facts, event, campaign_extended(event, _of_year(facts, event)))


def hear_programme(facts: FactSet, event: ProgrammeAdopted, at: dt.datetime) -> None:
    """The conference adopted a year's programme, or revised it."""
    _of_year(facts, event)
    _take_year(facts, event, programme_adopted(event))


def hear_declared(facts: FactSet, event: ProjectsDeclared, at: dt.datetime) -> None:
    """An OPCO says how many projects it has: the last number counts (minutes L209-212)."""
    _of_year(facts, event)
    _take_year(facts, event, projects_declared(event))


async def counted(
    database: Database, principal: Principal, year: int, by: By, measures: Sequence[Measure], opco: str | None
) -> tuple[AsOf, list[tuple[str, str, int]]]:
    """Return (measure, key, value) of a year, summed by `by`, of all OPCOs or one; as of when.

    What became of people is summed by OPCO or year alone, as the bilan shows it: a sum that is hidden there is left out here, and by
    month it would be worked out from others. What is hidden of one moment depends on the other, so all of it is read.
    """
    authorize(principal, "read_counts")
    read = {*measures, *(() if OF_PEOPLE.isdisjoint(measures) else OF_PEOPLE)}
    as_of, counts = await running_counts(database, API, year, [measure.value for measure in read])
    sums = (
        (measure.value, key, value)
        for measure in dict.fromkeys(measures)
        for key, value in (_shown if measure in OF_PEOPLE else _summed)(counts, measure, by, opco).items()
        if value
    )
    return as_of, sorted(sums)


def _summed(counts: Mapping[Bucket, int], measure: Measure, by: By, opco: str | None) -> Mapping[str, int | None]:
    return _SUMS[by]({bucket: n for bucket, n in counts.items() if opco in (None, bucket[1])}, measure)


def _shown(counts: Mapping[Bucket, int], measure: Measure, by: By, opco: str | None) -> Mapping[str, int | None]:
    """Return the sums of people that are shown: those of the bilan, by OPCO and in all."""
    found, year = shown_of_people(counts)[measure], next(iter(by_year(counts, measure)), "")
    if by == "opco":
        return {key: value for key, value in found.cells.items() if opco in (None, key)}
    return {year: found.cells.get(opco) if opco else found.total} if by == "year" else {}


async def bilan_of(database: Database, principal: Principal, year: int) -> tuple[AsOf, Bilan, list[Campaign]]:
    """Return the bilan of a year with its campaigns, and as of when."""
    authorize(principal, "read_counts")
    as_of, counts = await running_counts(database, API, year, list(Measure))
    campaigns = await campaigns_of(database, API, year)
    return as_of, bilan(year, counts), [campaign_of(fact) for fact in campaigns]


async def recounted(database: Database, principal: Principal) -> tuple[AsOf, int, list[Difference]]:
    """Count everything again from the facts; return as of when, the number of fiches, and where the running counts differ."""
    authorize(principal, "recount")
    found = await everything(database, API)
    counts = recount(parsed(orjson.loads(document)) for document in found.fiches)
    for document in found.years:
        shift({}, year_contribution(year_parsed(document)), counts)
    return found.as_of, len(found.fiches), differences(found.running, counts)


def _of(facts: FactSet, event: FicheEvent | SessionEvent) -> FicheFact:
    authorize(WORKER, "hear_event")
    return facts.get(event.fiche_id, event.opco)


def _take(facts: FactSet, event: FicheEvent | SessionEvent, fact: FicheFact) -> None:
    facts.put(event.fiche_id, fact)


def _of_year(facts: FactSet, event: Event) -> YearFact | None:
    authorize(WORKER, "hear_event")
    return facts.get_year(UUID(event.key))


def _take_year(facts: FactSet, event: Event, fact: YearFact) -> None:
    facts.put_year(UUID(event.key), fact)


def subject_of(event: Event) -> UUID:
    """Return the identifier of the fact that an event is about: the fiche, or what stands on the topic of campaigns by its key."""
    fiche: UUID | None = getattr(event, "fiche_id", None)
    return fiche or UUID(event.key)
