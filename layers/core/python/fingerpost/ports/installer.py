"""Reads a script, and fetches the npm packages that it depends on: strangers' code, and none of it runs here.

Both adapters (aws/installer.py, local/installer.py) run the same JavaScript (functions/installer).
"""

from collections.abc import Mapping
from typing import Any, Protocol

from .table import Unreachable

MAX_UNPACKED_BYTES = 100 * 1024 * 1024
MAX_FILES = 15_000
TIME_LIMIT_MS = 120_000


class Refused(Exception):
    """This script, or its packages, cannot be installed, however often one tries; the message is fit for its author."""


class NoInstaller(Exception):
    """Scripts cannot be installed here at all; the message says what to do."""


def check(said: Mapping[str, Any]) -> None:
    """What functions/installer says came of it. Raises Refused, Unreachable."""
    if "refused" in said:
        raise Refused(said["refused"])
    if "unreachable" in said:
        raise Unreachable(said["unreachable"])


class Installer(Protocol):
    """May be shared by threads."""

    def check(self, source: str) -> None:
        """Whether a main.js can be read, as the runner will.

        Raises Refused with the line and the column, NoInstaller, and Unreachable when nobody can say now.
        """
        ...

    def install(self, dependencies: Mapping[str, str]) -> bytes:
        """The packages and what they need in turn: a zip with one folder, `node_modules`.

        No lifecycle script runs; nothing comes from elsewhere than the registry. Raises Refused, NoInstaller, and
        Unreachable when the registry cannot be asked now.
        """
        ...
