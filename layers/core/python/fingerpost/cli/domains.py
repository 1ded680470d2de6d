"""`fingerpost domains`: the short domains of the account."""

from typing import Annotated
from urllib.parse import quote

import typer

from .accounts import own_account
from .command import Session, command, group
from .failure import Usage
from .terminal import moment

domains = group("The account's short domains.")

Named = Annotated[str, typer.Argument(metavar="DOMAIN", help="A host, such as go.example.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@command(domains, "list")
def list_domains(session: Session) -> None:
    """Every short domain of the account; the installation's own, which all accounts have, is one of them."""
    documents = session.client.items(f"/accounts/{own_account(session)}/domains")
    session.terminal.answer(
        documents,
        lambda: session.terminal.table(
            ("domain", "since"), [(each["domain"], moment(each["createdAt"])) for each in documents]
        ),
    )


@command(domains, "add")
def add_domain(session: Session, domain: Named) -> None:
    """Take a host that leads to the server as a short domain; no other account can have it then."""
    known = session.client.post(_address(session), {"shortDomain": domain})
    session.terminal.answer(known, lambda: session.terminal.say(f"{known[-1]} is a short domain of the account"))


@command(domains, "rm")
def remove_domain(session: Session, domain: Named, yes: Yes = False) -> None:
    """Give a short domain back, so that another account can take it. Redirections on it have to go first."""
    if not yes and not session.terminal.confirm(f"Give {domain} back?"):
        raise Usage("Nothing was changed", then="Say --yes to do it without being asked")
    session.client.delete(f"{_address(session)}/{quote(domain, safe='')}")
    session.terminal.answer(
        {"removed": domain}, lambda: session.terminal.say(f"{domain} is no short domain of the account any more")
    )


def _address(session: Session) -> str:
    return f"/accounts/{own_account(session)}/shortDomains"
