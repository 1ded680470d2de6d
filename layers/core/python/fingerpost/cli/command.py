"""What every command has: `--json`, a session that connects when it is first needed, failures as exit codes."""

import inspect
import os
import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import typer

from .client import Client
from .connection import connection_from
from .failure import CommandFailure
from .terminal import Terminal

JSON_OPTION = "as_json"

type AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs instead of tables for people.")]


class Session:
    """One run of one command."""

    def __init__(self, terminal: Terminal):
        self.terminal = terminal

    @cached_property
    def client(self) -> Client:
        """Raises Usage when there is no key."""
        connection = connection_from(os.environ, Path.cwd())
        if connection.source is not None:
            self.terminal.note(f"Using {connection.api_url} with the key in {_near(connection.source)}")
        return Client(connection)


def group(help: str) -> typer.Typer:
    """A group of commands; alone it shows its help."""
    return typer.Typer(help=help, no_args_is_help=True, pretty_exceptions_enable=False)


def command(to: typer.Typer, name: str, **more: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function whose first parameter is the session; typer sees the others, and `--json`."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(function, eval_str=True)
        own = list(signature.parameters.values())[1:]
        as_json = inspect.Parameter(
            JSON_OPTION, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=AsJson.__value__
        )

        def run(**given: Any) -> None:
            terminal = Terminal(as_json=given.pop(JSON_OPTION))
            try:
                function(Session(terminal), **given)
            except CommandFailure as failure:
                terminal.failure(failure)
                raise typer.Exit(failure.exit_code) from failure
            except KeyboardInterrupt:
                terminal.note("Stopped")
                raise typer.Exit(130) from None
            finally:
                sys.stdout.flush()

        parameters = [*(each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own), as_json]
        run.__name__, run.__doc__ = function.__name__, function.__doc__
        run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        to.command(name, **more)(run)
        return function

    return register


def _near(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
