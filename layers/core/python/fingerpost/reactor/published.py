"""What of a project reacts to events: one row, which dispatch reads (and keeps for some seconds) to decide.

Shape: `v`, raised with every change; `z`, compressed JSON: `scripts` by application, `rules` by application.
"""

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .. import keys
from ..errors import Conflict, FingerpostError, TooLarge
from ..ports.table import Absent, Equals, Item, ItemTooLarge, Put, Table, TransactionFailed, Write
from ..retry import attempts
from ..shapes import stamp, upgraded

ATTEMPTS = 8
MAX_BYTES = 350 * 1024  # of all that reacts in one project, compressed

type StoredRule = Mapping[str, Any]  # a declarative rule as its own module keeps it
type Also = Sequence[tuple[Write, FingerpostError]]  # a write, and what to raise when its condition does not hold


@dataclass(frozen=True, slots=True)
class Filter:
    """A function's `@filter`: its text (the truth) and the stored form of its tree, as rule rows keep it."""

    text: str
    nodes: list[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """An application's script that runs now. `functions` are those it may have: a run decides whether it has one."""

    app: str
    version: int
    bundle: str  # the name of the blob
    functions: tuple[str, ...]
    filters: Mapping[str, Filter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Published:
    """All that reacts in a project. `version` is 0 before anything did."""

    version: int = 0
    scripts: Mapping[str, Script] = field(default_factory=dict)
    rules: Mapping[str, tuple[StoredRule, ...]] = field(default_factory=dict)


NOTHING = Published()


def read(main: Table, project: str) -> Published:
    """One consistent read. `main` is the account's own table."""
    item = main.get(keys.reactor(project), consistent=True)
    return NOTHING if item is None else from_item(item)


def set_script(main: Table, project: str, script: Script, also: Also = ()) -> None:
    """Let a script run from now on, together with `also`. Raises Conflict, TooLarge, and what `also` says."""
    _change(main, project, lambda now: replace(now, scripts={**now.scripts, script.app: script}), also)


def set_rules(main: Table, project: str, app: str, rules: Sequence[StoredRule], also: Also = ()) -> None:
    """Let these declarative rules of an application hold from now on. Raises as `set_script` does."""
    own = {app: tuple(rules)} if rules else {}
    _change(main, project, lambda now: replace(now, rules={**_without(now.rules, app), **own}), also)


def forget(main: Table, project: str, app: str) -> None:
    """Nothing of an application reacts any more. The row stays, so that its version only grows."""
    for _ in attempts(ATTEMPTS):
        now = read(main, project)
        rest = replace(now, scripts=_without(now.scripts, app), rules=_without(now.rules, app))
        if rest == now:
            return
        try:
            main.transact([_put(project, rest)])
        except TransactionFailed:
            continue
        return
    raise Conflict("What reacts in this project keeps changing; send the request again")


def to_item(published: Published) -> Item:
    scripts = {
        app: {
            "version": script.version,
            "bundle": script.bundle,
            "functions": list(script.functions),
            "filters": {name: [each.text, each.nodes] for name, each in script.filters.items()},
        }
        for app, script in published.scripts.items()
    }
    rules = {app: list(each) for app, each in published.rules.items()}
    text = json.dumps({"scripts": scripts, "rules": rules}, ensure_ascii=False, separators=(",", ":"))
    return {**stamp("reactor"), "v": published.version, "z": zlib.compress(text.encode(), 6)}


def from_item(item: Item) -> Published:
    row = upgraded(item)
    document = json.loads(zlib.decompress(row["z"]))
    scripts = {
        app: Script(
            app=app,
            version=each["version"],
            bundle=each["bundle"],
            functions=tuple(each["functions"]),
            filters={name: Filter(text, nodes) for name, (text, nodes) in each["filters"].items()},
        )
        for app, each in document["scripts"].items()
    }
    return Published(row["v"], scripts, {app: tuple(each) for app, each in document["rules"].items()})


def _change(main: Table, project: str, change: Callable[[Published], Published], also: Also) -> None:
    for _ in attempts(ATTEMPTS):
        writes = [_put(project, change(read(main, project))), *[write for write, _ in also]]
        try:
            main.transact(writes)
        except TransactionFailed as failure:
            for (_, error), reason in zip(also, failure.reasons[1:], strict=True):
                if reason.kind == "condition":
                    raise error from failure
            continue
        except ItemTooLarge as error:
            raise _too_large() from error
        return
    raise Conflict("What reacts in this project keeps changing; send the request again")


def _put(project: str, published: Published) -> Put:
    """The row's next version, unless it has changed since `published` was read. Raises TooLarge."""
    item = to_item(replace(published, version=published.version + 1))
    if len(item["z"]) > MAX_BYTES:
        raise _too_large()
    unchanged = Equals("v", published.version) if published.version else Absent()
    return Put(keys.reactor(project), item, (unchanged,))


def _too_large() -> TooLarge:
    return TooLarge(f"Filters and rules of all that reacts in one project have at most {MAX_BYTES:,} bytes, compressed")


def _without[T](mapping: Mapping[str, T], name: str) -> dict[str, T]:
    return {each: value for each, value in mapping.items() if each != name}
