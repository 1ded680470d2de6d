"""`fingerpost rules check` finds everything that is wrong with a file, and where, without a server."""

from pathlib import Path

import pytest

from tests.cli.command_line import CommandLine

RULES = Path(__file__).with_name("rules")
TEN = RULES / "ten-mistakes.yaml"

fingerpost = CommandLine()  # no server, no key


def test_ten_mistakes_are_all_told_each_with_rule_column_reason_and_suggestion():
    said = fingerpost("rules", "check", TEN, "--json", code=1).json
    findings = [each for each in said["findings"] if each["rule"]]
    assert [each["rule"] for each in findings] == list(range(1, 11))
    assert [(each["line"], each["fileColumn"]) for each in findings] == [
        (4, 12),
        (7, 34),
        (10, 22),
        (13, 21),
        (16, 18),
        (20, 18),
        (23, 40),
        (25, 35),
        (28, 12),
        (31, 12),
    ]
    for each in findings:
        assert each["message"]
        assert each["advice"]
        assert each["name"]
        assert each["level"] == ("warning" if each["rule"] == 9 else "error")
    assert [each["advice"] for each in findings[:3]] == ["write country", "write value there", "write sun"]


def test_people_see_the_text_with_a_mark_under_the_column():
    lines = fingerpost("rules", "check", TEN, code=1).out.splitlines()
    head = f"{TEN}:7:34: error in rule 2 French, match, column 23: expected a value after '='"
    at = lines.index(head)
    assert lines[at + 1 : at + 4] == [
        "    country=FR & language=",
        "    " + " " * 22 + "^",
        "    suggestion: write value there",
    ]
    assert lines[-1] == f"9 errors, 1 warning in 10 rules of {TEN}"


def test_a_rule_that_is_never_reached_is_told_by_number_and_name():
    said = fingerpost("rules", "check", RULES / "museum.json", code=1)
    assert "museum.json:4:34: warning in rule 2 Big sea, match: never reached: rule 1 Sea matches whenever" in said.out
    assert "suggestion: move the rule above the one that is named, or remove it" in said.out


def test_several_files_are_checked_at_once():
    said = fingerpost("rules", "check", TEN, RULES / "museum.json", "--json", code=1).json
    assert said["rules"] == 13
    assert {each["file"] for each in said["findings"]} == {str(TEN), str(RULES / "museum.json")}


def test_a_file_in_order_ends_with_0(tmp_path):
    path = tmp_path / "good.yaml"
    path.write_text(
        "rules:\n  - match: country=IE\n    redirectUrl: https://ie.example/\n  - redirectUrl: https://a.example/\n"
    )
    said = fingerpost("rules", "check", path)
    assert said.out == f"nothing wrong was found in 2 rules of {path}\n"


@pytest.mark.parametrize("sample", sorted(Path("rules/samples").glob("*.json")), ids=lambda path: path.name)
def test_the_samples_to_copy_have_no_errors(sample):
    found = CommandLine()("rules", "check", sample, "--json").json["findings"]
    assert [each for each in found if each["level"] == "error"] == []


@pytest.mark.parametrize(
    ("text", "message", "advice"),
    [
        ("- 5", "a rule is an object, not a number", "write name: and the other keys below each other after '- '"),
        ("- match: a\n  tags: x", "expected an operator", "write operator there"),
        ("- redirectURL: https://a.example/", "unknown key 'redirectURL'", "write redirectUrl"),
        (
            "- constants: [a]\n  redirectUrl: https://a.example/",
            "valid dictionary",
            "write names and values, each pair",
        ),
    ],
)
def test_what_is_no_rule_is_told_as_a_mistake_of_that_rule(tmp_path, text, message, advice):
    path = tmp_path / "odd.yaml"
    path.write_text(f"rules:\n{text}\n")
    findings = fingerpost("rules", "check", path, "--json", code=1).json["findings"]
    found = [each for each in findings if message in each["message"]]
    assert [each["rule"] for each in found] == [1]
    assert found[0]["advice"].startswith(advice)


def test_more_rules_than_a_set_may_have_are_refused(tmp_path):
    path = tmp_path / "many.yaml"
    path.write_text("rules:\n" + "- redirectUrl: https://a.example/\n" * 10_001)
    assert "10000" in fingerpost("rules", "check", path, code=2).err


def test_rules_of_an_application_ask_nobody(tmp_path):
    path = tmp_path / "app.yaml"
    path.write_text("rules:\n- redirectUrl: https://a.example/\n  delegates: [{app: U}]\n")
    alone = fingerpost("rules", "check", path, "--json").json["findings"]
    of_application = fingerpost("rules", "check", path, "-a", "P/A", "--json", code=1).json["findings"]
    assert (alone, [each["message"] for each in of_application]) == (
        [],
        ["unknown key 'delegates'; it is kept but means nothing"],
    )
