"""The functions that are written for Node.js, built on this machine as `sam build` builds them for AWS."""

import fcntl
import subprocess
from pathlib import Path

from .functions import REPOSITORY

_BUILD_SECONDS = 600


class NotBuilt(Exception):
    """It could not be built; the message says why."""


def built(name: str, target: str) -> Path:
    """The folder with functions/<name> as tools/build-node makes it, made now if need be. Raises NotBuilt."""
    cache = REPOSITORY / ".cache"
    cache.mkdir(exist_ok=True)
    with (cache / f"{name}.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # one of several processes makes it, the others wait
        done = subprocess.run(  # noqa: S603 - our own script
            ["/bin/sh", str(REPOSITORY / "tools" / "build-node"), name, target],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_BUILD_SECONDS,
        )
    if done.returncode:
        raise NotBuilt((done.stdout + done.stderr).strip()[-1000:])
    return cache / name / "built"
