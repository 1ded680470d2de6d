"""One server for the tests of each file, with the museum in it."""

import pytest

from tests.cli.command_line import CommandLine
from tests.running import running


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("cli")) as each:
        yield each


@pytest.fixture
def fingerpost(server):
    return CommandLine.of(server)
