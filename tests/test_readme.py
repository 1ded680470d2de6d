"""The README's examples, executed as they stand against a server that `python -m fingerpost.local` starts."""

import re
import shlex
import subprocess

import pytest

from tests.running import ROOT, running

BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


def steps(text):
    """(command, expected output) of every console block, in order."""
    for block in BLOCK.findall(text):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield command, output


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("readme")) as each:
        yield each


def test_the_worked_example_prints_what_the_readme_says(server):
    api, short = server.api_port, server.short_port
    pairs = list(steps((ROOT / "README.md").read_text(encoding="utf-8")))
    assert len(pairs) > 10
    script = ["set -u"]
    for number, (command, expected) in enumerate(pairs):
        here = command.replace("localhost:8000", f"localhost:{api}").replace("localhost:8001", f"localhost:{short}")
        if "hits" in command or "implicitScans" in command:  # lists and sums follow the feed by moments
            wanted = expected.replace("localhost:8000", f"localhost:{api}").replace(
                "localhost:8001", f"localhost:{short}"
            )
            pattern = "*".join(map(shlex.quote, wanted.strip().split("...")))
            script.append(f'for _ in $(seq 120); do case "$({here})" in {pattern}) break;; esac; sleep 0.25; done')
        script += [f"echo '@@ {number}'", here, "echo"]
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)], cwd=server.home, capture_output=True, text=True, timeout=120, check=False
    )
    printed = re.split(r"^@@ \d+\n", done.stdout, flags=re.MULTILINE)[1:]
    assert len(printed) == len(pairs), done.stderr
    for (command, expected), actual in zip(pairs, printed, strict=True):
        seen = actual.replace("\r", "").strip()
        seen = seen.replace(f"localhost:{api}", "localhost:8000").replace(f"localhost:{short}", "localhost:8001")
        pattern = re.escape(expected.strip()).replace(re.escape("..."), ".*")
        assert re.fullmatch(pattern, seen, re.DOTALL), f"{command}\nprinted\n{seen}\ninstead of\n{expected}"
