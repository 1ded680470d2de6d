"""Documents with index rows: the one write protocol of everything that can be listed.

    update: read doc (v)                               nv = v + 1
      1 for each value added:   put row {v: nv}        if absent or row.v < nv
      2 put doc {v: nv}                                if doc.v = v          (from the top when it fails)
      3 for each value removed: delete row             if row.v <= nv
    create: rows, then the doc if absent. Delete: the doc, then its rows.

A crash at any step leaves a row that points nowhere, never a document without its rows: readers verify rows against
documents and drop, later sweep, what does not hold. Rows live in `log`, documents in `main`: no transaction spans both.
Who loses a race takes no row back, for the winner may rely on the same one.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import keys, wiring
from .errors import Conflict, NotFound, TooLarge
from .ports.table import (
    Absent,
    AbsentOrBelow,
    AtMost,
    Check,
    ConditionFailed,
    Delete,
    Equals,
    GlobalKey,
    Item,
    Key,
    Put,
    Tables,
    TransactionFailed,
    Write,
)
from .preconditions import ANYTHING, Match
from .retry import attempts
from .shapes import stamp, upgraded
from .sight import scopes_of

type Document = dict[str, Any]

MAX_DOCUMENT_BYTES = 256 * 1024
MAX_INDEX_ROWS = 1_000
UPDATE_ATTEMPTS = 12


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document: its name, and the fields that have an index (`identifiers.*`: one for each key)."""

    name: str
    plural: str
    indexed: tuple[str, ...] = ("tags", "identifiers.*")
    shards: int = 1
    paged: bool = False  # whether its index rows may lie in pages (packed.py)
    beside: str = ""  # the row's name, of what lies beside another document under that one's id

    @property
    def words(self) -> str:
        """The name as people read it: `hub meeting`."""
        return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in self.name)

    def key(self, resource_id: str) -> Key:
        """Where a document of this kind lies."""
        return keys.beside(resource_id, self.beside) if self.beside else keys.document(resource_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A document as it lies in the store, and the version a conditional write has to name."""

    id: str
    version: int
    document: Document

    @property
    def tag(self) -> str:
        """The version as entity tags have it. What is deleted and made anew under a name has another one."""
        return tag_of(self.id, self.version)


def tag_of(resource_id: str, version: int = 1) -> str:
    """The tag of a version; without one of what has just been created."""
    return f"{version}.{resource_id[-8:]}"


def astext_of(value: object) -> str:
    """How a scalar is written in an index: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def values_of(document: Mapping[str, Any], field: str) -> Iterator[tuple[str, str]]:
    """(field, value) for every index entry of one declared field."""
    if field.endswith(".*"):
        group = field[:-2]
        for name, value in (document.get(group) or {}).items():
            yield f"{group}.{name}", astext_of(value)
        return
    match document.get(field):
        case None:
            return
        case list(members):
            for member in members:
                yield field, astext_of(member)
        case value:
            yield field, astext_of(value)


def index_rows(kind: Kind, resource_id: str, document: Mapping[str, Any]) -> frozenset[Key]:
    """Every index row of a document: one a scope for the list, the name, and each indexed value.

    Raises TooLarge past MAX_INDEX_ROWS.
    """
    rows: set[Key] = set()
    for scope in scopes_of(document):
        shard = keys.shard_of(resource_id, keys.shards_in(scope, kind.shards))
        rows.add(Key(keys.index(scope, kind.name, "", "", shard), resource_id))
        if name := document.get("name"):
            rows.add(Key(keys.names(scope, kind.name, shard), keys.name_row(name, resource_id)))
        for field in kind.indexed:
            for full_field, value in values_of(document, field):
                rows.add(Key(keys.index(scope, kind.name, full_field, value, shard), resource_id))
    if len(rows) > MAX_INDEX_ROWS:
        raise TooLarge(
            f"This {kind.words} would need {len(rows)} index entries; the limit is {MAX_INDEX_ROWS}. "
            "Use fewer tags, identifiers or projects."
        )
    return frozenset(rows)


class Resources:
    """The documents of one kind in one account."""

    def __init__(self, tables: Tables, kind: Kind):
        self._main, self._log, self.kind = tables.main, tables.log, kind

    def read(self, resource_id: str) -> Stored:
        """One consistent read. Raises NotFound."""
        item = self._main.get(self.kind.key(resource_id), consistent=True)
        if (stored := from_item(self.kind, resource_id, item)) is None:
            raise self.missing(resource_id)
        return stored

    def read_many(self, ids: Sequence[str], *, consistent: bool = False) -> dict[str, Stored]:
        """Those of `ids` that exist."""
        found = self._main.get_many([self.kind.key(each) for each in ids], consistent=consistent)
        pairs = ((each, from_item(self.kind, each, found.get(self.kind.key(each)))) for each in ids)
        return {each: stored for each, stored in pairs if stored is not None}

    def missing(self, resource_id: str) -> NotFound:
        return NotFound(f"There is no {self.kind.words} {resource_id}")

    def create(self, resource_id: str, document: Document, *, also: Iterable[Write] = ()) -> Stored:
        """Write rows, then the document together with `also`. The id is new, or this is a repeat and answers the first.

        Raises TooLarge, Conflict (a claim in `also` is taken).
        """
        item = self._item(document, 1)
        rows = index_rows(self.kind, resource_id, document)
        extra = list(also)
        if (first := self._first(resource_id, extra)) is not None:
            return first  # without a write: the document may have new versions, and rows of theirs
        row = self._index_item(1)
        self._log.put_many([Put(key, row) for key in rows])
        put = Put(self.kind.key(resource_id), item, (Absent(),))
        for _ in attempts(UPDATE_ATTEMPTS):
            try:
                if extra:
                    self._main.transact([put, *extra])
                else:
                    self._main.put(put.key, put.item, when=put.when)
                return Stored(id=resource_id, version=1, document=document)
            except ConditionFailed as failure:
                old = failure.old
            except TransactionFailed as failure:
                old = failure.reasons[0].old
                if old is None:
                    self._check_retry(failure, extra)
                    continue
            if (first := from_item(self.kind, resource_id, old)) is None:
                raise Conflict(f"The id {resource_id} is taken")
            # A request with the same id was faster by a moment; its rows get their version back.
            self.put_rows(rows & index_rows(self.kind, resource_id, first.document), first.version)
            return first
        raise self._busy(resource_id)

    def beginning(self, resource_id: str, document: Document) -> Put:
        """A new document as a write of somebody else's transaction; its rows are written now. Raises TooLarge."""
        put = Put(self.kind.key(resource_id), self._item(document, 1), (Absent(),))
        self.put_rows(index_rows(self.kind, resource_id, document), 1)
        return put

    def update(
        self,
        resource_id: str,
        change: Callable[[Document], Document],
        *,
        also: Callable[[Document, Document], Iterable[Write]] = lambda _before, _after: (),
        sees: Callable[[Document], bool] = lambda _document: True,
        match: Match = ANYTHING,
    ) -> Stored:
        """Apply `change` to the document as it is, again when somebody else was faster, unless it no longer matches.

        Raises NotFound, PreconditionFailed, TooLarge.
        """
        for _ in attempts(UPDATE_ATTEMPTS):
            before = self.read(resource_id)
            if not sees(before.document):
                raise self.missing(resource_id)
            match.check(before.tag, f"{self.kind.words} {resource_id}")
            after = next_version(before, change)
            if text_of(after.document) == text_of(before.document):
                return before
            if self._replace(before, after, list(also(before.document, after.document))):
                return after
        raise self._busy(resource_id)

    def delete(
        self,
        resource_id: str,
        *,
        also: Callable[[Document], Iterable[Write]] = lambda _before: (),
        sees: Callable[[Document], bool] = lambda _document: True,
        match: Match = ANYTHING,
    ) -> Stored:
        """Remove the document, then its rows; answers what it was. Raises NotFound, PreconditionFailed."""
        for _ in attempts(UPDATE_ATTEMPTS):
            before = self.read(resource_id)
            if not sees(before.document):
                raise self.missing(resource_id)
            match.check(before.tag, f"{self.kind.words} {resource_id}")
            key, when = self.kind.key(resource_id), (Equals("v", before.version),)
            try:
                if extra := list(also(before.document)):
                    self._main.transact([Delete(key, when), *extra])
                else:
                    self._main.delete(key, when=when)
            except ConditionFailed:
                continue
            except TransactionFailed as failure:
                self._check_retry(failure, extra)
                continue
            self.remove_rows(index_rows(self.kind, resource_id, before.document), before.version)
            return before
        raise self._busy(resource_id)

    def sweep(self, key: Key, row: Item, stored: Stored | None) -> None:
        """Delete an index row that a reader found to point nowhere, unless a newer version is just writing it."""
        version = row.get("v")
        if isinstance(version, int) and (stored is None or stored.version >= version):
            self.remove_rows((key,), version)

    def _replace(self, before: Stored, after: Stored, also: list[Write]) -> bool:
        old_rows = index_rows(self.kind, before.id, before.document)
        new_rows = index_rows(self.kind, after.id, after.document)
        item = self._item(after.document, after.version)
        self.put_rows(new_rows - old_rows, after.version)
        put = Put(self.kind.key(after.id), item, (Equals("v", before.version),))
        try:
            if also:
                self._main.transact([put, *also])
            else:
                self._main.put(put.key, put.item, when=put.when)
        except ConditionFailed:
            return False
        except TransactionFailed as failure:
            self._check_retry(failure, also)
            return False
        self.remove_rows(old_rows - new_rows, after.version)
        return True

    def _first(self, resource_id: str, also: Sequence[Write]) -> Stored | None:
        """What an earlier request with this id has made. Raises Conflict when another id has a claim of `also`."""
        key = self.kind.key(resource_id)
        claims = [
            write.key
            for write in also
            if isinstance(write, Put) and Absent() in write.when and not isinstance(write.key, GlobalKey)
        ]
        found = self._main.get_many([key, *claims], consistent=True)
        taken = not found.keys().isdisjoint(claims)
        # A batch is not read at one moment: the claim can be there, and the document that came with it not yet.
        item = found.get(key) or (self._main.get(key, consistent=True) if taken else None)
        first = from_item(self.kind, resource_id, item)
        if first is None and taken:
            raise self._taken()
        return first

    def _check_retry(self, failure: TransactionFailed, also: Sequence[Write]) -> None:
        """Of a transaction of the document and `also`: answer when it is worth another try. Raises Conflict.

        It is when a `Check` failed: what it was made from has changed, and will be read again.
        """
        if any(reason.kind == "other" for reason in failure.reasons):
            raise failure
        failed = [write for write, reason in zip(also, failure.reasons[1:], strict=True) if reason.kind == "condition"]
        changed = failure.reasons[0].kind != "none" or any(isinstance(write, Check) for write in failed)
        if failure.conditions_only and not changed:
            raise self._taken() from failure

    def _taken(self) -> Conflict:
        return Conflict(f"A {self.kind.words} of this name exists already")

    def _busy(self, resource_id: str) -> Conflict:
        return Conflict(f"The {self.kind.words} {resource_id} keeps changing; send the request again")

    def _index_item(self, version: int) -> Item:
        """An index row. `at` is when it is written, not when its request began: only old ones are swept."""
        return {**stamp("index"), "v": version, "at": wiring.clock()}

    def put_rows(self, rows: Iterable[Key], version: int) -> None:
        """Step 1 of the protocol."""
        row = self._index_item(version)
        for key in rows:
            try:
                self._log.put(key, row, when=(AbsentOrBelow("v", version),))
            except ConditionFailed:
                continue  # this version or a newer one has written this row already

    def remove_rows(self, rows: Iterable[Key], version: int) -> None:
        """Step 3 of the protocol."""
        for key in rows:
            try:
                self._log.delete(key, when=(AtMost("v", version),))
            except ConditionFailed:
                continue  # gone already, or put again by a newer version

    def _item(self, document: Document, version: int) -> Item:
        text = text_of(document)
        if (size := len(text.encode())) > MAX_DOCUMENT_BYTES:
            raise TooLarge(
                f"This {self.kind.words} has {size:,} bytes; the limit is {MAX_DOCUMENT_BYTES:,} bytes (256 KB). "
                "Move what is large to a file and keep its address here."
            )
        return {**stamp(self.kind.name), "v": version, "doc": text}


def next_version(before: Stored, change: Callable[[Document], Document]) -> Stored:
    return Stored(id=before.id, version=before.version + 1, document=change(dict(before.document)))


def from_item(kind: Kind, resource_id: str, item: Item | None) -> Stored | None:
    """The stored document of a row, or None when there is no row or it is of another kind."""
    if item is None or item.get("k") != kind.name:
        return None
    row = upgraded(item)
    version, text = row["v"], row["doc"]
    assert isinstance(version, int) and isinstance(text, str)
    return Stored(id=resource_id, version=version, document=json.loads(text))


def text_of(document: Document) -> str:
    """A document as it is stored; told apart where Python's `==` would not, as 1 and true are."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
