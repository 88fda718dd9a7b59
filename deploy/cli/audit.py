"""`poec audit`: check the invariants in the databases and in the log."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from deploy.audit.kept_anchors import keep_last_anchors, refuse_to_replace
from deploy.audit.report import show
from deploy.audit.run import INVARIANTS, sources_of
from deploy.audit.run import audit as look_at_everything
from deploy.audit.verdict import CouldNotLook
from deploy.cli.asked import Home, Json
from deploy.cli.console import explain, print_json, reporter, stderr_console, stdout_console
from deploy.local.runfile import home_folder

VIOLATED = 1
COULD_NOT_LOOK = 2
_STEPS = len(INVARIANTS) + 2

Journals = Annotated[
    list[Path] | None,
    typer.Option(
        "--journal",
        help="Journal of what a client sent and was answered; may be repeated. Otherwise every one kept under the data folder.",
        show_default=False,
    ),
]
Anchors = Annotated[
    list[Path] | None,
    typer.Option(
        "--anchors",
        help="Anchors that were kept outside (--keep-anchors): each must still be in its database; may be repeated.",
        show_default=False,
    ),
]
Keep = Annotated[
    Path | None,
    typer.Option(
        "--keep-anchors",
        help="Write the last anchor of each service to this file, if the trail is unbroken: to be timestamped and kept outside.",
        show_default=False,
    ),
]
Force = Annotated[
    bool, typer.Option("--force", help="Let --keep-anchors write over a file that is there: anchors that were kept go.")
]
Seconds = Annotated[
    float, typer.Option("--settle", min=0.0, help="Seconds in which what waits on a machine must be done.")
]


def audit(
    as_json: Json = False,
    journal: Journals = None,
    anchors: Anchors = None,
    keep_anchors: Keep = None,
    force: Force = False,
    settle: Seconds = 60.0,
    home: Home = None,
) -> None:
    """Check the invariants in the databases and in the log, with queries and folds of its own.

    Exit codes: 0 clean, 1 violations, 2 could not look.
    """
    try:
        if keep_anchors and not force:
            refuse_to_replace(keep_anchors)
        sources = sources_of(home_folder(home), journal or None, anchors or ())
        with reporter().step("audit") as advance:
            done = iter(range(1_000_000))
            report = asyncio.run(
                look_at_everything(
                    sources,
                    settle_seconds=settle,
                    progress=lambda what: advance(min(next(done), _STEPS), _STEPS, what),
                )
            )
        if keep_anchors and not report.of("I13").verdict.violations:
            asyncio.run(keep_last_anchors(sources, keep_anchors))
    except CouldNotLook as failure:
        explain(failure)
        raise typer.Exit(COULD_NOT_LOOK) from None
    if as_json:
        print_json(report.as_json())
    show(report, stderr_console() if as_json else stdout_console())
    raise typer.Exit(0 if report.clean else VIOLATED)
