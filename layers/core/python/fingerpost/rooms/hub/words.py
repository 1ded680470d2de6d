"""Answers and refusals of the ROOM service: every one in its envelope. Pure.

Source: wire-facts, 5.1. A refusal has the HTTP status also as `error_code`, and its `error` in the words that clients
of that product look for.
"""

from typing import Any

from ...errors import FingerpostError, Forbidden, Invalid, NotFound, Unauthenticated
from ...resources import Document
from ..errors import NotAllowed, Taken

OK, FAILED = "ok", "error"
NOT_AVAILABLE = "ROOM_NOT_AVAILABLE"
WEAK = "WEAK_PRIVILEGE OOOP"
PERMISSION_DENIED = "PERMISSION_DENIED"


class Mandatory(Invalid):
    """A parameter is missing."""

    def __init__(self, name: str):
        super().__init__(f"VARIABLE **{name}** IS MANDATORY")


class UserError(Invalid):
    """What a client of the product knows by a word. `reason` says it to people; `as_status` is that of HTTP."""

    def __init__(self, word: str, reason: str, as_status: int = 400):
        super().__init__(word)
        self.reason, self.as_status = reason, as_status


def envelope(ack: str, at: int, content: Any) -> Document:
    """`at` is now, in milliseconds since the epoch. Nothing of what is answered may be kept: it expires at once."""
    return {"__ack__": ack, "__status__": OK, "__expiry__": 0, "__timestamp__": at, "data": content}


def refusal(error: FingerpostError, ack: str, at: int) -> tuple[int, Document]:
    """(HTTP status, document)."""
    status, word, reason = _said(error, ack)
    document: Document = {
        "__ack__": ack,
        "__status__": FAILED,
        "__expiry__": 0,
        "__timestamp__": at,
        "error": word,
        "error_code": status,
        "status": FAILED,
    }
    return status, document if reason is None else {**document, "reason": reason}


def _said(error: FingerpostError, ack: str) -> tuple[int, str, str | None]:
    match error:
        case Taken():
            return 409, NOT_AVAILABLE, str(error)
        case NotAllowed():
            return 400, "ROOM_NOT_ALLOWED", str(error)
        case Unauthenticated() | Forbidden():
            return 403, f"{ack}: {PERMISSION_DENIED}", str(error)
        case NotFound():
            return 404, "NOT_FOUND", str(error)
        case UserError():
            return error.as_status, str(error), error.reason
        case Mandatory():
            return 400, str(error), None
        case Invalid() if error.status == 400:
            return 400, "INVALID_PARAMETER", str(error)
        case _:
            return error.status, error.code, str(error)
