"""What a service announces of its audit trail, on `poec.<service>.anchors`: a root that stands outside its database."""

import datetime as dt
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from shared.contracts.fiche import Value

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256, in hexadecimal digits.")]
Emitter = Literal["submission", "validation", "publication", "analytics"]
FIRST: Final = ""
"""What the first anchor holds in place of a hash before it."""


class TrailAnchored(Value):
    """Anchor `n` of a service's audit trail: the root over the heads of all chains that grew since anchor `n - 1`; key = `service`.

    `entries` counts the entries that this anchor and those before it cover, `heads` the leaves under `root`; `at` is business time,
    `written_at` the database's own. `hash` is the SHA-256 of the canonical JSON (sorted keys, no spaces) of all other fields, the two
    times as `2018-03-12T09:30:00.000000+00:00`; `previous_hash` the hash of the anchor before, empty in the first.
    """

    wire_type: ClassVar[str] = "fr.poec.trail.anchored.v1"
    key_field: ClassVar[str] = "service"
    service: Emitter
    n: Annotated[int, Field(ge=1)]
    at: dt.datetime
    written_at: dt.datetime
    entries: Annotated[int, Field(ge=1)]
    heads: Annotated[int, Field(ge=1)]
    root: Digest
    previous_hash: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
    hash: Digest
