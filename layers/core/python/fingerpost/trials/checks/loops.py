"""Rules that lead to a short link of the account's own, and whether anybody ever arrives from there.

Who is led to a short link scans it: the rules are asked again, about the link's thing and the same person. What the
thing says is known here, what the person brings is not, but for this: the rule that led there matched. So a rule may
hold, fail, or be unknown; a way round that needs nothing unknown is a loop, one that does may be one.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from ...redirection.context import Context
from ...redirection.model import Link
from ...redirection.rulesets import CompiledRules
from ...rules.nodes import AllOf, AnyOf, Negation, Node, Test, from_json, holds
from ...rules.ruleset import with_constants
from ..in_force import as_written
from .findings import Checked, about
from .leads import Lead, leads_of

MAX_LEADS = 50  # to the account's own links, of one set
MAX_HOPS = 10

type Known = Callable[[Link], Context]  # a link -> the fields that its thing decides; a field without a value is None
type FindLink = Callable[[str, str], Link | None]  # domain and short ID -> a link that is in use
type Domains = Collection[str]


def looping(
    compiled: CompiledRules, domains: Domains, find: FindLink, known: Known, *, asked_first: bool = True
) -> Iterator[Checked]:
    """Findings about rules whose URL is on one of the `domains`, which are the account's own.

    `asked_first` unless they are an application's: then it is for the account's rules whether they are asked again.
    """
    own = [each for each in leads_of(compiled) if authority(each.url) in domains][:MAX_LEADS]
    walk = _Walk(compiled, domains, find, known)
    for lead in own:
        where = short_link(lead.url)
        if where is None or "{" in where[1]:
            message = "leads to a short link of this account that values choose; a scan may come back to this rule"
            yield _found("warning", lead, message)
            continue
        link = find(*where)
        name = "/".join(where)
        if link is None:
            message = f"leads to {name}, a short link that is not there"
            yield Checked("error", "noAnswer", about(lead.rule, lead.name, lead.part, message, near=lead.url))
            continue
        returns = walk.returns(lead.rule - 1, link)
        if returns is not None:
            certain = returns and asked_first
            sure = "leads round in a circle" if certain else "may lead round in a circle"
            yield _found("error" if certain else "warning", lead, f"{sure}: a scan of {name} comes back to {name}")


def authority(url: str) -> str:
    """The host with its port, as short domains are written."""
    rest = url.partition("://")[2]
    for mark in "/?#":
        rest = rest.partition(mark)[0]
    return rest.lower()


def short_link(url: str) -> tuple[str, str] | None:
    """The short domain and the short ID of a URL; None when it is not of that form."""
    path = url.partition("://")[2].partition("?")[0].partition("#")[0].partition("/")[2]
    return (authority(url), unquote(path)) if path and "/" not in path else None


def _found(level: str, lead: Lead, message: str) -> Checked:
    finding = about(lead.rule, lead.name, lead.part, message, near=lead.url)
    return Checked("error" if level == "error" else "warning", "redirectLoop", finding)


@dataclass(frozen=True, slots=True)
class _Step:
    """Where a scan of a link may be sent, and whether it surely is."""

    to: str
    certain: bool


class _Walk:
    """From link to link, as the rules send a scan on."""

    def __init__(self, compiled: CompiledRules, domains: Domains, find: FindLink, known: Known):
        self._domains, self._find, self._known = domains, find, known
        self._nodes = [_node(compiled, place) for place in range(len(compiled.rules))]
        self._ways: list[list[str]] = [[] for _ in compiled.rules]
        for lead in leads_of(compiled):
            self._ways[lead.rule - 1].append(lead.url)
        self._own = {place for place, ways in enumerate(self._ways) if any(authority(each) in domains for each in ways)}

    def returns(self, place: int, link: Link) -> bool | None:
        """Whether who is led to `link` by rule `place` comes back to a link: surely (True), perhaps (False), never."""
        assumed = frozenset(_surely_held(self._nodes[place]))
        return self._onward(link, assumed, (link.name,), certain=True)

    def _onward(self, link: Link, assumed: frozenset[Test], path: tuple[str, ...], *, certain: bool) -> bool | None:
        perhaps: bool | None = None
        for step in self._steps(link, assumed):
            where = short_link(step.to) if authority(step.to) in self._domains else None
            if where is None:
                continue
            sure = certain and step.certain
            if "/".join(where) in path or len(path) > MAX_HOPS:
                found: bool | None = sure
            elif (following := self._find(*where)) is None:
                found = None
            else:
                found = self._onward(following, assumed, (*path, following.name), certain=sure)
            if found:
                return True
            perhaps = perhaps if found is None else False
        return perhaps

    def _steps(self, link: Link, assumed: frozenset[Test]) -> Iterator[_Step]:
        known = self._known(link)
        certain = True
        for place, node in enumerate(self._nodes):
            told = _verdict(node, known, assumed)
            if told is False:
                continue
            ways = self._ways[place]
            if place in self._own:
                yield from (_Step(each, certain and told is True and len(ways) == 1) for each in ways)
            if told is True and ways:
                return
            certain = False
        yield _Step(as_written(link.url), certain)


def _node(compiled: CompiledRules, place: int) -> Node:
    rule = compiled.rules[place]
    if rule.get("nodes") is None:
        return AllOf(())
    return with_constants(from_json(rule["nodes"]), rule.get("constants") or {})


def _surely_held(node: Node) -> Iterator[Test]:
    """The tests that held whenever the whole did."""
    match node:
        case Test():
            yield node
        case AllOf(nodes):
            for each in nodes:
                yield from _surely_held(each)
        case _:
            return


def _verdict(node: Node, known: Context, assumed: frozenset[Test]) -> bool | None:
    """Whether a node holds: of what the thing says by that, of all else as far as it was assumed. None: unknown."""
    match node:
        case Test(field):
            return holds(node, known[field]) if field in known else True if node in assumed else None
        case Negation(inner):
            told = _verdict(inner, known, assumed)
            return None if told is None else not told
        case AllOf(nodes):
            verdicts = {_verdict(each, known, assumed) for each in nodes}
            return False if False in verdicts else None if None in verdicts else True
        case AnyOf(nodes):
            verdicts = {_verdict(each, known, assumed) for each in nodes}
            return True if True in verdicts else None if None in verdicts else False
