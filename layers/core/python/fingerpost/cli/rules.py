"""`fingerpost rules`: look at rules, check them, publish them, go back."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ..body import validated
from ..errors import Invalid
from ..redirection.documents import SentApplicationRules, SentRules
from ..redirection.publish import examine
from ..trials.checks.findings import documents
from ..trials.checks.static import checked
from .command import Session, command, group
from .failure import Negative, Refused, Usage
from .findings import answer_findings, located, refuse_errors
from .reading import Application, base_of, moment_of
from .reference import Files, Reference, Rules, reference_of
from .rule_files import RuleFile, read_rule_file, rule_text, with_based_on
from .terminal import moment, written

rules = group("The rules that decide where a scan goes: check, try, publish, go back.")

Reason = Annotated[str | None, typer.Option("--reason", "-m", help="Why, for the history.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
SEE = (
    "`fingerpost rules diff {}` shows where it differs from what is live; take over what you want to keep, "
    "then push again with --based-on live"
)


@command(rules, "check")
def check(
    session: Session,
    files: Files,
    application: Application = None,
    online: Annotated[bool, typer.Option("--online", help="Ask the server too: scans, targets, domains.")] = False,
    targets: Annotated[bool, typer.Option(help="With --online: see whether the targets answer.")] = True,
) -> None:
    """Find what is wrong with rule files. Needs no server; ends with 1 when there are errors or warnings."""
    findings, read = [], [read_rule_file(each) for each in files]
    for file in read:
        found = check_online(session, file, application, targets) if online else check_here(file, application)
        findings += found
    answer_findings(session.terminal, read, findings)


def check_here(file: RuleFile, application: str | None) -> list[dict[str, Any]]:
    """What the text of the rules tells, without a server."""
    model: type[SentRules | SentApplicationRules] = SentRules if application is None else SentApplicationRules
    try:
        sent = validated(model, {"rules": file.rules})
        found = documents(checked(sent, examine(sent, strict=True)))
    except Invalid as invalid:  # too many rules, or too large ones
        raise Usage(f"{file.path}: {invalid}", then="Split the rules, or say more with lists of values") from invalid
    return [located(each, file) for each in found["findings"]]


def check_online(session: Session, file: RuleFile, application: str | None, targets: bool) -> list[dict[str, Any]]:
    """What the server knows beside that: what is scanned, who answers, which domains are the account's own."""
    body = {"rules": file.rules, "targets": targets}
    answer = session.client.question(f"{base_of(application)}/check", body)
    return [located(each, file) for each in answer["findings"]]


@command(rules, "pull")
def pull(
    session: Session,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Where to; on screen when absent.")] = None,
    of: Annotated[str, typer.Option("--of", metavar="RULES", help="live, a version's number, draft:NAME.")] = "live",
    application: Application = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file when there is one.")] = False,
) -> None:
    """Write rules to a file, ready to be changed, checked, kept in git and pushed."""
    base, reference = base_of(application), reference_of(of)
    if file is not None and file.exists() and not overwrite:
        raise Usage(f"{file} is there already", then="Say --overwrite, or choose another name")
    content = reference.rules(session.client, base)
    live = session.client.get(base).get("version", 0)
    suffix = ".yaml" if file is None else file.suffix
    text = rule_text(content, suffix=suffix, based_on=None if file is None else live)
    if file is None:
        session.terminal.answer({"rules": content}, lambda: session.terminal.raw(text))
        return
    try:
        written(file, text.encode())
    except OSError as error:
        raise Usage(f"{file} cannot be written: {error.strerror}") from error
    session.terminal.answer(
        {"file": str(file), "rules": len(content), "basedOn": live},
        lambda: session.terminal.say(f"{file}: {len(content):,} rules of {reference.title}, live is version {live}"),
    )


@command(rules, "diff")
def diff(
    session: Session,
    new: Rules,
    old: Annotated[str, typer.Option("--from", metavar="RULES", help="What to compare with.")] = "live",
    application: Application = None,
) -> None:
    """Say in words what is different. Ends with 1 when something is."""
    document = difference(session, base_of(application), reference_of(old), reference_of(new))
    session.terminal.answer(document, lambda: show_difference(session, document))
    if document["changes"]:
        raise typer.Exit(Negative.exit_code)


def difference(session: Session, base: str, old: Reference, new: Reference) -> dict[str, Any]:
    """`{changes: [{kind, rule, was, name, says}], says}`."""
    answer: dict[str, Any] = session.client.question(f"{base}/diff", {"from": old.body(), "to": new.body()})
    return answer


def show_difference(session: Session, document: dict[str, Any]) -> None:
    styles = {"added": "good", "removed": "error", "changed": "warning", "moved": "note"}
    marks = {"added": "+", "removed": "-", "changed": "~", "moved": ">"}
    for change in document["changes"]:
        session.terminal.say(f"{marks.get(change['kind'], '~')} {change['says']}", styles.get(change["kind"], ""))
    if not document["changes"]:
        session.terminal.say(document["says"])


@command(rules, "push")
def push(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The rule file.")],
    reason: Reason = None,
    draft: Annotated[str | None, typer.Option("--draft", "-d", metavar="NAME", help="Keep it as a draft.")] = None,
    based_on: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="The version you have seen; live is whatever is live now."),
    ] = None,
    starts_at: Annotated[str | None, typer.Option(metavar="MOMENT", help="Live from then on, not at once.")] = None,
    ends_at: Annotated[str | None, typer.Option(metavar="MOMENT", help="Until then; what was before is back.")] = None,
    application: Application = None,
    yes: Yes = False,
) -> None:
    """Publish a rule file, after a check and a look at what changes.

    Refused when somebody published since the version that the file is based on: the answer says who, and what.
    """
    base, read = base_of(application), read_rule_file(file)
    if draft is not None:
        _push_draft(session, base, read, draft, reason)
        return
    refuse_errors(session.terminal, read, check_here(read, application), "nothing was published")
    live = session.client.get(base).get("version", 0)
    seen = version_seen(based_on, read, live)
    if seen == live:
        document = difference(session, base, Reference(), Reference(file=read))
        if not session.terminal.as_json:
            show_difference(session, document)
        if not document["changes"] and starts_at is None:
            session.terminal.answer({"version": live, "changes": []}, lambda: None)
            return
    if not yes and session.terminal.is_watched and not session.terminal.confirm("Publish this?"):
        raise Negative("Nothing was published", then="Say --yes to publish without being asked")
    body = {
        "rules": read.rules,
        "basedOn": seen,
        "reason": reason,
        "startsAt": moment_of(starts_at, "--starts-at"),
        "endsAt": moment_of(ends_at, "--ends-at"),
    }
    given = {name: each for name, each in body.items() if each is not None}
    published = _published(session, f"{base}/versions", given, then=SEE.format(file), strict=True)
    _show_published(session, published)
    if starts_at is None and (content := with_based_on(read, published["version"])) is not None:
        written(file, content)
        session.terminal.note(f"{file} is based on version {published['version']} now")


def version_seen(based_on: str | None, file: RuleFile, live: int) -> int:
    """The version that who pushes a file has looked at. Raises Usage."""
    if based_on is None:
        return live if file.based_on is None else file.based_on
    if based_on == "live":
        return live
    if not (based_on.isascii() and based_on.isdigit()):
        raise Usage(f"--based-on: {based_on!r} is no version", then="Write a number, or live")
    return int(based_on)


def _push_draft(session: Session, base: str, file: RuleFile, name: str, note: str | None) -> None:
    body = {"rules": file.rules, "basedOn": file.based_on, "note": note}
    document = session.client.put(
        f"{base}/drafts/{name}", {field: value for field, value in body.items() if value is not None}
    )

    def for_people() -> None:
        mistakes = document.get("findings") or []
        many = "s" if len(mistakes) > 1 else ""
        state = f"{len(mistakes):,} mistake{many}, which `fingerpost rules check` shows" if mistakes else "checked"
        session.terminal.say(f"draft:{name} holds {len(file.rules):,} rules, {state}")

    session.terminal.answer(document, for_people)


def _published(
    session: Session, address: str, body: dict[str, Any], *, then: str, strict: bool = False
) -> dict[str, Any]:
    """The version that came of it. Raises Refused, with what to do `then` when others were faster."""
    try:
        answer: dict[str, Any] = session.client.post(address, body, {"strict": "true"} if strict else None)
    except Refused as refusal:
        if refusal.status == 409:
            refusal.then = then
        raise
    return answer


def _show_published(session: Session, document: dict[str, Any]) -> None:
    def for_people() -> None:
        number = document["version"]
        if document.get("startsAt"):
            until = f" until {moment(document['endsAt'])}" if document.get("endsAt") else ""
            session.terminal.say(f"Version {number} is live from {moment(document['startsAt'])}{until}", "good")
        else:
            session.terminal.say(f"Version {number} is live", "good")
        for warning in document.get("warnings") or ():
            session.terminal.say(f"  {warning['field']}: {warning['message']}", "warning")

    session.terminal.answer(document, for_people)


@command(rules, "rollback")
def rollback(
    session: Session,
    version: Annotated[int | None, typer.Argument(metavar="VERSION", help="The one before when absent.")] = None,
    reason: Reason = None,
    application: Application = None,
    yes: Yes = False,
) -> None:
    """Make an earlier version live again, as a new version. It takes effect within seconds."""
    base = base_of(application)
    live = session.client.get(base).get("version", 0)
    number = version if version is not None else _before(session, base, live)
    if number < 1:
        raise Usage("There is no version to go back to", then="`fingerpost rules history` lists the versions")
    document = difference(session, base, Reference(), Reference(version=number))
    if not session.terminal.as_json:
        show_difference(session, document)
    if not yes and session.terminal.is_watched and not session.terminal.confirm(f"Go back to version {number}?"):
        raise Negative("Nothing was changed", then="Say --yes to go back without being asked")
    body = {"version": number, "basedOn": live} | ({"reason": reason} if reason else {})
    answer = _published(session, f"{base}/rollback", body, then="Run it again: it starts from what is live by then")

    def for_people() -> None:
        session.terminal.say(f"Version {answer['version']} is live: the rules of version {number}", "good")

    session.terminal.answer(answer, for_people)


def _before(session: Session, base: str, live: int) -> int:
    """The version that was live before; where the live one is itself a return, the one before that."""
    back = session.client.get(f"{base}/versions/{live}").get("rolledBackTo") if live else None
    return int(back or live) - 1


@command(rules, "history")
def history(
    session: Session,
    application: Application = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 30,
) -> None:
    """The versions, newest first: which is live, who published it, and why."""
    documents = session.client.items(f"{base_of(application)}/versions", limit=limit)

    def for_people() -> None:
        rows = [
            (
                each["version"],
                _state(each),
                moment(each["publishedAt"]),
                who(each.get("by")),
                each.get("ruleCount"),
                why(each),
            )
            for each in documents
        ]
        session.terminal.table(("version", "state", "when", "by", "rules", "why"), rows, numbers=("version", "rules"))

    session.terminal.answer(documents, for_people)


def _state(document: dict[str, Any]) -> str:
    state = str(document["state"])
    if state == "scheduled":
        return f"from {moment(document.get('startsAt'))}"
    return "cancelled" if state == "superseded" and document.get("cancelledAt") else state


def why(document: dict[str, Any]) -> str:
    """Why a version was made, as a table has it."""
    back = f"back to {document['rolledBackTo']}" if document.get("rolledBackTo") else ""
    return ": ".join(part for part in (back, str(document.get("reason") or "")) if part)


def who(by: Any) -> str:
    if not isinstance(by, dict):
        return ""
    return str(by.get("email") or f"{by.get('type', '')} {by.get('id', '')}".strip())
