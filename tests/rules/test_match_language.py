"""The language's own cases and the examples of its README, run."""

import json
from operator import itemgetter

import pytest

from fingerpost.errors import Finding, Invalid, error_document
from fingerpost.rules.compile import Compiled, InvalidMatch, compile_match, parser, rules_home
from fingerpost.rules.fields import DOORS, LISTS, REACTOR, REDIRECTOR, Door, field_of, suggestion
from fingerpost.rules.nodes import NEVER, AllOf, AnyOf, Negation, fields, from_json, matches, predicate, to_json
from fingerpost.rules.printing import print_match
from fingerpost.rules.scanner import MAX_LENGTH

LANGUAGE = rules_home() / "language"
CASES = json.loads((LANGUAGE / "cases.json").read_text(encoding="utf-8"))
MEANINGS = [case for case in CASES if "matches" in case]
MISTAKES = [case for case in CASES if "error" in case]


def compiled(case) -> Compiled:
    return compile_match(
        case["match"], DOORS[case["door"]], strict=case.get("strict", False), from_query=case.get("query", False)
    )


@pytest.mark.parametrize("case", MEANINGS, ids=itemgetter("name"))
def test_match_language(case):
    meaning = compiled(case)
    assert matches(meaning.node, case["context"]) is case["matches"]
    assert predicate(meaning.node)(case["context"]) is case["matches"]
    assert from_json(json.loads(json.dumps(to_json(meaning.node)))) == meaning.node
    assert [warning.suggestion for warning in meaning.warnings] == case.get("warnings", [])
    if meaning.node != NEVER:
        assert compile_match(print_match(meaning.node), DOORS[case["door"]]).node == meaning.node


@pytest.mark.parametrize("case", MISTAKES, ids=itemgetter("name"))
def test_mistakes_are_refused_with_their_place(case):
    with pytest.raises(InvalidMatch) as refusal:
        compiled(case)
    (finding, *_), error = refusal.value.details, case["error"]
    assert refusal.value.code == error["code"]
    assert finding.column == error["column"]
    if "expected" in error:
        assert list(finding.expected) == error["expected"]
    if "suggestion" in error:
        assert finding.suggestion == error["suggestion"]
    assert error.get("message", "") in finding.message
    json.dumps(error_document(refusal.value, "https://api.example")).encode()


def examples():
    door, expression, inside = REDIRECTOR, "", False
    for line in (LANGUAGE / "README.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            inside = line == "```match"
        elif inside and not line.startswith(" "):
            name, _, rest = line.removeprefix("[").partition("] ") if line.startswith("[") else ("redirector", "", line)
            door, expression = DOORS[name], rest
        elif inside:
            verdict, said = line.strip().split("  ", 1) if "  " in line.strip() else line.strip().split(" ", 1)
            yield pytest.param(door, expression, verdict, said.strip(), id=f"{expression} {line.strip()}")


@pytest.mark.parametrize(("door", "expression", "verdict", "said"), list(examples()))
def test_the_examples_of_the_readme_are_true(door, expression, verdict, said):
    match verdict:
        case "matches" | "does not":
            node = compile_match(expression, door, strict=True).node
            assert matches(node, json.loads(said)) is (verdict == "matches")
        case "refused":
            with pytest.raises(InvalidMatch) as refusal:
                compile_match(expression, door, strict=True)
            assert said in refusal.value.details[0].message
        case _:
            pytest.fail(f"no such verdict: {verdict}")


def test_the_readme_has_examples():
    assert len(list(examples())) > 60


def test_precedence_is_in_the_tree():
    node = compile_match("country=IE|country=GB&!dayOfWeek=sun", REDIRECTOR).node
    assert isinstance(node, AnyOf)
    assert isinstance(node.nodes[1], AllOf)
    assert isinstance(node.nodes[1].nodes[1], Negation)


def test_every_problem_is_a_finding_in_the_callers_field():
    with pytest.raises(Invalid) as refusal:
        compile_match("country=Ireland&month=13&thng.name~x", REDIRECTOR, field="rules[2].match")
    assert [(finding.field, finding.column) for finding in refusal.value.details] == [
        ("rules[2].match", 9),
        ("rules[2].match", 23),
        ("rules[2].match", 35),
    ]
    assert str(refusal.value).startswith("rules[2].match, column 9: country is a two-letter country code")
    assert str(refusal.value).endswith("(and 2 more)")


def test_the_finding_shows_the_text_around_its_column():
    with pytest.raises(InvalidMatch) as refusal:
        compile_match("thng.tags=&country=IE", REDIRECTOR)
    assert refusal.value.details == (
        Finding(
            field="match",
            column=11,
            message="expected a value after '='",
            near="thng.tags=&country=IE",
            expected=("value",),
        ),
    )


def test_unknown_fields_and_wrong_types_are_refused_together_when_strict():
    with pytest.raises(InvalidMatch) as refusal:
        compile_match("colour=red&country=Ireland", REDIRECTOR, strict=True)
    assert [finding.column for finding in refusal.value.details] == [1, 20]


def test_a_wrong_type_is_refused_at_the_lenient_door_too():
    with pytest.raises(InvalidMatch) as refusal:
        compile_match("colour=red&country=Ireland", REDIRECTOR)
    assert [finding.column for finding in refusal.value.details] == [20]


def test_an_expression_may_be_as_long_as_the_limit_and_no_longer():
    longest = "thng.name=" + "x" * (MAX_LENGTH - 10)
    assert matches(compile_match(longest, REDIRECTOR).node, {"thng.name": "x" * (MAX_LENGTH - 10)})
    with pytest.raises(InvalidMatch, match="8,192 characters"):
        compile_match(longest + "x", REDIRECTOR)


def test_two_hundred_predicates_are_allowed_and_no_more():
    text = "&".join(["year=1"] * 200)
    assert len(compile_match(text, REDIRECTOR).node.nodes) == 200
    with pytest.raises(InvalidMatch, match="200 predicates"):
        compile_match(text + "&year=1", REDIRECTOR)


def test_nesting_to_the_limit_is_read_and_evaluated():
    text = "(" * 32 + "country=IE" + ")" * 32
    assert matches(compile_match(text, REDIRECTOR).node, {"country": "IE"})
    beside = "&".join(["(!(country=IE))"] * 60)
    assert matches(compile_match(beside, REDIRECTOR).node, {})


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000,
        "!" * 10_000,
        "a=" * 50_000,
        "thng.name=" + "(" * 8_000,
        "thng.name=" + "\\" * 8_001,
        "\\" * 8_191,
        " " * 8_192,
        "thng.name=" + "a " * 4_000 + "\x00",
        '"' * 8_000,
        "thng.name=" + '"\\' * 4_000,
        "." * 8_000 + "=1",
        "thng.customFields." + "." * 8_000 + "~",
        "thng.name=a" + "," * 8_000,
        "month=" + "." * 8_000,
        "\ud800" * 10,
        "\U0010ffff",
        ")" * 8_000,
        "&|" * 4_000,
        "𝕏" * 8_192,
    ],
    ids=range(19),
)
def test_hostile_text_is_refused_with_a_place(text):
    try:
        compile_match(text, REDIRECTOR, strict=True)
    except InvalidMatch as refusal:
        assert all(finding.column and finding.column <= MAX_LENGTH + 1 for finding in refusal.details)
        json.dumps(error_document(refusal, "")).encode()
    else:
        assert text.startswith("thng.name=(")


def test_redirector_rules_know_the_fields_of_the_platforms_table():
    for name in ("thng.identifiers.sap_code", "product.tags", "project.identifiers.x", "application.tags", "language"):
        assert field_of(REDIRECTOR, name) is not None
    assert field_of(REDIRECTOR, "propertyChangeNew.x") is None
    assert field_of(REACTOR, "propertyChangeNew.x") is not None
    assert field_of(REACTOR, "project.name") is None
    assert field_of(LISTS["thng"], "identifiers.gs1:21").type == "open"
    assert not REDIRECTOR.allows_like and REACTOR.allows_like


@pytest.mark.parametrize(
    ("door", "name", "near"),
    [
        (REDIRECTOR, "dayofweek", "dayOfWeek"),
        (REDIRECTOR, "thng.identifier.ean", "thng.identifiers.ean"),
        (LISTS["thng"], "createAt", "createdAt"),
        (LISTS["thng"], "identifers.gs1:21", "identifiers.gs1:21"),
        (REDIRECTOR, "qqq", None),
        (REDIRECTOR, "country" * 100, None),
    ],
)
def test_the_nearest_known_name_is_suggested(door: Door, name, near):
    assert suggestion(door, name) == near


def test_nodes_name_the_fields_they_ask_for():
    node = compile_match("country=IE|!(thng.tags=a&country=GB)", REDIRECTOR).node
    assert fields(node) == {"country", "thng.tags"}


def test_the_stored_form_is_short():
    node = compile_match("country=IE,GB&thng.name=Smart*&month=6..8&!thng.customFields.size=42", REDIRECTOR).node
    assert to_json(node) == [
        "&",
        ["=", "country", "IE", "GB"],
        ["=", "thng.name", ["Smart"]],
        ["=", "month", [6, 8]],
        ["!", ["=", "thng.customFields.size", ["42", "42", 42]]],
    ]


@pytest.mark.parametrize("document", [[], ["?"], ["=", 1], ["="], ["=", "a", {}], "=", None, ["!", []]])
def test_what_was_never_stored_is_no_node(document):
    with pytest.raises(ValueError, match="not a stored"):
        from_json(document)


def test_the_grammar_is_found_where_rules_home_says(tmp_path, monkeypatch):
    monkeypatch.setenv("RULES_HOME", str(tmp_path))
    assert rules_home() == tmp_path


def test_the_parser_is_built_once():
    assert parser() is parser()
