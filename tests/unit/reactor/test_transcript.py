"""What a process says of a run is believed only as far as it can be true."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerpost.ports.runner import MAX_LINE_BYTES, MAX_LOG_BYTES, MAX_LOG_LINES, RunRequest
from fingerpost.reactor.transcript import Ending, call_of, result_of

REQUEST = RunRequest(bundle="b", tenant="t", function="f", payload={}, api_url="u", api_key="k", app={"id": "a"})
ENDED = Ending(kind="ended", ms=5, at=9)

LINES = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.integers().map(lambda at: json.dumps(["log", "info", "x", at]).encode()),
        st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=6).map(
            lambda value: json.dumps(value).encode()
        ),
        st.tuples(st.sampled_from(["log", "end"]), st.sampled_from(["info", "done", "unavailable"]), st.text()).map(
            lambda line: json.dumps([*line, 1] if line[0] == "log" else line).encode()
        ),
    )
)


@given(LINES)
def test_whatever_is_written_makes_a_result_that_can_be_stored(lines):
    result = result_of(REQUEST, lines, ENDED)
    assert result.outcome != "unavailable"
    assert all(len(line.message.encode()) <= MAX_LINE_BYTES for line in result.logs)
    assert all(0 <= line.at <= ENDED.at for line in result.logs)


def test_a_log_is_bounded_in_sum():
    line = json.dumps(["log", "info", "x" * MAX_LINE_BYTES, 1]).encode()
    result = result_of(REQUEST, [line] * 200, ENDED)
    assert sum(len(each.message) for each in result.logs[:-2]) <= MAX_LOG_BYTES
    assert f"{MAX_LOG_LINES:,} lines" in next(each.message for each in result.logs if "was cut" in each.message)


def test_nothing_counts_after_the_end():
    lines = [b'["end", "done", ""]', b'["log", "info", "late", 1]', b'["end", "error", "x"]']
    assert (result_of(REQUEST, lines, ENDED).outcome, result_of(REQUEST, lines, ENDED).logs) == ("done", ())


@pytest.mark.parametrize(
    ("ending", "outcome", "says"),
    [
        (Ending(kind="timeout", ms=1, at=1), "timeout", "60,000 ms"),
        (Ending(kind="ended", code=-6, complaint="FATAL: heap out of memory", ms=1, at=1), "memory", "256 MB"),
        (Ending(kind="ended", code=-9, ms=1, at=1), "exited", "signal 9"),
        (Ending(kind="ended", code=7, ms=1, at=1), "exited", "code 7"),
    ],
)
def test_who_ends_without_a_word_is_told_of_by_how_it_ended(ending, outcome, says):
    result = result_of(REQUEST, [], ending)
    assert result.outcome == outcome
    assert says in result.logs[0].message


def test_the_call_has_what_the_process_needs_and_no_tenant():
    assert call_of(REQUEST).keys() == {"function", "payload", "apiUrl", "apiKey", "header", "app", "timeLimitMs"}
