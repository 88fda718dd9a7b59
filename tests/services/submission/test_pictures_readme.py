"""Every page of submission has its picture, every picture is of a page, and the README shows them all by what a person does."""

from collections.abc import Iterable

from fastapi import APIRouter
from fastapi.routing import APIRoute

from services.submission.pages import PAGES
from tests.browser.gallery import GROUPS, SHOTS, WITHOUT, shown_in_readme
from tests.services.submission.readme import shows
from tests.support.screens import PICTURES

MOST_OF_ONE, MOST_OF_ALL = 150_000, 3_000_000
"""Bytes: a README is read over slow lines too."""


def pages_of(routers: Iterable[APIRouter]) -> set[str]:
    """Return the addresses at which these routers show something, as their routes call them."""
    return {one.path for router in routers for one in router.routes if isinstance(one, APIRoute) and "GET" in (one.methods or ())}


def without_a_picture(routers: Iterable[APIRouter]) -> set[str]:
    """Return the pages that no picture is of and that `WITHOUT` does not excuse."""
    return pages_of(routers) - {shot.page for shot in SHOTS} - set(WITHOUT)


def test_every_page_has_its_picture_or_a_reason_why_not() -> None:
    assert without_a_picture(PAGES.routers) == set()


def test_a_page_without_a_picture_is_found() -> None:
    planted = APIRouter(prefix="/espace")
    planted.get("/fiches/{fiche_id}/transfert")(lambda: None)
    planted.post("/fiches/{fiche_id}/transfert")(lambda: None)
    assert without_a_picture([*PAGES.routers, planted]) == {"/espace/fiches/{fiche_id}/transfert"}


def test_pictures_and_reasons_are_of_pages_that_are_there() -> None:
    there = {*pages_of(PAGES.routers), "/"}
    assert [shot.name for shot in SHOTS if shot.page not in there] == []
    assert set(WITHOUT) - there == set()
    assert {shot.page for shot in SHOTS} & set(WITHOUT) == set()


def test_the_pictures_are_those_of_the_gallery_and_light() -> None:
    sizes = {path.stem: path.stat().st_size for path in PICTURES.glob("*.png")}
    assert sizes.keys() == {shot.name for shot in SHOTS}, "UPDATE_DOCS=1 .venv/bin/pytest tests/browser/test_pictures.py takes them"
    assert {name: size for name, size in sizes.items() if size > MOST_OF_ONE} == {}
    assert sum(sizes.values()) < MOST_OF_ALL


def test_no_two_pictures_have_one_name_or_say_the_same() -> None:
    assert len({shot.name for shot in SHOTS}) == len({shot.seen for shot in SHOTS}) == len(SHOTS)


def test_the_readme_shows_every_picture_by_what_a_person_does() -> None:
    text = shown_in_readme()
    assert all(f"![{shot.seen}](pictures/{shot.name}.png)" in text for shots in GROUPS.values() for shot in shots)
    assert shows("pictures", text), "run `make docs`"
