"""The session in docs/session.md: what an operator types, run against a server for whom it is Sunday.

`python -m tests.cli.session` runs it and writes down what is printed today.
"""

import re
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from fingerpost.cli.terminal import PIPED_COLUMNS
from tests.running import ROOT, Server, running

SESSION = ROOT / "docs" / "session.md"
BLOCK = re.compile(r"(?<=```console\n).*?(?=```)", re.DOTALL)
SUNDAY = datetime(2026, 11, 29, 12, tzinfo=UTC)
LIVE_AFTER_SECONDS = 5  # a scan may go by rules that are four seconds old

# What is different each time: ids, times of day, ports, and the widths of columns that follow from them.
VARYING = (
    (re.compile(r"\bU[A-Za-z0-9]{23}\b"), "U"),
    (re.compile(r"\b\d\d:\d\d(:\d\d)?\b"), "TIME"),
    (re.compile(r"\b[\d,]+ bytes"), "SIZE"),
    (re.compile(r"(?<=localhost:)\d+"), "PORT"),
    (re.compile(r"─+"), "─"),
    (re.compile(r"[ \t]+"), " "),
)


def steps(text: str) -> list[tuple[str, str]]:
    """(command, expected output) of every console block, in order; a command goes on where a line begins with >."""
    found = []
    for block in BLOCK.findall(text):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.splitlines()
            more = next((at for at, line in enumerate(lines[1:], 1) if not line.startswith("> ")), len(lines))
            command = "\n".join([lines[0], *(line.removeprefix("> ") for line in lines[1:more])])
            found.append((command, "\n".join(lines[more:])))
    return found


def sunday() -> dict[str, str]:
    """The environment of processes for which it is Sunday now."""
    offset = int(SUNDAY.timestamp() * 1e9) - time.time_ns()
    path = f"{Path(__file__).with_name('sunday')}:{ROOT / 'layers/core/python'}"
    return {"SUNDAY_OFFSET_NS": str(offset), "PYTHONPATH": path, "TZ": "UTC", "COLUMNS": str(PIPED_COLUMNS)}


def printed(server: Server, commands: list[str], environment: dict[str, str]) -> list[str]:
    """What each command printed, on standard output and error, in one shell in the server's folder."""
    script = ["set -u"]
    for number, command in enumerate(commands):
        here = command.replace("localhost:8000", f"localhost:{server.api_port}")
        here = here.replace("localhost:8001", f"localhost:{server.short_port}")
        if "curl" in command:
            script.append(f"sleep {LIVE_AFTER_SECONDS}")
        script += [f"echo '@@ {number}'", here]
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=server.home,
        env={**server.environment, **environment, "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    said = re.split(r"^@@ \d+\n", done.stdout, flags=re.MULTILINE)[1:]
    assert len(said) == len(commands), done.stdout
    return [each.strip("\n") for each in said]


def alike(text: str) -> str:
    for pattern, instead in VARYING:
        text = pattern.sub(instead, text)
    return "\n".join(line.strip() for line in text.strip().splitlines())


def run_session(home: Path, commands: list[str]) -> list[str]:
    environment = sunday()
    with running(home, **environment) as server:
        said = printed(server, commands, environment)
        ports = ((server.api_port, "8000"), (server.short_port, "8001"))
        for port, shown in ports:
            said = [each.replace(f"localhost:{port}", f"localhost:{shown}") for each in said]
        return said


def main() -> None:
    text = SESSION.read_text(encoding="utf-8")
    pairs = steps(text)
    with tempfile.TemporaryDirectory() as home:
        said = iter(run_session(Path(home), [command for command, _ in pairs]))

    def again(found: re.Match[str]) -> str:
        written = []
        for command, _ in steps(f"```console\n{found[0]}```"):
            typed = "$ " + command.replace("\n", "\n> ")
            shown = "\n".join(line.rstrip() for line in next(said).splitlines())
            written += [typed, *([shown] if shown else [])]
        return "\n".join(written) + "\n"

    SESSION.write_text(BLOCK.sub(again, text), encoding="utf-8")


if __name__ == "__main__":
    main()
