"""Fetches the npm packages that a script depends on. What they hold is strangers' code, and none of it runs here.

Both adapters (aws/installer.py, local/installer.py) run the same JavaScript (functions/installer).
"""

from collections.abc import Mapping
from typing import Any, Protocol

from .table import Unreachable

MAX_UNPACKED_BYTES = 100 * 1024 * 1024
MAX_FILES = 15_000
TIME_LIMIT_MS = 120_000


class Refused(Exception):
    """These packages cannot be installed, however often one tries; the message says why and is fit for their author."""


class NoInstaller(Exception):
    """Packages cannot be installed here at all; the message says what to do."""


def check(said: Mapping[str, Any]) -> None:
    """What functions/installer says came of it. Raises Refused, Unreachable."""
    if "refused" in said:
        raise Refused(said["refused"])
    if "unreachable" in said:
        raise Unreachable(said["unreachable"])


class Installer(Protocol):
    """May be shared by threads."""

    def install(self, dependencies: Mapping[str, str]) -> bytes:
        """The packages and what they need in turn: a zip with one folder, `node_modules`.

        No lifecycle script runs; nothing comes from elsewhere than the registry. Raises Refused, NoInstaller, and
        Unreachable when the registry cannot be asked now.
        """
        ...
