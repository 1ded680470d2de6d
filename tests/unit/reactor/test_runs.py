"""What is signed into a header and what waits on a queue comes back as it was."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerpost import wiring
from fingerpost.access.secrets import RootSecrets
from fingerpost.local.blobs import FolderBlobs
from fingerpost.local.queue import local_queue
from fingerpost.reactor import chain, runs
from fingerpost.reactor.rule_documents import MAX_NAME
from fingerpost.reactor.runs import MAX_CARRIED_BYTES, PayloadGone, Run

ROOTS = RootSecrets(1, {1: bytes(range(32))})
RUN = Run(
    event="e" * 32,
    account="UHMuseum",
    project="UHProject",
    app="UHApplication",
    function="onActionCreated",
    payload={"action": {"id": "1", "name": "smile \U0001f600 \x00 \uffff"}},
    at=1_773_576_000_000,
    cause="request-1",
    chain=("UHApplication:onActionCreated",),
    script=3,
)


@pytest.fixture(autouse=True)
def _roots(monkeypatch):
    monkeypatch.setattr(wiring, "root_secrets", lambda: ROOTS)


@pytest.fixture
def blobs(tmp_path, monkeypatch):
    made = FolderBlobs(tmp_path / "blobs")
    monkeypatch.setattr(wiring, "bundles", lambda: made)
    return made


@given(st.lists(st.text(max_size=60), max_size=chain.MAX_LEVELS).map(tuple))
def test_a_chain_is_read_as_it_was_signed(levels):
    assert chain.read("UHMuseum", chain.sign("UHMuseum", levels)) == levels


def test_a_chain_of_all_levels_with_long_names_can_be_read():
    for name in ("f" * 128, '"' * MAX_NAME, "\N{DUCK}" * MAX_NAME):
        levels = (f"{'U' * 24}:rule {name}",) * chain.MAX_LEVELS
        signed = chain.sign("UHMuseum", levels)
        assert chain.read("UHMuseum", signed) == levels
    assert len(signed) < 4_096


@pytest.mark.parametrize("text", ["", "x", "%%%", "é", "AAAA", "A" * 5_000, "W10"])
def test_what_was_not_signed_here_is_no_chain(text):
    assert chain.read("UHMuseum", text) == ()


def test_a_chain_is_good_in_its_own_account_alone_and_only_whole():
    signed = chain.sign("UHMuseum", ("a:b",))
    assert chain.read("UHAnother", signed) == ()
    assert chain.read("UHMuseum", signed[:-2]) == ()
    assert chain.read("UHMuseum", signed[:-1] + ("A" if signed[-1] != "A" else "B")) == ()


def test_a_run_comes_off_the_queue_as_it_was_sent(tmp_path, blobs):
    queue = local_queue(tmp_path, "reactor")
    runs.send(queue, RUN)
    (message,) = queue.receive()
    assert runs.received(message.body) == RUN


def test_a_large_payload_waits_beside_its_message_until_the_run_is_over(tmp_path, blobs):
    large = dataclasses.replace(RUN, payload={"text": "x" * MAX_CARRIED_BYTES})
    queue = local_queue(tmp_path, "reactor")
    runs.send(queue, large)
    runs.send(queue, large)
    (first, second) = [*queue.receive(1), *queue.receive(1)]
    assert runs.received(first.body) == runs.received(second.body) == large
    assert len(first.body) < 2_000
    runs.forget_payload(large)
    with pytest.raises(PayloadGone):
        runs.received(second.body)


def test_a_run_is_the_same_whenever_its_event_is_read_and_another_for_another_function():
    assert RUN.id == dataclasses.replace(RUN, cause="again", at=5, payload={}).id
    others = [
        dataclasses.replace(RUN, **each)
        for each in ({"event": "f" * 32}, {"app": "other"}, {"function": "x"}, {"kind": "rule", "rule": RUN.function})
    ]
    assert len({RUN.id, *(each.id for each in others)}) == 5


def test_a_level_names_the_function_or_the_rule():
    assert RUN.level == "UHApplication:onActionCreated"
    assert dataclasses.replace(RUN, kind="rule", rule="cold chain").level == "UHApplication:rule cold chain"
