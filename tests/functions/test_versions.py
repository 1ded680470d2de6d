"""The life of a rule set: versions with their story, who published what meanwhile, differences in words, rollback."""

import json

import pytest

from fingerpost import keys
from fingerpost.access import operators
from tests.functions.delegating import path_of
from tests.functions.world import DEFAULT, HOUR, SECOND, SUNDAY_NOON, Client, World, rule

OTHER_KEY = "another-operator" * 3
A, B = rule("country=IE", "https://a.example/", name="Irish"), rule(url="https://b.example/", name="Everybody")


@pytest.fixture
def colleague(world: World) -> Client:
    """Another operator of the same account."""
    operators.create_first(
        world.tables, account=world.account, operator="UColleague", key=OTHER_KEY, email="ann@museum.example", at=0
    )
    return Client(world, OTHER_KEY)


def versioned(client: Client, *rules, base="/redirector", **story):
    answer = client.post(f"{base}/versions", {"rules": rules, **story})
    assert answer.status == 201, answer
    return answer.document


# ---- versions --------------------------------------------------------------------------------------------------------


def test_a_version_keeps_who_when_and_why(world: World, operator: Client):
    answer = world.answered("rules/publish-version")
    document = answer.document
    assert answer.status == 201
    assert answer.headers["location"] == "https://api.example/redirector/versions/1"
    rules = document.pop("rules")
    assert [each["name"] for each in rules] == ["Opening hours", "Everybody else"]
    assert document == {
        "version": 1,
        "state": "live",
        "publishedAt": SUNDAY_NOON,
        "by": {"id": document["by"]["id"], "type": "operator", "email": "op@museum.example"},
        "reason": "Weekends in summer",
        "ruleCount": 2,
        "warnings": [],
    }
    assert operator.read("/redirector")["rules"] == rules


def test_every_version_is_listed_newest_first_and_read_whole(world: World, operator: Client):
    versioned(operator, A, reason="first")
    operator.publish(A, B)
    versioned(operator, B, rule("country=FR"), reason="third")
    found = world.answered("rules/list-versions").document
    assert [(each["version"], each["state"], each["reason"], each["ruleCount"]) for each in found] == [
        (3, "live", "third", 2),
        (2, "superseded", "", 2),
        (1, "superseded", "first", 1),
    ]
    assert "rules" not in found[0]
    assert operator.read("/redirector/versions/2")["rules"] == [A, B]
    third = operator.read("/redirector/versions/3")
    assert [each["field"] for each in third["warnings"]] == ["rules[1].match"]


def test_the_list_has_pages(world: World, operator: Client):
    for _ in range(5):
        operator.publish()
    numbers, path = [], "/redirector/versions?perPage=2"
    while path:
        answer = operator.get(path)
        numbers.append([each["version"] for each in answer.document])
        link = answer.headers.get("link", "")
        path = link and _address(link)
    assert [each for page in numbers for each in page] == [5, 4, 3, 2, 1]
    assert all(len(page) <= 2 for page in numbers)
    token = operator.get("/redirector/versions?perPage=1").headers["link"]
    stray = _address(token).replace("/versions", "/drafts")
    assert operator.get(stray).document["code"] == "invalidCursor"


def _address(link: str) -> str:
    from urllib.parse import unquote

    return unquote(link[1 : link.index(">")]).removeprefix("https://api.example")


@pytest.mark.parametrize("number", ["0", "2", "x", "-1", "1.5", "99999999999999999999"])
def test_a_version_that_is_not_there_is_not_found(operator: Client, number):
    operator.publish(A)
    assert operator.get(f"/redirector/versions/{number}").status in (400, 404)


def test_an_applications_versions_are_its_own(world: World, operator: Client):
    path = path_of(world.project, world.application_id)
    versioned(operator, B)
    made = versioned(operator, A, base=path, reason="guide")
    assert made["version"] == 1
    assert operator.get(f"{path}/versions").document[0]["reason"] == "guide"
    assert operator.post(f"{path}/rollback", {"version": 1}).document["version"] == 2
    assert len(operator.read("/redirector/versions")) == 1
    missing = path_of(world.project, world.project)
    for answer in (operator.get(f"{missing}/versions"), operator.post(f"{missing}/versions", {"rules": []})):
        assert answer.status == 404


@pytest.mark.parametrize(
    ("story", "field"),
    [
        ({"reason": "x" * 501}, "reason"),
        ({"reason": 5}, "reason"),
        ({"basedOn": -1}, "basedOn"),
        ({"basedOn": "1"}, "basedOn"),
        ({"basedOn": 7}, "basedOn"),
        ({"startsAt": SUNDAY_NOON}, "startsAt"),
        ({"startsAt": 5}, "startsAt"),
        ({"startsAt": "soon"}, "startsAt"),
        ({"endsAt": SUNDAY_NOON - 1}, "endsAt"),
        ({"startsAt": SUNDAY_NOON + 2, "endsAt": SUNDAY_NOON + 2}, "endsAt"),
        ({"startsAt": 253_402_300_800_000}, "startsAt"),
    ],
)
def test_a_story_that_is_not_in_order_is_refused_and_nothing_is_stored(world: World, operator: Client, story, field):
    before = world.rows()
    answer = operator.post("/redirector/versions", {"rules": [A], **story})
    assert (answer.status, answer.document["details"][0]["field"]) == (400, field)
    assert world.rows() == before


def test_mistakes_and_strict_are_refused_here_too(world: World, operator: Client):
    before = world.rows()
    answer = operator.post("/redirector/versions", {"rules": [rule("country="), rule("month=13")]})
    assert (answer.status, len(answer.document["details"])) == (400, 2)
    assert operator.post("/redirector/versions?strict=true", {"rules": [rule("thng.nme=x")]}).status == 400
    assert world.rows() == before


def test_only_operators_may_look_and_change(world: World, operator: Client):
    operator.publish(A)
    for client, status in ((world.application, 403), (world.trusted, 403), (world.nobody, 401)):
        for answer in (
            client.get("/redirector/versions"),
            client.get("/redirector/versions/1"),
            client.post("/redirector/versions", {"rules": []}),
            client.post("/redirector/rollback", {"version": 1}),
            client.delete("/redirector/versions/1/schedule"),
            client.get("/redirector/diff?from=1&to=live"),
            client.post("/redirector/diff", {}),
            client.get("/redirector/drafts"),
            client.put("/redirector/drafts/x", {"rules": []}),
            client.get("/redirector/drafts/x"),
            client.delete("/redirector/drafts/x"),
            client.post("/redirector/drafts/x/publish", {}),
        ):
            assert answer.status == status


def test_a_repeated_request_makes_one_version(world: World, operator: Client):
    operator.publish(B)
    for path, body in (("versions", {"rules": [A]}), ("rollback", {"version": 1})):
        headers = {"idempotency-key": f"once-{path}"}
        answers = [operator.post(f"/redirector/{path}", body, headers=headers) for _ in range(2)]
        assert answers[0].document == answers[1].document
    assert len(operator.read("/redirector/versions")) == 3


# ---- two at once -----------------------------------------------------------------------------------------------------


def test_who_publishes_on_top_of_something_else_is_told_who_changed_what_meanwhile(
    world: World, operator: Client, colleague: Client
):
    operator.publish(A, B)
    world.clock.now += HOUR
    theirs = [{**A, "match": "country=IE,GB"}, rule("month=12", name="Advent"), B]
    versioned(colleague, *theirs, basedOn=1, reason="the English come")
    answer = operator.post("/redirector/versions", {"rules": [B], "basedOn": 1})
    assert (answer.status, answer.document["code"]) == (409, "conflict")
    assert answer.error == (
        "The live rules changed since version 1: ann@museum.example published version 2 on 2026-03-15 13:00:00 UTC "
        "(the English come): rule 1 *Irish*: country GB added; rule 2 *Advent* added: asks month=12, leads to "
        "https://x.example/. Nothing was published. Look at it, then send yours again with basedOn 2"
    )
    assert [(each["rule"], each["name"], each["field"]) for each in answer.document["details"]] == [
        (1, "Irish", "rules[0]"),
        (2, "Advent", "rules[1]"),
    ]
    assert operator.read("/redirector")["rules"] == theirs
    assert versioned(operator, B, basedOn=2)["version"] == 3


def test_of_two_who_publish_in_the_same_moment_one_is_told(world, operator, colleague, monkeypatch):
    """The other's transaction comes between the look at what is live and our own."""
    operator.publish(A)
    tables = world.tables.of(world.account)
    real, done = type(tables.main).transact, []

    def first_the_other(table, writes):
        if not done:
            done.append(True)
            assert versioned(colleague, A, B, basedOn=1)["version"] == 2
        return real(table, writes)

    monkeypatch.setattr(type(tables.main), "transact", first_the_other)
    answer = operator.post("/redirector/versions", {"rules": [B], "basedOn": 1})
    assert answer.status == 409 and "rule 2 *Everybody* added" in answer.error
    assert operator.read("/redirector")["rules"] == [A, B]
    assert len(operator.read("/redirector/versions")) == 2


def test_who_saw_no_rules_is_told_too_and_who_does_not_care_is_not(world: World, operator: Client):
    assert versioned(operator, A, basedOn=0)["version"] == 1
    answer = world.answered("rules/publish-version-too-late")
    assert answer.status == 409 and "since version 0" in answer.error and "rule 1 *Irish* added" in answer.error
    assert versioned(operator, B)["version"] == 2
    operator.publish(A)


def test_many_changes_are_counted_in_the_refusal(operator: Client):
    operator.publish()
    operator.publish(*(rule(f"month={month}") for month in range(1, 13)))
    answer = operator.post("/redirector/versions", {"rules": [], "basedOn": 1})
    assert "; and 7 more changes. Nothing was published" in answer.error
    assert len(answer.document["details"]) == 12


# ---- rollback --------------------------------------------------------------------------------------------------------


def test_a_rollback_is_a_new_version_with_the_old_rules(world: World, operator: Client, museum):
    operator.publish(rule(url="https://old.example/"))
    operator.publish(rule(url="https://new.example/"))
    assert world.scan(museum).location == "https://new.example/"
    answer = world.answered("rules/roll-back")
    assert answer.status == 200
    assert (answer.document["version"], answer.document["rules"]) == (3, [rule(url="https://old.example/")])
    world.clock.now += 5 * SECOND
    assert world.scan(museum).location == "https://old.example/"
    assert world.recorded()[-1]["rules"] == 3
    first, *_ = operator.read("/redirector/versions")
    assert (first["version"], first["rolledBackTo"], first["reason"], first["state"]) == (
        3, 1, "Easter is over", "live"
    )  # fmt: skip


def test_a_rollback_compiles_nothing_and_stores_no_rules_again(world: World, operator: Client):
    operator.publish(A)
    operator.publish(B)
    chunks = [key for key in world.rows() if key[1].pk.split("#")[1] == "rc"]
    operator.post("/redirector/rollback", {"version": 1})
    assert [key for key in world.rows() if key[1].pk.split("#")[1] == "rc"] == chunks


def test_a_rollback_to_what_never_was_or_on_top_of_something_else_is_refused(operator: Client):
    operator.publish(A)
    operator.publish(B)
    assert operator.post("/redirector/rollback", {"version": 3}).status == 404
    for body in ({}, {"version": 0}, {"version": "1"}, {"version": None}):
        assert operator.post("/redirector/rollback", body).document["details"][0]["field"] == "version"
    assert operator.post("/redirector/rollback", {"version": 1, "basedOn": 1}).status == 409
    assert operator.post("/redirector/rollback", {"version": 1, "basedOn": 2}).status == 200


def test_a_rolled_back_applications_rules_are_read_for_as_they_need(world: World, operator: Client):
    path = path_of(world.project, world.application_id)
    product = world.product(name="Painting")
    thng = world.thng(product=product["id"])
    short_id = operator.link(thng["id"], DEFAULT)["shortId"]
    operator.publish({"delegates": [{"app": world.application_id}]})
    versioned(operator, rule("product.name=Painting", "https://x.example/{thng.name}"), base=path)
    versioned(operator, base=path)
    operator.post(f"{path}/rollback", {"version": 1})
    world.clock.now += 5 * SECOND
    assert world.scan(short_id).location == "https://x.example/The%20Turf%20Cutters"


# ---- differences -----------------------------------------------------------------------------------------------------


def test_a_difference_is_told_in_words(world: World, operator: Client):
    operator.publish(rule("dayOfWeek=sat", name="Opening hours"))
    operator.publish(rule("dayOfWeek=sat,sun", name="Opening hours"))
    document = operator.read("/redirector/diff?from=1&to=live")
    assert document == {
        "from": {"version": 1},
        "to": {"version": 2},
        "changes": [
            {
                "kind": "changed",
                "rule": 1,
                "was": 1,
                "name": "Opening hours",
                "says": "rule 1 *Opening hours*: Sunday added",
            }
        ],
        "says": "from version 1 to version 2: 1 rule changed",
    }
    assert operator.read("/redirector/diff?to=1")["says"] == "from version 2 to version 1: 1 rule changed"
    assert operator.read("/redirector/diff?to=live")["says"] == "from version 2 to version 2: nothing differs"


def test_rules_that_are_sent_along_can_be_compared_and_are_not_stored(world: World, operator: Client):
    operator.publish(A)
    before = world.rows()
    answer = operator.post("/redirector/diff", {"to": {"rules": [A, rule("country=")]}})
    assert answer.document["to"] == {"rules": 2}
    assert [each["says"] for each in answer.document["changes"]] == [
        "rule 2 added: asks country=, leads to https://x.example/"
    ]
    assert operator.post("/redirector/diff", {"from": {"version": 1}, "to": {}}).document["changes"] == []
    for body in ({"to": {"version": 1, "draft": "x"}}, {"from": {"version": 0}}, {"to": {"rules": {}}}):
        assert operator.post("/redirector/diff", body).status == 400
    assert world.rows() == before


@pytest.mark.parametrize("query", ["", "?from=live", "?to=", "?to=x", "?to=0", "?from=x&to=live", "?to=draft:"])
def test_a_difference_needs_two_sets_of_rules(operator: Client, query):
    answer = operator.get(f"/redirector/diff{query}")
    assert answer.status == 400 and "live" in answer.error


def test_a_difference_with_what_is_not_there_is_not_found(operator: Client):
    for query in ("to=1", "to=draft:none", "from=draft:none&to=live"):
        assert operator.get(f"/redirector/diff?{query}").status == 404


def test_of_very_many_changes_the_first_are_told_and_the_rest_counted(operator: Client):
    operator.publish(*(rule(f"thng.identifiers.n={n}") for n in range(1_500)))
    operator.publish()
    document = operator.read("/redirector/diff?from=1&to=2")
    assert (len(document["changes"]), document["more"]) == (1_000, 500)
    assert document["says"].endswith("1500 rules removed")


# ---- the audit log ---------------------------------------------------------------------------------------------------


def audited(world: World) -> list[tuple[str, str, dict]]:
    rows = [row for row in world.rows().values() if row.get("k") == "audit" and row["what"] in ("rules", "draft")]
    rows.sort(key=lambda row: (row["at"], row["id"]))
    return [(row["verb"], row["resource"], json.loads(row["after"] or row["before"])) for row in rows]


def test_every_step_is_in_the_audit_log_with_its_reason(world: World, operator: Client):
    steps = [
        lambda: versioned(operator, A, reason="why"),
        lambda: versioned(operator, B, startsAt=SUNDAY_NOON + HOUR, reason="later"),
        lambda: operator.delete("/redirector/versions/2/schedule"),
        lambda: operator.post("/redirector/rollback", {"version": 1, "reason": "back"}),
        lambda: operator.put("/redirector/drafts/summer", {"rules": [B]}),
        lambda: operator.post("/redirector/drafts/summer/publish", {"reason": "summer"}),
    ]
    for step in steps:
        world.clock.now += 1
        step()
    assert audited(world) == [
        ("publish", "account", {"version": 1, "rules": 1, "reason": "why"}),
        ("schedule", "account", {"version": 2, "rules": 1, "reason": "later", "startsAt": SUNDAY_NOON + HOUR}),
        ("cancel", "account", {"version": 2, "startsAt": SUNDAY_NOON + HOUR}),
        ("rollback", "account", {"version": 3, "rules": 1, "reason": "back", "rolledBackTo": 1}),
        ("create", "account/summer", {"edit": 1, "rules": 1, "basedOn": 3}),
        ("publish", "account", {"version": 4, "rules": 1, "reason": "summer", "draft": "summer"}),
    ]


def test_a_row_of_a_version_from_before_there_were_stories_is_read(world: World, operator: Client):
    operator.publish(A)
    main = world.tables.of(world.account).main
    row = main.get(keys.rules_version("account", 1))
    assert row is not None
    new = ("made", "actor", "reason", "starts", "ends", "back", "draft", "cancelled")
    main.put(keys.rules_version("account", 1), {**{n: v for n, v in row.items() if n not in new}, "sv": 1})
    assert operator.read("/redirector/versions")[0]["state"] == "live"
    assert operator.post("/redirector/rollback", {"version": 1}).document["version"] == 2
