"""Every address, with every kind of key, on what is its own and on what is not: as authorisation.txt says.

`pytest -s tests/functions/test_authorisation.py` prints the table of what was found.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fingerpost.ids import new_id
from fingerpost.reactor import rule_queues
from tests.functions.contract import edges
from tests.functions.graph import APP, FakeGraph
from tests.functions.people import application_of, colleague, device, operator_role, person, user_role
from tests.functions.rooms import OF_ROOMS, bodies_of_rooms, booked, made_for_rooms, member
from tests.functions.world import Client, World

LINES = Path(__file__).with_name("authorisation.txt").read_text(encoding="utf-8").splitlines()
ROWS = [line.split() for line in LINES if line.strip() and not line.startswith("#")]
COLUMNS = ROWS.pop(0)
EXPECTED = {(method, template): cells for method, template, *cells in ROWS}
IN_ACCOUNT = {"reader": "global_read", "resources": "gl_resource_update", "projects": "gl_project_update"}


def test_every_route_has_its_line_and_every_line_its_route():
    routes = {route for edge in edges() for route in edge.routes}
    assert set(EXPECTED) == routes
    assert all(len(cells) == len(COLUMNS) for cells in EXPECTED.values())


@dataclass
class Side:
    """One project with an application, and what a request on it is about; each thing is made when it is named."""

    world: World
    project: str
    account: str
    application: dict[str, Any]

    def thng(self) -> str:
        made: str = self.world.operator.made("/thngs", {"name": "x"}, project=self.project)["id"]
        return made

    def made(self, plural: str) -> str:
        made: str = self.world.operator.made(f"/{plural}", {"name": "x"}, project=self.project)["id"]
        return made


@dataclass
class Who:
    client: Client
    id: str = ""  # the user's, the operator's, the device's thng


class Stage:
    """A project of their own for all of them, another one beside it, and somebody for each column."""

    def __init__(self, world: World, graph: FakeGraph):
        self.graph = graph
        self.world = world
        self.own, self.foreign = self._side(world.account), self._side(world.account)
        self.stranger_account = world.stranger.read("/access")["account"]
        self.stranger_role = world.stranger.made("/roles", {"name": "x"})["id"]
        project = (self.own.project,)
        everywhere = {name: operator_role(world, "global_read", each) for name, each in IN_ACCOUNT.items()}
        own_thng = self.own.thng()
        self.user = person(world, self.own.application["client"])
        self.who: dict[str, Who] = {
            "nobody": Who(world.nobody),
            "app": Who(self.own.application["client"]),
            "trusted": Who(self.own.application["trusted"]),
            "user": Who(self.user.client, self.user.id),
            "device": Who(device(world, own_thng), own_thng),
            "admin": Who(world.operator, world.operator.read("/access")["actor"]["id"]),
            "none": self._operator("none"),
            **{name: self._operator(role) for name, role in everywhere.items()},
            "preader": self._operator(operator_role(world, "project_read", projects=project)),
            "peditor": self._operator(
                operator_role(world, "project_read", "project_update", "project_resource_update", projects=project)
            ),
        }
        assert list(self.who) == COLUMNS

    def _side(self, account: str) -> Side:
        project = self.world.operator.made("/projects", {"name": "x"})["id"]
        return Side(
            self.world,
            project,
            account,
            application_of(self.world, project, socialNetworks={"facebook": {"appId": APP}}),
        )

    def _operator(self, role: str) -> Who:
        made = colleague(self.world, role)
        return Who(made.client, made.id)


def value_of(stage: Stage, side: Side, name: str, column: str, template: str) -> str:
    """What stands for a parameter of a path."""
    own, who, operator = side is stage.own, stage.who[column], stage.world.operator
    match name:
        case "accountId":
            return stage.world.account if own else stage.stranger_account
        case "shortDomain":
            domain = f"go{next(_count)}.example"
            operator.post(f"/accounts/{stage.world.account}/shortDomains", {"shortDomain": domain})
            return domain
        case "accessId" if template.startswith("/accounts"):
            return colleague(stage.world).access
        case "accessId":
            return given_access(stage, own=own)
        case "operatorId":
            return who.id if own and column in OPERATORS else colleague(stage.world).id
        case "projectId":
            return side.project
        case "applicationId" if column == "trusted" and "/reactor/" in template:
            return str(side.application["id"])
        case "applicationId":
            return str(application_of(stage.world, side.project)["id"])
        case "roleId" if not own:
            return stage.stranger_role
        case "roleId" if "permissionName" in template:
            made = operator.made("/roles", {"name": "x", "scopes": {"roles": ["base_app_user"]}})
            return str(made["id"])
        case "roleId":
            return user_role(stage.world, seen_by=("base_app_user",))
        case "permissionName":
            return "global_read"
        case "userId" if "validate" in template:
            return str(side.application["client"].made("/auth/evrythng/users", NEW_USER())["evrythngUser"])
        case "userId":
            return who.id if own and column == "user" else person(stage.world, side.application["client"]).id
        case "thngId":
            return who.id if own and column == "device" else with_what_hangs_on_it(side, template, side.thng())
        case "productId":
            return with_what_hangs_on_it(side, template, side.made("products"))
        case "collectionId" | "placeId":
            return side.made(name.removesuffix("Id") + "s")
        case "childId":
            return side.made("collections")
        case "key":
            return "colour"
        case "erasureId":
            erased = operator.delete(f"/thngs/{side.thng()}/scans")
            return str(erased.document["id"])
        case "scheduleId" if template.startswith("/applications/me"):
            return str(side.application["trusted"].made("/applications/me/reactor/schedules", HOURLY)["id"])
        case "scheduleId":
            return "made by with_reactor"
        case "number":
            return "1"
        case "room" | "uuid" | "invitation" | "link":  # of room APIs that do not look who they are
            return "x"
        case "name":
            return "summer"
        case "queueName":
            return "orders"
        case "messageId" if template.startswith("/applications/me"):
            return a_message(stage, str(side.application["id"]))
        case "messageId":
            return "put by with_reactor"
        case "type" if template == "/actions/{type}":
            return "_" + new_type(side)
        case "type":
            return "scans"
        case "actionId":
            thng = who.id if own and column == "device" else side.thng()
            return str(operator.made("/actions/scans", {"thng": thng})["id"])
        case "shortId":
            return str(operator.link(side.thng())["shortId"])
        case "slug" | "uid":
            return "glass-room"
    if name in OF_ROOMS:
        return made_for_rooms(stage.world, side.project, name, template)
    raise AssertionError(name)


HOURLY = {"event": {}, "cron": "0 0 * * * ?"}
COLOUR = {"key": "colour", "value": "red"}
BASES = ("", "/projects/{projectId}/applications/{applicationId}")
TARGETS = {"thngId": "thng", "productId": "product", "collectionId": "collection"}
OPERATORS = ("admin", "none", "reader", "resources", "projects", "preader", "peditor")
_count = iter(range(1_000_000))


def NEW_USER() -> dict[str, Any]:
    return {"email": f"new{next(_count)}@museum.example", "password": "turf cutters"}


def new_type(side: Side) -> str:
    name = f"Type{next(_count)}"
    side.world.operator.made("/actions", {"name": f"_{name}"}, project=side.project)
    return name


def given_access(stage: Stage, *, own: bool) -> str:
    """A role that the stage's user gave somebody, or that others gave each other."""
    client = stage.own.application["client"]
    giver = stage.user if own else person(stage.world, client)
    role = user_role(stage.world, seen_by=("base_app_user",))
    sent = {"email": person(stage.world, client).email, "role": role}
    return str(giver.client.made("/accesses", sent)["id"])


def with_what_hangs_on_it(side: Side, template: str, resource: str) -> str:
    if template.endswith("/redirector"):
        side.world.operator.link(resource)
    if template.startswith("/auth"):
        device(side.world, resource)
    return resource


def with_rules(stage: Stage, method: str, template: str, values: dict[str, str]) -> None:
    """Two versions and a draft at least; one more version to come where a plan is cancelled."""
    base = template.partition("/redirector")[0].format_map(values) + "/redirector"
    operator = stage.world.operator
    for _ in range(2):
        assert operator.put(base, {"rules": []}).status == 200
    operator.delete(f"{base}/drafts/summer")  # it may be based on what is not live any more
    assert operator.put(f"{base}/drafts/summer", {"rules": []}).status == 200
    if template.endswith("/schedule"):
        planned = {"rules": [], "startsAt": stage.world.clock() + 1_000_000 + next(_count) * 1_000}
        values["number"] = str(operator.made(f"{base}/versions", planned)["version"])


def with_reactor(stage: Stage, template: str, values: dict[str, str]) -> None:
    """A version of declarative rules, a message on a queue, a script that is installed, and a schedule."""
    base = template.partition("/reactor/")[0].format_map(values) + "/reactor"
    operator = stage.world.operator
    if "/script" in template:
        assert operator.put(f"{base}/script", {"script": ""}).status == 200
        stage.world.settle()
    if "/rules" in template:
        assert operator.put(f"{base}/rules", {"rules": []}).status == 200
    if "scheduleId" in values:
        values["scheduleId"] = operator.made(f"{base}/schedules", HOURLY)["id"]
    if "messageId" in values:
        values["messageId"] = a_message(stage, values["applicationId"])


def a_message(stage: Stage, application: str) -> str:
    """On a queue of an application."""
    tables, message = stage.world.tables.of(stage.world.account), new_id(stage.world.clock())
    rule_queues.put(tables, application, "orders", message, {}, rule="x", event="x")
    return message


def connect(stage: Stage, template: str, values: dict[str, str]) -> None:
    """What the address says belongs together does."""
    operator = stage.world.operator
    if template == "/collections/{collectionId}/thngs/{thngId}":
        operator.put(f"/collections/{values['collectionId']}/thngs", [values["thngId"]])
    if "childId" in values:
        operator.post(f"/collections/{values['collectionId']}/collections", [values["childId"]])
    if "bookingId" in values:
        values["bookingId"] = booked(stage.world, values["roomId"])
    if "memberId" in values:
        values["memberId"] = member(stage.world, values["hubId"])
    if "actionId" in values and not template.startswith("/actions"):
        target = {TARGETS[name]: value for name, value in values.items() if name in TARGETS}
        values["actionId"] = operator.made("/actions/scans", target)["id"]


def body_of(stage: Stage, side: Side, method: str, template: str, values: dict[str, str], column: str) -> Any:
    known = {
        "POST /accounts/{accountId}/accesses": lambda: {"email": f"o{next(_count)}@x.example"},
        "POST /accounts/{accountId}/shortDomains": lambda: {"shortDomain": f"go{next(_count)}.example"},
        "PUT /accounts/{accountId}/accesses/{accessId}": lambda: {"role": "none"},
        "POST /roles": lambda: {"name": "x"},
        "PUT /roles/{roleId}/permissions": list,
        "PUT /roles/{roleId}/permissions/{permissionName}": lambda: {"enabled": False},
        "POST /auth/evrythng/users": NEW_USER,
        "POST /auth/evrythng/users/{userId}/validate": lambda: activation(side, values["userId"]),
        "POST /auth/evrythng": lambda: login(stage),
        "POST /users/login": lambda: login(stage),
        "POST /auth/facebook": lambda: stage.graph.token(f"t{next(_count)}"),
        "POST /accesses": lambda: {
            "email": person(stage.world, stage.own.application["client"]).email,
            "role": user_role(stage.world, seen_by=("base_app_user",)),
        },
        "POST /auth/evrythng/thngs": lambda: {"thngId": side.thng()},
        "POST /actions": lambda: {"name": f"_New{next(_count)}"},
        "POST /actions/{type}": lambda: {"thng": target(stage, side, column)},
        "POST /redirections": lambda: {"evrythngId": side.thng(), "defaultRedirectUrl": "https://x.example/"},
        "POST /thngs/{thngId}/redirector": lambda: {"defaultRedirectUrl": "https://x.example/"},
        "POST /products/{productId}/redirector": lambda: {"defaultRedirectUrl": "https://x.example/"},
        **dict.fromkeys(("POST /thngs/{thngId}/properties", "PUT /thngs/{thngId}/properties"), lambda: [COLOUR]),
        **dict.fromkeys(
            ("POST /products/{productId}/properties", "PUT /products/{productId}/properties"), lambda: [COLOUR]
        ),
        "PUT /thngs/{thngId}/properties/{key}": lambda: [{"value": "red"}],
        "PUT /products/{productId}/properties/{key}": lambda: [{"value": "red"}],
        "PUT /thngs/{thngId}/location": lambda: [{"latitude": 1, "longitude": 2}],
        "POST /thngs/{thngId}/actions/{type}": dict,
        "POST /products/{productId}/actions/{type}": dict,
        "POST /collections/{collectionId}/actions/{type}": dict,
        "PUT /collections/{collectionId}/thngs": list,
        "POST /collections/{collectionId}/collections": list,
        "POST /redirector/simulate": lambda: {"rules": [], "scan": {}},
        "POST /redirector/backtest": lambda: {"rules": []},
        "POST /projects/{projectId}/applications/{applicationId}/redirector/simulate": lambda: {"scan": {}},
        "POST /projects/{projectId}/applications/{applicationId}/redirector/backtest": lambda: {"rules": []},
        **{f"POST {base}/redirector/{each}": lambda: {"rules": []} for base in BASES for each in ("versions", "check")},
        **{f"POST {base}/redirector/rollback": lambda: {"version": 1} for base in BASES},
        **{f"POST {base}/redirector/diff": dict for base in BASES},
        **{f"POST {base}/redirector/drafts/{{name}}/publish": dict for base in BASES},
        **{f"PUT {base}/redirector/drafts/{{name}}": lambda: {"rules": []} for base in BASES},
        f"PUT {BASES[1]}/reactor/script": lambda: {"script": ""},
        f"POST {BASES[1]}/reactor/script/rollback": lambda: {"version": 1},
        f"POST {BASES[1]}/reactor/logs": lambda: {"message": "x"},
        f"POST {BASES[1]}/reactor/logs/bulk": list,
        f"POST {BASES[1]}/reactor/schedules": lambda: HOURLY,
        "POST /applications/me/reactor/schedules": lambda: HOURLY,
        **{f"POST {BASES[1]}/reactor/rules/{each}": lambda: {"rules": []} for each in ("check", "diff")},
        f"POST {BASES[1]}/reactor/rules/simulate": lambda: {"event": {"action": {"type": "scans"}}},
        f"POST {BASES[1]}/reactor/rules/rollback": lambda: {"version": 1},
        f"PUT {BASES[1]}/reactor/rules": lambda: {"rules": []},
        "PUT /redirector": lambda: {"rules": []},
        **bodies_of_rooms(stage.world, side.project),
        "PUT /projects/{projectId}/applications/{applicationId}/redirector": lambda: {"rules": []},
    }
    return known.get(f"{method} {template}", lambda: {"name": "renamed"})()


def target(stage: Stage, side: Side, column: str) -> str:
    return stage.who[column].id if column == "device" and side is stage.own else side.thng()


def activation(side: Side, user: str) -> dict[str, str]:
    return {"activationCode": side.application["trusted"].read(f"/users/{user}/status")["activationCode"]}


def login(stage: Stage) -> dict[str, str]:
    return {"email": stage.user.email, "password": "turf cutters"}


def asked(stage: Stage, side: Side, method: str, template: str, column: str) -> str:
    """The word for what one request gets."""
    values = {name: value_of(stage, side, name, column, template) for name in re.findall(r"{(\w+)}", template)}
    connect(stage, template, values)
    if f"{BASES[1]}/reactor/" in template:
        with_reactor(stage, template, values)
    if "/redirector/" in template:
        with_rules(stage, method, template, values)
    query: dict[str, str] = {}
    if template == "/redirections" and method == "GET":
        query["evrythngId"] = side.thng()
    if method == "PUT" and template in ("/thngs", "/products"):
        query["filter"] = "name=none of these"
    if template == "/scans":
        query["before"] = "2026-01-01"
    if template.endswith("/diff") and method == "GET":
        query["to"] = "live"
    if (method, template) in (("GET", "/actions/{type}"), ("POST", "/actions/{type}")):
        values["type"] = "scans"
        if method == "GET" and (side is stage.foreign or column != "device"):
            query["project"] = side.project
    client = stage.who[column].client
    if template == "/auth/all/logout" and column == "user":
        client = person(stage.world, stage.own.application["client"]).client
    body = body_of(stage, side, method, template, values, column) if method in ("POST", "PUT", "PATCH") else None
    path = template.format_map(values)
    headers = {"accept": "application/json"} if template == "/redirections" else {}
    answer = client.call(method, path, *([] if body is None else [body]), on_short=True, headers=headers, **query)
    return "yes" if answer.status < 300 else str(answer.status)


def test_no_cell_differs(world: World, graph: FakeGraph):
    stage = Stage(world, graph)
    found: dict[tuple[str, str], list[str]] = {}
    for (method, template), cells in EXPECTED.items():
        row = []
        for column, cell in zip(COLUMNS, cells, strict=True):
            if (method, template) == ("DELETE", "/projects/{projectId}"):
                stage = Stage(world, graph)  # it takes everybody with it
            words = [asked(stage, stage.own, method, template, column)]
            if "/" in cell or "{" in template:
                if (method, template) == ("DELETE", "/projects/{projectId}"):
                    stage = Stage(world, graph)
                words.append(asked(stage, stage.foreign, method, template, column))
            row.append(words[0] if "/" not in cell and len(set(words)) == 1 else "/".join(words))
        found[method, template] = row
    print("\n" + as_table(found))
    differing = [
        f"{method} {template}: {column} gets {is_}, should get {should}"
        for (method, template), row in found.items()
        for column, is_, should in zip(COLUMNS, row, EXPECTED[method, template], strict=True)
        if is_ != should
    ]
    assert differing == [], "\n".join(differing)


def as_table(found: dict[tuple[str, str], list[str]]) -> str:
    width = max(len(template) for _, template in found)
    lines = [f"{'':{width + 7}} " + " ".join(f"{column:9}" for column in COLUMNS)]
    lines += [
        f"{method:6} {template:{width}} " + " ".join(f"{cell:9}" for cell in row)
        for (method, template), row in found.items()
    ]
    return "\n".join(lines)
