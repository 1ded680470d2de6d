"""`fingerpost rules simulate` and `backtest`: see what rules do before they do it."""

import json
from typing import Annotated, Any

import typer

from .command import Session, command
from .failure import Negative
from .merging import Merged
from .reading import Application, base_of, moment_of, pairs_of
from .reference import Rules, reference_of
from .rules import rules
from .terminal import Terminal, as_text, moment

SHOWN_RULES = 20
SHOWN_GROUPS = 20
SHOWN_EXAMPLES = 2
SHOWN_PAIRS = 4


@command(rules, "simulate")
def simulate(
    session: Session,
    of: Rules = "live",
    action: Annotated[str | None, typer.Option(metavar="ID", help="A recorded scan; other facts change it.")] = None,
    short_id: Annotated[str | None, typer.Option(help="The link that is scanned.")] = None,
    short_domain: Annotated[str | None, typer.Option(help="Its short domain.")] = None,
    thng: Annotated[str | None, typer.Option(metavar="ID", help="The thng that is scanned.")] = None,
    product: Annotated[str | None, typer.Option(metavar="ID", help="The product that is scanned.")] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="MOMENT", help="When; now when absent.")] = None,
    timezone: Annotated[str | None, typer.Option(metavar="ZONE", help="Europe/Dublin, ...")] = None,
    country: Annotated[str | None, typer.Option(help="IE, GB, ...")] = None,
    region: Annotated[str | None, typer.Option(help="By its name or code.")] = None,
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
    given = {
        "shortId": short_id,
        "shortDomain": short_domain,
        "thng": thng,
        "product": product,
        "timestamp": moment_of(at, "--at"),
        "timezone": timezone,
        "country": country,
        "region": region,
        "city": city,
        "language": language,
        "userAgent": user_agent,
        "query": pairs_of(query or (), "--query") or None,
        "visitor": visitor,
        **_facts(fact or []),
    }
    scan = {name: value for name, value in given.items() if value is not None}
    body |= {name: value for name, value in (("action", action), ("scan", scan)) if value}
    answer = session.client.question(f"{base_of(application)}/simulate", body)
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
    body["scans"] = scans
    address, merged = f"{base_of(application)}/backtest", Merged()
    with session.terminal.progress() as progress:
        task = progress.add_task("scans", total=scans)
        while True:
            answer = session.client.question(address, body)
            merged.add(answer)
            progress.update(task, completed=merged.scans)
            if not answer.get("cursor"):
                break
            body["cursor"] = answer["cursor"]
    result = merged.whole()
    session.terminal.answer(result, lambda: _show_backtested(session.terminal, result))
    if fail_on_change and result["changed"]:
        raise Negative(f"{result['changed']:,} scans would go elsewhere", then="Look at the groups above")


def _show_backtested(terminal: Terminal, result: dict[str, Any]) -> None:
    terminal.say(result["says"], "strong")
    for group in result["groups"][:SHOWN_GROUPS]:
        terminal.say()
        terminal.say(f"{group['scans']:,} scans", "warning")
        terminal.say(f"  from  {group['from'] or 'nowhere'}  ({_rules_of(group, 'from')})")
        terminal.say(f"  to    {group['to'] or 'nowhere'}  ({_rules_of(group, 'to')})")
        for each in group["examples"][:SHOWN_EXAMPLES]:
            terminal.say(f"  such as {each['action']} of {moment(each['timestamp'])}", "quiet")
    hidden = sum(group["scans"] for group in result["groups"][SHOWN_GROUPS:])
    hidden += (result.get("otherGroups") or {}).get("scans", 0)
    if hidden:
        terminal.say(f"and {hidden:,} scans in smaller groups; --json tells more of them", "quiet")
    rows = [
        (
            each["rule"] or "gone",
            each.get("name"),
            each["before"],
            each["after"],
            f"{each['after'] - each['before']:+,}",
        )
        for each in result.get("rules") or ()
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
    """The rules of one side, the first by scans first."""
    names: dict[str, None] = {}
    for pair in sorted(group["rules"], key=lambda each: -each["scans"]):
        number, name = pair.get(side), pair.get(f"{side}Name")
        names[f"rule {number}{f' {name}' if name else ''}" if number else "no rule"] = None
    shown = list(names)[:SHOWN_PAIRS]
    return ", ".join(shown) + (f" and {len(names) - len(shown)} more" if len(names) > len(shown) else "")


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
