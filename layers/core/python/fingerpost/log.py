"""One JSON line on standard error, by hand: for what runs where Powertools is not loaded."""

import json
import sys
from typing import Any


def line(level: str, message: str, **fields: Any) -> None:
    print(json.dumps({"level": level, "message": message, **fields}, default=repr), file=sys.stderr)  # noqa: T201


def warning(message: str, **fields: Any) -> None:
    line("WARNING", message, **fields)


def error(message: str, **fields: Any) -> None:
    line("ERROR", message, **fields)
