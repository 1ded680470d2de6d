"""What is found wrong with declarative rules before they act."""

import json

import pytest

from fingerpost.body import validated
from fingerpost.errors import Invalid, TooLarge
from fingerpost.outgoing import Outgoing
from fingerpost.reactor.rule_check import examine
from fingerpost.reactor.rule_documents import MAX_RULES, MAX_STEPS, SentReactorRules

OF_PRODUCT = "productPropertiesChanged"
QUEUE = {"putOnQueue": {"queue": "orders"}}
WHOLE = {
    "name": "hot lamps",
    "when": "thngPropertiesChanged",
    "filter": "propertyChangeNew.temperature>30&thng.tags=lamp",
    "then": [
        {"createAction": {"type": "_Overheated", "customFields": {"was": "{propertyChangeOld.temperature}"}}},
        {"setProperties": {"properties": {"state": "hot"}}},
        {
            "callWebhook": {
                "url": "https://shop.example/things/{thng.id}",
                "headers": {"X-Thing": "{thng.name}"},
                "body": {"text": "{thng.name} is at {propertyChangeNew.temperature}"},
            }
        },
        QUEUE,
    ],
}


def rule(**changes):
    return {**WHOLE, **changes}


def of_step(step, **changes):
    return rule(then=[step], **changes)


def examined(*rules, hosts=""):
    return examine(validated(SentReactorRules, {"rules": list(rules)}), hosts)


def test_a_rule_that_is_in_order_is_kept_with_its_compiled_filter():
    prepared = examined(WHOLE, rule(name="all", filter=None, enabled=False))
    prepared.check()
    assert not prepared.warnings
    first, second = prepared.rules
    assert (first["sent"], first["name"], first["event"]) == (WHOLE, "hot lamps", "thngPropertiesChanged")
    assert first["nodes"][0] == "&"
    assert "nodes" not in second
    assert json.loads(json.dumps(prepared.rules)) == prepared.rules


@pytest.mark.parametrize(
    ("wrong", "field", "column", "words"),
    [
        (rule(filter="thng.tags="), "filter", 11, "expected a value"),
        (rule(filter="thng.tag=x"), "filter", 1, "thng.tag"),
        (rule(filter="action.type=scans"), "filter", None, "is of actions"),
        (rule(filter="country=IE"), "filter", None, "is of actions"),
        (rule(filter="user.age>3|os=ios"), "filter", None, "user.age is of actions"),
        (rule(filter="constants.x=1"), "filter", None, "no constants"),
        (rule(when="actionCreated"), "filter", None, "an action has none"),
        (rule(when=OF_PRODUCT, filter="thng.id=x"), "filter", None, "there is none"),
        (rule(when="never"), "when", None, "actionCreated"),
        (rule(name=""), "name", None, "at least 1 character"),
        (rule(name="x" * 65), "name", None, "at most 64"),
        (rule(then=[]), "then", None, "at least 1 item"),
        (rule(then=[QUEUE] * (MAX_STEPS + 1)), "then", None, f"at most {MAX_STEPS}"),
        (rule(then=[{}]), "then[0]", None, "exactly one of"),
        (rule(then=[{**QUEUE, **WHOLE["then"][1]}]), "then[0]", None, "exactly one of"),
        (rule(then=[{"callWebhok": {}}]), "then[0].callWebhok", None, "unknown key 'callWebhok'"),
        (of_step({"putOnQueue": {"queue": "Two Words"}}), "then[0].putOnQueue.queue", None, "lower case"),
        (of_step({"setProperties": {"properties": {"~on": 1}}}), "then[0].setProperties.properties", None, "platform"),
        (of_step({"setProperties": {"properties": {}}}), "then[0].setProperties.properties", None, "at least 1"),
        (
            of_step({"setProperties": {"of": "thng", "properties": {"a": 1}}}, when=OF_PRODUCT, filter=""),
            "then[0].setProperties.of", None, "no thng",
        ),
        (
            of_step({"setProperties": {"properties": {"a": "{action.type}"}}}),
            "then[0].setProperties.properties.a", 1, "is of actions",
        ),
        (of_step({"callWebhook": {"url": "ftp://x.example/"}}), "then[0].callWebhook.url", 1, "http"),
        (of_step({"callWebhook": {"url": "https://{thng.id}.example/"}}), "then[0].callWebhook.url", 9, "host"),
        (of_step({"callWebhook": {"url": "https://x.example/{thng.idd}"}}), "then[0].callWebhook.url", 19, "thng.idd"),
        (
            of_step({"callWebhook": {"url": "https://x.example/", "method": "GET"}}),
            "then[0].callWebhook.method", None, "POST",
        ),
        (
            of_step({"callWebhook": {"url": "https://x.example/", "headers": {"Host": "x"}}}),
            "then[0].callWebhook.headers", None, "ours to set",
        ),
        (
            of_step({"callWebhook": {"url": "https://x.example/", "headers": {"webhook-id": "x"}}}),
            "then[0].callWebhook.headers", None, "ours to set",
        ),
        (
            of_step({"callWebhook": {"url": "https://x.example/", "headers": {"X-A": "a\r\nX-B: b"}}}),
            "then[0].callWebhook.headers", None, "may not stand",
        ),
        (
            of_step({"callWebhook": {"url": "https://x.example/", "body": {"a": ["x {thng.nme}"]}}}),
            "then[0].callWebhook.body.a[0]", 3, "thng.nme",
        ),
        (of_step({"putOnQueue": {"queue": "q", "body": "x" * 20_001}}), "then[0].putOnQueue", None, "20,000 bytes"),
    ],
)  # fmt: skip
def test_a_mistake_names_its_rule_its_field_and_its_column(wrong, field, column, words):
    prepared = examined(rule(name="fine"), {**wrong, "name": wrong["name"] or ""})
    with pytest.raises(Invalid):
        prepared.check()
    found = [each for each in prepared.mistakes if each.field == f"rules[1].{field}" and words in each.message]
    assert found, prepared.mistakes
    assert found[0].column == column
    assert found[0].rule == 2


def test_one_mistake_of_a_rule_hides_no_other():
    steps = [{"callWebhook": {"url": "nowhere"}}, {"callWebhook": {"uri": "x"}}, QUEUE]
    fields = [each.field for each in examined(rule(when="never", filter="thng.tags=", then=steps), 7).mistakes]
    assert sorted(fields) == [
        "rules[0].filter",
        "rules[0].then[0].callWebhook.url",
        "rules[0].then[1].callWebhook.uri",
        "rules[0].then[1].callWebhook.url",
        "rules[0].when",
        "rules[1]",
    ]


def test_who_changed_properties_is_known():
    assert not examined(of_step({"putOnQueue": {"queue": "q", "body": "{user.id} {thng.id} {time}"}})).mistakes


def test_two_rules_have_two_names():
    (mistake,) = examined(WHOLE, WHOLE).mistakes
    assert mistake.field == "rules[1].name"
    assert "rules[0]" in mistake.message


def test_a_key_that_is_nearly_right_is_told_what_was_meant():
    (mistake,) = examined(of_step({"callWebhook": {"url": "https://x.example/", "header": {}}})).mistakes
    assert mistake.suggestion == "headers"


def test_webhooks_lead_only_to_hosts_of_the_accounts_list():
    assert not examined(WHOLE, hosts="shop.example").mistakes
    assert not examined(WHOLE, hosts="*.example").mistakes
    (mistake,) = examined(WHOLE, hosts="museum.example,*.shop.example").mistakes
    assert mistake.field == "rules[0].then[2].callWebhook.url"
    assert mistake.expected == ("museum.example", "*.shop.example")


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/x", "http://10.1.2.3/", "http://[::1]/", "https://169.254.169.254/", "http://localhost:8000/",
     "https://a.localhost/", "http://shop.example:22/", "http://[fd00::1]/{thng.id}"],
)  # fmt: skip
def test_webhooks_to_what_could_never_be_reached_are_refused_at_once(url):
    (mistake,) = examined(of_step({"callWebhook": {"url": url}})).mistakes
    assert mistake.field == "rules[0].then[0].callWebhook.url"
    assert "nothing would be sent there" in mistake.message


def test_webhooks_go_where_the_door_of_one_machine_leads():
    urls = ("http://localhost:8000/", "http://10.1.2.3/")
    steps = [{"callWebhook": {"url": url}} for url in urls]
    sent = validated(SentReactorRules, {"rules": [rule(then=steps)]})
    assert len(examine(sent).mistakes) == 2
    assert not examine(sent, outgoing=Outgoing(permits=lambda _address: True)).mistakes


def test_a_rule_that_hears_itself_is_warned_of():
    circle = of_step({"setProperties": {"properties": {"seen": "{time}"}}}, filter=None)
    (warning,) = examined(circle).warnings
    assert warning.field == "rules[0].then[0].setProperties"
    assert "in circles" in warning.message


def test_a_filter_that_can_never_hold_is_warned_of():
    (warning,) = examined(rule(filter="thng.name=a&thng.name=b")).warnings
    assert warning.field == "rules[0].filter"


def test_limits_are_named():
    with pytest.raises(Invalid, match=str(MAX_RULES)):
        examined(*[rule(name=str(number)) for number in range(MAX_RULES + 1)])
    body = "x" * 19_000
    with pytest.raises(TooLarge, match="200,000 bytes"):
        examined(*[of_step({"putOnQueue": {"queue": "q", "body": body}}, name=str(each)) for each in range(11)])


def test_whatever_is_sent_is_refused_with_words():
    for nonsense in (None, 1, "x", [], [[]], {}, {"then": 1}, {"then": [1]}, {"then": [{"callWebhook": 1}]}):
        assert examined(nonsense).mistakes


@pytest.mark.parametrize("name", ["two\nlines", "\x00", "a\x7f"])
def test_a_name_holds_no_control_characters(name):
    (mistake,) = examined(rule(name=name)).mistakes
    assert mistake.field == "rules[0].name"
    assert "control characters" in mistake.message
