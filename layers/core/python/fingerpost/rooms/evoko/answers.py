"""What the panels' server answers over HTTP. Source: SockJS protocol 0.3.3, "Info URL"."""

from ...answers import Answered


class SockJs(Answered):
    """That there are WebSockets here; without a `base_url` clients stay at this address."""

    websocket: bool
    origins: list[str]
    cookie_needed: bool
    entropy: int
