"""Why something is refused, in Joan's words: those of Django REST framework. Pure.

Source: wire-facts; `{"field": ["…"]}` for what is wrong with a field, `non_field_errors` for what is wrong with them
together, `{"detail": "…"}` for everything else.
"""

from collections.abc import Mapping

from ...errors import Conflict, FingerpostError, Forbidden, Invalid, MethodNotAllowed, NotFound, Unauthenticated
from ..errors import NotAllowed

type Refusal = dict[str, str | list[str]]

REQUIRED, NULL, BLANK = "This field is required.", "This field may not be null.", "This field may not be blank."
NO_CREDENTIALS = "Authentication credentials were not provided."
CHALLENGE = {"www-authenticate": 'Bearer realm="api"'}
# What a booking breaks of the rules of a room is wrong with the request; what became of a booking is not.
OF_REQUEST = frozenset({"active", "hours", "horizon", "length"})


def choice(value: str) -> str:
    return f'"{value[:80]}" is not a valid choice.'


def refusal(error: FingerpostError, method: str) -> tuple[int, Refusal]:
    """(status, document). `method` is the request's."""
    match error:
        case Unauthenticated():
            return 401, {"detail": NO_CREDENTIALS}
        case Forbidden():
            return 403, {"detail": "You do not have permission to perform this action."}
        case MethodNotAllowed():
            return 405, {"detail": f'Method "{method}" not allowed.'}
        case NotFound():
            return 404, {"detail": "Not found."}
        case NotAllowed() if error.rule in OF_REQUEST:
            return 400, {"non_field_errors": [_sentence(error)]}
        case NotAllowed():
            return 409, {"detail": _sentence(error)}
        case Invalid() | Conflict() if error.details and error.details[0].field != "body":
            return 400, _by_field(error)
        case Invalid() if not error.details and type(error) is Invalid:
            return 400, {"non_field_errors": [_sentence(error)]}
        case _:
            return error.status, {"detail": _sentence(error)}


def _by_field(error: FingerpostError) -> Refusal:
    found: dict[str, list[str]] = {}
    for each in error.details:
        found.setdefault(each.field, []).append(each.message)
    return dict(found)


def _sentence(error: FingerpostError) -> str:
    text = str(error)
    return text if text.endswith((".", "!", "?")) else f"{text}."


def token_refusal(error: str, description: str) -> Mapping[str, str]:
    """Source: RFC 6749, 5.2."""
    return {"error": error, "error_description": description}
