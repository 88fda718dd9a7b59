"""The parts of the README that are made from the code: the picture of the flow, its table, the settings, the commands."""

import importlib
import inspect
import re
from typing import Final

import typer
from pydantic_core import PydanticUndefined

from deploy.cli import COMMANDS
from deploy.cli.config import LOCAL
from shared.contracts.access import USERS, Access
from shared.contracts.flow import FOR_EVER, HEARERS, SERVICES, TOPICS, Topic, anchors_topic, dead_letters_topic
from shared.contracts.ingress import ENTRY_COMMANDS, OPCO_COMMANDS
from shared.contracts.references import OPCOS
from shared.production.check import RULES
from shared.production.database import DATABASE_RULES, DatabaseRule
from shared.production.limits import BOUNDS
from shared.production.rule import Rule, env
from tests.support.ears import service

PARTNERS: Final = {
    "opco": "les 11 OPCO",
    "france-travail": "France Travail",
    "carif-oref": "Carif-Oref",
    "operations": "exploitation",
}
_ANCHORS: Final = {anchors_topic(name) for name in SERVICES}
_ASIDE: Final = {*_ANCHORS, *(dead_letters_topic(name) for name in SERVICES)}
"""Topics that are about the flow and no part of it."""
_DAY: Final = 24 * 3600 * 1000


def _families() -> dict[str, Topic]:
    """Return the topics by name, the eleven OPCOs' as one: `poec.ingress.<opco>`."""
    found: dict[str, Topic] = {}
    for topic in TOPICS:
        organisation = topic.name.rsplit(".", maxsplit=1)[-1]
        name = topic.name.replace(organisation, "<opco>") if organisation in OPCOS else topic.name
        found.setdefault(name, topic)
    return found


def _party(name: str) -> str:
    return "opco" if name in OPCOS else name


def flow_picture() -> str:
    """Return the flow as a mermaid flowchart: who writes which topic, who reads it."""
    lines = ["```mermaid", "flowchart LR"]
    lines += [f'  {name}["{name}"]' for name in SERVICES]
    lines += [f'  {name}(["{label}"])' for name, label in PARTNERS.items()]
    for number, (name, topic) in enumerate(_families().items(), 1):
        arrow = "-.->" if name in _ASIDE else "-->"
        shown = name.replace("<", "&lt;").replace(">", "&gt;")
        lines.append(f'  {_party(topic.writer)} {arrow} t{number}[("{shown}")]')
        lines.append(f"  t{number} {arrow} {' & '.join(_party(reader) for reader in topic.readers)}")
    return "\n".join([*lines, "```", ""])


def topic_table() -> str:
    """Return the topics as a Markdown table: writer, readers, what is said, how it is kept."""
    rows = ["| topic | written by | read by | says | partitions, kept |", "|---|---|---|---|---|"]
    for name, topic in _families().items():
        kept = f"{topic.partitions}, {_kept(topic)}"
        readers = ", ".join(_party(reader) for reader in topic.readers)
        rows.append(f"| `{name}` | {_party(topic.writer)} | {readers} | {_said(name, topic)} | {kept} |")
    return "\n".join(rows) + "\n"


def access_table() -> str:
    """Return the users of the brokers as a Markdown table, the eleven OPCOs' as one: what each may write, read, and use as group."""
    rows = ["| user | writes | reads | groups |", "|---|---|---|---|"]
    rows += dict.fromkeys(
        f"| `{_of_anyone(one.user)}` | {_topics(one.writes)} | {_topics(one.reads)} | {_groups(one)} |" for one in USERS
    )
    return "\n".join(rows) + "\n"


def _of_anyone(name: str) -> str:
    """Return a name without which OPCO it is about: `poec.ingress.<opco>`."""
    organisation = name.rsplit(".", maxsplit=1)[-1]
    return name.replace(organisation, "<opco>") if organisation in OPCOS else name


def _topics(names: tuple[str, ...]) -> str:
    if names and names == tuple(topic.name for topic in TOPICS):
        return "every topic"
    if names and names == tuple(topic.name for topic in TOPICS if topic.writer in SERVICES):
        return "every topic that a service writes"
    return ", ".join(f"`{name}`" for name in dict.fromkeys(_of_anyone(name) for name in names)) or "nothing"


def _groups(one: Access) -> str:
    if one.group_prefix is not None:
        return f"`{_of_anyone(one.user)}.…`"
    return f"`{one.group}`" if one.group else "none"


def _kept(topic: Topic) -> str:
    if topic.compacted:
        return "last word of each key"
    return "for ever" if topic.retention_ms == FOR_EVER else f"{topic.retention_ms // _DAY} days"


def _said(name: str, topic: Topic) -> str:
    events = [event.__name__ for event in HEARERS if event.topic == topic.name]
    if events:
        return ", ".join(f"`{event}`" for event in events)
    if name.startswith("poec.ingress."):
        commands = OPCO_COMMANDS if topic.writer in OPCOS else ENTRY_COMMANDS
        return ", ".join(f"`{command.__name__}`" for command in commands)
    if name in _ANCHORS:
        return "`TrailAnchored`"
    return "`CommandAnswered`, one for each record" if ".results." in name else "`DeadLetterAnnounced`"


def settings_table() -> str:
    """Return every setting that somebody reads from the environment, with its default and its sentence."""
    found: dict[tuple[str, str, str], list[str]] = {(key, "", meaning): ["poec"] for key, meaning in LOCAL.items()}
    for name in SERVICES:
        for field, info in service(name).settings.model_fields.items():
            default = "needed" if info.default is PydanticUndefined else "" if info.default is None else f"`{info.default}`"
            row = (f"POEC_{field.upper()}", default, info.description or "")
            found.setdefault(row, []).append(name)
    rows = ["| setting | default | read by | meaning |", "|---|---|---|---|"]
    for (key, default, meaning), readers in found.items():
        who = "every service" if readers == list(SERVICES) else ", ".join(readers)
        rows.append(f"| `{key}` | {default} | {who} | {meaning} |")
    return "\n".join(rows) + "\n"


def command_table() -> str:
    """Return the commands with what they do and their exit codes, from their own help."""
    rows = ["| command | does | exit codes |", "|---|---|---|"]
    for name, (module, function, line) in COMMANDS.items():
        found = getattr(importlib.import_module(module), function)
        if not isinstance(found, typer.Typer):
            rows.append(f"| `poec {name}` | {line} | {exit_codes(found)} |")
            continue
        for part in found.registered_commands:
            assert part.callback is not None, "a command without a function"
            called = part.name or part.callback.__name__
            text = inspect.cleandoc(part.callback.__doc__ or "").split("\n", maxsplit=1)[0]
            rows.append(f"| `poec {name} {called}` | {text} | {exit_codes(part.callback)} |")
    return "\n".join(rows) + "\n"


def production_table() -> str:
    """Return the rules of production: code, what is objected to and why, what to do, whether it may be waived."""
    rows = ["| code | why | what to do | may be waived |", "|---|---|---|---|"]
    rules: tuple[Rule | DatabaseRule, ...] = (*RULES, *DATABASE_RULES)
    rows += [f"| `{one.code}` | {one.why} | {one.do} | {'yes' if one.waivable else ''} |" for one in rules]
    bounds = ", ".join(f"`{env(name)}` {low:g} to {high:g}" for name, (low, high) in BOUNDS.items())
    return "\n".join([*rows, "", f"Bounds of `LIMIT_OUT_OF_BOUNDS`: {bounds}.", ""])


def exit_codes(function: object) -> str:
    """Return what the docstring of a command says of its exit codes."""
    text = " ".join(inspect.cleandoc(getattr(function, "__doc__", "") or "").split())
    found = re.search(r"Exit codes: (.*?)\.(?:\s|$)", text)
    return found[1] if found else ""
