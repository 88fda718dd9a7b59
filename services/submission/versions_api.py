"""HTTP out: every content that a fiche has had, one of them whole, and any two field by field."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from services.submission.domain.differences import Difference
from services.submission.domain.lifecycle import version_words
from services.submission.versions_cases import Version, compare_versions, read_version, read_versions
from shared.contracts.fiche import FicheContent, Value
from shared.contracts.field_labels import FICHE
from shared.http import answers, database, ok, signed_in

Revision = Annotated[int, Path(ge=1, le=2**31 - 1)]
router = APIRouter(prefix="/fiches/{fiche_id}/versions", tags=["fiches"])


class ChangedOut(Value):
    """A member of the fiche that a version changed, and what people call it."""

    field: str
    label: str


class VersionOut(Value):
    """A version: its number, since when, by which command, and what it changed of the one before it."""

    revision: int
    kept_at: dt.datetime
    action: str
    action_label: str
    acknowledged: tuple[str, ...]
    changed: tuple[ChangedOut, ...]


class VersionsOut(Value):
    """A page of versions, the first one first; `next` is the value of `after` that continues it."""

    versions: tuple[VersionOut, ...]
    next: int | None = None


class KeptOut(Value):
    """One version whole."""

    revision: int
    kept_at: dt.datetime
    action: str
    action_label: str
    acknowledged: tuple[str, ...]
    content: FicheContent


class DifferenceOut(Value):
    """A field in which two versions differ: dates as ISO texts, amounts in cents, a list of codes as a whole, null for nothing."""

    path: str
    label: str
    before: str | int | bool | tuple[str, ...] | None
    after: str | int | bool | tuple[str, ...] | None


class DifferencesOut(Value):
    """Every field in which version `after` differs from version `before`, in the order of the fiche."""

    before: int
    after: int
    differences: tuple[DifferenceOut, ...]


@router.get("", responses=answers(VersionsOut))
async def get_versions(
    request: Request,
    fiche_id: UUID,
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> Response:
    """Return a page of the versions of a fiche, the first one first; `Link` names the next page."""
    principal = await signed_in(request)
    found = await read_versions(database(request), principal, fiche_id, after, limit + 1)
    page = found[:limit]
    following = page[-1].kept.revision if len(found) > limit else None
    address = f"/fiches/{fiche_id}/versions?limit={limit}&after={following}"
    links = {"Link": f'<{address}>; rel="next"'} if following else {}
    return ok(VersionsOut(versions=tuple(map(_version_out, page)), next=following), headers=links)


@router.get("/{revision}", responses=answers(KeptOut))
async def get_version(request: Request, fiche_id: UUID, revision: Revision) -> Response:
    """Return one version of a fiche whole."""
    kept = await read_version(database(request), await signed_in(request), fiche_id, revision)
    return ok(KeptOut(**kept.__dict__, action_label=version_words(kept.action)))


@router.get("/{revision}/differences/{other}", responses=answers(DifferencesOut))
async def get_differences(request: Request, fiche_id: UUID, revision: Revision, other: Revision) -> Response:
    """Compare two versions of a fiche field by field: what stood in the first, what stands in the other."""
    found = await compare_versions(database(request), await signed_in(request), fiche_id, revision, other)
    return ok(DifferencesOut(before=revision, after=other, differences=tuple(map(_difference_out, found))))


def _version_out(version: Version) -> VersionOut:
    kept = version.kept
    return VersionOut(
        revision=kept.revision,
        kept_at=kept.kept_at,
        action=kept.action,
        action_label=version_words(kept.action),
        acknowledged=kept.acknowledged,
        changed=tuple(ChangedOut(field=name, label=FICHE[name]) for name in version.changed),
    )


def _difference_out(difference: Difference) -> DifferenceOut:
    return DifferenceOut(**difference.__dict__)
