"""Rules on addresses: who issues tokens, where its keys are, how people reach this service, which proxies are believed."""

import ipaddress
from typing import Final

from shared.production.rule import Address, Case, Rule

_WIDEST: Final = {4: 8, 6: 32}
"""Shortest prefix of a network that can still be somebody's proxies."""


def is_loopback(host: str) -> bool:
    """Return whether a host name is this machine itself."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified)


def in_the_clear(text: str) -> bool:
    """Return whether an address is one of plain http."""
    address = Address(text)
    return address.ok and address.parts is not None and address.parts.scheme == "http"


def malformed(text: str, *, query: bool = False, path: bool = True) -> bool:
    """Return whether an address is none, names a user, or has parts that it may not have."""
    address = Address(text)
    if not address.ok or address.parts is None:
        return True
    parts = address.parts
    return bool(
        parts.scheme not in ("http", "https")
        or parts.username is not None
        or parts.fragment
        or (parts.query and not query)
        or (parts.path not in ("", "/") and not path)
    )


def _proxies(case: Case) -> list[str]:
    return [entry.strip() for entry in case.settings.trusted_proxies.split(",") if entry.strip()]


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return None


def _everybody(case: Case) -> bool:
    networks = [(entry, _network(entry)) for entry in _proxies(case)]
    return any(entry == "*" or (net is not None and net.prefixlen < _WIDEST[net.version]) for entry, net in networks)


def _public(case: Case) -> str:
    return case.settings.public_url


ADDRESS_RULES: Final = (
    Rule(
        "ISSUER_MALFORMED", ("issuer",),
        "The issuer is compared with `iss` letter by letter, and its host is whom we trust.",
        "Give the issuer's address alone, without user, query or fragment.",
        lambda case: malformed(case.settings.issuer),
    ),
    Rule(
        "ISSUER_NOT_HTTPS", ("issuer",),
        "Tokens of an issuer that is reached without TLS can be anybody's.",
        "Name the issuer by its https address.",
        lambda case: in_the_clear(case.settings.issuer),
    ),
    Rule(
        "ISSUER_LOOPBACK", ("issuer",),
        "An issuer on this machine is a development issuer.",
        "Name the issuer of the organisation.",
        lambda case: is_loopback(Address(case.settings.issuer).host),
    ),
    Rule(
        "JWKS_MALFORMED", ("jwks_url",),
        "From there come the keys that decide who is who.",
        "Give the address of the issuer's key set, without user or fragment.",
        lambda case: malformed(case.settings.jwks_url, query=True),
    ),
    Rule(
        "JWKS_NOT_HTTPS", ("jwks_url",),
        "Whoever stands between could hand out keys of their own.",
        "Fetch the keys over https.",
        lambda case: in_the_clear(case.settings.jwks_url),
    ),
    Rule(
        "JWKS_LOOPBACK", ("jwks_url",),
        "Keys from this machine are development keys.",
        "Name the key set of the issuer.",
        lambda case: is_loopback(Address(case.settings.jwks_url).host),
    ),
    Rule(
        "JWKS_ELSEWHERE", ("jwks_url", "issuer"),
        "The keys come from another host than the issuer's: one more party that can make tokens.",
        "Take the address of the keys from the issuer's discovery document.",
        lambda case: Address(case.settings.jwks_url).ok
        and Address(case.settings.issuer).ok
        and not any(is_loopback(Address(text).host) for text in (case.settings.jwks_url, case.settings.issuer))
        and Address(case.settings.jwks_url).host != Address(case.settings.issuer).host,
        waivable=True,
    ),
    Rule(
        "AUDIENCE_EMPTY", ("audience",),
        "Without an audience a token made for any other application would be taken.",
        "Give the audience that the issuer puts into tokens for this product.",
        lambda case: not case.settings.audience.strip(),
    ),
    Rule(
        "TOKEN_CLAIM_AZP", ("token_claim",),
        "`azp` names the application also where a person stands behind it: both would be the same principal.",
        "Use `sub` or `client_id`.",
        lambda case: case.settings.token_claim == "azp",
        waivable=True,
    ),
    Rule(
        "PUBLIC_URL_MISSING", ("public_url",),
        "Links, cookies, redirects and HSTS are made from the public address.",
        "Give the https address under which people and partners reach this service.",
        lambda case: "api" in case.roles and not _public(case),
    ),
    Rule(
        "PUBLIC_URL_MALFORMED", ("public_url",),
        "Cookies and redirects hold for a whole host: the public address is no more than that.",
        "Give scheme and host alone, without path, user, query or fragment.",
        lambda case: bool(_public(case)) and malformed(_public(case), path=False),
    ),
    Rule(
        "PUBLIC_URL_NOT_HTTPS", ("public_url",),
        "Tokens and sessions would travel in the clear.",
        "Serve https at the proxy, and say so here.",
        lambda case: bool(_public(case)) and in_the_clear(_public(case)),
    ),
    Rule(
        "PUBLIC_URL_LOOPBACK", ("public_url",),
        "Nobody else reaches that address, and links would point at the reader's own machine.",
        "Give the address under which people reach this service.",
        lambda case: is_loopback(Address(_public(case)).host),
    ),
    Rule(
        "PUBLIC_HOSTS_WILDCARD", ("public_hosts",),
        "Whoever chooses the Host header chooses where links and redirects lead.",
        "List the host names, each in full.",
        lambda case: "*" in case.settings.public_hosts,
    ),
    Rule(
        "PROXIES_EVERYBODY", ("trusted_proxies",),
        "Everybody could say of himself from which address and over which scheme he comes.",
        "List the proxies' own addresses or networks (IPv4 /8, IPv6 /32, or narrower).",
        _everybody,
    ),
    Rule(
        "PROXIES_MALFORMED", ("trusted_proxies",),
        "What is neither an address nor a network matches no proxy, silently.",
        "List IP addresses or networks, separated by commas.",
        lambda case: any(entry != "*" and _network(entry) is None for entry in _proxies(case)),
    ),
    Rule(
        "PROXY_MISSING", ("trusted_proxies",),
        "This process speaks plain HTTP: TLS is a proxy's, and none is named.",
        "Put a proxy that terminates TLS in front, and name its addresses.",
        lambda case: "api" in case.roles and not _proxies(case),
        waivable=True,
    ),
    Rule(
        "PORT_RANDOM", ("http_port",),
        "A free port is another one at every start: a firewall that lets it through lets all through.",
        "Give the port that the proxy and the probes ask.",
        lambda case: case.settings.http_port == 0,
    ),
)  # fmt: skip
