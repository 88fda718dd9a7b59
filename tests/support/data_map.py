"""The data map: what each field of a contract and each column of a table is for, whose data it is, how long it is kept.

Types and tables come from the code and from a migrated database; what they are for is written here, once for each name.
A name that is not here fails the tests: whoever adds a field says what it is for.
"""

from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Final, NamedTuple

from shared.contracts.asyncapi import asyncapi
from tests.support.documents import ROOT

PAGE: Final = ROOT / "shared" / "data_map.md"
NOBODY, TEXT, MAILBOX, PSEUDONYM, PERSON = (
    "no",
    "no: free text, looked through at the edge",
    "no: mailbox of a service, a person's is warned about",
    "pseudonym",
    "**yes**",
)


class Purpose(NamedTuple):
    """What some fields are for, and whether they are data of a person."""

    what: str
    personal: str
    names: str


CONTRACT: Final = (
    Purpose("what the training is and for whom", TEXT, "title objective contents prerequisites modalities"),
    Purpose("what the training is and for whom", NOBODY, "content kind programme_year branch_idcc rome formacodes nsf audiences shortage"),
    Purpose("what it leads to", NOBODY, "certification rncp rs certifinfo target_contracts follow_up contract_starts_on"),
    Purpose("hours, days, totals", NOBODY, "hours total centre company weekly distance sessions number start end starts_at on"),
    Purpose("groups: seats, minimum, what companies announce", NOBODY, "seats minimum companies hires_announced enrolled"),
    Purpose("what is meant before it is filed", NOBODY, "intention starts_from starts_until main_formacode"),
    Purpose("who trains and where: an organisation, its premises", TEXT, "name siret nda lines city audience place"),
    Purpose("who trains and where: an organisation, its premises", NOBODY,
            "provider qualiopi qualiopi_until cfa trainer address insee zone_emploi postal_code"),
    Purpose("whom to ask about the training", MAILBOX, "contact"),
    Purpose("how jobseekers are found", TEXT, "plan partners"),
    Purpose("how jobseekers are found", NOBODY, "sourcing partner_ids pilots meetings"),
    Purpose("who pays which part", NOBODY, "money teaching_cost state france_travail other_costs committed"),
    Purpose("why the need is legitimate, and derogations", NOBODY, "need origin derogation level cap decided_on valid_from valid_until"),
    Purpose("why the need is legitimate, and derogations", TEXT, "zones"),
    Purpose("how far the public procurement is", NOBODY,
            "procurement tender published_on offers_due_on awarded_on contract_ends_on provider_enters_session"),
    Purpose("why it is filed after the deadline", NOBODY, "outside_campaign"),
    Purpose("which organisation's", NOBODY, "opco service validated_by"),
    Purpose("which fiche, session, revision, entry", NOBODY, "fiche_id session_id revision avis_revision id n"),
    Purpose("number of an intention or of an entry, drawn by the sender and tied to nobody here", NOBODY, "ais_id ais_ids aes_id"),
    Purpose("what a sender or a decision is called", TEXT, "reference"),
    Purpose("where it stands, what was decided and on what grounds", NOBODY,
            "status avis reasons motive cause outcome corrects against_avis was_validated fiche_cancelled acknowledged validated_on"
            " avis_due_on expires_on recorded_on entered_on"),
    Purpose("words of a decision, for the OPCO and for the record", TEXT, "comment reason forced_reason request"),
    Purpose("what is asked for or proposed", NOBODY, "items field adaptation"),
    Purpose("how far contents lie apart", NOBODY, "shift shift_days start_days commune_moved zone_moved main_formacode_moved"),
    Purpose("what became of a group: figures of the whole, nobody in them", NOBODY,
            "placements moment finishing placed contract count companies_asked companies_answered companies_satisfied fiche_reviewed"),
    Purpose("the programming of a year: campaigns, targets, what OPCOs declare", NOBODY,
            "campaign_id programme_id declaration_id year quarter opens_on deadline adopted_on targets as_of"),
    Purpose("a target in the words of the conference", TEXT, "words"),
    Purpose("counts of a session or a batch", NOBODY, "net rows entries heads"),
    Purpose("the answer to a record, in the product's own words", NOBODY,
            "command command_id objections warnings code message source detail topic partition offset"),
    Purpose("proof that the trail is whole", NOBODY, "hash previous_hash root at written_at"),
)  # fmt: skip
"""Fields of contracts, by name."""


class Kept(NamedTuple):
    """What a table is for, how long its rows are kept, and its columns that say something of a person or hold what others wrote."""

    what: str
    how_long: str
    other: Mapping[str, str] = {}


FOR_EVER: Final = "for as long as the administration keeps its records"
IMPORTS_KEPT: Final = "90 days after the last fiche (`POEC_RETAIN_IMPORTS_DAYS`)"
WITH_IT: Final = "with the database"
ANY_TEXT: Final = "may be: a record that could not be read is kept as it came"
TABLES: Final[Mapping[str, Kept]] = {
    "person": Kept("the one mapping of a pseudonym to a sign-in", "until it is erased (`poec person erase`)",
                   {"principal_id": PSEUDONYM, "login": PERSON, "issuer": PERSON, "subject": PERSON, "registered_at": PERSON,
                    "last_sign_in": PERSON}),
    "web_session": Kept("sessions of people who signed in", "until they sign out; 24 hours at most",
                        {"principal_id": PSEUDONYM, "id_token": PERSON}),
    "sign_in": Kept("sign-ins that are under way, of people who are nobody yet", "until they are through; an hour at most"),
    "principal": Kept("who may do what: organisation and roles of an account", FOR_EVER + ", under the pseudonym", {"id": PSEUDONYM}),
    "audit_entry": Kept("who changed what when, chained", FOR_EVER + ", under the pseudonym", {"actor": PSEUDONYM, "aggregate": PSEUDONYM}),
    "anchor": Kept("roots of the trail", FOR_EVER),
    "anchored_head": Kept("heads of the trail under each root", FOR_EVER, {"aggregate": PSEUDONYM}),
    "idempotency": Kept("answers, to give the same again", "72 hours (`POEC_RETAIN_ANSWERS_HOURS`)",
                        {"principal": PSEUDONYM, "headers": NOBODY, "body": TEXT}),
    "rate_bucket": Kept("how much a caller may still ask", "a day after it was last asked for", {"holder": "pseudonym; hashed address"}),
    "dead_letter": Kept("records that could not be applied",
                        "content 90 days after it was settled (`POEC_RETAIN_LETTERS_DAYS`); the row for ever",
                        {"key": ANY_TEXT, "headers": ANY_TEXT, "value": ANY_TEXT, "closed_by": PSEUDONYM, "reason": TEXT}),
    "parked": Kept("records that wait for their turn", "until their turn comes", {"headers": TEXT, "value": TEXT, "reason": NOBODY}),
    "outbox": Kept("everything that was said, to say it again if the log is lost", FOR_EVER,
                   {"key": TEXT, "headers": NOBODY, "value": TEXT}),
    "inbox": Kept("what was heard, so that nothing is done twice", FOR_EVER, {"key": TEXT}),
    "removal": Kept("what retention removed, and when", FOR_EVER),
    **dict.fromkeys(("outbox_shard", "stream", "position", "position_reset", "known_topic", "reconciled", "clock_offset"),
                    Kept("delivery: places, sequences, clock", WITH_IT, {"reason": NOBODY})),
    "fiche": Kept("fiches as their OPCO sees them", FOR_EVER, {"reference": TEXT, "title": TEXT, "document": TEXT}),
    "fiche_version": Kept("every content a fiche has had", FOR_EVER, {"actor": PSEUDONYM, "content": TEXT}),
    "fiche_import": Kept("files of fiches that were sent in", IMPORTS_KEPT, {"principal": PSEUDONYM}),
    "fiche_import_line": Kept("fiches of these files, and what was said about each", IMPORTS_KEPT,
                              {"reference": TEXT, "document": TEXT + "; gone once it was filed or refused"}),
    "campaign": Kept("when fiches of a quarter are filed, with every decision on it", FOR_EVER, {"document": TEXT}),
    "conference": Kept("agendas and decisions of the conference", FOR_EVER, {"document": TEXT}),
    "programme": Kept("what the conference aims at in a year, every revision", FOR_EVER, {"targets": TEXT, "document": TEXT}),
    "delivery": Kept("what OPCOs estimate month by month", FOR_EVER, {"document": NOBODY}),
    "declaration": Kept("how many projects OPCOs declare, everything they declared", FOR_EVER, {"document": NOBODY}),
    "partner": Kept("the directory of organisations that accompany people", FOR_EVER,
                    {"words": "no: an organisation’s name", "document": MAILBOX}),
    "form_template": Kept("forms kept under a name", "its content until it is deleted; the row for ever",
                          {"name": TEXT, "document": TEXT}),
    "dossier": Kept("dossiers of the reviewers; `document` knows who gave an avis", FOR_EVER, {"document": "pseudonyms; free text"}),
    "fiche_facts": Kept("what publication knows of a fiche", FOR_EVER, {"document": TEXT}),
    "fiche_reference": Kept("validations, to check a session against", FOR_EVER),
    "catalogue_session": Kept("sessions as the catalogue shows them", FOR_EVER, {"document": TEXT}),
    "ais": Kept("intentions to enter: numbers drawn by the sender, tied to nobody here", FOR_EVER),
    "aes": Kept("entries: numbers drawn by the sender, tied to nobody here", FOR_EVER),
    "year_fact": Kept("campaigns, programmes and declarations as they were last said", FOR_EVER, {"document": NOBODY}),
    "fiche_fact": Kept("facts that are counted", FOR_EVER, {"document": NOBODY}),
    **dict.fromkeys(("running_count", "counted"), Kept("the counts", "as long as they are the last ones", {"value": NOBODY})),
}  # fmt: skip
"""Tables, by name. A column that is not named is data of nobody: a number, a code, a date, a place in the log."""
LOOKS_PERSONAL: Final = frozenset(
    {"login", "email", "mail", "phone", "name", "subject", "address", "ip", "user_agent", "actor", "principal", "principal_id", "closed_by",
     "holder", "token", "session_id_of_person", "value", "body", "headers", "document", "reason", "comment", "title"}
)  # fmt: skip
"""Columns of these names are never passed over: the table says what they hold."""


def purposes() -> dict[str, Purpose]:
    """Return what each field name of the contracts is for."""
    return {name: purpose for purpose in CONTRACT for name in purpose.names.split()}


def fields() -> dict[str, list[str]]:
    """Return the fields of all contracts by name, each with the types that have it."""
    found: dict[str, list[str]] = {}
    for kind, schema in asyncapi(version("poec"))["components"]["schemas"].items():
        for name in schema.get("properties", {}):
            found.setdefault(name, []).append(kind)
    return found


def without_purpose(names: Iterable[str]) -> list[str]:
    """Return the fields of contracts of which nobody said what they are for."""
    return sorted(set(names) - set(purposes()))


def contract_table() -> str:
    """Return the fields of the contracts as a Markdown table."""
    rows = ["| field | of | for | of a person |", "|---|---|---|---|"]
    known, where = purposes(), fields()
    for name in sorted(where):
        kinds = [f"`{kind}`" for kind in where[name]]
        shown = ", ".join(kinds[:4]) + (f" and {len(kinds) - 4} more" if len(kinds) > 4 else "")
        rows.append(f"| `{name}` | {shown} | {known[name].what} | {known[name].personal} |")
    return "\n".join(rows) + "\n"


def unexplained(tables: Mapping[str, list[str]]) -> list[str]:
    """Return the tables, and the columns with a telling name, of which nobody said what they hold."""
    return sorted(_unexplained(tables))


def _unexplained(tables: Mapping[str, list[str]]) -> Iterator[str]:
    for table, columns in tables.items():
        if table not in TABLES:
            yield table
        else:
            yield from (f"{table}.{name}" for name in columns if name in LOOKS_PERSONAL - set(TABLES[table].other))


def column_table(tables: Mapping[str, list[str]]) -> str:
    """Return tables with their columns as a Markdown table."""
    rows = ["| table | for | kept | columns | of a person |", "|---|---|---|---|---|"]
    for table in sorted(tables):
        kept = TABLES[table]
        by_kind: dict[str, list[str]] = {}
        for name in sorted(tables[table], key=lambda name: kept.other.get(name, NOBODY) == NOBODY):
            by_kind.setdefault(kept.other.get(name, NOBODY), []).append(f"`{name}`")
        for n, (personal, names) in enumerate(by_kind.items()):
            head = (f"`{table}`", kept.what, kept.how_long) if n == 0 else ("", "", "")
            rows.append(f"| {' | '.join(head)} | {', '.join(names)} | {personal} |")
    return "\n".join(rows) + "\n"
