"""What the feed and the queues bring, story by story; and that every event file is a story."""

import json
import re
from contextlib import suppress

import pytest

from fingerpost import keys
from fingerpost.access.dismissal import dismiss_page
from fingerpost.reactor import runs
from tests.functions.people import anonymous, application_of, person
from tests.functions.world import DOMAIN, EVENTS, Client, World
from tests.stores import Crash, crashing, hooked


def test_a_spilled_scan_is_recorded_once_however_often_its_message_comes(world: World, thng, short_id):
    for _ in range(3):
        assert world.story("spill/one-scan", THNG=thng["id"], SHORT_ID=short_id) == {"batchItemFailures": []}
    assert len(world.recorded()) == 1


def test_a_message_that_cannot_be_read_comes_again_and_holds_up_no_other(world: World, thng, short_id, capfd):
    from functions.spill.app import handler

    good = json.dumps({"key": [f"{world.account}#a#U1", "-"], "item": {"k": "action", "sv": 1}})
    records = [{"messageId": "bad", "body": "{"}, {"messageId": "good", "body": good}]
    assert handler({"Records": records}) == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert world.tables.of(world.account).main.get(keys.action("U1")) is not None
    assert "bad" in capfd.readouterr().err


def test_a_stream_record_of_a_scan_makes_it_listed_and_counted_once(world: World, operator: Client, thng, short_id):
    world.story("spill/one-scan", THNG=thng["id"], SHORT_ID=short_id)
    for _ in range(2):
        assert world.story("derive/new-scan", THNG=thng["id"], SHORT_ID=short_id) == {"batchItemFailures": []}
    assert operator.read(f"/redirections/{short_id}")["hits"] == 1
    assert len(operator.read("/actions/all", filter=f"thng={thng['id']}")) == 1
    world.story("derive/action-deleted", THNG=thng["id"], SHORT_ID=short_id)
    partition = keys.index(keys.ACCOUNT_SCOPE, "action", "type", "implicitScans", 0)
    listed = [key for key in world.rows() if key[0] == "log" and partition.rpartition("#")[0] in key[1].pk]
    assert listed == []


def test_a_deleted_products_record_puts_its_unlinking_on_the_queue(world: World, operator: Client):
    product = world.product()["id"]
    thng = world.thng(product=product)["id"]
    operator.delete(f"/products/{product}")
    assert world.story("dispatch/product-deleted", PRODUCT=product) == {"batchItemFailures": []}
    (message,) = world.queues["work"].receive(visibility_ms=0)
    assert json.loads(message.body) == {"do": "unlink", "account": world.account, "product": product}
    assert operator.read(f"/thngs/{thng}")["product"] == product
    for _ in range(2):
        assert world.story("work/unlink", PRODUCT=product) == {"batchItemFailures": []}
    world.settle()
    assert "product" not in operator.read(f"/thngs/{thng}")


def test_a_deleted_applications_record_puts_the_leaving_of_its_users_on_the_queue(world: World, operator: Client):
    ann = person(world, email="ann@museum.example")
    others = [anonymous(world) for _ in range(30)]
    bob = person(world, application_of(world, world.project)["client"])
    application = world.application_id
    operator.delete(f"/projects/{world.project}/applications/{application}")
    values = {"APPLICATION": application, "PROJECT": world.project}
    assert world.story("dispatch/application-deleted", **values) == {"batchItemFailures": []}
    bodies = [json.loads(each.body) for each in world.queues["work"].receive(visibility_ms=0)]
    gone = {"account": world.account, "app": application}
    assert bodies == [{"do": "dismiss", **gone}, {"do": "unscript", **gone, "project": world.project}]
    for _ in range(2):
        assert world.story("work/dismiss", APPLICATION=application) == {"batchItemFailures": []}
    world.settle()
    assert [each["id"] for each in operator.read("/users")] == [bob.id]
    kept = {key for key in world.rows() if any(each.id in str(key) for each in (ann, *others))}
    assert {key[1].pk.partition("#")[2].partition("#")[0] for key in kept} <= {"j", "jx"}
    assert "ann@museum.example" not in repr([row for row in world.rows().values() if row["k"] != "audit"])


@pytest.mark.parametrize("after", range(9))
def test_users_leave_with_their_keys_also_when_that_was_interrupted(world: World, operator: Client, after):
    ann = person(world, email="ann@museum.example")
    task = {"do": "dismiss", "account": world.account, "app": world.application_id}
    operator.delete(f"/projects/{world.project}/applications/{world.application_id}")
    with suppress(Crash):
        dismiss_page(hooked(world.tables, crashing(after)), task)
    assert dismiss_page(world.tables, task) is None
    kept = {row["k"] for key, row in world.rows().items() if ann.id in str(key) or row.get("id") == ann.id}
    assert kept <= {"audit", "auditOf", "index"}, "whoever lists them removes index rows that point nowhere"


def test_a_thng_that_gets_a_product_has_its_links_hints_refreshed(world: World, operator: Client):
    thng, product = world.thng()["id"], world.product()["id"]
    short_id = operator.link(thng)["shortId"]
    operator.put(f"/thngs/{thng}", {"product": product})
    assert world.story("dispatch/thng-gets-a-product", THNG=thng, PRODUCT=product) == {"batchItemFailures": []}
    assert len(world.queues["work"].receive(visibility_ms=0)) == 1
    assert world.story("work/hint", THNG=thng) == {"batchItemFailures": []}
    link = world.tables.main.get(keys.link(DOMAIN, short_id))
    assert link is not None and link["product"] == product


def test_a_script_is_uploaded_installed_and_gone_with_its_application(world: World, operator: Client):
    values = {"PROJECT": world.project, "APPLICATION": world.application_id}
    base = f"/projects/{world.project}/applications/{world.application_id}"
    assert world.answered("reactor/upload-script", **values).status == 200
    for _ in range(2):
        assert world.story("install/one-script", **values) == {"batchItemFailures": []}
    assert operator.read(f"{base}/reactor/script/status")["running"] == 1
    assert world.answered("reactor/write-logs", **values).status == 201
    for _ in range(2):
        assert world.story("work/unlog", **values) == {"batchItemFailures": []}
    assert len(operator.read(f"{base}/reactor/logs")) == 2
    operator.delete(base)
    for _ in range(2):
        assert world.story("work/unscript", **values) == {"batchItemFailures": []}
    assert not {row["k"] for row in world.rows().values()} & {"script", "scriptVersion"}


def test_a_schedule_is_made_told_to_the_scheduler_and_due(world: World, operator: Client):
    values = {"PROJECT": world.project, "APPLICATION": world.application_id}
    world.answered("reactor/upload-script", **values)
    world.settle()
    values["SCHEDULE"] = world.answered("reactor/create-schedule", **values).document["id"]
    assert world.story("dispatch/new-schedule", **values) == {"batchItemFailures": []}
    (message,) = world.queues["work"].receive(visibility_ms=0)
    assert json.loads(message.body)["do"] == "arm"
    for _ in range(2):
        assert world.story("work/arm", **values) == {"batchItemFailures": []}
    world.clock.now += 165 * 60_000
    assert world.scheduler.step() == 1
    for _ in range(2):
        assert world.story("work/fire", **values) == {"batchItemFailures": []}
    found = []
    while messages := world.queues["reactor"].receive():
        for each in messages:
            found.append(runs.received(each.body))
            world.queues["reactor"].delete(each.receipt)
    first, second = found
    assert first == second
    assert (first.function, first.payload) == ("onScheduledEvent", {"foo": "bar"})


FILES = sorted(path.relative_to(EVENTS).with_suffix("").as_posix() for path in EVENTS.rglob("*.json"))


@pytest.mark.parametrize("name", FILES)
def test_every_event_file_is_what_aws_sends_and_its_placeholders_are_documented(name: str):
    text = (EVENTS / f"{name}.json").read_text(encoding="utf-8")
    event = json.loads(text)
    documented = (EVENTS / "README.md").read_text(encoding="utf-8")
    assert {f"`${found}`" for found in re.findall(r"\$([A-Z_]+)", text)} <= set(re.findall(r"`\$[A-Z_]+`", documented))
    assert (EVENTS.parent / "functions" / name.partition("/")[0] / "app.py").is_file()
    if "Records" in event:
        assert {record["eventSource"] for record in event["Records"]} <= {"aws:dynamodb", "aws:sqs"}
    elif name.startswith("setup/"):
        assert event["ResourceType"] == "Custom::FirstAccount"
        assert event["ResourceProperties"]["ServiceToken"] == event["ServiceToken"]
    elif "connectionId" in event["requestContext"]:
        assert event["requestContext"]["routeKey"] in ("$connect", "$default", "$disconnect")
    else:
        assert event["version"] == "2.0"
        assert event["rawPath"] == event["requestContext"]["http"]["path"]
        assert all(header == header.lower() for header in event["headers"])


def test_every_event_file_is_used_by_a_test():
    tests = "".join(path.read_text(encoding="utf-8") for path in (EVENTS.parent / "tests/functions").glob("test_*.py"))
    assert [name for name in FILES if name not in tests] == []
