"""The `Runner` of one machine: single-use node processes, started ahead of need so that a script costs milliseconds."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from ..errors import Invalid
from ..ports.runner import MEMORY_MB, TIME_LIMIT_MS, NoRunner, RunRequest, RunResult
from ..ports.table import Throttled, Unreachable
from ..reactor.bundles import unpack
from ..reactor.transcript import call_of, result_of
from .built import NotBuilt, built
from .process import NotStarted, Process
from .sandbox import Sandbox, find_sandbox

AHEAD = 2  # processes that wait, 45 MB each
KEPT_BUNDLES = 50
_STARTS = 3  # a process that waited may have died as it did

_open: "weakref.WeakSet[ProcessRunner]" = weakref.WeakSet()

type Fetch = Callable[[str], bytes | None]  # the content of a bundle by its blob's name


def built_runner() -> Path:
    """The folder with functions/runner, built now if need be. Raises NoRunner."""
    try:
        return built("runner", "build-RunnerFunction")
    except NotBuilt as error:
        raise NoRunner(f"The runner of reactor scripts could not be built: {error}") from error


class ProcessRunner:
    """Each run has a process and a folder of its own, both gone when it ends. `close` ends those that wait."""

    def __init__(self, fetch: Fetch, *, program: Path, sandbox: Sandbox, ahead: int = AHEAD):
        self._program, self._sandbox, self._ahead = program, sandbox, ahead
        self._folder = Path(tempfile.mkdtemp(prefix="fingerpost-runner-")).resolve()
        self._bundles = _Bundles(fetch, self._folder / "bundles")
        self._waiting: list[Process] = []
        self._running: list[Process] = []
        self._lock = threading.Lock()
        # bubblewrap ends with the thread that started it, so one thread that stays starts them all.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="runner")
        self.close = weakref.finalize(self, _end, self._starter, self._waiting, self._running, self._folder)
        _open.add(self)

    def warm(self) -> None:
        """Start the processes that wait, so that the first script need not."""
        self._starter.submit(self._fill).result()

    def run(self, request: RunRequest) -> RunResult:
        detail = ""
        for _ in range(_STARTS):
            if not self.close.alive:
                raise Throttled("the runner is closed")
            process = self._take(request)
            self._running.append(process)
            try:
                if not self.close.alive:  # closed before it was among those to kill
                    raise Throttled("the runner is closed")
                with _room():
                    self._bundles.link(request.bundle, process.home)
                written, ending = process.run(call_of(request), request.time_limit_ms)
                if not self.close.alive:  # what ended it was us
                    raise Unreachable("the runner was closed while the script ran")
                return result_of(request, written, ending)
            except (Invalid, _NoBundle, NotStarted, Throttled) as error:
                if not self.close.alive:  # which took the folder away
                    raise Throttled("the runner is closed") from error
                if isinstance(error, Throttled):
                    raise
                detail = str(error)
                if not isinstance(error, NotStarted):
                    break
            finally:
                self._discard(process)
                self._refill()
        return RunResult(outcome="unavailable", detail=detail)

    def _take(self, request: RunRequest) -> Process:
        """A process that waits, and another started in its place; a new one for a request with limits of its own."""
        if (request.memory_mb, request.time_limit_ms) != (MEMORY_MB, TIME_LIMIT_MS):
            return self._start(memory_mb=request.memory_mb, time_limit_ms=request.time_limit_ms)
        with self._lock:
            process = self._waiting.pop(0) if self._waiting else None
            empty = not self._waiting
        if empty:  # others may come at once; elsewhere the script at hand has the processor first
            self._refill()
        if process is None:
            return self._start()
        if process.alive:
            return process
        self._discard(process)
        return self._start()

    def _refill(self) -> None:
        if len(self._waiting) < self._ahead and self.close.alive:
            self._starter.submit(self._fill)

    def _fill(self) -> None:
        while len(self._waiting) < self._ahead and self.close.alive:
            process = self._spawn(MEMORY_MB, TIME_LIMIT_MS)
            with self._lock:
                self._waiting.append(process)

    def _start(self, *, memory_mb: int = MEMORY_MB, time_limit_ms: int = TIME_LIMIT_MS) -> Process:
        return self._starter.submit(self._spawn, memory_mb, time_limit_ms).result()

    def _spawn(self, memory_mb: int, time_limit_ms: int) -> Process:
        """Raises Throttled."""
        with _room():
            home = Path(tempfile.mkdtemp(prefix="run-", dir=self._folder))
        processor_s = 4 * (time_limit_ms // 1000 + 10)  # Node has several threads; it only outlives us for so long
        command = self._sandbox.command(self._program, home, memory_mb=memory_mb, processor_s=processor_s)
        try:
            with _room():
                return Process(command, home)
        except Throttled:
            home.rmdir()
            raise

    def _discard(self, process: Process) -> None:
        with contextlib.suppress(ValueError):  # it waited, and died as it did
            self._running.remove(process)
        process.end()
        shutil.rmtree(process.home, ignore_errors=True)


def process_runner(fetch: Fetch, *, ahead: int = AHEAD) -> ProcessRunner:
    """Raises NoRunner."""
    return ProcessRunner(fetch, program=built_runner(), sandbox=find_sandbox(), ahead=ahead)


@contextlib.contextmanager
def _room() -> Iterator[None]:
    """What the machine has no room for is refused for now: nothing of a script has run. Raises Throttled."""
    try:
        yield
    except OSError as error:
        raise Throttled(f"a script cannot be started here: {error}") from error


class _NoBundle(Exception):
    """There is no bundle of that name."""


class _Bundles:
    """Unpacked bundles, kept by name, for a name's content never changes; the oldest give way."""

    def __init__(self, fetch: Fetch, folder: Path):
        self._fetch, self._folder = fetch, folder
        self._lock = threading.Lock()
        folder.mkdir()

    def link(self, name: str, home: Path) -> None:
        """Put the bundle's files into `home`, as links, for each process may read its own folder alone.

        Raises _NoBundle, and Invalid for what cannot be unpacked.
        """
        folder = self._folder / sha256(name.encode()).hexdigest()
        if not folder.is_dir():
            self._unpack(name, folder)  # nobody waits for another's bundle
        with self._lock:
            if not folder.is_dir():  # it gave way at once
                raise _NoBundle(f"The bundle {name} gave way to others")
            os.utime(folder)
            for path in folder.rglob("*"):
                target = home / path.relative_to(folder)
                if path.is_dir():
                    target.mkdir(exist_ok=True)
                else:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    try:
                        os.link(path, target)
                    except OSError:  # more links than the file system lets a file have
                        shutil.copyfile(path, target)

    def _unpack(self, name: str, folder: Path) -> None:
        content = self._fetch(name)
        if content is None:
            raise _NoBundle(f"There is no bundle {name}")
        with tempfile.TemporaryDirectory(prefix="bundle-", dir=self._folder.parent) as made:
            unpack(content, Path(made) / "files")
            with self._lock:
                if not folder.is_dir():  # another may have unpacked it meanwhile
                    (Path(made) / "files").rename(folder)
                os.utime(folder)
                aged = sorted(self._folder.iterdir(), key=lambda each: each.stat().st_mtime)
                for old in aged[:-KEPT_BUNDLES]:
                    shutil.rmtree(old, ignore_errors=True)


def close_runners() -> None:
    """End all that runs, or waits, in this process: for who leaves it without further ado."""
    for runner in list(_open):
        runner.close()


def _end(starter: ThreadPoolExecutor, waiting: list[Process], running: list[Process], folder: Path) -> None:
    """Nothing of a runner is left behind, when it is closed, forgotten, or its process ends."""
    starter.shutdown(cancel_futures=True)
    for process in [*waiting, *running]:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.kill()  # who runs one still reads from it, and ends it
    shutil.rmtree(folder, ignore_errors=True)
