"""The platform's two published clients, unmodified, drive the running server through every resource they know.

Each `*.test.cjs` here is a suite of node's own test runner. The packages come from the npm registry, once, into .cache.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.npm import installed
from tests.running import Server

HERE = Path(__file__).resolve().parent
SUITES = sorted(path.name for path in HERE.glob("*.test.cjs"))


@pytest.fixture(scope="session")
def packages():
    """The folder that holds the installed clients. Needs npm, which `.ci/run` supplies."""
    return installed(HERE, "sdk")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    home = tmp_path_factory.mktemp("sdk")
    # The clients reach the short domain by https alone. The demo's rules lead elsewhere when its museum is closed.
    each = Server(home, FINGERPOST_TLS="1", FINGERPOST_DEMO="0")
    each.start(scheme="https", trust=home / ".fingerpost" / "tls" / "ca.pem")
    yield each
    each.stop()


@pytest.mark.parametrize("suite", SUITES)
def test_a_published_client_works_unmodified(suite, server, packages):
    environment = {
        "PATH": os.environ["PATH"],
        "SDK_HOME": str(packages),
        "NODE_EXTRA_CA_CERTS": str(server.home / ".fingerpost" / "tls" / "ca.pem"),
        "FINGERPOST_API_URL": f"https://localhost:{server.api_port}",
        "FINGERPOST_SHORT_DOMAIN": f"localhost:{server.short_port}",
        "FINGERPOST_API_KEY": server.key,
    }
    command = ["node", "--test", "--test-reporter=tap", str(HERE / suite)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    passed = int((re.search(r"^# pass (\d+)", done.stdout, re.MULTILINE) or ["", "0"])[1])
    assert done.returncode == 0 and passed > 0, done.stdout + done.stderr
