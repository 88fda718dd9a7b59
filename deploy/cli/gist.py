"""One French line per event, for people who watch: what was said, of which fiche, and the figures that matter."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from shared.contracts.labels import LABELS
from shared.contracts.references import OPCOS, PlacementMoment

Value = Mapping[str, Any]
NARROW: Final = "\u202f"

_AVIS: Final = {
    "COMPLEMENTAIRE": "complémentaire",
    "COMPLEMENTAIRE_SOUS_ADAPTATION": "complémentaire sous adaptation",
    "CONCURRENT": "concurrent",
}

_MOMENTS: Final = {code: label[0].lower() + label[1:] for code, label in LABELS[PlacementMoment].items()}


def day(text: object) -> str:
    """Return an ISO date as people write it; anything else as it is."""
    try:
        return dt.date.fromisoformat(str(text)).strftime("%d/%m/%Y")
    except ValueError:
        return str(text)


def words(code: object) -> str:
    """Return a code as words: `SOURCING_INSUFFISANT` becomes `sourcing insuffisant`."""
    return str(code).replace("_", " ").lower()


def _codes(value: Value) -> str:
    return ", ".join(words(code) for code in value.get("reasons") or ())


def _content(value: Value) -> str:
    content = value.get("content") or {}
    sessions = content.get("sessions") or [{}]
    place = ((content.get("place") or {}).get("address") or {}).get("city", "")
    hours = (content.get("hours") or {}).get("total", "?")
    first = sessions[0]
    return f"{content.get('title', '')} · {place} · {first.get('seats', '?')} places · {hours} h · {day(first.get('start'))}"


def _intended(value: Value) -> str:
    meant = value.get("intention") or {}
    between = f"début du {day(meant.get('starts_from'))} au {day(meant.get('starts_until'))}"
    whose = OPCOS.get(str(value.get("opco")), value.get("opco"))
    return f"{whose} · {meant.get('title', '')} · {meant.get('seats', '?')} places · {between}"


def _placed(value: Value) -> str:
    told = value.get("placements") or {}
    people = sum(int(one.get("count", 0)) for one in told.get("placed") or ())
    moment = _MOMENTS.get(str(told.get("moment")), str(told.get("moment")))
    return f"session {value.get('number')} · {moment} · {people} en emploi sur {told.get('finishing', '?')}"


def _submitted(value: Value) -> str:
    return f"{OPCOS.get(str(value.get('opco')), value.get('opco'))} · {_content(value)}"


def _revised(value: Value) -> str:
    return f"révision {value.get('revision')} · {_content(value)}"


def _engaged(value: Value) -> str:
    forced = f" · forcée{NARROW}: {value['forced_reason']}" if value.get("forced_reason") else ""
    euros = f"{int(value.get('committed', 0)) // 100:,}".replace(",", NARROW)
    return f"session {value.get('number')} · {day(value.get('start'))} · {value.get('hours')} h · {euros} € engagés{forced}"


def _postponed(value: Value) -> str:
    moved = f"{int(value.get('shift_days', 0)):+d} j"
    return f"session {value.get('number')} · au {day(value.get('start'))} ({moved}) · {words(value.get('motive'))}"


def _validated(value: Value) -> str:
    against = " · malgré un avis concurrent" if value.get("against_avis") else ""
    return f"{value.get('validated_by')} · {value.get('reference')}{against}"


def _avis(value: Value) -> str:
    reasons = _codes(value)
    corrected = " · corrige le précédent" if value.get("corrects") else ""
    return _AVIS.get(str(value.get("avis")), str(value.get("avis"))) + (f" · {reasons}" if reasons else "") + corrected


def _published(value: Value) -> str:
    return f"{value.get('seats')} places · du {day(value.get('start'))} au {day(value.get('end'))} · {value.get('reference')}"


def _campaign(value: Value) -> str:
    whose = f" · {OPCOS.get(str(value['opco']), value['opco'])}" if value.get("opco") else ""
    return f"T{value.get('quarter')} {value.get('year')} · jusqu’au {day(value.get('deadline'))}{whose}"


@dataclass(frozen=True)
class Kind:
    """How an event is shown: two or three words, the colour of its family, and what it says."""

    word: str
    colour: str
    text: Callable[[Value], str]


_YELLOW, _BLUE, _MAGENTA, _GREEN, _CYAN, _RED = "yellow", "blue", "magenta", "green", "cyan", "red"

KINDS: Final[dict[str, Kind]] = {
    "fr.poec.fiche.preprogrammed.v1": Kind("intention annoncée", _YELLOW, _intended),
    "fr.poec.intention.dropped.v1": Kind("intention abandonnée", _RED, lambda v: words(v.get("reason"))),
    "fr.poec.fiche.submitted.v1": Kind("fiche déposée", _YELLOW, _submitted),
    "fr.poec.fiche.completed.v1": Kind("fiche complétée", _YELLOW, _revised),
    "fr.poec.fiche.amended.v1": Kind("fiche modifiée", _YELLOW, _revised),
    "fr.poec.adaptation.accepted.v1": Kind("adaptation acceptée", _YELLOW, _revised),
    "fr.poec.adaptation.declined.v1": Kind("adaptation déclinée", _YELLOW, lambda v: str(v.get("reason", ""))),
    "fr.poec.adaptation.countered.v1": Kind("contre-proposition", _YELLOW, _revised),
    "fr.poec.programmation.confirmed.v1": Kind("programmation confirmée", _YELLOW, _revised),
    "fr.poec.session.engaged.v1": Kind("session engagée", _GREEN, _engaged),
    "fr.poec.session.postponed.v1": Kind("session reportée", _YELLOW, _postponed),
    "fr.poec.session.cancelled.v1": Kind("session annulée", _RED, lambda v: words(v.get("motive"))),
    "fr.poec.placements.returned.v1": Kind("placements rendus", _GREEN, _placed),
    "fr.poec.fiche.withdrawn.v1": Kind("fiche retirée", _RED, lambda v: words(v.get("reason"))),
    "fr.poec.campaign.opened.v1": Kind("campagne ouverte", _BLUE, _campaign),
    "fr.poec.campaign.moved.v1": Kind("campagne déplacée", _YELLOW, _campaign),
    "fr.poec.campaign.extended.v1": Kind("campagne prolongée", _YELLOW, _campaign),
    "fr.poec.programme.adopted.v1": Kind(
        "programme adopté", _BLUE, lambda v: f"{v.get('year')} · {len(v.get('targets') or ())} objectifs"
    ),
    "fr.poec.projects.declared.v1": Kind(
        "projets déclarés",
        _BLUE,
        lambda v: f"{OPCOS.get(str(v.get('opco')), '')} · {v.get('number')} pour {v.get('year')}",
    ),
    "fr.poec.dossier.opened.v1": Kind(
        "dossier ouvert", _MAGENTA, lambda v: f"avis attendu le {day(v.get('avis_due_on'))}"
    ),
    "fr.poec.completion.asked.v1": Kind(
        "complément demandé", _MAGENTA, lambda v: ", ".join(str(item.get("field")) for item in v.get("items") or ())
    ),
    "fr.poec.adaptation.proposed.v1": Kind(
        "adaptation proposée", _MAGENTA, lambda v: f"{_codes(v)} · réponse avant le {day(v.get('expires_on'))}"
    ),
    "fr.poec.avis.given.v1": Kind("avis rendu", _BLUE, _avis),
    "fr.poec.avis.lapsed.v1": Kind("avis à renouveler", _RED, _codes),
    "fr.poec.fiche.validated.v1": Kind("fiche validée", _GREEN, _validated),
    "fr.poec.fiche.refused.v1": Kind("fiche refusée", _RED, _codes),
    "fr.poec.session.published.v1": Kind("session publiée", _CYAN, _published),
    "fr.poec.session.filled.v1": Kind("session complète", _CYAN, lambda v: "toutes les places ont leur AIS"),
    "fr.poec.session.suspended.v1": Kind("session suspendue", _RED, lambda v: words(v.get("reason"))),
    "fr.poec.session.removed.v1": Kind("session retirée", _RED, lambda v: words(v.get("reason"))),
    "fr.poec.ais.recorded.v1": Kind("AIS enregistrée", _GREEN, lambda v: f"la session en a {v.get('net')}"),
    "fr.poec.ais.cancelled.v1": Kind("AIS annulée", _RED, lambda v: f"la session en a {v.get('net')}"),
    "fr.poec.aes.recorded.v1": Kind("AES enregistrée", _GREEN, lambda v: f"la session en a {v.get('total')}"),
    "fr.poec.dead-letter.v1": Kind(
        "message mort", _RED, lambda v: f"{v.get('code')} · {v.get('topic')}/{v.get('partition')}/{v.get('offset')}"
    ),
}
"""Every event of the business topics, and dead letters; a test compares it with the flow table."""

_NAMING: Final = frozenset({"fr.poec.fiche.preprogrammed.v1", "fr.poec.fiche.submitted.v1"})
"""Events that say what the OPCO calls its fiche."""


@dataclass
class Gist:
    """Tells events; remembers the OPCO's reference of every fiche it saw being announced or submitted."""

    references: dict[str, str] = field(default_factory=dict)

    def tell(self, wire_type: str, value: Value) -> tuple[Kind, str, str]:
        """Return how an event is shown, the name of its fiche, and its line."""
        fiche = str(value.get("fiche_id") or "")
        if wire_type in _NAMING:
            self.references[fiche] = str(value.get("reference"))
        kind = KINDS.get(wire_type) or Kind(wire_type, "white", lambda _: "")
        return kind, self.references.get(fiche, fiche[:8]), kind.text(value)
