"""Judges a process: what of its settings is wrong in any mode, and everything that production does not let pass, all at once."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

import asyncpg
from pydantic import SecretStr

from shared.production.addresses import ADDRESS_RULES
from shared.production.database import DATABASE_RULES, DatabaseRule, Found, database_findings, found_in
from shared.production.kafka import KAFKA_RULES
from shared.production.limits import LIMIT_RULES
from shared.production.people import PEOPLE_RULES
from shared.production.process import PROCESS_RULES
from shared.production.reading import Read, missing, read_settings, surroundings
from shared.production.rule import DATABASE, Case, Finding, Kind, Rule
from shared.production.secrets import SECRET_RULES
from shared.production.storage import STORAGE_RULES, on_this_machine
from shared.production.waivers import Judged, objections, sorted_out
from shared.settings import ServiceSettings

RULES: Final[tuple[Rule, ...]] = (
    *PROCESS_RULES,
    *ADDRESS_RULES,
    *PEOPLE_RULES,
    *KAFKA_RULES,
    *SECRET_RULES,
    *STORAGE_RULES,
    *LIMIT_RULES,
)
_ALL: Final[tuple[Rule | DatabaseRule, ...]] = (*RULES, *DATABASE_RULES)
CODES: Final = frozenset(rule.code for rule in _ALL)
WAIVABLE: Final = frozenset(rule.code for rule in _ALL if rule.waivable)
DATABASE_URL: Final = "POEC_DATABASE_URL"
EVERYWHERE: Final = frozenset(
    {"KAFKA_PASSWORD_MISSING", "SIGN_IN_INCOMPLETE", "SECRET_TWICE", "SECRET_FILE_UNREADABLE"}
)
"""Rules that hold in every mode: without them the process would fail later, and say less."""
START: Final[tuple[Kind, ...]] = ("settings", "process")
OFFLINE: Final[tuple[Kind, ...]] = ("settings",)


@dataclass(frozen=True)
class Judgement:
    """The settings of a process as far as they could be read, whether it is to be judged as production, and the judgement."""

    settings: ServiceSettings
    production: bool
    judged: Judged

    @property
    def safe(self) -> bool:
        """Return whether nothing stands in the way of a start."""
        return not self.judged.findings


def judge_start(service: str, kind: type[ServiceSettings], roles: Collection[str]) -> Judgement:
    """Judge this process before it connects to anything. Without a mode it is judged as production: there is no default."""
    read = read_settings(kind)
    production = read.settings.mode != "local"
    return Judgement(read.settings, production, _judged(_case(service, kind, roles, read), read, production, START))


def judge_settings(service: str, kind: type[ServiceSettings], roles: Collection[str]) -> Judgement:
    """Judge the settings in this environment as production's, whatever their mode and whoever asks."""
    read = read_settings(kind)
    return Judgement(read.settings, True, _judged(_case(service, kind, roles, read), read, True, OFFLINE))


def judge_case(case: Case, kinds: Collection[Kind] = START) -> list[Finding]:
    """Return what the rules object to, none waived; pure."""
    return [finding for rule in RULES if rule.kind in kinds for finding in rule.findings(case)]


def judge_owner(kind: type[ServiceSettings], url: str, *, production: bool) -> list[Finding]:
    """Return what keeps a migration from using the owner's address: it is judged as the process's is, but for whose it is."""
    if not url:
        return [missing(DATABASE_URL)]
    settings = kind.model_construct(database_url=SecretStr(url))
    case = Case("", frozenset(), settings)
    rules = [rule for rule in STORAGE_RULES if production and rule.code not in ("DATABASE_ROLE", "DATABASE_LOOPBACK")]
    return [finding for rule in rules for finding in rule.findings(case)]


async def judge_database(settings: ServiceSettings, connection: asyncpg.Connection) -> Judged:
    """Judge the database that a production process has connected to."""
    return judged_database(settings, await found_in(connection))


def judged_database(settings: ServiceSettings, found: Found) -> Judged:
    """Return what stands and what is waived of what was found; what does not leave this machine needs no TLS."""
    local = on_this_machine(Case("", frozenset(), settings))
    return sorted_out(database_findings(replace(found, encrypted=found.encrypted or local)), settings.waivers, WAIVABLE)


async def judge_connected(settings: ServiceSettings) -> Judged:
    """Connect to the database that the settings name, judge it, and leave; one that does not answer is a finding."""
    connection = None
    try:
        async with asyncio.timeout(10):
            connection = await asyncpg.connect(settings.database_url.get_secret_value())
            return await judge_database(settings, connection)
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as failure:
        why = f"The database cannot be asked ({type(failure).__name__})."
        return Judged((Finding("DATABASE_UNREACHABLE", DATABASE, why, "Check its address, its TLS and its role."),))
    finally:
        if connection:
            connection.terminate()


def _case(service: str, kind: type[ServiceSettings], roles: Collection[str], read: Read) -> Case:
    case = Case(service, frozenset(roles), read.settings)
    roots = None if "database_url" in read.unread else case.database.query.get("sslrootcert")
    return replace(case, around=surroundings(kind, read.settings, roots))


def _judged(case: Case, read: Read, production: bool, kinds: Collection[Kind]) -> Judged:
    """Ask the rules whose settings could be read; a rule on any secret needs them all."""
    asked = [rule for rule in RULES if rule.kind in kinds and (production or rule.code in EVERYWHERE)]
    findings = [*read.wrong, *(found for rule in asked for found in _of(rule, case, read))]
    files = {finding.setting.removesuffix("_FILE") for finding in findings if finding.code == "SECRET_FILE_UNREADABLE"}
    findings = [f for f in findings if not (f.code in _NOT_THERE and f.setting in files)]
    if not production:
        return Judged(tuple(findings))
    waivers = read.settings.waivers or ""
    judged = sorted_out(findings, waivers, WAIVABLE)
    return replace(judged, findings=(*judged.findings, *objections(waivers, WAIVABLE, CODES)))


_NOT_THERE: Final = ("SETTING_MISSING", "KAFKA_PASSWORD_MISSING", "SIGN_IN_INCOMPLETE")


def _of(rule: Rule, case: Case, read: Read) -> list[Finding]:
    return [] if read.unread & set(rule.reads) else rule.findings(case)
