"""One single-use process for one script: started ahead of need, told once what to run, killed with all it started."""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from collections import deque
from pathlib import Path
from typing import Any, Literal

from ..clock import now_ms
from ..ports.runner import MAX_LOG_BYTES, MAX_LOG_LINES
from ..reactor.transcript import MAX_RAW_BYTES, Ending

_CHUNK = 64 * 1024
_COMPLAINT_BYTES = 8 * 1024  # of standard error, the last ones
_MAX_WRITTEN = 4 * MAX_LOG_BYTES  # JSON makes six bytes of some characters; what is past it is read and dropped
_REAP_SECONDS = 10
_START_SECONDS = 30  # for Node to load what every script needs
_BEGUN = b'["begun"]'  # what it writes once it has its call, before anything of a script runs


class NotStarted(Exception):
    """The process ended before it was told anything; nothing of a script ran."""


class Process:
    """`home` is the folder in which its bundle has to stand before `run`."""

    def __init__(self, command: list[str], home: Path):
        self.home, self._killed = home, False
        self._popen = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            env={},
            bufsize=0,
            start_new_session=True,
        )

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None

    def run(self, call: dict[str, Any], time_limit_ms: int) -> tuple[list[bytes], Ending]:
        """Hand over the call; what the process wrote, and how it ended. It has ended then. Raises NotStarted."""
        try:
            timed_out, written, complaint = self._converse(json.dumps(call).encode(), time_limit_ms / 1000)
        finally:
            self.end()
        text = complaint.decode("utf-8", "replace")
        if written.begun_at is None:
            raise NotStarted(f"The process ended with {self._popen.returncode} before it began: {text}")
        ms = int((time.monotonic() - written.begun_at) * 1000)
        kind: Literal["timeout", "ended"] = "timeout" if timed_out else "ended"
        return written.lines, Ending(kind=kind, code=self._popen.returncode, complaint=text, ms=ms, at=now_ms())

    def kill(self) -> None:
        """Kill it and its whole group, and wait until it is gone. Any thread may; one that is in `run` ends it then."""
        if not self._killed:
            self._killed = True
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait(_REAP_SECONDS)

    def end(self) -> None:
        """Kill it and close its pipes, from which no other thread may be reading: their numbers go to other files."""
        self.kill()
        for pipe in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _converse(self, call: bytes, limit_s: float) -> tuple[bool, "_Lines", bytes]:
        """Write the call while reading what comes, until the output ends or time is up, which runs from its begin."""
        stdin, stdout, stderr = self._popen.stdin, self._popen.stdout, self._popen.stderr
        assert stdin is not None
        assert stdout is not None
        assert stderr is not None
        for pipe in (stdin, stdout, stderr):
            os.set_blocking(pipe.fileno(), False)
        written, complaint, rest = _Lines(), deque[int](maxlen=_COMPLAINT_BYTES), memoryview(call)
        deadline = time.monotonic() + _START_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(stdin, selectors.EVENT_WRITE)
            selector.register(stdout, selectors.EVENT_READ, written.take)
            selector.register(stderr, selectors.EVENT_READ, complaint.extend)
            while stdout in selector.get_map() and not written.ended:
                if written.begun_at is not None:
                    deadline = written.begun_at + limit_s
                if (left := deadline - time.monotonic()) <= 0:
                    return True, written, bytes(complaint)
                for key, _ in selector.select(left):
                    if key.fileobj is not stdin:
                        _take(selector, key)
                    elif not (rest := _send(key.fd, rest)):
                        selector.unregister(stdin)
                        stdin.close()
            while stderr in selector.get_map() and (chunk := _receive(stderr.fileno())):
                complaint.extend(chunk)
        if not written.ended:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(max(0.0, min(1.0, deadline - time.monotonic())))  # for a code of its own
        return False, written, bytes(complaint)


class _Lines:
    """Lines out of chunks, bounded in number, length and sum."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.begun_at: float | None = None  # of the monotonic clock
        self.ended = False  # a line came that says so: nothing after it counts
        self._rest = b""
        self._size = 0

    def take(self, chunk: bytes) -> None:
        *whole, rest = (self._rest + chunk).split(b"\n")
        self._rest = rest if len(rest) <= MAX_RAW_BYTES else rest[: MAX_RAW_BYTES + 1]
        for line in whole:
            if self.begun_at is None:  # nothing of a script can have written before
                if line == _BEGUN:
                    self.begun_at = time.monotonic()
                continue
            ends = line.startswith(b'["end",')
            if ends or (len(self.lines) <= MAX_LOG_LINES + 2 and self._size + len(line) <= _MAX_WRITTEN):
                self.lines.append(line[: MAX_RAW_BYTES + 1])
                self._size += len(line)
            if ends:
                self.ended = True
                return


def _take(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    """Hand on what can be read of one output, which leaves the selector at its end."""
    match _receive(key.fd):
        case None:
            return
        case b"":
            selector.unregister(key.fileobj)
        case chunk:
            key.data(chunk)


def _send(descriptor: int, rest: memoryview) -> memoryview:
    """Write what fits; nothing is left to write when nobody reads."""
    try:
        return rest[os.write(descriptor, rest[:_CHUNK]) :]
    except BlockingIOError:
        return rest
    except BrokenPipeError:
        return rest[:0]


def _receive(descriptor: int) -> bytes | None:
    """The next bytes: none at the end, None when there are none yet."""
    try:
        return os.read(descriptor, _CHUNK)
    except BlockingIOError:
        return None
