"""What events are made of. Pure; standard library only."""

from typing import Any, NamedTuple

from ..resources import Document


class ChangedValue(NamedTuple):
    """A property that has another value than before; None before it had any."""

    key: str
    old: Any
    new: Any
    at: int  # the time of the new value


class Trigger(NamedTuple):
    """Through which application, and by which of its users, an event came about."""

    app: str | None
    user: str | None
    anonymous: bool

    @property
    def document(self) -> Document:
        return {"triggerApp": self.app, "triggerUser": self.user, "triggerUserAnonymous": self.anonymous}
