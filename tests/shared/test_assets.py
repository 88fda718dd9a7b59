"""What the screens load is what the manifest says, comes with its licence, and is served under names that change with it."""

import json
import re
import shutil
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import hatchling.build
import httpx
import pytest

from shared.web import assets
from shared.web.static_files import address_of, files
from shared.web_app import new_app
from tests.support.documents import ROOT
from tests.support.ears import service

WEB = ROOT / "shared" / "web"


def test_every_file_is_the_one_of_its_package() -> None:
    assert assets.differences() == []


def test_every_package_is_free_to_be_passed_on() -> None:
    entries = json.loads((WEB / "assets.json").read_text("utf-8"))
    assert {entry["licence"] for entry in entries} <= {"MIT", "BSD-0-Clause", "OFL-1.1"}
    assert {entry["package"] for entry in entries} >= {"bootstrap", "htmx.org", "bootstrap-icons", "@fontsource/source-sans-3"}


def _append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def _other_version(path: Path) -> None:
    path.write_text(path.read_text("utf-8").replace('"version": "5.3.8"', '"version": "5.3.9"'), "utf-8")


PLANTED: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "a file that was changed": ("static/htmx.min.js", _append, "is not the file of htmx.org"),
    "a file that is gone": ("static/bootstrap.min.css", Path.unlink, "static/bootstrap.min.css is missing"),
    "a file that nobody listed": ("static/other.js", lambda path: path.write_text("x"), "static/other.js is in no list"),
    "a licence that is gone": ("licences/htmx.org.txt", Path.unlink, "htmx.org comes without its licence"),
    "another version than is locked": ("npm/package-lock.json", _other_version, "another version than package-lock.json"),
}


@pytest.mark.parametrize(("file", "harm", "says"), PLANTED.values(), ids=PLANTED)
def test_what_is_not_as_listed_is_found(tmp_path: Path, file: str, harm: Callable[[Path], object], says: str) -> None:
    copy = tmp_path / "web"
    shutil.copytree(WEB, copy)
    assert assets.differences(copy) == []
    harm(copy / file)
    assert any(says in line for line in assets.differences(copy))


def test_the_lock_names_no_registry_and_pins_every_version() -> None:
    lock = (WEB / "npm" / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in lock
    wanted = json.loads((WEB / "npm" / "package.json").read_text("utf-8"))["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    packages = json.loads(lock)["packages"]
    assert all("integrity" in one for name, one in packages.items() if name)


def test_the_style_sheets_load_nothing_that_is_not_ours() -> None:
    style = files()["poec.css"].content.decode()
    assert set(re.findall(r'url\("?([^")]+)', style)) == {
        address_of(name) for name in files() if name.endswith((".woff2", ".svg")) and name != "favicon.svg"
    }


def test_a_name_changes_with_its_content() -> None:
    for name, one in files().items():
        stem, dot, suffix = name.rpartition(".")
        assert re.fullmatch(rf"/static/{re.escape(stem)}\.[0-9a-f]{{16}}{re.escape(dot + suffix)}", one.address)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async def ready() -> dict[str, bool]:
        return {}

    app = new_app("analytics", "0", ready, service("analytics").router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as made:
        yield made


@pytest.mark.parametrize("name", ["bootstrap.min.css", "poec.css", "poec.js", "htmx.min.js", "check.svg", "source-sans-3-400.woff2"])
async def test_a_file_is_served_for_a_year_and_as_what_it_is(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(address_of(name))
    assert answer.status_code == 200
    assert answer.content == files()[name].content
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == files()[name].media_type
    assert answer.headers["x-content-type-options"] == "nosniff"
    plain = await client.get(address_of(name), headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers and plain.content == files()[name].content


@pytest.mark.parametrize("name", ["poec.css", "poec.0000000000000000.css", "..%2fassets.json", "%2e%2e", "", "x" * 300])
async def test_a_name_that_no_page_gave_is_unknown(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.get(f"/static/{name}")).status_code == 404


def test_the_wheel_holds_templates_files_and_licences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    built = hatchling.build.build_wheel(str(tmp_path))
    inside = {name for name in zipfile.ZipFile(tmp_path / built).namelist() if name.startswith("shared/web/")}
    wanted = [path for path in WEB.rglob("*") if path.is_file() and "__pycache__" not in path.parts and "npm" not in path.parts]
    assert {path.relative_to(ROOT).as_posix() for path in wanted} <= inside


def test_no_style_sheet_asks_for_a_picture_inside_itself_and_every_other_picture_is_served() -> None:
    own = (WEB / "static" / "bootstrap.min.css").read_text("utf-8")
    assert own.count('url("data:') > 0, "what would be asked for is there to be left out"
    for name, file in files().items():
        if name.endswith(".css"):
            asked = re.findall(r'url\(\s*"?([^")]*)', file.content.decode())
            assert set(asked) <= {one.address for one in files().values()}, name
