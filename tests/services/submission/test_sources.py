"""Every objection that the code of submission makes: the domain's name their source, all of them speak French and say what to do."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import services.submission

SERVICE = Path(services.submission.__file__).parent
GIVEN_ON = {"free": (1, True), "_object": (0, False)}
"""Functions that make an objection of what they are given: where its code stands, the sentence right after it; whether they source it."""


@dataclass(frozen=True)
class Made:
    """One objection in the source: where, its code, whether it names a source, what it may say (`…` where figures come in)."""

    file: str
    line: int
    code: str
    sourced: bool
    sentences: tuple[str, ...]


def made_in(text: str, file: str) -> Iterator[Made]:
    """Yield the objections that a module makes."""
    tree = ast.parse(text)
    for scope in (
        node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef)
    ):
        for call in (node for node in _own(scope) if isinstance(node, ast.Call)):
            name = getattr(call.func, "id", getattr(call.func, "attr", ""))
            first, sourced = (0, _sourced(call)) if name == "Objection" else GIVEN_ON.get(name, (None, False))
            if first is None or len(call.args) < first + 2:
                continue
            code, sentence = call.args[first], call.args[first + 1]
            if not isinstance(code, ast.Constant):
                continue
            found = tuple(_sentences(sentence, scope, tree))
            yield Made(file, call.lineno, str(code.value), sourced, found)


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a scope that lie in none within it."""
    for child in ast.iter_child_nodes(scope):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from _own(child)


def _sourced(call: ast.Call) -> bool:
    named = [keyword.value for keyword in call.keywords if keyword.arg == "source"]
    return any(not isinstance(one, ast.Constant) or one.value for one in (*call.args[2:3], *named))


def _sentences(node: ast.expr, scope: ast.AST, tree: ast.AST) -> Iterator[str]:
    """Yield what an expression may be as a text; nothing where the code does not tell."""
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    elif isinstance(node, ast.IfExp):
        yield from (*_sentences(node.body, scope, tree), *_sentences(node.orelse, scope, tree))
    elif isinstance(node, ast.Name):
        for one in (*_own(scope), *_own(tree)):
            if isinstance(one, ast.Assign) and any(getattr(to, "id", "") == node.id for to in one.targets):
                yield from _sentences(one.value, scope, tree)
    elif isinstance(node, ast.Call):  # a function of the module that words it
        name = getattr(node.func, "id", "")
        for function in (one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef) and one.name == name):
            for back in (one.value for one in _own(function) if isinstance(one, ast.Return)):
                yield from _sentences(back, function, tree) if back else ()


def wrong_with(made: list[Made]) -> list[str]:
    """Return what is wrong with objections: no source where the code has one elsewhere or is a rule's, no French sentence."""
    sourced = {one.code for one in made if one.sourced or one.file.startswith("domain/")}
    return [
        *(f"{one.file}:{one.line} {one.code}: no source" for one in made if one.code in sourced and not one.sourced),
        *(
            f"{one.file}:{one.line} {one.code}: {said or 'no sentence'}"
            for one in made
            for said in one.sentences or ("",)
            if not _french(said)
        ),
    ]


def _french(said: str) -> bool:
    ends, spaced = (
        said.endswith((".", "?", " …")),
        not re.search(r"(?<!\u202f)[;:!?]|(?<=«)[^\u202f]|[^\u202f](?=»)", said),
    )
    return bool(said) and ends and spaced and "'" not in said and (said[0].isupper() or said[0] == "…")


@cache
def everything() -> list[Made]:
    files = sorted(SERVICE.rglob("*.py"))
    return [one for file in files for one in made_in(file.read_text("utf-8"), file.relative_to(SERVICE).as_posix())]


def test_every_objection_has_a_sentence_in_french_and_those_of_rules_their_source() -> None:
    made = everything()
    assert len({one.code for one in made}) > 100
    assert wrong_with(made) == []


def test_objections_of_rules_are_made_in_the_domain_alone() -> None:
    beside = [path for path in SERVICE.rglob("*.py") if path.parent.name != "domain"]
    making = [
        path.name for path in beside if re.search(r"(RulesRefused|WarningsUnanswered)\(", path.read_text("utf-8"))
    ]
    assert making == []


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ('def rule(case):\n    return Objection("PLANTED", "Corrigez la date.", None, "start")', "PLANTED: no source"),
        ('def rule(case):\n    return Objection("PLANTED", "Corrigez la date.", field="start")', "PLANTED: no source"),
        ('def rule(case):\n    return Objection("PLANTED", "Corrigez la date.", source="")', "PLANTED: no source"),
        ('UNKNOWN = Objection("PLANTED", "Corrigez la date.")', "PLANTED: no source"),
        (
            'def rule(case):\n    said = "Trop long: corrigez."\n    return Objection("PLANTED", said, "L1")',
            "Trop long: corrigez.",
        ),
        ('def rule(case):\n    return Objection("PLANTED", f"La durée {case} dépasse", "L1")', "La durée … dépasse"),
        ('def rule(case):\n    return Objection("PLANTED", said(case), "L1")', "PLANTED: no sentence"),
    ],
)
def test_an_objection_without_source_or_sentence_is_found(planted: str, found: str) -> None:
    (wrong,) = wrong_with([*everything(), *made_in(planted, "domain/planted.py")])
    assert wrong.startswith("domain/planted.py:") and found in wrong
