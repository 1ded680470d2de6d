"""The change feed of `main`, read by named consumers, each at its own pace.

On AWS the stream's event source mapping does this work and calls the consumer's function; where no such service exists
the pump reads a `Feed`. At least once: what was read and not committed is read again.

Order holds per row. A write that leaves a row as it was (item and expiry) makes no entry, as in DynamoDB. An adapter
that keeps more in a row than the item (the DynamoDB adapter's write token) may still show one, with `old == new`:
consumers tolerate that. A row that is written over after its time was up shows `old=None`, as if it had been absent.
"""

from typing import Protocol

from .table import Change

BEGINNING = ""  # the position before the oldest entry


class Feed(Protocol):
    def read(self, consumer: str, limit: int = 100) -> list[Change]:
        """The oldest entries beyond the consumer's position, which does not move. A new name begins at the oldest."""
        ...

    def commit(self, consumer: str, sequence: str) -> None:
        """The consumer is done up to and including `sequence`. An older one than its position does nothing."""
        ...

    def lag(self, consumer: str) -> int:
        """How many entries the consumer has yet to commit."""
        ...

    def rewind(self, consumer: str, sequence: str = BEGINNING) -> None:
        """Read again from behind `sequence` on (as far as it has not been trimmed)."""
        ...

    def trim(self, keep_ms: int, keep_records: int) -> int:
        """Delete what every known consumer has committed and is older than `keep_ms`, but for the last `keep_records`.

        Answers how many went; a bounded number goes at once, so go on until it is 0. The newest entry always stays.
        """
        ...
