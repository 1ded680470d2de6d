"""Users of applications: how they come to be, sign in and out, and change."""

import json

import pytest

from tests.functions.people import PASSWORD, anonymous, application_of, person
from tests.functions.world import API_URL, HOUR, Client, World


def key_of(client: Client) -> str:
    assert client.key is not None
    return client.key


def made(world: World, **values: str):
    return world.answered("users/create-user", APPLICATION_KEY=key_of(world.application), **values)


def code_of(world: World, user: str) -> str:
    code: str = world.operator.read(f"/users/{user}/status")["activationCode"]
    return code


# ---- created and activated -------------------------------------------------------------------------------------------


def test_a_user_is_inactive_until_the_code_comes_back(world: World, operator: Client):
    answer = made(world)
    document = answer.document
    user = document["evrythngUser"]
    assert (answer.status, answer.location) == (201, f"{API_URL}/users/{user}")
    assert (document["status"], document["email"]) == ("inactive", "ann@museum.example")
    assert len(document["activationCode"]) == 8 and document["activationCode"].isalnum()
    assert operator.read(f"/users/{user}/status") == {"activated": False, "activationCode": document["activationCode"]}
    login = world.answered("users/log-in", APPLICATION_KEY=key_of(world.application))
    assert login.status == 403 and "not activated" in login.error
    world.clock.now += HOUR
    values = {"APPLICATION_KEY": key_of(world.application), "USER": user}
    activated = world.answered("users/validate-user", CODE=document["activationCode"], **values)
    assert activated.status == 201
    assert activated.document == {
        "status": "active",
        "evrythngUser": user,
        "evrythngApiKey": activated.document["evrythngApiKey"],
    }
    assert operator.read(f"/users/{user}/status") == {"activated": True, "activationDate": world.clock()}
    shown = Client(world, activated.document["evrythngApiKey"]).read(f"/users/{user}")
    assert shown == {
        "id": user,
        "createdAt": world.clock() - HOUR,
        "updatedAt": world.clock(),
        "email": "ann@museum.example",
        "firstName": "Ann",
        "lastName": "Docent",
        "birthday": {"day": 1, "month": 12, "year": 1992},
        "gender": "female",
        "locale": "en-gb",
        "timezone": "Europe/Dublin",
        "tags": ["staff"],
        "customFields": {"badge": 7},
        "project": world.project,
        "app": world.application_id,
    }


def test_an_activation_code_works_once_and_a_wrong_one_is_refused(world: World):
    document = made(world).document
    path = f"/auth/evrythng/users/{document['evrythngUser']}/validate"
    wrong = world.application.post(path, {"activationCode": "x" * 8})
    assert (wrong.status, wrong.document["details"][0]["field"]) == (400, "activationCode")
    right = {"activationCode": document["activationCode"]}
    assert world.application.post(path, right).status == 201
    assert world.application.post(path, right).status == 409


def test_an_email_belongs_to_one_user_of_an_application_in_whatever_case(world: World):
    assert made(world).status == 201
    before = world.rows()
    again = {"email": "Ann@Museum.Example", "password": PASSWORD}
    answer = world.application.post("/auth/evrythng/users", again)
    assert (answer.status, answer.document["code"]) == (409, "conflict")
    new = {key: row for key, row in world.rows().items() if key not in before}
    assert all(row["k"] == "index" for row in new.values()), "nothing but rows that lead nowhere"
    other = application_of(world, world.project)["client"]
    assert other.post("/auth/evrythng/users", again).status == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"email": "a@b.example"}, "body"),
        ({"email": "a@b.example", "password": "seven77"}, "password"),
        ({"email": "a@b.example", "password": "x" * 31}, "password"),
        ({"email": "nobody", "password": PASSWORD}, "email"),
        ({"email": "a@b.example", "password": PASSWORD, "gender": "x"}, "gender"),
        ({"email": "a@b.example", "password": PASSWORD, "birthday": {"month": 13}}, "birthday.month"),
        ({"email": "a@b.example", "password": PASSWORD, "tags": ["x" * 61]}, "tags[0]"),
        ({"anonymous": True}, "body"),
    ],
)
def test_a_user_who_is_not_in_order_is_refused_with_the_field(world: World, body, field):
    answer = world.application.post("/auth/evrythng/users", body)
    assert answer.status == 400
    assert answer.document["details"][0]["field"] == field
    assert world.operator.read("/users") == []


def test_an_anonymous_user_can_act_at_once(world: World):
    answer = world.answered("users/create-anonymous-user", APPLICATION_KEY=key_of(world.application))
    document = answer.document
    assert answer.status == 201
    assert (document["status"], document["socialNetwork"]) == ("anonymous", "evrythng")
    assert document["email"].startswith("anon-") and world.application_id in document["email"]
    user = Client(world, document["evrythngApiKey"])
    assert user.read("/access") == {
        "account": world.account,
        "project": world.project,
        "actor": {"id": document["evrythngUser"], "type": "userInApp"},
    }
    thng = world.operator.made("/thngs", {"name": "x"}, project=world.project)["id"]
    assert user.made("/actions/scans", {"thng": thng})["user"] == document["evrythngUser"]
    login = {"email": document["email"], "password": PASSWORD}
    assert world.application.post("/auth/evrythng", login).status == 404


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"anonymous": true}'])
def test_the_query_decides_who_is_anonymous_whatever_the_body(world: World, raw):
    headers = {"content-type": "application/json"}
    path = "/auth/evrythng/users?anonymous=true"
    assert world.application.call("POST", path, raw_body=raw, headers=headers).document["status"] == "anonymous"


def test_no_password_code_or_key_is_stored_as_it_is(world: World):
    document = made(world).document
    ann = person(world, email="b@museum.example")
    stored = repr(world.rows())
    assert PASSWORD not in stored
    assert document["activationCode"] not in stored
    assert key_of(ann.client) not in stored


# ---- in and out ------------------------------------------------------------------------------------------------------


def test_each_login_gives_a_key_of_its_own_and_a_logout_ends_one(world: World):
    ann = person(world, email="ann@museum.example")
    key = key_of(world.application)
    first = world.answered("users/log-in", APPLICATION_KEY=key).document
    second = world.answered("users/log-in-with-access", APPLICATION_KEY=key, USER=ann.id).document
    assert first == {
        "socialNetwork": "evrythng",
        "evrythngUser": ann.id,
        "evrythngApiKey": first["evrythngApiKey"],
        "email": "ann@museum.example",
        "status": "active",
    }
    assert second == {**ann.client.read(ann.path), "access": second["access"]}
    access = second["access"]
    assert access == {
        "id": access["id"],
        "project": world.project,
        "app": world.application_id,
        "user": ann.id,
        "actor": ann.id,
        "role": "base_app_user",
        "apiKey": access["apiKey"],
    }
    assert len(access["id"]) == 24
    keys = {key_of(ann.client), first["evrythngApiKey"], access["apiKey"]}
    assert len(keys) == 3 and all(len(each) == 80 and each.isalnum() for each in keys)
    answer = world.answered("users/log-out", USER_KEY=first["evrythngApiKey"])
    assert (answer.status, answer.document) == (201, {"logout": "ok"})
    assert Client(world, first["evrythngApiKey"]).get("/access").status == 403
    assert ann.client.get("/access").status == Client(world, access["apiKey"]).get("/access").status == 200


def test_a_login_says_what_is_wrong(world: World):
    person(world, email="ann@museum.example")
    for path in ("/auth/evrythng", "/users/login"):
        post = world.application.post
        assert post(path, {"email": "ann@museum.example", "password": "haystacks"}).status == 401
        assert post(path, {"email": "bob@museum.example", "password": PASSWORD}).status == 404
        assert post(path, {"evrythngUser": "U" * 24, "password": PASSWORD}).status == 404
        assert post(path, {"password": PASSWORD}).status == post(path, {"email": "ann@museum.example"}).status == 400
        assert post(path, {"email": "ANN@museum.example", "password": PASSWORD}).status == 201


def test_a_user_of_another_application_cannot_log_in_here(world: World):
    ann = person(world, email="ann@museum.example")
    other = application_of(world, world.project)["client"]
    assert other.post("/auth/evrythng", {"email": ann.email, "password": PASSWORD}).status == 404
    assert other.post("/users/login", {"evrythngUser": ann.id, "password": PASSWORD}).status == 404


def test_the_hundred_and_first_key_ends_the_oldest(world: World, monkeypatch):
    from fingerpost.access import sessions

    monkeypatch.setattr(sessions, "MAX_SESSIONS", 3)
    ann = person(world)
    login = {"email": ann.email, "password": PASSWORD}
    clients = [ann.client]
    for _ in range(3):
        world.clock.now += 1
        clients.append(Client(world, world.application.made("/auth/evrythng", login)["evrythngApiKey"]))
    assert [each.get("/access").status for each in clients] == [403, 200, 200, 200]


def test_guessing_is_stopped_after_ten_wrong_tries_and_goes_on_when_the_time_is_over(world: World):
    ann = person(world)
    wrong, right = {"email": ann.email, "password": "x"}, {"email": ann.email, "password": PASSWORD}
    for _ in range(9):
        assert world.application.post("/auth/evrythng", wrong).status == 401
    assert world.application.post("/auth/evrythng", right).status == 201, "which takes the count back"
    for _ in range(10):
        assert world.application.post("/auth/evrythng", wrong).status == 401
    stopped = world.application.post("/auth/evrythng", right)
    assert (stopped.status, stopped.document["code"]) == (429, "tooManyRequests")
    world.clock.now += int(stopped.headers["retry-after"]) * 1000
    assert world.application.post("/auth/evrythng", right).status == 201


def test_guessing_activation_codes_is_stopped_too(world: World):
    document = made(world).document
    path = f"/auth/evrythng/users/{document['evrythngUser']}/validate"
    answers = [world.application.post(path, {"activationCode": f"{n:08}"}).status for n in range(11)]
    assert answers == [400] * 10 + [429]
    assert world.application.post(path, {"activationCode": document["activationCode"]}).status == 429


def test_a_repeated_creation_makes_one_user_and_keeps_no_secret(world: World):
    headers = {"idempotency-key": "one"}
    body = {"email": "ann@museum.example", "password": PASSWORD}
    first, second = (world.application.made("/auth/evrythng/users", body, headers=headers) for _ in range(2))
    assert first == second
    headers = {"idempotency-key": "two"}
    path = "/auth/evrythng/users?anonymous=true"
    one, two = (world.application.made(path, {}, headers=headers) for _ in range(2))
    assert one["evrythngUser"] == two["evrythngUser"]
    assert Client(world, one["evrythngApiKey"]).get("/access").status == 200
    assert Client(world, two["evrythngApiKey"]).get("/access").status == 200
    assert len(world.operator.read("/users")) == 2
    assert two["evrythngApiKey"] not in repr(world.rows())


# ---- changed and deleted ---------------------------------------------------------------------------------------------


def test_a_user_changes_what_is_theirs_and_no_more(world: World):
    ann = person(world)
    before = ann.client.read(ann.path)
    world.clock.now += HOUR
    sent = {
        **before,
        "firstName": "Anna",
        "email": "x@y.example",
        "project": "x",
        "app": "y",
        "id": "z",
        "createdAt": 1,
    }
    after = ann.client.put(ann.path, sent)
    assert after.document == {**before, "firstName": "Anna", "updatedAt": world.clock()} == ann.client.read(ann.path)
    world.clock.now += HOUR
    assert ann.client.put(ann.path, after.document).document == after.document
    assert ann.client.put(ann.path, {"firstName": None}).document.keys() == before.keys()


def test_a_new_password_needs_the_old_one_but_from_an_operator(world: World, operator: Client):
    ann = person(world, email="ann@museum.example")
    values = {"USER_KEY": key_of(ann.client), "USER": ann.id}
    assert ann.client.put(ann.path, {"password": "haystacks"}).status == 400
    assert ann.client.put(ann.path, {"password": "haystacks", "oldPassword": "x"}).status == 403
    assert world.answered("users/change-password", **values).status == 200

    def logged_in(password: str) -> int:
        return world.application.post("/auth/evrythng", {"email": ann.email, "password": password}).status

    assert (logged_in(PASSWORD), logged_in("haystacks")) == (401, 201)
    assert ann.client.get("/access").status == 200, "a key is valid until it is logged out"
    assert operator.put(ann.path, {"password": "new password"}).status == 200
    assert (logged_in("haystacks"), logged_in("new password")) == (401, 201)


def test_guessing_the_old_password_is_stopped_as_well(world: World):
    ann = person(world)
    answers = [ann.client.put(ann.path, {"password": "y" * 8, "oldPassword": "x"}).status for _ in range(11)]
    assert answers == [403] * 10 + [429]


def test_a_deleted_user_is_out_at_once_and_the_email_is_free(world: World, operator: Client):
    ann = person(world, email="ann@museum.example")
    second = world.application.made("/auth/evrythng", {"email": ann.email, "password": PASSWORD})["evrythngApiKey"]
    answer = operator.delete(ann.path)
    assert (answer.status, answer.content) == (200, b"")
    assert ann.client.get("/access").status == Client(world, second).get("/access").status == 403
    assert operator.get(ann.path).status == operator.delete(ann.path).status == 404
    login = {"email": ann.email, "password": PASSWORD}
    assert world.application.post("/auth/evrythng", login).status == 404
    kept = {row["k"] for row in world.rows().values() if ann.id in json.dumps(row) and row["k"] != "audit"}
    assert kept == set()
    assert not [key for key in world.rows() if f"t#{ann.id}" in str(key)]
    assert person(world, email="ann@museum.example").id != ann.id


@pytest.mark.parametrize("what", ["application", "project"])
def test_users_are_out_when_their_application_or_project_goes(world: World, operator: Client, what):
    ann, nobody = person(world), anonymous(world)
    path = f"/projects/{world.project}"
    assert operator.delete(path if what == "project" else f"{path}/applications/{world.application_id}").status == 200
    assert ann.client.get("/access").status == nobody.client.get("/thngs").status == 403


# ---- listed ----------------------------------------------------------------------------------------------------------


def test_users_are_listed_newest_first_with_their_number_and_by_their_names(world: World, operator: Client):
    people = []
    for name in ("Ann", "Bob", "Cid"):
        world.clock.now += 1
        people.append(person(world, firstName=name, lastName="Docent"))
    answer = operator.get("/users", perPage="2")
    assert [each["id"] for each in answer.document] == [people[2].id, people[1].id]
    assert answer.headers["x-result-count"] == "3"
    assert "link" in answer.headers
    for text, wanted in (("firstName=Bob", [1]), ("lastName=Docent", [2, 1, 0]), (f"email={people[0].email}", [0])):
        assert [each["id"] for each in operator.read("/users", filter=text)] == [people[n].id for n in wanted]
    assert operator.read("/auth/evrythng/users") == operator.read("/users")
    assert all("password" not in each and "role" not in each for each in operator.read("/users"))


def test_a_trusted_application_reads_its_own_users(world: World, operator: Client):
    ann = person(world)
    other = application_of(world, world.project)
    bob = person(world, other["client"])
    assert [each["id"] for each in world.trusted.read("/users")] == [ann.id]
    assert [each["id"] for each in other["trusted"].read("/users")] == [bob.id]
    assert world.trusted.get(bob.path).status == 404
    assert {each["id"] for each in operator.read("/users", project=world.project)} == {ann.id, bob.id}


def test_an_age_is_told_to_the_rules_of_the_application(world: World, operator: Client):
    ann = person(world, birthday={"day": 16, "month": 3, "year": 2006}, gender="female", locale="en")
    thng = operator.made("/thngs", {"name": "x"}, project=world.project)["id"]
    path = f"/projects/{world.project}/applications/{world.application_id}/redirector"
    rules = [
        {"match": "user.age>=20", "redirectUrl": "https://m.example/grown"},
        {"match": "user.gender=female", "redirectUrl": "https://m.example/young"},
    ]
    assert operator.put(path, {"rules": rules}).status == 200

    def sent_to() -> str:
        url: str = ann.client.made("/actions/scans", {"thng": thng})["reactions"][0]["redirectUrl"]
        return url

    assert sent_to() == "https://m.example/young"
    world.clock.now += 24 * HOUR
    assert sent_to() == "https://m.example/grown"
