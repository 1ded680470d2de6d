"""`fingerpost accounts`: the account of the key, and what it is set to."""

import json
from typing import Annotated, Any

import typer

from .command import Session, command, group
from .failure import Usage
from .terminal import moment

accounts = group("The account of your key, and its settings.")


@command(accounts, "list")
def list_accounts(session: Session) -> None:
    """The accounts that the key can see."""
    documents = session.client.items("/accounts")
    session.terminal.answer(
        documents,
        lambda: session.terminal.table(
            ("id", "name", "created"),
            [(each["id"], each.get("name"), moment(each.get("createdAt"))) for each in documents],
        ),
    )


@command(accounts, "show")
def show_account(session: Session, account: Annotated[str | None, typer.Argument(metavar="ACCOUNT")] = None) -> None:
    """One account: your key's unless another is named."""
    _show(session, session.client.get(f"/accounts/{account or own_account(session)}"))


@command(accounts, "update")
def update_account(
    session: Session,
    name: Annotated[str | None, typer.Option(help="The account's name.")] = None,
    whole_addresses: Annotated[
        bool | None, typer.Option("--whole-addresses/--cut-addresses", help="Whether scans keep addresses in full.")
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A host that application rules may lead to; repeat it for more.")
    ] = None,
    allow_any_host: Annotated[bool, typer.Option(help="Application rules may lead anywhere.")] = False,
    retention_days: Annotated[int | None, typer.Option(help="How many days scans and statistics are kept.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=JSON", help="Any other field, its value as JSON.")
    ] = None,
) -> None:
    """Change settings of your key's account; those that are not named stay."""
    given = {
        "name": name,
        "wholeAddresses": whole_addresses,
        "allowedHosts": allow_host or None,
        "retentionDays": retention_days,
    }
    changes: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
    if allow_any_host:
        changes["allowedHosts"] = []
    for text in set_ or ():
        field, equals, value = text.partition("=")
        try:
            changes[field] = json.loads(value)
        except ValueError as error:
            raise Usage(f"--set: {value!r} is no JSON", then='Write --set \'customFields={"team": "web"}\'') from error
        if not (field and equals):
            raise Usage(f"--set: {text!r} is no pair", then="Write --set FIELD=JSON")
    if not changes:
        raise Usage("There is nothing to change", then="Name a setting; `fingerpost accounts update --help` lists them")
    _show(session, session.client.put(f"/accounts/{own_account(session)}", changes))


def own_account(session: Session) -> str:
    return str(session.client.get("/access")["account"])


def _show(session: Session, document: dict[str, Any]) -> None:
    def for_people() -> None:
        hosts = document.get("allowedHosts")
        days = document.get("retentionDays")
        session.terminal.facts(
            [
                ("id", document["id"]),
                ("name", document.get("name")),
                ("created", moment(document.get("createdAt"))),
                ("updated", moment(document.get("updatedAt"))),
                ("addresses", "in full" if document.get("wholeAddresses") else "cut"),
                ("application rules lead to", ", ".join(hosts) if hosts else "any host"),
                ("scans are kept", f"{days} days" if days else "for good"),
                ("custom fields", json.dumps(document["customFields"]) if document.get("customFields") else ""),
            ]
        )

    session.terminal.answer(document, for_people)
