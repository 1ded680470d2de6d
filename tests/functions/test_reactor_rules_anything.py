"""Whatever is sent to the addresses of declarative rules is answered or refused, never a fault."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fingerpost.reactor.rule_documents import SentEvent, SentReactorRule

WORDS = st.sampled_from(
    [
        "",
        "x",
        "thng.name",
        "{thng.name}",
        "{",
        "}}",
        "{action.customFields.a.b}",
        "https://x.example/{thng.id}",
        "scans",
        "actionCreated",
        "thngPropertiesChanged",
        "~a",
        "A",
        "é",
        "a=1&",
        "propertyChangeNew.a>1",
        "\x00",
        "U" * 24,
    ]
)
SCALARS = st.none() | st.booleans() | st.integers(-1, 253_402_300_799_999) | st.floats(allow_nan=False) | WORDS
ANY = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2), max_leaves=5
)


def like(model, names):
    """Objects with the model's own keys, and whatever in them."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(model.model_fields, ANY) | names)


STEPS = st.fixed_dictionaries(
    {},
    optional={
        "createAction": st.fixed_dictionaries(
            {"type": WORDS}, optional={"customFields": ANY, "tags": ANY, "target": ANY}
        ),
        "setProperties": st.fixed_dictionaries({"properties": st.dictionaries(WORDS, ANY, max_size=2)}),
        "callWebhook": st.fixed_dictionaries({"url": WORDS}, optional={"headers": ANY, "body": ANY}),
        "putOnQueue": st.fixed_dictionaries({"queue": st.just("q")}, optional={"body": ANY}),
    },
)
WHENS = st.sampled_from(["actionCreated", "thngPropertiesChanged", "productPropertiesChanged"])
RULES = st.lists(
    ANY
    | like(SentReactorRule, {"then": st.lists(STEPS | ANY, max_size=2)})
    | st.fixed_dictionaries({"name": st.just("x"), "when": WHENS, "then": st.lists(STEPS, min_size=1, max_size=2)}),
    max_size=2,
)
CHANGES = st.dictionaries(
    WORDS, st.fixed_dictionaries({}, optional={"oldValue": ANY, "newValue": ANY, "timestamp": SCALARS}), max_size=2
)
THINGS = ANY | st.fixed_dictionaries(
    {},
    optional={
        "name": WORDS,
        "tags": st.lists(WORDS, max_size=2),
        "properties": st.dictionaries(WORDS, ANY, max_size=2),
    },
)
CONTEXTS = ANY | st.fixed_dictionaries(
    {},
    optional={
        "timeZone": st.sampled_from(["Pacific/Kiritimati", "Etc/GMT+12", "x"]),
        "countryCode": WORDS,
        "userAgent": WORDS,
    },
)
ACTIONS = ANY | st.fixed_dictionaries(
    {"type": WORDS},
    optional={
        "timestamp": SCALARS | st.sampled_from([0, 1, 253_402_300_799_999]),
        "context": CONTEXTS,
        "location": st.fixed_dictionaries({"latitude": SCALARS, "longitude": SCALARS}),
        "customFields": ANY,
        "tags": st.lists(WORDS, max_size=2),
    },
)
EVENTS = ANY | like(SentEvent, {"thng": THINGS, "product": THINGS, "changes": CHANGES, "action": ACTIONS})
STEPS_OF_ALL = [
    {"setProperties": {"properties": {"a": "{time}", "b": "{timezone}"}}},
    {"putOnQueue": {"queue": "q", "body": ["{thng.tags}", "{product.name}", "{user.id}"]}},
    {"callWebhook": {"url": "https://x.example/{thng.name}?{thng.tags}", "headers": {"A": "{thng.name}"}}},
    {"createAction": {"type": "scans", "customFields": {"a": "{thng.properties.a}"}, "tags": ["{thng.tags}"]}},
]
OF_ACTIONS = {
    "putOnQueue": {"queue": "q", "body": "{place.distance} {user.age} {location.lat} {country} {os} {action.id}"}
}
ASKING_EVERYTHING = [
    {"name": f"{when} {number}", "when": when, "filter": text, "then": steps}
    for when, steps, filters in (
        ("actionCreated", [*STEPS_OF_ALL, OF_ACTIONS], ("place.id=* | place.id!=*", "os=ios | os!=ios", "country=*")),
        ("thngPropertiesChanged", STEPS_OF_ALL, ("propertyChangeNew.a=* | thng.tags!=x",)),
    )
    for number, text in enumerate((None, "timeOfDay>=0 | month>0", *filters))
]
many = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


@many
@given(rules=RULES)
def test_rules(world, rules):
    path = f"/projects/{world.project}/applications/{world.application_id}/reactor/rules"
    assert world.operator.post(f"{path}/check", {"rules": rules}).status in (200, 400)
    assert world.operator.put(path, {"rules": rules}).status in (200, 400)
    assert world.operator.post(f"{path}/diff", {"rules": rules}).status in (200, 400)


@many
@given(event=EVENTS)
def test_events(world, event):
    path = f"/projects/{world.project}/applications/{world.application_id}/reactor/rules"
    answer = world.operator.post(f"{path}/simulate", {"event": event, "rules": ASKING_EVERYTHING})
    assert answer.status in (200, 400, 404)
