"""Scripts, their versions, logs and schedules, as clients are shown them."""

from typing import Literal, NotRequired

from pydantic import JsonValue

from ..answers import Answered, FindingDocument, Id
from ..fields import Millis

type Form = Literal["simple", "bundle"]


class Script(Answered):
    """What was uploaded last, or made to run again: `script` is its main.js. Version 0 is before anything was."""

    createdAt: Millis
    updatedAt: Millis
    type: Form
    script: str
    manifest: str
    version: int


class ScriptStatus(Answered):
    """`updating` while a script is being installed. `error` says why the last one could not be; what ran runs on.

    `version` is what was wanted last, `running` what runs, 0 for nothing; `warnings` are about filters of `version`.
    """

    updating: bool
    error: NotRequired[str]
    version: int
    running: int
    warnings: list[FindingDocument]


class ScriptVersion(Answered):
    version: int
    type: Form
    state: Literal["installing", "ready", "failed"]
    running: bool
    error: NotRequired[str]
    warnings: list[FindingDocument]
    createdAt: Millis
    createdBy: dict[str, JsonValue]
    size: int


class WholeScriptVersion(ScriptVersion):
    """With its main.js, its package.json and what else was uploaded: the sizes of files by path."""

    script: str
    manifest: str
    functions: list[str]
    filters: dict[str, str]
    files: dict[str, int]


class LogEntry(Answered):
    """`timestamp` is the time it tells of, `createdAt` when it was written."""

    id: Id
    app: Id
    logLevel: Literal["trace", "debug", "info", "warn", "error"]
    createdAt: Millis
    timestamp: Millis
    message: str


class Schedule(Answered):
    """It has either `executeAt` or `cron`."""

    id: Id
    createdAt: Millis
    updatedAt: Millis
    event: dict[str, JsonValue]
    function: str
    executeAt: NotRequired[Millis]
    cron: NotRequired[str]
    description: NotRequired[str]
    enabled: bool
