"""The settings every service process has; each service adds its own in its `settings.py`."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from shared.secret_files import SecretFiles


class ServiceSettings(BaseSettings):
    """Read from the environment, prefix `POEC_`; a missing or wrong one is named at start, all at once."""

    model_config = SettingsConfigDict(env_prefix="POEC_", extra="ignore", frozen=True)

    mode: Literal["local", "production"] = Field(
        description="`production` refuses to start on unsafe settings; `local` is one machine. There is no default."
    )
    database_url: SecretStr = Field(
        description="PostgreSQL URL of this service's database, with the role of this process."
    )
    kafka_bootstrap_servers: str = Field(description="Kafka brokers, `host:port` separated by commas.")
    kafka_security_protocol: Literal["PLAINTEXT", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        description="How the brokers are spoken to: `SASL_SSL` (signed in and encrypted), `SASL_PLAINTEXT` (signed in) or `PLAINTEXT`."
    )
    kafka_sasl_mechanism: Literal["SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-256", description="How a user proves to the brokers that it knows its password."
    )
    kafka_ca_file: Path | None = Field(
        None, description="PEM file of the authority of the brokers' certificates; else those of the system."
    )
    kafka_worker_password: SecretStr | None = Field(
        None, description="Password of the user `<service>-worker` at the brokers; only for a process with that role."
    )
    kafka_relay_password: SecretStr | None = Field(
        None, description="Password of the user `<service>-relay` at the brokers; only for a process with that role."
    )
    issuer: str = Field(description="Who must have issued the bearer tokens (`iss`).")
    jwks_url: str = Field(description="Where the issuer publishes its keys.")
    audience: str = Field("poec", description="For whom the bearer tokens must be made (`aud`).")
    token_claim: Literal["sub", "client_id", "azp"] = Field(
        "sub", description="Claim of the bearer tokens that names the principal."
    )
    keys_grace_seconds: float = Field(
        86_400, description="How long the issuer’s keys are trusted while it does not answer."
    )
    oidc_issuer: str = Field(
        "",
        description="OpenID provider that people sign in with (`issuer` of its discovery document); none: people cannot.",
    )
    oidc_client_id: str = Field("", description="Name of this service as a client of that provider.")
    oidc_client_secret: SecretStr | None = Field(None, description="This client's secret.")
    oidc_client_auth: Literal["client_secret_post", "client_secret_basic"] = Field(
        "client_secret_post", description="How the secret is shown to the provider."
    )
    oidc_scope: str = Field("openid email", description="Scopes asked of the provider; ProConnect gives `siret` too.")
    oidc_acr_values: str = Field(
        "",
        description="Levels of authentication (`acr`), separated by spaces, of which one must be reached; none is asked for else.",
    )
    oidc_pkce: bool = Field(
        True, description="Bind codes to this service by PKCE (S256); off only where a provider refuses it."
    )
    sign_ins_per_minute: int = Field(
        10, ge=1, description="Sign-ins one address may begin in a minute; more are answered 429."
    )
    http_host: str = Field("127.0.0.1", description="Address the process listens on.")
    http_port: int = Field(0, description="Port the process listens on; 0 takes a free one.")
    public_url: str = Field(
        "", description="Address under which people and partners reach this service; https there brings HSTS."
    )
    public_hosts: str = Field(
        "localhost,127.0.0.1,::1",
        description="Host names answered beside that of `POEC_PUBLIC_URL`, separated by commas; others get 421.",
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses or networks of proxies whose X-Forwarded-For and -Proto are believed; nobody's otherwise.",
    )
    instance: str = Field(
        description="Unique name of this process; its static membership of the Kafka group. No default on purpose."
    )
    stdin_watch: bool = Field(
        False, description="End when standard input is closed: nothing outlives a killed supervisor."
    )
    pool_size: int = Field(12, description="Connections to PostgreSQL; commands beyond wait in line.")
    receive_seconds: float = Field(
        10.0, description="How long headers, and then a body, may take to arrive; then 408 and the connection ends."
    )
    connections: int = Field(2000, description="Connections a process holds at once; more are answered 503.")
    connections_per_address: int = Field(
        1000, description="Of these, so many from one address; as many as all where a proxy stands in front."
    )
    rate_per_second: float = Field(
        500.0, description="Reads, and writes, that a machine may send per second on average, all replicas together."
    )
    rate_burst: float = Field(1000.0, description="How many at once after a pause; what is more is answered 429.")
    rate_people_per_second: float = Field(20.0, description="The same for a person.")
    rate_people_burst: float = Field(40.0, description="The same for a person.")
    in_flight_per_principal: int = Field(
        1000, description="Writes one principal may have under way at once in a process; more are answered 429."
    )
    relay_batch: int = Field(
        2000, description="Outbox rows a relay sends at once; it marks them while the next ones are on their way."
    )
    relay_poll_seconds: float = Field(0.5, description="How often a relay looks without being woken.")
    relay_timeout_seconds: float = Field(
        20.0, description="How long the broker may take to acknowledge a batch before the producer is re-made."
    )
    inbox_batch: int = Field(500, description="Records a consumer applies in one transaction.")
    inbox_linger_ms: int = Field(
        8, description="How long a consumer waits for more records after a batch of three or more."
    )
    session_timeout_ms: int = Field(
        10_000, description="After which silence the broker gives this member's partitions to others."
    )
    reconcile_seconds: float = Field(
        60.0, description="How often the log is compared with the outbox without a reason to."
    )
    anchor_seconds: float = Field(
        3600.0,
        ge=1,
        le=86_400,
        description="How often the heads of the audit trail are anchored, if it grew: until then only the database vouches for it.",
    )
    retain_answers_hours: int = Field(
        72,
        ge=24,
        le=24 * 366,
        description="Hours for which the answer to an Idempotency-Key is kept; a repetition after that is a new request.",
    )
    retain_letters_days: int = Field(
        90,
        ge=1,
        le=3_660,
        description="Days after which a settled dead letter loses its content; the row stays, as do letters that are not settled.",
    )
    retain_every_seconds: float = Field(
        3_600.0, ge=1, le=86_400, description="How often what is out of its time is looked for and removed."
    )
    outbox_high_water: int = Field(200_000, description="Unpublished rows above which writes are answered 503.")
    log_level: str = Field("INFO", description="Least severe level that is logged.")
    crash_point: str | None = Field(None, description="Test only: the named point at which the process kills itself.")
    waivers: str = Field(
        "", description="Rules of production that are waived, each with its reason: `CODE: reason; CODE: reason`."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment, then the files that `POEC_…_FILE` names for secrets."""
        return init_settings, env_settings, SecretFiles(settings_cls)
