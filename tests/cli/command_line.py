"""The command line as a person or a program runs it, in this process."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from fingerpost.cli.app import app
from fingerpost.cli.terminal import PIPED_COLUMNS
from tests.running import Server


@dataclass(frozen=True)
class Said:
    """What a run printed, and how it ended."""

    out: str
    err: str
    code: int

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class CommandLine:
    """`environment` is all that the command line sees beside where it runs."""

    def __init__(self, **environment: str):
        self.environment = {
            "FINGERPOST_API_URL": "",
            "FINGERPOST_API_KEY": "",
            "FINGERPOST_DATA_DIR": "",
            "COLUMNS": str(PIPED_COLUMNS),  # whatever the runner of the tests says
            **environment,
        }

    @classmethod
    def of(cls, server: Server) -> "CommandLine":
        return cls(FINGERPOST_API_URL=server.api, FINGERPOST_API_KEY=server.key)

    def shell(self) -> dict[str, str]:
        """The environment of a process of its own."""
        return {**os.environ, **self.environment}

    def __call__(self, *arguments: str | Path, code: int = 0) -> Said:
        done = CliRunner().invoke(app, [str(each) for each in arguments], env=self.environment, prog_name="fingerpost")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        said = Said(done.stdout, done.stderr, done.exit_code)
        assert said.code == code, said
        return said
