"""The tables of facts and running counts, and their queries.

Facts are no business aggregates: no command changes them and nobody is told, so they are written without an audit chain, one
statement per batch, under row locks taken by the read (`FOR UPDATE`). What proves them is the recount.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.analytics.domain.counts import AsOf, Bucket, Counts, moved, shift
from services.analytics.domain.facts import EntryFact, FicheFact, IntentionFact, SessionFact, State
from services.analytics.domain.years import Kind, YearFact, year_contribution
from shared.contracts.references import AvisKind, SessionMotive
from shared.database import Database, UnitOfWork
from shared.identity import Principal


class Base(SQLModel):
    """Base of this service's tables: their own metadata, so that no other service's tables are near."""

    metadata = sa.MetaData()


class FicheFactRow(Base, table=True):
    """The last known state of a fiche; `id` is the fiche's, `document` the whole fact."""

    __tablename__ = "fiche_fact"

    id: UUID = Field(primary_key=True)
    opco: str = Field(sa_type=sa.Text)
    document: str = Field(sa_type=JSONB)


class YearFactRow(Base, table=True):
    """The last known state of a campaign, a programme or a declaration; `id` is its own, `document` the whole fact."""

    __tablename__ = "year_fact"

    id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=sa.Text)
    year: int
    document: str = Field(sa_type=JSONB)


class RunningCountRow(Base, table=True):
    """A running count: measure, OPCO, month (YYYY-MM), value; quarter and year are sums of these."""

    __tablename__ = "running_count"

    measure: str = Field(primary_key=True, sa_type=sa.Text)
    opco: str = Field(primary_key=True, sa_type=sa.Text)
    month: str = Field(primary_key=True, sa_type=sa.Text)
    value: int = Field(sa_type=sa.BigInteger)


class CountedRow(Base, table=True):
    """One row: the business time of the last batch that was counted."""

    __tablename__ = "counted"

    one: bool = Field(primary_key=True)
    at: dt.datetime = Field(sa_type=sa.DateTime(timezone=True))


class FactSet:
    """The facts a batch works on, and the counts it moves."""

    def __init__(
        self, loaded: Mapping[UUID, FicheFact] | None = None, years: Mapping[UUID, YearFact] | None = None
    ) -> None:
        self._loaded: dict[UUID, FicheFact] = dict(loaded or {})
        self._current: dict[UUID, FicheFact] = dict(self._loaded)
        self._years_loaded: dict[UUID, YearFact] = dict(years or {})
        self._years: dict[UUID, YearFact] = {}

    def get(self, fiche: UUID, opco: str) -> FicheFact:
        """Return what is known of a fiche; a new fact where nothing is."""
        return self._current.get(fiche) or FicheFact(opco)

    def put(self, fiche: UUID, fact: FicheFact) -> None:
        """Take the fact that an event led to."""
        self._current[fiche] = fact

    def get_year(self, identifier: UUID) -> YearFact | None:
        """Return what is known of a campaign, a programme or a declaration; None where nothing is."""
        return self._years.get(identifier) or self._years_loaded.get(identifier)

    def put_year(self, identifier: UUID, fact: YearFact) -> None:
        """Take the fact that an event led to."""
        self._years[identifier] = fact

    def changed_years(self) -> tuple[dict[UUID, YearFact], dict[UUID, YearFact]]:
        """Return the new facts of years and the changed ones, each sorted by identifier."""
        said = dict(sorted(self._years.items()))
        changed = {key: fact for key, fact in said.items() if key in self._years_loaded}
        return {key: fact for key, fact in said.items() if key not in changed}, changed

    def changed(self) -> tuple[dict[UUID, FicheFact], dict[UUID, FicheFact]]:
        """Return the new facts and the changed ones, each sorted by fiche."""
        new, changed = {}, {}
        for fiche in sorted(self._current):
            fact = self._current[fiche]
            if fiche not in self._loaded:
                new[fiche] = fact
            elif fact is not self._loaded[fiche]:
                changed[fiche] = fact
        return new, changed

    def delta(self) -> Counts:
        """Return what the batch moves: for every changed fiche, contribution(after) - contribution(before); zeros left out."""
        counts: Counts = {}
        new, changed = self.changed()
        for fiche, fact in (*new.items(), *changed.items()):
            moved(self._loaded.get(fiche), fact, counts)
        for identifier, said in self._years.items():
            before = self._years_loaded.get(identifier)
            shift(year_contribution(before) if before else {}, year_contribution(said), counts)
        return {bucket: value for bucket, value in counts.items() if value}

    def facts(self) -> Iterable[FicheFact]:
        """Return every fact of the set."""
        return self._current.values()


_LOCKED: Final = " WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE"
_OPEN: Final = (
    f"SELECT * FROM (SELECT id, false AS of_year, document::text AS document FROM fiche_fact{_LOCKED}) fiches"
    f" UNION ALL SELECT * FROM (SELECT id, true AS of_year, document::text AS document FROM year_fact{_LOCKED}) years"
)
_NEW: Final = "INSERT INTO fiche_fact (id, opco, document) SELECT * FROM unnest($1::uuid[], $2::text[], $3::jsonb[])"
_CHANGED: Final = (
    "UPDATE fiche_fact f SET document = u.document FROM unnest($1::uuid[], $2::jsonb[]) AS u(id, document)"
    " WHERE f.id = u.id"
)
_NEW_YEARS: Final = "INSERT INTO year_fact (id, kind, year, document) SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[], $4::jsonb[])"
_CHANGED_YEARS: Final = (
    "UPDATE year_fact f SET document = u.document FROM unnest($1::uuid[], $2::jsonb[]) AS u(id, document)"
    " WHERE f.id = u.id"
)
_COUNTS: Final = (
    "INSERT INTO running_count (measure, opco, month, value)"
    " SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])"
    " ON CONFLICT (measure, opco, month) DO UPDATE SET value = running_count.value + excluded.value"
)
_COUNTED: Final = "INSERT INTO counted (at) VALUES ($1::timestamptz) ON CONFLICT (one) DO UPDATE SET at = greatest(counted.at, excluded.at)"


async def open_facts(unit: UnitOfWork, ids: Collection[UUID]) -> FactSet:
    """Load and lock the facts of these fiches in one read."""
    rows = await unit.read(_OPEN, list(ids))
    fiches = {row["id"]: parsed(orjson.loads(row["document"])) for row in rows if not row["of_year"]}
    return FactSet(fiches, {row["id"]: year_parsed(row["document"]) for row in rows if row["of_year"]})


def write_facts(facts: FactSet, unit: UnitOfWork) -> None:
    """Hand facts and counts to the unit of work: they stand or fall with the inbox marks of the events behind them."""
    new, changed = facts.changed()
    if new:
        unit.add(_NEW, list(new), [fact.opco for fact in new.values()], [written(fact) for fact in new.values()])
    if changed:
        unit.add(_CHANGED, list(changed), [written(fact) for fact in changed.values()])
    new_years, changed_years = facts.changed_years()
    if new_years:
        kinds, numbers = [fact.kind.value for fact in new_years.values()], [fact.year for fact in new_years.values()]
        unit.add(_NEW_YEARS, list(new_years), kinds, numbers, [year_written(fact) for fact in new_years.values()])
    if changed_years:
        unit.add(_CHANGED_YEARS, list(changed_years), [year_written(fact) for fact in changed_years.values()])
    if delta := facts.delta():
        rows = sorted(delta.items())
        measures, opcos, months = (list(column) for column in zip(*(bucket for bucket, _ in rows), strict=True))
        unit.add(_COUNTS, measures, opcos, months, [value for _, value in rows])
    if new or changed or new_years or changed_years:
        unit.add(_COUNTED, unit.now)


def written(fact: FicheFact) -> str:
    """Return the document of a fact; `parsed` gives the same fact back."""
    return orjson.dumps(fact).decode()


def year_written(fact: YearFact) -> str:
    """Return the document of a fact of a year; `year_parsed` gives the same fact back."""
    return orjson.dumps(fact).decode()


def year_parsed(document: str) -> YearFact:
    """Return the fact of a year that a document holds."""
    found = orjson.loads(document)
    return YearFact(**{**found, "kind": Kind(found["kind"])})


def parsed(document: dict[str, Any]) -> FicheFact:
    """Return the fact a document holds."""
    avis, meant = document.pop("avis"), document.pop("intention", None)
    sessions = {key: _session(value) for key, value in document.pop("sessions").items()}
    entries = {key: EntryFact(**value) for key, value in document.pop("entries").items()}
    intention = IntentionFact(dt.date.fromisoformat(meant["start"]), meant["seats"]) if meant else None
    kind = AvisKind(avis) if avis else None
    return FicheFact(sessions=sessions, entries=entries, avis=kind, intention=intention, **document)


def _session(value: dict[str, Any]) -> SessionFact:
    left, motive = value["left"], value["motive"]
    return SessionFact(
        number=value["number"],
        start=dt.date.fromisoformat(value["start"]),
        seats=value["seats"],
        state=State(value["state"]),
        left=dt.date.fromisoformat(left) if left else None,
        motive=SessionMotive(motive) if motive else None,
        hours=value["hours"],
        committed=value["committed"],
        returned={moment: tuple(people) for moment, people in value.get("returned", {}).items()},
    )


_AS_OF: Final = (
    "(SELECT at FROM counted) AS at, (SELECT coalesce(json_object_agg(topic, n), '{}')::text FROM"
    " (SELECT topic, sum(next_offset) AS n FROM position GROUP BY topic ORDER BY topic) p) AS consumed"
)


async def running_counts(
    database: Database, principal: Principal, year: int, measures: Sequence[str]
) -> tuple[AsOf, dict[Bucket, int]]:
    """Return the running counts of a year of these measures, and as of when."""
    query = (
        f"SELECT c.*, {_AS_OF} FROM (SELECT 1) one LEFT JOIN (SELECT measure, opco, month, value FROM running_count"
        " WHERE month BETWEEN $1::text || '-01' AND $1 || '-12' AND measure = ANY($2::text[])) c ON true"
    )
    rows = await database.query(principal, query, str(year), list(measures))
    return _as_of(rows[0]), {(r["measure"], r["opco"], r["month"]): r["value"] for r in rows if r["measure"]}


async def campaigns_of(database: Database, principal: Principal, year: int) -> list[YearFact]:
    """Return the campaigns of a year, the first quarter first."""
    query = (
        "SELECT document::text AS document FROM year_fact WHERE year = $1 AND kind = 'campaign'"
        " ORDER BY document->'quarter'"
    )
    return [year_parsed(row["document"]) for row in await database.query(principal, query, year)]


@dataclass(frozen=True)
class Everything:
    """All running counts and the documents of all facts, seen at one moment, and as of when."""

    as_of: AsOf
    running: dict[Bucket, int]
    fiches: list[str]
    years: list[str]


async def everything(database: Database, principal: Principal) -> Everything:
    """Return all there is."""
    query = (
        f"SELECT c.*, NULL::text AS document, NULL::text AS of_year, {_AS_OF} FROM (SELECT 1) one LEFT JOIN"
        " (SELECT measure, opco, month, value FROM running_count) c ON true"
        " UNION ALL SELECT NULL, NULL, NULL, NULL, document::text, NULL, NULL, NULL FROM fiche_fact"
        " UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, document::text, NULL, NULL FROM year_fact"
    )
    rows = await database.query(principal, query)
    running = {(r["measure"], r["opco"], r["month"]): r["value"] for r in rows if r["measure"]}
    as_of = _as_of(next(r for r in rows if r["consumed"]))
    fiches, years = ([r[name] for r in rows if r[name]] for name in ("document", "of_year"))
    return Everything(as_of, running, fiches, years)


def _as_of(row: Mapping[str, Any]) -> AsOf:
    return AsOf(row["at"], orjson.loads(row["consumed"]))
