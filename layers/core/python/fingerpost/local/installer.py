"""The `Installer` of one machine: functions/installer in a process of its own, with the machine's settings of npm."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ..ports.installer import MAX_FILES, MAX_UNPACKED_BYTES, TIME_LIMIT_MS, NoInstaller, Refused, check
from ..ports.table import Unreachable
from .built import NotBuilt, built
from .functions import REPOSITORY

SOURCE = REPOSITORY / "functions" / "installer" / "src"  # as it is, for what needs no packages
_CHECK_SECONDS = 30
_MEMORY_MB = 2_048
_MORE_SECONDS = 60  # than npm has, to make a zip of it all


class ProcessInstaller:
    """`program` is the folder of the built installer, which is built when it is first needed without one."""

    def __init__(self, program: Path | None = None):
        self._program = program

    def check(self, source: str) -> None:
        check(_said(SOURCE / "here.cjs", {"source": source}, seconds=_CHECK_SECONDS))

    def install(self, dependencies: Mapping[str, str]) -> bytes:
        program = self._program or _built()
        limits = {"ms": TIME_LIMIT_MS, "bytes": MAX_UNPACKED_BYTES, "files": MAX_FILES}
        with tempfile.TemporaryDirectory(prefix="fingerpost-packages-") as folder:
            packages = Path(folder, "packages.zip")
            asked = {"dependencies": dict(dependencies), "limits": limits}
            seconds = TIME_LIMIT_MS // 1000 + _MORE_SECONDS
            check(_said(program / "here.cjs", asked, str(packages), seconds=seconds))
            return packages.read_bytes()


def _said(program: Path, asked: Mapping[str, Any], *more: str, seconds: int) -> Mapping[str, Any]:
    try:
        done = subprocess.run(  # noqa: S603 - our own program; what is asked for goes in as its input
            [_node(), f"--max-old-space-size={_MEMORY_MB}", str(program), *more],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as error:
        raise Refused(f"It took longer than {seconds} s") from error
    if done.returncode:
        raise Unreachable(f"the installer broke: {done.stderr.strip()[-500:]}")
    said: Mapping[str, Any] = json.loads(done.stdout)
    return said


def _node() -> str:
    found = shutil.which("node")
    if found is None:
        raise NoInstaller("Node.js 20 or newer is needed to install scripts, and there is no `node` here")
    return found


@cache
def _built() -> Path:
    try:
        return built("installer", "build-InstallerFunction")
    except NotBuilt as error:
        raise NoInstaller(f"The installer of packages could not be built: {error}") from error
