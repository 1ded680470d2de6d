"""Who a key is and what it may do; projects, applications and their keys."""

import pytest

from tests.functions.world import API_URL, DOMAIN, HOUR, OPERATOR_KEY, Client, World


def test_a_request_without_any_key_is_401_and_says_where_the_key_goes(world: World):
    answer = world.answered("access/no-key")
    assert answer.status == 401
    assert "Authorization" in answer.error


@pytest.mark.parametrize("key", ["x" * 80, "short", "Bearer", "é" * 80, "Bearer " + "x" * 80, "'; drop table rows --"])
def test_a_key_that_is_unknown_is_403(world: World, key):
    assert Client(world, key).get("/access").status == 403


@pytest.mark.parametrize("word", ["Token", "Bearer", "ApiKey"])
def test_a_word_before_the_key_does_no_harm(world: World, word):
    assert Client(world, f"{word} {OPERATOR_KEY}").get("/access").status == 200


def test_an_operators_access_names_the_account_and_no_project(world: World):
    document = world.answered("access/read-access").document
    assert document["account"] == world.account
    assert document["actor"]["type"] == "operator"
    assert "project" not in document


def test_the_access_of_either_application_key_names_its_project(world: World):
    for client in (world.application, world.trusted):
        assert client.read("/access") == {
            "account": world.account,
            "project": world.project,
            "actor": {"id": world.application_id, "type": "app"},
        }


def test_an_address_that_nothing_serves_is_404_and_json(world: World):
    answer = world.answered("access/unknown-address")
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/json"


def test_a_known_address_with_another_method_is_405_and_says_which_it_takes(operator: Client):
    answer = operator.call("PATCH", "/projects")
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, POST"


def test_a_head_request_is_answered_as_a_get_without_its_body(world: World, operator: Client):
    path = f"/thngs/{world.thng()['id']}"
    answer = operator.call("HEAD", path)
    assert (answer.status, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/json"
    assert operator.call("HEAD", "/thngs/none").status == 404
    assert world.nobody.call("HEAD", path).status == 401
    assert operator.call("HEAD", "/applications/me").status == 403


def test_the_page_behind_moreinfo_explains_every_code_that_answers_carry(world: World, operator: Client):
    page = world.nobody.get("/errors")
    assert page.status == 200 and page.headers["content-type"].startswith("text/html")
    codes = {
        world.nobody.get("/access").document["code"],
        operator.get("/thngs", filter="tags=").document["code"],
        operator.get("/thngs", nextPageToken="x").document["code"],
        operator.put("/redirector", {"rules": [{"redirectUrl": "ftp://x"}]}).document["code"],
        operator.get("/thngs/none").document["code"],
        *("taken", "notAllowed"),  # of bookings
    }
    for code in codes:
        assert f'id="{code}"' in page.content.decode(), code


def test_an_operator_sees_and_changes_its_own_account_and_none_other(world: World, operator: Client):
    path = f"/accounts/{world.account}"
    document = operator.read(path)
    assert document == {
        "id": world.account,
        "createdAt": world.clock(),
        "updatedAt": world.clock(),
        "name": "Harbour Museum",
        "customFields": {},
        "tfaRequired": False,
        "wholeAddresses": False,
    }
    assert operator.read("/accounts") == [document]
    after = operator.put(path, {**document, "wholeAddresses": True, "id": "x", "tfaRequired": True}).document
    assert after == {**document, "wholeAddresses": True} == operator.read(path)
    assert world.stranger.get(path).status == world.stranger.put(path, {"name": "mine"}).status == 404
    assert operator.put(path, {"wholeAddresses": "yes"}).status == 400
    assert world.trusted.get(path).status == 403


# ---- projects --------------------------------------------------------------------------------------------------------


def test_a_project_is_created_with_its_location_and_the_accounts_short_domain(world: World, operator: Client):
    answer = world.answered("access/create-project")
    project = answer.document
    assert answer.status == 201
    assert answer.location == f"{API_URL}/projects/{project['id']}"
    assert project == {
        "id": project["id"],
        "createdAt": world.clock(),
        "updatedAt": world.clock(),
        "name": "On show",
        "customFields": {"international": True},
        "tags": ["demo"],
        "startsAt": 1510918931000,
        "shortDomains": [DOMAIN],
    }
    assert operator.read(f"/projects/{project['id']}") == project


def test_projects_are_listed_newest_first_with_their_number(world: World, operator: Client):
    ids = []
    for name in ("a", "b", "c"):
        world.clock.now += 1
        ids.append(operator.made("/projects", {"name": name})["id"])
    answer = operator.get("/projects", perPage="2")
    assert [each["id"] for each in answer.document] == [ids[2], ids[1]]
    assert answer.headers["x-result-count"] == "3"
    assert [each["id"] for each in operator.read("/projects", filter="name=b")] == [ids[1]]


def test_a_project_read_and_put_back_whole_stays_as_it_was(world: World, operator: Client):
    before = operator.read(f"/projects/{world.project}")
    world.clock.now += HOUR
    assert operator.put(f"/projects/{world.project}", before).document == before


def test_a_project_update_ignores_read_only_fields_and_moves_updated_at(world: World, operator: Client):
    path, made_at = f"/projects/{world.project}", world.clock()
    world.clock.now += HOUR
    sent = {"name": "New", "id": "x", "createdAt": 1, "updatedAt": 2, "scopes": {"projects": ["all"]}}
    after = operator.put(path, sent).document
    assert (after["id"], after["name"]) == (world.project, "New")
    assert (after["createdAt"], after["updatedAt"]) == (made_at, world.clock())
    assert "scopes" not in after


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": None},
        {"name": ""},
        {"name": 5},
        {"name": "x", "shortDomains": ["evil.example"]},
        {"name": "x", "tags": "y"},
    ],
)
def test_a_project_that_is_not_in_order_is_refused(operator: Client, body):
    assert operator.post("/projects", body).status == 400
    assert operator.read("/projects") == []


def test_a_deleted_project_answers_200_without_a_body_and_then_404(world: World, operator: Client):
    answer = operator.delete(f"/projects/{world.project}", headers={"content-type": "application/json"})
    assert (answer.status, answer.content) == (200, b"")
    assert operator.get(f"/projects/{world.project}").status == 404
    assert operator.get(f"/projects/{world.project}/applications").status == 404
    assert operator.read("/projects") == []


def test_a_deleted_project_takes_its_applications_keys_with_it(world: World, operator: Client):
    application, trusted = world.application, world.trusted
    operator.delete(f"/projects/{world.project}")
    assert application.get("/access").status == 403
    assert trusted.get("/thngs").status == 403


# ---- applications ----------------------------------------------------------------------------------------------------


def test_an_application_is_created_with_a_key_of_80_letters_and_digits(world: World, operator: Client):
    answer = world.answered("access/create-application", PROJECT=world.project)
    application = answer.document
    assert answer.status == 201
    assert answer.location == f"{API_URL}/projects/{world.project}/applications/{application['id']}"
    assert (application["project"], application["name"]) == (world.project, "Museum guide")
    assert (application["socialNetworks"], application["defaultRole"]) == ({}, "base_app_user")
    assert len(application["appApiKey"]) == 80 and application["appApiKey"].isalnum()
    assert not [name for name in application if name.startswith("_")]
    secret = operator.read(f"/projects/{world.project}/applications/{application['id']}/secretKey")
    assert list(secret) == ["secretApiKey"]
    assert len(secret["secretApiKey"]) == 80 and secret["secretApiKey"] != application["appApiKey"]


def test_the_same_keys_are_shown_each_time_and_never_stored(world: World, operator: Client):
    path = f"/projects/{world.project}/applications/{world.application_id}"
    assert operator.read(path)["appApiKey"] == world.application.key
    assert operator.read(f"{path}/secretKey")["secretApiKey"] == world.trusted.key
    stored = repr(world.rows())
    assert world.application.key not in stored and world.trusted.key not in stored and OPERATOR_KEY not in stored


def test_applications_are_listed_by_their_project_with_their_number(world: World, operator: Client):
    other = operator.made("/projects", {"name": "Other"})["id"]
    operator.made(f"/projects/{other}/applications", {"name": "Elsewhere"})
    answer = operator.get(f"/projects/{world.project}/applications")
    assert [each["id"] for each in answer.document] == [world.application_id]
    assert answer.headers["x-result-count"] == "1"
    assert answer.document[0]["appApiKey"] == world.application.key


def test_an_application_is_not_found_under_another_project(world: World, operator: Client):
    other = operator.made("/projects", {"name": "Other"})["id"]
    path = f"/projects/{other}/applications/{world.application_id}"
    assert operator.get(path).status == 404
    assert operator.put(path, {"name": "x"}).status == 404
    assert operator.delete(path).status == 404
    assert operator.get(f"{path}/secretKey").status == 404


def test_an_application_read_and_put_back_whole_keeps_its_keys(world: World, operator: Client):
    path = f"/projects/{world.project}/applications/{world.application_id}"
    before = operator.read(path)
    assert operator.put(path, {**before, "appApiKey": "x" * 80, "project": "y"}).document == before
    assert operator.put(path, {"name": "New"}).document["name"] == "New"
    assert world.application.get("/access").status == 200


def test_the_keys_of_a_deleted_application_answer_403_at_once(world: World, operator: Client):
    application, trusted = world.application, world.trusted
    answer = operator.delete(f"/projects/{world.project}/applications/{world.application_id}")
    assert (answer.status, answer.content) == (200, b"")
    for client in (application, trusted):
        assert client.get("/access").status == 403
        assert client.get("/products").status == 403
    assert operator.get(f"/projects/{world.project}/applications/{world.application_id}").status == 404


def test_an_application_reads_itself_with_either_key_and_changes_itself_with_the_trusted_one(world: World):
    document = world.application.read("/applications/me")
    assert document["id"] == world.application_id
    assert world.trusted.read("/applications/me") == document
    changed = world.trusted.put("/applications/me", {"customFields": {"somekey": "somevalue"}, "project": "x"})
    assert changed.document == {**document, "customFields": {"somekey": "somevalue"}}
    assert world.application.put("/applications/me", {"name": "x"}).status == 403


def test_an_operator_is_no_application(operator: Client):
    assert operator.get("/applications/me").status == 403


# ---- who may do what -------------------------------------------------------------------------------------------------

WRITES = [
    ("POST", "/products", {"name": "x"}),
    ("POST", "/thngs", {"name": "x"}),
    ("POST", "/actions", {"name": "_x"}),
    ("POST", "/redirections", {}),
]


@pytest.mark.parametrize(("method", "path", "body"), [*WRITES, ("POST", "/actions/scans", {}), ("GET", "/thngs", None)])
def test_an_application_key_reads_products_and_itself_and_nothing_else(world: World, method, path, body):
    answer = world.application.call(method, path, body)
    assert answer.status == 403
    assert "Application key may not" in answer.error
    assert world.application.get("/products").status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/projects"),
        ("POST", "/projects"),
        ("GET", "/redirector"),
        ("PUT", "/redirector"),
        ("PUT", "/actions/_x"),
        ("DELETE", "/actions/scans/U0000000000000000000000X"),
    ],
)
def test_a_trusted_application_key_may_not_do_what_operators_do(world: World, method, path):
    assert world.trusted.call(method, path, {}).status == 403


def test_a_refusal_for_lack_of_permission_comes_before_any_look_at_the_body(world: World):
    assert world.application.call("POST", "/thngs", raw_body=b"{", headers={"content-type": "text/csv"}).status == 403


def test_every_resource_of_another_account_is_404(world: World, operator: Client):
    thng, product = world.thng(), world.product()
    operator.made("/actions", {"name": "_Arrived"})
    action = operator.made("/actions/scans", {"thng": thng["id"]})
    link = operator.link(thng["id"])
    stranger = world.stranger
    paths = [
        f"/thngs/{thng['id']}",
        f"/products/{product['id']}",
        f"/projects/{world.project}",
        f"/projects/{world.project}/applications/{world.application_id}",
        f"/actions/scans/{action['id']}",
        f"/redirections/{link['shortId']}",
    ]
    before = world.rows()
    for path in paths:
        assert stranger.get(path, on_short=True).status == 404, path
        assert stranger.delete(path, on_short=True).status == 404, path
        if not path.startswith("/actions"):
            assert stranger.put(path, {"name": "mine"}, on_short=True).status == 404, path
    assert stranger.get(f"/projects/{world.project}/applications").status == 404
    assert stranger.get(f"/projects/{world.project}/applications/{world.application_id}/secretKey").status == 404
    assert stranger.post(f"/projects/{world.project}/applications", {"name": "x"}).status == 404
    assert stranger.get("/actions/_Arrived").status == 404
    assert stranger.put("/actions/_Arrived", {"tags": ["x"]}).status == 404
    assert stranger.delete("/actions/_Arrived").status == 404
    assert stranger.get("/thngs", project=world.project).status == 404
    assert world.rows() == before


def test_another_accounts_things_cannot_be_named_either(world: World, operator: Client):
    thng, product = world.thng(), world.product()
    stranger = world.stranger
    before = world.rows()
    refused = [
        stranger.post("/thngs", {"name": "x", "product": product["id"]}),
        stranger.post("/thngs", {"name": "x", "scopes": {"projects": [world.project]}}),
        stranger.post("/thngs", {"name": "x"}, project=world.project),
        stranger.post("/actions/scans", {"thng": thng["id"]}),
        stranger.post("/redirections", {"evrythngId": thng["id"], "defaultRedirectUrl": "https://x.example/"}),
    ]
    assert [answer.status for answer in refused] == [400] * 5
    assert {key: row for key, row in world.rows().items() if key in before} == before
    for path in ("/thngs", "/products", "/actions/all", f"/redirections?evrythngId={thng['id']}"):
        assert stranger.read(path) == []


def test_null_in_a_new_application_is_what_is_left_out(world):
    sent = {"name": "Guide", "defaultRole": None, "socialNetworks": None, "description": None}
    made = world.operator.made(f"/projects/{world.project}/applications", sent)
    assert (made["defaultRole"], made["socialNetworks"]) == ("base_app_user", {})
    assert "description" not in made


def test_null_puts_back_what_every_application_has(world):
    path = f"/projects/{world.project}/applications/{world.application_id}"
    assert world.operator.put(path, {"socialNetworks": {"facebook": {"appId": "1"}}}).status == 200
    changed = world.operator.put(path, {"defaultRole": None, "socialNetworks": None}).document
    assert (changed["defaultRole"], changed["socialNetworks"]) == ("base_app_user", {})


def test_null_puts_back_the_short_domains_that_every_project_has(world):
    path = f"/projects/{world.project}"
    assert world.operator.put(path, {"shortDomains": []}).document["shortDomains"] == []
    assert world.operator.put(path, {"shortDomains": None}).document["shortDomains"] == [DOMAIN]
    assert world.operator.made("/projects", {"name": "Late", "shortDomains": None})["shortDomains"] == [DOMAIN]


def test_an_account_keeps_a_name(world):
    answer = world.operator.put(f"/accounts/{world.account}", {"name": None})
    assert (answer.status, answer.error) == (400, "name: an account needs a name")
