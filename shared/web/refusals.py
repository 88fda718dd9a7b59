"""Refusals and defects as pages, for browsers: the same status as for programs, in French, saying what to do."""

from collections.abc import Mapping
from typing import Final

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from starlette.types import Scope

from shared.errors import Objection, Refused, Unauthenticated
from shared.metrics import OBJECTIONS
from shared.web.pages import PREFIX, current_path, render, sign_in_path

_OURS: Final = frozenset({"/", "/accessibilite", "/mentions-legales", "/sign-in", "/sign-in/callback", "/sign-out"})
_TITLES: Final[Mapping[int, str]] = {
    401: "Votre session est terminée",
    403: "Vous n’avez pas accès à cette page",
    404: "Page introuvable",
    405: "Cette page ne s’ouvre pas ainsi",
    429: "Trop de demandes en peu de temps",
    500: "Une erreur est survenue",
    503: "Service momentanément indisponible",
}
_ADVICE: Final[Mapping[int, str]] = {
    401: "Reconnectez-vous, puis recommencez. Un brouillon enregistré n’est pas perdu.",
    403: "Si vous devez y avoir accès, demandez à l’exploitation de revoir le rôle de votre compte.",
    404: "Vérifiez l’adresse, ou reprenez depuis la page d’accueil.",
    405: "Revenez à la page précédente et utilisez ses boutons.",
    429: "Attendez quelques secondes, puis rechargez la page.",
    500: "Elle est de notre fait et a été consignée. Réessayez\u202f; si elle revient, signalez à l’exploitation l’heure qu’il est.",
    503: "Réessayez dans quelques instants\u202f: rien de ce qui était enregistré n’est perdu.",
}


def is_page(path: str) -> bool:
    """Return whether an address is a page's, and not a program's."""
    return path in _OURS or path == PREFIX or path.startswith(f"{PREFIX}/")


def wants_page(scope: Scope, unknown: bool = False) -> bool:
    """Return whether a request is a browser's for a page, or (`unknown`) for an address that nothing is at."""
    accepted = b",".join(value for name, value in scope["headers"] if name == b"accept")
    return b"text/html" in accepted and (unknown or is_page(scope["path"]))


def refusal_page(request: Request, refused: Refused) -> Response:
    """Return a refusal as a page; who is not signed in and asks for a page is sent to sign in instead."""
    for objection in (*refused.objections, *refused.warnings):
        OBJECTIONS.labels(objection.code).inc()
    signs_in = getattr(request.app.state, "sign_in", None) is not None and "authorization" not in request.headers
    by_htmx = request.headers.get("hx-request") == "true"
    if isinstance(refused, Unauthenticated) and signs_in and is_page(request.url.path):
        if by_htmx:
            return Response(status_code=401, headers={"HX-Redirect": current_path(request)})
        if request.method in ("GET", "HEAD") and not request.url.path.startswith("/sign-"):
            return RedirectResponse(sign_in_path(request), 303)
    headers = dict(refused.headers)
    if refused.status in (429, 503):
        headers.setdefault("Retry-After", "2")
    if refused.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="poec"'
    return _page(request, refused.status, refused.title, refused.objections, headers)


def defect_page(request: Request) -> Response:
    """Return the page of our own mistake: it tells nothing."""
    return _page(request, 500, "", (), {})


def _page(
    request: Request, status: int, title: str, objections: tuple[Objection, ...], headers: Mapping[str, str]
) -> Response:
    swapped = {"HX-Retarget": "#contenu", "HX-Reselect": "#contenu", "HX-Reswap": "outerHTML", "HX-Push-Url": "false"}
    if request.headers.get("hx-request") == "true":
        headers = {**headers, **swapped}
    return render(
        request,
        "frame/refusal.html",
        status=status,
        headers=headers,
        title=_TITLES.get(status, title),
        advice=_ADVICE.get(status, ""),
        objections=objections,
    )
