"""The start of a process: what stands in its way is written to standard error, a line each, and logged; then exit code 78."""

import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from shared.database import Database
from shared.logs import configure, log
from shared.production.check import DATABASE_URL, judge_database, judge_owner, judge_start
from shared.production.rule import Finding
from shared.production.waivers import Judged
from shared.secret_files import content_of, secret_files
from shared.settings import ServiceSettings

EXIT_SETTINGS: Final = 78
"""As sysexits' EX_CONFIG: wrong or unsafe configuration."""
_LOG = log("production")


@dataclass(frozen=True)
class Unsafe(Exception):
    """What was found of the database stands in the way of a start."""

    findings: tuple[Finding, ...]

    def told(self) -> int:
        """Write and log every finding; return the exit code."""
        for finding in self.findings:
            print(finding, file=sys.stderr)
        _LOG.error("refused_to_start", findings=[[finding.code, finding.setting] for finding in self.findings])
        return EXIT_SETTINGS


def safe_settings(service: str, kind: type[ServiceSettings], roles: Collection[str]) -> ServiceSettings | None:
    """Configure the log and return the settings; None, when all that stands in the way of a start was written and logged."""
    start = judge_start(service, kind, roles)
    level = start.settings.log_level if start.safe else "INFO"
    configure(service, start.settings.instance or "", level)
    if not start.safe:
        Unsafe(start.judged.findings).told()
        return None
    _say_waived(start.judged)
    return start.settings


def owner_url(kind: type[ServiceSettings], environment: Mapping[str, str]) -> str | None:
    """Return the owner's address for a migration, from the variable or its file; None, when all that is wrong with it was written."""
    file = secret_files(kind, environment).get(DATABASE_URL)
    url = environment.get(DATABASE_URL) or (content_of(file) if file else None)
    found = judge_owner(kind, url or "", production=environment.get("POEC_MODE") == "production")
    for finding in found:
        print(finding, file=sys.stderr)
    return None if found else url


async def refuse_unsafe(database: Database, settings: ServiceSettings) -> None:
    """Raise `Unsafe` with everything that production does not let pass in the database that was connected to."""
    if settings.mode != "production":
        return
    async with database.connection() as connection:
        judged = await judge_database(settings, connection)
    _say_waived(judged)
    if judged.findings:
        raise Unsafe(judged.findings)


def _say_waived(judged: Judged) -> None:
    for finding, reason in judged.waived:
        _LOG.warning("waived", code=finding.code, setting=finding.setting, reason=reason)
