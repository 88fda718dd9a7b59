"""What can go wrong, split by who can do something about it.

`Refused` and its kinds: the person or system that asks can (answered, never retried, nothing written).
`Impossible`: an event cannot be applied here, ever (dead letter); `NotYet`: not now (dead letter, made to be replayed).
Everything else is transient (retried) or a defect.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Objection:
    """What one rule has against a request, or warns about.

    `code` is stable and travels to the answer, the log and the counter; `message` is a French sentence that says what to do;
    `source` is the line of the minutes or the article; `facts` are the figures compared (never free text of the sender).
    """

    code: str
    message: str
    source: str | None = None
    field: str | None = None
    facts: Mapping[str, str | int | bool | None] = dataclasses.field(default_factory=dict)


class Refused(Exception):
    """A request that is answered with a reason and changes nothing; `status` is its HTTP status, `code` its stable name."""

    status = 422
    code = "refused"
    title = "Demande refusée"

    def __init__(self, *objections: Objection, warnings: Sequence[Objection] = ()) -> None:
        super().__init__(self.code, *(o.code for o in objections))
        self.objections = tuple(objections)
        self.warnings = tuple(warnings)
        self.headers: dict[str, str] = {}


class RulesRefused(Refused):
    """Rules object; all objections together."""

    code = "rules_refused"
    title = "La demande ne respecte pas une ou plusieurs règles"


class InvalidInput(Refused):
    """The input has not the form it must have; one objection per field."""

    code = "invalid_input"
    title = "La demande n’a pas la forme attendue"


class Malformed(Refused):
    """The input cannot be read at all (not JSON, duplicate members, NUL, too deep)."""

    status = 400
    code = "malformed"
    title = "La demande est illisible"


class TooLarge(Refused):
    """The body is larger than what is accepted."""

    status = 413
    code = "too_large"
    title = "La demande est trop volumineuse"


class TooSlow(Refused):
    """The request did not arrive in the time that one may take."""

    status = 408
    code = "too_slow"
    title = "La demande n’est pas arrivée à temps"


class AddressTooLong(Refused):
    """The address (path and query) is longer than what is read."""

    status = 414
    code = "address_too_long"
    title = "L’adresse est trop longue"


class UnfitContent(Refused):
    """The body is of a kind that this door does not take: not JSON, compressed, in another character set."""

    status = 415
    code = "unfit_content"
    title = "Ce type de contenu n’est pas accepté"


class WrongHost(Refused):
    """The request names a host that this service does not answer for."""

    status = 421
    code = "wrong_host"
    title = "Ce nom d’hôte n’est pas servi ici"


class HeadersTooLarge(Refused):
    """The headers are more, or larger, than what is read."""

    status = 431
    code = "headers_too_large"
    title = "Les en-têtes sont trop volumineux"


class MethodNotAllowed(Refused):
    """The address exists and does not know this method."""

    status = 405
    code = "method_not_allowed"
    title = "Cette méthode n’existe pas à cette adresse"


class NotSpoken(Refused):
    """A method that is none of HTTP's (501), or a version of HTTP that is not spoken here (505)."""

    status = 501
    code = "not_spoken"
    title = "Méthode ou version de HTTP inconnue"


class WarningsUnanswered(Refused):
    """Rules warn and the command acknowledges not all of them: nothing is done, the warnings are the answer."""

    status = 409
    code = "warnings_unanswered"
    title = "Des avertissements attendent une réponse"


class NotAllowedNow(Refused):
    """The state of the object does not allow the command."""

    status = 409
    code = "not_allowed_now"
    title = "L’état actuel ne permet pas cette commande"


class Stale(Refused):
    """The caller decided on another revision than the current one."""

    status = 412
    code = "stale_revision"
    title = "La fiche a changé depuis votre lecture"


class RevisionRequired(Refused):
    """A decision must say on which revision it is taken (`If-Match`)."""

    status = 428
    code = "revision_required"
    title = "La révision sur laquelle porte la décision manque"


class NotFound(Refused):
    """No such object, or another organisation's: the two are answered alike."""

    status = 404
    code = "not_found"
    title = "Objet inconnu"


class Forbidden(Refused):
    """The caller's role may not do this."""

    status = 403
    code = "forbidden"
    title = "Votre rôle ne permet pas cette commande"


class Unauthenticated(Refused):
    """No token, or one that does not hold."""

    status = 401
    code = "unauthenticated"
    title = "Jeton absent ou refusé"


class SignInFailed(Refused):
    """A person's sign-in came to nothing; whoever it was may begin again."""

    status = 400
    code = "sign_in_failed"
    title = "La connexion n’a pas abouti"


class CrossSite(Refused):
    """A write with a session's cookie that does not prove to come from a page of this service."""

    status = 403
    code = "cross_site"
    title = "Cette demande ne vient pas d’une page de ce service"


class KeyReused(Refused):
    """The same Idempotency-Key came with another body."""

    code = "idempotency_key_reused"
    title = "Cette clé d’idempotence a déjà servi à une autre demande"


class KeyMissing(Refused):
    """A write over HTTP needs an Idempotency-Key."""

    status = 400
    code = "idempotency_key_missing"
    title = "L’en-tête Idempotency-Key manque"


class TooMany(Refused):
    """The caller has as many requests under way as one principal may have; `Retry-After` says when to come back."""

    status = 429
    code = "too_many_requests"
    title = "Trop de demandes à la fois"


class Busy(Refused):
    """The service cannot keep more for now; `Retry-After` says when to come back."""

    status = 503
    code = "busy"
    title = "Service momentanément saturé"


class Impossible(Exception):
    """This event can never be applied here; `code` is stable, the detail never quotes the payload."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class NotYet(Impossible):
    """Nothing is wrong with this record but its moment: kept as a dead letter, to be replayed when what it needs is here."""


class Conflict(Exception):
    """Another transaction was first; the whole command is tried again on what it left."""
