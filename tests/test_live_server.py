"""Watching over the running server: two processes between a device's connection and who watches it."""

import json

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.running import running


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("live")) as each:
        yield each


def opened(server, key):
    return connect(f"ws://localhost:{server.api_port}/ws", additional_headers={"Authorization": key})


def ask(socket, content):
    socket.send(json.dumps(content))
    return json.loads(socket.recv(10))


def test_a_device_comes_changes_and_goes_before_the_eyes_of_who_watches_it(server):
    thng = server.ask("/thngs", {"name": "Lamp"})["id"]
    key = server.ask("/auth/evrythng/thngs", {"thngId": thng})["thngApiKey"]
    path = f"/thngs/{thng}/properties"
    with opened(server, server.key) as watching:
        assert ask(watching, {"subscribe": path}) == {"subscribed": path}
        with opened(server, key) as device:
            assert ask(device, {"subscribe": f"{path}/mode"}) == {"subscribed": f"{path}/mode"}
            (change,) = json.loads(watching.recv(10))["changes"]
            assert (change["key"], change["value"]) == ("~connected", True)
            server.ask(path, [{"key": "mode", "value": "night"}], method="PUT")
            for socket in (watching, device):
                (change,) = json.loads(socket.recv(10))["changes"]
                assert (change["key"], change["value"]) == ("mode", "night")
        (change,) = json.loads(watching.recv(10))["changes"]
        assert (change["key"], change["value"]) == ("~connected", False)


def test_without_a_key_the_handshake_is_refused(server):
    with pytest.raises(InvalidStatus):
        opened(server, "x" * 80)
    assert httpx.get(f"{server.api}/ws", headers={"authorization": server.key}).status_code == 404
