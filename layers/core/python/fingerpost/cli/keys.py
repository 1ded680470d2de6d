"""`fingerpost keys`: whose key this is, and the keys of applications."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from .command import Session, command, group
from .failure import Usage
from .reading import split_application

keys = group("API keys: whose yours is, and those of applications.")

ACTORS = {"operator": "an operator", "app": "an application", "userInApp": "a user", "device": "a device"}
SHOWN = 6  # characters of a key that tell it from others and give nothing away

Named = Annotated[str, typer.Argument(metavar="PROJECT/APPLICATION", help="Both by id.")]


@command(keys, "whoami")
def whoami(session: Session) -> None:
    """Whose key the environment holds, and which server it is for."""
    document = session.client.get("/access")
    actor = document["actor"]

    def for_people() -> None:
        session.terminal.facts(
            [
                ("server", session.client.connection.api_url),
                ("account", document["account"]),
                ("project", document.get("project")),
                ("key of", f"{ACTORS.get(actor['type'], actor['type'])} {actor['id']}"),
            ]
        )

    session.terminal.answer({"apiUrl": session.client.connection.api_url, **document}, for_people)


@command(keys, "list")
def list_keys(session: Session) -> None:
    """Every application with the beginning of its key; `show` prints a whole one."""
    rows = [
        {
            "project": project["id"],
            "application": app["id"],
            "name": app.get("name"),
            "appApiKey": hidden(app.get("appApiKey")),
        }
        for project, app in _applications(session)
    ]
    columns = ("project/application", "name", "application key")
    session.terminal.answer(
        rows,
        lambda: session.terminal.table(
            columns, [(f"{row['project']}/{row['application']}", row["name"], row["appApiKey"]) for row in rows]
        ),
    )


@command(keys, "show")
def show_key(
    session: Session,
    application: Named,
    secret: Annotated[bool, typer.Option("--secret", help="The trusted application's key.")] = False,
) -> None:
    """Print one key and nothing else, fit for `$(...)`."""
    project, app = split_application(application)
    address = f"/projects/{project}/applications/{app}"
    if secret:
        document = session.client.get(f"{address}/secretKey")
        key = document["secretApiKey"]
    else:
        key = session.client.get(address)["appApiKey"]
        document = {"appApiKey": key}
    session.terminal.answer(document, lambda: session.terminal.say(key))


@command(keys, "create")
def create_key(
    session: Session,
    name: Annotated[str, typer.Argument(help="What the application is called.")],
    project: Annotated[str, typer.Option("--project", "-p", help="Its project, by id or by name.")],
    make_project: Annotated[bool, typer.Option("--make-project", help="Make the project when there is none.")] = False,
) -> None:
    """Make an application in a project, and print both of its keys."""
    project_id = _project(session, project, make=make_project)
    made = session.client.post(f"/projects/{project_id}/applications", {"name": name})
    secret = session.client.get(f"/projects/{project_id}/applications/{made['id']}/secretKey")["secretApiKey"]

    def for_people() -> None:
        session.terminal.facts(
            [
                ("application", f"{project_id}/{made['id']}"),
                ("application key", made["appApiKey"]),
                ("trusted application key", secret),
            ]
        )
        session.terminal.note("The trusted key may change things and scripts; keep it on servers.")

    session.terminal.answer({**made, "secretApiKey": secret}, for_people)


@command(keys, "rotate")
def rotate_keys(
    session: Session,
    application: Named,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """New keys for an application; both that it has so far stop working at once."""
    project, app = split_application(application)
    address = f"/projects/{project}/applications/{app}"
    if not yes and not session.terminal.confirm(f"End both keys of {session.client.get(address).get('name')}?"):
        raise Usage("Nothing was changed", then="Say --yes to do it without being asked")
    made = session.client.post(f"{address}/keys", {})
    secret = session.client.get(f"{address}/secretKey")["secretApiKey"]
    session.terminal.answer(
        {**made, "secretApiKey": secret},
        lambda: session.terminal.facts([("application key", made["appApiKey"]), ("trusted application key", secret)]),
    )


@command(keys, "delete")
def delete_key(
    session: Session,
    application: Named,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete an application: its keys end at once, its rules with it."""
    project, app = split_application(application)
    document = session.client.get(f"/projects/{project}/applications/{app}")
    if not yes and not session.terminal.confirm(f"Delete {document.get('name')} with its keys and rules?"):
        raise Usage("Nothing was deleted", then="Say --yes to delete it without being asked")
    session.client.delete(f"/projects/{project}/applications/{app}")
    session.terminal.answer(
        {"deleted": app},
        lambda: session.terminal.say(f"{document.get('name')} is deleted, its keys are no longer valid"),
    )


def _applications(session: Session) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for project in session.client.items("/projects"):
        for app in session.client.items(f"/projects/{project['id']}/applications"):
            yield project, app


def hidden(key: object) -> str:
    """The beginning of a key, where there is one to be shown."""
    return f"{str(key)[:SHOWN]}…" if key else ""


def _project(session: Session, given: str, *, make: bool) -> str:
    projects = session.client.items("/projects")
    found = [each["id"] for each in projects if given in (each["id"], each.get("name"))]
    match found:
        case [only]:
            return str(only)
        case [] if make:
            return str(session.client.post("/projects", {"name": given})["id"])
        case []:
            names = ", ".join(str(each.get("name")) for each in projects[:10])
            others = f"Name one of {names}, or say" if names else "Say"
            raise Usage(f"There is no project {given}", then=f"{others} --make-project to make it")
        case _:
            raise Usage(f"{len(found)} projects are called {given}", then=f"Name one by its id: {', '.join(found)}")
