"""Rules on secrets: there, long, random, one for each purpose, in files that only their reader may read."""

from itertools import combinations
from typing import Final

from shared.contracts.access import relay_user, worker_user
from shared.production.rule import Case, Rule, path_of
from shared.secret_files import SUFFIX, secret_names

SHORTEST: Final = 32
FEWEST_KINDS: Final = 10
"""A random secret of 32 characters, even in hexadecimal, has fewer different ones about once in thousands."""
KNOWN: Final = (
    "admin", "azerty", "changeit", "changeme", "default", "demo", "dev", "development", "example", "guest", "letmein", "local",
    "motdepasse", "passw0rd", "password", "placeholder", "poec", "postgres", "qwerty", "root", "secret", "test", "todo", "user",
)  # fmt: skip
"""Words that stand where a secret has still to be put."""


def guessable(secret: str) -> bool:
    """Return whether a secret is a known word, a row of such words and figures, or nearly always the same character."""
    left = "".join(char for char in secret.lower() if char.isalpha())
    for word in sorted(KNOWN, key=len, reverse=True):
        left = left.replace(word, "")
    return not left or (len(secret) >= SHORTEST and len(set(secret)) < FEWEST_KINDS)


def _guessable(case: Case) -> list[str]:
    return [name for name, secret in case.secrets.items() if guessable(secret)]


def _short(case: Case) -> list[str]:
    return [name for name, secret in case.secrets.items() if len(secret) < SHORTEST and not guessable(secret)]


def _shared(case: Case) -> list[str]:
    pairs = combinations(case.secrets.items(), 2)
    return sorted({name for (one, a), (other, b) in pairs if a == b for name in (one, other)})


def _names_its_user(case: Case) -> list[str]:
    users = {
        "POEC_DATABASE_URL": case.database.user,
        "POEC_KAFKA_WORKER_PASSWORD": worker_user(case.service),
        "POEC_KAFKA_RELAY_PASSWORD": relay_user(case.service),
    }
    return [
        name
        for name, secret in case.secrets.items()
        if not guessable(secret)
        and any(len(user) > 3 and user.lower() in secret.lower() for user in (users.get(name, ""), case.service))
    ]


def _files(case: Case) -> dict[str, str]:
    """Return secret to the variable that names its file."""
    names = secret_names(type(case.settings))
    return {name: name + SUFFIX for name in names if name + SUFFIX in case.around.files}


def _authorities(case: Case) -> dict[str, str]:
    """Return, for each file of trusted certificates, the setting that names it and its key among the files."""
    found = {"POEC_KAFKA_CA_FILE": "POEC_KAFKA_CA_FILE"} if case.settings.kafka_ca_file else {}
    root = path_of(case.database.query.get("sslrootcert"))
    return found | ({"POEC_DATABASE_URL": "sslrootcert"} if root else {})


SECRET_RULES: Final = (
    Rule(
        "SECRET_GUESSABLE", (),
        "A default or a pattern is the first thing that is tried.",
        "Make it by chance: `openssl rand -base64 36`.",
        _guessable,
    ),
    Rule(
        "SECRET_SHORT", (),
        f"A secret below {SHORTEST} characters can be tried out.",
        "Make it by chance: `openssl rand -base64 36`.",
        _short,
    ),
    Rule(
        "SECRET_SHARED", (),
        "The same secret for two purposes: who learns the one has the other.",
        "Make one secret for each.",
        _shared,
    ),
    Rule(
        "SECRET_NAMES_USER", (),
        "A secret that holds the name it belongs to was thought up, not drawn.",
        "Make it by chance: `openssl rand -base64 36`.",
        _names_its_user,
    ),
    Rule(
        "SECRET_TWICE", (),
        "The secret is in the environment and in a file: which one holds, and who knows of the other?",
        "Keep the file, unset the variable.",
        lambda case: [name for name in _files(case) if case.around.environment.get(name)],
    ),
    Rule(
        "SECRET_FILE_UNREADABLE", (),
        "The file of a secret cannot be read by this process, is empty, or no text of at most 16 KiB.",
        "Let the process's user read it (mode 0400, or 0440 with a group of its own).",
        lambda case: [key for key in _files(case).values() if not case.around.files[key].readable],
    ),
    Rule(
        "SECRET_FILE_OPEN", (),
        "Others on this machine can read the secret, or put another in its place.",
        "Take their rights away: mode 0400, or 0440 with a group of its own.",
        lambda case: [key for key in _files(case).values() if case.around.files[key].open_to_others],
    ),
    Rule(
        "CA_FILE_UNREADABLE", (),
        "The file of trusted authorities is not there, cannot be read, or holds no PEM certificate.",
        "Give the file of the authority that signed the server's certificate.",
        lambda case: [
            name for name, key in _authorities(case).items() if not case.around.files[key].certificate
        ],
    ),
    Rule(
        "CA_FILE_WRITABLE", (),
        "Whoever may write the file of trusted authorities decides whom we trust.",
        "Let only its owner write it: mode 0644 or less.",
        lambda case: [name for name, key in _authorities(case).items() if case.around.files[key].writable_by_others],
    ),
)  # fmt: skip
