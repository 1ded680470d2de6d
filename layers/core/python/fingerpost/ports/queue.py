"""Work that goes on after an answer, shaped like an SQS standard queue with message groups.

At least once: a message comes again unless it is deleted within its visibility time. No order is promised. Groups take
turns, so one group's backlog does not delay another's. After a number of attempts a message is set aside as dead.
Some queues (on AWS those of kind FIFO) are ordered: they hand out one message of a group at a time, whatever the number
of its receivers, so that a group has no more of them than that. Each message has a group there, and none waits.
Both adapters (aws/queue.py, local/queue.py) pass tests/ports/test_queue.py.
"""

import re
from dataclasses import dataclass
from typing import Protocol

MAX_BODY_BYTES = 256 * 1024
MAX_RECEIVED = 10  # messages one `receive` or `dead` can answer
MAX_DELAY_MS = 15 * 60_000
MAX_VISIBILITY_MS = 12 * 3_600_000
MAX_GROUP_LENGTH = 128

_GROUP = re.compile(r"[!-~]{0,128}")
_UNSENDABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery of a message. `receipt` is of this delivery only; `attempts` counts this one too."""

    id: str
    body: str
    receipt: str
    attempts: int


class Queue(Protocol):
    def send(self, body: str, *, group: str = "", delay_ms: int = 0) -> None:
        """Store one message durably; it can be received after `delay_ms` (at most 15 minutes, in whole seconds).

        `group` is up to 128 visible ASCII characters. Raises ValueError for what `check_message` refuses.
        """
        ...

    def receive(self, limit: int = MAX_RECEIVED, visibility_ms: int = 30_000) -> list[Message]:
        """Up to `limit` (at most 10) messages, hidden from others for `visibility_ms`; at once, also when empty."""
        ...

    def delete(self, receipt: str) -> None:
        """The message is done with. A receipt whose message is gone, or was received again, does nothing."""
        ...


class DeadLetters(Protocol):
    """The messages of one queue that were received too often without being deleted."""

    def dead(self, limit: int = MAX_RECEIVED) -> list[Message]:
        """Some of them, to look at; they stay. `attempts` is how often each was tried."""
        ...

    def redrive(self) -> int:
        """Put all of them back into the queue with no attempts counted; how many (on AWS: at least, approximate)."""
        ...


def check_message(body: str, group: str, delay_ms: int, *, ordered: bool = False) -> None:
    """Raises ValueError for a message that SQS would refuse."""
    if ordered and (delay_ms or not group):
        raise ValueError("a message of an ordered queue has a group and no delay")
    if not body or len(body.encode()) > MAX_BODY_BYTES:
        raise ValueError(f"a message holds 1 to {MAX_BODY_BYTES} bytes of text")
    if unsendable := _UNSENDABLE.search(body):
        raise ValueError(f"a message cannot hold the character {unsendable[0]!r}")
    if not _GROUP.fullmatch(group):
        raise ValueError(f"a message group is at most {MAX_GROUP_LENGTH} visible ASCII characters, not {group!r}")
    if not 0 <= delay_ms <= MAX_DELAY_MS:
        raise ValueError(f"a delay is 0 to {MAX_DELAY_MS} ms, not {delay_ms}")


def check_receive(limit: int, visibility_ms: int) -> None:
    """Raises ValueError for numbers that SQS would refuse."""
    if not 1 <= limit <= MAX_RECEIVED:
        raise ValueError(f"a receive answers 1 to {MAX_RECEIVED} messages, not {limit}")
    if not 0 <= visibility_ms <= MAX_VISIBILITY_MS:
        raise ValueError(f"a visibility time is 0 to {MAX_VISIBILITY_MS} ms, not {visibility_ms}")
