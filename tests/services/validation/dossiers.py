"""Dossiers in every status, made the way the story makes them: through decisions, never by hand."""

import datetime as dt
from collections.abc import Callable, Iterable
from uuid import UUID

from services.validation.domain.adaptation import AskedAdaptation, propose_adaptation
from services.validation.domain.avis import AskedAvis, give_avis
from services.validation.domain.completion import ask_completion
from services.validation.domain.decision import AskedRefusal, refuse_fiche, validate_fiche
from services.validation.domain.dossier import Decided, Dossier, Status
from services.validation.domain.hearing import Limits, close, open_dossier, take_content
from shared.contracts.fiche import FicheContent, Place, SessionPlan, fiche_id
from shared.contracts.references import AvisKind, AvisReason, RefusalReason
from shared.contracts.submission import FicheSubmitted
from shared.contracts.validation import Adaptation, CompletionItem, ProposedSession
from tests.support.fiches import golden_content

OPCO = "opco-2i"
FICHE = fiche_id(OPCO, "2018-0001")
NOON = dt.datetime(2018, 1, 15, 11, 0, tzinfo=dt.UTC)
TODAY = dt.date(2018, 1, 15)
START = dt.date(2018, 4, 30)
LIMITS = Limits()
AGENT, OTHER_AGENT, DECIDER = "region.agent-1", "region.agent-2", "pole-emploi.agent-1"
PLAIN = AskedAvis(AvisKind.COMPLEMENTAIRE)
RESERVED = AskedAvis(AvisKind.COMPLEMENTAIRE_SOUS_ADAPTATION, (AvisReason.CALENDRIER,))
COMPETING = AskedAvis(AvisKind.CONCURRENT, (AvisReason.LIEU,), "Même métier au même lieu.", prf_committed=True)
NO = AskedRefusal((RefusalReason.HORS_CADRE_POEC,), "Le besoin relève du droit commun.")
ITEMS = (CompletionItem(field="hours.total", request="Précisez la durée."),)


def content(starts: Iterable[dt.date] = (START,), **changes: object) -> FicheContent:
    """Return the golden content with sessions at these starts, 96 days each, and other changes."""
    sessions = tuple(_session(n, start) for n, start in enumerate(starts, 1))
    return golden_content().model_copy(update={"sessions": sessions, **changes})


def _session(number: int, start: dt.date) -> SessionPlan:
    return SessionPlan(number=number, start=start, end=start + dt.timedelta(days=95), seats=12, minimum=8)


def moved(days: int) -> FicheContent:
    """Return the content whose one session starts `days` after the first content's."""
    return content([START + dt.timedelta(days=days)])


def elsewhere(**changes: str) -> Place:
    """Return the golden place with other members."""
    return golden_content().place.model_copy(update=changes)


def submitted(fiche: UUID = FICHE, what: FicheContent | None = None) -> FicheSubmitted:
    """Return the event that opens a dossier."""
    return FicheSubmitted(fiche_id=fiche, opco=OPCO, revision=1, reference="2018-0001", content=what or content())


def an_adaptation(days: int = 10, expires_on: dt.date = TODAY + dt.timedelta(days=10)) -> AskedAdaptation:
    """Return a proposal to start `days` later."""
    start = START + dt.timedelta(days=days)
    session = ProposedSession(number=1, start=start, end=start + dt.timedelta(days=95))
    return AskedAdaptation(Adaptation(sessions=(session,)), (AvisReason.CALENDRIER,), "Après l’été.", expires_on)


def state(decided: Decided) -> Dossier:
    """Return the new state of a decision."""
    return decided[0]


def an_open_dossier() -> Dossier:
    """Return a dossier that awaits the avis."""
    return state(open_dossier(submitted(), NOON, LIMITS))


def with_completion_asked() -> Dossier:
    """Return a dossier that awaits its completion."""
    return state(ask_completion(an_open_dossier(), ITEMS))


def with_adaptation_proposed() -> Dossier:
    """Return a dossier whose OPCO is to answer an adaptation."""
    return state(propose_adaptation(an_open_dossier(), an_adaptation(), NOON))


def with_avis(asked: AskedAvis = PLAIN) -> Dossier:
    """Return a dossier that awaits the decision."""
    return state(give_avis(an_open_dossier(), asked, AGENT, NOON))


def with_lapsed_avis() -> Dossier:
    """Return a dossier whose session moved by 31 days after the avis."""
    return state(take_content(with_avis(), 2, moved(31), LIMITS))


def validated() -> Dossier:
    """Return a dossier with Pôle emploi's yes."""
    return state(validate_fiche(with_avis(), None, NOON))


def refused() -> Dossier:
    """Return a dossier with Pôle emploi's no."""
    return state(refuse_fiche(with_avis(), NO, NOON))


def closed() -> Dossier:
    """Return the dossier of a fiche that was withdrawn."""
    return state(close(an_open_dossier()))


IN_STATUS: dict[Status, Callable[[], Dossier]] = {
    Status.OPEN: an_open_dossier,
    Status.COMPLETION_ASKED: with_completion_asked,
    Status.ADAPTATION_PROPOSED: with_adaptation_proposed,
    Status.AVIS_GIVEN: with_avis,
    Status.AVIS_LAPSED: with_lapsed_avis,
    Status.VALIDATED: validated,
    Status.REFUSED: refused,
    Status.CLOSED: closed,
}
"""How a dossier gets into each status."""
