"""`poec person`: what the four services hold of one reviewer's own account: export it, erase it. It asks them as client `administrator`."""

from typing import Annotated, Any, Final
from urllib.parse import quote, urlencode

import httpx
import typer

from deploy.cli.asked import Home, Json
from deploy.cli.console import print_json, stdout_console
from deploy.cli.dlq import NotDone, send, told
from deploy.local.clients import ADMINISTRATOR
from deploy.local.errors import LocalError
from deploy.local.runfile import Run, home_folder

person = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Export or erase what is held of a reviewer's own account.",
)
Pseudonym = Annotated[str, typer.Argument(help="Pseudonym of the account, as the services know it.")]
Yes = Annotated[bool, typer.Option("--yes", help="Erase; without it nothing is done.")]
OUTCOMES: Final = {"erased": "effacé", "unchanged": "déjà effacé", "unknown": "inconnu"}


@person.command("export")
def export(pseudonym: Pseudonym, home: Home = None) -> None:
    """Print as JSON everything the services hold under a pseudonym: its row, its sign-in, the entries of the trail by or about it.

    Exit codes: 0 printed, 1 no service knows it, or one could not be asked.
    """
    run = Run.load(home_folder(home))
    found = {name: held for name in run.services if (held := held_by(run, name, pseudonym))}
    if not found:
        raise NotDone("No service knows an account of this name.")
    print_json({"principal": pseudonym, "services": found})


@person.command("erase")
def erase(pseudonym: Pseudonym, yes: Yes = False, as_json: Json = False, home: Home = None) -> None:
    """Erase in every service what ties a pseudonym to a person, and disable it; what was decided stays under the pseudonym.

    May be repeated, also after it was killed in the middle: each service erases in one transaction, and once.
    Exit codes: 0 erased wherever it was known (also when it was before), 1 nobody knows it, a service refused or could not be asked.
    """
    if not yes:
        raise LocalError("Erasing cannot be undone: say --yes.")
    run = Run.load(home_folder(home))
    done: dict[str, str] = {}
    failures: list[NotDone] = []
    for name in run.services:
        try:
            done[name] = _erased(run, name, pseudonym)
        except NotDone as failure:  # the others are erased all the same: what is left is done by saying it again
            failures.append(failure)
    if as_json:
        print_json({"principal": pseudonym, "services": done, "failed": [str(failure) for failure in failures]})
    else:
        for name, outcome in done.items():
            stdout_console().print(f"{name}\u202f: {OUTCOMES[outcome]}")
    if failures:
        raise NotDone(f"{' ; '.join(map(str, failures))}. Say it again when that is mended.")
    if set(done.values()) == {"unknown"}:
        raise NotDone("No service knows an account of this name.")


def held_by(run: Run, service: str, pseudonym: str) -> dict[str, Any] | None:
    """Return what one service holds under a pseudonym, the trail whole; None where it does not know it."""
    found = page = _asked(run, service, "GET", pseudonym)
    while found and page and page["next_aggregate"] is not None:
        place = urlencode({"after_aggregate": page["next_aggregate"], "after_n": page["next_n"]})
        page = _asked(run, service, "GET", pseudonym, f"?{place}")
        found["trail"] += page["trail"] if page else []
    return {name: found[name] for name in ("row", "held", "trail")} if found else None


def _erased(run: Run, service: str, pseudonym: str) -> str:
    said = _asked(run, service, "DELETE", pseudonym)
    return said["outcome"] if said else "unknown"


def _asked(run: Run, service: str, method: str, pseudonym: str, query: str = "") -> dict[str, Any] | None:
    """Return what a service says of an account; None where it does not know it."""
    path = f"/principals/{quote(pseudonym, safe='')}/person{query}"
    answer = send(run, service, method, path, client=ADMINISTRATOR)
    return None if answer.status_code == httpx.codes.NOT_FOUND else told(service, answer)
