"""Production has no default: every unsafe or missing setting of every service is found, all of them at once, no value told."""

import datetime as dt
import os
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local.certificates import ensure_certificate
from shared.contracts.flow import SERVICES
from shared.production.check import CODES, RULES, WAIVABLE, judge_case, judge_settings, judge_start
from shared.production.database import DATABASE_RULES
from shared.production.limits import BOUNDS
from shared.production.reading import read_settings
from shared.production.rule import PROCESS, Case, FileFacts, Surroundings
from shared.production.waivers import Judged, read_waivers
from shared.secret_files import is_secret
from shared.service import ROLES
from shared.settings import ServiceSettings
from tests.support.ears import service
from tests.support.production import BAD, DATABASE, RELAY, WORKER, Bad, good, write_files

NOT_BY_SETTINGS = {"RUNNING_AS_ROOT", "DEVELOPMENT_CODE", *(rule.code for rule in DATABASE_RULES)}
"""Rules on what settings do not show: they have tests of their own."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the examples name."""
    made = tmp_path_factory.mktemp("production")
    write_files(made, ensure_certificate(made, dt.datetime.now(dt.UTC)).read_text("utf-8"))
    return made


@pytest.fixture(autouse=True)
def _nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("POEC_", "PYTHON", "LD_", "FAKETIME", "SSL", "COVERAGE")):
            monkeypatch.delenv(name)


def judged(name: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, *roles: str) -> Judged:
    """Judge the settings of a service in an environment."""
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    return judge_settings(name, service(name).settings, roles or ROLES).judged


@pytest.mark.parametrize("name", SERVICES)
def test_a_good_configuration_has_no_finding(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert judged(name, good(name, folder), monkeypatch) == Judged()


@pytest.mark.parametrize("bad", BAD, ids=[f"{bad.code}-{bad.what}" for bad in BAD])
def test_each_unsafe_configuration_gives_its_finding_and_no_other_and_tells_no_value(
    bad: Bad, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in SERVICES:
        with monkeypatch.context() as patched:
            found = judged(name, bad.changed(name, folder), patched, *bad.roles).findings
        assert sorted((finding.code, finding.setting) for finding in found) == sorted(bad.expected), name
        said = " ".join(map(str, found))
        for told in (DATABASE[:31], WORKER, RELAY[:31], "changeme", "poec.example", str(folder)):
            assert told not in said
        for value in bad.changes.values():
            assert not value or len(value) < 12 or value.partition(":")[0] in CODES or value not in said


def test_every_rule_has_an_example_and_every_example_a_rule() -> None:
    general = {"SETTING_MISSING", "SETTING_WRONG", "WAIVER_UNKNOWN", "WAIVER_NOT_ALLOWED", "WAIVER_WITHOUT_REASON"}
    assert {bad.code for bad in BAD} == (CODES | general) - NOT_BY_SETTINGS
    assert len({bad.code for bad in BAD}) >= 25
    assert len({rule.code for rule in RULES}) == len(RULES)


HARMLESS = {"http_host", "instance", "waivers", "oidc_client_auth", "kafka_ca_file"}
"""Settings that no value makes unsafe, or whose rule is about a file: PROXY_MISSING asks for a proxy wherever a process listens."""


def test_every_setting_has_a_rule_or_bounds_or_is_known_to_be_harmless() -> None:
    """A new setting is either thought of here, or the test fails."""
    fields = ServiceSettings.model_fields
    bounded = {
        name
        for name, field in fields.items()
        if {"ge", "le"} <= {key for bound in field.metadata for key in ("ge", "le") if hasattr(bound, key)}
    }
    asked = {name for rule in RULES for name in rule.reads} | set(BOUNDS) | bounded | HARMLESS
    assert set(fields) - asked - {name for name, field in fields.items() if is_secret(field)} == set()
    assert set(fields) >= HARMLESS


def together(name: str, folder: Path) -> tuple[dict[str, str], set[tuple[str, str]]]:
    """Return an environment that is unsafe in as many ways as fit into one, and all the findings it must give."""
    environment, expected, taken = good(name, folder), set[tuple[str, str]](), set[str]()
    for bad in BAD:
        about = {*bad.changes, *(setting for _, setting in bad.expected)}
        if taken & about or bad.code.startswith("WAIVER") or not bad.changes:
            continue
        taken |= about
        for key in bad.changes:
            environment.pop(key, None)
            if key in (changed := bad.changed(name, folder)):
                environment[key] = changed[key]
        expected |= bad.expected
    return environment, expected


@pytest.mark.parametrize("name", SERVICES)
def test_all_that_is_unsafe_is_named_at_once(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment, expected = together(name, folder)
    found = judged(name, environment, monkeypatch)
    assert len(expected) >= 25
    assert expected <= {(finding.code, finding.setting) for finding in found.findings}


def test_a_role_is_asked_for_its_own_passwords_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = good("validation", folder)
    found = judged("validation", environment, monkeypatch, "api")
    assert [(f.code, f.setting) for f in found.findings] == [
        ("KAFKA_PASSWORD_SPARE", "POEC_KAFKA_WORKER_PASSWORD"),
        ("KAFKA_PASSWORD_SPARE", "POEC_KAFKA_RELAY_PASSWORD"),
    ]
    monkeypatch.delenv("POEC_KAFKA_WORKER_PASSWORD_FILE")
    assert judged("validation", {}, monkeypatch, "relay") == Judged()
    monkeypatch.delenv("POEC_PUBLIC_URL")
    monkeypatch.delenv("POEC_TRUSTED_PROXIES")
    assert judged("validation", {}, monkeypatch, "relay") == Judged(), "nobody but a probe asks a relay"


# waivers


def test_what_may_be_waived_is_waived_in_writing_and_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reason = "the brokers' users are of another team"
    waivers = f"KAFKA_MECHANISM_WEAK: {reason}; JWKS_ELSEWHERE: keys have a host of their own; "
    environment = {**good("validation", folder), "POEC_KAFKA_SASL_MECHANISM": "SCRAM-SHA-256", "POEC_WAIVERS": waivers}
    found = judged("validation", environment, monkeypatch)
    assert found.findings == ()
    assert [(finding.code, said) for finding, said in found.waived] == [("KAFKA_MECHANISM_WEAK", reason)]
    assert found.unused == ("JWKS_ELSEWHERE",)


def test_nothing_else_is_waived(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = {bad.code: bad for bad in BAD}
    for code in sorted(CODES - WAIVABLE):
        environment = examples[code].changed("validation", folder) if code in examples else good("validation", folder)
        with monkeypatch.context() as patched:
            waiver = {"POEC_WAIVERS": f"{code}: because it was asked for in writing"}
            found = judged("validation", {**environment, **waiver}, patched)
        assert {finding.code for finding in found.findings} == {"WAIVER_NOT_ALLOWED", *({code} - NOT_BY_SETTINGS)}


def test_a_reason_may_hold_colons() -> None:
    assert read_waivers("A: see note: 12;B:x ;; ") == {"A": "see note: 12", "B": "x"}


# what settings do not show


def _around(around: Surroundings, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    for key, value in good("validation", folder).items():
        monkeypatch.setenv(key, value)
    settings = read_settings(service("validation").settings).settings
    case = Case("validation", frozenset({"api"}), settings, around)
    kafka_and_files = ("KAFKA_PASSWORD_SPARE", "CA_FILE_UNREADABLE")
    return [(f.code, f.setting) for f in judge_case(case) if f.code not in kafka_and_files]


@pytest.mark.parametrize(
    ("around", "code"),
    [
        (Surroundings(root=True), "RUNNING_AS_ROOT"),
        (Surroundings(development=("deploy/local",)), "DEVELOPMENT_CODE"),
        (Surroundings(optimized=True), "ASSERTIONS_OFF"),
        (Surroundings(debugged=True), "INTERPRETER_DEBUGGED"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_process_itself_shows_is_found(
    around: Surroundings, code: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = frozenset(good("validation", folder))
    files = {name: FileFacts(True, 0o400, True) for name in ("POEC_KAFKA_CA_FILE", "sslrootcert")}
    assert _around(replace(around, known=known, files=files), folder, monkeypatch) == [(code, PROCESS)]


def test_here_the_development_code_is_found_at_a_start(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in good("validation", folder).items():
        monkeypatch.setenv(key, value)
    found = judge_start("validation", service("validation").settings, ROLES).judged.findings
    named = [finding for finding in found if finding.code == "DEVELOPMENT_CODE"]
    assert "deploy/local, tests/support" in str(named[0])


def test_on_one_machine_only_what_cannot_work_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment, _ = together("validation", folder)
    fit = {
        "POEC_MODE": "local", "POEC_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT", "POEC_INSTANCE": "one",
        "POEC_DATABASE_URL": "postgresql://me@127.0.0.1/me", "POEC_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092",
        "POEC_ISSUER": "http://127.0.0.1", "POEC_JWKS_URL": "http://127.0.0.1", "POEC_CRASH_POINT": "relay.after_send",
        "POEC_OIDC_ISSUER": "", "POEC_HTTP_PORT": "0", "POEC_ANCHOR_SECONDS": "60", "POEC_RETAIN_ANSWERS_HOURS": "72",
    }  # fmt: skip
    for key, value in {**environment, **fit}.items():
        monkeypatch.setenv(key, value)
    monkeypatch.delenv("POEC_KAFKA_WORKER_PASSWORD", raising=False)
    monkeypatch.delenv("POEC_KAFKA_WORKER_PASSWORD_FILE", raising=False)
    found = judge_start("validation", service("validation").settings, ROLES)
    assert found.judged.findings == ()
    assert found.settings.crash_point == "relay.after_send"


def test_on_one_machine_too_each_role_that_signs_in_at_the_brokers_needs_its_own_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    local = {
        "POEC_MODE": "local", "POEC_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "POEC_INSTANCE": "one",
        "POEC_DATABASE_URL": "postgresql://me@127.0.0.1/me", "POEC_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092",
        "POEC_ISSUER": "http://127.0.0.1", "POEC_JWKS_URL": "http://127.0.0.1",
    }  # fmt: skip
    for key, value in local.items():
        monkeypatch.setenv(key, value)

    def lacking(*roles: str) -> list[str]:
        found = judge_start("validation", service("validation").settings, roles).judged.findings
        return [finding.setting for finding in found]

    assert lacking(*ROLES) == ["POEC_KAFKA_WORKER_PASSWORD", "POEC_KAFKA_RELAY_PASSWORD"]
    assert lacking("api") == []
    monkeypatch.setenv("POEC_KAFKA_WORKER_PASSWORD", "7qz")
    monkeypatch.setenv("POEC_KAFKA_RELAY_PASSWORD", "")
    assert lacking("worker") == []
    assert lacking("worker", "relay") == ["POEC_KAFKA_RELAY_PASSWORD"]
    monkeypatch.setenv("POEC_KAFKA_SECURITY_PROTOCOL", "PLAINTEXT")
    assert lacking("worker", "relay") == []
