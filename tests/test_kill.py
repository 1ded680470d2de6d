"""`kill -9` under load: every scan that was answered is there after the restart, once; hits and visitors agree."""

import http.client
import itertools
import json
import threading
import time
import urllib.parse
import urllib.request

from tests.running import Server

ROUNDS = 10
CONNECTIONS = 4
SHORT_ID = "LOADED"


class Load(threading.Thread):
    """Scans one link again and again over one connection, each time as another agent; remembers who was answered."""

    def __init__(self, port: int, name: str):
        super().__init__(daemon=True)
        self.port, self.prefix = port, name
        self.answered: list[str] = []

    def run(self) -> None:
        try:
            connection = http.client.HTTPConnection("localhost", self.port, timeout=10)
            for number in itertools.count():
                agent = f"load/{self.prefix}-{number}"
                connection.request("GET", f"/{SHORT_ID}", headers={"user-agent": agent})
                answer = connection.getresponse()
                answer.read()
                if answer.status == 307:
                    self.answered.append(agent)
        except (OSError, http.client.HTTPException):
            return  # the server was killed


def recorded_agents(server: Server) -> list[str]:
    agents: list[str] = []
    address: str | None = "/actions/implicitScans?perPage=100&context=true"
    while address:
        request = urllib.request.Request(server.api + address, headers={"authorization": server.key})
        with urllib.request.urlopen(request, timeout=30) as answer:
            agents += [each["context"]["userAgent"] for each in json.load(answer)]
            link = answer.headers.get("link")
        following = urllib.parse.unquote(link.partition("<")[2].partition(">")[0]) if link else None
        address = following and following.removeprefix("http://localhost:8000").removeprefix(server.api)
    return agents


def make_link(server: Server) -> None:
    thng = server.ask("/thngs", {"name": "Lamp 7"})["id"]
    sent = {"evrythngId": thng, "defaultRedirectUrl": "https://museum.example/", "shortId": SHORT_ID}
    server.ask(f"{server.short}/redirections", sent, accept="application/json")


def test_ten_kills_under_load_lose_no_answered_scan_and_double_none(tmp_path):
    server = Server(tmp_path, FINGERPOST_DEMO="0")  # the demo has scans of its own
    answered: list[str] = []
    for round_ in range(ROUNDS):
        server.start()
        if round_ == 0:
            make_link(server)
        loads = [Load(server.short_port, f"{round_}-{number}") for number in range(CONNECTIONS)]
        for load in loads:
            load.start()
        while sum(len(load.answered) for load in loads) < 100 and any(load.is_alive() for load in loads):
            time.sleep(0.01)
        server.kill()
        for load in loads:
            load.join(20)
            answered += load.answered
    server.start()
    try:
        assert len(answered) >= 100 * ROUNDS
        agents: list[str] = []
        hits = -1
        for _ in range(200):  # the feed catches up
            agents = recorded_agents(server)
            hits = server.ask(f"{server.short}/redirections/{SHORT_ID}")["hits"]
            if hits == len(agents) and set(answered) <= set(agents):
                break
            time.sleep(0.1)
        assert len(agents) == len(set(agents)), "a scan is there twice"
        assert set(answered) <= set(agents), "an answered scan is missing"
        assert hits == len(agents)
        for address in (f"{server.short}/redirections/{SHORT_ID}/statistics", f"{server.api}/statistics"):
            found = server.ask(f"{address}?by=browser,country")
            assert (found["hits"], found["robots"]) == (hits, 0)
            assert [sum(each["hits"] for each in values) for values in found["by"].values()] == [hits, hits]
            assert found["visitors"] == len(set(agents)), "each came as a visitor of their own"
    finally:
        server.stop()
