"""A production configuration without a finding, and one example for every rule that keeps a process from starting."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final


def drawn(purpose: str) -> str:
    """Return a secret as chance would make one, the same at every run."""
    return hashlib.sha256(f"for a test: {purpose}".encode()).hexdigest()[:40]


DATABASE, WORKER, RELAY, CLIENT = drawn("database"), drawn("worker"), drawn("relay"), drawn("client")
ELSEWHERE: Final = "db.poec.example:5432"


def database_url(service: str, folder: Path, **parts: str) -> str:
    """Return the address of a database with one part another one."""
    given = {"user": service, "password": f":{DATABASE}", "host": ELSEWHERE, "tls": "sslmode=verify-full", **parts}
    roots = given.get("roots", f"&sslrootcert={folder}/database-ca.pem")
    return f"postgresql://{given['user']}{given['password']}@{given['host']}/{service}?{given['tls']}{roots}"


def good(service: str, folder: Path) -> dict[str, str]:
    """Return the environment of a process with every role; its files are in `folder`, as `write_files` puts them there."""
    return {
        "POEC_MODE": "production",
        "POEC_DATABASE_URL": database_url(service, folder),
        "POEC_KAFKA_BOOTSTRAP_SERVERS": "kafka-1.poec.example:9093,kafka-2.poec.example:9093",
        "POEC_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "POEC_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "POEC_KAFKA_CA_FILE": f"{folder}/kafka-ca.pem",
        "POEC_KAFKA_WORKER_PASSWORD_FILE": f"{folder}/worker-password",
        "POEC_KAFKA_RELAY_PASSWORD": RELAY,
        "POEC_ISSUER": "https://sign-in.poec.example/realms/poec",
        "POEC_JWKS_URL": "https://sign-in.poec.example/realms/poec/certs",
        "POEC_OIDC_ISSUER": "https://people.poec.example/realms/poec",
        "POEC_OIDC_CLIENT_ID": f"poec-{service}",
        "POEC_OIDC_CLIENT_SECRET": CLIENT,
        "POEC_OIDC_ACR_VALUES": "2fa",
        "POEC_PUBLIC_URL": f"https://{service}.poec.example",
        "POEC_TRUSTED_PROXIES": "10.1.2.0/24",
        "POEC_CONNECTIONS_PER_ADDRESS": "2000",
        "POEC_HTTP_HOST": "10.1.2.3",
        "POEC_HTTP_PORT": "8080",
        "POEC_INSTANCE": f"{service}-1",
    }


def write_files(folder: Path, certificate: str) -> None:
    """Write the files that the examples name: authorities, passwords, each with its rights."""
    for name, held, mode in (
        ("kafka-ca.pem", certificate, 0o644),
        ("database-ca.pem", certificate, 0o644),
        ("writable-ca.pem", certificate, 0o666),
        ("no-ca.pem", "no certificate", 0o644),
        ("worker-password", f"{WORKER}\n", 0o440),
        ("open-password", f"{WORKER}\n", 0o444),
        ("large-password", "x" * 20_000, 0o400),
    ):
        (folder / name).write_text(held, "utf-8")
        (folder / name).chmod(mode)


@dataclass(frozen=True)
class Bad:
    """A way to be unsafe: what is set otherwise (None: unset), and the findings it must give; `{…}` is filled in by `changed`."""

    code: str
    what: str
    changes: Mapping[str, str | None]
    about: tuple[str, ...] = ()
    roles: tuple[str, ...] = ("api", "worker", "relay")

    @property
    def expected(self) -> set[tuple[str, str]]:
        """Return code and setting of every finding."""
        return {(self.code, name) for name in self.about or (next(iter(self.changes)),)}

    def changed(self, service: str, folder: Path) -> dict[str, str]:
        """Return the good environment with these changes."""
        found: dict[str, str] = good(service, folder)
        for name, value in self.changes.items():
            if value is None:
                found.pop(name, None)
            else:
                found[name] = value.replace("{service}", service).replace("{folder}", str(folder))
        return found


def _bad(code: str, name: str, *values: str | None) -> list[Bad]:
    return [Bad(code, f"{name.removeprefix('POEC_')}={value}", {name: value}) for value in values]


def _database(code: str, **parts: str) -> Bad:
    url = database_url("{service}", Path("{folder}"), **parts)
    return Bad(code, " ".join(f"{k}={v}" for k, v in parts.items()), {"POEC_DATABASE_URL": url})


def _password(code: str, what: str, secret: str) -> Bad:
    return Bad(code, what, {"POEC_KAFKA_RELAY_PASSWORD": secret})


def _waiver(code: str, text: str) -> Bad:
    return Bad(code, text, {"POEC_WAIVERS": text})


NEEDED: Final = (
    "POEC_MODE", "POEC_DATABASE_URL", "POEC_KAFKA_BOOTSTRAP_SERVERS", "POEC_KAFKA_SECURITY_PROTOCOL", "POEC_ISSUER",
    "POEC_JWKS_URL", "POEC_INSTANCE",
)  # fmt: skip
BAD: Final[tuple[Bad, ...]] = (
    *(Bad("SETTING_MISSING", f"no {name}", {name: None}) for name in NEEDED),
    *_bad("SETTING_WRONG", "POEC_HTTP_PORT", "eighty"),
    *_bad("SETTING_WRONG", "POEC_MODE", "test", ""),
    *_bad("SETTING_WRONG", "POEC_ANCHOR_SECONDS", "0", "-1", "86401"),
    *_bad("SETTING_WRONG", "POEC_RETAIN_ANSWERS_HOURS", "0", "23"),
    *_bad("SETTING_UNKNOWN", "POEC_KAFKA_PASSWORD", "x"),
    *_bad("SETTING_UNKNOWN", "POEC_ARMED", "somewhere"),
    *_bad("MODE_NOT_PRODUCTION", "POEC_MODE", "local"),
    *_bad("CRASH_POINT_SET", "POEC_CRASH_POINT", "relay.after_send"),
    *_bad("STDIN_WATCHED", "POEC_STDIN_WATCH", "1"),
    *_bad("FIRST_ADMINISTRATOR_LEFT", "POEC_FIRST_ADMINISTRATOR", "operations"),
    *_bad("CLOCK_FAKED", "LD_PRELOAD", "somewhere/libfaketime.so.1"),
    *_bad("CLOCK_FAKED", "FAKETIME", "-1d"),
    *_bad("LIBRARY_PRELOADED", "LD_AUDIT", "somewhere/lib.so"),
    *_bad("TLS_KEYS_LOGGED", "SSLKEYLOGFILE", "keys.log"),
    *_bad("INTERPRETER_DEBUGGED", "PYTHONDEVMODE", "1"),
    *_bad("INTERPRETER_DEBUGGED", "PYTHONSTARTUP", "somewhere.py"),
    *_bad("ASSERTIONS_OFF", "PYTHONOPTIMIZE", "1"),
    *_bad("ISSUER_NOT_HTTPS", "POEC_ISSUER", "http://sign-in.poec.example/realms/poec"),
    *_bad("ISSUER_LOOPBACK", "POEC_ISSUER", "https://localhost/realms", "https://127.0.0.1:8443", "https://[::1]/", "https://0.0.0.0"),
    *_bad(
        "ISSUER_MALFORMED", "POEC_ISSUER", "sign-in.poec.example", "https://me@sign-in.poec.example", "https://sign-in.poec.example?a=b",
        "https://sign-in.poec.example#a", "ftp://sign-in.poec.example", "https://sign-in.poec.example:port", "https://", " ",
    ),
    *_bad("JWKS_NOT_HTTPS", "POEC_JWKS_URL", "http://sign-in.poec.example/realms/poec/certs"),
    *_bad("JWKS_LOOPBACK", "POEC_JWKS_URL", "https://127.8.8.8/certs"),
    *_bad("JWKS_ELSEWHERE", "POEC_JWKS_URL", "https://keys.poec.example/certs"),
    *_bad("JWKS_MALFORMED", "POEC_JWKS_URL", "sign-in.poec.example/certs", "https://me:you@sign-in.poec.example/certs"),
    *_bad("AUDIENCE_EMPTY", "POEC_AUDIENCE", "", " "),
    *_bad("TOKEN_CLAIM_AZP", "POEC_TOKEN_CLAIM", "azp"),
    *_bad("SIGN_IN_INCOMPLETE", "POEC_OIDC_CLIENT_ID", None, ""),
    *_bad("SIGN_IN_INCOMPLETE", "POEC_OIDC_CLIENT_SECRET", None, ""),
    Bad(
        "PROVIDER_MISSING", "a client alone", {"POEC_OIDC_ISSUER": None},
        ("POEC_OIDC_CLIENT_ID", "POEC_OIDC_CLIENT_SECRET"),
    ),
    *_bad("SCOPE_WITHOUT_OPENID", "POEC_OIDC_SCOPE", "email", "", "openidx"),
    *_bad("SECRET_SHORT", "POEC_OIDC_CLIENT_SECRET", CLIENT[:31]),
    *_bad("SECRET_GUESSABLE", "POEC_OIDC_CLIENT_SECRET", "changeme"),
    *_bad("PROVIDER_MALFORMED", "POEC_OIDC_ISSUER", "people.poec.example", "https://me@people.poec.example", "https://people.poec.example#a"),
    *_bad("PROVIDER_NOT_HTTPS", "POEC_OIDC_ISSUER", "http://people.poec.example/realms/poec"),
    *_bad("PROVIDER_LOOPBACK", "POEC_OIDC_ISSUER", "https://127.0.0.1:8443", "https://localhost/realms"),
    *_bad("SECOND_FACTOR_MISSING", "POEC_OIDC_ACR_VALUES", None, " "),
    *_bad("PKCE_OFF", "POEC_OIDC_PKCE", "false"),
    *_bad("PUBLIC_URL_MISSING", "POEC_PUBLIC_URL", None, ""),
    *_bad("PUBLIC_URL_NOT_HTTPS", "POEC_PUBLIC_URL", "http://poec.example"),
    *_bad("PUBLIC_URL_LOOPBACK", "POEC_PUBLIC_URL", "https://localhost:8443"),
    *_bad("PUBLIC_URL_MALFORMED", "POEC_PUBLIC_URL", "poec.example", "https://poec.example/app", "https://poec.example?a=b"),
    *_bad("PUBLIC_HOSTS_WILDCARD", "POEC_PUBLIC_HOSTS", "*", "localhost,*.poec.example"),
    *_bad("PROXIES_EVERYBODY", "POEC_TRUSTED_PROXIES", "*", "0.0.0.0/0", "::/0", "10.1.2.3,0.0.0.0/1"),
    *_bad("PROXIES_MALFORMED", "POEC_TRUSTED_PROXIES", "proxy.poec.example"),
    *_bad("PROXY_MISSING", "POEC_TRUSTED_PROXIES", "", None),
    *_bad("PORT_RANDOM", "POEC_HTTP_PORT", "0", None),
    *_bad("KAFKA_NOT_SASL_SSL", "POEC_KAFKA_SECURITY_PROTOCOL", "PLAINTEXT", "SASL_PLAINTEXT"),
    *_bad("KAFKA_MECHANISM_WEAK", "POEC_KAFKA_SASL_MECHANISM", "SCRAM-SHA-256", None),
    Bad("KAFKA_PASSWORD_SPARE", "a worker's process", {}, ("POEC_KAFKA_RELAY_PASSWORD",), ("api", "worker")),
    *_bad("KAFKA_PASSWORD_MISSING", "POEC_KAFKA_RELAY_PASSWORD", None, ""),
    *_bad(
        "KAFKA_SERVERS_MALFORMED", "POEC_KAFKA_BOOTSTRAP_SERVERS",
        "a.example,b.example:9093", "https://a.example:1,b.example:2", "a.example:1,,b.example:2",
    ),
    *_bad("KAFKA_LOOPBACK", "POEC_KAFKA_BOOTSTRAP_SERVERS", "localhost:9092", "127.0.0.1:9092,a.example:9092", "[::1]:9092"),
    *_bad("KAFKA_ONE_BROKER", "POEC_KAFKA_BOOTSTRAP_SERVERS", "kafka.poec.example:9093"),
    _database("SECRET_GUESSABLE", password=":changeme"),
    *(
        _password("SECRET_GUESSABLE", known, known)
        for known in ("secret", "Password123", "poec-local", "123456", "changeme-changeme-changeme-changeme", "ab" * 20)
    ),
    _database("SECRET_SHORT", password=f":{DATABASE[:31]}"),
    _password("SECRET_SHORT", "31 characters", RELAY[:31]),
    Bad(
        "SECRET_SHARED", "relay and worker", {"POEC_KAFKA_RELAY_PASSWORD": WORKER},
        ("POEC_KAFKA_RELAY_PASSWORD", "POEC_KAFKA_WORKER_PASSWORD"),
    ),
    Bad(
        "SECRET_SHARED", "relay and database", {"POEC_KAFKA_RELAY_PASSWORD": DATABASE},
        ("POEC_KAFKA_RELAY_PASSWORD", "POEC_DATABASE_URL"),
    ),
    _password("SECRET_NAMES_USER", "the user's name in it", f"{{service}}-relay-{RELAY}"),
    _database("SECRET_NAMES_USER", password=f":{{service}}{DATABASE}"),
    Bad("SECRET_TWICE", "variable and file", {"POEC_KAFKA_WORKER_PASSWORD": WORKER}),
    *_bad("SECRET_FILE_UNREADABLE", "POEC_KAFKA_WORKER_PASSWORD_FILE", "{folder}/none", "{folder}/large-password", "{folder}"),
    *_bad("SECRET_FILE_OPEN", "POEC_KAFKA_WORKER_PASSWORD_FILE", "{folder}/open-password"),
    *_bad("CA_FILE_UNREADABLE", "POEC_KAFKA_CA_FILE", "{folder}/none", "{folder}/no-ca.pem", "{folder}"),
    *_bad("CA_FILE_WRITABLE", "POEC_KAFKA_CA_FILE", "{folder}/writable-ca.pem"),
    _database("CA_FILE_UNREADABLE", roots="&sslrootcert={folder}/none"),
    _database("CA_FILE_WRITABLE", roots="&sslrootcert={folder}/writable-ca.pem"),
    *_bad(
        "DATABASE_MALFORMED", "POEC_DATABASE_URL", f"postgresql://{{service}}:{DATABASE}@/x",
        f"mysql://{{service}}:{DATABASE}@db.example/x", f"postgresql://{{service}}:{DATABASE}@db.example",
    ),
    _database("DATABASE_PASSWORD_MISSING", password=""),
    *(_database("DATABASE_ROLE", user=user) for user in ("{service}_owner", "{service}_audit", "postgres", "Admin")),
    *(
        _database("DATABASE_NOT_VERIFIED", tls=tls)
        for tls in ("", "sslmode=disable", "sslmode=prefer", "sslmode=require", "sslmode=verify-ca")
    ),
    _database("DATABASE_AUTHORITY_MISSING", roots=""),
    *(_database("DATABASE_LOOPBACK", host=host) for host in ("127.0.0.1:5432", "localhost", "[::1]:5432", f"localhost:5432,{ELSEWHERE}")),
    *(
        finding for name, values in {
            "RECEIVE_SECONDS": ("0", "3600"), "CONNECTIONS": ("0",), "CONNECTIONS_PER_ADDRESS": ("10000000",), "RATE_BURST": ("0", "1e9"),
            "SIGN_INS_PER_MINUTE": ("1000",),
            "RATE_PER_SECOND": ("1e9",), "RATE_PEOPLE_PER_SECOND": ("0",), "IN_FLIGHT_PER_PRINCIPAL": ("0", "1000000"), "POOL_SIZE": ("1",),
            "OUTBOX_HIGH_WATER": ("0",), "RECONCILE_SECONDS": ("1e9",), "SESSION_TIMEOUT_MS": ("1",),
        }.items() for finding in _bad("LIMIT_OUT_OF_BOUNDS", f"POEC_{name}", *values)
    ),
    Bad("RATES_CONTRADICT", "people above machines", {"POEC_RATE_PER_SECOND": "5"}, ("POEC_RATE_PEOPLE_PER_SECOND",)),
    *_bad("CONNECTIONS_CONTRADICT", "POEC_CONNECTIONS_PER_ADDRESS", "1999", None),
    *_bad("KEYS_GRACE_LONG", "POEC_KEYS_GRACE_SECONDS", "0", "-5", "259201", "inf", "nan"),
    *_bad("RETENTION_LONG", "POEC_RETAIN_ANSWERS_HOURS", "73"),
    *_bad("RETENTION_LONG", "POEC_RETAIN_LETTERS_DAYS", "91"),
    *_bad("LOG_LEVEL", "POEC_LOG_LEVEL", "DEBUG", "ERROR", "sesame"),
    _waiver("WAIVER_UNKNOWN", "NO_SUCH_RULE: because it was asked for"),
    _waiver("WAIVER_NOT_ALLOWED", "KAFKA_NOT_SASL_SSL: because it was asked for"),
    _waiver("WAIVER_WITHOUT_REASON", "LOG_LEVEL: because"),
)  # fmt: skip
