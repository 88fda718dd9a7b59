"""The catalogue rebuilt from the log alone, by rules written down anew: what publication's tables must hold, line by line."""

from dataclasses import asdict, dataclass
from hashlib import sha256
from json import dumps
from typing import Any
from uuid import UUID

from deploy.audit.chronicle import Chronicle, Dossier, Fiche, Listed, Session
from shared.contracts.fiche import session_id


@dataclass(frozen=True)
class Line:
    """One session of the catalogue; ISO dates; AIS net of cancelled ones; the reference of the validation it stands under."""

    session: str
    fiche: str
    opco: str
    number: int
    status: str
    reference: str | None
    start: str | None
    end: str | None
    seats: int | None
    ais: int
    aes: int


def catalogue_of(chronicle: Chronicle) -> dict[str, Line]:
    """Return the lines that the events of the three topics lead to, by session id."""
    lines = {}
    for fiche in chronicle.fiches.values():
        dossier = chronicle.dossiers.get(fiche.id)
        if dossier is not None and dossier.references:
            for session in fiche.sessions.values():
                identifier = str(session_id(UUID(fiche.id), session.number))
                listed = chronicle.sessions.get(identifier, Listed(identifier, fiche.id, fiche.opco))
                lines[identifier] = _line(identifier, fiche, dossier, session, listed)
    return lines


def _line(identifier: str, fiche: Fiche, dossier: Dossier, session: Session, listed: Listed) -> Line:
    return Line(
        session=identifier,
        fiche=fiche.id,
        opco=fiche.opco,
        number=session.number,
        status=_status(fiche, dossier, session, listed.ais),
        reference=dossier.references[-1],
        start=session.start,
        end=session.end,
        seats=session.seats,
        ais=listed.ais,
        aes=listed.aes,
    )


def _status(fiche: Fiche, dossier: Dossier, session: Session, ais: int) -> str:
    if fiche.withdrawn or fiche.cancelled or dossier.refused or session.state == "cancelled" or not session.planned:
        return "removed"
    if not fiche.confirmed:
        return "expected"
    if dossier.lapsed:
        return "suspended"
    return "full" if ais >= session.seats else "published"


def dump(rows: dict[str, Any]) -> tuple[str, list[str]]:
    """Return the SHA-256 (hex) of the sorted dump of rows by key, and its lines."""
    lines = [f"{key} {dumps(_plain(rows[key]), sort_keys=True, default=str)}" for key in sorted(rows)]
    return sha256("\n".join(lines).encode()).hexdigest(), lines


def _plain(row: Any) -> Any:
    return asdict(row) if isinstance(row, Line) else row


def differences(rebuilt: dict[str, Any], kept: dict[str, Any]) -> list[str]:
    """Return a sentence for each line that only one of the two dumps has; none when their hashes are equal."""
    (first, theirs), (second, ours) = dump(rebuilt), dump(kept)
    if first == second:
        return []
    mine, other = set(theirs), set(ours)
    sentences = [f"the log rebuilds {line}, the database has not" for line in sorted(mine - other)]
    return sentences + [f"the database has {line}, the log does not rebuild it" for line in sorted(other - mine)]
