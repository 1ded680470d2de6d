"""The command line `fingerpost`, whole."""

from importlib import metadata
from typing import Annotated

import typer

from . import (  # noqa: F401 - they add commands to groups of others
    drafts,
    link_import,
    reactor_rules,
    reactor_schedules,
    reactor_scripts,
    room_access,
    room_bookings,
    room_places,
    trials,
)
from .accounts import accounts
from .audit_log import audit
from .command import command, group
from .domains import domains
from .keys import keys
from .operators import operators
from .qr import qr
from .reactor import reactor
from .redirections import redirections
from .rooms import rooms
from .rules import rules
from .stats import stats
from .tail import actions
from .thngs import thngs

HELP = (
    "Fingerpost from the command line. Reads FINGERPOST_API_URL and FINGERPOST_API_KEY; without them it takes the key "
    "of a server that `make run` started here."
)
app = group(HELP)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fingerpost {metadata.version('fingerpost')}")
        raise typer.Exit


@app.callback(help=HELP)
def whole(
    version: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", is_eager=True, callback=_tell_version)
    ] = False,
) -> None:
    """What stands before every command."""


command(app, "qr")(qr)
command(app, "stats")(stats)
command(app, "audit")(audit)
app.add_typer(rules, name="rules")
app.add_typer(redirections, name="redirections")
app.add_typer(thngs, name="thngs")
app.add_typer(actions, name="actions")
app.add_typer(accounts, name="accounts")
app.add_typer(domains, name="domains")
app.add_typer(keys, name="keys")
app.add_typer(operators, name="operators")
app.add_typer(reactor, name="reactor")
app.add_typer(rooms, name="rooms")


def main() -> None:
    """The console script. Exit codes: 0 done, 1 the answer is no, 2 usage, 3 refused by the server, 4 no server."""
    app(prog_name="fingerpost")
