"""One run of one script, in isolation: what a reactor function does when its event comes.

A script is strangers' code. Whatever it does, it ends within its limits, alone, and the result says how; it sees its
own bundle and nothing else of ours. A run is never repeated by a runner.
Both adapters (aws/runner.py, local/runner.py) run the same JavaScript (functions/runner) and pass
tests/ports/test_runner.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, get_args

TIME_LIMIT_MS = 60_000
MEMORY_MB = 256
MAX_LOG_LINES = 1_000  # of a run
MAX_LINE_BYTES = 16 * 1024  # of one line's message
MAX_LOG_BYTES = 1024 * 1024  # of all messages of a run

type Level = Literal["trace", "debug", "info", "warn", "error"]
type Outcome = Literal[
    "done",  # it called done()
    "returned",  # its promise was kept, or its work ended after that
    "notDone",  # nothing was left to do, and done() was not called
    "absent",  # the script has no such function
    "error",  # it threw, at load or later, or a promise was rejected and nobody looked
    "timeout",
    "memory",
    "exited",  # it ended its own process
    "unavailable",  # nothing of the script ran, or nobody can say whether it did: `detail` is for us, not for its log
]


LEVELS: tuple[Level, ...] = get_args(Level.__value__)  # the least first


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    bundle: str  # the name of the blob with the installed bundle, a zip; its content never changes
    tenant: str  # whose environment it runs in: the id of the application
    function: str
    payload: Mapping[str, Any]  # the event document
    api_url: str
    api_key: str = field(repr=False)  # of the trusted application
    app: Mapping[str, Any]  # the application's document, with `id` and `project`
    header: str = ""  # the value of X-Evrythng-Reactor; empty for none
    time_limit_ms: int = TIME_LIMIT_MS
    memory_mb: int = MEMORY_MB


@dataclass(frozen=True, slots=True)
class LogLine:
    level: Level
    message: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """`logs` are the script's own lines, at most MAX_LOG_LINES, and after them what the runner has to say."""

    outcome: Outcome
    logs: tuple[LogLine, ...] = ()
    ms: int = 0  # from the call to its end, as the runner measured it
    detail: str = ""


class NoRunner(Exception):
    """Scripts cannot run here at all; the message says what to do."""


class Runner(Protocol):
    """May be shared by threads."""

    def run(self, request: RunRequest) -> RunResult:
        """Run a function once and return when it has ended, or was ended.

        Raises Throttled when the runner refuses for now, before anything ran (both errors of ports/table.py), and
        Unreachable when no answer comes: it may have run.
        """
        ...
