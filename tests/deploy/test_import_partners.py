"""`poec import partners` on the running product: each line is told apart, the same file again changes nothing."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from deploy.audit.run import audit, sources_of
from deploy.cli.import_partners import _Door, _zones
from deploy.cli.imports import imports
from deploy.local.client import bearer
from services.submission import reference
from tests.support.stack import Stack

EXAMPLE = Path(reference.__file__).parent / "partners_example.csv"
HEAD = "code;nom;reseau;zones;boite;site\n"


def poec(stack: Stack, file: Path, *words: str) -> Result:
    return CliRunner().invoke(imports, ["partners", str(file), "--home", str(stack.home), *words])


def counted(result: Result) -> dict[str, int]:
    counts: dict[str, int] = json.loads(result.stdout)["counts"]
    return {word: count for word, count in counts.items() if count}


def directory(stack: Stack, **query: str) -> list[dict[str, Any]]:
    run = stack.run
    answer = httpx.get(
        run.services["submission"].url + "/partners", params={"limit": "200", **query}, headers=bearer(run, "akto")
    )
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["partners"]
    return found


def retire(stack: Stack, partner: str) -> None:
    run = stack.run
    url = f"{run.services['submission'].url}/partners/{partner}/retirement"
    answer = httpx.post(url, json={}, headers={**bearer(run, "region"), "idempotency-key": partner})
    assert answer.status_code == 200, answer.text


async def test_the_example_comes_in_once_whatever_is_sent_again(stack: Stack, tmp_path: Path) -> None:
    text, file = EXAMPLE.read_text("utf-8"), tmp_path / "partners.csv"
    lines = len(text.splitlines()) - 1
    file.write_text(text.replace("exemple-", "encore-"), "utf-8")  # the example itself may be in already
    first, again = poec(stack, file, "--json"), poec(stack, file, "--json")
    assert (first.exit_code, counted(first)) == (0, {"added": lines}), first.output
    assert (again.exit_code, counted(again)) == (0, {"unchanged": lines})
    found = [one for one in directory(stack) if one["code"].startswith("encore-")]
    assert len(found) == lines and {one["revision"] for one in found} == {1}
    assert all("invent" in one["name"].lower() for one in found), "nobody takes them for real ones"
    assert (await audit(sources_of(stack.home))).clean


async def test_each_line_is_told_apart_and_a_wrong_one_keeps_no_other_out(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "partners.csv"
    good = "essai-caen;Organisme inventé;mission locale;Caen, 2814;accueil@essai.example;\n"
    file.write_text(
        HEAD + good + "essai-zone;Organisme inventé;AUTRE;7501;;\nEssai;Organisme inventé;AUTRE;2804;;\n"
        "essai-nom;Organisme, contact : Madame Canari;AUTRE;2804;;\n",
        "utf-8-sig",
    )
    told = poec(stack, file, "--json")
    assert (told.exit_code, counted(told)) == (1, {"added": 1, "refused": 3}), told.output
    said = [
        (one["line"], one["objections"][0]["code"], one["objections"][0]["column"])
        for one in json.loads(told.stdout)["lines"][1:]
    ]
    assert said[0] == (3, "PLACE_ZONE", "zones")
    assert said[1][::2] == (4, "code")
    assert said[2] == (5, "PERSON_NAME_SUSPECTED", "nom")
    shown = poec(stack, file)
    assert "Ligne 3 (essai-zone, zones)" in shown.stdout and "1 inchangés, 3 refusés" in shown.stdout
    assert counted(poec(stack, file, "--json", "--acknowledge", "PERSON_NAME_SUSPECTED")) == {
        "added": 1,
        "unchanged": 1,
        "refused": 2,
    }

    file.write_text(HEAD + good.replace("2814", "2815"), "utf-8")
    assert counted(poec(stack, file, "--json")) == {"changed": 1}
    (changed,) = [one for one in directory(stack, zone="2815", kind="MISSION_LOCALE") if one["code"] == "essai-caen"]
    assert (changed["zones"], changed["revision"]) == (["2804", "2815"], 2)

    retire(stack, changed["partner_id"])
    assert counted(poec(stack, file, "--json")) == {"retired": 1}, "a file does not take up again who was retired"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"code;nom\n", "lacks the columns reseau, zones"),
        ("code;nom;reseau;zones\né;".encode("latin-1"), "UTF-8"),
        (f"{HEAD}a1;x;AUTRE;2804;;\na1;y;AUTRE;2804;;\n".encode(), "Lines 2 and 3"),
        (None, "cannot be read"),
    ],
    ids=["columns", "encoding", "twice", "absent"],
)
async def test_a_file_that_is_none_is_explained_and_nothing_of_it_comes_in(
    stack: Stack, tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "partners.csv"
    if content is not None:
        file.write_bytes(content)
    told = poec(stack, file)
    assert told.exit_code == 2
    assert said in " ".join(told.output.split())
    assert poec(stack, file, "--client", "nobody").exit_code == 2


async def test_a_line_that_comes_at_a_busy_moment_is_sent_again_under_its_key(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys: list[str] = []

    def busy_first(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["idempotency-key"])
        return httpx.Response(429, headers={"Retry-After": "3"}) if len(keys) == 1 else httpx.Response(201, json={})

    door, waits = _Door(stack.run, "region"), list[float]()
    monkeypatch.setattr(door, "_http", httpx.Client(transport=httpx.MockTransport(busy_first), base_url="http://busy.invalid"))
    with monkeypatch.context() as patched:
        patched.setattr("time.sleep", waits.append)
        assert door.post("/partners", {}).status_code == 201
    assert (len(keys), len(set(keys)), waits) == (2, 1, [3.0])


async def test_ctrl_c_among_the_lines_says_that_the_file_is_gone_on_with(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("deploy.cli.import_partners._told", interrupted)
    told = poec(stack, EXAMPLE)
    assert told.exit_code == 130 and "it goes on where it stopped" in " ".join(told.output.split())


async def test_who_is_not_the_region_is_told_so(stack: Stack) -> None:
    told = poec(stack, EXAMPLE, "--client", "akto")
    assert told.exit_code == 2
    assert "403" in told.output


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("2804 2805", ["2804", "2805"]),
        ("Caen, le havre", ["2804", "2813"]),
        ("2804;", ["2804;"]),
        ("", []),
        ("L'Aigle", ["2812"]),
    ],
)
def test_zones_are_read_by_code_and_by_name(text: str, codes: list[str]) -> None:
    assert _zones(text) == codes
