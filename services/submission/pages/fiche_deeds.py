"""The deeds on a fiche: answers to an adaptation, programmation, withdrawal; each with the words of its page."""

from typing import Any, Final

from services.submission import use_cases as story
from services.submission.bodies import (
    AcceptanceIn,
    CounterProposalIn,
    DeclineIn,
    ProgrammationIn,
    RenewalIn,
    WithdrawalIn,
)
from services.submission.domain.content import adapted
from services.submission.domain.decisions import Decision, Filing
from services.submission.domain.fiche import Fiche
from services.submission.domain.preparing import Prepared
from services.submission.form_fields import fields_of
from services.submission.pages.contents import differences
from services.submission.pages.deeds import Act, Deed
from services.submission.preparation_cases import Renewal, renew_fiche
from shared.contracts.fiche import fiche_id
from shared.contracts.labels import LABELS
from shared.contracts.references import ZONES_EMPLOI, WithdrawalReason
from shared.web.forms import Posted
from shared.web.french import by_label

ADDRESS_LINES: Final = 4


def compared(fiche: Fiche) -> dict[str, Any]:
    """Return the proposal beside the content, and what it changes; nothing where none waits."""
    if fiche.proposal is None:
        return {"rows": []}
    return {"rows": differences(fiche.content, adapted(fiche.content, fiche.proposal.adaptation))}


def _accept(act: Act[AcceptanceIn]) -> Decision:
    return story.accept_adaptation(act.fiches, act.asker, act.ask.body.acknowledged, act.given, act.ask.at)


def _decline(act: Act[DeclineIn]) -> Decision:
    body = act.ask.body
    return story.decline_adaptation(act.fiches, act.asker, body.reason, body.acknowledged, act.ask.at)


def _counter(act: Act[CounterProposalIn]) -> Decision:
    body = act.ask.body
    filing = Filing(body.content, body.acknowledged, act.ask.at)
    return story.counter_propose(act.fiches, act.asker, filing, body.reason, act.given)


def _renew(act: Act[RenewalIn]) -> Prepared:
    body = act.ask.body
    renewal = Renewal(act.asker.fiche_id, body.reference, body.programme_year, fields_of)
    return renew_fiche(act.fiches, act.asker.principal, renewal, act.ask.at)


def _counter_begins(fiche: Fiche, _number: int) -> dict[str, object]:
    """Return the dates and the place as they were proposed: one changes from there."""
    content = adapted(fiche.content, fiche.proposal.adaptation) if fiche.proposal else fiche.content
    place = content.place
    lines = {f"place.address.lines.{n}": line for n, line in enumerate(place.address.lines)}
    dates = {
        f"sessions.{n}.{end}": getattr(plan, end).isoformat()
        for n, plan in enumerate(content.sessions)
        for end in ("start", "end")
    }
    of_place = {"place.insee": place.insee, "place.zone_emploi": place.zone_emploi}
    of_address = {"place.address.postal_code": place.address.postal_code, "place.address.city": place.address.city}
    return {**dates, **of_place, **of_address, **lines}


def _counter_document(sent: Posted, fiche: Fiche) -> dict[str, object]:
    content: dict[str, Any] = fiche.content.model_dump(mode="json")
    for n, plan in enumerate(content["sessions"]):
        if f"sessions.{n}.start" in sent.values:  # a cancelled session has no fields
            plan.update(start=sent.text(f"sessions.{n}.start"), end=sent.text(f"sessions.{n}.end"))
    typed = [sent.text(f"place.address.lines.{n}") for n in range(ADDRESS_LINES)]
    content["place"] = {
        "insee": sent.text("place.insee"),
        "zone_emploi": sent.text("place.zone_emploi"),
        "address": {
            "lines": [line for line in typed if line],
            "postal_code": sent.text("place.address.postal_code"),
            "city": sent.text("place.address.city"),
        },
    }
    return {"content": content, "reason": sent.text("reason"), "acknowledged": sent.acknowledged}


ACCEPT: Final = Deed(
    operation="accept_adaptation",
    path="adaptation/acceptation",
    label="Accepter",
    title="Accepter l’adaptation proposée",
    button="Accepter l’adaptation",
    body=AcceptanceIn,
    document=lambda sent, _fiche: {"acknowledged": sent.acknowledged},
    act=_accept,
    done="adaptation-acceptee",
    shows=compared,
)
DECLINE: Final = Deed(
    operation="decline_adaptation",
    path="adaptation/refus",
    label="Refuser",
    title="Refuser l’adaptation proposée",
    button="Refuser l’adaptation",
    body=DeclineIn,
    document=lambda sent, _fiche: {"reason": sent.text("reason"), "acknowledged": sent.acknowledged},
    act=_decline,
    done="adaptation-refusee",
    kind="outline-danger",
    shows=compared,
)
COUNTER: Final = Deed(
    operation="counter_propose",
    path="adaptation/contre-proposition",
    label="Contre-proposer",
    title="Faire une contre-proposition",
    button="Envoyer la contre-proposition",
    body=CounterProposalIn,
    document=_counter_document,
    act=_counter,
    done="contre-proposition",
    begins=_counter_begins,
    strip="content.",
    shows=lambda fiche: {**compared(fiche), "zones": by_label(ZONES_EMPLOI.items())},
)
CONFIRM: Final = Deed(
    operation="confirm_programmation",
    path="programmation",
    label="Confirmer la programmation",
    title="Confirmer la programmation",
    button="Confirmer la programmation",
    body=ProgrammationIn,
    document=lambda _sent, _fiche: {},
    act=lambda act: story.confirm_programmation(act.fiches, act.asker),
    done="programmation",
)
WITHDRAW: Final = Deed(
    operation="withdraw_fiche",
    path="retrait",
    label="Retirer la fiche",
    title="Retirer la fiche",
    button="Retirer définitivement la fiche",
    body=WithdrawalIn,
    document=lambda sent, _fiche: {"reason": sent.given("reason")},
    act=lambda act: story.withdraw_fiche(act.fiches, act.asker, act.ask.body.reason, act.ask.at),
    done="retrait",
    kind="outline-danger",
    groups=("reason",),
    shows=lambda _fiche: {"choices": list(LABELS[WithdrawalReason].items())},
)
RENEW: Final = Deed(
    operation="renew_fiche",
    path="reconduction",
    label="Reconduire",
    title="Reconduire la fiche pour une autre année",
    button="Préparer le brouillon",
    body=RenewalIn,
    document=lambda sent, _fiche: {
        "reference": sent.given("reference"),
        "programme_year": sent.whole("programme_year"),
    },
    act=_renew,
    done="reconduction",
    kind="outline-primary",
    begins=lambda fiche, _number: {"programme_year": fiche.content.programme_year + 1},
    ids=lambda principal, body: [fiche_id(principal.organisation, body.reference)],
)
ADAPTATION: Final[tuple[Deed[Any], ...]] = (ACCEPT, COUNTER, DECLINE)
"""The three answers to a proposal."""
FICHE_DEEDS: Final[tuple[Deed[Any], ...]] = (*ADAPTATION, CONFIRM, RENEW, WITHDRAW)
