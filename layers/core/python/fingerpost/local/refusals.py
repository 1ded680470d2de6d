"""What the gateway itself refuses, as the one error document; API Gateway's statuses."""

import json

from fingerpost.errors import FingerpostError, Invalid, TooLarge, Unavailable, error_document
from fingerpost.local.events import CAUSE_HEADER, HttpReply


class BodyTooLarge(TooLarge):
    """The body exceeds what API Gateway takes."""

    status = 413


class HeadTooLarge(TooLarge):
    """The request line and headers exceed what API Gateway takes."""

    status = 431


class TooSlow(Invalid):
    """The rest of the request did not come in time."""

    code, status = "requestTimeout", 408


class TimedOut(FingerpostError):
    """The function did not answer in time; what it was doing may still happen."""

    code, status = "timeout", 504


def overloaded() -> Unavailable:
    return Unavailable("The server has too much to do; send the request again", headers={"retry-after": "1"})


def not_stored() -> Unavailable:
    return Unavailable("The store refused the write, nothing was recorded; try again", headers={"retry-after": "1"})


def unexpected(cause: str) -> FingerpostError:
    return FingerpostError(f"Something went wrong on our side; it is in the log under {cause}")


def error_reply(error: FingerpostError, api_url: str, cause: str) -> HttpReply:
    body = json.dumps(error_document(error, api_url), ensure_ascii=False).encode("utf-8", "replace")
    return HttpReply(
        error.status,
        [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (CAUSE_HEADER, cause.encode()),
            *((name.encode(), value.encode()) for name, value in error.headers.items()),
        ],
        body,
    )
