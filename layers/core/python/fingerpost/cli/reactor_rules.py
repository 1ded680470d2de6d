"""`fingerpost reactor rules`: an application's declarative rules on file: checked, tried, saved, taken back."""

from pathlib import Path
from typing import Annotated, Any

import typer

from .. import wiring
from ..body import validated
from ..errors import Invalid
from ..reactor.rule_check import examine
from ..reactor.rule_documents import SentReactorRules
from ..reactor.rule_service import check_document
from .command import Session, command, group
from .failure import Negative, Refused, Usage
from .findings import answer_findings, located, refuse_errors
from .reactor import event_in, reactor
from .reading import split_application
from .reference import Files
from .rule_files import RuleFile, read_rule_file, rule_text, with_based_on
from .rules import Reason, Yes, show_difference, version_seen, who, why
from .terminal import moment, written

rules = group("Declarative rules: what an application does about events, without a script.")
reactor.add_typer(rules, name="rules")

Application = Annotated[
    str, typer.Option("--application", "-a", metavar="PROJECT/APPLICATION", help="Whose rules, both by id.")
]
SEE = (
    "`fingerpost reactor rules diff {}` shows where it differs from what acts; take over what you want to keep, "
    "then push again with --based-on live"
)


@command(rules, "check")
def check(
    session: Session,
    files: Files,
    application: Annotated[
        str | None,
        typer.Option("--application", "-a", metavar="PROJECT/APPLICATION", help="Ask the server too, for this one."),
    ] = None,
) -> None:
    """Find what is wrong with rule files. Ends with 1 when there are errors or warnings.

    Needs no server; with an application, the server tells which action types and hosts there are for it.
    """
    read = [read_rule_file(each) for each in files]
    findings = [each for file in read for each in _checked(session, file, application)]
    answer_findings(session.terminal, read, findings)


def _checked(session: Session, file: RuleFile, application: str | None) -> list[dict[str, Any]]:
    if application is not None:
        found = session.client.question(f"{base_of(application)}/check", {"rules": file.rules})
    else:
        try:
            found = check_document(
                examine(validated(SentReactorRules, {"rules": file.rules}), outgoing=wiring.outgoing())
            )
        except Invalid as invalid:  # too many rules, or too large ones
            raise Usage(f"{file.path}: {invalid}", then="Say more with filters, or move some to a script") from invalid
    return [located(each, file) for each in found["findings"]]


@command(rules, "simulate")
def simulate(
    session: Session,
    application: Application,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A rule file; what acts now when absent.")] = None,
    event: Annotated[Path | None, typer.Option("--event", "-e", help="An event document, as JSON.")] = None,
    action: Annotated[str | None, typer.Option(metavar="ID", help="An action that took place.")] = None,
) -> None:
    """Say which rules would act on an event, why, and what each step would do. Nothing is done."""
    body: dict[str, Any] = {} if file is None else {"rules": read_rule_file(file).rules}
    if (event is None) == (action is None):
        raise Usage("Which event?", then="Say --event FILE, or --action ID")
    body |= {"action": action} if event is None else {"event": event_in(event)}
    document = session.client.question(f"{base_of(application)}/simulate", body)

    def for_people() -> None:
        for told in document["rules"]:
            style = "good" if told["matched"] else "quiet"
            session.terminal.say(f"rule {told['rule']} {told['name']}: {told['says']}", style)
            for step in told["steps"]:
                session.terminal.say(f"    step {step['step']}: {_does(step)}")
        session.terminal.say(document["says"], "strong")

    session.terminal.answer(document, for_people)


def _does(step: dict[str, Any]) -> str:
    """A step in one line: what it would do, and with what."""
    if "does" not in step:
        return str(step["says"])
    ((name, content),) = step["does"].items()
    if name == "callWebhook":
        return f"{content['method']} {content['url']}  {content['body']}"
    told = {key: value for key, value in content.items() if value not in (None, {}, [])}
    return f"{name}  " + "  ".join(f"{key}={value}" for key, value in told.items())


@command(rules, "pull")
def pull(
    session: Session,
    application: Application,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Where to; on screen when absent.")] = None,
    version: Annotated[int | None, typer.Option("--of", metavar="VERSION", help="An earlier one, by number.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file when there is one.")] = False,
) -> None:
    """Write an application's rules to a file, ready to be changed, checked, kept in git and pushed."""
    base = base_of(application)
    if file is not None and file.exists() and not overwrite:
        raise Usage(f"{file} is there already", then="Say --overwrite, or choose another name")
    live = session.client.get(base)
    content = live["rules"] if version is None else session.client.get(f"{base}/versions/{version}")["rules"]
    suffix = ".yaml" if file is None else file.suffix
    text = rule_text(content, suffix=suffix, based_on=None if file is None else live["version"])
    if file is None:
        session.terminal.answer({"rules": content}, lambda: session.terminal.raw(text))
        return
    try:
        written(file, text.encode())
    except OSError as error:
        raise Usage(f"{file} cannot be written: {error.strerror}") from error
    session.terminal.answer(
        {"file": str(file), "rules": len(content), "basedOn": live["version"]},
        lambda: session.terminal.say(f"{file}: {len(content):,} rules, version {live['version']} acts"),
    )


@command(rules, "diff")
def diff(
    session: Session,
    application: Application,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The rule file.")],
) -> None:
    """Say in words where a file differs from what acts. Ends with 1 when it does."""
    document = session.client.question(f"{base_of(application)}/diff", {"rules": read_rule_file(file).rules})
    session.terminal.answer(document, lambda: show_difference(session, document))
    if document["changes"]:
        raise typer.Exit(Negative.exit_code)


@command(rules, "push")
def push(
    session: Session,
    application: Application,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The rule file.")],
    reason: Reason = None,
    based_on: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="The version you have seen; live is whatever acts now."),
    ] = None,
    yes: Yes = False,
) -> None:
    """Save a rule file, after a check and a look at what changes. Its rules act from then on.

    Refused when somebody saved others since the version that the file is based on: the answer says who, and what.
    """
    base, read = base_of(application), read_rule_file(file)
    refuse_errors(session.terminal, read, _checked(session, read, application), "nothing was saved")
    live = session.client.get(base)["version"]
    seen = version_seen(based_on, read, live)
    if seen == live:
        document = session.client.question(f"{base}/diff", {"rules": read.rules})
        if not session.terminal.as_json:
            show_difference(session, document)
        if not document["changes"]:
            session.terminal.answer({"version": live, "changes": []}, lambda: None)
            return
    if not yes and session.terminal.is_watched and not session.terminal.confirm("Save this?"):
        raise Negative("Nothing was saved", then="Say --yes to save without being asked")
    body = {"rules": read.rules, "basedOn": seen} | ({"reason": reason} if reason else {})
    try:
        saved = session.client.put(base, body)
    except Refused as refusal:
        if refusal.status == 409:
            refusal.then = SEE.format(file)
        raise

    def for_people() -> None:
        session.terminal.say(f"Version {saved['version']} acts", "good")
        for warning in saved.get("warnings") or ():
            session.terminal.say(f"  {warning['field']}: {warning['message']}", "warning")

    session.terminal.answer(saved, for_people)
    if (content := with_based_on(read, saved["version"])) is not None:
        written(file, content)
        session.terminal.note(f"{file} is based on version {saved['version']} now")


@command(rules, "rollback")
def rollback(
    session: Session,
    application: Application,
    version: Annotated[int, typer.Argument(metavar="VERSION", min=1, help="By number.")],
    reason: Reason = None,
    yes: Yes = False,
) -> None:
    """Make an earlier version act again, as a new version."""
    base = base_of(application)
    live = session.client.get(base)["version"]
    document = session.client.get(f"{base}/diff", {"to": version})
    if not session.terminal.as_json:
        show_difference(session, document)
    if not yes and session.terminal.is_watched and not session.terminal.confirm(f"Go back to version {version}?"):
        raise Negative("Nothing was changed", then="Say --yes to go back without being asked")
    body = {"version": version, "basedOn": live} | ({"reason": reason} if reason else {})
    answer = session.client.post(f"{base}/rollback", body)
    session.terminal.answer(
        answer,
        lambda: session.terminal.say(f"Version {answer['version']} acts: the rules of version {version}", "good"),
    )


@command(rules, "history")
def history(
    session: Session,
    application: Application,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 30,
) -> None:
    """The versions, newest first: which acts, who saved it, and why."""
    documents = session.client.items(f"{base_of(application)}/versions", limit=limit)

    def for_people() -> None:
        rows = [
            (each["version"], each["state"], moment(each["publishedAt"]), who(each["by"]), each["ruleCount"], why(each))
            for each in documents
        ]
        session.terminal.table(("version", "state", "when", "by", "rules", "why"), rows, numbers=("version", "rules"))

    session.terminal.answer(documents, for_people)


def base_of(application: str) -> str:
    """The address of an application's rules. Raises Usage."""
    project, app = split_application(application)
    return f"/projects/{project}/applications/{app}/reactor/rules"
