"""The real engine behind the contract tests: dynoxide, one binary that speaks DynamoDB's protocol over SQLite.

It is found by the environment variable DYNOXIDE, else under .cache, where npm puts it once.
"""

import fcntl
import os
import platform
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE, VERSION = "@dynoxide/linux-x64", "1.2.1"
_STARTS = 5  # another process may take the port that was free
_STARTUP_S = 20


class NoEngine(Exception):
    """The engine cannot be had on this machine; the message says what to do."""


def dynoxide_binary() -> Path:
    """Where the binary is, installed if need be. Raises NoEngine."""
    if named := os.environ.get("DYNOXIDE"):
        if not os.access(named, os.X_OK):
            raise NoEngine(f"DYNOXIDE names {named}, which cannot be run")
        return Path(named)
    folder = ROOT / ".cache" / "dynoxide"
    binary = folder / "node_modules" / PACKAGE / "dynoxide"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one of several test processes installs it, the others wait
        if not binary.exists():
            _install(folder)
    return binary


def _install(folder: Path) -> None:
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise NoEngine(f"{PACKAGE} runs on Linux x86-64 only; elsewhere build dynoxide and name it in DYNOXIDE")
    npm = shutil.which("npm")
    if npm is None:
        raise NoEngine(f"npm is needed to install {PACKAGE}; install Node.js, or name a dynoxide binary in DYNOXIDE")
    command = [npm, "install", "--prefix", str(folder), "--no-save", "--no-audit", "--no-fund", f"{PACKAGE}@{VERSION}"]
    installed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if installed.returncode:
        raise NoEngine(f"npm could not install {PACKAGE}@{VERSION}:\n{installed.stderr}")


@contextmanager
def dynoxide(folder: Path) -> Iterator[str]:
    """A running engine with its file in `folder`; the URL of its endpoint. Raises NoEngine."""
    binary = dynoxide_binary()
    for _ in range(_STARTS):
        port = _free_port()
        with (folder / "dynoxide.log").open("w") as log:
            command = [str(binary), "--port", str(port), "--db-path", str(folder / "dynoxide.db")]
            process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            if _answers(process, port):
                yield f"http://127.0.0.1:{port}"
                return
        finally:
            process.kill()
            process.wait()
    raise NoEngine(f"{binary} does not start:\n{(folder / 'dynoxide.log').read_text()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    """Whether it comes to accept connections; False when it ends first."""
    give_up = time.monotonic() + _STARTUP_S
    while process.poll() is None and time.monotonic() < give_up:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process.poll() is None
        time.sleep(0.01)
    return False
