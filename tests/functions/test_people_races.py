"""Two at once: one wins, the other is told, and nothing is half written."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest

from fingerpost.access.guessing import MAX_TRIES
from tests.functions.people import PASSWORD, anonymous, colleague, person, user_role
from tests.functions.world import DOMAIN, Answer, Client, World

AT_ONCE = 6
DEMOTED = {"role": "none"}


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """No pauses between attempts: the races are closer."""
    from fingerpost import retry

    monkeypatch.setattr(retry.time, "sleep", lambda _seconds: None)


def racing(*requests: Callable[[], Answer]) -> list[Answer]:
    barrier = Barrier(len(requests))

    def run(request: Callable[[], Answer]) -> Answer:
        barrier.wait()
        return request()

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(run, requests))


def statuses(answers: list[Answer]) -> Counter[int]:
    return Counter(answer.status for answer in answers)


def test_one_of_several_accounts_that_take_a_short_domain_at_once_gets_it(world: World):
    clients = [Client(world, f"operator-{number}-" * 8) for number in range(3)]
    for client in clients:
        assert client.key is not None
        world.new_account(client.key, DOMAIN)
    paths = [f"/accounts/{client.read('/access')['account']}/shortDomains" for client in clients]
    both = [(client, path) for client, path in zip(clients, paths, strict=True) for _ in range(2)]
    answers = racing(*(partial(client.post, path, {"shortDomain": "go.example"}) for client, path in both))
    assert statuses(answers) == {201: 1, 409: 5}
    lists = sorted(client.read(path) for client, path in zip(clients, paths, strict=True))
    assert lists == [[DOMAIN], [DOMAIN], [DOMAIN, "go.example"]]


def test_one_of_several_creations_with_the_same_email_wins(world: World, operator: Client):
    assert world.project
    application = world.application
    for number in range(5):
        body = {"email": f"ann{number}@museum.example", "password": PASSWORD}
        answers = racing(*[lambda body=body: application.post("/auth/evrythng/users", body)] * AT_ONCE)
        assert statuses(answers) == {201: 1, 409: AT_ONCE - 1}
        (made,) = operator.read("/users", filter=f"email={body['email']}")
        code = {"activationCode": operator.read(f"/users/{made['id']}/status")["activationCode"]}
        assert application.post(f"/auth/evrythng/users/{made['id']}/validate", code).status == 201
        assert application.post("/auth/evrythng", body).status == 201
    passwords = [row for row in world.rows().values() if row["k"] == "password"]
    assert len(passwords) == 5, "a creation that lost leaves no password"


def test_one_of_several_activations_wins(world: World):
    made = world.application.made("/auth/evrythng/users", {"email": "a@b.example", "password": PASSWORD})
    path = f"/auth/evrythng/users/{made['evrythngUser']}/validate"
    application, code = world.application, {"activationCode": made["activationCode"]}
    answers = racing(*[lambda: application.post(path, code)] * 4)
    assert statuses(answers) == {201: 1, 409: 3}
    assert len([row for row in world.rows().values() if row["k"] == "session"]) == 1


def test_no_number_of_simultaneous_guesses_is_more_than_ten(world: World):
    ann, application = person(world), world.application
    wrong = {"email": ann.email, "password": "x"}
    answers = [answer for _ in range(4) for answer in racing(*[lambda: application.post("/auth/evrythng", wrong)] * 5)]
    assert statuses(answers) == {401: MAX_TRIES, 429: 20 - MAX_TRIES}


def test_simultaneous_requests_for_a_device_key_get_the_same_one(world: World, operator: Client):
    for _ in range(5):
        thng = operator.made("/thngs", {"name": "x"}, project=world.project)["id"]
        answers = racing(*[lambda thng=thng: operator.post("/auth/evrythng/thngs", {"thngId": thng})] * AT_ONCE)
        assert statuses(answers) == {201: AT_ONCE}
        assert len({answer.document["thngApiKey"] for answer in answers}) == 1
        assert len([row for row in world.rows().values() if row["k"] == "key" and row["id"] == thng]) == 1


def test_two_admins_who_step_down_at_once_leave_one(world: World, operator: Client):
    (mine,) = operator.read(f"/accounts/{world.account}/accesses")
    path = f"/accounts/{world.account}/accesses"
    for _ in range(5):
        other = colleague(world, "admin")
        answers = racing(
            lambda: operator.put(f"{path}/{mine['id']}", DEMOTED),
            lambda other=other: other.client.put(f"{path}/{other.access}", DEMOTED),  # type: ignore[misc]
        )
        assert sorted(answer.status for answer in answers) in ([200, 409], [200, 403])
        left = operator if operator.get("/thngs").status == 200 else other.client
        assert left.get("/thngs").status == 200
        assert left.put(f"{path}/{mine['id']}", {"role": "admin"}).status == 200
        assert operator.put(f"{path}/{other.access}", DEMOTED).status == 200


def test_an_application_that_is_made_while_its_project_is_deleted_opens_nothing(world: World, operator: Client):
    for _ in range(5):
        project = operator.made("/projects", {"name": "x"})["id"]
        answers = racing(
            *[lambda project=project: operator.post(f"/projects/{project}/applications", {"name": "x"})] * 3,
            lambda project=project: operator.delete(f"/projects/{project}"),  # type: ignore[misc]
        )
        assert answers[-1].status == 200
        for made in answers[:-1]:
            assert made.status in (201, 404)
            if made.status == 201:
                assert Client(world, made.document["appApiKey"]).get("/access").status == 403


def test_of_two_roles_given_at_once_one_counts(world: World):
    ann, bob = person(world), person(world)
    roles = [user_role(world, seen_by=("base_app_user",)) for _ in range(2)]
    racing(*(lambda role=role: ann.client.post("/accesses", {"email": bob.email, "role": role}) for role in roles))  # type: ignore[misc]
    login = {"email": bob.email, "password": PASSWORD}
    role = world.application.made("/users/login", login)["access"]["role"]
    given = [each["role"] for each in ann.client.read("/accesses")[1:]]
    assert given == [role] and role in roles


def test_a_user_who_is_deleted_while_logging_in_is_out(world: World, operator: Client):
    ann, application = person(world), world.application
    login = {"email": ann.email, "password": PASSWORD}
    answers = racing(lambda: application.post("/auth/evrythng", login), lambda: operator.delete(ann.path))
    if answers[0].status == 201:
        assert Client(world, answers[0].document["evrythngApiKey"]).get("/access").status == 403
    assert anonymous(world).client.get("/access").status == 200
