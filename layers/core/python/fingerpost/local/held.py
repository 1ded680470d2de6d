"""Answers of one turn of the event loop, held until the turn's single commit is on disk."""

import asyncio
from typing import Protocol

from fingerpost.local.log import log_failure


class HoldingStore(Protocol):
    """The `main` store in hold mode: writes of the loop's thread join one open transaction until `flush`."""

    @property
    def dirty(self) -> bool:
        """Whether the open transaction holds a write."""
        ...

    def flush(self) -> None:
        """Commit, fsync included. Raises when nothing of the turn was stored; the next turn starts afresh."""
        ...


class HeldAnswers:
    """Wait for `committed` before an answer that stands on the open transaction leaves.

    The commit comes two turns of the loop after the first write: by then every request that arrived with it has had
    its handler run, so all of them share one fsync. Used from the loop's thread only.
    """

    def __init__(self, store: HoldingStore):
        self._store = store
        self._waiting: list[asyncio.Future[bool]] = []

    @property
    def needed(self) -> bool:
        """Whether an answer given now would stand on what is not yet on disk (its own writes or a neighbour's)."""
        return self._store.dirty

    def committed(self) -> asyncio.Future[bool]:
        """Resolves to True once everything written so far is durable, to False when the commit failed."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(loop.call_soon, self.flush)
        answer = loop.create_future()
        self._waiting.append(answer)
        return answer

    def flush(self) -> None:
        """Commit what is open and release every held answer."""
        waiting, self._waiting = self._waiting, []
        try:
            self._store.flush()
            stored = True
        except Exception as error:
            log_failure("a commit failed; its answers become 503", error, answers=len(waiting))
            stored = False
        for answer in waiting:
            if not answer.done():
                answer.set_result(stored)
