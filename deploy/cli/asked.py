"""Options that several subcommands have, declared once."""

from pathlib import Path
from typing import Annotated

import typer

Home = Annotated[
    Path | None,
    typer.Option(
        "--home",
        help="Data folder; otherwise POEC_HOME, otherwise .poec under the current directory.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]
Tls = Annotated[
    bool, typer.Option("--tls", help="Encrypt what is said with the embedded Apache Kafka, when this starts it.")
]
