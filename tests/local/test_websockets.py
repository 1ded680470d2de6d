"""WebSocket connections of the local server, around a fake function: API Gateway's events, messages from anywhere."""

import asyncio
import json
import threading

import pytest
import uvicorn
import websockets
from websockets.exceptions import ConnectionClosed, InvalidStatus

from fingerpost.local.connections import FILE, LocalConnections, taking_messages
from fingerpost.local.functions import Function
from fingerpost.local.websockets import Sockets
from fingerpost.ports.connections import MAX_MESSAGE_BYTES, ConnectionGone
from fingerpost.ports.table import Unreachable


class Room:
    """A function that keeps its events and lets a test decide its answers."""

    def __init__(self):
        self.events, self.status = [], 200

    def handler(self, event, _context):
        self.events.append(event)
        return {"statusCode": self.status}

    @property
    def routes(self):
        return [event["requestContext"]["routeKey"] for event in self.events]

    @property
    def connection(self):
        return self.events[0]["requestContext"]["connectionId"]


def visit(tmp_path, story):
    """Run `story(room, address, connections)` against a server with one room at /ws."""

    async def run():
        room = Room()
        sockets = Sockets({"/ws": Function("live", room.handler)})
        config = uvicorn.Config(
            sockets, host="127.0.0.1", port=0, ws="websockets-sansio", lifespan="off", log_config=None
        )
        server = uvicorn.Server(config)
        async with taking_messages(tmp_path, sockets.deliver):
            serving = asyncio.create_task(server.serve())
            await until(lambda: server.started)
            port = server.servers[0].sockets[0].getsockname()[1]
            try:
                await story(room, f"ws://127.0.0.1:{port}", LocalConnections(tmp_path))
            finally:
                server.should_exit = True
                await serving
                sockets.close()

    asyncio.run(run())


async def until(holds):
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.01)


def test_a_connection_opens_speaks_and_closes_as_events(tmp_path):
    async def story(room, address, _connections):
        headers = {"Authorization": "a key"}
        async with websockets.connect(f"{address}/ws?key=other", additional_headers=headers) as socket:
            await socket.send("hello")
            await until(lambda: len(room.events) == 2)
        await until(lambda: len(room.events) == 3)
        assert room.routes == ["$connect", "$default", "$disconnect"]
        opened, spoken, closed = room.events
        assert opened["headers"]["authorization"] == "a key"
        assert opened["queryStringParameters"] == {"key": "other"}
        assert spoken["body"] == "hello"
        assert len({event["requestContext"]["connectionId"] for event in room.events}) == 1
        assert closed["requestContext"]["eventType"] == "DISCONNECT"

    visit(tmp_path, story)


def test_who_is_refused_gets_no_connection(tmp_path):
    async def story(room, address, _connections):
        room.status = 403
        with pytest.raises(InvalidStatus) as refused:
            await websockets.connect(f"{address}/ws")
        assert refused.value.response.status_code == 403
        assert room.routes == ["$connect"]

    visit(tmp_path, story)


def test_an_address_that_nobody_answers_is_refused(tmp_path):
    async def story(room, address, _connections):
        with pytest.raises(InvalidStatus):
            await websockets.connect(f"{address}/elsewhere")
        assert room.events == []

    visit(tmp_path, story)


def test_anybody_on_this_machine_with_the_folder_may_write_to_a_connection(tmp_path):
    async def story(room, address, connections):
        async with websockets.connect(f"{address}/ws") as socket:
            for text in ("one", "zwölf ünd €"):
                await asyncio.to_thread(connections.send, room.connection, text)
                assert await socket.recv() == text

    visit(tmp_path, story)


def test_a_connection_that_is_closed_is_gone(tmp_path):
    async def story(room, address, connections):
        async with websockets.connect(f"{address}/ws"):
            pass
        await until(lambda: "$disconnect" in room.routes)
        with pytest.raises(ConnectionGone):
            await asyncio.to_thread(connections.send, room.connection, "too late")

    visit(tmp_path, story)


def test_a_connection_can_be_closed_from_outside_and_again(tmp_path):
    async def story(room, address, connections):
        async with websockets.connect(f"{address}/ws") as socket:
            await asyncio.to_thread(connections.send, room.connection, "farewell")
            await asyncio.to_thread(connections.close, room.connection)
            assert await socket.recv() == "farewell"
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd.code == 1000
        await until(lambda: "$disconnect" in room.routes)
        await asyncio.to_thread(connections.close, room.connection)

    visit(tmp_path, story)


def test_without_the_token_nothing_is_delivered(tmp_path):
    async def story(room, address, connections):
        told = json.loads((tmp_path / FILE).read_text())
        assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
        (tmp_path / FILE).write_text(json.dumps({**told, "token": "guessed"}))
        async with websockets.connect(f"{address}/ws"):
            with pytest.raises(Unreachable):
                await asyncio.to_thread(connections.send, room.connection, "psst")

    visit(tmp_path, story)


def test_a_message_that_is_too_long_is_refused_before_it_is_sent(tmp_path):
    with pytest.raises(ValueError, match="131,072 bytes"):
        LocalConnections(tmp_path).send("any", "x" * (MAX_MESSAGE_BYTES + 1))


def test_a_server_that_is_not_there_is_unreachable(tmp_path):
    with pytest.raises(Unreachable):
        LocalConnections(tmp_path).send("any", "hello")


def test_a_message_that_is_not_text_closes_the_connection(tmp_path):
    async def story(room, address, _connections):
        async with websockets.connect(f"{address}/ws") as socket:
            await socket.send(b"\x00\x01")
            with pytest.raises(ConnectionClosed):
                await socket.recv()
        await until(lambda: "$disconnect" in room.routes)

    visit(tmp_path, story)


def test_a_function_that_fails_leaves_the_connection_open(tmp_path):
    async def story(room, address, _connections):
        async with websockets.connect(f"{address}/ws") as socket:
            room.status = 500
            await socket.send("a")
            await socket.send("b")
            await until(lambda: len(room.events) == 3)
            assert [event.get("body") for event in room.events] == [None, "a", "b"]

    visit(tmp_path, story)


def test_sockets_are_idle_when_no_handler_runs_whatever_became_of_who_waited_for_it(tmp_path):
    async def story():
        begun, go_on = threading.Event(), threading.Event()

        def handler(_event, _context):
            begun.set()
            assert go_on.wait(10)
            return {"statusCode": 200}

        sockets = Sockets({"/ws": Function("live", handler)})

        async def handshake():
            return {"type": "websocket.connect"}

        scope = {"path": "/ws", "client": None, "headers": [], "query_string": b""}
        opening = asyncio.create_task(sockets(scope, handshake, lambda _message: None))
        assert sockets.idle
        await asyncio.to_thread(begun.wait, 10)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        sockets.close()
        assert not sockets.idle
        go_on.set()
        await until(lambda: sockets.idle)

    asyncio.run(story())
