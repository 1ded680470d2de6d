"""Why a booking is refused. Each API says it in its own words; `str` is fit for a client to read."""

from ..errors import Conflict, FingerpostError, NotFound


class Taken(Conflict):
    """Another booking has the slot, or a part of it. `start` and `end` are that one's; nothing else of it is told."""

    code = "taken"

    def __init__(self, start: int, end: int):
        super().__init__("The room is already booked during this time")
        self.start, self.end = start, end


class NotAllowed(FingerpostError):
    """A rule of the room, or what became of the booking, forbids it. `rule` names which, the message says it to people.

    Rules: active, hours, horizon, length, full, state, checkIn, running.
    """

    code, status = "notAllowed", 422

    def __init__(self, rule: str, message: str):
        super().__init__(message)
        self.rule = rule


class Unknown(NotFound):
    """There is no such booking, or no such occurrence of it."""
