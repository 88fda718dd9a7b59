"""Dates, numbers, money and the spaces of French, to the very space."""

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from shared.web import french as f
from shared.web.templates import environment

D = dt.date
N, W = "\u202f", "\u00a0"
ROOT: Final = Path(f.__file__).parents[2]
TEMPLATES: Final = sorted(one for top in ("services", "shared") for one in (ROOT / top).rglob("templates/**/*.html"))


@pytest.mark.parametrize(
    ("what", "given", "written"),
    [
        (f.long_date, D(2022, 4, 24), f"24{W}avril{W}2022"),
        (f.long_date, D(2022, 5, 1), f"1er{W}mai{W}2022"),
        (f.long_date, D(2022, 5, 11), f"11{W}mai{W}2022"),
        (f.long_date, None, "—"),
        (f.short_date, D(2022, 9, 5), f"5{W}sept.{W}2022"),
        (f.short_date, D(2022, 8, 1), f"1er{W}août{W}2022"),
        (f.weekday, D(2022, 9, 5), f"lundi{W}5{W}septembre{W}2022"),
        (f.weekday, D(2022, 9, 1), f"jeudi{W}1er{W}septembre{W}2022"),
        (f.month, D(2022, 12, 1), f"décembre{W}2022"),
        (f.time_of_day, dt.datetime(2022, 5, 30, 12, 5, tzinfo=dt.UTC), f"14{W}h{W}05"),
        (f.time_of_day, dt.datetime(2022, 1, 30, 8, 0, tzinfo=dt.UTC), f"9{W}h"),
        (f.moment, dt.datetime(2022, 5, 31, 23, 30, tzinfo=dt.UTC), f"1er{W}juin{W}2022 à{W}1{W}h{W}30"),
        (f.moment, None, "—"),
        (f.number, 60838, f"60{N}838"),
        (f.number, 1_234_567, f"1{N}234{N}567"),
        (f.number, -1234.5, f"-1{N}234,5"),
        (f.number, Decimal("8.50"), "8,5"),
        (f.number, 0, "0"),
        (f.number, None, "—"),
        (f.percent, 0.653, f"65,3{N}%"),
        (f.percent, 1, f"100{N}%"),
        (f.euros, 6_120_000, f"61{N}200{W}€"),
        (f.euros, 850, f"8,50{W}€"),
        (f.euros, 42_500_000_000, f"425{N}000{N}000{W}€"),
        (f.euros, -5, f"-0,05{W}€"),
        (f.euros, None, "—"),
        (f.hours, 445, f"445{W}h"),
        (f.hours, 1445.5, f"1{N}445,5{W}h"),
        (f.duration, dt.timedelta(days=1, hours=5), f"1{W}jour"),
        (f.duration, dt.timedelta(days=3), f"3{W}jours"),
        (f.duration, dt.timedelta(hours=2, minutes=30), f"2{W}h{W}30"),
        (f.duration, dt.timedelta(hours=2), f"2{W}h"),
        (f.duration, dt.timedelta(minutes=12, seconds=9), f"12{W}min"),
        (f.duration, dt.timedelta(seconds=8), f"8{W}s"),
    ],
)
def test_a_value_is_written_as_in_french(what: Callable[[Any], str], given: Any, written: str) -> None:
    assert what(given) == written


@pytest.mark.parametrize(
    ("start", "end", "written"),
    [
        (D(2022, 9, 5), D(2022, 12, 9), f"5{W}sept.{W}–{W}9{W}déc.{W}2022"),
        (D(2022, 9, 5), D(2022, 9, 16), f"5{W}–{W}16{W}sept.{W}2022"),
        (D(2022, 9, 1), D(2022, 9, 16), f"1er{W}–{W}16{W}sept.{W}2022"),
        (D(2022, 12, 5), D(2023, 2, 3), f"5{W}déc.{W}2022{W}–{W}3{W}févr.{W}2023"),
        (D(2022, 9, 5), D(2022, 9, 5), f"5{W}sept.{W}2022"),
        (D(2022, 9, 5), None, f"5{W}sept.{W}2022"),
        (None, None, "—"),
    ],
)
def test_a_range_of_dates_says_nothing_twice(start: D | None, end: D | None, written: str) -> None:
    assert f.date_range(start, end) == written


@pytest.mark.parametrize(
    ("plain", "spaced"),
    [
        ("Vraiment ? Oui : « oui » !", f"Vraiment{N}? Oui{N}: «{N}oui{N}»{N}!"),
        (f"Déjà{N}: fait ; vu", f"Déjà{N}: fait{N}; vu"),
        ("https://exemple.fr/a?b=c:d", "https://exemple.fr/a?b=c:d"),
        ("à 14:05", "à 14:05"),
        ("«collé»", f"«{N}collé»"),
        ("Rien", "Rien"),
        ("", ""),
    ],
)
def test_spaces_before_double_punctuation_are_narrow_and_do_not_break(plain: str, spaced: str) -> None:
    assert f.fr(plain) == spaced
    assert f.fr(f.fr(plain)) == spaced, "doing it again changes nothing"


def test_markup_stays_markup_and_text_stays_text() -> None:
    assert isinstance(f.fr(Markup("<b>Oui :</b>")), Markup)
    assert not isinstance(f.fr("<b>"), Markup)


@pytest.mark.parametrize(
    ("count", "written"), [(0, f"0{W}fiche"), (1, f"1{W}fiche"), (2, f"2{W}fiches"), (1200, f"1{N}200{W}fiches")]
)
def test_a_count_agrees(count: int, written: str) -> None:
    assert f.counted(count, "fiche") == written
    assert f.counted(2, "journal", "journaux") == f"2{W}journaux"


def test_templates_have_them_and_stop_at_what_is_not_there() -> None:
    made = environment().from_string("{{ day|short_date }} {{ date_range(day, day) }} {{ 850|euros }} {{ counted(2, 'fiche') }}")
    text = made.render(day=D(2022, 9, 5))
    assert text == f'5{W}sept.{W}2022 <span class="nowrap">5{W}sept.{W}2022</span> 8,50{W}€ 2{W}fiches'
    with pytest.raises(UndefinedError):
        environment().from_string("{{ nobody }}").render()


def test_an_icon_is_for_the_eye_or_has_a_name() -> None:
    text = environment().from_string("{{ icon('search') }}{{ icon('pencil', 'Modifier <b>') }}").render()
    assert text.count("<svg") == 2 and 'aria-hidden="true"' in text and 'aria-label="Modifier &lt;b&gt;"' in text


def breaking(template: str) -> list[str]:
    """Return what a template itself writes, expressions apart, with a space before double punctuation that a line may end at."""
    bare = re.sub(r"{#.*?#}", "", template, flags=re.DOTALL)
    bare = re.sub(r"<[^>]*>", "", re.sub(r"{%.*?%}|{{.*?}}", "X", bare, flags=re.DOTALL))
    return re.findall(r"\S{0,20}[ \u00a0][;:!?»]|«[ \u00a0]\S{0,20}", bare)


@pytest.mark.parametrize("template", TEMPLATES, ids=[str(one.relative_to(ROOT)) for one in TEMPLATES])
def test_what_a_template_writes_itself_has_the_spaces_too(template: Path) -> None:
    assert breaking(template.read_text("utf-8").replace("<kbd>?</kbd>", "")) == []


@pytest.mark.parametrize("written", ["<p>Videz une ligne ; puis</p>", "« oui", "{{ x }} : rien", f"Déjà{W}: fait"])
def test_a_template_that_lets_a_line_end_there_is_found(written: str) -> None:
    assert breaking(written)
    assert not breaking(f'{{{{ "Videz une ligne ; puis"|fr }}}} Déjà{N}: fait {{# ; #}}')


def test_labels_stand_in_the_order_of_a_french_dictionary() -> None:
    names = ["Yvetot", "Évreux", "L’Aigle", "Eu", "Œuilly", "Orbec", "La Bouille", "élagueur", "Élagueur"]
    assert [label for _, label in f.by_label((str(n), name) for n, name in enumerate(names))] == [
        "Élagueur", "élagueur", "Eu", "Évreux", "La Bouille", "L’Aigle", "Œuilly", "Orbec", "Yvetot",
    ]  # fmt: skip
