"""Rules on people's sign-in: a provider that is reached safely, a client that is complete, a second factor."""

from typing import Final

from shared.production.addresses import in_the_clear, is_loopback, malformed
from shared.production.rule import Address, Case, Rule, env


def _asked(case: Case) -> bool:
    """Return whether people sign in to this process at all."""
    return "api" in case.roles and bool(case.settings.oidc_issuer)


def _lacking(case: Case) -> list[str]:
    settings = case.settings
    secret = settings.oidc_client_secret
    needed = {"oidc_client_id": settings.oidc_client_id, "oidc_client_secret": secret and secret.get_secret_value()}
    if settings.mode == "local":  # production asks for it of every API
        needed["public_url"] = settings.public_url
    return [env(name) for name, value in needed.items() if not value] if _asked(case) else []


def _without_a_provider(case: Case) -> list[str]:
    settings = case.settings
    given = {"oidc_client_id": settings.oidc_client_id, "oidc_client_secret": settings.oidc_client_secret}
    return [] if settings.oidc_issuer else [env(name) for name, value in given.items() if value]


PEOPLE_RULES: Final = (
    Rule(
        "SIGN_IN_INCOMPLETE", ("oidc_issuer", "oidc_client_id", "oidc_client_secret", "public_url"),
        "A provider is set, and this service is not known to it: people would be sent there in vain.",
        "Set it, or unset POEC_OIDC_ISSUER.",
        _lacking,
    ),
    Rule(
        "PROVIDER_MISSING", ("oidc_issuer", "oidc_client_id", "oidc_client_secret"),
        "A client is set, and no provider: nobody can sign in, and a secret lies about for nothing.",
        "Set POEC_OIDC_ISSUER, or unset this.",
        _without_a_provider,
    ),
    Rule(
        "SCOPE_WITHOUT_OPENID", ("oidc_issuer", "oidc_scope"),
        "Without the scope `openid` a provider gives no identity token: nobody could sign in.",
        "Add openid.",
        lambda case: [env("oidc_scope")] if _asked(case) and "openid" not in case.settings.oidc_scope.split() else [],
    ),
    Rule(
        "PROVIDER_MALFORMED", ("oidc_issuer",),
        "The provider is compared with `iss` letter by letter, and its host is whom people trust.",
        "Give the issuer of its discovery document alone, without user, query or fragment.",
        lambda case: _asked(case) and malformed(case.settings.oidc_issuer),
    ),
    Rule(
        "PROVIDER_NOT_HTTPS", ("oidc_issuer",),
        "Whoever stands between could sign in as anybody.",
        "Name the provider by its https address.",
        lambda case: _asked(case) and in_the_clear(case.settings.oidc_issuer),
    ),
    Rule(
        "PROVIDER_LOOPBACK", ("oidc_issuer",),
        "A provider on this machine is a development provider: there one chooses who one is.",
        "Name the provider of the organisation.",
        lambda case: _asked(case) and is_loopback(Address(case.settings.oidc_issuer).host),
    ),
    Rule(
        "SECOND_FACTOR_MISSING", ("oidc_issuer", "oidc_acr_values"),
        "No level of authentication is asked for: a password that was guessed decides on fiches.",
        "List the levels of the provider that have a second factor.",
        lambda case: [env("oidc_acr_values")] if _asked(case) and not case.settings.oidc_acr_values.strip() else [],
        waivable=True,
    ),
    Rule(
        "PKCE_OFF", ("oidc_issuer", "oidc_pkce"),
        "Without PKCE a code that was intercepted is held up by nonce and secret alone.",
        "Leave it on, unless the provider refuses it.",
        lambda case: [env("oidc_pkce")] if _asked(case) and not case.settings.oidc_pkce else [],
        waivable=True,
    ),
)  # fmt: skip
