"""Declarative rules carried out: what they do, that they do it once, and what the log says of it."""

import json
import re
import shutil
import subprocess

import pytest

from fingerpost import wiring
from fingerpost.reactor import chain, runs
from fingerpost.reactor.declared import carry_out
from fingerpost.reactor.webhooks import MAX_TRIES
from tests.functions.receiver import receiving
from tests.functions.world import HOUR, SECOND, handler_of
from tests.stores import READS, Crash, hooked

SCANS = {"name": "scanned", "when": "actionCreated", "filter": "action.type=scans"}
HOT = {"name": "hot", "when": "thngPropertiesChanged", "filter": "propertyChangeNew.temperature>30"}


@pytest.fixture
def receiver(monkeypatch):
    with receiving() as each:
        monkeypatch.setattr(wiring, "outgoing", lambda: each.door)
        yield each


@pytest.fixture
def reactor(world, receiver):
    return Reactor(world)


@pytest.fixture
def lamp(world):
    sent = {"name": "Lamp", "tags": ["lamp"], "properties": {"temperature": 20}}
    return world.operator.made("/thngs", sent, project=world.project)["id"]


class Reactor:
    """The rules of the world's application, and all that hangs off the feed for them."""

    def __init__(self, world):
        self.world = world
        self.base = f"/projects/{world.project}/applications/{world.application_id}/reactor"
        self.queue = world.queues[runs.QUEUE]
        world.operator.made("/actions", {"name": "_Noted"}, project=world.project)

    def save(self, *rules):
        answer = self.world.operator.put(f"{self.base}/rules", {"rules": list(rules)})
        assert answer.status == 200, answer
        return answer.document

    def settle(self):
        """Everything that follows now, by the functions that do it."""
        self.world.settle()
        while messages := self.queue.receive():
            for message in messages:
                self.carry_out(message.body)
                self.queue.delete(message.receipt)
            self.world.settle()

    def carry_out(self, *bodies):
        records = [{"messageId": str(number), "body": body} for number, body in enumerate(bodies)]
        assert handler_of("scripts")({"Records": records}, None) == {"batchItemFailures": []}

    def waiting(self):
        """The messages of what has happened, taken off the queue."""
        self.world.settle()
        bodies = []
        while messages := self.queue.receive():
            bodies += [message.body for message in messages]
            for message in messages:
                self.queue.delete(message.receipt)
        return bodies

    def wait(self, ms):
        self.world.clock.now += ms
        self.settle()

    def logs(self, *levels):
        rows = [row for row in self.world.rows().items() if row[1]["k"] == "reactorLog"]
        rows.sort(key=lambda row: row[0][1].sk)
        return [item["message"] for _, item in rows if not levels or item["level"] in levels]

    def queued(self, queue="orders"):
        return self.world.operator.read(f"{self.base}/queues/{queue}/messages", perPage=100)

    def noted(self):
        rows = [(key.pk.split("#")[-1], item) for (_, key), item in self.world.rows().items() if item["k"] == "action"]
        ids = [action for action, item in rows if item["type"] == "_Noted"]
        return [self.world.operator.read(f"/actions/_Noted/{each}") for each in ids]

    def properties(self, thng):
        return self.world.operator.read(f"/thngs/{thng}")["properties"]

    def scan(self, thng, **more):
        return self.world.trusted.made("/actions/scans", {"thng": thng, **more})

    def heat(self, thng, value, **more):
        answer = self.world.trusted.put(f"/thngs/{thng}/properties/temperature", [{"value": value, **more}])
        assert answer.status == 200, answer


def then(rule, *steps, **more):
    return {**rule, "then": list(steps), **more}


def set_to(**values):
    return {"setProperties": {"properties": values}}


def queue(body=None, name="orders"):
    return {"putOnQueue": {"queue": name} | ({} if body is None else {"body": body})}


def hook(receiver, path="/hook", **more):
    return {"callWebhook": {"url": receiver.url + path, **more}}


# ---- steps


def test_an_action_is_created_about_the_events_thng_by_the_application(world, reactor, lamp):
    fields = {
        "of": "{thng.name}",
        "at": "{action.customFields.dock}",
        "again": "{thng.name}, dock {action.customFields.dock}",
    }
    step = {"createAction": {"type": "_Noted", "customFields": fields, "tags": ["{thng.tags}", "by-{rule.name}"]}}
    reactor.save(then(SCANS, step))
    scan = reactor.scan(lamp, customFields={"dock": 4})
    reactor.settle()
    (noted,) = reactor.noted()
    assert (noted["thng"], noted["createdByApp"]) == (lamp, world.application_id)
    assert noted["customFields"] == {"of": "Lamp", "at": 4, "again": "Lamp, dock 4"}
    assert noted["tags"] == ["lamp", "by-scanned"]
    trace, done = reactor.logs()
    assert trace.startswith("rule scanned: onActionCreated, event ")
    assert trace.endswith(", matched because action.type is scans")
    assert done == f"rule scanned, step 1: created the action {noted['id']} of type _Noted"
    row = next(row for row in world.recorded() if row["type"] == "_Noted")
    assert row["chain"] == [f"{world.application_id}:rule scanned"]
    assert row["cause"] == next(row for row in world.recorded() if row["type"] == "scans")["cause"]
    assert scan["id"] != noted["id"]


def test_properties_are_set_with_the_type_of_what_they_are_filled_with(reactor, lamp):
    values = {"last": "{propertyChangeNew.temperature}", "was": "{propertyChangeOld.temperature}", "state": "hot"}
    reactor.save(then(HOT, {"setProperties": {"properties": values}}))
    reactor.heat(lamp, 35)
    reactor.settle()
    assert reactor.properties(lamp) == {"temperature": 35, "last": 35, "was": 20, "state": "hot"}
    assert reactor.logs("info") == [f"rule hot, step 1: set last, was, state of thng {lamp}"]


def test_what_came_later_than_the_event_is_not_overwritten(world, reactor, lamp):
    reactor.save(then(HOT, {"setProperties": {"properties": {"state": "hot"}}}))
    at = world.clock()
    reactor.heat(lamp, 35, timestamp=at - 10 * SECOND)
    world.operator.put(f"/thngs/{lamp}/properties/state", [{"value": "mended", "timestamp": at - SECOND}])
    reactor.settle()
    assert reactor.properties(lamp)["state"] == "mended"


def test_what_the_event_has_no_value_for_is_not_set(reactor, lamp):
    absent, explicit = "{propertyChangeNew.humidity}", None
    reactor.save(
        then(HOT, set_to(a=absent, b=explicit, c="x{propertyChangeNew.humidity}"), set_to(d=absent), queue("done"))
    )
    reactor.heat(lamp, 35)
    reactor.settle()
    assert reactor.properties(lamp) == {"temperature": 35, "b": None, "c": "x"}
    assert reactor.logs("error") == [
        "rule hot, step 2: was not done: Nothing is there to set: the event has none of the fields"
    ]


def test_an_application_that_was_deleted_does_nothing_more(world, reactor, lamp):
    reactor.save(then(SCANS, queue("late")))
    reactor.scan(lamp)
    (body,) = reactor.waiting()
    assert world.operator.delete(reactor.base.removesuffix("/reactor")).status == 200
    reactor.carry_out(body)
    assert [row for row in world.rows().values() if row["k"] == "ruleMessage"] == []


def test_rules_and_secret_go_with_their_application(world, reactor, lamp, receiver):
    reactor.save(then(SCANS, hook(receiver)))
    reactor.save(then(SCANS, hook(receiver), queue("x")))
    assert world.operator.delete(reactor.base.removesuffix("/reactor")).status == 200
    reactor.settle()
    left = [row for row in world.rows().values() if row["k"] in ("reactorRules", "webhookSecret")]
    assert left == []
    world.operator.made("/actions/scans", {"thng": lamp}, project=world.project)
    assert reactor.waiting() == []


def test_a_products_own_events_set_its_properties(world, reactor):
    product = world.operator.made("/products", {"name": "Paint", "properties": {"stock": 3}}, project=world.project)[
        "id"
    ]
    rule = {"name": "sold out", "when": "productPropertiesChanged", "filter": "propertyChangeNew.stock<1"}
    reactor.save(then(rule, {"setProperties": {"properties": {"state": "sold out"}}}, queue("{product.name}")))
    world.operator.put(f"/products/{product}/properties/stock", [{"value": 0}])
    reactor.settle()
    assert world.operator.read(f"/products/{product}")["properties"] == {"stock": 0, "state": "sold out"}
    assert [each["body"] for each in reactor.queued()] == ["Paint"]


def test_a_message_is_put_on_a_queue_read_in_order_and_deleted(world, reactor, lamp):
    reactor.save(then(SCANS, queue({"thng": "{thng.id}", "n": "{action.customFields.n}"}), queue(name="whole")))
    for number in range(3):
        world.clock.now += SECOND
        reactor.scan(lamp, customFields={"n": number})
    reactor.settle()
    messages = reactor.queued()
    assert [each["body"] for each in messages] == [{"thng": lamp, "n": number} for number in range(3)]
    assert messages[0]["rule"] == "scanned"
    whole = reactor.queued("whole")[0]["body"]
    assert whole.keys() == {"action", "triggerApp", "triggerUser", "triggerUserAnonymous"}
    path = f"{reactor.base}/queues/orders/messages"
    page = world.operator.get(path, perPage=2)
    assert len(page.document) == 2 and "nextPageToken" in page.headers["link"]
    assert world.operator.delete(f"{path}/{messages[0]['id']}").status == 200
    assert world.operator.delete(f"{path}/{messages[0]['id']}").status == 404
    own = "/applications/me/reactor/queues/orders/messages"
    assert [each["id"] for each in world.trusted.read(own)] == [each["id"] for each in messages[1:]]
    assert world.trusted.delete(f"{own}/{messages[1]['id']}").status == 200
    assert [each["id"] for each in reactor.queued()] == [messages[2]["id"]]
    world.clock.now += 15 * 24 * HOUR
    assert reactor.queued() == []


def test_all_rules_that_match_act_and_only_they(reactor, lamp):
    reactor.save(
        then(SCANS, queue("first")),
        then({**SCANS, "name": "shares", "filter": "action.type=shares"}, queue("never")),
        then({**SCANS, "name": "lamps", "filter": "thng.tags=lamp"}, queue("second")),
        then({**SCANS, "name": "everything", "filter": None}, queue("third")),
        then({**SCANS, "name": "off"}, queue("never"), enabled=False),
        then(HOT, queue("never")),
    )
    reactor.scan(lamp)
    reactor.settle()
    assert {each["body"] for each in reactor.queued()} == {"first", "second", "third"}


def test_a_step_that_fails_is_told_and_stops_no_other(world, reactor, lamp):
    reactor.save(
        then(
            SCANS,
            {"createAction": {"type": "_Noted", "target": "product"}},
            {"createAction": {"type": "_Noted", "identifiers": {"x": "{thng.tags}"}}},
            {"setProperties": {"properties": {"big": "{action.customFields.big}"}}},
            queue("done"),
        )
    )
    reactor.scan(lamp, customFields={"big": "x" * 200_000})
    reactor.scan(lamp)
    reactor.settle()
    assert [each["body"] for each in reactor.queued()] == ["done", "done"]
    errors = reactor.logs("error")
    assert "rule scanned, step 1: was not done: The event has no product" in errors
    assert any(each.startswith("rule scanned, step 2: was not done: identifiers") for each in errors)


def test_a_type_that_went_since_the_rule_was_saved_is_told(world, reactor, lamp):
    reactor.save(then(SCANS, {"createAction": {"type": "_Noted"}}))
    assert world.operator.delete("/actions/_Noted").status == 200
    reactor.scan(lamp)
    reactor.settle()
    (error,) = reactor.logs("error")
    assert "There is no action type '_Noted'" in error


def test_a_rule_that_was_changed_or_taken_away_meanwhile_counts_as_it_is_now(reactor, lamp):
    reactor.save(then(SCANS, queue("old")))
    reactor.scan(lamp)
    reactor.scan(lamp)
    first, second = reactor.waiting()
    reactor.save(then(SCANS, queue("new")))
    reactor.carry_out(first)
    reactor.save()
    reactor.carry_out(second)
    assert [each["body"] for each in reactor.queued()] == ["new"]
    assert reactor.logs("debug") == ["rule scanned: is not there any more, or not enabled"]


def test_a_simulation_of_an_action_says_what_was_done(world, reactor, lamp, receiver):
    body = {"n": "{action.customFields.n}", "tags": "{thng.tags}", "id": "{action.id}", "of": "{application.id}"}
    noted = {"createAction": {"type": "_Noted", "customFields": body, "tags": ["{thng.tags}"]}}
    reactor.save(then(SCANS, noted, set_to(n="{action.customFields.n}"), queue(body), hook(receiver, body=body)))
    scan = reactor.scan(lamp, customFields={"n": 7})
    reactor.settle()
    answer = world.operator.post(f"{reactor.base}/rules/simulate", {"action": scan["id"]})
    action, values, message, webhook = [each["does"] for each in answer.document["rules"][0]["steps"]]
    (done,) = reactor.noted()
    assert action["createAction"] == {name: done[name] for name in ("type", "thng", "customFields", "tags")}
    assert values["setProperties"]["properties"]["n"] == reactor.properties(lamp)["n"] == 7
    assert message["putOnQueue"]["body"] == reactor.queued()[0]["body"]
    assert webhook["callWebhook"]["body"] == receiver.received[0].content.decode()


# ---- once


STEPS = ({"createAction": {"type": "_Noted"}}, {"setProperties": {"properties": {"seen": "{time}"}}}, queue())


def once(reactor, lamp, receiver):
    assert len(reactor.noted()) == len(reactor.queued()) == 1
    assert len(reactor.world.operator.read(f"/thngs/{lamp}/properties/seen")) == 1
    assert len({each.headers["webhook-id"] for each in receiver.received}) == 1


def test_a_message_that_comes_twice_is_carried_out_once(reactor, lamp, receiver):
    reactor.save(then(SCANS, *STEPS, hook(receiver)))
    reactor.scan(lamp)
    (body,) = reactor.waiting()
    reactor.carry_out(body, body)
    (webhook,) = reactor.waiting()
    reactor.carry_out(webhook, webhook)
    once(reactor, lamp, receiver)
    assert len(receiver.received) == 1
    assert len(reactor.logs("trace")) == 1


def test_a_run_that_is_repeated_after_interruption_does_everything_once(world, reactor, lamp, receiver):
    reactor.save(then(SCANS, *STEPS, hook(receiver)))
    reactor.scan(lamp)
    (body,) = reactor.waiting()
    for _ in range(2):  # as without a claim
        carry_out(runs.received(body), world.tables, world.clock())
        world.clock.now += SECOND
    reactor.settle()
    once(reactor, lamp, receiver)


def test_a_worker_that_dies_at_any_write_leaves_what_another_completes(world, reactor, lamp, receiver):
    reactor.save(then(SCANS, *STEPS, hook(receiver)))
    reactor.scan(lamp)
    (body,) = reactor.waiting()
    run = runs.received(body)
    writes = 0
    while True:
        left = writes

        def dying(name, call, args):
            nonlocal left
            if name not in READS:
                if left == 0:
                    raise Crash
                left -= 1
            return call(*args)

        try:
            carry_out(run, hooked(world.tables, dying), world.clock())
        except Crash:
            writes += 1
            continue
        break
    assert writes > 3
    reactor.settle()
    once(reactor, lamp, receiver)


def test_a_rule_named_as_a_function_is_no_function(reactor, lamp):
    reactor.save(then({**SCANS, "name": "onActionCreated"}, queue("a")), then({**SCANS, "name": "other"}, queue("b")))
    reactor.scan(lamp)
    reactor.settle()
    assert {each["body"] for each in reactor.queued()} == {"a", "b"}


def test_rules_that_set_each_other_off_end_with_the_chain(world, reactor, lamp):
    for_ever = [
        {**HOT, "name": f"to {to}", "filter": f"propertyChangeNew.n={n}", "then": [set_to(n=to), queue()]}
        for n, to in ((1, 2), (2, 1))
    ]
    reactor.save(*for_ever)
    world.operator.put(f"/thngs/{lamp}/properties/n", [{"value": 1}])
    reactor.settle()
    assert len(reactor.queued()) == chain.MAX_LEVELS
    (error,) = reactor.logs("error")
    assert "was not run: more than 10 runs led to it" in error


# ---- webhooks


def verified(secret, received):
    """Whether Node's own cryptography finds the signature right: an implementation that is not ours."""
    program = """
      const [secret, id, at, content, signatures] = JSON.parse(process.argv[1]);
      const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
      const mac = require("crypto").createHmac("sha256", key).update(`${id}.${at}.`).update(content).digest("base64");
      process.exit(signatures.split(" ").includes(`v1,${mac}`) ? 0 : 1);
    """
    headers = received.headers
    told = [
        secret,
        headers["webhook-id"],
        headers["webhook-timestamp"],
        received.content.decode(),
        headers["webhook-signature"],
    ]
    node = shutil.which("node")
    assert node is not None
    return subprocess.run([node, "-e", program, json.dumps(told)], check=False).returncode == 0


def secret_of(reactor):
    return reactor.world.operator.read(f"{reactor.base}/webhookSecret")["secret"]


def test_a_webhook_is_sent_signed_with_its_template_filled(world, reactor, lamp, receiver):
    body = {"text": "{thng.name} is at {propertyChangeNew.temperature}", "value": "{propertyChangeNew.temperature}"}
    step = hook(receiver, "/things/{thng.id}?n={thng.name}", method="PUT", headers={"X-Name": "{thng.name}"}, body=body)
    reactor.save(then(HOT, step))
    reactor.heat(lamp, 35.5)
    reactor.settle()
    (received,) = receiver.received
    assert (received.method, received.path) == ("PUT", f"/things/{lamp}?n=Lamp")
    assert json.loads(received.content) == {"text": "Lamp is at 35.5", "value": 35.5}
    assert received.headers["x-name"] == "Lamp"
    assert received.headers["content-type"] == "application/json"
    assert received.headers["webhook-timestamp"] == str(world.clock() // 1000)
    assert verified(secret_of(reactor), received)
    assert not verified("whsec_" + "A" * 43 + "=", received)
    assert chain.read(world.account, received.headers["x-evrythng-reactor"]) == (f"{world.application_id}:rule hot",)
    (told,) = reactor.logs("info")
    assert told == f"rule hot, step 1: PUT {receiver.url}/things/{lamp} was answered 204"


def test_without_a_body_it_has_the_events_document_and_a_text_is_sent_as_one(reactor, lamp, receiver):
    reactor.save(then(SCANS, hook(receiver, "/1"), hook(receiver, "/2", body="{thng.name} was scanned")))
    scan = reactor.scan(lamp)
    reactor.settle()
    whole, text = sorted(receiver.received, key=lambda each: each.path)
    assert json.loads(whole.content)["action"]["id"] == scan["id"]
    assert (text.content, text.headers["content-type"]) == (b"Lamp was scanned", "text/plain; charset=utf-8")
    assert whole.headers["webhook-id"] != text.headers["webhook-id"]


def test_after_the_secret_was_renewed_both_sign_for_a_day(world, reactor, lamp, receiver):
    reactor.save(then(SCANS, hook(receiver)))
    old = secret_of(reactor)
    new = world.operator.made(f"{reactor.base}/webhookSecret", {})["secret"]
    reactor.scan(lamp)
    reactor.settle()
    world.clock.now += 25 * HOUR
    reactor.scan(lamp)
    reactor.settle()
    first, second = receiver.received
    assert verified(old, first) and verified(new, first)
    assert verified(new, second) and not verified(old, second)


def test_what_fails_is_tried_again_later_under_the_same_id(reactor, lamp, receiver):
    receiver.answer(500, 503, 200)
    reactor.save(then(SCANS, hook(receiver)))
    reactor.scan(lamp)
    reactor.settle()
    for _ in range(2):
        reactor.wait(15 * 60 * SECOND)
    reactor.wait(HOUR)
    assert len(receiver.received) == 3
    assert len({each.headers["webhook-id"] for each in receiver.received}) == 1
    assert len({each.headers["webhook-timestamp"] for each in receiver.received}) == 3
    assert all(verified(secret_of(reactor), each) for each in receiver.received)
    first, second = reactor.logs("warn")
    assert re.search(r"was answered 500; try 2 of 8 in \d+ s$", first)
    assert re.search(r"was answered 503; try 3 of 8 in \d+ s$", second)
    assert reactor.logs("info")[-1].endswith("was answered 200")


def test_an_event_too_large_for_a_message_is_tried_again_too(reactor, lamp, receiver):
    receiver.answer(500, 200)
    reactor.save(then(SCANS, hook(receiver)))
    reactor.scan(lamp, customFields={"big": "x" * 220_000})
    reactor.settle()
    reactor.wait(15 * 60 * SECOND)
    first, second = receiver.received
    assert first.content == second.content
    assert len(first.content) > 220_000
    assert not list((reactor.world.folder / "bundles").rglob("*.json"))


def test_what_keeps_failing_is_given_up_with_an_entry_that_names_it(reactor, lamp, receiver):
    receiver.answer(500)
    reactor.save(then(SCANS, hook(receiver)))
    reactor.scan(lamp)
    reactor.settle()
    for _ in range(MAX_TRIES + 3):
        reactor.wait(15 * 60 * SECOND)
    assert len(receiver.received) == MAX_TRIES
    (error,) = reactor.logs("error")
    assert f"given up after {MAX_TRIES} tries" in error
    assert receiver.received[0].headers["webhook-id"] in error


def test_a_receiver_that_is_gone_is_not_asked_again(reactor, lamp, receiver):
    receiver.answer(410)
    reactor.save(then(SCANS, hook(receiver)))
    reactor.scan(lamp)
    reactor.settle()
    reactor.wait(HOUR)
    assert len(receiver.received) == 1
    (error,) = reactor.logs("error")
    assert "410" in error and "given up" in error


def test_a_rule_that_was_taken_away_is_not_tried_again(reactor, lamp, receiver):
    receiver.answer(500)
    reactor.save(then(SCANS, hook(receiver)))
    reactor.scan(lamp)
    reactor.settle()
    reactor.save()
    reactor.wait(HOUR)
    assert len(receiver.received) == 1


def test_a_redirect_leads_nowhere_and_a_private_address_is_never_reached(reactor, lamp, receiver):
    receiver.answer(307, location="http://169.254.169.254/latest/meta-data/")
    inside = {"callWebhook": {"url": receiver.url.replace("shop.example", "inside.example") + "/hook"}}
    reactor.save(then(SCANS, hook(receiver), inside))
    reactor.scan(lamp)
    reactor.settle()
    reactor.wait(HOUR)
    assert len(receiver.received) == 1
    redirect, refused = sorted(reactor.logs("error"))
    assert "was answered 307: redirects are not followed" in redirect
    assert "inside.example is 10.0.0.1, which is not a public address" in refused


def test_a_host_that_the_account_allows_no_more_is_not_asked(world, reactor, lamp, receiver):
    reactor.save(then(SCANS, hook(receiver)))
    assert world.operator.put(f"/accounts/{world.account}", {"allowedHosts": ["museum.example"]}).status == 200
    reactor.scan(lamp)
    reactor.settle()
    assert receiver.received == []
    (error,) = reactor.logs("error")
    assert "The account does not allow the host shop.example" in error


def test_a_receiver_that_fails_holds_up_no_other_step(reactor, lamp, receiver):
    receiver.answer(500)
    reactor.save(then(SCANS, hook(receiver), queue("after")))
    reactor.scan(lamp)
    reactor.settle()
    assert [each["body"] for each in reactor.queued()] == ["after"]


def test_values_get_into_a_header_only_as_text_of_one_line(reactor, lamp, receiver):
    reactor.save(then(SCANS, hook(receiver, headers={"X-Note": "a {action.customFields.note}"})))
    reactor.scan(lamp, customFields={"note": "b\r\nX-Evil: c é"})
    reactor.settle()
    (received,) = receiver.received
    assert received.headers["x-note"] == "a b??X-Evil: c ?"
    assert "x-evil" not in received.headers


def test_no_log_has_a_secret_in_it(reactor, lamp, receiver):
    reactor.save(then(SCANS, hook(receiver, "/hook?key=hidden", headers={"Authorization": "hidden"})))
    reactor.scan(lamp)
    reactor.settle()
    assert len(receiver.received) == 1
    assert not any("hidden" in each or secret_of(reactor) in each for each in reactor.logs())
