"""Rule files: what stands in them, and where."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerpost.cli.failure import Usage
from fingerpost.cli.places import Unreadable, line_and_column, read_json, read_yaml
from fingerpost.cli.rule_files import read_rule_file, rule_text, with_based_on

YAML = """\
# What is live in the museum
basedOn: 7
rules:
  - name: Sundays
    match: country=IE & dayOfWeek=sun
    redirectUrl: https://museum.example/sunday
  - name: "No, \\"never\\""
    match: |
      thng.tags=Offer
      & language=fr
    redirectUrl: 'https://museum.example/it''s/{language}'
    constants: {open: no, at: 12:30, on: 2026-11-01}
"""


def file_with(tmp_path, text, name="rules.yaml"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_rule_file(path)


def test_yaml_is_read_with_plain_words_as_text(tmp_path):
    file = file_with(tmp_path, YAML)
    assert file.based_on == 7
    assert file.rules[1]["name"] == 'No, "never"'
    assert file.rules[1]["match"] == "thng.tags=Offer\n& language=fr\n"
    assert file.rules[1]["constants"] == {"open": "no", "at": "12:30", "on": "2026-11-01"}


@pytest.mark.parametrize(
    ("field", "column", "spelled"),
    [
        ("rules[0].match", 14, "dayOfWeek"),
        ("rules[0].match", None, "country=IE"),
        ("rules[0].redirectUrl", 9, "museum"),
        ("rules[1].name", 6, 'never\\"'),
        ("rules[1].match", 19, "language=fr"),
        ("rules[1].redirectUrl", 28, "/{language}"),
        ("rules[1].constants.at", None, "12:30"),
        ("rules[1].delegates[0]", 5, 'name: "No'),
        ("rules", None, "- name: Sundays"),
    ],
)
def test_a_mistake_is_found_where_it_stands(tmp_path, field, column, spelled):
    line, at = file_with(tmp_path, YAML).spot(field, column)
    assert YAML.splitlines()[line - 1][at - 1 :].startswith(spelled)


def test_the_same_in_json(tmp_path):
    text = '{"rules": [\n  {"name": "A \\"b\\" c", "match": "country=IE & x=1"}\n]}'
    file = file_with(tmp_path, text, "rules.json")
    for field, column, spelled in [
        ("rules[0].name", 7, 'c"'),
        ("rules[0].match", 14, "x=1"),
        ("rules[0].redirectUrl", 3, '{"name"'),
    ]:
        line, at = file.spot(field, column)
        assert text.splitlines()[line - 1][at - 1 :].startswith(spelled)


@pytest.mark.parametrize(("name", "text"), [("rules.yaml", "- match: a=1\n"), ("rules.json", '[{"match": "a=1"}]')])
def test_a_list_alone_is_a_rule_file(tmp_path, name, text):
    file = file_with(tmp_path, text, name)
    assert file.rules == [{"match": "a=1"}]
    assert file.spot("rules[0].match", 3) == (1, text.index("1") + 1)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("rules.yaml", "rules:\n  - match: 'a\n", r"rules\.yaml:3:1: this is no YAML"),
        ("rules.yaml", "rules:\n  - match: a\n    match: b\n", r"yaml:3:5: .*'match' stands here twice"),
        ("rules.yaml", "rules: !!python/object/apply:os.getcwd []\n", r"yaml:1:8: .*means nothing here"),
        ("rules.json", '{"rules": [}', r"rules\.json:1:12: this is no JSON"),
        ("rules.json", '{"rules": [{"a": 1, "a": 2}]}', "'a' stands here twice"),
        ("rules.yaml", "", "holds no list of rules"),
        ("rules.yaml", "rules: 5", "holds no list of rules"),
        ("rules.yaml", "basedOn: seven\nrules: []", "basedOn is the number of a version, not 'seven'"),
    ],
)
def test_a_file_that_is_none_is_refused_at_its_place(tmp_path, name, text, message):
    with pytest.raises(Usage, match=message):
        file_with(tmp_path, text, name)


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path):
    with pytest.raises(Usage, match="cannot be read"):
        read_rule_file(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"rules:\n  - name: caf\xe9\n")
    with pytest.raises(Usage, match="not UTF-8 text: byte 21"):
        read_rule_file(tmp_path / "latin.yaml")


def test_aliases_of_aliases_end_before_they_fill_the_memory():
    levels = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]" for old, new in zip("abcdefg", "bcdefgh", strict=True)]
    with pytest.raises(Unreadable, match="more than 2,000,000 values"):
        read_yaml("\n".join(levels))


def test_only_the_line_of_the_version_changes(tmp_path):
    file = file_with(tmp_path, YAML)
    (tmp_path / "rules.yaml").write_bytes(YAML.replace("\n", "\r\n").encode())
    assert with_based_on(file, 12) == YAML.replace("\n", "\r\n").replace("basedOn: 7", "basedOn: 12").encode()
    assert with_based_on(file_with(tmp_path, YAML.replace("basedOn: 7\n", "")), 12) is None


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=40)
RULES = st.lists(st.fixed_dictionaries({"match": TEXTS, "name": TEXTS, "constants": st.dictionaries(TEXTS, TEXTS)}))


@given(RULES, st.sampled_from([".yaml", ".json"]))
def test_what_is_written_reads_as_it_was(rules, suffix):
    text = rule_text(rules, suffix=suffix, based_on=3)
    read = read_json(text) if suffix == ".json" else read_yaml(text)
    assert read.value == {"basedOn": 3, "rules": rules}


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=60), st.data())
def test_a_column_of_a_plain_text_is_that_character_in_the_file(value, data):
    number = data.draw(st.integers(0, len(value) - 1))
    text = json.dumps({"rules": [{"match": value}]}, indent=2)
    line, column = read_json(text).spot(("rules", 0, "match"), number)
    character = text.splitlines()[line - 1][column - 1]
    assert character == value[number]


def test_lines_and_columns_count_from_one():
    assert [line_and_column("ab\nc", at) for at in range(5)] == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)]
