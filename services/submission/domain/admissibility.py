"""The admissibility of a content: the ordered rules that refuse it, those that warn, and the acknowledgement of warnings.

Rules say nothing or one objection each; all come back together, warnings with them. Nothing here is a reviewer's decision.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from services.submission.domain import calendar, hours, parties, programme, texts
from services.submission.domain.case import Case, Rule
from shared.errors import Objection, RulesRefused, WarningsUnanswered

PLACE_RULES: Final[tuple[Rule, ...]] = (
    parties.place_is_in_normandie,
    parties.commune_is_known,
    parties.zone_is_known,
    hours.regional_derogation_covers_the_zone,
)
DATE_RULES: Final[tuple[Rule, ...]] = (
    calendar.session_numbers_are_unique,
    calendar.sessions_end_after_they_start,
    calendar.meetings_come_before_the_start,
    calendar.programme_year_is_that_of_the_first_start,
    hours.derogation_covers_the_start,
)
RULES: Final[tuple[Rule, ...]] = (
    hours.parts_within_total,
    hours.hours_within_cap,
    hours.national_derogation_fits,
    hours.derogation_is_decided,
    hours.derogation_is_bounded,
    hours.immersion_within_a_third,
    *DATE_RULES,
    calendar.campaign_is_open,
    calendar.tender_days_are_in_order,
    calendar.seats_reach_the_minimum,
    calendar.engaged_sessions_stay,
    calendar.cancelled_sessions_stay_cancelled,
    calendar.a_session_is_left,
    *PLACE_RULES,
    parties.branch_belongs_to_the_opco,
    parties.need_is_identified,
    parties.siret_is_valid,
    parties.trainer_is_another_organisation,
    parties.nda_has_its_form,
    parties.provider_is_certified,
    parties.cfa_is_for_the_young,
    parties.partners_are_known,
    programme.rome_is_known,
    programme.nsf_are_known,
    programme.audiences_are_known,
    programme.no_code_comes_twice,
    programme.money_adds_up,
    calendar.work_study_names_its_start,
)
DATE_WARNINGS: Final[tuple[Rule, ...]] = (
    calendar.sessions_are_to_come,
    calendar.there_is_time_for_sourcing,
    calendar.sourcing_is_not_hopeless,
    calendar.work_study_follows_at_once,
)
WARNINGS: Final[tuple[Rule, ...]] = (
    hours.parts_make_the_total,
    *DATE_WARNINGS,
    parties.nda_has_the_usual_structure,
    parties.certificate_lasts,
    parties.provider_is_of_the_region,
    parties.zone_is_that_of_the_commune,
    parties.postal_code_is_that_of_the_commune,
    programme.several_companies_hire,
    programme.hires_are_announced,
    programme.cost_is_in_the_usual_band,
    texts.nobody_is_named,
    texts.mailbox_is_functional,
)
ADVICE: Final[tuple[Rule, ...]] = (calendar.another_month_is_calmer,)
"""What may be said of a content before it is filed and asks for no answer."""


def admit(
    case: Case,
    acknowledged: Iterable[str],
    rules: Sequence[Rule] = RULES,
    warnings: Sequence[Rule] = WARNINGS,
    also: Sequence[Objection] = (),
    also_warned: Sequence[Objection] = (),
) -> tuple[Objection, ...]:
    """Return the warnings of an admissible content, all of them acknowledged.

    `also` are objections found before, `also_warned` warnings. Raises `RulesRefused` with every objection and warning, or
    `WarningsUnanswered` with every warning where one of them is not acknowledged.
    """
    objections = (*also, *said(case, rules))
    warned = (*said(case, warnings), *also_warned)
    if objections:
        raise RulesRefused(*objections, warnings=warned)
    if not {warning.code for warning in warned} <= set(acknowledged):
        raise WarningsUnanswered(warnings=warned)
    return warned


def said(case: Case, rules: Sequence[Rule]) -> tuple[Objection, ...]:
    """Return what some rules say of a case, in their order."""
    return tuple(objection for rule in rules if (objection := rule(case)))
