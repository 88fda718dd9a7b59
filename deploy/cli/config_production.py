"""`poec config check --production`: what would keep the services from starting in production, in this environment.

Each service is asked in a process of its own (`python -m services.<name> check`): its code is never imported here, and what it
says is what it will say at its start, but for the user and the installation, which are those of whoever asks.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import typer
from rich.markup import escape
from rich.table import Table

from deploy.cli.console import print_json, reporter, stdout_console
from deploy.local.errors import LocalError
from shared.contracts.flow import SERVICES

ROOT: Final = Path(__file__).parents[2]
OF_POEC_ALONE: Final = ("POEC_HOME", "POEC_CACHE", "POEC_OFFLINE")
"""Names that `poec` itself reads: they say nothing about a service."""
ROLES: Final = ("api", "worker", "relay")


def check_production(services: Sequence[str], roles: Sequence[str], connect: bool, as_json: bool) -> int:
    """Ask these services, all at the same time; show what they say, and return the exit code."""
    _known("--service", services, SERVICES)
    _known("--role", roles, ROLES)
    with reporter().step("Asking the services what production does not let pass"):
        asked = {name: _ask(name, roles, connect) for name in services}
        answers = [_answer(name, process) for name, process in asked.items()]
    ok = all(answer["ok"] for answer in answers)
    if as_json:
        print_json({"ok": ok, "services": answers})
    else:
        _show(answers)
    return 0 if ok else 1


def _known(option: str, given: Sequence[str], known: Sequence[str]) -> None:
    if set(given) - set(known):
        raise typer.BadParameter(f"one of {', '.join(known)} is expected.", param_hint=option)


def _ask(service: str, roles: Sequence[str], connect: bool) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", f"services.{service}", "check", "--production", "--json"]
    command += [word for role in roles for word in ("--role", role)] + ["--connect"] * connect
    environment = {name: value for name, value in os.environ.items() if name not in OF_POEC_ALONE}
    environment["PYTHONPATH"] = str(ROOT)
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, env=environment)


def _answer(service: str, process: subprocess.Popen[str]) -> dict[str, Any]:
    out, error = process.communicate()
    try:
        answer: dict[str, Any] = json.loads(out)
    except ValueError:
        last = error.strip().rpartition("\n")[2]
        raise LocalError(f"{service} cannot be asked: {last}") from None
    return answer


def _show(answers: Sequence[dict[str, Any]]) -> None:
    """Print every finding once, with the services it is about."""
    out = stdout_console()
    found: dict[tuple[str, ...], list[str]] = {}
    for answer in answers:
        for finding in answer["findings"]:
            key = (finding["setting"], finding["code"], finding["why"], finding["do"])
            found.setdefault(key, []).append(answer["service"])
    if found:
        table = Table("setting", "code", "why, and what to do", "service", box=None, pad_edge=False)
        for (setting, code, why, do), services in found.items():
            who = "all" if len(services) == len(answers) else ", ".join(services)
            table.add_row(setting, f"[red]{code}[/]", escape(f"{why} {do}"), who)
        out.print(table)
    waived = dict.fromkeys(
        (one["setting"], one["code"], one["reason"]) for answer in answers for one in answer["waived"]
    )
    for setting, code, reason in waived:
        out.print(f"[yellow]waived[/] {code} ({setting}): {escape(reason)}", soft_wrap=True)
    for code in sorted(set.intersection(*(set(answer["unused_waivers"]) for answer in answers))):
        out.print(f"{code}: this waiver was not needed", soft_wrap=True)
    out.print(f"[red]{len(found)} findings[/]" if found else "nothing stands in the way of a start in production")
