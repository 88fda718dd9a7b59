"""What the pages say of the code is made from the code, and what they point at is there. `make docs` writes it again."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.demo.figures import expected
from tests.support import readme
from tests.support.documents import ROOT, is_between, is_committed, pointers_elsewhere
from tests.support.recorded import PICTURES, last_lines, picture, recorded

README = ROOT / "README.md"
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(p for folder in ("shared", "services", "deploy", "tests") for p in (ROOT / folder).rglob("*.md"))]
    if ".venv" not in path.parts and "reports" not in path.parts
)
MADE: dict[str, Callable[[], str]] = {
    "flow": readme.flow_picture,
    "topics": readme.topic_table,
    "access": readme.access_table,
    "settings": readme.settings_table,
    "commands": readme.command_table,
    "last-lines": last_lines,
}


@pytest.mark.parametrize("name", MADE)
def test_the_readme_says_what_the_code_says(name: str) -> None:
    assert is_between(README, name, MADE[name]()), "run `make docs`"


def test_the_rules_of_production_are_written_down() -> None:
    assert is_between(ROOT / "shared" / "production" / "README.md", "rules", readme.production_table()), "run `make docs`"


def test_the_picture_is_of_what_the_terminal_shows() -> None:
    assert is_committed(PICTURES / "demo.svg", picture()), "run `make docs`"


def test_the_picture_shows_a_year_whose_figures_are_all_equal() -> None:
    """The record is of a real play; a figure that is new, gone or another one since makes it stale."""
    played, report, record = recorded()
    assert record["ok"] and report.clean and not played.differences
    assert {f["name"]: f["expected"] for f in record["figures"]} == {f.name: f.expected for f in expected()}
    assert all(finding.verdict.checked for finding in report.findings if finding.id in ("I1", "I8", "I9", "I11"))


def test_the_picture_asks_nothing_of_another_site() -> None:
    assert set(re.findall(r"https?://[^\s\"')]+", picture())) == {"http://www.w3.org/2000/svg", "https://www.textualize.io"}


def test_the_picture_holds_no_address_of_a_machine() -> None:
    text = (PICTURES / "played_2021.json").read_text("utf-8")
    assert not re.search(r"127\.0\.0\.1|localhost|/home/|/tmp/|/root/|\"pid\"", text)


def test_every_page_points_at_what_is_there() -> None:
    link = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
    targets = [(page, target) for page in PAGES for target in link.findall(page.read_text("utf-8")) if "://" not in target]
    assert [(str(page), target) for page, target in targets if not (page.parent / target).exists()] == []


def test_the_readme_names_files_that_are_there() -> None:
    named = re.findall(r"`((?:services|shared|deploy|tests)/[^`<>* ]+)`", README.read_text("utf-8"))
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_page_holds_a_path_of_somebodys_machine(page: Path) -> None:
    assert re.findall(r"(?<![\w.])/(?:home|root|Users|work|tmp)/\S*", page.read_text("utf-8")) == []


def test_nothing_points_at_notes_that_are_not_here() -> None:
    assert pointers_elsewhere(ROOT) == []


@pytest.mark.parametrize("words", ["domain " + "6.1", "domain rule " + "8", "design" + ".md", "names" + ".md", "ux" + ".md"])
@pytest.mark.parametrize("name", ["services/validation/store.py", "services/validation/openapi.json", "shared/README.md"])
def test_notes_that_are_not_here_are_found(name: str, words: str, tmp_path: Path) -> None:
    page = tmp_path / name
    page.parent.mkdir(parents=True)
    page.write_text("What `README.md` and minutes L506-508 say of the domain, rule by rule.\n", "utf-8")
    (tmp_path / "README.md").write_text("# A page\n", "utf-8")
    assert pointers_elsewhere(tmp_path) == []
    page.write_text(f"first\nas the table says ({words}).\n", "utf-8")
    assert pointers_elsewhere(tmp_path) == [f"{name}:2: {words}"]


def test_the_version_is_the_same_everywhere() -> None:
    project = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    changes = re.findall(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert project is not None
    assert changes[0] == project[1]


def test_a_page_that_is_not_as_made_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "README.md"
    page.write_text("a\n<!-- x -->\nold\n<!-- /x -->\nb\n", "utf-8")
    monkeypatch.delenv("UPDATE_DOCS", raising=False)
    assert not is_between(page, "x", "new\n")
    monkeypatch.setenv("UPDATE_DOCS", "1")
    assert is_between(page, "x", "new\n")
    assert page.read_text("utf-8") == "a\n<!-- x -->\nnew\n<!-- /x -->\nb\n"
    monkeypatch.delenv("UPDATE_DOCS")
    assert is_between(page, "x", "new\n")
    with pytest.raises(AssertionError, match="no markers"):
        is_between(page, "y", "new\n")
