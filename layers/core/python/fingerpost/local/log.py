"""What the two local processes and their libraries log: the lines of `fingerpost.log`, with the time."""

import logging
import traceback
from typing import Any

from fingerpost.clock import now_ms
from fingerpost.log import line


def log(level: str, message: str, **fields: Any) -> None:
    """One JSON line on stderr; `at` is milliseconds since the epoch. Nothing secret may be passed in."""
    line(level.upper(), message, at=now_ms(), **fields)


def log_failure(message: str, error: BaseException, **fields: Any) -> None:
    """An error with its traceback, still as one line."""
    log("error", message, error=repr(error), exception="".join(traceback.format_exception(error)), **fields)


class JsonLines(logging.Handler):
    """What libraries say through `logging`, in the same shape."""

    def emit(self, record: logging.LogRecord) -> None:
        trace = "".join(traceback.format_exception(record.exc_info[1])) if record.exc_info else None
        fields = {"logger": record.name} | ({"exception": trace} if trace else {})
        log(record.levelname, record.getMessage(), **fields)


def use_json_lines() -> None:
    """Send the process's library logging to stderr as JSON lines, warnings and worse."""
    logging.basicConfig(level=logging.WARNING, handlers=[JsonLines()], force=True)
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # its warnings are what strangers sent, already answered
