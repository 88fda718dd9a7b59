"""Every page asked about fiches in every state, and every form that it shows sent back, as it stands and spoilt: no page fails."""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import lxml.html
import pytest

from services.submission.pages.form_steps import STEPS
from shared.policy import POLICY
from tests.access.cells import cells
from tests.access.entrance import Answered, Entrance
from tests.access.objects import at_its_time
from tests.access.objects import requests as seeded
from tests.fuzz.effort import Figures, Found
from tests.fuzz.mutations import mutated, varied
from tests.support.operations import pages

WHO: Final = "opco"
FORM: Final = b"application/x-www-form-urlencoded"
ABOUT: Final = (
    "GET /fiches/{fiche_id}",
    "GET /imports/{import_id}",
    "GET /campaigns/{campaign_id}",
    "GET /conferences/{conference_id}",
    "GET /templates/{template_id}",
    "GET /partners/{partner_id}",
)
"""Routes whose objects pages are about."""
MARK: Final = "<script>7qz</script>"
"""What no page may give back as it came."""
HTML: Final = ("text/html",)
PLAIN: Final = ("text/plain", *HTML)
"""What answers a form that is saved while one types: a sentence."""
Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Form:
    """A form as a page shows it: where it is sent, and the names and values that stand in it."""

    action: str
    fields: Pairs


def forms_of(path: str, page: bytes) -> Iterator[Form]:
    """Yield the forms of a page that change something: what a browser would send of each, with its first button.

    A form that a script saves while one types is there a second time, as it is sent then.
    """
    read: Any = lxml.html.fromstring(page)
    for form in read.forms:
        if form.method == "POST" and (form.action or path).startswith("/espace/"):
            buttons = [(one.get("name"), one.get("value", "")) for one in form.iterfind(".//button[@name]")]
            fields = [(name, value or "") for name, value in [*form.form_values(), *buttons[:1]] if name]
            yield from (Form(action, fields) for action in (form.action or path, form.get("data-autosave")) if action)


def spoilt(chance: random.Random, fields: Pairs) -> bytes:
    """Return a form as it is sent, with one to four of its fields changed, left out, sent twice or renamed, or its bytes spoilt."""
    pairs = list(fields)
    for _ in range(chance.choice((1, 1, 2, 4))):
        at = chance.randrange(len(pairs)) if pairs else -1
        what = chance.random()
        if at < 0 or what < 0.1:
            pairs.append((str(varied(chance, "")), MARK))
        elif what < 0.2:
            del pairs[at]
        elif what < 0.3:
            pairs.append(pairs[at])
        elif what < 0.4:
            pairs[at] = (pairs[at][0] + chance.choice(("[]", ".0", ".9999999999", "\0", "é", ".x.y")), pairs[at][1])
        else:
            pairs[at] = (pairs[at][0], chance.choice((MARK, str(varied(chance, "")), f"{pairs[at][1]}x", "2018-04-31", "-1")))
    raw = urlencode(pairs, errors="replace").encode()
    return mutated(chance, raw) if chance.random() < 0.2 else raw


@dataclass
class Reader:
    """Somebody who looks at the pages of a service, and the judgement of what comes back."""

    entrance: Entrance
    found: Found
    who: str = WHO

    async def look(self, door: str, path: str) -> Answered:
        """Ask for a page."""
        headers = [one for one in self._headers() if one[0] != b"content-type"]
        return self.judged(door, path, await self.entrance.ask("GET", path, headers))

    async def send(self, door: str, form: Form, raw: bytes, *, by_script: bool = False) -> Answered:
        """Send a form."""
        headers = [*self._headers(), (b"content-type", FORM), *([(b"hx-request", b"true")] if by_script else [])]
        return self.judged(door, f"{form.action} {raw!r}", await self.entrance.ask("POST", form.action, headers, raw))

    def _headers(self) -> list[tuple[bytes, bytes]]:
        return [(b"accept", b"text/html"), *(one for one in self.entrance.headers(self.who) if one[0] in (b"authorization", b"host"))]

    def judged(self, door: str, what: str, answer: Answered) -> Answered:
        """Count an answer, and note what no page may do."""
        headers = {name.decode(): value.decode("latin-1") for name, value in answer.headers}
        self.found.saw(door, str(answer.status))
        wrong = ""
        if answer.status >= 500:
            wrong = "fails"
        elif MARK.encode() in answer.body:
            wrong = "gives back a script"
        elif answer.body and not headers["content-type"].startswith(PLAIN if door.endswith("/enregistrement") else HTML):
            wrong = f"is {headers['content-type']}"
        elif "location" in headers and not _ours(headers["location"]):
            wrong = "leads away"
        if wrong:
            self.found.wrong.append(f"{door} {wrong}: {answer.status} {what[:2000]}")
        return answer


def _ours(location: str) -> bool:
    parts = urlsplit(location)
    return not parts.scheme and not parts.netloc and location.startswith("/") and "\r" not in location


def door_of(action: str) -> str:
    """Return the row of the table of pages that an address of a form belongs to."""
    rows = [one for one in pages("submission") if one.startswith("POST ")]
    fitting = [one for one in rows if re.fullmatch(re.sub(r"{\w+}", "[^/]+", one.removeprefix("POST ")), urlsplit(action).path)]
    return min(fitting, key=lambda one: one.count("{"), default=f"POST {action}")


def addresses(door: str, ids: Sequence[str]) -> list[str]:
    """Return what a page is asked under: about every object, of every step."""
    path = door.removeprefix("GET ").replace("{number}", "1").replace("{year}", "2018")
    about = [re.sub(r"{\w+_id}", one, path) for one in ids] if "_id}" in path else [path]
    return [one.replace("{slug}", step.slug) for one in about for step in (STEPS if "{slug}" in one else STEPS[:1])]


async def made(entrance: Entrance, door: str, who: str) -> list[str]:
    """Make what a page is about: one's own fiche in every state, one's own file, a campaign; return their ids."""
    place = re.search(r"{(\w+_id)}", door)
    read = [one for one in ABOUT if place and place[1] in one]
    own = [cell for cell in cells(entrance.name, read, [who]) if cell.relation in ("own", "none")] if read else []
    return [str(thing.id) for thing, _ in (await seeded(entrance, own)).values()]


def reader_of(door: str) -> str:
    """Return who looks at a page: somebody who may."""
    rows = POLICY[pages("submission")[door]]
    return WHO if WHO in rows else next(iter(rows))


async def walk(reader: Reader, chance: random.Random, each: int) -> None:
    """Look at every page of new fiches, with odd queries too, and send back each form it shows: `each` times spoilt, and as it stands."""
    for door in (one for one in pages(reader.entrance.name) if one.startswith("GET ")):
        reader = replace(reader, who=reader_of(door))
        for path in addresses(door, await made(reader.entrance, door, reader.who)):
            shown = await reader.look(door, path)
            odd = quote(str(varied(chance, "")), errors="replace")
            name = chance.choice(("statut", "page", "apres", "verifier", "ajout", "pour", "resultat", "zone", "recherche", "fait", "x"))
            await reader.look(door, f"{path}?{name}={odd}")
            for form in forms_of(path, shown.body) if shown.status == 200 else ():
                posted = door_of(form.action)
                for _ in range(each):
                    await reader.send(posted, form, spoilt(chance, form.fields), by_script=chance.random() < 0.3)
                await reader.send(posted, form, urlencode(form.fields).encode())


async def test_no_page_fails_whatever_its_form_holds(entrances: Mapping[str, Entrance], figures: Figures) -> None:
    found, entrance = figures.part("pages and their forms"), entrances["submission"]
    await at_its_time(entrance)
    for chance in figures.effort.rounds(0.1):
        await walk(Reader(entrance, found), chance, 3)
        figures.rounds["pages and their forms"] += 1
    assert found.wrong == []
    shown = {door for door, seen in found.answers.items() if door.startswith("GET ") and (seen["200"] or seen["303"])}
    assert shown == {door for door in pages("submission") if door.startswith("GET ")}
    sent = {door for door in pages("submission") if door.startswith("POST ")}
    assert sent <= set(found.answers), "a form that no page shows"
    assert found.total("303") > 10, f"fuzz that never gets past the first check: {found.answers}"


BAD: Final[Mapping[str, Answered]] = {
    "fails": Answered(500, ((b"content-type", b"text/html"),), b"<p>"),
    "gives back a script": Answered(200, ((b"content-type", b"text/html"),), f"<p>{MARK}".encode()),
    "is text/plain": Answered(200, ((b"content-type", b"text/plain"),), b"x"),
    "leads away": Answered(303, ((b"location", b"//a.invalid/"),), b""),
}


@pytest.mark.parametrize("wrong", BAD)
def test_an_answer_that_no_page_may_give_is_found(entrances: Mapping[str, Entrance], wrong: str) -> None:
    reader = Reader(entrances["submission"], Found())
    reader.judged("GET /x", "/x", BAD[wrong])
    assert [one.split(": ")[0] for one in reader.found.wrong] == [f"GET /x {wrong}"]


def test_a_form_is_read_as_a_browser_sends_it() -> None:
    page = b"""<form method=post data-autosave=/espace/b><input name=a value=1><input name=c type=checkbox>
    <button name=d value=2>x</button></form><form action=/espace/z><input name=y></form>"""
    fields = [("a", "1"), ("d", "2")]
    assert list(forms_of("/espace/a", page)) == [Form("/espace/a", fields), Form("/espace/b", fields)]
