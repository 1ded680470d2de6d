"""Which scripts and declarative rules an event concerns: all filters of a project are asked at once, before one starts.

What reacts is read anew for each batch of changes, so that whoever is told that a script is ready finds it reacting to
whatever happens from then on. It is taken apart and compiled only when it has changed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import keys
from ..log import warning
from ..ports.table import Item, Tables, Throttled, Unreachable
from ..rules.nodes import Context, fields, from_json, predicate
from ..rules.ruleset import RuleSet
from ..sight import ALL
from . import published
from .events import Event
from .published import Published
from .runs import Payload, Run
from .subjects import Asked

MAX_KEPT = 500  # projects whose compiled filters are kept
_PAGE = 200

type Nodes = list[Any] | None  # a filter in its stored form; None where everything passes


@dataclass(frozen=True, slots=True)
class Target:
    """What may run: a function of an application's script or, by its name, one of its rules."""

    app: str
    version: int
    rule: str | None = None


class Listeners:
    """All of a project that listens to one kind of event, with their filters as one set."""

    def __init__(self, listening: Sequence[tuple[Target, Nodes]]):
        self._targets = [target for target, _ in listening]
        self._filters = [nodes for _, nodes in listening]
        self._set: RuleSet | None
        try:
            self._set = RuleSet.load(self._filters)
        except Exception as error:
            warning("filters cannot be compiled together", error=repr(error))
            self._set = None
        each = (_fields(nodes, target) for target, nodes in listening)
        mentioned = each if self._set is None else [self._set.fields]
        self.fields: frozenset[str] = frozenset().union(*mentioned)

    def passed_by(self, asked: Context) -> list[Target]:
        """Whose filters let an event pass. One that cannot be evaluated does. Raises Throttled, Unreachable."""
        if self._set is not None:
            try:
                return [self._targets[number] for number in self._set.matches_all(asked)]
            except (Throttled, Unreachable):
                raise
            except Exception as error:
                warning("filters cannot be evaluated together", error=repr(error))
        pairs = zip(self._targets, self._filters, strict=True)
        return [target for target, nodes in pairs if _passes(nodes, asked, target)]


class Reacting:
    """All that reacts in one project, by the name of the event's function."""

    def __init__(self, version: int, listeners: Mapping[str, Listeners]):
        self.version, self.listeners = version, listeners


class CompiledSets:
    """What was compiled of each project, until it changes. May be shared by threads."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Reacting] = {}

    def of(self, account: str, project: str, item: Item) -> Reacting:
        """What the row of a project says."""
        kept = self._kept.get((account, project))
        if kept is None or kept.version != item["v"]:
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            kept = self._kept[account, project] = compiled(published.from_item(item))
        return kept


class Batch:
    """The events of one batch of changes, and what of their projects reacts. `tables` are unscoped.

    Everything here raises Throttled and Unreachable.
    """

    def __init__(self, events: Iterable[Event], tables: Tables, sets: CompiledSets):
        self._tables = tables
        self._projects: dict[tuple[str, str], tuple[str, ...]] = {}  # of an account, when an event concerns all
        concerned = {(event.account, project) for event in events for project in self._concerned(event)}
        rows = {keys.owned(account, keys.reactor(project)): (account, project) for account, project in concerned}
        found = tables.main.get_many(sorted(rows), consistent=True) if rows else {}
        self._reacting = {rows[key]: sets.of(*rows[key], item) for key, item in found.items()}

    def runs_of(self, event: Event) -> Iterator[Run]:
        """The runs that an event makes necessary, in order."""
        payload: Payload | None = None
        for project in self._concerned(event):
            reacting = self._reacting.get((event.account, project))
            listeners = None if reacting is None else reacting.listeners.get(event.function)
            if listeners is None:
                continue
            for target in listeners.passed_by(Asked(event.subject, project, listeners.fields)):
                if payload is None:
                    payload = event.subject.payload()
                yield _run(event, project, target, payload)

    def _concerned(self, event: Event) -> tuple[str, ...]:
        if ALL not in event.projects:
            return tuple(dict.fromkeys(event.projects))
        if (event.account, ALL) not in self._projects:
            self._projects[event.account, ALL] = tuple(_all_projects(self._tables.of(event.account)))
        return self._projects[event.account, ALL]


def compiled(what: Published) -> Reacting:
    listening: dict[str, list[tuple[Target, Nodes]]] = {}
    for script in what.scripts.values():
        for function in script.functions:
            its = script.filters.get(function)
            target = Target(script.app, script.version)
            listening.setdefault(function, []).append((target, None if its is None else its.nodes))
    for app, rules in what.rules.items():
        for rule in rules:
            target = Target(app, rule["version"], rule["name"])
            listening.setdefault(_function_of(rule["event"]), []).append((target, rule.get("nodes")))
    return Reacting(what.version, {function: Listeners(each) for function, each in listening.items()})


def _function_of(event: str) -> str:
    """The function that is told of an event, by the name that rules have for it: onActionCreated of actionCreated."""
    return f"on{event[0].upper()}{event[1:]}"


def _run(event: Event, project: str, target: Target, payload: Payload) -> Run:
    return Run(
        event=event.id,
        account=event.account,
        project=project,
        app=target.app,
        function=event.function,
        payload=payload,
        at=event.at,
        cause=event.cause,
        chain=event.chain,
        kind="script" if target.rule is None else "rule",
        script=target.version,
        rule=target.rule or "",
    )


def _all_projects(tables: Tables) -> Iterator[str]:
    """The projects of an account; also some that are gone, where nothing reacts."""
    partition, after = keys.index(keys.ACCOUNT_SCOPE, "project", "", "", 0), None
    while True:
        page = tables.log.query(partition, after=after, limit=_PAGE)
        yield from (row.key.sk for row in page.rows)
        if (after := page.after) is None:
            return


def _passes(nodes: Nodes, asked: Context, target: Target) -> bool:
    """Whether one filter lets an event pass: also when it cannot be evaluated."""
    try:
        return nodes is None or predicate(from_json(nodes))(asked)
    except (Throttled, Unreachable):
        raise
    except Exception as error:
        warning("a filter cannot be evaluated", app=target.app, rule=target.rule, error=repr(error))
        return True


def _fields(nodes: Nodes, target: Target) -> frozenset[str]:
    """What one filter mentions; nothing of one that cannot be read."""
    try:
        return frozenset() if nodes is None else fields(from_json(nodes))
    except (TypeError, ValueError) as error:
        warning("a filter cannot be read", app=target.app, rule=target.rule, error=repr(error))
        return frozenset()
