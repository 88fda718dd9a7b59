"""What may import what, read from the source with `ast`: every check takes the root of a tree and returns one sentence per violation.

The table is the one of `shared/README.md`; that a check can fail is shown on small trees in `tests/test_architecture.py`.
"""

import ast
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.source_tree import FOLDERS, Module, imports, modules

SERVICES: Final = ("submission", "validation", "publication", "analytics")
LONGEST: Final = 400
_WRITTEN: Final = (".py", ".html", ".js", ".css", ".sh")
FORBIDDEN_NAMES: Final = frozenset({"utils", "util", "common", "helpers", "helper", "core", "base"})

_STDLIB: Final = sys.stdlib_module_names
_NO_BUSINESS_OF_RULES: Final = frozenset(
    ["asyncio", "logging", "os", "pathlib", "random", "secrets", "socket", "sqlite3", "subprocess", "sys", "threading", "time", "urllib"]
)
"""Parts of the standard library that are clocks, chance, logs or the outside world."""
_KAFKA: Final = ("aiokafka", "confluent_kafka", "faststream", "kafka")
_WEB: Final = ("fastapi", "starlette", "uvicorn", "httpx")
_CHANCE: Final = frozenset(
    {"now", "today", "utcnow", "uuid1", "uuid4", "time", "monotonic", "perf_counter", "token_hex", "getLogger"}
)
"""Calls that give another answer each time; a decision is given its time and its identifiers."""


@dataclass(frozen=True)
class Layer:
    """A row of the table: which modules it is about, what they may import of the product, which libraries they may not touch.

    In a pattern `{me}` is the module's own service. `libraries` False allows the standard library only.
    """

    name: str
    modules: str
    may: tuple[str, ...]
    not_libraries: tuple[str, ...] = ()
    libraries: bool = True


_OF_SHARED_FOR_CASES: Final = (
    "shared.contracts",
    "shared.errors",
    "shared.database",
    "shared.identity",
    "shared.policy",
    "shared.audit_trail",
    "shared.working_set",
    "shared.messaging.records",
)
"""What load, decide, save and emit need: contracts, refusals, the unit of work with its trail and outbox, who asks and may they.

`shared.messaging.records` is there for tombstones: they are outbox rows that are no event.
"""

TABLE: Final = (
    Layer(
        "domain",
        r"services\.\w+\.domain(\..+)?",
        ("services.{me}.domain", "shared.contracts", "shared.errors"),
        libraries=False,
    ),
    Layer(
        "use cases",
        r"services\.\w+\.(\w+_)?cases",
        (
            "services.{me}.domain",
            "services.{me}.use_cases",
            "services.{me}.store",
            "services.{me}.*_store",
            "services.{me}.*_cases",
            *_OF_SHARED_FOR_CASES,
        ),
        (*_KAFKA, *_WEB),
    ),
    Layer(
        "store",
        r"services\.\w+\.(\w+_)?store",
        (
            "services.{me}.domain",
            "services.{me}.store",
            "shared.contracts",
            "shared.database",
            "shared.working_set",
            "shared.audit_trail",
            "shared.identity",
            "shared.errors",
            "shared.clock",
        ),
        (*_KAFKA, *_WEB),
    ),
    Layer(
        "way in",
        r"services\.\w+\.(\w+_)?(api|pages|consumers|bodies|answers|job|form_fields)(\..+)?",
        ("services.{me}.use_cases", "services.{me}.domain", "services.{me}.store", "services.{me}.*", "shared"),
        _KAFKA,
    ),
    Layer("app", r"services\.\w+\.(app|__main__)", ("services.{me}", "shared"), _KAFKA),
    Layer(
        "settings",
        r"services\.\w+\.settings",
        ("services.{me}.domain", "services.{me}.reference", "shared.settings"),
        (*_KAFKA, *_WEB),
    ),
    Layer(
        "migrations",
        r"services\.\w+\.migrations(\..+)?",
        (
            "shared.messaging.schema",
            "shared.messaging.trail_schema",
            "shared.messaging.retention_schema",
            "shared.messaging.records",
            "shared.migrations",
            "shared.principals_schema",
            "shared.rates_schema",
            "shared.web_sessions_schema",
        ),
        (*_KAFKA, *_WEB),
    ),
    Layer(
        "formats and lists",
        r"services\.\w+\.\w+",
        ("services.{me}", "shared.contracts", "shared.database", "shared.errors"),
        (*_KAFKA, *_WEB),
    ),
    Layer(
        "formats and lists",
        r"services(\..+)?",
        ("services.{me}", "shared.contracts", "shared.errors"),
        (*_KAFKA, *_WEB),
    ),
    Layer(
        "deploy",
        r"deploy(\..+)?",
        ("deploy", "shared.contracts", "shared.messaging.clients", "shared.settings", "shared.clock"),
    ),
    Layer(
        "contracts",
        r"shared\.contracts(\..+)?",
        ("shared.contracts",),
        (*_KAFKA, *_WEB, "asyncpg", "sqlalchemy", "sqlmodel"),
    ),
    Layer("messaging", r"shared\.messaging(\..+)?", ("shared",), _WEB),
    Layer("shared", r"shared(\..+)?", ("shared",), _KAFKA),
)
"""The first row that fits a module is its row. Deploy reads the business clock's offset and dates as services do: `shared.clock`."""


def _within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def against_the_table(root: Path) -> list[str]:
    """Return the imports that the table does not allow."""
    found, all_modules = [], modules(root)
    names = frozenset(module.name for module in all_modules)
    for module in all_modules:
        layer = next(row for row in TABLE if re.fullmatch(row.modules, module.name))
        for name, line in imports(module, inside=names):
            if not _allowed(module, layer, name):
                found.append(f"{module.path}:{line} ({layer.name}) imports {name}")
    return found


def _allowed(module: Module, layer: Layer, name: str) -> bool:
    head = name.split(".", maxsplit=1)[0]
    if head in FOLDERS:
        me = module.parts[1] if module.parts[0] == "services" and len(module.parts) > 1 else ""
        if name == f"services.{me}":
            return True  # the package itself, for `from services.x import use_cases as story`: its docstring is all it holds
        return any(_fits(name, pattern.format(me=me)) for pattern in layer.may)
    if not layer.libraries:
        return head in _STDLIB and head not in _NO_BUSINESS_OF_RULES
    return head not in layer.not_libraries


def _fits(name: str, pattern: str) -> bool:
    last = name.rsplit(".", maxsplit=1)[-1]
    for kind in ("_store", "_cases"):
        if pattern.endswith(f".*{kind}"):
            return _within(name, pattern.removesuffix(f".*{kind}")) and last.endswith(kind)
    if pattern.endswith(".*"):
        ways_in = ("app", "api", "pages", "consumers", "job")
        return _within(name, pattern[:-2]) and last.rsplit("_", maxsplit=1)[-1] not in ways_in
    return _within(name, pattern)


def services_that_know_each_other(root: Path) -> list[str]:
    """Return imports from one service into another, from `shared` or `deploy` into a service, from anywhere into `deploy`."""
    found = []
    for module in modules(root):
        me = module.parts[:2] if module.parts[0] == "services" else module.parts[:1]
        for name, line in imports(module):
            parts = tuple(name.split("."))
            foreign_service = parts[0] == "services" and parts[:2] != me
            if foreign_service or (parts[0] == "deploy" and me[0] != "deploy"):
                found.append(f"{module.path}:{line} imports {name}")
    return found


def impure_rules(root: Path) -> list[str]:
    """Return where a domain waits, asks a clock, draws an identifier or logs."""
    found = []
    for module in modules(root):
        if "domain" not in module.parts:
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
                found.append(f"{module.path}:{node.lineno} waits")
            elif isinstance(node, ast.Call) and _called(node) in _CHANCE | {"print", "open", "input"}:
                found.append(f"{module.path}:{node.lineno} calls {_called(node)}()")
    return found


def _called(node: ast.Call) -> str:
    return (
        node.func.id
        if isinstance(node.func, ast.Name)
        else node.func.attr
        if isinstance(node.func, ast.Attribute)
        else ""
    )


_MAY_NAME_SERVICES: Final = ("shared/contracts/",)


def shared_that_names_a_service(root: Path) -> list[str]:
    """Return strings and names of `shared` that speak of one service: `poec.submission.fiches`, `if service == "analytics"`."""
    word = re.compile(rf"(?<![\w-])({'|'.join(SERVICES)})(?![\w-])")
    found = []
    for module in modules(root):
        if module.parts[0] != "shared" or module.path.startswith(_MAY_NAME_SERVICES):
            continue
        for node in ast.walk(module.tree):
            text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            name = (
                node.id
                if isinstance(node, ast.Name)
                else node.name
                if isinstance(node, ast.FunctionDef | ast.ClassDef)
                else ""
            )
            if word.search(text) or name.lower() in SERVICES:
                found.append(f"{module.path}:{getattr(node, 'lineno', 1)} names a service")
    return found


def import_cycles(root: Path) -> list[str]:
    """Return the groups of modules that import each other, directly or by others; imports inside functions count too."""
    all_modules = modules(root)
    names = frozenset(module.name for module in all_modules)
    graph = {m.name: sorted({n for n, _ in imports(m, inside=names, run=True)} & names - {m.name}) for m in all_modules}
    return [" -> ".join(sorted(group)) for group in _strong_components(graph) if len(group) > 1]


def _strong_components(graph: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Return the strongly connected components (Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in graph[name]:
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            place = stack.index(name)
            groups.append(stack[place:])
            del stack[place:]

    for name in graph:
        if name not in index:
            visit(name)
    return groups


def forbidden_names(root: Path) -> list[str]:
    """Return modules and folders whose name says nothing."""
    return [module.path for module in modules(root) if FORBIDDEN_NAMES & {part.lower() for part in module.parts}]


def too_long(root: Path) -> list[str]:
    """Return the files of more than 400 lines that people write, tests among them; what is built elsewhere (`.min.`) is not read."""
    written = (path for folder in (*FOLDERS, "tests") for path in sorted((root / folder).rglob("*")) if path.suffix in _WRITTEN)
    counted = ((path.relative_to(root).as_posix(), path.read_text("utf-8").count("\n")) for path in written if ".min." not in path.name)
    return [f"{path} has {lines} lines" for path, lines in counted if lines > LONGEST]


def swallowed_cancellations(root: Path) -> list[str]:
    """Return uses of `asyncio.wait_for`: in Python 3.11 it may swallow a cancellation that meets its result.

    `asyncio.timeout` does not.
    """
    return _uses(
        root,
        lambda node: isinstance(node, ast.Attribute | ast.Name) and _last_name(node) == "wait_for",
        "uses wait_for",
    )


def latest_offsets(root: Path) -> list[str]:
    """Return consumers of the product that skip to the end of a log: what was written before they came would be lost."""

    def skips(node: ast.AST) -> bool:
        return (
            isinstance(node, ast.keyword) and node.arg == "auto_offset_reset" and ast.unparse(node.value) == "'latest'"
        )

    return [found for found in _uses(root, skips, "begins at the end of the log") if not found.startswith("deploy/")]


def silent_failures(root: Path) -> list[str]:
    """Return `except:` and `except BaseException:` that do not raise again."""

    def silent(node: ast.AST) -> bool:
        if not isinstance(node, ast.ExceptHandler):
            return False
        everything = node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "BaseException")
        return everything and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node))

    return _uses(root, silent, "swallows every exception")


def bare_kafka_clients(root: Path) -> list[str]:
    """Return where a Kafka client is told its brokers by hand: `shared.messaging.clients` says how a principal connects."""

    def by_hand(node: ast.AST) -> bool:
        if isinstance(node, ast.Constant):
            return bool(node.value == "bootstrap.servers")
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute | ast.Name):
            return False
        if not _last_name(node.func).startswith("AIOKafka"):
            return False
        given = [name for inner in ast.walk(node) for name in _names_of_settings(inner)]
        return "bootstrap_servers" in given

    place = "shared/messaging/clients.py:"
    return [found for found in _uses(root, by_hand, "connects by hand") if not found.startswith(place)]


def _names_of_settings(node: ast.AST) -> list[object]:
    """Return what a node names: `f(x=...)`, `{"x": ...}`."""
    if isinstance(node, ast.keyword):
        return [node.arg]
    if isinstance(node, ast.Dict):
        return [key.value for key in node.keys if isinstance(key, ast.Constant)]
    return []


def _uses(root: Path, wrong: Callable[[ast.AST], bool], what: str) -> list[str]:
    return [
        f"{module.path}:{getattr(node, 'lineno', 1)} {what}"
        for module in modules(root)
        for node in ast.walk(module.tree)
        if wrong(node)
    ]


def _last_name(node: ast.Attribute | ast.Name) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id


CHECKS: Final[tuple[Callable[[Path], list[str]], ...]] = (
    against_the_table,
    services_that_know_each_other,
    impure_rules,
    shared_that_names_a_service,
    import_cycles,
    forbidden_names,
    too_long,
    swallowed_cancellations,
    latest_offsets,
    silent_failures,
    bare_kafka_clients,
)
