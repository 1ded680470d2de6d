"""What a run's process wrote, made into a result. Nothing in it is trusted: a script shares that process."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, cast

from ..ports.runner import (
    LEVELS,
    MAX_LINE_BYTES,
    MAX_LOG_BYTES,
    MAX_LOG_LINES,
    Level,
    LogLine,
    Outcome,
    RunRequest,
    RunResult,
)

MAX_RAW_BYTES = 8 * MAX_LINE_BYTES  # a line of JSON longer than this is no line of ours
_OUT_OF_MEMORY = ("out of memory", "Allocation failed", "bad_alloc", "failed to reserve")
_SAID = ("done", "returned", "notDone", "absent", "error", "memory", "exited")  # what the process itself may claim


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How the process came to its end. `code` is its exit code, negative for a signal."""

    kind: Literal["ended", "timeout"]
    code: int = 0
    complaint: str = ""  # the end of what it wrote on standard error, where V8 says why it gave up
    ms: int
    at: int


def call_of(request: RunRequest) -> dict[str, Any]:
    """What the process is told, as functions/runner/src/child.cjs reads it."""
    return {
        "function": request.function,
        "payload": dict(request.payload),
        "apiUrl": request.api_url,
        "apiKey": request.api_key,
        "header": request.header,
        "app": dict(request.app),
        "timeLimitMs": request.time_limit_ms,
    }


def result_of(request: RunRequest, written: Iterable[bytes | str], ending: Ending) -> RunResult:
    """`written` are the lines of the process, in order."""
    logs: list[LogLine] = []
    spent, dropped, said = 0, 0, None
    for raw in written:
        match _parsed(raw):
            case ["log", str(level), str(message), int(at)] if level in LEVELS:
                line = LogLine(level, _cut(message), min(max(at, 0), ending.at))
                spent += len(line.message.encode())
                if len(logs) < MAX_LOG_LINES and spent <= MAX_LOG_BYTES:
                    logs.append(line)
                else:
                    dropped += 1
            case ["end", str(outcome), str(detail)] if outcome in _SAID:
                said = (cast(Outcome, outcome), _cut(detail))
                break
    if dropped:
        limits = f"{MAX_LOG_LINES:,} lines and {MAX_LOG_BYTES:,} bytes"
        logs.append(LogLine("warn", f"The log of this run was cut: it holds at most {limits}", ending.at))
    outcome, detail = said or _unsaid(ending)
    if remark := _remark(request, outcome, detail):
        logs.append(LogLine(remark[0], remark[1], ending.at))
    return RunResult(outcome=outcome, logs=tuple(logs), ms=ending.ms, detail=detail)


def _parsed(raw: bytes | str) -> Any:
    if len(raw) > MAX_RAW_BYTES:
        return None
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _cut(text: str) -> str:
    """At most MAX_LINE_BYTES of UTF-8. Half a surrogate pair, which JSON can carry and UTF-8 cannot, becomes `?`."""
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= MAX_LINE_BYTES:
        return encoded.decode()
    end = f"… (cut: a line holds at most {MAX_LINE_BYTES:,} bytes)"
    return encoded[: MAX_LINE_BYTES - len(end.encode())].decode("utf-8", "ignore") + end


def _unsaid(ending: Ending) -> tuple[Outcome, str]:
    """The outcome of a process that ended without a word."""
    if ending.kind == "timeout":
        return "timeout", ""
    if any(each in ending.complaint for each in _OUT_OF_MEMORY):
        return "memory", ""
    return "exited", f"signal {-ending.code}" if ending.code < 0 else str(ending.code)


def _remark(request: RunRequest, outcome: Outcome, detail: str) -> tuple[Level, str] | None:
    """What the log says of the outcome; None where there is nothing to add."""
    name = request.function
    match outcome:
        case "notDone":
            return "warn", f"{name} ended without calling done()"
        case "absent":
            return "warn", f"The script has no function {name}"
        case "error":
            return "error", detail
        case "timeout":
            return "error", f"{name} was ended: it took longer than {request.time_limit_ms:,} ms, the time limit"
        case "memory":
            return "error", f"{name} was ended: it needed more than {request.memory_mb:,} MB, the memory limit"
        case "exited":
            how = detail if detail.startswith("signal") else f"code {detail}"
            return "error", f"{name} ended its own process ({how}) before done()"
        case _:
            return None
