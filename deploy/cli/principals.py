"""`poec principals`: who may do what here: list, add, disable, rotate. It speaks to every service's door, as client `administrator`."""

import secrets
from dataclasses import replace
from typing import Annotated, Any, Final

import typer
from rich.markup import escape
from rich.table import Table

from deploy.cli.asked import Home, Json
from deploy.cli.console import print_json, stdout_console
from deploy.local.accounts import LoginTaken, Row, Told, add, disable, kind_of, new_secrets, rows_of
from deploy.local.errors import LocalError
from deploy.local.runfile import Run, home_folder

principals = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="List, add, disable principals, or give them new secrets.",
)
Id = Annotated[str, typer.Argument(help="Identifier: of a machine, its client id; of a person, its pseudonym.")]
NewId = Annotated[
    str | None,
    typer.Argument(help="Identifier of a machine: its client id. A person gets a pseudonym.", show_default=False),
]
Organisation = Annotated[
    str, typer.Option(help="Slug of an organisation, the SIRET of a training provider, or agence-… of an agency.")
]
Roles = Annotated[list[str], typer.Option("--role", help="A role of the policy table; may be repeated.")]
Login = Annotated[
    str | None, typer.Option(help="A person: the mailbox that the identity provider vouches for.", show_default=False)
]
STATES: Final = {"active": "actif", "disabled": "désactivé"}


@principals.command("list")
def list_principals(as_json: Json = False, home: Home = None) -> None:
    """List who is known, with organisation, roles and state, and where the services differ.

    Exit codes: 0 listed, 1 the services differ or one could not be asked.
    """
    run = Run.load(home_folder(home))
    found = rows_of(run)
    differing = sorted(name for name, rows in found.items() if _differ(rows, len(run.services)))
    if as_json:
        print_json({"principals": [next(iter(rows.values())) for rows in found.values()], "differing": differing})
    else:
        _show(found, differing)
    raise typer.Exit(1 if differing else 0)


@principals.command("add")
def add_principal(
    organisation: Organisation,
    roles: Roles,
    identifier: NewId = None,
    login: Login = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Make a principal in every service, or give the one that is there these roles; a machine's secrets are shown once.

    A partner of the flow table also gets its user at the brokers. With --login it is a person, who gets a pseudonym; where the
    mailbox is known already, if only in some services, it is the account that has it. An account that somebody signed in with
    keeps its mailbox.

    Exit codes: 0 done, 1 refused, or a service could not be asked (give the command again).
    """
    run = Run.load(home_folder(home))
    if identifier is None and login is None:
        raise LocalError("Name a machine, or give the --login of a person.")
    # drawn, not made from the mailbox: once a person is erased, nothing leads from the one to the other
    name = identifier or f"p-{secrets.token_hex(6)}"
    kind = kind_of(run, name) or ("machine" if login is None else "person")
    row = Row(name, kind, organisation, tuple(roles), login=login)
    try:
        told = add(run, row)
    except LoginTaken as taken:
        if identifier:
            raise
        row = replace(row, id=taken.account)
        told = add(run, row)
    _tell(row.id, told, as_json)


@principals.command("disable")
def disable_principal(identifier: Id, as_json: Json = False, home: Home = None) -> None:
    """Take every right from a principal, in every service, and its secrets; `add` gives them back, with new secrets.

    Exit codes: 0 done (also when it was disabled before), 1 unknown, or a service could not be asked.
    """
    _tell(identifier, disable(Run.load(home_folder(home)), identifier), as_json)


@principals.command("rotate")
def rotate_principal(identifier: Id, as_json: Json = False, home: Home = None) -> None:
    """Give a machine new secrets at the local issuer and at the brokers, and show them once; the old ones end at once.

    Tokens and connections that stand live on until they end: ten minutes at most for a token.

    Exit codes: 0 done, 1 unknown, a person, disabled, or without a secret here.
    """
    _tell(identifier, new_secrets(Run.load(home_folder(home)), identifier), as_json)


def _differ(rows: dict[str, dict[str, Any]], services: int) -> bool:
    shapes = {(row["organisation"], tuple(row["roles"]), row["state"], row["signs_in"]) for row in rows.values()}
    return len(shapes) != 1 or len(rows) != services


def _show(found: dict[str, dict[str, dict[str, Any]]], differing: list[str]) -> None:
    table = Table("identifiant", "nature", "organisation", "rôles", "état", box=None, pad_edge=False)
    for name, rows in found.items():
        row = next(iter(rows.values()))
        kind = {"person": "personne", "machine": "machine"}[row["kind"]]
        state = STATES[row["state"]] + (" [red](les services diffèrent)[/]" if name in differing else "")
        table.add_row(escape(name), kind, escape(row["organisation"]), ", ".join(row["roles"]), state)
    stdout_console().print(table)


def _tell(name: str, told: Told, as_json: bool) -> None:
    if as_json:
        print_json({"principal": name, "outcomes": told.outcomes, **told.secrets})
        return
    out = stdout_console()
    out.print(escape(name))
    for line in (*told.outcomes.items(), *told.secrets.items()):
        out.print(escape(f"  {line[0]}: {line[1]}"), soft_wrap=True)
