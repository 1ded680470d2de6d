"""What clients send of scripts, logs and schedules. Source: the platform's ReactorScriptDocument and its neighbours."""

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from ..fields import Millis, SentDocument, described
from ..ports.runner import MAX_LINE_BYTES

MAX_EVENT_BYTES = 16 * 1024
MAX_DESCRIPTION = 2_000
MAX_ENTRIES = 1_000  # of a log, in one request

_FUNCTION = r"^[A-Za-z_$][A-Za-z0-9_$]{0,99}$"


def _bounded(value: dict[str, Any]) -> dict[str, Any]:
    if (size := len(json.dumps(value, ensure_ascii=False).encode())) > MAX_EVENT_BYTES:
        raise ValueError(f"an event has at most {MAX_EVENT_BYTES:,} bytes as JSON; this one has {size:,}")
    return value


def _line(value: str) -> str:
    if (size := len(value.encode())) > MAX_LINE_BYTES:
        raise ValueError(f"a message has at most {MAX_LINE_BYTES:,} bytes; this one has {size:,}")
    return value


def _manifest(value: Any) -> Any:
    if not isinstance(value, str | dict | None):
        raise ValueError("a manifest is a package.json, as text or as the object itself")
    return value


class SentScript(SentDocument):
    """A script in the simple form. `manifest` is a package.json, as text or as the object itself."""

    script: str
    manifest: Annotated[str | dict[str, JsonValue] | None, BeforeValidator(_manifest)] = None

    @property
    def manifest_text(self) -> str:
        return self.manifest if isinstance(self.manifest, str) else json.dumps(self.manifest) if self.manifest else ""


class SentScriptRollback(BaseModel):
    """Which version is to run again."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: Annotated[int, Field(ge=1, le=99_999_999)]


class SentEntry(SentDocument):
    """One entry of a log. Without a `timestamp` it is of now."""

    logLevel: Literal["trace", "debug", "info", "warn", "error"] = "info"  # noqa: N815
    message: Annotated[str, AfterValidator(_line)]
    timestamp: Millis | None = None


class SentSchedule(SentDocument):
    """A schedule, whole or in part: it has either `executeAt` or `cron`."""

    event: Annotated[dict[str, JsonValue], AfterValidator(_bounded)] | None = None
    function: Annotated[str, Field(pattern=_FUNCTION)] | None = None
    executeAt: Millis | None = None  # noqa: N815
    cron: Annotated[str, described(maxLength=200)] | None = None
    description: Annotated[str, Field(max_length=MAX_DESCRIPTION)] | None = None
    enabled: bool | None = None
