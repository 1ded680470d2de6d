"""template.yaml against the tree: what is deployed is what is here."""

import json
import os
import re
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fingerpost.access.secrets import RootSecrets
from fingerpost.aws.runner import ANSWER_SECONDS
from fingerpost.aws.stream import stream_event
from fingerpost.local.functions import EDGES
from fingerpost.ports.runner import TIME_LIMIT_MS
from fingerpost.ports.table import Change, Item, Key
from fingerpost.reactor.claims import LEASE_MS
from fingerpost.rooms.upkeep import SET_UP
from fingerpost.shapes import stamp
from tests.template import (
    FUNCTIONS,
    RESOURCES,
    ROOT,
    SOURCES,
    TEMPLATE,
    actions_of,
    granted,
    of_type,
    references,
    statements,
)


def shape(path: str) -> str:
    """A path template without its parameters' names, which a gateway does not care about: /thngs/{}/actions."""
    return "/".join("{}" if "{" in segment else segment for segment in path.split("/"))


def gateway_paths(function: str) -> list[str]:
    """The paths that the HTTP API gives to a function, what begins with a dollar left out."""
    integrations = {
        name
        for name, properties in of_type("AWS::ApiGatewayV2::Integration").items()
        if FUNCTIONS[function][0] in references(properties["IntegrationUri"])
    }
    return [
        properties["RouteKey"].removeprefix("ANY ")
        for properties in of_type("AWS::ApiGatewayV2::Route").values()
        if integrations & references(properties["Target"]) and not properties["RouteKey"].startswith("$")
    ]


PROBE = """
import json, sys
before = set(sys.modules)  # what the environment itself loads at every start
import functions.{name}.app as app
print(json.dumps({{
    "callable": [f"app.{{member}}" for member in vars(app) if callable(getattr(app, member))],
    "routes": app.edge.at_gateway if hasattr(app, "edge") else [],
    "foreign": [name for name, module in sys.modules.items()
                if name not in before and "site-packages" in (getattr(module, "__file__", None) or "")],
}}))
"""


@cache
def loaded(name: str) -> dict[str, list[Any]]:
    """What a function's module holds, asked in a process and a data folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        paths = os.pathsep.join([str(ROOT), str(ROOT / "layers/core/python")])
        found = subprocess.run(
            [sys.executable, "-c", PROBE.format(name=name)],
            env=os.environ | {"PYTHONPATH": paths, "FINGERPOST_DATA_DIR": folder},
            capture_output=True,
            text=True,
            check=False,
        )
    assert found.returncode == 0, found.stderr
    content: dict[str, list[Any]] = json.loads(found.stdout)
    return content


# ---- the functions -------------------------------------------------------------------------------------------------


def test_every_function_folder_is_deployed_and_nothing_else_is():
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}
    assert folders == set(FUNCTIONS)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_has_the_handler_that_lambda_will_call(name):
    handler = FUNCTIONS[name][1].get("Handler", TEMPLATE["Globals"]["Function"]["Handler"])
    assert handler in loaded(name)["callable"]


def test_the_redirect_function_has_no_third_party_code_beside_it_but_the_time_zones():
    _, redirect = FUNCTIONS["redirect"]
    assert references(redirect["Layers"]) == {"CoreLayer", "ZonesLayer"}
    assert requirements(ROOT / "layers/zones/requirements.txt").keys() == {"tzdata"}


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_brings_our_code_in_a_layer_and_no_requirements_of_its_own(name):
    assert "CoreLayer" in references(FUNCTIONS[name][1]["Layers"])
    assert [path.name for path in (ROOT / "functions" / name).iterdir() if path.name.startswith("requirements")] == []


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_has_the_vendor_layer_when_it_imports_something_from_it(name):
    has_it = "VendorLayer" in references(FUNCTIONS[name][1]["Layers"])
    assert has_it == bool(loaded(name)["foreign"])


@pytest.mark.parametrize("layer", sorted(of_type("AWS::Serverless::LayerVersion")))
def test_a_layer_has_something_in_it(layer):
    folder = ROOT / of_type("AWS::Serverless::LayerVersion")[layer]["ContentUri"]
    assert any(path.is_file() for path in folder.rglob("*"))


# ---- permissions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_no_function_may_scan_a_table_or_do_everything(name):
    actions = actions_of(FUNCTIONS[name][1])
    assert not {action for action in actions if "*" in action or action.startswith("dynamodb:Scan")}
    for statement in statements(FUNCTIONS[name][1]):
        assert statement["Resource"] != "*"


def test_a_scan_may_write_one_row_or_spill_it_and_nothing_more():
    reads = {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}
    assert granted("redirect") == {
        *((read, "MainTable") for read in reads),
        ("dynamodb:PutItem", "MainTable"),
        ("dynamodb:GetItem", "LogTable"),
        ("dynamodb:Query", "LogTable"),
        ("sqs:SendMessage", "SpillQueue"),
    }


def test_the_redirect_answers_signed_requests_only():
    assert FUNCTIONS["redirect"][1]["FunctionUrlConfig"]["AuthType"] == "AWS_IAM"


def test_strangers_code_runs_without_permissions_variables_or_a_network_of_ours_and_apart_by_tenant():
    runner = RESOURCES["RunnerFunction"]
    assert runner["IgnoreGlobals"] == "*"
    assert runner["Properties"]["TenancyConfig"] == {"TenantIsolationMode": "PER_TENANT"}
    assert not {"Environment", "Layers", "Policies", "VpcConfig", "Events"} & runner["Properties"].keys()
    assert references(runner["Properties"]["Role"]) == {"RunnerRole"}
    assert RESOURCES["RunnerRole"]["Properties"].keys() == {"AssumeRolePolicyDocument"}


def test_the_runner_outlives_the_longest_script_and_its_caller_waits_for_it():
    timeout = RESOURCES["RunnerFunction"]["Properties"]["Timeout"]
    assert TIME_LIMIT_MS / 1000 + 30 < timeout < ANSWER_SECONDS


# ---- the API -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EDGES)
def test_the_gateway_gives_a_function_exactly_the_paths_it_registers(name):
    registered = {shape(template) for _, template in loaded(name)["routes"]}
    deployed = {shape(path) for path in gateway_paths(name)}
    missing, extra = sorted(registered - deployed), sorted(deployed - registered)
    assert (missing, extra) == ([], []), f"template.yaml lacks {missing} for {name} and has {extra} too many"


def test_no_two_functions_claim_the_same_path():
    shapes = [shape(path) for name in EDGES for path in gateway_paths(name)]
    assert sorted(shapes) == sorted(set(shapes))


def test_every_route_key_is_one_that_a_gateway_takes():
    for route in of_type("AWS::ApiGatewayV2::Route").values():
        assert re.fullmatch(
            r"\$(default|connect|disconnect)|ANY /|ANY (/([\w.-]+|\{\w+\}))+(/\{\w+\+\})?", route["RouteKey"]
        ), route["RouteKey"]


def test_what_nobody_answers_goes_to_the_access_function():
    routes = of_type("AWS::ApiGatewayV2::Route").values()
    fallback = [each for each in routes if each["RouteKey"] == "$default" and each["ApiId"] == {"Ref": "Api"}]
    assert [references(route["Target"]) for route in fallback] == [{"AccessIntegration"}]


@pytest.mark.parametrize("name", EDGES)
def test_the_gateway_may_call_the_functions_it_routes_to(name):
    logical_id = FUNCTIONS[name][0]
    [permission] = [
        properties
        for properties in of_type("AWS::Lambda::Permission").values()
        if references(properties["FunctionName"]) == {logical_id} and "Api" in references(properties["SourceArn"])
    ]
    assert permission["Principal"] == "apigateway.amazonaws.com"


# ---- storage and the feed ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["MainTable", "LogTable"])
def test_a_table_has_the_keys_and_the_expiry_that_the_port_promises(table):
    properties = of_type("AWS::DynamoDB::Table")[table]
    assert properties["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


@pytest.mark.parametrize("name", ["MainTable", "LogTable", "RootSecret", "ParkedChanges", "Drawings", "Bundles"])
def test_what_is_kept_outlives_the_stack(name):
    assert RESOURCES[name]["DeletionPolicy"] in ("Retain", "RetainExceptOnCreate")
    assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("table", ["MainTable", "LogTable"])
def test_a_table_cannot_be_deleted_by_mistake(table):
    assert RESOURCES[table]["Properties"]["DeletionProtectionEnabled"] is True


@pytest.mark.parametrize("bucket", ["ParkedChanges", "Drawings"])
def test_a_bucket_is_private_encrypted_and_does_not_grow_for_ever(bucket):
    properties = RESOURCES[bucket]["Properties"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    assert "AES256" in json.dumps(properties["BucketEncryption"])
    assert properties["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert [rule["ExpirationInDays"] > 0 for rule in properties["LifecycleConfiguration"]["Rules"]] == [True]


@pytest.mark.parametrize("queue", sorted(of_type("AWS::SQS::Queue")))
def test_a_queue_is_encrypted(queue):
    assert RESOURCES[queue]["Properties"]["SqsManagedSseEnabled"] is True


@pytest.mark.parametrize("name", EDGES)
def test_a_function_that_answers_requests_may_read_the_root_secret(name):
    """Which the chain of runs is signed with that any request may bring along."""
    assert ("secretsmanager:GetSecretValue", "RootSecret") in granted(name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_role_has_no_policy_twice_and_no_more_than_iam_attaches(name):
    """Ten, two of which are SAM's own: for logs, for traces."""
    shared = [policy["Ref"] for policy in FUNCTIONS[name][1]["Policies"] if "Ref" in policy]
    assert len(shared) == len(set(shared)) <= 10 - 2


def test_drawings_are_for_the_redirections_function_alone():
    wanted = {("s3:GetObject", "arn:Drawings/*"), ("s3:PutObject", "arn:Drawings/*"), ("s3:ListBucket", "Drawings")}
    for name in FUNCTIONS:
        held = {each for each in granted(name) if "Drawings" in each[1]}
        assert held == (wanted if name == "redirections" else set())


def test_only_main_has_a_feed_and_the_feed_has_two_readers():
    tables = of_type("AWS::DynamoDB::Table")
    assert [name for name, table in tables.items() if "StreamSpecification" in table] == ["MainTable"]
    readers = {name: source for name, source in SOURCES.items() if "MainTable" in references(source["EventSourceArn"])}
    assert readers.keys() == {"derive", "dispatch"}
    for reader in readers.values():
        assert reader["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert reader["BisectBatchOnFunctionError"] is True


@pytest.mark.parametrize("name", ["derive", "dispatch"])
def test_a_batch_that_a_reader_gives_up_on_is_kept_whole_where_it_can_be_replayed_from(name):
    """SQS would get the place in the stream alone, and the stream forgets after a day."""
    [bucket] = references(SOURCES[name]["DestinationConfig"]["OnFailure"]["Destination"])
    assert RESOURCES[bucket]["Type"] == "AWS::S3::Bucket"
    assert (f"arn:{bucket}/*") in {resource for action, resource in granted(name) if action == "s3:PutObject"}
    assert TEMPLATE["Outputs"][bucket]["Value"] == {"Ref": bucket}


@pytest.mark.parametrize("name", ["derive", "dispatch", "spill", "work", "scripts", "evoko"])
def test_a_function_may_read_its_own_source_and_no_other(name):
    [source] = references(SOURCES[name]["EventSourceArn"])
    reads = {"dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream"}
    takes = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
    wanted = {(action, source) for action in (reads if source == "MainTable" else takes)}
    assert {each for each in granted(name) if each[0] in reads | takes} == wanted
    assert "Events" not in FUNCTIONS[name][1]


def passes(pattern: Any, content: Any) -> bool:
    """Whether an event filter lets `content` through: objects by member, lists by one of their values or by being."""
    if isinstance(pattern, list):
        return content in pattern or (content is not None and {"exists": True} in pattern)
    return isinstance(content, dict) and all(passes(rule, content.get(name)) for name, rule in pattern.items())


def reaches(name: str, old: Item | None, new: Item | None) -> bool:
    """Whether a change wakes a reader of the feed."""
    [record] = stream_event([Change(sequence="1", key=Key("A#t#1", "doc"), old=old, new=new)])["Records"]
    filters = SOURCES[name]["FilterCriteria"]["Filters"]
    return any(passes(json.loads(each["Pattern"]), record) for each in filters)


def test_derive_is_woken_by_actions_that_come_or_go_and_by_nothing_else():
    action, thng = stamp("action"), stamp("thng")
    assert reaches("derive", None, action)
    assert reaches("derive", action, None)
    assert not reaches("derive", None, thng)
    assert not reaches("derive", thng, thng)


@pytest.mark.parametrize("kind", ["thng", "product"])
def test_dispatch_is_woken_when_a_document_changes_or_goes_and_not_when_one_comes(kind):
    document = stamp(kind)
    assert reaches("dispatch", document, document)
    assert reaches("dispatch", document, None)
    assert not reaches("dispatch", None, document)


def test_dispatch_is_woken_when_an_application_goes():
    assert reaches("dispatch", stamp("application"), None)
    assert not reaches("dispatch", stamp("application"), stamp("application"))


def test_dispatch_is_woken_by_actions_that_come_values_that_change_and_connections_that_expire():
    now, action = stamp("now"), stamp("action")
    assert reaches("dispatch", now, now)
    assert reaches("dispatch", None, now)
    assert reaches("dispatch", None, action)
    assert not reaches("dispatch", action, None)
    assert reaches("dispatch", stamp("presence"), None)


def test_dispatch_is_woken_by_bookings_and_not_by_the_days_that_they_stand_in():
    booking, day = stamp("booking"), stamp("roomDay")
    assert reaches("dispatch", None, booking)
    assert reaches("dispatch", booking, booking)
    assert not reaches("dispatch", day, day)


def test_dispatch_is_woken_by_a_room_that_comes_changes_or_goes():
    room = stamp("room")
    assert reaches("dispatch", None, room) and reaches("dispatch", room, room) and reaches("dispatch", room, None)


def test_no_source_has_more_filters_than_lambda_allows():
    """Five, unless a larger quota was asked for. Source: Lambda's guide, event filtering."""
    assert max(len(each.get("FilterCriteria", {}).get("Filters", [])) for each in SOURCES.values()) <= 5


def test_every_event_of_a_connection_goes_to_the_live_function():
    routes = [each for each in of_type("AWS::ApiGatewayV2::Route").values() if each["ApiId"] == {"Ref": "LiveApi"}]
    assert {each["RouteKey"] for each in routes} == {"$connect", "$default", "$disconnect"}
    assert {name for each in routes for name in references(each["Target"])} == {"LiveIntegration"}


def test_dispatch_is_woken_by_whatever_panels_show():
    for kind in (*SET_UP, "room"):
        document = stamp(kind)
        assert reaches("dispatch", None, document), kind
        assert reaches("dispatch", document, document), kind
        assert reaches("dispatch", document, None), kind


def test_what_panels_say_reaches_their_function_in_the_order_of_each_connection():
    routes = [each for each in of_type("AWS::ApiGatewayV2::Route").values() if each["ApiId"] == {"Ref": "PanelsApi"}]
    targets = {each["RouteKey"]: references(each["Target"]) for each in routes}
    called, queued = {"PanelsIntegration"}, {"PanelsMessagesIntegration"}
    assert targets == {"$connect": called, "$disconnect": called, "$default": queued}
    integration = RESOURCES["PanelsMessagesIntegration"]["Properties"]
    assert references(integration["IntegrationUri"]) >= {"PanelsQueue"}
    sent = integration["RequestTemplates"]["$default"]
    assert "MessageGroupId=$util.urlEncode($context.connectionId)" in sent
    assert "MessageDeduplicationId=$util.urlEncode($context.requestId)" in sent
    assert RESOURCES["PanelsStage"]["Properties"]["StageName"] == "websocket"
    source, queue = SOURCES["evoko"], RESOURCES["PanelsQueue"]["Properties"]
    assert references(source["EventSourceArn"]) == {"PanelsQueue"}
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert (queue["FifoQueue"], queue["FifoThroughputLimit"]) == (True, "perMessageGroupId")
    assert queue["VisibilityTimeout"] > TEMPLATE["Globals"]["Function"]["Timeout"]
    assert queue["MessageRetentionPeriod"] <= 600 and "RedrivePolicy" not in queue  # PINs are in what panels say


@pytest.mark.parametrize("name", ["spill", "work"])
def test_a_queue_wakes_its_function_and_parks_what_keeps_failing(name):
    _, function = FUNCTIONS[name]
    source = SOURCES[name]
    [queue] = references(source["EventSourceArn"])
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    dead = queue.replace("Queue", "DeadLetters")
    assert references(RESOURCES[queue]["Properties"]["RedrivePolicy"]) == {dead}
    assert RESOURCES[dead]["Properties"]["MessageRetentionPeriod"] == 14 * 86_400
    timeout = function.get("Timeout", TEMPLATE["Globals"]["Function"]["Timeout"])
    assert RESOURCES[queue]["Properties"]["VisibilityTimeout"] >= 6 * timeout


def test_the_queue_of_runs_hands_out_one_of_a_lane_at_a_time_and_hides_it_for_longer_than_its_claim_lasts():
    _, function = FUNCTIONS["scripts"]
    source = SOURCES["scripts"]
    assert references(source["EventSourceArn"]) == {"ReactorQueue"}
    assert (source["BatchSize"], source["FunctionResponseTypes"]) == (1, ["ReportBatchItemFailures"])
    queue, dead = (RESOURCES[name]["Properties"] for name in ("ReactorQueue", "ReactorDeadLetters"))
    assert queue["FifoQueue"] is dead["FifoQueue"] is queue["ContentBasedDeduplication"] is True
    assert (queue["DeduplicationScope"], queue["FifoThroughputLimit"]) == ("messageGroup", "perMessageGroupId")
    assert references(queue["RedrivePolicy"]) == {"ReactorDeadLetters"}
    assert dead["MessageRetentionPeriod"] == 14 * 86_400
    assert ANSWER_SECONDS < LEASE_MS / 1000 < function["Timeout"] < queue["VisibilityTimeout"]


def test_what_is_derived_never_enters_the_feed_again():
    reads = {"GetItem", "BatchGetItem", "Query", "DescribeStream", "GetRecords", "GetShardIterator"}
    done_to_main = {action.removeprefix("dynamodb:") for action, name in granted("derive") if name == "MainTable"}
    assert done_to_main <= reads


def test_the_adapters_find_in_the_environment_what_they_look_for():
    variables = dict(TEMPLATE["Globals"]["Function"]["Environment"]["Variables"])
    for _, properties in FUNCTIONS.values():
        variables |= properties.get("Environment", {}).get("Variables", {})
    adapters = (ROOT / "layers/core/python/fingerpost/aws/wiring.py").read_text()
    named = set(re.findall(r"environ\[f?\"(\w+(?:\{[^}]+\}\w+)?)\"\]", adapters))
    queues = {name for name in named if "{" in name}
    assert queues == {"FINGERPOST_{name.upper()}_QUEUE_URL"}
    assert (named - queues) | {"FINGERPOST_SPILL_QUEUE_URL", "FINGERPOST_WORK_QUEUE_URL"} <= variables.keys()
    assert variables["FINGERPOST_SPILL_QUEUE_URL"] == {"Ref": "SpillQueue"}
    assert variables["FINGERPOST_WORK_QUEUE_URL"] == {"Ref": "WorkQueue"}


def test_the_secret_that_the_stack_makes_is_one_that_we_can_read():
    rule = RESOURCES["RootSecret"]["Properties"]["GenerateSecretString"]
    digits = set("0123456789abcdefghijklmnopqrstuvwxyz") - set(rule["ExcludeCharacters"])
    assert digits == set("0123456789abcdef")
    text = json.dumps(json.loads(rule["SecretStringTemplate"]) | {rule["GenerateStringKey"]: "5e" * 32})
    secrets = RootSecrets.from_text(text)
    assert secrets.roots[secrets.current] == bytes.fromhex("5e" * 32)
    assert rule["PasswordLength"] == 64


# ---- what is installed ---------------------------------------------------------------------------------------------


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements(file: Path) -> dict[str, str]:
    """The pins of a lock file: canonical name -> exact version. Fails on a line that is not a pin."""
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    pins = [re.fullmatch(r"([\w.-]+)==([\w.+!-]+)", line) for line in lines]
    assert all(pins), [line for line, pin in zip(lines, pins, strict=True) if not pin]
    return {canonical(pin[1]): pin[2] for pin in pins if pin}


@pytest.mark.parametrize("layer", ["vendor", "zones"])
def test_a_layer_has_the_versions_that_the_tests_run_with(layer):
    locked = requirements(ROOT / "requirements.lock")
    assert requirements(ROOT / "layers" / layer / "requirements.txt").items() <= locked.items()
