"""Objects in each state, of two OPCOs, and a request for each cell: written through the services' own stores, asked through their doors."""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID, uuid4

from services.publication.consumers import hearing as publication_ears
from services.publication.store import open_listing
from services.publication.use_cases import record_ais
from services.submission.domain.content import with_dates
from services.submission.domain.fiche import Fiche
from services.submission.domain.fiche import Status as FicheStatus
from services.submission.domain.partners import Sheet
from services.submission.domain.preparation import Held
from services.submission.partners_cases import record_partner
from services.submission.partners_store import open_partners, write_partners
from services.submission.store import Version, open_fiches, write_fiches
from services.submission.template_cases import save_template
from services.submission.template_store import open_templates, write_templates
from services.validation.domain.dossier import Status as DossierStatus
from services.validation.store import open_dossiers, write_dossiers
from shared.audit_trail import Change
from shared.contracts.events import Event
from shared.contracts.fiche import fiche_id, session_id
from shared.contracts.flow import topics_heard_by
from shared.contracts.ingress import AisRow
from shared.contracts.references import REGION, PartnerKind
from shared.identity import Principal, service_principal
from shared.principals import Registration, register
from tests.access import yearbook
from tests.access.cells import Asked, Cell
from tests.access.entrance import OTHER, OTHER_SIRET, OWN, OWN_SIRET, Entrance
from tests.services.publication import heard
from tests.services.submission import filings
from tests.services.validation import dossiers
from tests.support.fiches import GOLDEN_WARNINGS, golden_json

_CHUNK: Final = 400
TODAY: Final[Mapping[str, dt.datetime]] = {"submission": filings.NOON, "validation": dossiers.NOON, "publication": heard.NOW}
"""The business time at which each service is asked: the objects are of those days."""
TABLES: Final = {"submission": "fiche", "validation": "dossier", "publication": "catalogue_session"}
"""Where each service keeps what its commands are about."""


@dataclass(frozen=True)
class Object:
    """What a cell is about: its id, the revision that was read, the OPCO's reference of it, AIS recorded of it, the year it is of."""

    id: UUID
    revision: int = 1
    reference: str = ""
    ais: tuple[UUID, ...] = ()
    year: int = 2018


async def at_its_time(entrance: Entrance) -> None:
    """Move a service's business clock to the days of its objects."""
    at = TODAY.get(entrance.name)
    if at is not None:
        await entrance.owner("UPDATE clock_offset SET seconds = extract(epoch FROM $1::timestamptz - now())::bigint", at)


async def requests(entrance: Entrance, cells: Iterable[Cell]) -> dict[Cell, tuple[Object, Asked]]:
    """Make an object of its own for every cell that has one, and return each cell's request."""
    asked = list(cells)
    made = await SEEDS[entrance.name](entrance, [cell for cell in asked if cell.state and "letter" not in cell.door])
    letters = await _letters(entrance, [cell for cell in asked if cell.state and "letter" in cell.door])
    people = await _people(entrance, [cell for cell in asked if "{pseudonym}" in cell.door and cell.relation != "absent"])
    files = await _imports(entrance, [cell for cell in asked if "{import_id}" in cell.door and cell.relation != "absent"])
    files |= await _templates(entrance, [cell for cell in asked if "{template_id}" in cell.door and cell.relation != "absent"])
    wanted = [cell for cell in asked if yearbook.is_one(cell.door) and cell.relation != "absent"]
    of_years = await yearbook.records(entrance, wanted) if wanted else {}
    kept = {cell: Object(one, revision, year=year) for cell, (one, revision, year) in of_years.items()}
    directory = await _partners(entrance, [cell for cell in asked if "{partner_id}" in cell.door and cell.relation != "absent"])
    made |= letters | people | files | kept | directory
    found = {cell: made.get(cell) or Object(uuid4(), reference=_reference(), year=_absent_year(cell)) for cell in asked}
    return {cell: (thing, _request(cell, thing)) for cell, thing in found.items()}


def _absent_year(cell: Cell) -> int:
    """Return a year: one without a programme where a cell asks for what is not there."""
    return 2100 if cell.relation == "absent" else 2018


def _reference() -> str:
    return f"M-{uuid4().hex[:12]}"


def _owner(cell: Cell) -> str:
    return OWN if cell.relation == "own" else OTHER


def title_of(opco: str) -> str:
    """Return the title of every fiche of an OPCO here: no answer to another one may hold it."""
    return f"Peintre industriel, fiche de {opco}"


async def _no_objects(entrance: Entrance, cells: Sequence[Cell]) -> dict[Cell, Object]:
    assert not cells
    return {}


async def fiches(entrance: Entrance, cells: Sequence[Cell]) -> dict[Cell, Object]:
    at = {status.value: filings.held(status) for status in FicheStatus}
    found = {}
    for chunk in _chunks(cells):
        async with entrance.database.unit(service_principal("submission", "worker")) as unit:
            working = await open_fiches(unit, [])
            for cell in chunk:
                opco, reference = _owner(cell), _reference()
                start = at[cell.state or ""]
                if cell.operation == "return_placements" and start.status is FicheStatus.CONFIRMED:
                    start = ended(filings.engaged())
                held = replace(titled(start, opco), id=fiche_id(opco, reference), opco=opco, reference=reference)
                working.put(held.id, held, _made(held.status, held.revision))
                if isinstance(held, Fiche):
                    working.keep(Version(held, "submit_fiche", "test"))
                found[cell] = Object(held.id, held.revision, reference)
            write_fiches(working, unit)
            await unit.flush()
    return found


def ended(fiche: Fiche) -> Fiche:
    """Return a fiche whose first session is over at the time of the matrix."""
    return replace(fiche, content=with_dates(fiche.content, 1, dt.date(2017, 9, 4), dt.date(2017, 11, 30)))


def titled(held: Held, opco: str) -> Held:
    """Return what is held with a title that names its OPCO."""
    if isinstance(held, Fiche):
        return replace(held, content=held.content.model_copy(update={"title": title_of(opco)}))
    meant = held.intention.model_copy(update={"title": title_of(opco)}) if held.intention else None
    return replace(held, intention=meant, fields={**held.fields, "title": title_of(opco)})


async def _dossiers(entrance: Entrance, cells: Sequence[Cell]) -> dict[Cell, Object]:
    at = {status.value: make() for status, make in dossiers.IN_STATUS.items()}
    assert set(at) == {status.value for status in DossierStatus}
    found = {}
    for chunk in _chunks(cells):
        async with entrance.database.unit(service_principal("validation", "worker")) as unit:
            working = await open_dossiers(unit, [])
            for cell in chunk:
                opco, reference, start = _owner(cell), _reference(), at[cell.state or ""]
                named = replace(start.validation, reference=reference) if start.validation else None
                advisers = (cell.caller,) if cell.relation == "judged" else start.advisers
                identifier = fiche_id(opco, reference)
                content = start.content.model_copy(update={"title": title_of(opco)})
                dossier = replace(
                    start, content=content, fiche_id=identifier, opco=opco, reference=reference, validation=named, advisers=advisers
                )
                working.put(identifier, dossier, _made(dossier.status, dossier.revision))
                found[cell] = Object(identifier, dossier.revision, reference)
            write_dossiers(working, unit)
            await unit.flush()
    return found


def _made(status: str, revision: int) -> Change:
    return Change("made", "test", None, str(status), facts={"revision": revision})


_LISTED: Final = (heard.submitted(heard.content(seats=2)), heard.avis(), heard.validated())
_STORY: Final[Mapping[str, tuple[Event, ...]]] = {
    "expected": (),
    "published": (),
    "full": (),
    "suspended": (heard.lapsed(),),
    "removed": (heard.withdrawn(),),
}
"""What is heard of a fiche after its session stood in the catalogue, to bring it to each state."""


async def sessions(entrance: Entrance, cells: Sequence[Cell]) -> dict[Cell, Object]:
    ears, found = publication_ears(heard.LIMITS), {}
    for chunk in _chunks(cells):
        async with entrance.database.unit(service_principal("publication", "worker")) as unit:
            listing = await open_listing(unit, [])

            def hear(fiche: UUID, opco: str, *events: Event) -> None:
                for event in events:
                    ears.handlers[type(event)](listing, _of(event, fiche, opco), unit.now)  # noqa: B023  # used at once

            for cell in chunk:
                fiche, opco = uuid4(), _owner(cell)
                session = session_id(fiche, 1)
                ais: tuple[UUID, ...] = ()
                hear(fiche, opco, *_LISTED)
                if cell.state != "expected":
                    hear(fiche, opco, heard.confirmed(1, heard.content(seats=2)))
                    ais = tuple(uuid4() for _ in range(2 if cell.state == "full" else 1))
                    rows = [AisRow(ais_id=one, recorded_on=dt.date(2018, 2, 25)) for one in ais]
                    record_ais(listing, heard.FRANCE_TRAVAIL, session, rows, unit.now, heard.LIMITS)
                hear(fiche, opco, *_STORY[cell.state or ""])
                assert listing.sessions.get(session).status == cell.state  # type: ignore[union-attr]  # it was just made
                found[cell] = Object(session, ais=ais)
            ears.write(listing, unit)
            await unit.flush()
    return found


def _of(event: Event, fiche: UUID, opco: str) -> Event:
    """Return an event about another fiche."""
    changes: dict[str, object] = {"fiche_id": fiche, "opco": opco}
    if number := getattr(event, "number", None):
        changes["session_id"] = session_id(fiche, number)
    if getattr(event, "reference", None):
        changes["reference"] = f"R-{fiche.hex[:16]}"
    return event.model_copy(update=changes)


def _chunks(cells: Sequence[Cell]) -> Iterable[Sequence[Cell]]:
    return (cells[n : n + _CHUNK] for n in range(0, len(cells), _CHUNK))


SEEDS: Final[Mapping[str, Callable[[Entrance, Sequence[Cell]], Any]]] = {
    "submission": fiches,
    "validation": _dossiers,
    "publication": sessions,
    "analytics": _no_objects,
}
_LETTER: Final = (
    "INSERT INTO dead_letter (id, topic, kafka_partition, kafka_offset, code, detail, headers, state, value)"
    " SELECT id, $2, 7, n, 'PLANTED', 'planted', '[]', state, 'x'"
    " FROM unnest($1::uuid[], $3::text[]) WITH ORDINALITY AS t(id, state, n)"
)


async def _letters(entrance: Entrance, cells: Sequence[Cell]) -> dict[Cell, Object]:
    """Plant a letter that nobody can read for each cell."""
    found = {cell: Object(uuid4()) for cell in cells}
    ids, states = [thing.id for thing in found.values()], [cell.state for cell in found]
    await entrance.owner(_LETTER, ids, topics_heard_by(entrance.name)[0], states)
    return found


async def _people(entrance: Entrance, cells: Sequence[Cell]) -> dict[Cell, Object]:
    """Register a reviewer for each cell, who signs in with a mailbox; the account is called like the object's id."""
    found = {cell: Object(uuid4()) for cell in cells}
    wanted = [
        Registration(str(one.id), "person", REGION, ("region_reviewer",), login=f"{one.id}@region.invalid")
        for one in found.values()
    ]
    async with entrance.database.unit(service_principal(entrance.name, "api")) as unit:
        await register(unit, wanted, "test")
        await unit.flush()
    return found


async def _imports(entrance: Entrance, cells: Sequence[Cell]) -> dict[Cell, Object]:
    """Plant a file that was sent in for each cell."""
    found = {cell: Object(uuid4()) for cell in cells}
    rows = [(thing.id, _owner(cell)) for cell, thing in found.items()]
    for identifier, opco in rows:
        await entrance.owner(_IMPORT, identifier, opco)
    return found


_IMPORT: Final = (
    "INSERT INTO fiche_import (id, opco, principal, kind, acknowledged, fiches, state, received_at, finished_at)"
    " VALUES ($1, $2, $2, 'json', '[]', 1, 'done', now(), now())"
)


async def _templates(entrance: Entrance, cells: Sequence[Cell]) -> dict[Cell, Object]:
    """Keep a template of its owner for each cell."""
    found = {}
    if cells:
        async with entrance.database.unit(service_principal("submission", "worker")) as unit:
            templates = await open_templates(unit, [])
            for cell in cells:
                opco = _owner(cell)
                owner = Principal(opco, opco, "machine", frozenset({"opco"}))
                kept = save_template(templates, owner, _reference(), {"title": title_of(opco)}, unit.now)
                found[cell] = Object(kept.id, reference=_reference())
            write_templates(templates, unit)
            await unit.flush()
    return found


async def _partners(entrance: Entrance, cells: Sequence[Cell]) -> dict[Cell, Object]:
    """Put a partner into the directory for each cell."""
    region = Principal("region", REGION, "machine", frozenset({"region_reviewer"}))
    found = {}
    if cells:
        async with entrance.database.unit(service_principal("submission", "worker")) as unit:
            partners = await open_partners(unit, [])
            for cell in cells:
                partner = record_partner(partners, region, f"p-{uuid4()}", SHEET, (), unit.now)
                found[cell] = Object(partner.id)
            write_partners(partners, unit)
            await unit.flush()
    return found


SHEET: Final = Sheet("Mission locale des canaris", PartnerKind.MISSION_LOCALE, ("2804",), "accueil@canaris.example")
_SHEET: Final = {"name": "Mission locale des serins", "kind": "MISSION_LOCALE", "zones": ["2804"]}
_CONTENT: Final = golden_json()
_ACKNOWLEDGED: Final = {"acknowledged": list(GOLDEN_WARNINGS)}
_CHANGED: Final = {"content": {**_CONTENT, "title": "Peintre industriel, intitulé modifié"}, **_ACKNOWLEDGED}
_INTENTION: Final = {**filings.INTENTION.model_dump(mode="json"), "seats": 15}
_REASON: Final = "Le centre n’est libre qu’à ces dates."
_DATES: Final = {"start": "2018-05-14", "end": "2018-08-17", "motive": "SOURCING_INSUFFISANT"}
_AVIS: Final = {"avis": "COMPLEMENTAIRE"}
_PROPOSED: Final = dossiers.an_adaptation()
BODIES: Final[Mapping[str, Callable[[Object], object]]] = {
    "check_fiche": lambda o: {"reference": o.reference, "content": _CONTENT},
    "submit_fiche": lambda o: {"reference": o.reference, "content": _CONTENT, **_ACKNOWLEDGED},
    "import_fiches": lambda o: [{"reference": o.reference, "content": _CONTENT, **_ACKNOWLEDGED}],
    "preprogramme_fiche": lambda o: {"reference": o.reference, "intention": _INTENTION},
    "draft_fiche": lambda o: {"reference": o.reference, "fields": {"title": "Peintre industriel"}},
    "POST /templates/{template_id}/deletion": lambda o: {},
    "POST /templates/{template_id}/draft": lambda o: {"reference": o.reference},
    "keep_templates": lambda o: {"template": "Peintres", "fields": {"title": "Peintre industriel"}},
    "renew_fiche": lambda o: {"reference": _reference(), "programme_year": 2019},
    "return_placements": lambda o: {"placements": {"moment": "FIN", "finishing": 8}},
    "complete_fiche": lambda o: {"content": _CONTENT, **_ACKNOWLEDGED},
    "amend_fiche": lambda o: _CHANGED,
    "accept_adaptation": lambda o: _ACKNOWLEDGED,
    "decline_adaptation": lambda o: {"reason": _REASON},
    "counter_propose": lambda o: {**_CHANGED, "reason": _REASON},
    "confirm_programmation": lambda o: {},
    "engage_session": lambda o: {"enrolled": 8},
    "postpone_session": lambda o: {**_DATES, **_ACKNOWLEDGED},
    "cancel_session": lambda o: {"motive": "BESOIN_DISPARU"},
    "withdraw_fiche": lambda o: {"reason": "AUTRE"},
    "manage_partners": lambda o: _SHEET,
    "POST /partners": lambda o: {**_SHEET, "code": f"p-{o.id}"},
    "POST /partners/{partner_id}/retirement": lambda o: {},
    "ask_completion": lambda o: {"items": [{"field": "hours.total", "request": "Précisez la durée."}]},
    "propose_adaptation": lambda o: {
        "adaptation": _PROPOSED.adaptation.model_dump(mode="json"),
        "reasons": list(_PROPOSED.reasons),
        "expires_on": _PROPOSED.expires_on.isoformat(),
    },
    "give_avis": lambda o: _AVIS,
    "correct_avis": lambda o: _AVIS,
    "validate_fiche": lambda o: {},
    "refuse_fiche": lambda o: {"reasons": ["HORS_CADRE_POEC"], "comment": "Le besoin relève du droit commun."},
    "record_ais": lambda o: {"rows": [{"ais_id": str(uuid4()), "recorded_on": "2018-02-26"}]},
    "cancel_ais": lambda o: {"ais_ids": [str(one) for one in o.ais or (uuid4(),)]},
    "record_aes": lambda o: {"rows": [{"aes_id": str(uuid4()), "entered_on": "2018-04-30"}]},
    **yearbook.BODIES,
    "replay_dead_letter": lambda o: {},
    "discard_dead_letter": lambda o: {"reason": "Illisible."},
    "manage_principals": lambda o: {
        "principals": [{"id": f"new-{o.id}", "kind": "machine", "organisation": OTHER, "roles": ["opco"]}]
    },
}
"""What is sent for each operation that changes something: what the rules let through where role, relation and state do."""
_QUERIES: Final = {"GET /counts": "?year=2018"}


def _request(cell: Cell, thing: Object) -> Asked:
    method, _, path = cell.door.partition(" ")
    if cell.door == "GET /check":
        siret = OWN_SIRET if cell.relation == "own" else OTHER_SIRET
        return Asked(method, f"/check?siret={siret}&insee=50502&start=2018-04-30")
    parameters = {"number": "1", "revision": "1", "other": "1", "year": str(thing.year), "name": "communes"}
    filled = re.sub(r"{(\w+)}", lambda found: parameters.get(found[1], str(thing.id)), path) + _QUERIES.get(cell.door, "")
    body = BODIES[cell.door if cell.door in BODIES else cell.operation](thing) if method in ("POST", "PUT") else None
    read = body is not None and "{template_id}" not in cell.door  # a draft from a template is a new one: nothing was read of it
    return Asked(method, filled, body, {"if_match": f'"{thing.revision}"'} if read else {})
