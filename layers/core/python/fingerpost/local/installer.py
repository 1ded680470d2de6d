"""The `Installer` of one machine: functions/installer in a process of its own, with the machine's settings of npm."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from ..ports.installer import MAX_FILES, MAX_UNPACKED_BYTES, TIME_LIMIT_MS, NoInstaller, Refused, check
from ..ports.table import Unreachable
from .built import NotBuilt, built

_MORE_SECONDS = 60  # than npm has, to make a zip of it all


class ProcessInstaller:
    """`program` is the folder of the built installer, which is built when it is first needed without one."""

    def __init__(self, program: Path | None = None):
        self._program = program

    def install(self, dependencies: Mapping[str, str]) -> bytes:
        program = self._program or _built()
        limits = {"ms": TIME_LIMIT_MS, "bytes": MAX_UNPACKED_BYTES, "files": MAX_FILES}
        with tempfile.TemporaryDirectory(prefix="fingerpost-packages-") as folder:
            packages = Path(folder, "packages.zip")
            try:
                done = subprocess.run(  # noqa: S603 - our own program; what is asked for goes in as its input
                    [_node(), str(program / "here.cjs"), str(packages)],
                    input=json.dumps({"dependencies": dict(dependencies), "limits": limits}),
                    capture_output=True,
                    text=True,
                    check=False,
                    timeout=TIME_LIMIT_MS / 1000 + _MORE_SECONDS,
                )
            except subprocess.TimeoutExpired as error:
                raise Refused(f"npm took longer than {TIME_LIMIT_MS} ms") from error
            if done.returncode:
                raise Unreachable(f"the installer broke: {done.stderr.strip()[-500:]}")
            check(json.loads(done.stdout))
            return packages.read_bytes()


def _node() -> str:
    found = shutil.which("node")
    if found is None:
        raise NoInstaller("Node.js 20 or newer is needed to install packages, and there is no `node` here")
    return found


@cache
def _built() -> Path:
    try:
        return built("installer", "build-InstallerFunction")
    except NotBuilt as error:
        raise NoInstaller(f"The installer of packages could not be built: {error}") from error
