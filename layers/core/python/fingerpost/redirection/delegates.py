"""What is odd about the delegates of an account's rules. Nothing of it is an error: who is not there says nothing."""

from collections.abc import Iterator

from ..access.store import APPLICATION, PROJECT
from ..caller import Caller
from ..errors import Finding, TooLarge
from ..ids import is_id
from ..resources import Resources, Stored
from .documents import SentDelegate, SentRules

MAX_DELEGATES = 1_000  # different ones in a rule set: a scan may have to know all of them


def check_delegates(caller: Caller, sent: SentRules) -> list[Finding]:
    """A warning for each delegate that can never answer. Raises TooLarge."""
    named = [
        (f"rules[{number}].delegates[{place}]", delegate)
        for number, rule in enumerate(sent.rules)
        for place, delegate in enumerate(rule.delegates or ())
    ]
    different = {(delegate.app, delegate.project) for _, delegate in named}
    if len(different) > MAX_DELEGATES:
        raise TooLarge(f"These rules name {len(different):,} delegates; the limit of a rule set is {MAX_DELEGATES:,}")
    apps = sorted({app for app, _ in different if app and is_id(app)})
    applications = Resources(caller.tables, APPLICATION).read_many(apps)
    in_projects = sorted({project for _, project in different if project and is_id(project)})
    projects = Resources(caller.tables, PROJECT).read_many(in_projects)
    return [
        Finding(field=place, message=message)
        for place, delegate in named
        for message in _odd(delegate, applications, projects)
    ]


def _odd(delegate: SentDelegate, applications: dict[str, Stored], projects: dict[str, Stored]) -> Iterator[str]:
    app, project = delegate.app, delegate.project
    if not app and not project:
        yield "names neither an app nor a project, so nobody is asked"
    elif project and project not in projects:
        yield f"there is no project {project[:60]}, so nobody is asked"
    elif app and app not in applications:
        yield f"there is no application {app[:60]}, so nobody is asked"
    elif app and project and applications[app].document["project"] != project:
        yield f"the application {app} is not in the project {project}, so nobody is asked"
