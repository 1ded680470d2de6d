"""What we raise on purpose, and the one document in which a client sees it."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from .frozen import Frozen


class Finding(Frozen, kw_only=True):
    """One thing wrong with one field. The same object stands in an error's `details` and in a document's `warnings`."""

    field: str
    message: str
    column: int | None = None  # counted from 1, in the field's text
    near: str | None = None  # the text around the column
    expected: tuple[str, ...] = ()  # what would have been accepted
    suggestion: str | None = None  # the nearest known name
    rule: int | None = None  # of a finding in a list of rules: which one, counted from 1, and its name
    name: str | None = None

    def document(self) -> dict[str, Any]:
        of_rule = {} if self.rule is None else {"rule": self.rule, "name": self.name}
        return {
            **of_rule,
            "field": self.field,
            "message": self.message,
            "column": self.column,
            "near": self.near,
            "expected": list(self.expected),
            "suggestion": self.suggestion,
        }


class FingerpostError(Exception):
    """Something went wrong on our side.

    Base of what we raise on purpose; str(error) is fit for a client to read.
    """

    code: ClassVar[str] = "internal"  # stable, camelCase, and the anchor in the error documentation
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, details: Sequence[Finding] = (), headers: Mapping[str, str] | None = None):
        super().__init__(message)
        self.details = tuple(details)
        self.headers = dict(headers or {})


class Invalid(FingerpostError):
    """The request cannot be understood or breaks a rule of the document; nothing was stored."""

    code, status = "invalid", 400


class TooLarge(Invalid):
    """Something exceeds a limit; the message names the limit."""

    code = "tooLarge"


class Unauthenticated(FingerpostError):
    """The request carries no API key."""

    code, status = "noKey", 401


class Forbidden(FingerpostError):
    """The API key is unknown, revoked, or may not do this."""

    code, status = "forbidden", 403


class NotFound(FingerpostError):
    """It does not exist, or lies outside what this key can see."""

    code, status = "notFound", 404


class MethodNotAllowed(FingerpostError):
    """The path exists, but not with this method."""

    code, status = "methodNotAllowed", 405


class Conflict(FingerpostError):
    """It is taken, or it changed meanwhile."""

    code, status = "conflict", 409


class Gone(FingerpostError):
    """It existed and was deleted."""

    code, status = "gone", 410


class PreconditionFailed(FingerpostError):
    """`If-Match` names another version than the one that is there: somebody changed it since it was read."""

    code, status = "preconditionFailed", 412


class UnsupportedMedia(FingerpostError):
    """The body's Content-Type is not one this address reads."""

    code, status = "unsupportedMedia", 415


class TooManyRequests(FingerpostError):
    """Too many requests with one key in a minute, or too many wrong guesses; `Retry-After` says when to go on."""

    code, status = "tooManyRequests", 429


class Unavailable(FingerpostError):
    """The store could not be reached or is overloaded; the same request may be sent again."""

    code, status = "unavailable", 503


def error_document(error: FingerpostError, api_url: str) -> dict[str, Any]:
    """The document of every error answer: `{status, errors: [text], code, moreInfo, details?}`."""
    document: dict[str, Any] = {
        "status": error.status,
        "errors": [str(error)],
        "code": error.code,
        "moreInfo": f"{api_url}/errors#{error.code}",
    }
    if error.details:
        document["details"] = [finding.document() for finding in error.details]
    return document
