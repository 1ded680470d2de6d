"""Everybody who can hold a key, in the account of a world: application users, devices, operators with any role."""

from dataclasses import dataclass
from itertools import count
from typing import Any

from tests.functions.world import Client, World

PASSWORD = "turf cutters"
_numbers = count(1)


@dataclass
class Person:
    """An active user of an application."""

    id: str
    email: str
    client: Client

    @property
    def path(self) -> str:
        return f"/users/{self.id}"


def person(world: World, application: Client | None = None, email: str = "", **fields: Any) -> Person:
    """A user who has been activated, in the world's own application if no other is named."""
    application = application or world.application
    email = email or f"user{next(_numbers)}@museum.example"
    made = application.made("/auth/evrythng/users", {"email": email, "password": PASSWORD, **fields})
    code = {"activationCode": made["activationCode"]}
    key = application.made(f"/auth/evrythng/users/{made['evrythngUser']}/validate", code)["evrythngApiKey"]
    return Person(made["evrythngUser"], email, Client(world, key))


def anonymous(world: World, application: Client | None = None) -> Person:
    made = (application or world.application).made("/auth/evrythng/users?anonymous=true", {})
    return Person(made["evrythngUser"], made["email"], Client(world, made["evrythngApiKey"]))


def device(world: World, thng: str, **query: Any) -> Client:
    return Client(world, world.operator.made("/auth/evrythng/thngs", {"thngId": thng}, **query)["thngApiKey"])


@dataclass
class Colleague:
    """Another operator of the account."""

    id: str
    access: str
    client: Client


def colleague(world: World, role: str = "none") -> Colleague:
    sent = {"email": f"operator{next(_numbers)}@museum.example", "role": role}
    made = world.operator.made(f"/accounts/{world.account}/accesses", sent)
    return Colleague(made["operator"], made["id"], Client(world, made["apiKey"]))


def operator_role(world: World, *permissions: str, projects: tuple[str, ...] = ()) -> str:
    """The id of a new role of operators with these permissions, project-scoped ones for `projects`."""
    role: str = world.operator.made("/roles", {"name": "+".join(permissions) or "nothing"})["id"]
    for name in permissions:
        sent = {"name": name, "enabled": True, **({"projects": projects} if name.startswith("project_") else {})}
        assert world.operator.put(f"/roles/{role}/permissions/{name}", sent).status == 200
    return role


def user_role(world: World, *permissions: tuple[str, str], seen_by: tuple[str, ...] = (), **more: Any) -> str:
    """The id of a new role of application users; `seen_by` are the roles that see it and can give it."""
    sent = {"type": "userInApp", "version": 2, "name": "Engineer", "scopes": {"roles": seen_by}, **more}
    role: str = world.operator.made("/roles", sent)["id"]
    paths = [{"path": path, "access": access} for path, access in permissions]
    assert world.operator.put(f"/roles/{role}/permissions", paths).status == 200
    return role


def application_of(world: World, project: str, **fields: Any) -> dict[str, Any]:
    """A new application with its `client` and its `trusted` client."""
    made = world.operator.made(f"/projects/{project}/applications", {"name": "Guide", **fields})
    secret = world.operator.read(f"/projects/{project}/applications/{made['id']}/secretKey")["secretApiKey"]
    return {**made, "client": Client(world, made["appApiKey"]), "trusted": Client(world, secret)}
