"""Rules on the way to the brokers: signed in, encrypted, as the right user, to more than one of them."""

from typing import Final

from shared.production.addresses import is_loopback
from shared.production.rule import Case, Rule, env


def _brokers(case: Case) -> list[str]:
    return [entry.strip() for entry in case.settings.kafka_bootstrap_servers.split(",")]


def _host(broker: str) -> str:
    return broker.rpartition(":")[0]


def _malformed(broker: str) -> bool:
    host, _, port = broker.rpartition(":")
    return not host or "/" in broker or not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536)


def _passwords(case: Case) -> dict[str, bool]:
    """Return role to whether its password was given."""
    given = {"worker": case.settings.kafka_worker_password, "relay": case.settings.kafka_relay_password}
    return {role: bool(password and password.get_secret_value()) for role, password in given.items()}


def _nobody_signs_in(case: Case) -> bool:
    return case.settings.mode == "local" and case.settings.kafka_security_protocol == "PLAINTEXT"


KAFKA_RULES: Final = (
    Rule(
        "KAFKA_NOT_SASL_SSL", ("kafka_security_protocol",),
        "Without SASL anybody is any service, without TLS anybody reads along.",
        "Use SASL_SSL, with listeners of the brokers that speak it.",
        lambda case: case.settings.kafka_security_protocol != "SASL_SSL",
    ),
    Rule(
        "KAFKA_MECHANISM_WEAK", ("kafka_sasl_mechanism",),
        "SCRAM-SHA-512 is what the brokers' users are made for in production.",
        "Use SCRAM-SHA-512.",
        lambda case: case.settings.kafka_sasl_mechanism != "SCRAM-SHA-512",
        waivable=True,
    ),
    Rule(
        "KAFKA_PASSWORD_MISSING", ("kafka_worker_password", "kafka_relay_password"),
        "A role that speaks to the brokers signs in as its own user.",
        "Give the password of that user, best as a file.",
        lambda case: [
            env(f"kafka_{role}_password")
            for role, given in _passwords(case).items()
            if role in case.roles and not given and not _nobody_signs_in(case)
        ],
    ),
    Rule(
        "KAFKA_PASSWORD_SPARE", ("kafka_worker_password", "kafka_relay_password"),
        "A process that is broken into gives away every password it holds, also those it does not need.",
        "Give a process the passwords of its own roles only.",
        lambda case: [
            env(f"kafka_{role}_password")
            for role, given in _passwords(case).items()
            if given and role not in case.roles
        ],
        waivable=True,
    ),
    Rule(
        "KAFKA_SERVERS_MALFORMED", ("kafka_bootstrap_servers",),
        "An entry that is no address is tried in vain, or leads elsewhere.",
        "List host:port, separated by commas.",
        lambda case: any(_malformed(broker) for broker in _brokers(case)),
    ),
    Rule(
        "KAFKA_LOOPBACK", ("kafka_bootstrap_servers",),
        "A broker on this machine is a development broker: what is lost with the machine is lost with both.",
        "Name the brokers of the cluster.",
        lambda case: any(is_loopback(_host(broker)) for broker in _brokers(case)),
        waivable=True,
    ),
    Rule(
        "KAFKA_ONE_BROKER", ("kafka_bootstrap_servers",),
        "Where only one broker is named, nothing starts while that one is down.",
        "Name at least two; one name that stands for several is worth a waiver.",
        lambda case: len({broker for broker in _brokers(case) if broker}) == 1
        and not is_loopback(_host(_brokers(case)[0])),
        waivable=True,
    ),
)  # fmt: skip
