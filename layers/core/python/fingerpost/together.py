"""Many documents changed alike: the write protocol of resources.py, in a tenth of the calls at twice the units."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import batched

from . import keys
from .errors import NotFound
from .ports.table import (
    MAX_TRANSACTION_WRITES,
    AbsentOrBelow,
    AtMost,
    Delete,
    Equals,
    Key,
    Put,
    Table,
    TransactionFailed,
    Write,
)
from .resources import Document, Resources, Stored, index_rows, next_version, text_of

MAX_CHARACTERS = 1_000_000  # of the documents of one transaction, which holds 4 MB


class Together(Resources):
    """The documents of one kind in one account, as many at a time as a transaction takes."""

    def update_many(self, ids: Iterable[str], change: Callable[[Document], Document]) -> None:
        """`update` of each; those that are gone are left out. Whoever meets another writer is updated alone.

        Raises TooLarge, when some may have been updated; again it does no harm.
        """
        for some in batched(dict.fromkeys(ids), MAX_TRANSACTION_WRITES, strict=False):
            before = self.read_many(some, consistent=True)
            changed = [(each, next_version(each, change)) for each in before.values()]
            changed = [(old, new) for old, new in changed if text_of(new.document) != text_of(old.document)]
            if not self._replace_together(changed):
                for old, _ in changed:
                    with suppress(NotFound):
                        self.update(old.id, change)

    def _replace_together(self, changed: Sequence[tuple[Stored, Stored]]) -> bool:
        items = [self._item(new.document, new.version) for _, new in changed]
        if sum(len(item["doc"]) for item in items) > MAX_CHARACTERS:
            return False
        added: list[Write] = []
        removed: list[tuple[Key, int]] = []
        for old, new in changed:
            before, after = (index_rows(self.kind, each.id, each.document) for each in (old, new))
            row, when = self._index_item(new.version), (AbsentOrBelow("v", new.version),)
            added += [Put(key, row, when) for key in after - before]
            removed += [(key, new.version) for key in before - after]
        if not self._together(self._log, added):
            return False
        documents: list[Write] = [
            Put(keys.document(new.id), item, (Equals("v", old.version),))
            for (old, new), item in zip(changed, items, strict=True)
        ]
        if not self._together(self._main, documents):
            return False
        if not self._together(self._log, [Delete(key, (AtMost("v", version),)) for key, version in removed]):
            for key, version in removed:
                self.remove_rows((key,), version)
        return True

    def _together(self, table: Table, writes: Sequence[Write]) -> bool:
        """Whether they could be made, some at a time."""
        try:
            for some in batched(writes, MAX_TRANSACTION_WRITES, strict=False):
                table.transact(some)
        except TransactionFailed as failure:
            if any(reason.kind == "other" for reason in failure.reasons):
                raise
            return False
        return True
