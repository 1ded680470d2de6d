"""Why a command ends without success: an exit code, a sentence, and what to do next."""

from collections.abc import Sequence
from typing import Any, ClassVar


class CommandFailure(Exception):
    """Base of what a command raises on purpose. `then` says what to do next; `findings` are the server's or our own."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, then: str = "", code: str = "", findings: Sequence[dict[str, Any]] = ()):
        super().__init__(message)
        self.then, self.code, self.findings = then, code, list(findings)

    def document(self) -> dict[str, Any]:
        """What `--json` writes to standard error."""
        return {
            "error": str(self),
            "then": self.then,
            "code": self.code,
            "exitCode": self.exit_code,
            "details": self.findings,
        }


class Negative(CommandFailure):
    """The command worked, and its answer is no: there are findings, or some rows failed."""

    exit_code = 1


class Usage(CommandFailure):
    """The command cannot be carried out as it was given."""

    exit_code = 2


class Refused(CommandFailure):
    """The server said no. `status` is the HTTP status."""

    exit_code = 3

    def __init__(self, message: str, *, status: int, then: str = "", code: str = "", findings: Sequence[Any] = ()):
        super().__init__(message, then=then, code=code, findings=findings)
        self.status = status


class Unreachable(CommandFailure):
    """There was no answer, or one that no Fingerpost server gives."""

    exit_code = 4
