"""The built stack: every event file goes through the function that it is for, as that function is deployed."""

import base64
import json
import os
import platform
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest

from fingerpost.access.first_account import make_first_account
from fingerpost.access.secrets import RootSecrets
from fingerpost.aws.provision import create_tables
from fingerpost.aws.signing import Credentials
from fingerpost.aws.table import DynamoTable
from fingerpost.aws.transport import TARGET_PREFIXES, Transport
from fingerpost.clock import now_ms
from fingerpost.ids import new_id, time_of
from fingerpost.ports.table import Tables
from tests.lambda_process import (
    API_URL,
    DOMAIN,
    EDGE_SECRET,
    ROOT,
    RUNTIME,
    SECRET,
    Aws,
    Built,
    Process,
    build,
    some_of_aws,
)
from tests.ports.engines import dynoxide

EVENTS = ROOT / "events"
STORIES = sorted(path.relative_to(EVENTS).with_suffix("").as_posix() for path in EVENTS.rglob("*.json"))
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
REGION = "eu-west-1"
STANDARD = Path(os.__file__).parent

SCAN = "U2DTQ8000bm1PVhSp5eMGNd0"  # the action that the feed's stories tell of

# What a story is answered; one that is not here is answered 200, or takes every record of its batch.
STATUS = {
    "access/create-application": 201,
    "access/create-project": 201,
    "access/give-short-domain-back": 404,  # the account has not taken it yet
    "access/take-short-domain": 201,
    "access/no-key": 401,
    "access/unknown-address": 404,
    "actions/create-type": 201,
    "actions/post-many": 201,
    "actions/post-on-thng": 201,
    "actions/post-scan": 201,
    "actions/post-scan-at-place": 201,
    "catalogue/body-that-is-not-json": 400,
    "catalogue/create-collection": 201,
    "catalogue/create-place": 201,
    "catalogue/create-product": 201,
    "catalogue/create-thng": 201,
    "catalogue/update-by-filter": 204,
    **dict.fromkeys(("doors/book-30-minutes", "doors/check-in", "doors/end-at-display", "doors/report-projector"), 403),
    "insight/erase-scans-of-thng": 202,
    "redirect/head": 307,
    "redirect/link-preview": 307,
    "redirect/plain-scan": 307,
    "redirect/prefetch": 307,
    "redirect/scan-from-ireland": 307,
    "redirect/scan-with-query": 307,
    "redirect/unknown-code": 404,
    "redirections/create-for-thng": 201,
    "redirections/create-json": 201,
    "redirections/create-with-own-short-id": 201,
    "redirections/retarget-oldest-of-product": 404,  # a new product has no code yet
    "users/create-role-of-users": 201,
    "users/set-project-permission": 404,  # the role is one of application users
    "access/add-operator": 400,  # likewise
    "users/create-user": 409,  # among the things there is one of this e-mail already
    "users/create-anonymous-user": 201,
    "users/validate-user": 409,  # and it is active
    "users/log-in": 201,
    "users/log-in-with-access": 201,
    "users/log-out": 201,
    "users/give-role": 400,  # base_app_user gives none
    "users/create-device-key": 201,
    "rooms/book-a-series": 201,
    "rooms/create-room": 201,
    "rooms/make-thng-a-room": 201,
    "joan/book": 201,
    "hub/book": 409,  # the room is taken by what the other stories are about
    "hub/open-link": 404,  # nobody has made it
    "roomsetup/add-person": 201,
    "roomsetup/create-building": 201,
    "roomsetup/create-floor": 201,
    "roomsetup/create-hub": 201,
    "roomsetup/create-joan-client": 201,
    "roomsetup/let-into-hub": 201,
    "roomsetup/create-roomvox-token": 201,
    "roomsetup/create-kiosk-token": 201,
    "roomvox/walk-in": 422,  # it is a Sunday, and the room is closed
    "roomvox/cancel-one-of-a-series": 404,  # the booking is made up
    "reactor/create-schedule": 201,
    "reactor/write-logs": 201,
    "rules/cancel-schedule": 404,  # the version has none
    "rules/publish-a-typo": 400,
    "rules/publish-draft": 201,
    "rules/publish-version": 201,
    "rules/publish-version-too-late": 409,
    "rules/schedule-version": 201,
}

# How a thing comes to be that events name, each with those before it: story, field of the answer by placeholder.
MADE_BY = (
    ("access/create-project", {"PROJECT": "id"}),
    ("access/create-application", {"APPLICATION": "id", "APPLICATION_KEY": "appApiKey"}),
    ("users/create-role-of-users", {"ROLE": "id"}),
    ("users/create-user", {"USER": "evrythngUser", "CODE": "activationCode"}),
    ("users/validate-user", {"USER_KEY": "evrythngApiKey"}),
    ("catalogue/create-place", {"PLACE": "id"}),
    ("catalogue/create-product", {"PRODUCT": "id"}),
    ("catalogue/create-collection", {"COLLECTION": "id"}),
    ("catalogue/create-collection", {"CHILD": "id"}),
    ("catalogue/create-thng", {"THNG": "id"}),
    ("redirections/create-json", {"SHORT_ID": "shortId"}),
    ("rooms/create-room", {"ROOM": "id", "EVENT_ROOM": "id"}),
    ("roomsetup/create-building", {"STRUCTURE": "id"}),
    ("roomsetup/create-joan-client", {"JOAN_CLIENT": "clientId", "JOAN_SECRET": "clientSecret"}),
    ("roomsetup/create-kiosk-token", {"ROOMVOX_TOKEN": "token"}),
    ("joan/token", {"JOAN_TOKEN": "access_token"}),
    ("joan/book", {"EVENT": "id"}),
    ("joan/invite", {"INVITATION": "id"}),
    ("rooms/create-room", {"ROOM": "id"}),
    ("roomsetup/create-hub", {"HUB": "id"}),
    ("roomsetup/let-into-hub", {"HUB_KEY": "key"}),
    ("hub/book", {"NID": "id"}),
    ("rooms/create-room", {"ROOM": "id"}),
    ("rooms/book-a-series", {"BOOKING": "id"}),
    ("rooms/create-room", {"ROOM": "id"}),  # one that is free when the stories book it
    ("actions/post-scan", {"ACTION": "id"}),
    ("insight/erase-scans-of-thng", {"ERASURE": "id"}),
    ("reactor/create-schedule", {"SCHEDULE": "id"}),
    ("rules/publish-version", {"VERSION": "version"}),
    ("rules/save-draft", {"DRAFT": "name"}),
)


@pytest.fixture(scope="module")
def built() -> Built:
    return Built(build())


class Deployment:
    """The functions, each in a process that starts when it is first called, over one engine with one account in it."""

    def __init__(self, built: Built, engine: str, aws: str, folder: Path):
        self.built, self.folder = built, folder
        self._processes: dict[str, Process] = {}
        self._numbers = count(1)
        self._environment = {
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "artefacts",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_ENDPOINT_URL": aws,
            "AWS_ENDPOINT_URL_DYNAMODB": engine,
            "PYTHONTZPATH": "",  # Lambda's machine need not know the time zones
        }
        self.values = {
            "MainTable": "main",
            "LogTable": "log",
            "SpillQueue": f"{aws}/1/spill",
            "WorkQueue": f"{aws}/1/work",
            "ReactorQueue": f"{aws}/1/reactor.fifo",
            "InstallQueue": f"{aws}/1/install",
            "InstallerFunction": "installer",
            "RunnerFunction": "runner",
            "Schedules": "scripts",
            "SchedulerRole": "arn:aws:iam::123456789012:role/scheduler",
            "Bundles": "bundles",
            "RootSecret": "roots",
            "EdgeSecret": EDGE_SECRET,
            "FirstOperatorKey": "first-key",
            "FurtherDomains": "go.example",
            "Drawings": "drawings",
            "ShortDomain": "",
            "ShortUrls": DOMAIN,
            "Api": API_URL,
            "LiveApi": "live",
            "PanelsApi": "panels",
            "AWS::Region": REGION,
            "AWS::URLSuffix": "amazonaws.com",
        }
        credentials = Credentials("artefacts", "secret")
        transport = Transport(engine, REGION, "dynamodb", TARGET_PREFIXES["dynamodb"], lambda: credentials)
        self.tables = Tables(DynamoTable("main", transport), DynamoTable("log", transport))
        made = make_first_account(
            self.tables, RootSecrets.from_text(SECRET), name="Museum", email="a@b.example", domain=DOMAIN, clock=now_ms
        )
        self.account, self.key = made.account, made.key

    def process(self, function: str) -> Process:
        if function not in self._processes:
            environment = self._environment | self.built.environment(function, self.values)
            for gateway in ("FINGERPOST_LIVE_ENDPOINT", "FINGERPOST_PANELS_ENDPOINT"):
                if gateway in environment:
                    environment[gateway] = self._environment["AWS_ENDPOINT_URL"]
            self._processes[function] = Process(self.built, function, environment, self.folder / f"{function}.log")
        return self._processes[function]

    def story(self, name: str, **values: str) -> Any:
        """The reply to an event file whose placeholders are filled in."""
        known = {"OPERATOR_KEY": self.key, "DOMAIN": DOMAIN, "ACCOUNT": self.account, **values}
        text = (EVENTS / f"{name}.json").read_text(encoding="utf-8")
        filled = re.sub(r"\$([A-Z_]+)", lambda found: known.get(found[1]) or new_id(now_ms()), text)
        filled = filled.replace(SCAN, new_id(time_of(SCAN)))  # no two scans of an account have one id
        return self.process(name.partition("/")[0]).call(json.loads(filled))

    def document(self, name: str, **values: str) -> Any:
        reply = self.story(name, **values)
        assert reply["statusCode"] < 300, reply
        return json.loads(reply["body"])

    def things(self) -> dict[str, str]:
        """A product, a thng, a link to it, a project and an action, all new, as events name them."""
        known: dict[str, str] = {}
        for story, fields in MADE_BY:
            made = self.document(story, **known)
            made = made.get("data", made)  # in the envelope of the ROOM service
            known |= {placeholder: str(made[name]) for placeholder, name in fields.items()}
            if "JOAN_SECRET" in fields:
                pair = f"{known['JOAN_CLIENT']}:{known['JOAN_SECRET']}"
                known["JOAN_BASIC"] = base64.b64encode(pair.encode()).decode()
        return known

    def end(self) -> None:
        for process in self._processes.values():
            process.end()


@pytest.fixture(scope="module")
def aws() -> Iterator[tuple[str, type[Aws]]]:
    with some_of_aws() as running:
        yield running


@pytest.fixture(scope="module")
def deployment(
    built: Built, aws: tuple[str, type[Aws]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("artefacts")
    with dynoxide(folder) as engine:
        client = boto3.client(
            "dynamodb",
            endpoint_url=engine,
            region_name=REGION,
            aws_access_key_id="artefacts",
            aws_secret_access_key="secret",
        )
        create_tables(client, "main", "log")
        client.close()
        deployment = Deployment(built, engine, aws[0], folder)
        yield deployment
        deployment.end()


def body_of(reply: Any) -> bytes:
    return base64.b64decode(reply["body"]) if reply["isBase64Encoded"] else reply["body"].encode()


# ---- what is in them -----------------------------------------------------------------------------------------------


def test_every_function_is_built(built: Built):
    assert sorted(built.functions) == FUNCTIONS
    for function in FUNCTIONS:
        assert [path.name for path in built.folder(built.functions[function]).iterdir()] == ["app.py"]


def test_the_built_runner_is_bundled_and_brings_no_packages(built: Built):
    names = {path.name for path in built.folder("RunnerFunction").iterdir()}
    assert names == {"child.js", "lambda.js", "evrythng.js", "evrythng-extended.js", "reactor-runasync.js"}


def test_the_built_redirect_holds_our_code_the_time_zones_and_nothing_else(built: Built):
    names = {path.name for folder in built.paths("redirect") for path in folder.iterdir()}
    zones = {name for name in names if re.fullmatch(r"tzdata(-[\d.]+\.dist-info)?", name)}
    assert len(zones) == 2
    assert names - zones == {"app.py", "fingerpost"}


def test_no_function_is_deployed_with_the_command_line_or_what_it_is_built_on(built: Built):
    assert not (built.folder("CoreLayer") / "python" / "fingerpost" / "cli").exists()
    names = {path.name for path in (built.folder("VendorLayer") / "python").iterdir()}
    assert names.isdisjoint({"typer", "rich", "plotext", "yaml", "httpx"})


def test_a_layer_is_compiled_and_leaves_nothing_behind_that_tests_made(built: Built):
    for layer in ("CoreLayer", "ZonesLayer", "VendorLayer"):
        folder = built.folder(layer)
        sources = {path for path in folder.rglob("*.py") if path.read_bytes().strip()}
        compiled = {path.parent.parent / f"{path.name.split('.')[0]}.py" for path in folder.rglob("*.cpython-313.pyc")}
        assert len(sources - compiled) <= len(sources) // 100, sorted(sources - compiled)[:5]  # some are templates
        assert list(folder.rglob("*.egg-info")) == []


def test_compiled_code_is_taken_without_a_look_at_the_source(built: Built):
    """Its times change on the way to Lambda, and code older than its source is compiled at every cold start."""
    flags = {
        int.from_bytes(path.read_bytes()[4:8], "little")
        for layer in ("CoreLayer", "ZonesLayer", "VendorLayer")
        for path in built.folder(layer).rglob("*.pyc")
    }
    assert flags == {0b01}  # by hash, unchecked. Source: PEP 552


def test_machine_code_is_for_the_processor_that_runs_it(built: Built):
    architectures = {"arm64": 0xB7, "x86_64": 0x3E}  # Source: ELF header, e_machine
    [architecture] = built.template["Globals"]["Function"]["Architectures"]
    found = {path: path.read_bytes()[18] for path in built.folder("VendorLayer").rglob("*.so")}
    assert found
    assert set(found.values()) == {architectures[architecture]}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_starts_with_what_it_is_deployed_with(function: str, deployment: Deployment):
    own = [str(path) for path in deployment.built.paths(function)]
    stands = platform.machine() not in ("aarch64", "arm64")
    foreign = {
        name.partition(".")[0]
        for name, file in deployment.process(function).loaded().items()
        if file and not file.startswith((*own, str(STANDARD))) and not (stands and file.endswith(".so"))
    }
    assert foreign <= (set() if function == "redirect" else set(RUNTIME))


# ---- what they do --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STORIES)
def test_a_story_goes_through_the_built_function(name: str, deployment: Deployment, aws: tuple[str, type[Aws]]):
    reply = deployment.story(name, ANSWER_URL=f"{aws[0]}/answers/{name}", **deployment.things())
    if reply is None:  # CloudFormation is answered at an address
        status = "FAILED" if name == "setup/create-with-no-address" else "SUCCESS"
        assert json.loads(aws[1].kept[f"/answers/{name}"])["Status"] == status
        return
    if "batchItemFailures" in reply:
        assert reply == {"batchItemFailures": []}
    else:
        assert reply["statusCode"] == STATUS.get(name, 200), reply


def test_a_scan_through_the_built_functions_is_recorded_listed_and_counted(deployment: Deployment):
    known = deployment.things()
    deployment.document("rules/publish-rules")
    reply = deployment.story("redirect/scan-from-ireland", **known)
    assert (reply["statusCode"], reply["headers"]["cache-control"]) == (307, "no-store")
    scan = deployment.story("redirect/plain-scan", **known)
    assert scan["headers"]["location"].startswith("https://")
    assert deployment.story("derive/new-scan", **known) == {"batchItemFailures": []}
    shown = json.loads(deployment.story("redirect/accept-json", **known)["body"])
    assert (shown["shortId"], shown["hits"]) == (known["SHORT_ID"], 1)


def test_a_code_is_drawn_once_and_then_comes_from_the_bucket(deployment: Deployment, aws: tuple[str, type[Aws]]):
    known = deployment.things()
    first = deployment.story("redirections/draw-svg", **known)
    [path] = [path for path, content in aws[1].kept.items() if content == body_of(first)]
    assert path.startswith("/drawings/")
    aws[1].kept[path] = b"kept"
    assert body_of(deployment.story("redirections/draw-svg", **known)) == b"kept"


def test_a_scan_loads_the_time_zones_of_its_layer_and_nothing_of_anybody_else(deployment: Deployment):
    deployment.document("rules/publish-rules")
    deployment.story("redirect/scan-from-ireland", **deployment.things())
    loaded = deployment.process("redirect").loaded()
    outside = {name.partition(".")[0] for name, file in loaded.items() if file and not file.startswith(str(STANDARD))}
    assert outside <= {"app", "fingerpost", "tzdata"}


def test_the_api_believes_cloudfront_about_the_domain_and_nobody_else(deployment: Deployment):
    event = json.loads((EVENTS / "redirections/create-json.json").read_text(encoding="utf-8"))
    event["headers"] |= {"authorization": deployment.key, "x-fingerpost-domain": "other.example"}
    event["body"] = json.dumps({"evrythngId": deployment.things()["THNG"], "defaultRedirectUrl": "https://a.example/"})
    past_it = deployment.process("redirections").call(event)
    assert (past_it["statusCode"], json.loads(past_it["body"])["shortDomain"]) == (201, DOMAIN)
    event["headers"]["x-fingerpost-edge"] = "guessed \u20ac"
    assert deployment.process("redirections").call(event)["statusCode"] == 201
    event["headers"]["x-fingerpost-edge"] = EDGE_SECRET
    through_it = deployment.process("redirections").call(event)
    assert (through_it["statusCode"], "other.example" in through_it["body"]) == (400, True)  # no domain of this account


def test_what_a_change_asks_for_is_put_on_the_queue_by_the_built_function(
    deployment: Deployment, aws: tuple[str, type[Aws]]
):
    product = deployment.things()["PRODUCT"]
    aws[1].sent.clear()
    deployment.story("dispatch/product-deleted", PRODUCT=product)
    assert [json.loads(body)["product"] for body in aws[1].sent] == [product]
