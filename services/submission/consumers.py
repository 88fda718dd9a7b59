"""What submission hears, on one screen: validation's events about fiches, and the OPCOs' commands.

A command's key is the OPCO's own reference; whose fiche it is comes from the topic.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from services.submission import use_cases as story
from services.submission.domain.case import Given
from services.submission.domain.decisions import Decision, Filing
from services.submission.domain.preparing import Prepared
from services.submission.domain.sessions import NewDates
from services.submission.preparation_cases import preprogramme_fiche
from services.submission.store import Fiches, open_fiches, write_fiches
from services.submission.use_cases import Asker
from shared.contracts import ingress as asked
from shared.contracts import validation as said
from shared.contracts.fiche import fiche_id
from shared.identity import Principal
from shared.messaging.hearing import Done, Hearing

Handler = Callable[[Fiches, Principal, str, Any, dt.datetime], Done]
Carry = Callable[[Fiches, Asker, Any, dt.datetime], Decision | Prepared]


def hearing(given: Given) -> Hearing[Fiches]:
    """Return the ears of submission; `given` are the lists and figures of the rules."""
    return Hearing(
        service="submission",
        open=open_fiches,
        write=write_fiches,
        event_ids=lambda event: [event.fiche_id],
        handlers={
            said.DossierOpened: story.hear_opened,
            said.CompletionAsked: story.hear_completion_asked,
            said.AdaptationProposed: story.hear_adaptation,
            said.AvisGiven: story.hear_avis,
            said.AvisLapsed: story.hear_lapsed,
            said.FicheValidated: story.hear_validated,
            said.FicheRefused: story.hear_refused,
        },
        command_ids=_ids,
        commands=_commands(given),
    )


def _ids(principal: Principal, key: str, command: asked.Command) -> list[UUID]:
    return [fiche_id(principal.organisation, key), *story.partners_named(command)]


def _commands(given: Given) -> Mapping[type[asked.Command], Handler]:
    """Return who carries out which command: filing a new fiche, or something on an existing one."""

    def submit(fiches: Fiches, principal: Principal, key: str, command: asked.SubmitFiche, at: dt.datetime) -> Done:
        filing = Filing(command.content, command.acknowledged, at, command.outside_campaign)
        return _done(story.submit_fiche(fiches, principal, key, filing, given))

    def complete(fiches: Fiches, asker: Asker, command: asked.CompleteFiche, at: dt.datetime) -> Decision:
        return story.complete_fiche(fiches, asker, _filing(command, at), given)

    def amend(fiches: Fiches, asker: Asker, command: asked.AmendFiche, at: dt.datetime) -> Decision:
        return story.amend_fiche(fiches, asker, _filing(command, at), given)

    def accept(fiches: Fiches, asker: Asker, command: asked.AcceptAdaptation, at: dt.datetime) -> Decision:
        return story.accept_adaptation(fiches, asker, command.acknowledged, given, at)

    def counter(fiches: Fiches, asker: Asker, command: asked.CounterPropose, at: dt.datetime) -> Decision:
        return story.counter_propose(fiches, asker, _filing(command, at), command.reason, given)

    def postpone(fiches: Fiches, asker: Asker, command: asked.PostponeSession, at: dt.datetime) -> Decision:
        to = NewDates(command.start, command.end, command.motive, command.acknowledged, command.cause)
        return story.postpone_session(fiches, asker, command.number, to, given, at)

    def preprogramme(
        fiches: Fiches, principal: Principal, key: str, command: asked.PreprogrammeFiche, at: dt.datetime
    ) -> Done:
        intention, codes = command.intention, command.acknowledged
        return _done(preprogramme_fiche(fiches, principal, key, intention, codes, given, at))

    return {
        asked.PreprogrammeFiche: preprogramme,
        asked.SubmitFiche: submit,
        asked.CompleteFiche: _on_own_fiche(complete),
        asked.AmendFiche: _on_own_fiche(amend),
        asked.AcceptAdaptation: _on_own_fiche(accept),
        asked.DeclineAdaptation: _on_own_fiche(_decline),
        asked.CounterPropose: _on_own_fiche(counter),
        asked.ConfirmProgrammation: _on_own_fiche(_confirm),
        asked.EngageSession: _on_own_fiche(_engage),
        asked.PostponeSession: _on_own_fiche(postpone),
        asked.CancelSession: _on_own_fiche(_cancel),
        asked.WithdrawFiche: _on_own_fiche(_withdraw),
        asked.ReturnPlacements: _on_own_fiche(_placements),
    }


def _decline(fiches: Fiches, asker: Asker, command: asked.DeclineAdaptation, at: dt.datetime) -> Decision:
    return story.decline_adaptation(fiches, asker, command.reason, command.acknowledged, at)


def _confirm(fiches: Fiches, asker: Asker, _command: asked.ConfirmProgrammation, _at: dt.datetime) -> Decision:
    return story.confirm_programmation(fiches, asker)


def _engage(fiches: Fiches, asker: Asker, command: asked.EngageSession, _at: dt.datetime) -> Decision:
    number, enrolled, reason = command.number, command.enrolled, command.forced_reason
    return story.engage_session(fiches, asker, number, enrolled, reason, command.acknowledged)


def _cancel(fiches: Fiches, asker: Asker, command: asked.CancelSession, _at: dt.datetime) -> Decision:
    return story.cancel_session(fiches, asker, command.number, command.motive, command.cause)


def _placements(fiches: Fiches, asker: Asker, command: asked.ReturnPlacements, at: dt.datetime) -> Decision:
    return story.return_placements(fiches, asker, command.number, command.placements, at)


def _withdraw(fiches: Fiches, asker: Asker, command: asked.WithdrawFiche, at: dt.datetime) -> Decision | Prepared:
    return story.withdraw_fiche(fiches, asker, command.reason, at)


def _on_own_fiche(carry: Carry) -> Handler:
    """Return a handler for commands on the fiche that the organisation of the topic calls by the record's key."""

    def handle(fiches: Fiches, principal: Principal, key: str, command: asked.Command, at: dt.datetime) -> Done:
        asker = Asker(principal, fiche_id(principal.organisation, key))
        return _done(carry(fiches, asker, command, at))

    return handle


def _filing(command: asked.CompleteFiche | asked.AmendFiche | asked.CounterPropose, at: dt.datetime) -> Filing:
    return Filing(command.content, command.acknowledged, at)


def _done(decision: Decision | Prepared) -> Done:
    fiche = decision.fiche
    return Done(fiche_id=fiche.id, revision=fiche.revision, status=fiche.status.value, warnings=decision.warnings)
