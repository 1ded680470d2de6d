"""Published clients from the npm registry, unmodified, installed once into .cache."""

import fcntl
import shutil
import subprocess
from pathlib import Path

from tests.running import ROOT

MANIFEST = ("package.json", "package-lock.json")


def installed(manifest: Path, name: str) -> Path:
    """The folder that holds what a folder's manifest names. Needs npm, which `.ci/run` supplies."""
    npm = shutil.which("npm")
    assert npm is not None, "npm is needed to install the clients; install Node.js 20 or newer"
    folder = ROOT / ".cache" / name
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [(manifest / each).read_text() for each in MANIFEST]
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one of several test processes installs, the others wait
        done = folder / "installed"
        if not done.exists() or done.read_text() != "".join(wanted):
            for each, text in zip(MANIFEST, wanted, strict=True):
                (folder / each).write_text(text)
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
            done.write_text("".join(wanted))
    return folder
