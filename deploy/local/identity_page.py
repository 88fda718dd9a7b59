"""The page of the local identity provider on which one chooses who one is: plain HTML, no script, nothing from elsewhere."""

import base64
import hashlib
from collections.abc import Collection
from html import escape

from deploy.local.people import Account

_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}"
    ".banner{border:.2rem solid #b34000;background:#fff4e5;color:#5c2000;padding:.75rem 1rem;font-weight:600}"
    "ul{list-style:none;padding:0;display:grid;gap:.5rem;grid-template-columns:repeat(auto-fill,minmax(20rem,1fr))}"
    "button{font:inherit;width:100%;min-height:2.75rem;text-align:left;padding:.5rem .75rem}"
)


def policy(back: str = "") -> str:
    """The Content-Security-Policy: our one style, and a form that leads to us and, by redirect, to the origin `back`."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    form = f"'self' {back}".strip()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action {form}; frame-ancestors 'none'; base-uri 'none'"
    )


def choice_page(accounts: Collection[Account], request: str, service: str) -> str:
    """The accounts as buttons of one form; `request` is the sign-in they answer, `service` who asked for it."""
    rows = "".join(
        f'<li><button name="account" value="{escape(account.id)}">{escape(account.label)}</button></li>'
        for account in accounts
    )
    return _page(
        "Choisir un compte",
        f"<p>Le service <strong>{escape(service)}</strong> demande qui vous êtes.</p>"
        '<form method="post" action="/authorize">'
        f'<input type="hidden" name="request" value="{escape(request)}">'
        '<p><label><input type="checkbox" name="second_factor" value="1" checked> avec un second facteur</label></p>'
        f"<ul>{rows}</ul></form>",
    )


def refusal_page(what: str) -> str:
    """What was wrong with a request, where the browser must not be sent back."""
    return _page("Demande refusée", f"<p>{escape(what)}</p>")


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        '<p class="banner" role="note">Développement\u202f: ici, chacun choisit qui il est. '
        "Comptes et adresses sont inventés.</p>"
        f"<main><h1>{title}</h1>{body}</main></body></html>"
    )
