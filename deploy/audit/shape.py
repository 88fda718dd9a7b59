"""Which tables hold aggregates, found by their columns: rows with a version, a sequence and the last hash of their audit trail."""

from dataclasses import dataclass
from typing import Final

from deploy.audit.evidence import Evidence

_TABLES = """
SELECT table_name::text AS name, (SELECT max(s.column_name)::text FROM information_schema.columns s
  WHERE s.table_schema = 'public' AND s.table_name = c.table_name AND s.column_name IN ('status', 'standing')) AS status
FROM information_schema.columns c
WHERE table_schema = 'public' AND column_name IN ('id', 'version', 'sequence', 'audit_hash')
GROUP BY table_name HAVING count(*) = 4 ORDER BY 1
"""
FILED: Final = "filed"
"""Holds for a fiche that was filed: of an intention or a draft nobody but submission has heard, and it counts nowhere."""
YEARBOOK: Final = (
    "open_campaign",
    "move_campaign",
    "extend_campaign",
    "record_conference",
    "correct_conference",
    "adopt_programme",
    "declare_projects",
    "deliver_estimates",
)
"""Commands on what is put on record for a year."""
BESIDE_FICHES: Final = frozenset({*YEARBOOK, "save_template", "delete_template", "record_partner", "retire_partner"})
"""Commands of submission that are about no fiche."""
OPERATIONS: Final[dict[str, str]] = {
    **dict.fromkeys(
        (
            "preprogramme_fiche",
            "draft_fiche",
            "renew_fiche",
            "submit_fiche",
            "import_fiches",
            "complete_fiche",
            "amend_fiche",
            "accept_adaptation",
            "decline_adaptation",
            "counter_propose",
            "confirm_programmation",
            "engage_session",
            "postpone_session",
            "cancel_session",
            "withdraw_fiche",
            "return_placements",
            *BESIDE_FICHES,
        ),
        "submission",
    ),
    **dict.fromkeys(
        ("ask_completion", "propose_adaptation", "give_avis", "correct_avis", "validate_fiche", "refuse_fiche"),
        "validation",
    ),
    **dict.fromkeys(("record_ais", "cancel_ais", "record_aes"), "publication"),
}
"""Command to the service that answers it."""


@dataclass(frozen=True)
class Aggregates:
    """A table of aggregates and its column that says where each stands, if there is one."""

    name: str
    status: str | None


async def aggregates(evidence: Evidence, service: str) -> list[Aggregates]:
    """Return the tables of aggregates of a service."""
    return [Aggregates(row["name"], row["status"]) for row in await evidence.rows(service, _TABLES)]
