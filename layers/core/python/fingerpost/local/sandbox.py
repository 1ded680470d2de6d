"""How a script's process is started: Node's permission model, limits of the system, bubblewrap where it works.

The process has an empty environment, reads the runner and its own folder, writes nothing, starts nothing. bubblewrap
adds a view of the file system with nothing else in it and process ids of its own; the network is the machine's, for
scripts call the API and what they like. Source of the flags: nodejs.org/api/permissions.html, bwrap(1).
"""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..ports.runner import NoRunner

OWN_MB = 256  # what Node itself takes beside a script's heap, stacks of its threads included
_PROBE_SECONDS = 20
_SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin")
_NETWORK = ("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/ssl", "/etc/pki", "/etc/ca-certificates")
# ulimit is of every shell, and what it sets is inherited through bubblewrap too. Memory in KB, processor time in s.
_LIMITED = 'ulimit -c 0; ulimit -t "$1"; ulimit -d "$2"; shift 2; exec "$@"'


@dataclass(frozen=True, slots=True)
class Sandbox:
    """`bwrap` is None where bubblewrap is absent or may not make its namespaces, as in many containers."""

    node: str
    flags: tuple[str, ...]
    bwrap: str | None

    def command(self, program: Path, home: Path, *, memory_mb: int, processor_s: int) -> list[str]:
        """The command that starts `program`/child.js for the bundle in `home`, both absolute."""
        node = [
            self.node,
            *self.flags,
            "--no-warnings",
            f"--max-old-space-size={memory_mb}",
            f"--allow-fs-read={program}/",
            f"--allow-fs-read={home}/",
            str(program / "child.js"),
            str(home),
        ]
        wrapped = node if self.bwrap is None else [self.bwrap, *self._view(program, home), *node]
        limit_kb = (memory_mb + OWN_MB) * 1024
        return ["/bin/sh", "-c", _LIMITED, "sh", str(processor_s), str(limit_kb), *wrapped]

    def _view(self, program: Path, home: Path) -> list[str]:
        """Of the file system: the same paths as outside, so that an error's stack reads the same."""
        unshared = [
            "--die-with-parent",
            "--new-session",
            "--clearenv",
            "--unshare-pid",
            "--unshare-ipc",
            "--unshare-uts",
        ]
        system = [word for path in _SYSTEM for word in _as_it_is(path)]
        network = [word for path in _NETWORK for word in ("--ro-bind-try", path, path)]
        own = [word for path in dict.fromkeys((str(Path(self.node).parent), str(program), str(home)))
               if not path.startswith("/usr/") for word in ("--ro-bind", path, path)]  # fmt: skip
        return [*unshared, *system, *network, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", *own]  # noqa: S108


def _as_it_is(path: str) -> list[str]:
    """/bin is a link into /usr on most systems, and has to be one inside too."""
    found = Path(path)
    return ["--symlink", str(found.readlink()), path] if found.is_symlink() else ["--ro-bind-try", path, path]


@cache
def find_sandbox() -> Sandbox:
    """Node and what it can do, asked once. FINGERPOST_BWRAP names a bubblewrap, or none when empty. Raises NoRunner."""
    found = shutil.which("node")
    if found is None:
        raise NoRunner("Node.js 20 or newer is needed to run reactor scripts, and there is no `node` here")
    asked = (
        "const has = (flag) => process.allowedNodeEnvironmentFlags.has(flag);"
        "console.log(JSON.stringify([process.execPath, +process.versions.node.split('.')[0],"
        "['--permission', '--experimental-permission', '--allow-net'].filter(has)]))"
    )
    said = subprocess.run(  # noqa: S603
        [found, "-e", asked], capture_output=True, text=True, check=False, timeout=_PROBE_SECONDS
    )
    if said.returncode:
        raise NoRunner(f"{found} does not run: {said.stderr.strip()[:500]}")
    node, major, known = json.loads(said.stdout)
    if major < 20 or not {"--permission", "--experimental-permission"} & set(known):
        raise NoRunner(f"Node.js 20 or newer is needed to run reactor scripts; {found} is version {major}")
    model = "--permission" if "--permission" in known else "--experimental-permission"
    flags = (model, *(flag for flag in known if flag == "--allow-net"))
    return Sandbox(node, flags, _usable(os.environ.get("FINGERPOST_BWRAP", shutil.which("bwrap") or ""), node))


def _usable(bwrap: str, node: str) -> str | None:
    """`bwrap` when it can make what a script needs here: many containers forbid it."""
    if not bwrap:
        return None
    folder = Path(node).parent
    view = Sandbox(node, (), bwrap)._view(folder, folder)
    try:
        tried = subprocess.run(  # noqa: S603
            [bwrap, *view, node, "--version"], capture_output=True, check=False, timeout=_PROBE_SECONDS, env={}
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return bwrap if tried.returncode == 0 else None
