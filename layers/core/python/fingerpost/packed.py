"""Pages: several rows of one partition and one window of time in one row, which costs one write where they cost many.

A window is what ids have in common that begin with the same seven characters: 2.5 seconds. A page's sort key is its
window, `!` and a digest of what it holds, so it stands before every id of its window, and a batch that comes again
writes the same page again. Pages of differently cut batches overlap: a page says that its rows are there, never that
they are there once, and whoever reads takes each id once. `entries` is how both forms are read. Rows that are alike
share their fields in a page; who it was (WHO) is kept beside each id, for it would make every row another.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from .ports.table import LAST, ConditionFailed, Equals, Item, Key, Put, Row, Table, Unreachable
from .retry import attempts
from .shapes import stamp, upgraded

WINDOW = 7  # characters of an id: `U` and six of eight digits of its time, so 50 * 50 ms
PAGE_MARK = "!"  # sorts before every character of an id
MAX_PAGE_BYTES = 3_900  # of ids and what goes with them; with its key a page stays under 4 KB
REMOVAL_ATTEMPTS = 8
_ID_CHARACTERS = 24
REST = _ID_CHARACTERS - WINDOW  # characters of an id that its window does not say
WHO, WHO_CHARACTERS = "who", 12  # a field of a row that its page keeps beside its id, and how long it always is

type PagePartition = Callable[[str, str], str]  # (a row's partition, its window) -> the partition of its window's pages


def window_of(sort_key: str) -> str:
    return sort_key[:WINDOW]


def rest_of(action_id: str) -> str:
    """An id without its window. Raises ValueError for an id that is not ours: its length would tear the others."""
    if len(action_id) != _ID_CHARACTERS:
        raise ValueError(f"{action_id!r} has {len(action_id)} characters, not {_ID_CHARACTERS}")
    return action_id[WINDOW:]


def rests(ids: str) -> Iterator[str]:
    """The inverse of joining what `rest_of` answers."""
    return (ids[start : start + REST] for start in range(0, len(ids), REST))


def is_page(sort_key: str) -> bool:
    return sort_key[WINDOW : WINDOW + 1] == PAGE_MARK


def packed(puts: Iterable[Put], partition: PagePartition) -> list[Put]:
    """The same rows in as few puts as hold them. A row without company in its window, or with no id of ours, stays."""
    alone: list[Put] = []
    windows: dict[tuple[str, str], list[Put]] = defaultdict(list)
    for put in {put.key: put for put in puts}.values():
        if len(put.key.sk) == _ID_CHARACTERS and not is_page(put.key.sk):
            window = window_of(put.key.sk)
            windows[partition(put.key.pk, window), window].append(put)
        else:
            alone.append(put)
    for (pk, window), members in windows.items():
        for some in _cut(sorted(members, key=lambda put: put.key.sk)):
            if len(some) == 1:
                alone += some
            else:
                alone.append(_page(pk, window, some))
    return alone


def expanded(row: Row) -> list[Row]:
    """The rows that a row of a partition with pages stands for, by their ids; a single row is itself."""
    if not is_page(row.key.sk):
        return [row]
    window = window_of(row.key.sk)
    return [
        Row(Key(row.key.pk, window + rest), {**group["item"], WHO: who} if who else group["item"])
        for group in upgraded(row.item)["groups"]
        for rest, who in _members(group)
    ]


def entries(
    log: Table,
    partition: str,
    *,
    low: str = "",
    high: str = LAST,
    after: str | None = None,
    descending: bool = False,
    limit: int = 100,
    then: int = 100,
) -> Iterator[Row]:
    """Rows of one partition with `low <= id <= high` beyond `after`, each id once, in order, out of pages or alone.

    Reads `limit` rows, then `then` at a time, and a window whole before the first id in it.
    """
    first = window_of(low)
    if after is not None and not descending:
        first = max(first, window_of(after))

    def rows() -> Iterator[Row]:
        position, size = (after if descending else None), limit
        while True:
            page = log.query(
                partition, low=first, high=high, after=position, descending=descending, limit=size, consistent=True
            )
            yield from page.rows
            if page.after is None:
                return
            position, size = page.after, then

    for _, group in groupby(rows(), key=lambda row: window_of(row.key.sk)):
        found = {row.key.sk: row for each in group for row in expanded(each)}
        for sk in sorted(found, reverse=descending):
            beyond = after is None or (sk < after if descending else sk > after)
            if beyond and low <= sk <= high:
                yield found[sk]


def remove(log: Table, key: Key, partition: PagePartition) -> None:
    """Delete one row, alone and in every page that holds it. Raises Unreachable when others keep changing a page."""
    log.delete(key)
    window = window_of(key.sk)
    pages = partition(key.pk, window)
    position: str | None = None
    while True:
        low = window + PAGE_MARK
        found = log.query(pages, low=low, high=low + LAST, after=position, consistent=True)
        for row in found.rows:
            _take_out(log, row, key.sk)
        if found.after is None:
            return
        position = found.after


def _take_out(log: Table, row: Row, wanted: str) -> None:
    item: Item | None = row.item
    for _ in attempts(REMOVAL_ATTEMPTS):
        if item is None or all(each.key.sk != wanted for each in expanded(Row(row.key, item))):
            return
        rest = wanted[WINDOW:]
        left = ([each for each in _members(group) if each[0] != rest] for group in item["groups"])
        groups = [_group(old["item"], members) for old, members in zip(item["groups"], left, strict=True) if members]
        unchanged = (Equals("v", item["v"]),)
        try:
            if groups:
                log.put(row.key, {**item, "v": item["v"] + 1, "groups": groups}, when=unchanged)
            else:
                log.delete(row.key, when=unchanged)
        except ConditionFailed as failure:
            item = failure.old
        else:
            return
    raise Unreachable(f"others keep changing the page {row.key.sk}")


def _cut(members: list[Put]) -> Iterator[list[Put]]:
    """In order, as many at once as a page may hold."""
    some: list[Put] = []
    size, items = 0, set[str]()
    for put in members:
        shared, who = _shared(put.item)
        text = _text(shared)
        own = REST + len(who)
        more = own + (0 if text in items else len(text.encode()))
        if some and size + more > MAX_PAGE_BYTES:
            yield some
            some, size, items = [], 0, set()
            more = own + len(text.encode())
        some.append(put)
        size += more
        items.add(text)
    yield some


def _page(pk: str, window: str, members: list[Put]) -> Put:
    by_item: dict[tuple[str, bool], list[tuple[str, str]]] = defaultdict(list)
    items: dict[tuple[str, bool], Item] = {}
    for put in members:
        shared, who = _shared(put.item)
        kind = _text(shared), bool(who)
        items[kind] = shared
        by_item[kind].append((put.key.sk[WINDOW:], who))
    groups = [_group(items[kind], by_item[kind]) for kind in items]
    digest = hashlib.blake2b(_text(groups).encode(), digest_size=9).hexdigest()
    ends = [put.expires_at for put in members if put.expires_at is not None]
    return Put(
        Key(pk, f"{window}{PAGE_MARK}{digest}"),
        {**stamp("page"), "v": 1, "groups": groups},
        expires_at=max(ends) if ends else None,
    )


def _shared(item: Item) -> tuple[Item, str]:
    """A row's fields without who it was, and that."""
    who = item.get(WHO, "")
    if not who:
        return item, ""
    if len(who) != WHO_CHARACTERS:
        raise ValueError(f"{who!r} has {len(who)} characters, not {WHO_CHARACTERS}")
    return {name: value for name, value in item.items() if name != WHO}, who


def _group(item: Item, members: list[tuple[str, str]]) -> Item:
    """Rows that are alike: their fields, the rests of their ids, and who each was where that is known."""
    group: Item = {"item": item, "ids": "".join(rest for rest, _ in members)}
    if members[0][1]:
        group[WHO] = "".join(who for _, who in members)
    return group


def _members(group: Item) -> Iterator[tuple[str, str]]:
    """The inverse: (rest, who) of each; `who` is empty where it is not known."""
    who = group.get(WHO, "")
    for number, rest in enumerate(rests(group["ids"])):
        yield rest, who[number * WHO_CHARACTERS : (number + 1) * WHO_CHARACTERS]


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
