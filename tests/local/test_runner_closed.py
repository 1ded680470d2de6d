"""A runner that is closed while scripts run, or has no room for one. Needs Node.js 20 or newer with npm."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest

from fingerpost.local.process import NotStarted, Process
from fingerpost.local.runner import close_runners, process_runner
from fingerpost.ports.runner import RunRequest
from fingerpost.ports.table import Throttled, Unreachable
from fingerpost.reactor.bundles import pack

LOOP = pack(iter([("main.js", b"function onActionCreated() { for (;;) {} }")]))
REQUEST = RunRequest(
    bundle="loop",
    tenant="t",
    function="onActionCreated",
    payload={},
    api_url="http://127.0.0.1:1",
    api_key="k",
    app={"id": "a", "project": "p"},
)


def test_a_run_that_the_end_of_its_runner_cuts_off_has_no_outcome_and_leaves_no_process():
    runner = process_runner({"loop": LOOP}.get, ahead=0)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(runner.run, REQUEST)
        while not runner._running and not running.done():
            time.sleep(0.01)
        (process,) = runner._running
        close_runners()
        with pytest.raises((Unreachable, Throttled), match="closed"):  # by whether the script had begun
            running.result()
    assert not process.alive
    assert runner._running == []


@pytest.mark.parametrize("part", ["_unpack", "link"])
def test_a_runner_that_is_closed_while_it_reads_a_bundle_has_run_nothing(monkeypatch, part):
    runner = process_runner({"loop": LOOP}.get, ahead=0)
    read = getattr(runner._bundles, part)

    def closed_first(*more):
        close_runners()
        read(*more)

    monkeypatch.setattr(runner._bundles, part, closed_first)
    with pytest.raises(Throttled, match="closed"):
        runner.run(REQUEST)


def test_a_process_that_another_thread_kills_is_read_to_its_end(monkeypatch, tmp_path):
    killed = threading.Event()

    def receive(descriptor):
        assert killed.wait(10)
        return os.read(descriptor, 100)

    monkeypatch.setattr("fingerpost.local.process._receive", receive)
    process = Process(["sh", "-c", """echo '["begun"]'; sleep 100"""], tmp_path)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(process.run, {}, 30_000)
        process.kill()
        killed.set()
        with suppress(NotStarted):  # killed before it wrote
            _, ending = running.result()
            assert (ending.kind, ending.code) == ("ended", -9)
    assert not process.alive


@pytest.mark.parametrize("part", ["Process", "_Bundles.link"])
def test_a_machine_without_room_for_a_script_refuses_it_for_now(monkeypatch, part):
    runner = process_runner({"loop": LOOP}.get, ahead=0)

    def full(*_):
        raise OSError("Cannot allocate memory")

    with monkeypatch.context() as patched:
        patched.setattr(f"fingerpost.local.runner.{part}", full)
        with pytest.raises(Throttled, match="Cannot allocate memory"):
            runner.run(REQUEST)
    assert [each.name for each in runner._folder.iterdir()] == ["bundles"]
    ended = runner.run(replace(REQUEST, time_limit_ms=200))
    assert ended.outcome == "timeout"
    runner.close()
