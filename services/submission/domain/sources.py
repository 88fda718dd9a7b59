"""Where rules come from, beside the lines of the minutes and the articles that each names itself.

Some are the product's own: nobody wrote them down before, and they say so in the words of the field.
"""

from typing import Final

DELIBERATIONS: Final = "délibérations 2018-48 et 2021-44"
REGIONAL: Final = "délibération 2024-31"
ROME: Final = "ROME, Pôle emploi"
ZONES: Final = "zones d’emploi 2020 (INSEE)"
PLACEMENTS: Final = "fiche ministérielle POEC, bilan et placements"
SESSION_NUMBER: Final = "LHÉO\u202f: numéro de la session"
"""A session is known by its number to the catalogue and to those who record entries."""
SESSION_SIZE: Final = "LHÉO\u202f: effectif minimal et capacité de la session"
SOURCING: Final = "minutes L254-258, L329-332"
RIGHTS: Final = "minutes L506-508"
"""Who files, who gives an avis, who validates: everybody does their own part."""

COUNTED_ONCE: Final = "règle de la plateforme\u202f: rien n’est compté deux fois"
FIGURES_AGREE: Final = "règle de la plateforme\u202f: les chiffres s’accordent"
MOMENT: Final = "règle de la plateforme\u202f: chaque commande a son moment"
AS_READ: Final = "règle de la plateforme\u202f: on décide sur ce qu’on a lu"
KNOWN: Final = "règle de la plateforme\u202f: on ne décide que sur ce qui existe"
ONE_NAME: Final = "règle de la plateforme\u202f: un nom désigne une seule chose"
SOMETHING_CHANGES: Final = "règle de la plateforme\u202f: une décision change quelque chose"
ROOM_FOR_ALL: Final = "règle de la plateforme\u202f: chacun laisse de la place aux autres"
