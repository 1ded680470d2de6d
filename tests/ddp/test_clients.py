"""The published DDP clients, unmodified, at the running server: the one the Evoko document names, and one that resumes.

Each `*.test.cjs` here is a suite of node's own test runner. The packages come from the npm registry, once, into .cache.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.npm import installed
from tests.running import running

HERE = Path(__file__).resolve().parent
SUITES = sorted(path.name for path in HERE.glob("*.test.cjs"))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("ddp")) as each:
        yield each


@pytest.mark.parametrize("suite", SUITES)
def test_a_published_client_works_unmodified(suite, server):
    environment = {
        "PATH": os.environ["PATH"],
        "DDP_HOME": str(installed(HERE, "ddp")),
        "FINGERPOST_DEMO_FILE": str(server.home / ".fingerpost" / "demo.json"),
    }
    command = ["node", "--test", "--test-timeout=60000", "--test-reporter=tap", str(HERE / suite)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    passed = int((re.search(r"^# pass (\d+)", done.stdout, re.MULTILINE) or ["", "0"])[1])
    assert done.returncode == 0 and passed > 0, done.stdout + done.stderr
