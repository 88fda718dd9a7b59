"""Where the invented sessions take place: real communes of Normandie.

Each has the employment zone (ZE2020) that bears its name, or the name of the city beside it.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Town:
    """A commune: INSEE code, name, postal code, employment zone, how often it is drawn."""

    insee: str
    name: str
    postal_code: str
    zone: str
    weight: int = 1


TOWNS: Final = (
    Town("76540", "Rouen", "76000", "2815", 6),
    Town("76351", "Le Havre", "76600", "2813", 6),
    Town("14118", "Caen", "14000", "2804", 6),
    Town("50129", "Cherbourg-en-Cotentin", "50100", "2805", 3),
    Town("27229", "Évreux", "27000", "2808", 3),
    Town("76217", "Dieppe", "76200", "2807", 2),
    Town("61001", "Alençon", "61000", "0051", 2),
    Town("50502", "Saint-Lô", "50000", "2816", 2),
    Town("14366", "Lisieux", "14100", "2814", 2),
    Town("27681", "Vernon", "27200", "2817", 2),
    Town("61169", "Flers", "61100", "2809"),
    Town("61006", "Argentan", "61200", "2801"),
    Town("61214", "L’Aigle", "61300", "2812"),
    Town("50025", "Avranches", "50300", "2802"),
    Town("50218", "Granville", "50400", "2810"),
    Town("50147", "Coutances", "50200", "2806"),
    Town("14762", "Vire Normandie", "14500", "2818"),
    Town("14333", "Honfleur", "14600", "2811"),
    Town("27467", "Pont-Audemer", "27500", "2811"),
    Town("27056", "Bernay", "27300", "2803"),
    Town("27284", "Gisors", "27140", "2817"),
    Town("76758", "Yvetot", "76190", "2819"),
    Town("14327", "Hérouville-Saint-Clair", "14200", "2804"),
    Town("14437", "Mondeville", "14120", "2804"),
    Town("76681", "Sotteville-lès-Rouen", "76300", "2815"),
    Town("76575", "Saint-Étienne-du-Rouvray", "76800", "2815"),
    Town("76498", "Le Petit-Quevilly", "76140", "2815"),
    Town("76305", "Gonfreville-l’Orcher", "76700", "2813"),
)
