"""Roles and their permissions, of operators and of application users."""

import pytest

from tests.functions.people import anonymous, application_of, colleague, operator_role, person, user_role
from tests.functions.world import API_URL, HOUR, Client, World

TREE = [
    {
        "name": "global_read",
        "enabled": False,
        "projectScoped": False,
        "children": [
            {"name": "gl_resource_update", "enabled": False, "projectScoped": False},
            {"name": "gl_project_update", "enabled": False, "projectScoped": False},
        ],
    },
    {
        "name": "project_read",
        "enabled": False,
        "projectScoped": True,
        "projects": [],
        "children": [
            {"name": "project_update", "enabled": False, "projectScoped": True, "projects": []},
            {"name": "project_resource_update", "enabled": False, "projectScoped": True, "projects": []},
        ],
    },
]
DEFAULTS = [
    {"path": "/access$", "access": "r", "default": True},
    {"path": "/auth/all/logout", "access": "c", "default": True},
    {"path": "/rateLimits$", "access": "r", "default": True},
    {"path": "/roles", "access": "r", "default": True},
]


# ---- documents -------------------------------------------------------------------------------------------------------


def test_the_built_in_roles_come_first_then_the_accounts_own_newest_first(world: World, operator: Client):
    first = operator.made("/roles", {"name": "OperatorRole", "description": "An example"})
    world.clock.now += 1
    second = world.answered("users/create-role-of-users").document
    assert operator.read("/roles") == [
        {"id": "admin", "name": "admin"},
        {"id": "none", "name": "none"},
        {"id": "base_app_user", "version": 2, "type": "userInApp", "name": "base_app_user"},
        second,
        first,
    ]
    assert [each["id"] for each in operator.read("/roles", filter="name=OperatorRole")] == [first["id"]]
    assert [each["id"] for each in operator.read("/roles", filter="type=userInApp")] == ["base_app_user", second["id"]]


def test_an_operators_role_shows_no_times_and_a_users_role_its_type(world: World, operator: Client):
    answer = world.answered("users/create-role-of-users")
    role = answer.document
    assert (answer.status, answer.location) == (201, f"{API_URL}/roles/{role['id']}")
    assert len(role["id"]) == 24 and int(role["id"], 16)
    assert role == {
        "id": role["id"],
        "createdAt": world.clock(),
        "updatedAt": world.clock(),
        "version": 2,
        "type": "userInApp",
        "name": "RepairEngineer",
        "description": "Engineer authorized to perform device repairs",
    }
    plain = operator.made("/roles", {"name": "x", "customFields": {"admin": False}})
    assert plain == {"id": plain["id"], "name": "x", "customFields": {"admin": False}}
    world.clock.now += HOUR
    changed = operator.put(f"/roles/{role['id']}", {"description": "New", "type": "other", "id": "x"}).document
    assert changed == {**role, "description": "New", "updatedAt": world.clock()}
    assert operator.put(f"/roles/{role['id']}", changed).document == changed == operator.read(f"/roles/{role['id']}")


@pytest.mark.parametrize("name", ["admin", "none", "base_app_user"])
def test_built_in_roles_are_as_they_are_and_their_names_are_taken(operator: Client, name):
    assert operator.post("/roles", {"name": name}).status == 409
    assert operator.read(f"/roles/{name}")["name"] == name
    assert operator.put(f"/roles/{name}", {"description": "x"}).status == 403
    assert operator.delete(f"/roles/{name}").status == 403
    assert operator.put(f"/roles/{name}/permissions", []).status == 403
    role = operator.made("/roles", {"name": "x"})["id"]
    assert operator.put(f"/roles/{role}", {"name": name}).status == 409


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "x", "type": "operator"}, {"name": "x", "version": 1}])
def test_a_role_that_is_not_in_order_is_refused(operator: Client, body):
    assert operator.post("/roles", body).status == 400


def test_the_scopes_of_a_role_are_replaced_or_changed_with_signs(world: World, operator: Client):
    role, other = user_role(world), user_role(world)
    path = f"/roles/{role}?withScopes=true"
    assert operator.read(path)["scopes"] == {"roles": [], "projects": []}

    def after(**scopes):
        return operator.put(path, {"scopes": scopes}).document["scopes"]

    assert after(projects=[f"+{world.project}"]) == {"roles": [], "projects": [world.project]}
    assert after(roles=[other]) == {"roles": [other], "projects": [world.project]}
    assert after(roles=["+base_app_user"]) == {"roles": [other, "base_app_user"], "projects": [world.project]}
    assert after(roles=[f"-{other}"], projects=[]) == {"roles": ["base_app_user"], "projects": []}
    assert operator.put(path, {"scopes": {"roles": [f"+{other}", "x"]}}).status == 400
    assert operator.put(path, {"scopes": {"roles": ["0" * 24]}}).status == 400
    assert operator.put(path, {"scopes": {"projects": ["U" * 24]}}).status == 400
    assert "scopes" not in operator.read(f"/roles/{role}")


# ---- permissions of operators' roles ---------------------------------------------------------------------------------


def test_a_new_operators_role_allows_nothing_and_shows_the_tree(operator: Client):
    role = operator.made("/roles", {"name": "x"})["id"]
    assert operator.read(f"/roles/{role}/permissions") == TREE == operator.read("/roles/none/permissions")
    assert all(each["enabled"] for each in operator.read("/roles/admin/permissions"))


def test_a_permission_is_enabled_for_projects_and_disabled_again(world: World, operator: Client):
    role = operator.made("/roles", {"name": "x"})["id"]
    path = f"/roles/{role}/permissions"
    answer = world.answered("users/set-project-permission", ROLE=role, PROJECT=world.project)
    enabled = {"name": "project_read", "enabled": True, "projectScoped": True, "projects": [world.project]}
    assert answer.document == enabled == operator.read(f"{path}/project_read")
    assert operator.put(f"{path}/global_read", {"name": "global_read", "enabled": True}).document == {
        "name": "global_read",
        "enabled": True,
        "projectScoped": False,
    }
    tree = operator.read(path)
    assert [each["enabled"] for each in tree] == [True, True]
    assert operator.put(path, tree).document == tree
    disabled = operator.put(f"{path}/project_read", {"enabled": False}).document
    assert disabled == {**enabled, "enabled": False}


def test_a_permission_that_is_not_in_order_is_refused(world: World, operator: Client):
    role = operator.made("/roles", {"name": "x"})["id"]
    path = f"/roles/{role}/permissions"
    assert (
        operator.put(f"{path}/everything", {"enabled": True}).status == operator.get(f"{path}/everything").status == 404
    )
    assert operator.put(f"{path}/global_read", {"name": "project_read", "enabled": True}).status == 400
    assert operator.put(f"{path}/global_read", {"enabled": "yes"}).status == 400
    assert operator.put(f"{path}/project_read", {"enabled": True, "projects": ["U" * 24]}).status == 400
    assert operator.put(f"{path}/project_read", {"enabled": True, "projects": [world.project] * 41}).status == 400
    assert operator.put(path, {"name": "global_read"}).status == 400
    assert operator.put(f"/roles/{user_role(world)}/permissions/global_read", {"enabled": True}).status == 404


def test_a_child_counts_only_where_its_parent_does(world: World, operator: Client):
    thng = operator.made("/thngs", {"name": "x"}, project=world.project)["id"]
    role = operator_role(world, "gl_resource_update", "project_resource_update", projects=(world.project,))
    client = colleague(world, role).client
    assert client.put(f"/thngs/{thng}", {"name": "y"}).status == 403
    operator.put(f"/roles/{role}/permissions/project_read", {"enabled": True, "projects": [world.project]})
    assert client.put(f"/thngs/{thng}", {"name": "y"}).status == 200
    outside = operator.made("/thngs", {"name": "x"})["id"]
    assert client.get(f"/thngs/{outside}").status == 404
    operator.put(f"/roles/{role}/permissions/global_read", {"enabled": True})
    assert client.put(f"/thngs/{outside}", {"name": "y"}).status == 200


def test_who_reads_everything_and_changes_one_project_is_told_so(world: World, operator: Client):
    role = operator_role(world, "global_read", "project_resource_update", projects=(world.project,))
    client = colleague(world, role).client
    inside = operator.made("/thngs", {"name": "in"}, project=world.project)["id"]
    outside = operator.made("/thngs", {"name": "out"})["id"]
    link = operator.link(outside)["shortId"]
    operator.made("/actions", {"name": "_Shared"})
    assert client.get(f"/thngs/{outside}").status == client.get(f"/redirections/{link}", on_short=True).status == 200
    for refused in (
        client.put(f"/thngs/{outside}", {"name": "y"}),
        client.delete(f"/thngs/{outside}"),
        client.put(f"/thngs/{outside}/properties", [{"key": "a", "value": 1}]),
        client.post("/actions/scans", {"thng": outside}),
        client.put(f"/redirections/{link}", {"defaultRedirectUrl": "https://x.example/"}, on_short=True),
        client.put("/actions/_Shared", {"tags": ["x"]}),
        client.delete("/actions/_Shared"),
        client.put("/thngs", {"name": "y"}, ids=f"{inside},{outside}"),
        client.put(f"/thngs/{inside}", {"scopes": {"projects": ["+all"]}}),
        client.post("/thngs", {"name": "x", "scopes": {"projects": ["all"]}}),
    ):
        assert refused.status == 403, refused
    assert client.put(f"/thngs/{inside}", {"name": "y"}).status == 200
    made = client.made("/thngs", {"name": "z"})
    assert operator.read(f"/thngs/{made['id']}?withScopes=true")["scopes"]["projects"] == [world.project]


def test_an_operator_of_several_projects_sees_them_together(world: World, operator: Client):
    two, three = (operator.made("/projects", {"name": name})["id"] for name in ("Two", "Three"))
    role = operator_role(
        world, "project_read", "project_update", "project_resource_update", projects=(world.project, two)
    )
    client = colleague(world, role).client
    thngs = [operator.made("/thngs", {"name": "x"}, project=each)["id"] for each in (world.project, two, three)]
    both = operator.made("/collections", {"name": "b", "scopes": {"projects": [world.project, two]}})["id"]
    answer = client.get("/collections")
    assert [each["id"] for each in answer.document] == [both]
    assert answer.headers["x-result-count"] == "1"
    assert {each["id"] for each in client.read("/thngs")} == set(thngs[:2])
    assert [each["id"] for each in client.read("/thngs", project=two)] == [thngs[1]]
    assert client.get("/thngs", project=three).status == 404
    assert {each["id"] for each in client.read("/projects")} == {world.project, two}
    operator.made("/actions", {"name": "_Moved", "scopes": {"projects": [world.project]}})
    assert client.post("/thngs", {"name": "where?"}).status == client.post("/actions/_Moved", {}).status == 400
    assert client.made(f"/actions/_Moved?project={two}", {})["type"] == "_Moved"
    assert client.post("/thngs?project=" + three, {"name": "x"}).status == 403


# ---- permissions of users' roles -------------------------------------------------------------------------------------


def test_a_users_role_has_the_immutable_permissions_whatever_is_sent(world: World, operator: Client):
    role = user_role(world)
    path = f"/roles/{role}/permissions"
    assert operator.read(path) == DEFAULTS
    answer = world.answered("users/replace-permissions", ROLE=role)
    assert (answer.status, answer.document) == (200, [{"path": "/thngs", "access": "cr"}])
    assert operator.read(path) == [*DEFAULTS, {"path": "/thngs", "access": "cr"}]
    assert operator.put(path, operator.read(path)).document == operator.read(path)
    assert operator.put(path, []).document == []
    assert operator.read(path) == DEFAULTS


def test_base_app_user_shows_what_no_role_exceeds(operator: Client):
    shown = operator.read("/roles/base_app_user/permissions")
    assert {"path": "/thngs", "access": "cru"} in shown
    assert {"path": "/accesses", "access": "crd", "default": True} in shown
    assert {"path": "/users/{user}", "access": "ru"} in shown
    assert len(shown) == 17


@pytest.mark.parametrize(
    "permission",
    [
        {"path": "/thngs", "access": "crud"},
        {"path": "/projects", "access": "r"},
        {"path": "/", "access": "r"},
        {"path": "/users", "access": "r"},
        {"path": "/access", "access": "r"},
        {"path": "/*", "access": "r"},
        {"path": "thngs", "access": "r"},
        {"path": "/thngs//x", "access": "r"},
        {"path": "/thngs", "access": ""},
        {"path": "/thngs", "access": "rr"},
        {"path": "/thngs", "access": "x"},
        {"path": "/thngs"},
        "/thngs",
    ],
)
def test_a_permission_that_is_more_than_base_app_user_or_none_at_all_is_refused(world: World, permission):
    role = user_role(world)
    answer = world.operator.put(f"/roles/{role}/permissions", [{"path": "/thngs", "access": "r"}, permission])
    assert answer.status == 400
    assert answer.document["details"][0]["field"].startswith("[1]")
    assert world.operator.read(f"/roles/{role}/permissions") == DEFAULTS


def test_a_users_role_decides_by_path_from_the_next_request_on(world: World, operator: Client):
    role = user_role(world, ("/thngs/*/properties", "ru"), ("/products", "r"))
    application = application_of(world, world.project, defaultRole=role)
    ann = person(world, application["client"]).client
    thng = operator.made("/thngs", {"name": "x"}, project=world.project)["id"]
    assert ann.get("/products").status == 200
    assert ann.get("/thngs").status == ann.get(f"/thngs/{thng}").status == 403
    assert ann.put(f"/thngs/{thng}/properties", [{"key": "a", "value": 1}]).status == 200
    assert ann.read(f"/thngs/{thng}/properties/a")[0]["value"] == 1
    assert ann.post(f"/thngs/{thng}/properties", [{"key": "a", "value": 1}]).status == 403
    assert ann.post("/products", {"name": "x"}).status == 403
    operator.put(f"/roles/{role}/permissions", [{"path": "/thngs", "access": "r"}])
    assert ann.get(f"/thngs/{thng}").status == 200
    assert ann.get("/products").status == 403
    assert ann.get("/access").status == 200


def test_an_applications_new_default_role_is_at_once_that_of_its_users(world: World, operator: Client):
    path = f"/projects/{world.project}/applications/{world.application_id}"
    ann, nobody = person(world).client, anonymous(world).client
    assert ann.get("/thngs").status == nobody.get("/thngs").status == 200
    role = user_role(world, ("/products", "r"))
    assert operator.put(path, {"defaultRole": role}).document["defaultRole"] == role
    assert ann.get("/thngs").status == nobody.get("/thngs").status == 403
    assert operator.put(path, {"defaultRole": None}).document["defaultRole"] == "base_app_user"
    assert ann.get("/thngs").status == 200


@pytest.mark.parametrize("role", ["admin", "none", "0" * 24, "app_user_admin", "operator's", "elsewhere"])
def test_a_default_role_is_one_of_users_in_this_project(world: World, operator: Client, role):
    if role == "operator's":
        role = operator.made("/roles", {"name": "x"})["id"]
    if role == "elsewhere":
        other = operator.made("/projects", {"name": "x"})["id"]
        role = user_role(world, scopes={"projects": [other]})
    path = f"/projects/{world.project}/applications"
    assert operator.put(f"{path}/{world.application_id}", {"defaultRole": role}).status == 400
    assert operator.post(path, {"name": "x", "defaultRole": role}).status == 400


# ---- roles that go ---------------------------------------------------------------------------------------------------


def test_operators_of_a_deleted_role_have_none(world: World, operator: Client):
    role = operator_role(world, "global_read")
    bob = colleague(world, role)
    assert bob.client.get("/thngs").status == 200
    assert operator.delete(f"/roles/{role}").status == 200
    assert bob.client.get("/thngs").status == 403
    assert operator.read(f"/accounts/{world.account}/accesses/{bob.access}")["role"] == "none"
    assert operator.get(f"/roles/{role}").status == 404


def test_a_role_that_users_have_is_not_deleted(world: World, operator: Client):
    role = user_role(world)
    path = f"/projects/{world.project}/applications/{world.application_id}"
    operator.put(path, {"defaultRole": role})
    answer = operator.delete(f"/roles/{role}")
    assert answer.status == 409 and "give them another" in answer.error
    operator.put(path, {"defaultRole": "base_app_user"})
    assert operator.delete(f"/roles/{role}").status == 200


# ---- roles that users give -------------------------------------------------------------------------------------------


def test_a_supervisor_sees_the_roles_below_and_gives_exactly_those(world: World, operator: Client):
    supervisor = user_role(world, ("/accesses", "crd"), ("/thngs", "r"))
    engineer = user_role(world, ("/thngs", "r"), seen_by=(supervisor,))
    secret = user_role(world, seen_by=("base_app_user",))
    elsewhere = operator.made("/projects", {"name": "x"})["id"]
    user_role(world, seen_by=(supervisor,), scopes={"roles": [supervisor], "projects": [elsewhere]})
    application = application_of(world, world.project, defaultRole=supervisor)
    ann, bob = person(world, application["client"]), person(world, application["client"])
    shown = ann.client.read("/roles")
    assert [each["id"] for each in shown] == [engineer] and shown[0]["type"] == "userInApp"
    assert ann.client.get(f"/roles/{secret}").status == ann.client.get("/roles/admin").status == 404
    for role in (secret, "base_app_user", "admin", supervisor):
        assert ann.client.post("/accesses", {"email": bob.email, "role": role}).status == 400
    values = {"USER_KEY": str(ann.client.key), "ROLE": engineer}
    assert world.answered("users/give-role", **values).status == 404, "nobody has this e-mail here"
    given = ann.client.made("/accesses", {"email": bob.email, "role": engineer})
    assert given == {
        "id": given["id"],
        "project": world.project,
        "app": application["id"],
        "user": bob.id,
        "actor": ann.id,
        "role": engineer,
        "customFields": {"email": bob.email},
    }
    assert bob.client.get("/thngs").status == 200
    assert bob.client.post("/accesses", {"email": ann.email, "role": engineer}).status == 403
    assert [each["id"] for each in ann.client.read("/accesses")][1:] == [given["id"]]
    login = {"email": bob.email, "password": "turf cutters"}
    assert application["client"].made("/users/login", login)["access"]["role"] == engineer
    assert operator.delete(f"/roles/{engineer}").status == 409


def test_a_given_role_is_taken_back_by_either_and_by_a_new_default(world: World, operator: Client):
    engineer = user_role(world, ("/products", "r"), ("/accesses", "rd"), seen_by=("base_app_user",))
    ann, bob, cid = person(world), person(world), person(world)

    def give() -> str:
        identifier: str = ann.client.made("/accesses", {"email": bob.email, "role": engineer})["id"]
        assert bob.client.get("/thngs").status == 403
        return identifier

    access = give()
    assert cid.client.delete(f"/accesses/{access}").status == 404
    assert ann.client.delete(f"/accesses/{access}").status == 204
    assert bob.client.get("/thngs").status == 200
    access = give()
    assert bob.client.delete(f"/accesses/{access}").status == 204
    assert bob.client.get("/thngs").status == 200
    give()
    path = f"/projects/{world.project}/applications/{world.application_id}"
    operator.put(path, {"defaultRole": user_role(world, ("/thngs", "r"), ("/accesses", "r"))})
    assert bob.client.get("/thngs").status == 200
    assert len(bob.client.read("/accesses")) == 1
    assert operator.delete(f"/roles/{engineer}").status == 200
    operator.put(path, {"defaultRole": "base_app_user"})
    assert bob.client.get("/thngs").status == 200, "what was given before stays void"
