"""Scripts in the manner of published ones on a real server: upload, installation, event, requests, log.

They need Node.js 20 or newer with npm, and one of them npm's registry.
"""

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.reacting import Application
from tests.running import Server, running

SDKS = {"evrythng-extended": "", "evrythng": '{"dependencies": {"evrythng": "^6.0.5"}}'}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("reacting")) as started:
        for kind in ("_Alert", "_Produced", "_TooWarm", "_Deed"):
            started.ask("/actions", {"name": kind, "scopes": {"projects": ["all"], "users": ["all"]}})
        yield started


@pytest.fixture
def app(server):
    return Application(server)


@pytest.fixture
def chat():
    """A chat's incoming webhook: its address, and what was posted there."""
    posted = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            posted.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(202)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    hook = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{hook.server_address[1]}/services/T1", posted
    hook.shutdown()
    hook.server_close()


def test_an_action_of_one_type_is_told_to_a_chat_and_no_other(app, chat):
    hook, posted = chat
    app.publish("chat", hook=hook)
    thng = app.thng()
    app.act("scans", thng, message="nothing")
    app.act("_Alert", thng, message="the door is open")
    assert app.logged() == [("info", "the chat answered 202")]
    assert posted == [{"text": f"_Alert on {thng}: the door is open"}]
    assert len(app.log(trace=True)) == 2


@pytest.mark.parametrize("sdk", SDKS)
def test_what_was_produced_is_tagged(app, sdk):
    app.publish("produced", manifest=SDKS[sdk])
    thng = app.thng(tags=["planned", "oak"])
    app.act("_Produced", thng)
    assert app.logged() == [("info", "Pallet is oak, produced")]
    assert app.server.ask(f"/thngs/{thng}")["tags"] == ["oak", "produced"]


@pytest.mark.parametrize("sdk", SDKS)
def test_a_state_machine_lives_in_properties_with_a_file_for_each_state(app, sdk):
    app.publish("machine", manifest=SDKS[sdk])
    thng = app.thng()
    for number, command in enumerate(("start", "stop"), 1):
        app.set(thng, "command", command)
        app.logged(number)
    assert app.log() == [("info", "idle -> running"), ("info", "running -> idle")]
    assert app.server.ask(f"/thngs/{thng}")["properties"] == {"command": "stop", "state": "idle"}


@pytest.mark.parametrize("sdk", SDKS)
def test_a_temperature_that_crosses_its_limit_makes_an_action_once(app, sdk):
    app.publish("temperature", manifest=SDKS[sdk])
    thng = app.thng(properties={"temperature": 4})
    for number, degrees in enumerate((7, 9, 12)):
        app.set(thng, "temperature", degrees)
        if number:
            app.logged(number)
    levels = [level for level, _ in app.log()]
    assert levels == ["warn", "debug"]
    actions = app.actions("_TooWarm")
    assert [each["customFields"] for each in actions] == [{"temperature": 9}]
    assert actions[0]["createdByApp"] == app.id


def test_a_schedule_walks_all_things_with_the_sdks_iterator(app):
    app.publish("nightly")
    for _ in range(12):
        app.thng()
    app.schedule({"perPage": 5})
    assert app.logged(4) == [("debug", f"a page of {count}") for count in (5, 5, 2)] + [("info", "12 thngs")]


def test_a_script_uses_a_package_of_the_registry(app):
    app.publish("package")
    app.act("_Produced", app.thng(), number=42)
    assert app.logged() == [("info", "000042")]


@pytest.mark.parametrize("sdk", SDKS)
def test_a_script_may_start_itself_but_not_more_than_ten_deep(app, sdk):
    app.publish("itself", manifest=SDKS[sdk])
    thng = app.thng()
    app.set(thng, "count", 0)
    *counted, refused = sorted(app.logged(11), key=lambda entry: entry[0] == "error")
    # a run says so when its change is made, by when what follows from that may be under way
    assert sorted(counted) == sorted(("info", f"count is {count}") for count in range(1, 11))
    assert (refused[0], refused[1].count(f"{app.id}:onThngPropertiesChanged")) == ("error", 11)
    assert app.server.ask(f"/thngs/{thng}")["properties"] == {"count": 10}
    assert len(app.log()) == 11


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        ("exit", "ended its own process (code 3)"),
        ("reject", "nobody looks"),
        ("array", "needed more than 256 MB"),
        ("fork", "restricted"),
        ("files", "restricted"),
        ("others", "restricted"),
    ],
)
def test_a_hostile_script_ends_alone_with_an_entry_that_says_why(app, deed, said):
    app.publish("hostile", folder=str(app.folder))
    app.act("_Deed", app.thng(), deed=deed)
    assert app.logged()[-1][0] == "error"
    assert said in app.log()[-1][1] or "ENOENT" in app.log()[-1][1]


def test_a_script_finds_nothing_in_its_environment(app):
    app.publish("hostile", folder=str(app.folder))
    app.act("_Deed", app.thng(), deed="environment")
    ((level, message),) = app.logged()
    assert level == "info"
    assert json.loads(message).keys() <= {"PWD"}


def test_an_endless_loop_of_one_application_keeps_no_other_waiting(app, server, chat):
    """One loop in each of the application's lanes, and more behind them. They end with the server, long before."""
    hook, posted = chat
    other = Application(server, "Quiet")
    app.publish("hostile", folder=str(app.folder))
    other.publish("chat", hook=hook)
    thng, others = app.thng(), other.thng()
    for _ in range(10):
        app.act("_Deed", thng, deed="loop")
    for number in range(3):
        other.act("_Alert", others, message=str(number))
        assert other.logged(number + 1)[-1] == ("info", "the chat answered 202")
    assert len(posted) == 3
    assert app.log() == []


def told_of(app):
    """How often the listener says that it was told of each value."""
    return Counter(message.split()[1] for level, message in app.whole_log() if level == "info")


def test_a_server_that_is_killed_in_the_middle_of_events_loses_none_and_repeats_none_without_a_word(tmp_path):
    server = Server(tmp_path)
    server.start()
    try:
        app = Application(server)
        app.publish("listener")
        things = [app.thng() for _ in range(10)]
        expected = set()
        for turn in range(4):
            for thng in things:
                app.set(thng, "k42", f"{thng}/{turn}")
                expected.add(f"{thng}/{turn}")
            if turn in (1, 2):
                server.kill()
                server.start()
        told = app.soon(lambda: each if (each := told_of(app)).keys() >= expected else None, "not all has come")
        repeated = [message for level, message in app.whole_log() if level == "warn"]
    finally:
        server.stop()
    assert told.keys() == expected
    assert told.total() - len(told) <= len(repeated) <= 6
    assert set(repeated) <= {"onThngPropertiesChanged is repeated after interruption"}
