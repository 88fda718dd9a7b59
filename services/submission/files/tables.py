"""From rows of cells to fiches: what the first line says, and which lines make one fiche."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from services.submission.files.cells import LONGEST, Cell, is_empty, texts_of
from services.submission.files.columns import (
    ACKNOWLEDGED,
    BESIDE,
    OUTSIDE_MOTIVE,
    OUTSIDE_REASON,
    REFERENCE,
    Column,
    Level,
    by_header,
    columns,
    place,
    plain,
)
from shared.errors import Objection

Line: TypeAlias = tuple[int, Sequence[Cell]]
"""A line of a table: its number in the file, from 1, and its cells."""
Texts: TypeAlias = dict[str, list[str]]
"""What a line says, by the path of the column."""
_ONCE: Final = "Une ligne de même référence ajoute une session ou une réunion\u202f: videz la cellule, ou reprenez-y la même valeur."
_NUMBER: Final = "sessions.number"
_TOGETHER: Final = "mettez les lignes d’une même fiche l’une sous l’autre, puis renvoyez le fichier."
"""What to do with a fiche whose lines are not."""
MOST_FICHES: Final = 20_000
"""Of one file."""
MOST_OBJECTIONS: Final = 100
"""So many are said of a file's columns, or of the lines of one fiche: whoever has more of them begins with these."""


@dataclass
class Draft:
    """A fiche as a table says it: the line it begins on, what stands in the form, and what is wrong with its lines."""

    line: int
    reference: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    acknowledged: list[str] = field(default_factory=list)
    outside_campaign: dict[str, str] = field(default_factory=dict)
    objections: list[Objection] = field(default_factory=list)


class Unreadable(Exception):
    """The file as a whole cannot be read as fiches; all objections together."""

    def __init__(self, *objections: Objection) -> None:
        super().__init__(*(objection.code for objection in objections))
        self.objections = objections


def fiches_of(lines: Callable[[], Iterable[Line]]) -> Iterator[Draft]:
    """Yield the fiches of a table whose first line that is not empty names the columns. Raises `Unreadable`.

    `lines` gives all of them each time: the table is gone through twice, so that a fiche is refused as a whole where a line of it
    stands further down, and none is filed with a session missing.
    """
    apart = _apart(lines())
    begun: dict[int, int] = {}
    filled = _filled(lines())
    header = header_of(next(filled, (1, ()))[1])
    being: _Fiche | None = None
    for number, cells in filled:
        row = _row(number, cells, header)
        if being is not None and being.has(row):
            being.more(row)
            continue
        if being is not None:
            if REFERENCE not in row.texts and REFERENCE not in row.too_long:
                being.doubt(row)
            yield being.draft
        if named := row.texts.get(REFERENCE):
            before = begun.setdefault(key := _hash("".join(named)), number)
            if before != number:  # a line without a reference may stand between
                apart.setdefault(key, (before, number))
        being = _Fiche(row, apart)
    if being is not None:
        yield being.draft


def _filled(lines: Iterable[Line]) -> Iterator[Line]:
    return (line for line in lines if not all(map(is_empty, line[1])))


def _apart(lines: Iterable[Line]) -> dict[int, tuple[int, int]]:
    """Return, by the hash of a reference that comes again after another one, its first line and the line where it comes again.

    Of a reference its hash alone is held: memory grows by some bytes a fiche, and with no more of them than a file may have.
    """
    filled = _filled(lines)
    header = header_of(next(filled, (1, ()))[1])
    at = next(index for index, column in header.items() if column.path == REFERENCE)
    first: dict[int, int] = {}
    found: dict[int, tuple[int, int]] = {}
    last: int | None = None
    for number, cells in filled:
        if at >= len(cells) or is_empty(cells[at]):
            continue
        named = _hash("".join(texts_of(header[at], cells[at])))
        if named != last and first.setdefault(named, number) != number:
            found.setdefault(named, (first[named], number))
        if len(first) > MOST_FICHES:
            break  # refused for its length
        last = named
    return found


def _hash(reference: str) -> int:
    return hash(reference)


def header_of(cells: Sequence[Cell]) -> Mapping[int, Column]:
    """Return which column stands where. Raises `Unreadable` with all that is wrong: unknown, twice, missing."""
    wrong: list[Objection] = []
    found: dict[int, Column] = {}
    for index, cell in enumerate(cells):
        if is_empty(cell):
            continue
        column = by_header().get(plain(str(cell)))
        if column is None:
            text = (
                f"La colonne n°\u00a0{index + 1} porte un titre inconnu\u202f: reprenez ceux du modèle à télécharger."
            )
            wrong.append(Objection("COLUMN_UNKNOWN", text, facts={"column": index + 1}))
            if len(wrong) > MOST_OBJECTIONS:
                break
        elif column in found.values():
            text = f"La colonne «\u202f{column.header}\u202f» est là deux fois\u202f: gardez-en une."
            wrong.append(Objection("COLUMN_TWICE", text, field=column.path))
        else:
            found[index] = column
    for column in columns():
        if column.required and column not in found.values():
            text = f"La colonne «\u202f{column.header}\u202f» manque\u202f: ajoutez-la, ou repartez du modèle à télécharger."
            wrong.append(Objection("COLUMN_MISSING", text, field=column.path))
    if wrong:
        raise Unreadable(*_first(wrong))
    return found


def _first(wrong: Sequence[Objection]) -> Sequence[Objection]:
    return wrong if len(wrong) <= MOST_OBJECTIONS else [*wrong[:MOST_OBJECTIONS], _MORE]


_MORE: Final = Objection(
    "FORM_MORE", f"Seules les {MOST_OBJECTIONS} premières objections sont listées\u202f: corrigez-les, puis renvoyez."
)


@dataclass(frozen=True)
class _Row:
    """A line that is not empty: its texts, and the columns whose cell is longer than any may be."""

    number: int
    texts: Texts
    too_long: tuple[str, ...]

    def of(self, level: Level) -> Texts:
        """Return what it says of the fiche, of a session or of a meeting."""
        return {path: texts for path, texts in self.texts.items() if _COLUMNS[path].level is level}


_COLUMNS: Final = {column.path: column for column in columns()}


def _row(number: int, cells: Sequence[Cell], header: Mapping[int, Column]) -> _Row:
    filled = [(header[i], cell) for i, cell in enumerate(cells) if i in header and not is_empty(cell)]
    long = {column.path for column, cell in filled if isinstance(cell, str) and len(cell) > LONGEST}
    texts = {column.path: texts_of(column, cell) for column, cell in filled if column.path not in long}
    return _Row(number, texts, tuple(sorted(long)))


class _Fiche:
    """The lines of one fiche, taken one after the other."""

    def __init__(self, row: _Row, apart: Mapping[int, tuple[int, int]]) -> None:
        self._said = row.of(Level.FICHE)
        self._session: Texts = {}
        self._sessions = self._meetings = self._highest = 0
        beside = {path: self._said.pop(path, []) for path in BESIDE}
        outside = {"motive": "".join(beside[OUTSIDE_MOTIVE]), "reason": "".join(beside[OUTSIDE_REASON])}
        self.draft = Draft(
            row.number,
            "".join(beside[REFERENCE]),
            acknowledged=beside[ACKNOWLEDGED],
            outside_campaign={name: text for name, text in outside.items() if text},
        )
        for path, texts in self._said.items():
            self._put(path, texts)
        if row.texts.get(REFERENCE) and (lines := apart.get(_hash(self.draft.reference))) is not None:
            text = (
                f"La référence de la ligne {lines[0]} revient à la ligne {lines[1]}, après une autre\u202f: {_TOGETHER}"
            )
            self._object("REFERENCE_APART", text, REFERENCE, row)
        self._take(row)

    def has(self, row: _Row) -> bool:
        """Return whether a line is a further one of this fiche: of its reference, or without one and saying nothing else of it."""
        if named := row.texts.get(REFERENCE):
            return named == [self.draft.reference]
        if REFERENCE in row.too_long:
            return False
        return all(texts == self._said.get(path) for path, texts in row.of(Level.FICHE).items() if path not in BESIDE)

    def doubt(self, row: _Row) -> None:
        """Take a line that is without a reference and says something else: whose it is nobody knows, so neither is filed."""
        text = (
            f"La ligne {row.number}, qui suit, n’a pas de référence et donne autre chose que la ligne {self.draft.line}\u202f:"
            " donnez-lui sa référence, ou celle de cette fiche si elle en fait partie."
        )
        self._object("REFERENCE_EMPTY", text, REFERENCE, row)

    def more(self, row: _Row) -> None:
        """Take a further line: another session, another meeting, and nothing else about the fiche."""
        for path, texts in row.of(Level.FICHE).items():
            if path not in BESIDE and texts != self._said.get(path):
                text = f"La ligne {row.number} donne une autre valeur que la ligne {self.draft.line}. {_ONCE}"
                self._object("LINE_DIFFERS", text, path, row)
        self._take(row)

    def _take(self, row: _Row) -> None:
        for path in row.too_long:
            text = f"Une cellule compte plus de {LONGEST} caractères\u202f: raccourcissez-la."
            self._object("CELL_TOO_LONG", text, path, row)
        session, meeting = row.of(Level.SESSION), row.of(Level.MEETING)
        if session and not (self._sessions and all(self._session.get(path) == said for path, said in session.items())):
            self._begin(session)
        if meeting and self._sessions:
            for path, texts in meeting.items():
                self._put(path, texts)
            self._meetings += 1
        elif meeting:
            text = (
                f"La ligne {row.number} donne une réunion sans session\u202f: renseignez la session sur la même ligne."
            )
            self._object("MEETING_ALONE", text, _NUMBER, row)

    def _begin(self, session: Texts) -> None:
        """Begin another session; one without a number is the next one."""
        self._session = {_NUMBER: [str(self._highest + 1)], **session}
        self._sessions, self._meetings = self._sessions + 1, 0
        (number,) = self._session[_NUMBER]
        if number.isascii() and number.isdigit() and len(number) < 4:
            self._highest = max(self._highest, int(number))
        for path, texts in self._session.items():
            self._put(path, texts)

    def _put(self, path: str, texts: list[str]) -> None:
        """Put texts where the form has them."""
        for n, text in enumerate(texts):
            at = place(path, _COLUMNS[path].many, max(self._sessions - 1, 0), self._meetings, n)
            self.draft.fields[at] = text

    def _object(self, code: str, message: str, path: str, row: _Row) -> None:
        wrong = self.draft.objections
        if len(wrong) <= MOST_OBJECTIONS:
            objection = Objection(code, message, field=path, facts={"line": row.number})
            wrong.append(objection if len(wrong) < MOST_OBJECTIONS else _MORE)
