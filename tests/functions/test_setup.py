"""The first account of a deployment, as CloudFormation asks for it; its answers go to a server on this machine."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from fingerpost import retry, wiring
from fingerpost.access.authentication import authenticate
from fingerpost.access.store import ACCOUNT
from fingerpost.aws import custom_resource
from fingerpost.aws.custom_resource import NotAnswered
from fingerpost.outgoing import Refused
from fingerpost.resources import Resources
from tests.functions.world import DOMAIN, Client, World
from tests.stores import hooked
from tests.template import granted

SIGNED = "X-Amz-Signature=5ec7e7"


class Aws:
    """Secrets Manager and the addresses of answers. `statuses` are what the next answers are answered."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.secrets: dict[str, list[str]] = {}
        self.statuses: list[int] = []
        self.refuses_secrets = False
        self.url = ""


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    state = Aws()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            assert self.path.endswith(SIGNED)
            content = self.rfile.read(int(self.headers["Content-Length"]))
            status = state.statuses.pop(0) if state.statuses else 200
            if status == 200:
                assert len(content) <= 4_096
                state.answers.append(json.loads(content))
                state.headers.append({name.lower(): value for name, value in self.headers.items()})
            self.say(status, b"")

        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.headers["X-Amz-Target"] == "secretsmanager.PutSecretValue"
            if state.refuses_secrets:
                self.say(400, json.dumps({"__type": "AccessDeniedException", "Message": "no"}).encode())
                return
            state.secrets.setdefault(sent["SecretId"], []).append(sent["SecretString"])
            self.say(200, b"{}")

        def say(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    variables = {"AWS_ENDPOINT_URL": state.url, "AWS_DEFAULT_REGION": "eu-west-1", "FINGERPOST_KEY_SECRET_ID": "first"}
    for name, value in {**variables, "AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "secret"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(retry.time, "sleep", lambda _seconds: None)
    yield state
    server.shutdown()
    server.server_close()


def ask(world: World, aws: Aws, story: str, account: str = "none") -> dict[str, Any]:
    """The answer that CloudFormation gets."""
    assert world.story(story, ANSWER_URL=f"{aws.url}/FirstAccount?{SIGNED}", ACCOUNT=account) is None
    return aws.answers[-1]


def test_the_first_account_is_made_and_its_key_lies_in_the_secret_alone(world: World, aws: Aws, capfd):
    answer = ask(world, aws, "setup/create")
    account = answer["PhysicalResourceId"]
    assert answer == {
        "Status": "SUCCESS",
        "PhysicalResourceId": account,
        "StackId": answer["StackId"],
        "RequestId": "5f1c2a8e-7c0e-4d0b-9a52-0c3a3a6f1e11",
        "LogicalResourceId": "FirstAccount",
    }
    assert aws.headers[-1]["content-type"] == "", "the address is signed without one"
    [key] = aws.secrets["first"]
    principal = authenticate(world.tables, key)
    assert (principal.actor, principal.account, principal.role) == ("operator", account, "admin")
    document = Resources(world.tables.of(account), ACCOUNT).read(account).document
    assert (document["name"], document["shortDomains"]) == ("Harbour Museum", [DOMAIN])
    said = "".join(capfd.readouterr())
    assert "answered CloudFormation" in said
    assert key not in said and SIGNED not in said


def test_asked_again_there_is_still_one(world: World, aws: Aws):
    account = ask(world, aws, "setup/create")["PhysicalResourceId"]
    rows = world.rows()
    world.clock.now += 1_000
    assert ask(world, aws, "setup/create")["PhysicalResourceId"] == account
    assert world.rows() == rows
    assert len(set(aws.secrets["first"])) == 1


def test_an_update_makes_no_second_and_adds_a_new_domain(world: World, aws: Aws):
    account = ask(world, aws, "setup/create")["PhysicalResourceId"]
    assert ask(world, aws, "setup/update", account) == {
        **aws.answers[-1],
        "Status": "SUCCESS",
        "PhysicalResourceId": account,
    }
    own = world.tables.of(account)
    document = Resources(own, ACCOUNT).read(account).document
    assert (document["name"], document["shortDomains"]) == ("Harbour Museum", ["go.example", DOMAIN])
    assert len(set(aws.secrets["first"])) == 1
    (access,) = Client(world, aws.secrets["first"][-1]).read(f"/accounts/{account}/accesses")
    assert access["role"] == "admin"


def test_a_key_that_was_rotated_is_the_one_in_the_secret_after_an_update(world: World, aws: Aws):
    account = ask(world, aws, "setup/create")["PhysicalResourceId"]
    client = Client(world, aws.secrets["first"][-1])
    (access,) = client.read(f"/accounts/{account}/accesses")
    rotated = client.made(f"/accounts/{account}/accesses/{access['id']}/keys", {})["apiKey"]
    ask(world, aws, "setup/update", account)
    assert aws.secrets["first"][-1] == rotated


def test_deleting_deletes_nothing(world: World, aws: Aws):
    account = ask(world, aws, "setup/create")["PhysicalResourceId"]
    rows = world.rows()
    answer = ask(world, aws, "setup/delete", account)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", account)
    assert world.rows() == rows


def test_what_cannot_be_made_is_said_and_what_was_never_made_can_be_deleted(world: World, aws: Aws, monkeypatch):
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "fingerpost-SetupFunction")
    rows = world.rows()
    answer = ask(world, aws, "setup/create-with-no-address")
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", "FirstAccount")
    assert answer["Reason"] == "Email: 'ann' is no e-mail address (more in the log of fingerpost-SetupFunction)"
    assert world.rows() == rows
    assert aws.secrets == {}
    assert ask(world, aws, "setup/delete", "FirstAccount")["Status"] == "SUCCESS"


def test_a_secret_that_cannot_be_written_fails_the_stack_and_the_next_attempt_goes_on(world: World, aws: Aws, capfd):
    aws.refuses_secrets = True
    answer = ask(world, aws, "setup/create")
    assert (answer["Status"], answer["Reason"].split()[0]) == ("FAILED", "ClientError")
    assert "AccessDenied" in capfd.readouterr().err
    aws.refuses_secrets = False
    account = ask(world, aws, "setup/create")["PhysicalResourceId"]
    assert authenticate(world.tables, aws.secrets["first"][-1]).account == account


def test_an_answer_is_sent_again_while_its_address_fails_and_not_when_it_refuses(world: World, aws: Aws, capfd):
    aws.statuses = [500, 503, 500]
    assert ask(world, aws, "setup/create")["Status"] == "SUCCESS"
    aws.statuses = [403]
    with pytest.raises(NotAnswered, match=r"status 403$") as refused:
        ask(world, aws, "setup/create")
    aws.statuses = [500] * custom_resource.TRIES
    with pytest.raises(NotAnswered, match=r"status 500$"):
        ask(world, aws, "setup/create")
    assert SIGNED not in repr(refused.value) + "".join(capfd.readouterr())


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/?X-Amz-Signature=1",
        "http://cloudformation-custom-resource-response-euwest1.s3-eu-west-1.amazonaws.com/",
        "https://amazonaws.com.evil.example/",
        "https://evilamazonaws.com/",
        "https://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
    ],
)
def test_an_answer_goes_to_aws_and_nowhere_else(world: World, monkeypatch, url):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with pytest.raises(Refused, match="not one of AWS"):
        world.story("setup/delete", ANSWER_URL=url)


def test_the_function_asks_of_the_tables_only_what_its_role_allows(world: World, aws: Aws, monkeypatch):
    asked: set[str] = set()
    needs = {
        "get": "dynamodb:GetItem",
        "get_many": "dynamodb:BatchGetItem",
        "put": "dynamodb:PutItem",
        "put_many": "dynamodb:BatchWriteItem",
        "delete": "dynamodb:DeleteItem",
        "Put": "dynamodb:PutItem",
        "Delete": "dynamodb:DeleteItem",
    }

    def around(name: str, method: Any, args: Any) -> Any:
        asked.update(type(write).__name__ for write in args[0]) if name == "transact" else asked.add(name)
        return method(*args)

    tables = hooked(world.tables, around)
    monkeypatch.setattr(wiring, "tables", lambda: tables)
    account = ask(world, aws, "setup/create")["PhysicalResourceId"]
    ask(world, aws, "setup/update", account)
    assert {needs[each] for each in asked} <= {action for action, _ in granted("setup")}
    assert granted("setup") - {(action, table) for action in needs.values() for table in ("MainTable", "LogTable")} == {
        ("secretsmanager:GetSecretValue", "RootSecret"),
        ("secretsmanager:PutSecretValue", "FirstOperatorKey"),
    }
