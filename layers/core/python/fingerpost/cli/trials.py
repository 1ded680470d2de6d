"""`fingerpost rules simulate` and `backtest`: see what rules do before they do it."""

import json
from collections import defaultdict
from typing import Annotated, Any

import typer

from .command import Session, command
from .failure import Negative
from .reading import Application, base_of, moment_of, pairs_of
from .reference import Rules, reference_of
from .rules import rules
from .terminal import Terminal, as_text, moment

SHOWN_RULES = 20
SHOWN_GROUPS = 20
SHOWN_EXAMPLES = 3


@command(rules, "simulate")
def simulate(
    session: Session,
    of: Rules = "live",
    action: Annotated[str | None, typer.Option(metavar="ID", help="A recorded scan, not described facts.")] = None,
    short_id: Annotated[str | None, typer.Option(help="The link that is scanned.")] = None,
    short_domain: Annotated[str | None, typer.Option(help="Its short domain.")] = None,
    thng: Annotated[str | None, typer.Option(metavar="ID", help="The thng that is scanned.")] = None,
    product: Annotated[str | None, typer.Option(metavar="ID", help="The product that is scanned.")] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="MOMENT", help="When; now when absent.")] = None,
    timezone: Annotated[str | None, typer.Option(metavar="ZONE", help="Europe/Dublin, ...")] = None,
    country: Annotated[str | None, typer.Option(help="IE, GB, ...")] = None,
    city: Annotated[str | None, typer.Option(help="By its name.")] = None,
    language: Annotated[str | None, typer.Option(help="As browsers send it: fr-IE, en;q=0.5")] = None,
    user_agent: Annotated[str | None, typer.Option(help="As browsers send it.")] = None,
    query: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="Of the short URL; repeat it.")] = None,
    visitor: Annotated[str | None, typer.Option(help="Any text: who it is, for split tests.")] = None,
    fact: Annotated[
        list[str] | None, typer.Option(metavar="FACT=JSON", help="Any other fact, as latitude=53.3; repeat it.")
    ] = None,
    all_rules: Annotated[
        bool, typer.Option("--all", help="Every rule, not those up to the deciding one alone.")
    ] = False,
    application: Application = None,
) -> None:
    """Say where a scan would go, and why, rule by rule. Nothing is recorded."""
    reference = reference_of(of)
    body = reference.body()
    if action is not None:
        body["action"] = action
    else:
        given = {
            "shortId": short_id,
            "shortDomain": short_domain,
            "thng": thng,
            "product": product,
            "timestamp": moment_of(at, "--at"),
            "timezone": timezone,
            "country": country,
            "city": city,
            "language": language,
            "userAgent": user_agent,
            "query": pairs_of(query or (), "--query") or None,
            "visitor": visitor,
            **_facts(fact or []),
        }
        body["scan"] = {name: value for name, value in given.items() if value is not None}
    answer = session.client.post(f"{base_of(application)}/simulate", body)
    session.terminal.answer(answer, lambda: _show_simulated(session.terminal, answer, all_rules=all_rules))


def _facts(texts: list[str]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for name, text in pairs_of(texts, "--fact").items():
        try:
            facts[name] = json.loads(text)
        except ValueError:
            facts[name] = text
    return facts


def _show_simulated(terminal: Terminal, answer: dict[str, Any], *, all_rules: bool) -> None:
    decided = answer.get("rule")
    terminal.say(answer.get("redirectUrl") or "nowhere", "strong")
    terminal.say(answer["says"])
    told = answer.get("rules") or []
    if not all_rules and decided:
        told = [each for each in told if each["rule"] <= decided]
    shown = told if all_rules else told[-SHOWN_RULES:]
    if len(shown) < len(told):
        terminal.note(f"{len(told) - len(shown):,} rules before these did not match; --all shows them")
    terminal.say()
    for each in shown:
        mark = as_text("✓ ", "good") if each["matched"] else as_text("· ", "quiet")
        name = f" {each['name']}" if each.get("name") else ""
        terminal.say(mark + as_text(f"rule {each['rule']}{name}: {each['says']}"))
    filled = answer.get("template") or []
    if filled:
        terminal.say()
        terminal.table(
            ("in the URL", "is", "from"),
            [(each["field"], _shown(each["value"]), each.get("source")) for each in filled],
        )


@command(rules, "backtest")
def backtest(
    session: Session,
    of: Rules,
    against: Annotated[int | None, typer.Option(metavar="VERSION", help="The live version when absent.")] = None,
    scans: Annotated[int, typer.Option("--scans", "-n", min=1, help="How many recorded scans, newest first.")] = 10_000,
    filter_: Annotated[str | None, typer.Option("--filter", "-f", help="Which, as in lists of actions.")] = None,
    from_: Annotated[str | None, typer.Option("--from", metavar="MOMENT", help="Not older than that.")] = None,
    to: Annotated[str | None, typer.Option(metavar="MOMENT", help="Not newer than that.")] = None,
    fail_on_change: Annotated[bool, typer.Option("--fail-on-change", help="End with 1 when any would.")] = False,
    application: Application = None,
) -> None:
    """Ask rules about the scans that were recorded: which would go elsewhere, and by which rule."""
    query = {
        "against": against,
        "filter": filter_,
        "from": moment_of(from_, "--from"),
        "to": moment_of(to, "--to"),
    }
    body = reference_of(of).body() | {name: value for name, value in query.items() if value is not None}
    address, merged, left = f"{base_of(application)}/backtest", Merged(), scans
    with session.terminal.progress() as progress:
        task = progress.add_task("scans", total=scans)
        while left > 0:
            answer = session.client.post(address, {**body, "scans": left})
            merged.add(answer)
            left -= answer["scans"]
            progress.update(task, completed=merged.document["scans"])
            if not answer.get("cursor"):
                break
            body["cursor"] = answer["cursor"]
    result = merged.whole()
    session.terminal.answer(result, lambda: _show_backtested(session.terminal, result))
    if fail_on_change and result["changed"]:
        raise Negative(f"{result['changed']:,} scans would go elsewhere", then="Look at the groups above")


class Merged:
    """The answers of one backtest that took several requests, as one."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = {"scans": 0, "changed": 0, "unchanged": 0, "recordedElsewhere": 0}
        self._groups: dict[tuple[Any, Any], dict[str, Any]] = {}
        self._rules: dict[int, dict[str, Any]] = {}

    def add(self, answer: dict[str, Any]) -> None:
        for name in ("scans", "changed", "unchanged", "recordedElsewhere"):
            self.document[name] += answer.get(name) or 0
        since = [each["since"] for each in (self.document, answer) if each.get("since") is not None]
        until = [each["until"] for each in (self.document, answer) if each.get("until") is not None]
        self.document |= {"since": min(since, default=None), "until": max(until, default=None)}
        for group in answer["groups"]:
            self._add_group(group)
        for rule in answer.get("rules") or ():
            known = self._rules.setdefault(rule["rule"], {**rule, "before": 0, "after": 0})
            known["before"] += rule["before"]
            known["after"] += rule["after"]

    def _add_group(self, group: dict[str, Any]) -> None:
        known = self._groups.get((group["from"], group["to"]))
        if known is None:
            self._groups[group["from"], group["to"]] = {**group}
            return
        counts: dict[tuple[Any, Any], int] = defaultdict(int)
        for pair in (*known["rules"], *group["rules"]):
            counts[pair.get("from"), pair.get("to")] += pair["scans"]
        known["rules"] = [{"from": old, "to": new, "scans": count} for (old, new), count in counts.items()]
        known["scans"] += group["scans"]
        known["examples"] = (known["examples"] + group["examples"])[: max(SHOWN_EXAMPLES, len(known["examples"]))]

    def whole(self) -> dict[str, Any]:
        groups = sorted(self._groups.values(), key=lambda each: -each["scans"])
        rules_told = [self._rules[number] for number in sorted(self._rules)]
        scans, changed = self.document["scans"], self.document["changed"]
        says = f"{changed:,} of {scans:,} recorded scans would go elsewhere" if scans else "no scans are recorded"
        return {**self.document, "groups": groups, "rules": rules_told, "says": says}


def _show_backtested(terminal: Terminal, result: dict[str, Any]) -> None:
    terminal.say(result["says"], "strong")
    if result.get("since"):
        terminal.say(f"from {moment(result['since'])} to {moment(result['until'])}", "quiet")
    for group in result["groups"][:SHOWN_GROUPS]:
        terminal.say()
        terminal.say(f"{group['scans']:,} scans", "warning")
        terminal.say(f"  from  {group['from'] or 'nowhere'}  ({_rules_of(group, 'from')})")
        terminal.say(f"  to    {group['to'] or 'nowhere'}  ({_rules_of(group, 'to')})")
        for each in group["examples"][:SHOWN_EXAMPLES]:
            terminal.say(f"  such as {each['action']} of {moment(each['timestamp'])}", "quiet")
    if len(result["groups"]) > SHOWN_GROUPS:
        terminal.note(f"and {len(result['groups']) - SHOWN_GROUPS:,} more groups; --json has them all")
    rows = [
        (each["rule"], each.get("name"), each["before"], each["after"], f"{each['after'] - each['before']:+,}")
        for each in result["rules"]
        if each["before"] or each["after"]
    ]
    if rows:
        terminal.say()
        terminal.table(("rule", "name", "before", "after", ""), rows, numbers=("rule", "before", "after", ""))
    if result.get("recordedElsewhere"):
        terminal.note(
            f"{result['recordedElsewhere']:,} of the scans went elsewhere when they happened: "
            "rules or things have changed since"
        )


def _rules_of(group: dict[str, Any], side: str) -> str:
    numbers = sorted({pair.get(side) for pair in group["rules"] if pair.get(side)})
    others = any(not pair.get(side) for pair in group["rules"])
    parts = [f"rule {', '.join(map(str, numbers))}"] if numbers else []
    return " or ".join(parts + (["no rule"] if others else []))


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
