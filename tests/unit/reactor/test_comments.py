"""Comments are found where JavaScript has them, and nowhere else."""

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerpost.reactor.comments import comments


def found(source):
    return [each.text.strip() for each in comments(source)]


CASES = {
    "a line comment": ("a(); // one\nb()", ["one"]),
    "a block comment over lines": ("/* one\n two */ a()", ["one\n two"]),
    "both, and none in the other": ("// a /* b\nc /* d // e */ f", ["a /* b", "d // e"]),
    "strings": ("const a = 'no // one', b = \"no /* two */\"; // yes", ["yes"]),
    "strings with quotes in them": (r"""x = 'it\'s // no' + "a\"// no"; // yes""", ["yes"]),
    "a string over two lines by a backslash": ("x = 'a\\\n// no'; // yes", ["yes"]),
    "an address": ("fetch('https://example.com/a') // yes", ["yes"]),
    "a template": ("x = `// no ${ a /* yes */ + `// no ${b}` } /* no */ \\` // no`; // too", ["yes", "too"]),
    "an object in a template": ("`${ {a: 1}.a } // no` // yes", ["yes"]),
    "a regular expression": ("x = /\\/\\/ no/; y = /[/*]/g; // yes", ["yes"]),
    "a class with a slash": ("a.replace(/[//]/g, '') // yes", ["yes"]),
    "a division": ("x = a / b; y = (a) / b // yes", ["yes"]),
    "divisions of calls and members": ("x = f(a) / g[1] / 2 // yes", ["yes"]),
    "a regular expression after return": ("return /a\\//.test(b) // yes", ["yes"]),
    "a property called return": ("x.return / 2 // yes\n/ 3", ["yes"]),
    "a regular expression after a condition": ("if (a) /'/.exec(b); // yes", ["yes"]),
    "a quote in a regular expression": ("x = a.split(/'/); // yes", ["yes"]),
    "a regular expression after a block": ("if (a) { b() } /'/.test(c) // yes", ["yes"]),
    "a division of an object": ("x = {a: 1} / 2 // yes\n/ '// no'", ["yes"]),
    "after a count": ("x = i++ / 2 // yes\n/ 3", ["yes"]),
    "a hashbang": ("#!/usr/bin/env node // no\n// yes", ["yes"]),
    "another unterminated string": ("x = 'oops\n// yes", ["yes"]),
    "a comment without an end": ("/* never closed", []),
    "an arrow to a regular expression": ("x = a => /'/.test(a) // yes", ["yes"]),
}


@pytest.mark.parametrize(("source", "expected"), CASES.values(), ids=CASES)
def test_comments_and_what_only_looks_like_them(source, expected):
    assert found(source) == expected


def test_each_comment_knows_its_line():
    assert [each.line for each in comments("a\n// b\n/* c\nd */ // e\n")] == [2, 3, 4]


@given(st.text("/*'\"`${}()[]\\ab\n =", max_size=60))
def test_anything_at_all_is_read_to_its_end(text):
    for comment in comments(text):
        assert comment.text in text


@given(st.integers(2_000, 20_000), st.sampled_from("'\"`/([{*$\\"))
def test_a_long_run_of_one_mark_takes_no_longer_than_its_length(length, mark):
    list(comments(mark * length))


# What a comment is made of must not matter to the program around it: node reads each case with and without them.
PIECES = st.sampled_from(
    [
        "a = 1;", "a = a / 2;", "b = 'x//y';", "b = `t${a /* in */ + 1}u`;", "c = /[/]'/g;", "if (a) /x/.test(b);",
        "(a) / 2;", "d = {a: 1};", "f = () => { return /'/ };", "[1][0] / 2;", "a++ / 2;", 'b = "q\\"//";',
    ]
)  # fmt: skip
NOTE = " // it's `one"


def test_without_its_comments_a_script_is_the_same_script():
    """Every comment that is found can be cut out, and what stays still parses: no string or expression was torn."""
    node = shutil.which("node")
    assert node is not None, "Node.js is needed"
    samples = []

    @given(st.lists(PIECES, min_size=1, max_size=8), st.lists(st.booleans(), min_size=8, max_size=8))
    def collect(pieces, commented):
        pairs = zip(pieces, commented, strict=False)
        samples.append("\n".join(piece + NOTE * noted for piece, noted in pairs))

    collect()
    for source in samples:
        marked = [each.text for each in comments(source) if each.text != " in "]
        assert marked == [" it's `one"] * source.count("it's `one")
    script = "let a = 1, b = '', c, d, f;\n" + "\n".join(samples)
    subprocess.run([node, "--check", "-"], input=script, text=True, check=True, capture_output=True)


@pytest.mark.parametrize(
    "piece",
    ["/*", "/* ", "/**", '\\"', "\\'", '"\\\n', "=/[", "=/\\", "\\/", "`${`", "(", "//", "{ "],
)
def test_what_never_closes_takes_no_longer_than_other_text(piece):
    """A reader that looks for each end anew takes minutes here."""
    assert len(list(comments("=/" + piece * 100_000))) < 100_000


def test_after_what_never_closes_comments_are_found():
    assert [each.text for each in comments('x = "\\" it\'s\n// here\n/* and */ /[/ ; /x')] == [" here", " and "]
