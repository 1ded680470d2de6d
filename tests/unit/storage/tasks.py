"""A work queue whose messages are carried out when the test says so."""

from dataclasses import dataclass, field

from fingerpost.ports.table import Throttled
from functions.work import app as work


@dataclass
class Tasks:
    """A queue that keeps what it is sent, later ones apart; `full` refuses everything."""

    sent: list[tuple[str, str]] = field(default_factory=list)
    later: list[tuple[str, str]] = field(default_factory=list)
    full: bool = False

    def send(self, body: str, *, group: str = "", delay_ms: int = 0) -> None:
        if self.full:
            raise Throttled
        (self.later if delay_ms else self.sent).append((body, group))

    def work(self, *, twice: bool = False) -> int:
        """Carry out all there is, and what that sends, through the handler; how many messages there were."""
        done = 0
        while self.sent:
            assert done < 200, "it never ends"
            body, _ = self.sent.pop(0)
            for _ in range(2 if twice else 1):
                assert work.handler({"Records": [{"messageId": "m", "body": body}]}) == {"batchItemFailures": []}
            done += 1
        return done

    def wait(self) -> None:
        """Time goes by: what was sent with a delay can be received."""
        self.sent, self.later = self.sent + self.later, []
