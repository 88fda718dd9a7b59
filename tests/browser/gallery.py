"""The pictures of the pages of submission: which page each is of, who looks at it, where, and what one sees on it.

`tests/browser/test_pictures.py` takes them, `tests/services/submission/test_pictures_readme.py` holds that every page has one and that
the README shows them all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tests.browser.desk import PERSON
from tests.support.screens import NARROW

DREETS, REGION = "p-dreets", "p-region-1"
WIDE: Final = 1200


@dataclass(frozen=True)
class Shot:
    """One picture: the page as its route calls it, where it is (parts in braces are the story's), what one sees on it.

    `part`: a part of the page alone; `width`: of the window, in CSS pixels.
    """

    name: str
    page: str
    seen: str
    at: str
    account: str = PERSON
    width: int = WIDE
    part: str = ""


def _shot(
    name: str, page: str, seen: str, at: str = "", *, account: str = PERSON, width: int = WIDE, part: str = ""
) -> Shot:
    return Shot(name, f"/espace{page}", seen, f"/espace{at or page}", account, width, part)


_FICHE, _DRAFT, _SESSION = "/fiches/{fiche_id}", "/brouillons/{fiche_id}", "/fiches/{fiche_id}/sessions/{number}"
_STEPS: Final = (
    ("besoin", "Form, step 1: the need and its branch"),
    ("formation", "Form, step 2: training, job, hours"),
    ("organisme", "Form, step 3: provider and place"),
    ("sessions", "Form, step 4: sessions and their information meetings, one more or one less by a button"),
    ("public", "Form, step 5: people, contracts, sourcing, partners of the zone"),
    ("financement", "Form, step 6: cost and who pays what, call for tenders"),
)

GROUPS: Final[Mapping[str, tuple[Shot, ...]]] = {
    "See what is expected": (
        Shot("accueil", "/", "Where one starts: what one may do here", "/"),
        _shot(
            "mes-fiches",
            "/fiches",
            "The list of fiches: a sentence on what waits for an answer, tabs with counts, filters, the table",
        ),
        _shot(
            "mes-fiches-320", "/fiches", "The same list at 320 px: only the table scrolls in its frame", width=NARROW
        ),
        _shot(
            "fiche",
            _FICHE,
            "A fiche: the adaptation to answer with its last day, the journey, sessions and content",
            "/fiches/{to_adapt}",
        ),
        _shot(
            "retro-planning",
            _FICHE,
            "The retro-planning of a fiche: each step with its last day, what is done, late or to come",
            "/fiches/{submitted}",
            part="#retro-planning",
        ),
        _shot(
            "versions", f"{_FICHE}/versions", "Two versions of a fiche, field by field", "/fiches/{adapted}/versions"
        ),
        _shot(
            "fiche-lecture",
            _FICHE,
            "The same fiche as the Région reads it: nothing to click",
            "/fiches/{avis_given}",
            account=REGION,
        ),
    ),
    "Prepare a fiche": (
        _shot(
            "intention-nouvelle",
            "/intentions/nouvelle",
            "An intention is announced before provider and content are known",
        ),
        _shot(
            "intention",
            _FICHE,
            "An intention: what was announced, its retro-planning, what one may do with it",
            "/fiches/{intention}",
        ),
        _shot("intention-modifier", "/intentions/{fiche_id}", "An intention is changed", "/intentions/{intention}"),
        _shot("nouvelle-fiche", "/fiches/nouvelle", "A fiche is begun under the OPCO’s own reference"),
        *(
            _shot(f"saisie-{slug}", f"{_DRAFT}/{{slug}}", seen, f"/brouillons/{{draft}}/{slug}")
            for slug, seen in _STEPS
        ),
        _shot(
            "saisie-320",
            f"{_DRAFT}/{{slug}}",
            "The step of the sessions at 320 px",
            "/brouillons/{draft}/sessions",
            width=NARROW,
        ),
        _shot(
            "relire",
            f"{_DRAFT}/relire",
            "The last step: a fiche that is alike, advice, warnings to confirm, everything that was typed",
            "/brouillons/{draft}/relire",
        ),
        _shot(
            "brouillon", _FICHE, "A draft: where it is gone on with, kept as a template or dropped", "/fiches/{draft}"
        ),
        _shot("abandon", f"{_DRAFT}/abandon", "A draft is dropped, with the reason", "/brouillons/{draft}/abandon"),
        _shot(
            "reconduction",
            f"{_FICHE}/reconduction",
            "A fiche is taken up again for another year",
            "/fiches/{told}/reconduction",
        ),
        _shot("reconduite", _FICHE, "The renewed draft with last year’s results beside it", "/fiches/{renewed}"),
        _shot("modele", f"{_FICHE}/modele", "A fiche is kept as a template", "/fiches/{validated}/modele"),
        _shot("modeles", "/modeles", "Templates of the OPCO"),
        _shot(
            "modele-brouillon",
            "/modeles/{template_id}/brouillon",
            "A draft is begun from a template",
            "/modeles/{template}/brouillon",
        ),
        _shot(
            "modele-suppression",
            "/modeles/{template_id}/suppression",
            "A template is deleted after a question",
            "/modeles/{template}/suppression",
        ),
    ),
    "Answer what is asked": (
        _shot(
            "completer",
            f"{_FICHE}/contenu",
            "What was asked for stands above the form",
            "/fiches/{to_complete}/contenu?pour=completion",
        ),
        _shot(
            "adaptation",
            f"{_FICHE}/adaptation/acceptation",
            "An adaptation beside the fiche as it is",
            "/fiches/{to_adapt}/adaptation/acceptation",
        ),
        _shot(
            "contre-proposition",
            f"{_FICHE}/adaptation/contre-proposition",
            "A counter-proposal: other dates, and why",
            "/fiches/{to_adapt}/adaptation/contre-proposition",
        ),
        _shot(
            "refus",
            f"{_FICHE}/adaptation/refus",
            "An adaptation is declined, with the reason",
            "/fiches/{to_adapt}/adaptation/refus",
        ),
        _shot(
            "conflit",
            f"{_SESSION}/report",
            "A form sent on an older revision: what changed meanwhile, what was typed, the button that sends it on the current one",
            "/fiches/{conflict}/sessions/1/report",
        ),
    ),
    "Programme the sessions": (
        _shot(
            "programmation",
            f"{_FICHE}/programmation",
            "The programmation is confirmed",
            "/fiches/{validated}/programmation",
        ),
        _shot(
            "engagement",
            f"{_SESSION}/engagement",
            "The go for a session: people enrolled beside its minimum",
            "/fiches/{confirmed}/sessions/1/engagement",
        ),
        _shot(
            "report",
            f"{_SESSION}/report",
            "A session is postponed: dates, motive, cause",
            "/fiches/{confirmed}/sessions/1/report",
        ),
        _shot(
            "annulation",
            f"{_SESSION}/annulation",
            "A session is cancelled: motive, and the cause where people were missing",
            "/fiches/{confirmed}/sessions/1/annulation",
        ),
        _shot(
            "bilan",
            f"{_SESSION}/bilan",
            "What became of the people of a session, and whether companies are satisfied",
            "/fiches/{ended}/sessions/1/bilan",
        ),
        _shot("retrait", f"{_FICHE}/retrait", "A fiche is withdrawn, with the reason", "/fiches/{submitted}/retrait"),
    ),
    "Send a file of fiches": (
        _shot("imports", "/imports", "Files that were sent, and one to send; the template to fill in"),
        _shot(
            "import",
            "/imports/{import_id}",
            "A file of fiches: how far it has come, and what was said of each line",
            "/imports/{import}",
        ),
    ),
    "Read and deliver what a year is": (
        _shot("campagnes", "/campagnes", "Campaigns as an OPCO sees them: its own deadline where it has more time"),
        _shot(
            "campagne",
            "/campagnes/{campaign_id}",
            "A campaign with every decision on its dates",
            "/campagnes/{campaign}",
            account=DREETS,
        ),
        _shot("campagne-nouvelle", "/campagnes/nouvelle", "A campaign is opened", account=DREETS),
        _shot(
            "campagne-dates",
            "/campagnes/{campaign_id}/dates",
            "The dates of a campaign are moved, and why",
            "/campagnes/{campaign}/dates",
            account=DREETS,
        ),
        _shot(
            "campagne-prolongation",
            "/campagnes/{campaign_id}/prolongation",
            "An OPCO, or all, are given more time",
            "/campagnes/{campaign}/prolongation",
            account=DREETS,
        ),
        _shot("conferences", "/conferences", "Conferences on record: agenda and decisions"),
        _shot("conference-nouvelle", "/conferences/nouvelle", "A conference is put on record", account=DREETS),
        _shot(
            "conference-versions",
            "/conferences/{conference_id}/versions",
            "Every version of a record, and why it was corrected",
            "/conferences/{conference}/versions",
            account=DREETS,
        ),
        _shot(
            "conference-correction",
            "/conferences/{conference_id}/correction",
            "A record is corrected, with the reason",
            "/conferences/{conference}/correction",
            account=DREETS,
        ),
        _shot(
            "programme",
            "/programmes/{year}",
            "The programme of the year: targets beside what is known, intended and estimated",
            "/programmes/{year}",
        ),
        _shot(
            "revisions", "/programmes/{year}/revisions", "What each revision of the programme changed", account=DREETS
        ),
        _shot("adoption", "/programmes/{year}/adoption", "The programme is revised, target by target", account=DREETS),
        _shot("livraison", "/programmes/{year}/livraison", "What an OPCO expects for the months to come"),
        _shot(
            "declarations",
            "/declarations/{year}",
            "Projects declared beside fiches received, for all OPCOs",
            account=DREETS,
        ),
        _shot("declaration", "/declarations/{year}", "An OPCO declares how many projects it has"),
    ),
    "Keep the directory of partners": (
        _shot("partenaires", "/partenaires", "Partners by employment zone and network", account=REGION),
        _shot("partenaire-nouveau", "/partenaires/nouveau", "A partner is put in", account=REGION),
        _shot(
            "partenaire", "/partenaires/{partner_id}", "A partner is changed", "/partenaires/{partner}", account=REGION
        ),
        _shot(
            "partenaire-retrait",
            "/partenaires/{partner_id}/retrait",
            "A partner is taken out",
            "/partenaires/{partner}/retrait",
            account=REGION,
        ),
    ),
}
"""Every picture, by what a person does; the README shows them in this order."""
SHOTS: Final = tuple(shot for shots in GROUPS.values() for shot in shots)

WITHOUT: Final[Mapping[str, str]] = {
    "/espace/listes/communes": "a part of the form that scripts fetch while one types, no page",
    "/espace/programmes": "the page of the year that goes on",
    "/espace/declarations": "the page of the year that goes on",
}
"""Pages without a picture, and why."""


def shown_in_readme() -> str:
    """Return the pictures as the README shows them: a part to unfold for each thing that a person does."""
    return "\n\n".join(
        f"<details><summary>{title} ({len(shots)})</summary>\n\n"
        + "\n\n".join(f"![{shot.seen}](pictures/{shot.name}.png)" for shot in shots)
        + "\n\n</details>"
        for title, shots in GROUPS.items()
    )
