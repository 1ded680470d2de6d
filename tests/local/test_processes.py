import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from fingerpost.local.folder import FolderTaken, lock, open_folder
from fingerpost.local.server import PortTaken, listen

PLATFORM = Path(__file__).with_name("fake_platform.py")
CORE = Path(__file__).parents[2] / "layers/core/python"
PATIENCE = 400  # looks, 50 ms apart


def free_ports():
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        return one.getsockname()[1], two.getsockname()[1]


class Started:
    """One run of the platform on a folder."""

    def __init__(self, folder, ports=None):
        self.ports = ports or free_ports()
        self.log = folder.with_suffix(".log").open("a+")
        self.process = subprocess.Popen(
            [sys.executable, str(PLATFORM)],
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": str(CORE),
                "FINGERPOST_DATA_DIR": str(folder),
                "FINGERPOST_API_PORT": str(self.ports[0]),
                "FINGERPOST_SHORT_PORT": str(self.ports[1]),
            },
        )

    def ready(self):
        assert self.process.stdout.readline() == "ready\n", self.logged()
        return self

    def scan(self, short_id):
        answer = httpx.get(f"http://127.0.0.1:{self.ports[1]}/{short_id}", trust_env=False, timeout=20)
        assert answer.status_code == 307

    def scan_until_killed(self, *, after):
        """The ids of the scans that were answered; the server is killed in the middle of it."""
        answered = []

        def scan():
            with contextlib.suppress(httpx.HTTPError):
                while len(answered) < 900:  # what `/derived` lists
                    self.scan(f"s{len(answered)}")
                    answered.append(f"s{len(answered)}")

        scanning = threading.Thread(target=scan)
        scanning.start()
        while len(answered) < after and scanning.is_alive():
            time.sleep(0.005)
        assert self.end(signal.SIGKILL) == -signal.SIGKILL
        scanning.join(30)
        assert len(answered) >= after
        return answered

    def derived(self, ids):
        """What the platform says once all of `ids` are derived."""
        for _ in range(PATIENCE):
            document = httpx.get(f"http://127.0.0.1:{self.ports[0]}/derived", trust_env=False, timeout=20).json()
            if set(ids) <= set(document["ids"]):
                return document
            time.sleep(0.05)
        raise AssertionError(f"{document} {self.logged()}")

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(30)

    def logged(self):
        self.log.seek(0)
        return self.log.read()


@contextlib.contextmanager
def started(folder, ports=None):
    platform = Started(folder, ports)
    try:
        yield platform
    finally:
        if platform.process.poll() is None:
            platform.process.kill()
            platform.process.wait(30)
        platform.process.stdout.close()
        platform.log.close()


def gone(pid):
    for _ in range(PATIENCE):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.05)
    return False


def test_no_answered_scan_is_lost_when_worker_and_server_are_killed_and_all_are_derived(tmp_path):
    folder = tmp_path / "state"
    with started(folder) as first:
        first.ready().scan("a")
        (worker,) = first.derived(["a"])["pids"]
        os.kill(worker, signal.SIGKILL)
        first.scan("b")
        second_worker = (set(first.derived(["a", "b"])["pids"]) - {worker}).pop()
        answered = first.scan_until_killed(after=25)
        assert gone(second_worker), "a worker whose supervisor was killed ends by itself"
    assert oct(folder.stat().st_mode)[-3:] == "700"
    with started(folder) as again:
        document = again.ready().derived(["a", "b", *answered])
        assert 0 <= document["scans"] - 2 - len(answered) <= 1, "at most the one scan that was under way"
        again.scan("d")
        (third_worker,) = set(again.derived(["d"])["pids"]) - {worker, second_worker}
        assert again.end() == 0
        assert gone(third_worker)
        assert "Traceback" not in again.logged()


def test_a_second_server_on_a_folder_or_a_port_says_what_to_do(tmp_path):
    with started(tmp_path / "one") as first:
        first.ready()
        with started(tmp_path / "one") as second:
            assert second.process.wait(30) == 2
            assert f"(process {first.process.pid}) already uses the data folder" in second.logged()
            assert "FINGERPOST_DATA_DIR" in second.logged()
        with started(tmp_path / "two", (free_ports()[0], first.ports[1])) as third:
            assert third.process.wait(30) == 2
            assert f"Port {first.ports[1]} is taken" in third.logged()
            assert "FINGERPOST_SHORT_PORT" in third.logged()
        assert first.end(signal.SIGINT) == 0


def test_localhost_is_both_loopback_addresses_on_one_port():
    sockets = listen("localhost", 0, "PORT")
    assert len({each.getsockname()[1] for each in sockets}) == 1
    assert sockets[0].getsockname()[0] == "127.0.0.1"
    for each in sockets:
        each.close()


def test_an_address_of_another_machine_cannot_be_listened_on():
    with pytest.raises(PortTaken, match=r"192\.0\.2\.1"):
        listen("192.0.2.1", 0, "PORT")
    with pytest.raises(PortTaken, match="FINGERPOST_HOST"):
        listen("no such host", 0, "PORT")


def test_a_folder_is_made_private_and_held_by_one(tmp_path):
    folder = tmp_path / "a" / "b"
    open_folder(folder)
    assert oct(folder.stat().st_mode)[-3:] == "700"
    held = lock(folder, "server")
    with pytest.raises(FolderTaken, match=str(os.getpid())):
        lock(folder, "server")
    lock(folder, "worker").close()
    held.close()
    lock(folder, "server").close()


def test_a_folder_that_cannot_be_made_is_said_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderTaken, match="FINGERPOST_DATA_DIR"):
        open_folder(tmp_path / "file" / "folder")
