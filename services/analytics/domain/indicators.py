"""The indicators of a bilan: sums as they were counted, and rates made of numerators and denominators, never stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.analytics.domain.measures import Measure
from services.analytics.domain.reference import ALL_AIS


@dataclass(frozen=True)
class Indicator:
    """One figure: its value and unit, what it was computed from, the rule, where the definition comes from.

    `value` is None where the denominator is zero or not known.
    """

    code: str
    label: str
    value: float | int | None
    unit: str
    rule: str
    source: str
    numerator: int | None = None
    denominator: int | None = None


_PLAIN: Final[tuple[tuple[Measure, str, str, str, str], ...]] = (
    (
        Measure.SUBMITTED,
        "Fiches déposées",
        "fiches",
        "Fiches dont la première session déposée commence dans l’année.",
        "L106",
    ),
    (
        Measure.VALIDATED,
        "Projets validés",
        "fiches",
        "Fiches validées au moins une fois\u202f; un report à l’année suivante n’en retire aucune.",
        "L106",
    ),
    (
        Measure.ENGAGED,
        "Sessions engagées",
        "sessions",
        "Sessions dont l’OPCO a dit qu’elles ont lieu, au mois de leur début.",
        "L107",
    ),
    (Measure.AIS, "AIS", "AIS", "Intentions d’entrée, annulations déduites, au mois de la session.", "L73-76, L83"),
    (Measure.AIS_CANCELLED, "AIS annulées", "AIS", "Annulations, en plus des AIS qui restent.", "L73-76"),
    (Measure.AES, "AES", "AES", "Entrées effectives\u202f; ne s’ajoutent jamais aux AIS.", "L73-76"),
    (Measure.REFUSED, "Fiches refusées", "fiches", "Refus de Pôle emploi.", "L106"),
    (Measure.WITHDRAWN, "Fiches retirées", "fiches", "Retraits par l’OPCO.", "L254-258"),
    (
        Measure.SENT_BACK,
        "Fiches renvoyées",
        "fiches",
        "Fiches renvoyées au moins une fois pour complément.",
        "L506-508",
    ),
    (Measure.COMPLETED, "Fiches complétées", "fiches", "Fiches complétées au moins une fois.", "L506-508"),
    (Measure.ADAPTATIONS_PROPOSED, "Adaptations proposées", "adaptations", "Propositions de la Région.", "L173-175"),
    (Measure.ADAPTATIONS_ACCEPTED, "Adaptations acceptées", "adaptations", "Réponses positives des OPCO.", "L173-175"),
    (Measure.ADAPTATIONS_DECLINED, "Adaptations déclinées", "adaptations", "Réponses négatives des OPCO.", "L173-175"),
    (
        Measure.ADAPTATIONS_COUNTERED,
        "Contre-propositions",
        "adaptations",
        "Autre contenu proposé par l’OPCO.",
        "L173-175",
    ),
    (
        Measure.VALIDATED_AGAINST_AVIS,
        "Validées malgré un avis concurrent",
        "fiches",
        "Validations motivées contre l’avis de la Région.",
        "L168-175",
    ),
    (
        Measure.PUBLISHED,
        "Sessions publiées",
        "sessions",
        "Sessions passées au moins une fois au catalogue.",
        "L498-502",
    ),
    (Measure.POSTPONED, "Sessions reportées", "sessions", "Au mois de leur début avant report.", "L191-193, L254-262"),
    (
        Measure.POSTPONED_WITHIN_YEAR,
        "Reportées à un autre mois de l’année",
        "sessions",
        "Le mois de début a changé, pas l’année.",
        "L191-193",
    ),
    (
        Measure.POSTPONED_TO_NEXT_YEAR,
        "Reportées à une année suivante",
        "sessions",
        "L’année de début a changé.",
        "L254-262",
    ),
    (
        Measure.CANCELLED,
        "Sessions annulées",
        "sessions",
        "Sessions de fiches validées, annulées.",
        "L254-258, L329-332",
    ),
    (
        Measure.DECLARED,
        "Projets déclarés par les OPCO",
        "projets",
        "Dernier nombre déclaré par chaque OPCO pour l’année\u202f; ne s’ajoute pas aux fiches.",
        "L209-212",
    ),
    (
        Measure.TARGETED,
        "Objectif du programme",
        "projets",
        "Somme des objectifs du programme en vigueur\u202f; ne s’ajoute à rien de connu.",
        "L176-182",
    ),
)


def indicators(year: int, sums: Mapping[Measure, int], received: int) -> tuple[Indicator, ...]:
    """Return every indicator of a year, from the sums of its measures; `received`: fiches filed by the OPCOs that declared."""
    return (*_plain(sums), *_rates(sums, received), *_shares(year, sums[Measure.AIS]), RETURN_TO_WORK)


def _plain(sums: Mapping[Measure, int]) -> list[Indicator]:
    return [
        Indicator(measure.value, label, sums[measure], unit, rule, f"compte rendu {source}")
        for measure, label, unit, rule, source in _PLAIN
    ]


def _rates(sums: Mapping[Measure, int], received: int) -> list[Indicator]:
    validated, engaged, ais = sums[Measure.VALIDATED], sums[Measure.ENGAGED], sums[Measure.AIS]
    hours, aes, seats = sums[Measure.HOURS], sums[Measure.AES], sums[Measure.SEATS]
    declared = sums[Measure.DECLARED]
    known = "Fiches déposées / projets déclarés, des seuls OPCO qui ont déclaré, tels que connus à ce jour."
    done = "Sessions engagées / projets validés."
    mean = "Moyenne simple sur les sessions engagées."
    filled = "AIS / places des sessions prévues ou engagées."
    return [
        _ratio("realisation", "Taux de réalisation", "part", engaged, validated, done, "L106-107"),
        _ratio("mean_hours", "Durée moyenne", "heures", hours, engaged, mean, "L107"),
        _ratio("mean_size", "Effectif moyen", "AIS par session", ais, engaged, "AIS / sessions engagées.", "L108"),
        _euros(sums[Measure.COMMITTED_CENTS]),
        _ratio("fill", "Taux de remplissage", "part", ais, seats, filled, "L109-114"),
        _ratio(
            "received", "Fiches déposées rapportées aux projets déclarés", "part", received, declared, known, "L209-212"
        ),
        _ratio("conversion", "Passage de l’AIS à l’AES", "part", aes, ais, "AES / AIS.", "L73-76"),
    ]


def _shares(year: int, ais: int) -> list[Indicator]:
    """Return the share of the POEC in all AIS; the second base is derived from that very share, and says so."""
    known = ALL_AIS.get(year)
    every, without = (known.total, known.without_cpf) if known else (None, None)
    rule = "AIS POEC / AIS de tous les dispositifs (donnée de référence de Pôle emploi)."
    derived = "Environ\u202f: la base sans CPF autonome est elle-même déduite de cette part."
    return [
        _ratio("share_of_all", "Part dans toutes les AIS", "part", ais, every, rule, "L84, L92"),
        _ratio("share_without_cpf", "Part hors CPF autonome", "part", ais, without, derived, "L93"),
    ]


def _ratio(
    code: str, label: str, unit: str, numerator: int, denominator: int | None, rule: str, source: str
) -> Indicator:
    value = round(numerator / denominator, 4) if denominator else None
    return Indicator(code, label, value, unit, rule, f"compte rendu {source}", numerator, denominator)


def _euros(cents: int) -> Indicator:
    value = cents // 100 if cents % 100 == 0 else cents / 100
    rule = "Somme des coûts pédagogiques des sessions engagées\u202f; le montant facturé n’est pas encore reçu."
    return Indicator("committed", "Budget engagé", value, "euros", rule, "compte rendu L110-111", cents, 100)


RETURN_TO_WORK: Final = Indicator(
    "return_to_work",
    "Retour à l’emploi à 6 mois",
    None,
    "part",
    "Seulement pour les cohortes sorties depuis 6 mois\u202f; aucune mesure n’est encore reçue.",
    "compte rendu L116-120",
)
"""Not measured yet: shown as missing rather than left out."""
