"""The application that a script, a log or a schedule is of."""

from dataclasses import dataclass

from ..access.service import read_application
from ..caller import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`begun` is when the application was made, in milliseconds since the epoch."""

    project: str
    app: str
    begun: int = 0


def target(caller: Caller, project: str, app: str) -> Target:
    """Raises NotFound when there is no such application in the project."""
    return Target(project=project, app=app, begun=read_application(caller, project, app).document["createdAt"])
