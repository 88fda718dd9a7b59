"""The transitions that are legal, written down a second time from the names and rules of the domain, and compared with no service's table.

One line per action: `action: from | from -> to | to`, every pair of both sides being legal. `new` is 'there was nothing before',
`same` on the right is 'the status stays', and `*` on the left is 'whatever the status'.
"""

from functools import cache
from typing import Final

_NEW: Final = "new"
_SAME: Final = "same"
_ANY: Final = "*"

EVERYWHERE: Final = """
replay_dead_letter: dead -> dead | replayed
discard_dead_letter: dead -> discarded
register_principal: new -> active | disabled
change_principal: active | disabled -> active
disable_principal: active | disabled -> disabled
erase_person: active | disabled -> disabled
"""
VALIDATION: Final = """
fiche_submitted: new -> open
ask_completion: open | avis_given | avis_lapsed -> completion_asked
propose_adaptation: open | avis_lapsed -> adaptation_proposed
give_avis: open | avis_lapsed | adaptation_proposed -> avis_given
correct_avis: avis_given -> avis_given
validate_fiche: avis_given -> validated
refuse_fiche: avis_given -> refused
fiche_completed: completion_asked -> open | avis_given | avis_lapsed
adaptation_accepted: adaptation_proposed -> open | avis_lapsed
adaptation_declined: adaptation_proposed -> open | avis_lapsed
counter_proposed: adaptation_proposed -> open | avis_lapsed
fiche_completed: avis_given | validated -> avis_lapsed
fiche_amended: avis_given | validated -> avis_lapsed
adaptation_accepted: avis_given | validated -> avis_lapsed
counter_proposed: avis_given | validated -> avis_lapsed
session_postponed: avis_given | validated -> avis_lapsed
fiche_completed: open | adaptation_proposed | avis_given | avis_lapsed | validated | refused | closed -> same
fiche_amended: * -> same
adaptation_accepted: open | completion_asked | avis_given | avis_lapsed | validated | refused | closed -> same
adaptation_declined: open | completion_asked | avis_given | avis_lapsed | validated | refused | closed -> same
counter_proposed: open | completion_asked | avis_given | avis_lapsed | validated | refused | closed -> same
session_postponed: * -> same
session_cancelled: * -> same
session_cancelled: open | completion_asked | adaptation_proposed | avis_given | avis_lapsed | validated -> closed
fiche_withdrawn: open | completion_asked | adaptation_proposed | avis_given | avis_lapsed | validated | closed -> closed
fiche_withdrawn: refused -> refused
"""
PUBLICATION: Final = """
expect_session: new | removed -> expected
publish_session: new | expected | full | suspended | removed -> published
fill_session: new | expected | published | suspended | removed -> full
suspend_session: new | expected | published | full | suspended | removed -> suspended
remove_session: new | expected | published | full | suspended -> removed
update_session: expected | published | full | suspended | removed -> same
record_ais: published -> published | full
record_ais: full -> full
cancel_ais: published -> published
cancel_ais: full -> full | published
cancel_ais: suspended | removed -> same
record_aes: published | full -> same
hear_fiche_submitted: new -> submitted | validated | to_renew | refused
hear_fiche_submitted: submitted | validated | confirmed | to_renew -> validated | confirmed | to_renew
hear_fiche_validated: new | submitted | validated | confirmed | to_renew -> validated | confirmed | to_renew
hear_programmation_confirmed: validated | confirmed | to_renew -> confirmed | to_renew
hear_fiche_completed: validated | confirmed | to_renew -> validated | confirmed | to_renew
hear_fiche_amended: validated | confirmed | to_renew -> validated | confirmed | to_renew
hear_adaptation_accepted: validated | confirmed | to_renew -> validated | confirmed | to_renew
hear_counter_proposed: validated | confirmed | to_renew -> validated | confirmed | to_renew
hear_session_postponed: validated | confirmed | to_renew -> validated | confirmed | to_renew
hear_avis_given: validated | confirmed | to_renew -> validated | confirmed | to_renew
hear_avis_lapsed: validated | confirmed | to_renew -> to_renew
hear_avis_given: new -> submitted
hear_avis_lapsed: new -> submitted
hear_fiche_refused: new | submitted | validated | confirmed | to_renew -> refused
hear_fiche_withdrawn: new | submitted | validated | confirmed | to_renew | refused -> withdrawn
hear_fiche_submitted: * -> same
hear_fiche_completed: * -> same
hear_fiche_amended: * -> same
hear_adaptation_accepted: * -> same
hear_counter_proposed: * -> same
hear_programmation_confirmed: * -> same
hear_session_engaged: * -> same
hear_session_postponed: * -> same
hear_session_cancelled: * -> same
hear_fiche_withdrawn: withdrawn -> withdrawn
hear_avis_given: * -> same
hear_avis_lapsed: * -> same
hear_fiche_validated: refused | withdrawn -> same
hear_fiche_refused: refused | withdrawn -> same
"""
SUBMISSION: Final = """
save_template: new | saved | deleted -> saved
delete_template: saved -> deleted
preprogramme_fiche: new | preprogrammed -> preprogrammed
draft_fiche: new | preprogrammed | draft -> draft
renew_fiche: new -> draft
submit_fiche: new | preprogrammed | draft -> submitted
complete_fiche: to_complete -> submitted | avis_lapsed
amend_fiche: submitted | avis_lapsed | validated | confirmed -> same
accept_adaptation: to_adapt -> submitted | avis_lapsed
decline_adaptation: to_adapt -> submitted | avis_lapsed
counter_propose: to_adapt -> submitted | avis_lapsed
confirm_programmation: validated -> confirmed
engage_session: confirmed -> same
postpone_session: submitted | avis_lapsed | validated | confirmed -> same
cancel_session: submitted | to_complete | to_adapt | avis_lapsed | validated | confirmed -> same | cancelled
return_placements: confirmed | reviewed -> same | reviewed
withdraw_fiche: preprogrammed | draft | submitted | to_complete | to_adapt | avis_lapsed | validated | confirmed -> withdrawn
dossier_opened: * -> same
completion_asked: submitted | avis_lapsed -> to_complete
completion_asked: to_complete | to_adapt | validated | confirmed | reviewed | refused | withdrawn | cancelled -> same
adaptation_proposed: submitted | avis_lapsed -> to_adapt
adaptation_proposed: to_complete | to_adapt | validated | confirmed | reviewed | refused | withdrawn | cancelled -> same
avis_given: avis_lapsed | to_adapt -> submitted
avis_given: submitted | to_complete | validated | confirmed | reviewed | refused | withdrawn | cancelled -> same
avis_lapsed: submitted | validated | confirmed -> avis_lapsed
avis_lapsed: to_complete | to_adapt | avis_lapsed | reviewed | refused | withdrawn | cancelled -> same
fiche_validated: submitted | to_complete | to_adapt | avis_lapsed -> validated | confirmed
fiche_validated: validated | confirmed | reviewed | refused | withdrawn | cancelled -> same
fiche_refused: submitted | to_complete | to_adapt | avis_lapsed | validated | confirmed -> refused
fiche_refused: reviewed | refused | withdrawn | cancelled -> same
open_campaign: new -> open
move_campaign: open -> same
extend_campaign: open -> same
record_conference: new -> recorded
correct_conference: recorded -> same
adopt_programme: new | adopted -> adopted
deliver_estimates: new | delivered -> delivered
declare_projects: new | declared -> declared
record_partner: new | active | retired -> active
retire_partner: active -> retired
"""
ANALYTICS: Final = ""
_BY_SERVICE: Final = {
    "submission": SUBMISSION,
    "validation": VALIDATION,
    "publication": PUBLICATION,
    "analytics": ANALYTICS,
}
DECISIONS: Final = frozenset({"validate_fiche", "refuse_fiche"})
"""Actions of which one revision of a fiche sees at most one."""


def legal(service: str, action: str, before: str | None, after: str | None) -> bool:
    """Return whether an action may lead from one status to the other in a service; None before: there was nothing."""
    start = before or _NEW
    return any(
        (start in starts or (_ANY in starts and before is not None))
        and (after in ends or (_SAME in ends and after == before))
        for starts, ends in _rows(service).get(action, ())
    )


@cache
def _rows(service: str) -> dict[str, list[tuple[frozenset[str], frozenset[str]]]]:
    rows: dict[str, list[tuple[frozenset[str], frozenset[str]]]] = {}
    for line in (_BY_SERVICE[service] + EVERYWHERE).strip().splitlines():
        action, _, step = line.partition(":")
        starts, _, ends = step.partition("->")
        rows.setdefault(action.strip(), []).append((_words(starts), _words(ends)))
    return rows


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip() for word in text.split("|"))
