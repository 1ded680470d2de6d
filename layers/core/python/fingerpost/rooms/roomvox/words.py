"""Why something is refused, in RoomVox's words: `{"error": "…"}`. Pure. Source: the document, wire-facts."""

from ...errors import FingerpostError, Forbidden, NotFound, TooLarge, Unauthenticated
from ..credentials import Scope
from ..errors import NotAllowed, Taken, Unknown
from .answers import RoomvoxRefusal, Upload

NO_TOKEN, BAD_TOKEN = "Missing or invalid Authorization header", "Invalid or expired API token"
CHALLENGE = {"www-authenticate": 'Bearer realm="roomvox"'}
OF_RULES = {
    "hours": "Booking is outside available hours",
    "horizon": "Booking exceeds maximum booking horizon",
}


class TooLargeHere(TooLarge):
    """A file that requests cannot carry here; `upload` is where it can be put."""

    def __init__(self, message: str, upload: Upload):
        super().__init__(message)
        self.upload = upload


def no_scope(wanted: Scope) -> Forbidden:
    return Forbidden(f"Insufficient permissions. Required scope: {wanted}")


def not_this_room() -> Forbidden:
    return Forbidden("Token does not have access to this room")


def no_room() -> NotFound:
    return NotFound("Room not found")


def unauthenticated(message: str) -> Unauthenticated:
    return Unauthenticated(message, headers=CHALLENGE)


def refusal(error: FingerpostError) -> tuple[int, RoomvoxRefusal]:
    """(status, document)."""
    match error:
        case TooLargeHere():
            return 413, {"error": str(error), "upload": error.upload}
        case TooLarge():
            return 413, {"error": str(error)}
        case Taken():
            return 409, {"error": "Room is already booked during this time"}
        case NotAllowed():
            return error.status, {"error": OF_RULES.get(error.rule, str(error))}
        case Unknown():
            return 404, {"error": "Booking not found"}
        case _:
            return error.status, {"error": str(error)}
