"""A real server on free ports around fake functions, for tests of the gateway."""

import asyncio
import contextlib
import json
import threading

import uvloop

from fingerpost.local.functions import Function
from fingerpost.local.gateway import Gateway, GatewaySettings
from fingerpost.local.held import HeldAnswers
from fingerpost.local.server import HttpServer, listen

API_URL = "http://api.example"


class FakeStore:
    """A store in hold mode: `events` tells in which order commits and (as tests add them) other things happened."""

    def __init__(self):
        self.dirty, self.fails, self.flushes, self.writes = False, False, 0, 0

    def write(self):
        self.dirty = True
        self.writes += 1

    def flush(self):
        self.dirty = False
        self.flushes += 1
        if self.fails:
            raise OSError("disk full")


def echo(name):
    def handler(event, context):
        return {
            "statusCode": 200,
            "headers": {"content-type": "application/json"},
            "body": json.dumps({"function": name, "event": event}),
        }

    return handler


class Served:
    """What a test talks to. Handlers are looked up in `handlers` at each call, so a test can replace them."""

    def __init__(self, **settings):
        self.store = FakeStore()
        self.ready = True
        self.handlers = {name: echo(name) for name in ("redirect", "access", "catalogue", "redirections", "insight")}
        self._settings = settings
        self._started = threading.Event()

    def function(self, name, *routes):
        def handler(event, context):
            return self.handlers[name](event, context)

        return Function(name, handler, routes)

    @contextlib.contextmanager
    def running(self):
        api, short = listen("localhost", 0, "API"), listen("localhost", 0, "SHORT")
        self.api_port, self.short_port = api[0].getsockname()[1], short[0].getsockname()[1]
        self.api, self.short = f"http://127.0.0.1:{self.api_port}", f"http://127.0.0.1:{self.short_port}"
        redirections = self.function(
            "redirections",
            ("GET", "/redirections"),
            ("PUT", "/redirections/{shortId}"),
            ("GET", "/{shortId}.qr"),
            ("GET", "/redirector"),
        )
        access = self.function("access", ("GET", "/access"))
        self.gateway = Gateway(
            GatewaySettings(short_port=self.short_port, short_domain="tn.example", api_url=API_URL, **self._settings),
            redirect=self.function("redirect"),
            redirections=redirections,
            edges=[
                access,
                self.function("catalogue", ("GET", "/thngs/{thngId}"), ("POST", "/thngs")),
                redirections,
                self.function("insight", ("GET", "/redirections/{shortId}/statistics"), ("GET", "/statistics")),
            ],
            default=access,
            held=HeldAnswers(self.store),
            ready=lambda: self.ready,
        )
        self.server = HttpServer(self.gateway, API_URL, self._started.set)

        def serve():
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self.server.serve([*api, *short]))

        thread = threading.Thread(target=serve)
        thread.start()
        assert self._started.wait(10)
        try:
            yield self
        finally:
            self.server.stop()
            thread.join(20)
            self.gateway.close()
            assert not thread.is_alive()
