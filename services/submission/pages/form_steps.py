"""The form of a fiche in steps: which fields stand where, how each is typed, what helps to fill it in.

Every field of a content stands in exactly one step: a test compares them with `form_fields.form()`.
"""

from typing import Final

from services.submission.pages.form_parts import (
    Box,
    Part,
    Step,
    address_of,
    area,
    choice,
    day,
    euros,
    line,
    pattern,
    radios,
    ticked,
    whole,
)
from services.submission.reference.lists import ListName

NEED: Final = Step(
    "besoin",
    "Besoin et branche",
    "Qui a identifié le besoin, pour quelle branche, et combien d’entreprises recrutent.",
    (
        Part(
            "Le besoin",
            (
                whole("programme_year", "L’année de la première session."),
                radios("kind", ListName.FICHE_KINDS, "Structurante : le besoin revient chaque année."),
                line(
                    "branch_idcc",
                    "Quatre chiffres : une convention collective qui relève de votre OPCO.",
                    width="xs",
                    maxlength=4,
                    offers=ListName.BRANCHES,
                ),
                Box("shortage", "yes_no", "Laissez vide si personne ne s’est prononcé."),
            ),
        ),
        Part(
            "Son origine",
            (
                radios(
                    "need.origin",
                    ListName.NEED_ORIGINS,
                    "Un accord de branche ou, à défaut, le conseil d’administration de l’OPCO.",
                ),
                line("need.reference", maxlength=120),
                day("need.decided_on"),
            ),
            "Code du travail, article L6326-3.",
        ),
        Part("Les recrutements", (whole("companies"), whole("hires_announced", "Toutes sessions confondues."))),
        Part(
            "Le contact",
            (
                Box(
                    "contact",
                    "email",
                    "Une boîte fonctionnelle du service, jamais l’adresse d’une personne.",
                    True,
                    maxlength=160,
                ),
            ),
        ),
    ),
)
TRAINING: Final = Step(
    "formation",
    "Formation et heures",
    "Ce qui est appris, pour quel métier, en combien d’heures.",
    (
        Part(
            "La formation",
            (
                line("title", width="xl", maxlength=240, visible_by="tous, une fois la fiche publiée"),
                line("rome", "Une lettre et quatre chiffres.", width="s", maxlength=5, offers=ListName.ROME),
                Box(
                    "formacodes",
                    "list",
                    "Cinq chiffres ; le premier est le Formacode principal.",
                    True,
                    "s",
                    offers=ListName.FORMACODES,
                    maxlength=5,
                    least=1,
                    most=5,
                ),
                Box("nsf", "select_list", "", choices=ListName.NSF, least=1, most=3),
                area("objective"),
                area("contents"),
                area("prerequisites", required=False),
                area("modalities", "Déroulement, suivi et attestation (D6353-1).", required=False),
            ),
        ),
        Part(
            "La certification préparée",
            (
                line("certification.rncp", required=False, width="s", maxlength=10),
                line("certification.rs", required=False, width="s", maxlength=8),
                line("certification.certifinfo", required=False, width="s", maxlength=10),
            ),
            "Laissez vide si la formation n’en prépare pas.",
        ),
        Part(
            "Les heures d’un stagiaire",
            (
                whole("hours.total", "400 heures au plus, sauf dérogation.", suffix="h"),
                whole("hours.centre", suffix="h"),
                whole("hours.company", "Un tiers de la durée au plus.", suffix="h"),
                whole("hours.weekly", suffix="h"),
                whole("hours.distance", "Parmi les heures en centre.", required=False, suffix="h"),
            ),
        ),
        Part(
            "Une dérogation à la durée",
            (
                choice("derogation.level", ListName.DEROGATION_LEVELS, required=False),
                line("derogation.reference", required=False, maxlength=120),
                day("derogation.decided_on", required=False),
                whole("derogation.cap", required=False, suffix="h", label="Durée permise par la dérogation"),
                Box(
                    "derogation.zones",
                    "select_list",
                    "Celles que nomme une décision régionale.",
                    choices=ListName.ZONES,
                    least=1,
                    most=20,
                ),
                day("derogation.valid_from", required=False),
                day("derogation.valid_until", required=False),
            ),
            "À remplir au-delà de 400 heures seulement ; laissez tout vide sinon.",
        ),
    ),
    ("certification", "derogation"),
)
PROVIDER: Final = Step(
    "organisme",
    "Organisme et lieu",
    "Qui forme, par quel marché, à quelle adresse.",
    (
        Part(
            "L’organisme de formation",
            (
                line("provider.siret", "14 chiffres.", width="m", maxlength=20),
                line("provider.nda", "11 chiffres.", width="m", maxlength=20),
                line("provider.name", maxlength=250),
                Box("provider.qualiopi", "yes_no", required=True),
                day("provider.qualiopi_until", required=False),
                Box("provider.cfa", "yes_no", "Pour des publics de moins de 26 ans."),
                *address_of("provider"),
            ),
            "Il peut être d’une autre région ; le lieu, lui, est en Normandie.",
        ),
        Part(
            "L’organisme formateur",
            (
                line("trainer.siret", "14 chiffres.", required=False, width="m", maxlength=20),
                line("trainer.name", required=False, maxlength=250),
            ),
            "À remplir seulement s’il n’est pas celui qui répond de la formation.",
        ),
        Part(
            "Le marché public",
            (
                radios("procurement", ListName.PROCUREMENT_STATES),
                day("tender.published_on", required=False),
                day("tender.offers_due_on", required=False),
                day("tender.awarded_on", required=False),
                day("tender.contract_ends_on", required=False),
                Box("tender.provider_enters_session", "tick"),
            ),
            "Les dates que vous connaissez déjà.",
        ),
        Part(
            "Le lieu de la formation",
            (
                line(
                    "place.insee",
                    "Le nom ou le code INSEE à cinq chiffres ; ce n’est pas le code postal.",
                    width="m",
                    maxlength=60,
                    offers=ListName.COMMUNES,
                ),
                choice("place.zone_emploi", ListName.ZONES, "Vide : elle est déduite de la commune.", required=False),
                *address_of("place"),
            ),
        ),
    ),
    ("trainer", "tender"),
)
SESSIONS: Final = Step(
    "sessions",
    "Sessions et informations collectives",
    "Quand chaque session a lieu, pour combien de personnes, et quand on la présente aux demandeurs d’emploi.",
    (
        Part(
            "Session",
            (
                day("sessions.*.start"),
                day("sessions.*.end"),
                whole("sessions.*.seats"),
                whole("sessions.*.minimum", "L’effectif en dessous duquel elle n’ouvre pas."),
            ),
            rows="sessions",
            within=Part(
                "Information collective",
                (
                    day("sessions.*.meetings.*.on"),
                    Box("sessions.*.meetings.*.starts_at", "time", "", True, "s"),
                    line("sessions.*.meetings.*.place", maxlength=250),
                    line("sessions.*.meetings.*.audience", maxlength=250),
                    whole("sessions.*.meetings.*.seats"),
                ),
                rows="meetings",
            ),
        ),
    ),
    ("sessions.*.number",),
)
PUBLIC: Final = Step(
    "public",
    "Public, suite et recherche des stagiaires",
    "Qui est formé, vers quel contrat, et comment les stagiaires sont trouvés.",
    (
        Part("Le public", (ticked("audiences", ListName.AUDIENCES),)),
        Part(
            "La suite",
            (
                ticked("target_contracts", ListName.TARGET_CONTRACTS, "Code du travail, article L6326-3."),
                radios("follow_up.kind", ListName.FOLLOW_UPS),
                day(
                    "follow_up.contract_starts_on",
                    "Pour une alternance : le jour où le contrat commence.",
                    required=False,
                ),
            ),
        ),
        Part(
            "La recherche des stagiaires",
            (
                area("sourcing.plan", "Qui prescrit, par quels moyens, à partir de quand."),
                ticked("sourcing.pilots", ListName.SOURCING_PILOTS, required=False),
                ticked("sourcing.partner_ids", None, "Ceux de la zone d’emploi du lieu d’abord.", required=False),
                Box(
                    "sourcing.partners",
                    "list",
                    "Ceux qui ne sont pas dans l’annuaire : une organisation par ligne.",
                    False,
                    "l",
                    maxlength=250,
                    least=1,
                    most=20,
                ),
            ),
        ),
    ),
)
MONEY: Final = Step(
    "financement",
    "Financement",
    "Ce que coûte une session, et qui en paie quelle part.",
    (
        Part(
            "Le coût",
            (euros("money.teaching_cost", "Coût pédagogique d’une session", "Par exemple 12 500,50.", required=True),),
        ),
        Part(
            "Les parts",
            (
                euros("money.opco", "Part de l’OPCO", required=True),
                euros("money.state", "Part de l’État"),
                euros("money.france_travail", "Part de Pôle emploi ou de France Travail"),
                euros("money.company", "Part des entreprises"),
            ),
            "Ensemble, elles font le coût pédagogique.",
        ),
        Part("Ce qui s’y ajoute", (euros("money.other_costs", "Frais annexes", "Repas, déplacements."),)),
    ),
)
STEPS: Final = (NEED, TRAINING, PROVIDER, SESSIONS, PUBLIC, MONEY)
BY_SLUG: Final = {step.slug: step for step in STEPS}
REVIEW: Final = "relire"


def step_of(path: str) -> Step | None:
    """Return the step in which a field or a group of fields stands; None for what is no part of the form."""
    at = pattern(path)
    within = f"{at}."
    return next((step for step in STEPS if any(one == at or one.startswith(within) for one in step.patterns)), None)


def is_mark(path: str) -> bool:
    """Return whether a path is the mark of an optional group."""
    return any(path in step.groups for step in STEPS)


def is_several(path: str) -> bool:
    """Return whether a name is that of a group of boxes."""
    return path in _SEVERAL


_SEVERAL: Final = frozenset(box.path for step in STEPS for box in step.boxes if box.several)
