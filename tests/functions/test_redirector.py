"""The account's rules: published, refused, versioned; which of them decides, and when a change shows."""

import pytest

from tests.functions.world import DAY, DEFAULT, HOUR, SECOND, SUNDAY_NOON, Client, World, rule

MATCHED = "https://x.example/"


# ---- the document ----------------------------------------------------------------------------------------------------


def test_before_any_update_there_are_no_rules_and_that_is_200(operator: Client):
    document = operator.read("/redirector")
    assert document["rules"] == [] and document["version"] == 0
    assert len(document["id"]) == 24
    assert operator.read("/redirector") == document


def test_rules_are_read_back_as_they_were_sent(world: World, operator: Client):
    rules = [
        {
            "match": "thng.name=test",
            "delegates": [{"app": "Ue9G3eMPNVMgesY6GVfGadBg", "project": "UB9mGBRy7e6XB8hM3BfGwded"}],
        },
        {
            "name": "Example rule",
            "match": "thng.tags=Offer",
            "redirectUrl": "https://google.com",
            "delegates": [],
            "constants": {"some": "value"},
        },
        {"redirectUrl": "https://x.example/%7bthng.id%7D"},
        {"match": "", "redirectUrl": "https://x.example/"},
    ]
    answer = operator.put("/redirector", {"rules": rules})
    document = answer.document
    assert answer.status == 200
    assert document["rules"] == rules
    assert (document["createdAt"], document["updatedAt"], document["version"]) == (SUNDAY_NOON, SUNDAY_NOON, 1)
    assert operator.read("/redirector") == {name: value for name, value in document.items() if name != "warnings"}


def test_each_update_makes_a_version_and_keeps_the_first_time(world: World, operator: Client):
    first = operator.publish(rule())
    world.clock.now += HOUR
    second = operator.publish(rule(), rule("country=IE"))
    assert (second["version"], second["createdAt"], second["updatedAt"]) == (2, SUNDAY_NOON, SUNDAY_NOON + HOUR)
    assert second["id"] == first["id"]
    kept = [row for (_, key), row in world.rows().items() if key.sk.startswith("v#")]
    assert [(row["number"], row["count"], row["cause"]) for row in kept] == [(1, 1, "request-1"), (2, 2, "request-2")]


def test_deleting_the_rules_publishes_none_and_a_rollback_brings_them_back(operator: Client):
    whole = operator.publish(rule("country=IE"))
    assert operator.delete("/redirector", headers={"if-match": '"other"'}).status == 412
    answer = operator.delete("/redirector")
    assert (answer.status, answer.content) == (200, b"")
    emptied = operator.read("/redirector")
    assert (emptied["rules"], emptied["version"], emptied["id"]) == ([], 2, whole["id"])
    assert operator.post("/redirector/rollback", {"version": 1}).status == 200
    assert operator.read("/redirector")["rules"] == whole["rules"]


def test_a_document_put_back_whole_is_the_same_rules_again(operator: Client):
    operator.publish(rule("country=IE", name="a", constants={"b": "c"}))
    whole = operator.read("/redirector")
    after = operator.put("/redirector", whole).document
    assert {**after, "version": 1} == whole


def test_rules_can_be_taken_away_again(world: World, operator: Client):
    operator.publish(rule())
    short_id = operator.link(world.thng()["id"], DEFAULT)["shortId"]
    assert world.scan(short_id).location == MATCHED
    operator.publish()
    world.clock.now += 5 * SECOND
    assert world.scan(short_id).location == DEFAULT


def test_a_rule_that_does_not_parse_is_refused_with_its_column_and_what_was_expected(world: World, operator: Client):
    operator.publish(rule())
    before = world.rows()
    answer = world.answered("rules/publish-a-typo")
    assert answer.status == 400
    assert answer.error == "rules[0].match at column 11: expected a value after '='"
    (finding,) = answer.document["details"]
    assert (finding["field"], finding["column"]) == ("rules[0].match", 11)
    assert finding["expected"] and "thng.tags=" in finding["near"]
    assert world.rows() == before


REFUSED = [
    (rule("country=Ireland"), "rules[0].match", 9),
    (rule("dayOfWeek=someday"), "rules[0].match", 11),
    (rule("thng.name~x"), "rules[0].match", None),
    (rule("month=13"), "rules[0].match", None),
    (rule("country=IE &"), "rules[0].match", None),
    (rule("(" * 33 + "country=IE" + ")" * 33), "rules[0].match", None),
    (rule("thng.name=" + "x" * 8_192), "rules[0].match", None),
    (rule(url="https://x.example/{thng.id"), "rules[0].redirectUrl", None),
    (rule(url="https://x.example/}"), "rules[0].redirectUrl", 19),
    (rule(url="javascript:alert(1)"), "rules[0].redirectUrl", 1),
    (rule(url="/relative"), "rules[0].redirectUrl", 1),
    (rule(url="https://x.example/\r\nSet-Cookie: a=b"), "rules[0].redirectUrl", 19),
    (rule(url="https://{thng.name}.example/"), "rules[0].redirectUrl", None),
    (rule(url="https://x.example/" + "x" * 3_000), "rules[0].redirectUrl", None),
    ({"match": "country=IE"}, "rules[0].redirectUrl", None),
    ({"match": "country=IE", "redirectUrl": ""}, "rules[0].redirectUrl", None),
    ({"match": 5, "redirectUrl": MATCHED}, "rules[0].match", None),
    (rule(name="x" * 257), "rules[0].name", None),
    (rule(constants={"a": 1}), "rules[0].constants.a", None),
    (rule(delegates={"app": "x"}), "rules[0].delegates", None),
    ("rule", "rules[0]", None),
]


@pytest.mark.parametrize(("wrong", "field", "column"), REFUSED, ids=lambda value: str(value)[:60])
def test_a_rule_that_is_not_in_order_is_refused_at_both_doors_and_nothing_changes(
    world, operator, wrong, field, column
):
    operator.publish(rule())
    before = world.rows()
    for path in ("/redirector", "/redirector?strict=true"):
        answer = operator.put(path, {"rules": [wrong]})
        assert answer.status == 400, path
        finding = answer.document["details"][0]
        assert finding["field"] == field and finding["message"]
        assert column is None or finding["column"] == column
    assert world.rows() == before


def test_every_rule_that_is_wrong_is_named_at_once(operator: Client):
    answer = operator.put("/redirector", {"rules": [rule("country="), rule(), rule(url="ftp://x"), rule("a&")]})
    fields = [finding["field"] for finding in answer.document["details"]]
    assert fields[0] == "rules[0].match" and {"rules[2].redirectUrl", "rules[3].match"} <= set(fields)


@pytest.mark.parametrize("body", [{}, {"rules": None}, {"rules": {}}, {"rules": "x"}, [], {"rule": []}])
def test_a_document_without_a_list_of_rules_is_refused(operator: Client, body):
    assert operator.put("/redirector", body).status == 400


def test_an_unknown_field_is_stored_with_a_warning_never_matches_and_the_search_goes_on(world: World, operator: Client):
    short_id = operator.link(world.thng()["id"])["shortId"]
    sent = [
        rule("name=ExampleThng", "https://no.example/", deletgates=[{"app": "x"}]),
        rule("thng.nam!=x", "https://no.example/"),
        rule(url="https://no.example/{thng.nme}"),
        rule(url="https://yes.example/"),
    ]
    document = operator.put("/redirector", {"rules": sent}).document
    assert document["rules"] == sent
    warnings = {finding["field"]: finding for finding in document["warnings"]}
    assert warnings["rules[1].match"]["suggestion"] == "thng.name"
    assert warnings["rules[2].redirectUrl"]["suggestion"] == "thng.name"
    assert warnings["rules[0].deletgates"]["suggestion"] == "delegates"
    assert "rules[0].match" in warnings and "rules[3].match" not in warnings
    assert operator.read("/redirector")["rules"] == sent
    assert world.scan(short_id).location == "https://yes.example/"


def test_strict_refuses_unknown_fields_and_changes_nothing(world: World, operator: Client):
    before = world.rows()
    for wrong in (rule("name=ExampleThng"), rule(url="https://x.example/{thng.nme}")):
        answer = operator.put("/redirector?strict=true", {"rules": [wrong]})
        assert answer.status == 400
        assert answer.document["details"][0]["field"].startswith("rules[0].")
    assert operator.put("/redirector", {"rules": []}, strict="perhaps").status == 400
    assert world.rows() == before
    assert operator.put("/redirector?strict=true", {"rules": [rule("country=IE")]}).status == 200


def test_a_delegate_yields_nothing_yet_and_the_search_goes_on(world: World, operator: Client):
    short_id = operator.link(world.thng()["id"])["shortId"]
    delegate = {"delegates": [{"app": "Ue9G3eMPNVMgesY6GVfGadBg"}]}
    operator.publish(delegate, rule())
    assert world.scan(short_id).location == MATCHED


def test_ten_thousand_rules_are_a_set_and_one_more_is_refused(world: World, operator: Client):
    rules = [rule(f"thng.identifiers.serial={number}", f"https://x.example/{number}") for number in range(10_000)]
    document = operator.put("/redirector", {"rules": rules}).document
    assert len(document["rules"]) == 10_000 and "warnings" not in document
    assert operator.read("/redirector")["rules"] == rules
    thng = world.thng(identifiers={"serial": 9_999})["id"]
    short_id = operator.link(thng)["shortId"]
    assert world.scan(short_id).location == "https://x.example/9999"
    answer = operator.put("/redirector", {"rules": [*rules, rule()]})
    assert answer.status == 400 and "10000" in answer.error.replace(",", "")


def test_a_set_of_more_than_four_megabytes_is_refused_with_the_limit_named(world: World, operator: Client):
    before = world.rows()
    rules = [rule(name="x" * 250, constants={"a": "y" * 1_000}) for _ in range(3_500)]
    answer = operator.put("/redirector", {"rules": rules})
    assert answer.status == 400 and answer.document["code"] == "tooLarge"
    assert "4 MB" in answer.error
    assert world.rows() == before


def test_each_account_has_its_own_rules(world: World, operator: Client):
    operator.publish(rule())
    stranger = world.stranger
    assert stranger.read("/redirector")["rules"] == []
    thng = stranger.made("/thngs", {"name": "x"})["id"]
    theirs = stranger.link(thng, "https://theirs.example/")["shortId"]
    mine = operator.link(world.thng()["id"])["shortId"]
    for _ in range(2):
        assert world.scan(theirs).location == "https://theirs.example/"
        assert world.scan(mine).location == MATCHED
        world.clock.now += 5 * SECOND


# ---- which rule, which URL -------------------------------------------------------------------------------------------


def test_the_first_rule_that_matches_decides(world: World, operator: Client, museum):
    operator.publish(
        rule("country=IE", "https://one.example/"),
        rule("language=fr", "https://two.example/"),
        rule(url="https://three.example/"),
    )
    assert world.scan(museum, country="IE", accept_language="fr").location == "https://one.example/"
    assert world.scan(museum, country="DE", accept_language="fr").location == "https://two.example/"
    assert world.scan(museum).location == "https://three.example/"


def test_a_template_fills_path_query_and_fragment_each_encoded_for_where_it_stands(world, operator):
    thng = world.thng(name="a/b c&d=é#{}", tags=["x y", "z,&"], customFields={"n": 1.5, "t": True, "o": {"k": 1}})
    short_id = operator.link(thng["id"])["shortId"]
    url = "https://x.example/{thng.name}/{thng.customFields.n}?q={thng.name}&t=%7bthng.tags%7D&b={thng.customFields.t}&e={thng.customFields.absent}&o={thng.customFields.o}#{thng.name}"
    operator.publish(rule(url=url))
    encoded = "b%20c%26d%3D%C3%A9%23%7B%7D"
    assert world.scan(short_id).location == (
        f"https://x.example/a/{encoded}/1.5?q=a%2F{encoded}&t=x%20y,z%2C%26&b=true&e=&o=%7B%22k%22%3A1%7D#a%2F{encoded}"
    )


def test_constants_are_usable_by_their_bare_name_and_a_field_wins_over_them(world: World, operator: Client, museum):
    constants = {"shop": "a b", "country": "constant", "thng.name": "constant"}
    operator.publish(rule(url="https://x.example/{shop}/{constants.shop}?{country}&{thng.name}", constants=constants))
    assert world.scan(museum, country="IE").location == "https://x.example/a%20b/a%20b?IE&example%20work"


def test_no_value_can_change_the_host_or_climb_out_of_the_path(world: World, operator: Client):
    for name in ("//evil.example", "../../admin", "..", "@evil.example", "\r\nSet-Cookie: a=b", "%2e%2e/"):
        short_id = operator.link(world.thng(name=name)["id"])["shortId"]
        operator.publish(rule(url="https://x.example/a/{thng.name}/b"))
        world.clock.now += 5 * SECOND
        location = world.scan(short_id).location
        assert location.startswith("https://x.example/a/")
        assert "/../" not in location and not set(location) & set("\r\n ")


def test_a_rule_whose_url_would_be_too_long_yields_nothing_and_the_search_goes_on(world: World, operator: Client):
    short_id = operator.link(world.thng(description="x" * 9_000)["id"])["shortId"]
    operator.publish(rule(url="https://x.example/{thng.description}"), rule(url="https://second.example/"))
    assert world.scan(short_id).location == "https://second.example/"


# ---- when a change shows ---------------------------------------------------------------------------------------------


def test_a_changed_rule_shows_within_five_seconds_and_nothing_else_changes(world: World, operator: Client, museum):
    operator.publish(rule("country=IE", "https://old.example/"), rule("language=fr", "https://same.example/"))
    assert world.scan(museum, country="IE").location == "https://old.example/"
    operator.publish(rule("country=IE", "https://new.example/"), rule("language=fr", "https://same.example/"))
    world.clock.now += 5 * SECOND
    assert world.scan(museum, country="IE").location == "https://new.example/"
    assert world.scan(museum, accept_language="fr").location == "https://same.example/"
    assert world.scan(museum).location == DEFAULT


def test_a_clock_that_was_set_back_keeps_nothing_for_ever(world: World, operator: Client, museum):
    assert world.scan(museum).location == DEFAULT
    operator.publish(rule())
    world.clock.now -= DAY
    assert world.scan(museum).location == MATCHED


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"match": "country=", "redirectUrl": "https://a.example/"}, "invalidMatch"),
        ({"redirectUrl": "https://a.example/{thng.name"}, "invalidTemplate"),
        ({"redirectUrl": "javascript:alert(1)"}, "invalidTemplate"),
    ],
)
def test_the_code_of_a_refusal_says_whether_the_match_or_the_url_is_at_fault(operator: Client, rule, code):
    assert operator.put("/redirector", {"rules": [rule]}).document["code"] == code
