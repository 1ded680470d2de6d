"""An application's declarative rules at their addresses: saved, checked, compared, taken back, tried."""

import pytest

from fingerpost.ids import ordered_id
from fingerpost.reactor import published, rule_queues
from tests.functions.lists import next_page
from tests.functions.people import application_of, person
from tests.functions.world import HOUR, OPERATOR_KEY, Client

QUEUE = {"putOnQueue": {"queue": "orders"}}
SCANNED = {
    "name": "scanned",
    "when": "actionCreated",
    "filter": "action.type=scans&thng.tags=lamp",
    "then": [
        {"createAction": {"type": "_Noted", "customFields": {"of": "{thng.name}", "by": "{rule.name}"}}},
        {"setProperties": {"properties": {"last_scan": "{time}"}}},
        {
            "callWebhook": {
                "url": "https://shop.example/things/{thng.id}?key=secret",
                "headers": {"X-Name": "{thng.name}"},
                "body": {"text": "{thng.name} was scanned"},
            }
        },
        QUEUE,
    ],
}
HOT = {
    "name": "hot",
    "when": "thngPropertiesChanged",
    "filter": "propertyChangeNew.temperature>30",
    "then": [{"putOnQueue": {"queue": "alarms", "body": {"was": "{propertyChangeOld.temperature}"}}}],
}


@pytest.fixture
def base(world):
    return f"/projects/{world.project}/applications/{world.application_id}/reactor"


@pytest.fixture
def path(world, base):
    world.operator.made("/actions", {"name": "_Noted"}, project=world.project)
    return f"{base}/rules"


@pytest.fixture
def lamp(world):
    return world.operator.made("/thngs", {"name": "Lamp", "tags": ["lamp"]}, project=world.project)["id"]


def saved(operator, path, *rules, **more):
    answer = operator.put(path, {"rules": list(rules), **more})
    assert answer.status == 200, answer
    return answer.document


# ---- saving


def test_rules_are_a_document_with_versions(world, operator, path):
    before = operator.read(path)
    assert before == {"version": 0, "createdAt": 0, "updatedAt": 0, "rules": []}
    first = saved(operator, path, SCANNED)
    assert (first["version"], first["rules"]) == (1, [SCANNED])
    world.clock.now += HOUR
    second = saved(operator, path, HOT, reason="only heat")
    assert (second["version"], second["createdAt"]) == (2, first["createdAt"])
    assert operator.read(path) == second
    newest, oldest = operator.read(f"{path}/versions")
    assert (newest["version"], newest["state"], newest["reason"]) == (2, "live", "only heat")
    assert newest["by"]["email"] == "op@museum.example"
    assert (oldest["version"], oldest["state"], oldest["ruleCount"]) == (1, "superseded", 1)
    assert operator.read(f"{path}/versions/1")["rules"] == [SCANNED]
    assert operator.get(f"{path}/versions/3").status == 404
    assert operator.get(f"{path}/versions/x").status == 400


def test_versions_have_pages(operator, path):
    for _ in range(3):
        saved(operator, path, HOT)
    answer = operator.get(f"{path}/versions", perPage=2)
    assert [each["version"] for each in answer.document] == [3, 2]
    assert "nextPageToken" in answer.headers["link"]


def test_an_earlier_version_comes_back_as_a_new_one(operator, path):
    saved(operator, path, SCANNED)
    saved(operator, path)
    answer = operator.post(f"{path}/rollback", {"version": 1, "reason": "it was right"})
    assert answer.status == 200
    assert (answer.document["version"], answer.document["rules"]) == (3, [SCANNED])
    assert operator.read(f"{path}/versions")[0]["rolledBackTo"] == 1
    assert operator.post(f"{path}/rollback", {"version": 9}).status == 404


def test_who_looked_at_another_version_is_told_what_changed(operator, path):
    saved(operator, path, SCANNED)
    saved(operator, path, {**SCANNED, "filter": "action.type=scans"}, HOT)
    answer = operator.put(path, {"rules": [], "basedOn": 1})
    assert answer.status == 409
    assert "op@museum.example published version 2" in answer.error
    assert "hot* added" in answer.error
    assert [each["rule"] for each in answer.document["details"]] == [1, 2]
    assert operator.read(path)["version"] == 2
    assert operator.put(path, {"rules": [], "basedOn": 5}).status == 400
    assert saved(operator, path, basedOn=2)["version"] == 3


def test_of_two_who_save_at_once_both_make_a_version_unless_one_says_what_it_is_based_on(operator, path, monkeypatch):
    real = published.set_rules

    def overtaken(*given):
        monkeypatch.setattr(published, "set_rules", real)
        saved(operator, path, SCANNED)
        return real(*given)

    monkeypatch.setattr(published, "set_rules", overtaken)
    assert saved(operator, path, HOT)["version"] == 2
    monkeypatch.setattr(published, "set_rules", overtaken)
    assert operator.put(path, {"rules": [], "basedOn": 2}).status == 409
    assert operator.read(path)["rules"] == [SCANNED]


def test_a_version_may_be_named_by_its_etag(operator, path):
    tag = operator.put(path, {"rules": [HOT]}).headers["etag"]
    assert operator.get(path, headers={"if-none-match": tag}).status == 304
    assert operator.put(path, {"rules": []}, headers={"if-match": tag}).status == 200
    assert operator.put(path, {"rules": []}, headers={"if-match": tag}).status == 412


def test_a_rollback_that_is_sent_again_makes_one_version(operator, path):
    saved(operator, path, HOT)
    for _ in range(2):
        answer = operator.post(f"{path}/rollback", {"version": 1}, headers={"idempotency-key": "again"})
        assert answer.document["version"] == 2
    assert len(operator.read(f"{path}/versions")) == 2


def test_two_versions_differ_in_words(operator, path):
    saved(operator, path, SCANNED, HOT)
    more = {**HOT, "filter": "propertyChangeNew.temperature>40", "enabled": False}
    saved(operator, path, SCANNED, more)
    document = operator.read(f"{path}/diff", **{"from": "1", "to": "live"})
    (change,) = document["changes"]
    assert (change["kind"], change["rule"], change["name"]) == ("changed", 2, "hot")
    assert "40 instead of" in change["says"] and "enabled false" in change["says"]
    assert document["says"] == "from version 1 to version 2: 1 rule changed"
    sent = operator.post(f"{path}/diff", {"rules": [SCANNED]})
    assert sent.document["changes"][0]["says"].startswith("rule 2 *hot* removed")
    assert operator.get(f"{path}/diff").status == 400


def test_every_change_is_in_the_audit_log(world, operator, path):
    saved(operator, path, HOT)
    saved(operator, path)
    operator.post(f"{path}/rollback", {"version": 1})
    rows = [row for row in world.rows().values() if row.get("k") == "audit" and row["what"] == "reactorRules"]
    assert sorted(row["verb"] for row in rows) == ["publish", "publish", "rollback"]
    assert {row["resource"] for row in rows} == {world.application_id}


def test_rules_with_mistakes_are_refused_whole_and_nothing_is_kept(world, operator, path):
    before = world.rows()
    wrong = {**SCANNED, "name": "wrong", "filter": "thng.tag=lamp", "then": [{"createAction": {"type": "_Nothing"}}]}
    answer = operator.put(path, {"rules": [SCANNED, wrong]})
    assert answer.status == 400
    assert answer.error.startswith("rules[1].filter at column 1:")
    places = [(each["field"], each["rule"], each["name"]) for each in answer.document["details"]]
    assert places == [("rules[1].filter", 2, "wrong"), ("rules[1].then[0].createAction.type", 2, "wrong")]
    assert "There is no action type '_Nothing'" in answer.document["details"][1]["message"]
    assert world.rows() == before


def test_webhooks_lead_only_where_the_account_allows(world, operator, path):
    allowed = {"allowedHosts": ["museum.example"]}
    assert operator.put(f"/accounts/{world.account}", allowed).status == 200
    answer = operator.put(path, {"rules": [SCANNED]})
    assert answer.status == 400
    assert "does not allow the host shop.example" in answer.error


def test_a_check_tells_the_same_and_saves_nothing(operator, path):
    circle = {**HOT, "filter": None, "then": [{"setProperties": {"properties": {"seen": "{time}"}}}]}
    answer = operator.post(f"{path}/check", {"rules": [circle, {**SCANNED, "then": []}]})
    assert answer.status == 200
    found = [(each["level"], each["field"]) for each in answer.document["findings"]]
    assert found == [("error", "rules[1].then"), ("warning", "rules[0].then[0].setProperties")]
    assert operator.read(path)["version"] == 0


def test_only_operators_reach_them_and_only_under_their_project(world, operator, path, base):
    other = operator.made("/projects", {"name": "Other"})["id"]
    for client in (world.trusted, world.application):
        assert client.get(path).status == client.put(path, {"rules": []}).status == 403
    for where in (path.replace(world.project, other), path.replace(world.application_id, "U" * 24)):
        assert operator.get(where).status == operator.put(where, {"rules": []}).status == 404
    assert world.stranger.get(path).status == 404
    assert world.stranger.get(f"{base}/webhookSecret").status == 404


def test_a_deleted_application_gets_no_rules(world, operator, path):
    assert operator.delete(f"/projects/{world.project}/applications/{world.application_id}").status == 200
    assert operator.put(path, {"rules": [HOT]}).status == 404


# ---- trying


def test_a_simulation_says_which_rules_would_act_why_and_what_they_would_do(world, operator, path, lamp):
    saved(operator, path, SCANNED, HOT, {**SCANNED, "name": "off", "enabled": False})
    before = world.rows()
    event = {"action": {"type": "scans", "thng": lamp}}
    answer = operator.post(f"{path}/simulate", {"event": event})
    assert answer.status == 200
    document = answer.document
    assert (document["event"], document["says"]) == ("actionCreated", "1 of 3 rules would act: scanned")
    scanned, hot, off = document["rules"]
    assert scanned["says"] == "matched because action.type is scans and thng.tags has lamp"
    assert hot["says"] == "is for thngPropertiesChanged, not for actionCreated"
    assert off["says"] == "is not enabled"
    action, values, webhook, message = [each["does"] for each in scanned["steps"]]
    assert action["createAction"] == {
        "type": "_Noted", "thng": lamp, "customFields": {"of": "Lamp", "by": "scanned"}
    }  # fmt: skip
    assert values["setProperties"]["thng"] == lamp
    assert values["setProperties"]["properties"] == {"last_scan": world.clock()}
    assert webhook["callWebhook"] == {
        "url": f"https://shop.example/things/{lamp}?key=secret",
        "method": "POST",
        "headers": {"x-name": "Lamp", "content-type": "application/json"},
        "body": '{"text":"Lamp was scanned"}',
    }
    assert message["putOnQueue"]["queue"] == "orders"
    assert message["putOnQueue"]["body"]["action"]["thng"] == lamp
    assert world.rows() == before


def test_a_simulation_says_why_a_rule_would_not_act(operator, path, lamp):
    saved(operator, path, HOT)
    changes = {"temperature": {"oldValue": 35, "newValue": 20}}
    answer = operator.post(f"{path}/simulate", {"event": {"thng": lamp, "changes": changes}})
    (told,) = answer.document["rules"]
    assert (told["matched"], told["steps"]) == (False, [])
    assert "propertyChangeNew.temperature is 20" in told["says"]


def test_a_simulation_takes_rules_that_are_sent_and_things_that_are_described(operator, path):
    event = {
        "product": {"name": "Paint", "tags": ["red"]},
        "changes": {"stock": {"oldValue": 3, "newValue": 0, "timestamp": 5}},
    }
    body = "{product.name}: {propertyChangeNew.stock}"
    rule = {
        "name": "sold out",
        "when": "productPropertiesChanged",
        "filter": "product.tags=red&propertyChangeNew.stock<1",
        "then": [{"putOnQueue": {"queue": "stock", "body": body}}, SCANNED["then"][1]],
    }
    answer = operator.post(f"{path}/simulate", {"event": event, "rules": [rule]})
    (told,) = answer.document["rules"]
    assert told["steps"][0]["does"] == {"putOnQueue": {"queue": "stock", "body": "Paint: 0"}}
    assert told["steps"][1]["says"] == "would not be done: The event has no thng and no product"
    assert operator.read(path)["version"] == 0


def test_a_simulation_of_more_than_an_answer_holds_is_refused(operator, path):
    rules = [{"name": str(number), "when": "actionCreated", "then": [QUEUE] * 10} for number in range(5)]
    event = {"action": {"type": "scans", "customFields": {"a": "x" * 200_000}}}
    answer = operator.post(f"{path}/simulate", {"event": event, "rules": rules})
    assert (answer.status, answer.document["code"]) == (400, "tooLarge")
    assert "what 2 of 5 rules would do" in answer.error
    assert operator.post(f"{path}/simulate", {"event": event, "rules": rules[:1]}).status == 200


def test_a_simulation_takes_an_action_that_took_place(world, operator, path, lamp):
    saved(operator, path, SCANNED)
    action = world.trusted.made("/actions/scans", {"thng": lamp, "customFields": {"a": 1}})
    document = operator.post(f"{path}/simulate", {"action": action["id"]}).document
    assert document["says"] == "1 of 1 rules would act: scanned"
    assert document["document"]["action"]["id"] == action["id"]
    assert document["document"]["triggerApp"] == world.application_id


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"event": {}},
        {"event": {"thng": {"name": "x"}}},
        {"event": {"thng": {"name": "x"}, "changes": {}}},
        {"event": {"thng": {"id": "U" * 24}, "changes": {"a": {"newValue": 1}}}},
        {"event": {"action": {}}},
        {"event": {"action": {"type": "scans", "thng": "U" * 24}}},
        {"event": {"action": {"type": "scans", "user": "U" * 24}}},
        {"event": {"action": {"type": "scans"}}, "action": "U" * 24},
        {"event": {"action": {"type": "scans", "location": {"latitude": 91}}}},
        {"event": {"action": {"type": "scans"}}, "rules": [7]},
    ],
)
def test_a_simulation_of_what_is_no_event_is_refused(operator, path, sent):
    assert operator.post(f"{path}/simulate", sent).status == 400


def test_a_simulation_knows_the_user_who_acts_when_it_is_one_of_the_project(world, operator, path, lamp):
    user = person(world, world.application)
    rules = [
        {"name": "x", "when": "actionCreated", "filter": "user.age!=3", "then": [{"putOnQueue": QUEUE["putOnQueue"]}]}
    ]
    event = {"action": {"type": "scans", "thng": lamp, "user": user.id}}
    document = operator.post(f"{path}/simulate", {"event": event, "rules": rules}).document
    assert document["document"]["triggerUser"] == user.id
    other = operator.made("/projects", {"name": "Other"})["id"]
    elsewhere = person(world, application_of(world, other)["client"])
    event = {"action": {"type": "scans", "user": elsewhere.id}}
    assert "there is no user" in operator.post(f"{path}/simulate", {"event": event, "rules": rules}).error


def test_a_simulation_shows_nothing_of_another_account(world, path, operator, lamp):
    theirs = world.stranger.made("/thngs", {"name": "theirs"})["id"]
    changes = {"temperature": {"newValue": 1}}
    for thing in (theirs, {"id": theirs}):
        assert operator.post(f"{path}/simulate", {"event": {"thng": thing, "changes": changes}}).status in (400, 404)


# ---- what signs webhooks


def test_the_secret_is_made_once_and_shown_again(operator, base):
    first = operator.read(f"{base}/webhookSecret")
    assert first["secret"].startswith("whsec_") and first["version"] == 1
    assert operator.read(f"{base}/webhookSecret") == first


def test_a_new_secret_leaves_the_old_one_a_day(world, operator, base):
    first = operator.read(f"{base}/webhookSecret")
    second = operator.made(f"{base}/webhookSecret", {})
    assert second["version"] == 2 and second["secret"] != first["secret"]
    assert second["beforeUntil"] == world.clock() + 24 * HOUR
    assert operator.post(f"{base}/webhookSecret", {}).status == 409
    world.clock.now += 24 * HOUR
    assert "beforeUntil" not in operator.read(f"{base}/webhookSecret")
    assert operator.made(f"{base}/webhookSecret", {})["version"] == 3
    rows = [row for row in world.rows().values() if row.get("k") == "audit" and row["what"] == "webhookSecret"]
    assert sorted(row["verb"] for row in rows) == ["create", "renew", "renew"]
    assert not any(first["secret"] in str(row) for row in world.rows().values())


def test_saving_a_rule_with_a_webhook_makes_the_secret(world, operator, path):
    saved(operator, path, HOT)
    assert not [row for row in world.rows().values() if row["k"] == "webhookSecret"]
    saved(operator, path, SCANNED)
    assert [row for row in world.rows().values() if row["k"] == "webhookSecret"]


# ---- queues


def test_a_queue_that_nothing_was_put_on_is_empty(operator, base):
    assert operator.read(f"{base}/queues/orders/messages") == []
    assert operator.get(f"{base}/queues/No/messages").status == 400
    assert operator.delete(f"{base}/queues/orders/messages/{'U' * 24}").status == 404


def test_a_page_of_messages_is_small_enough_to_be_answered(world, operator, base):
    tables = world.tables.of(world.account)
    for number in range(50):
        message = ordered_id(world.clock(), "seed", number)
        rule_queues.put(tables, world.application_id, "orders", message, "\u6f22" * 40_000, rule="x", event="x")
    answer, seen = operator.get(f"{base}/queues/orders/messages", perPage=100), 0
    while answer is not None:
        assert len(answer.content) < 2 * 1024 * 1024
        seen += len(answer.document)
        answer = next_page(operator, answer)
    assert seen == 50


def test_a_story_of_the_function(world, operator, path):
    answer = world.answered("reactor/publish-rules", PROJECT=world.project, APPLICATION=world.application_id)
    assert answer.status == 200
    assert operator.read(path)["version"] == 1
    assert Client(world, OPERATOR_KEY).read(path)["rules"][0]["name"] == "a lamp was scanned"
