"""Publishing rules of applications, asking them, and scanning after both."""

from typing import Any

from tests.functions.world import SECOND, World

GUIDE = "https://guide.example/"
SHOP = "https://shop.example/"
OWN = "https://own.example/"


def path_of(project: str, application: str) -> str:
    return f"/projects/{project}/applications/{application}/redirector"


def publish_for(world: World, application: str, *rules: Any, project: str = "", **query: str) -> Any:
    answer = world.operator.put(path_of(project or world.project, application), {"rules": rules}, **query)
    assert answer.status == 200, answer
    return answer.document


def made_application(world: World, name: str, project: str = "") -> str:
    """A new application; each is a moment younger than the last."""
    world.clock.now += 1
    made: str = world.operator.made(f"/projects/{project or world.project}/applications", {"name": name})["id"]
    return made


def asking(*delegates: dict[str, str], match: str | None = None, **more: Any) -> dict[str, Any]:
    return {**({} if match is None else {"match": match}), "delegates": list(delegates), **more}


def scanned(world: World, short_id: str, **headers: str) -> str:
    """Where a scan leads once the last change shows."""
    world.clock.now += 5 * SECOND
    return world.scan(short_id, **headers).location
