"""All that is wrong with a set of rules is told at once: which rule, its name, the column, a suggestion."""

from tests.functions.delegating import path_of
from tests.functions.world import Client, World, rule

WRONG = [
    rule("country=", "https://x.example/{thng.id", name="Both"),
    {"match": 5, "redirectUrl": "ftp://x.example/", "constants": {"a": 1}, "name": "Three"},
    "rule",
    rule("dayOfWeek=sunday & month=13", name="One match, two mistakes"),
    {"match": "country=IE", "name": "No target"},
    rule(name="x" * 257, match="country=Ireland"),
    rule("country=IE", "https://x.example/{shop}", constants={"shop": 5}),
    rule("thng.nam=x", name="Unknown"),
    rule("country=IE", delegates={"app": "x"}),
]


def told(finding):
    return finding["rule"], finding["name"], finding["field"], finding["column"]


def test_every_mistake_of_every_rule_is_told_at_once(operator: Client):
    answer = operator.put("/redirector", {"rules": WRONG})
    assert answer.status == 400
    assert [told(finding) for finding in answer.document["details"]] == [
        (1, "Both", "rules[0].match", 9),
        (1, "Both", "rules[0].redirectUrl", 19),
        (2, "Three", "rules[1].match", None),
        (2, "Three", "rules[1].constants.a", None),
        (2, "Three", "rules[1].redirectUrl", 1),
        (3, None, "rules[2]", None),
        (4, "One match, two mistakes", "rules[3].match", 11),
        (4, "One match, two mistakes", "rules[3].match", 26),
        (5, "No target", "rules[4].redirectUrl", None),
        (6, None, "rules[5].name", None),
        (6, None, "rules[5].match", 9),
        (7, None, "rules[6].constants.shop", None),
        (9, None, "rules[8].delegates", None),
    ]
    assert answer.error == "rules[0].match at column 9: expected a value after '=' (and 12 more)"
    assert answer.document["details"][6]["suggestion"] == "sun"


def test_strict_adds_unknown_names_to_the_mistakes(operator: Client):
    wrong = [rule("country="), rule("thng.nam=x", "https://x.example/{thng.nme}", name="Unknown")]
    answer = operator.put("/redirector?strict=true", {"rules": wrong})
    found = [(each["rule"], each["field"], each["suggestion"]) for each in answer.document["details"]]
    assert found[1:] == [(2, "rules[1].match", "thng.name"), (2, "rules[1].redirectUrl", "thng.name")]


def test_a_warning_names_its_rule_too(operator: Client):
    document = operator.put("/redirector", {"rules": [rule(), rule("country=IE", name="Never")]}).document
    assert [told(finding) for finding in document["warnings"]] == [(2, "Never", "rules[1].match", None)]


def test_a_host_that_is_not_allowed_is_told_beside_the_other_mistakes(world: World, operator: Client):
    path = path_of(world.project, world.application_id)
    assert operator.put(f"/accounts/{world.account}", {"allowedHosts": ["own.example"]}).status == 200
    answer = operator.put(path, {"rules": [rule("country=", "https://else.example/")]})
    assert [finding["field"] for finding in answer.document["details"]] == ["rules[0].match", "rules[0].redirectUrl"]


def test_fifty_mistakes_are_enough(operator: Client):
    answer = operator.put("/redirector", {"rules": [rule("country=", "x")] * 40})
    assert len(answer.document["details"]) == 50
    assert "(and 49 more)" in answer.error
