"""`python -m services.<name> check`: what a start would say, and nothing is started."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Any

from shared.production.check import Judgement, judge_connected, judge_settings, judge_start
from shared.production.start import EXIT_SETTINGS
from shared.production.waivers import Judged
from shared.settings import ServiceSettings


def check(service: str, kind: type[ServiceSettings], roles: Sequence[str], argv: Sequence[str]) -> int:
    """Say everything that stands in the way of a start of `roles`, or of those named in `argv`; exit code 78, or 0 for nothing."""
    asked = _parser(service, roles).parse_args(argv)
    judge = judge_settings if asked.production else judge_start
    judgement = judge(service, kind, asked.roles or roles)
    judged = judgement.judged
    if asked.connect and judgement.production:
        judged = _together(judged, _connected(judgement))
    if asked.json:
        print(json.dumps(as_json(service, judged), ensure_ascii=False))
    else:
        _show(judged)
    return EXIT_SETTINGS if judged.findings else 0


def as_json(service: str, judged: Judged) -> dict[str, Any]:
    """Return a judgement as a JSON object; it holds no value of any setting but the reasons of waivers."""
    return {
        "service": service,
        "ok": not judged.findings,
        "findings": [{"code": f.code, "setting": f.setting, "why": f.why, "do": f.do} for f in judged.findings],
        "waived": [{"code": f.code, "setting": f.setting, "reason": reason} for f, reason in judged.waived],
        "unused_waivers": list(judged.unused),
    }


def _parser(service: str, roles: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        f"python -m services.{service} check",
        description="Say everything that would keep this process from starting, and start nothing. Exit codes: 0 nothing, 78 findings.",
    )
    parser.add_argument("--role", action="append", choices=roles, dest="roles", help="only this role; may be repeated")
    parser.add_argument("--connect", action="store_true", help="look at the database too")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument(
        "--production",
        action="store_true",
        help="judge the settings as production's, whatever POEC_MODE says, and leave out user and installation",
    )
    return parser


def _connected(judgement: Judgement) -> Judged:
    return asyncio.run(judge_connected(judgement.settings)) if judgement.settings.database_url else Judged()


def _together(one: Judged, other: Judged) -> Judged:
    needed = {finding.code for finding, _ in other.waived}
    unused = tuple(code for code in one.unused if code not in needed)
    return Judged((*one.findings, *other.findings), (*one.waived, *other.waived), unused)


def _show(judged: Judged) -> None:
    for finding in judged.findings:
        print(finding, file=sys.stderr)
    for finding, reason in judged.waived:
        print(f"{finding.setting}: {finding.code}: waived: {reason}")
    for code in judged.unused:
        print(f"{code}: this waiver was not needed here")
    if not judged.findings:
        print("nothing stands in the way of a start")
