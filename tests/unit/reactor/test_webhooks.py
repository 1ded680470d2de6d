"""How webhooks are signed, what their answers mean, and when they are tried again."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerpost.outgoing import Answered, Failed, Refused
from fingerpost.reactor import webhooks
from fingerpost.reactor.webhooks import MAX_TRIES, MAX_WAIT_MS, Outcome, Webhook, send, wait_before

SECRET = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
WEBHOOK = Webhook(
    id="msg_p5jXN8AQM9LWM0D4loKWxJek",
    method="POST",
    url="https://shop.example/hook",
    headers={"content-type": "application/json"},
    content=b'{"test": 2432232314}',
)


class Door:
    """Instead of the door to the network: answers what it is told to, and keeps what was sent."""

    def __init__(self, answer):
        self.answer, self.sent = answer, []

    def send(self, method, url, *, headers=None, content=None, limits=None):
        self.sent.append((method, url, headers, content, limits))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def answered(status, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answered(WEBHOOK.url, status, named, b"", True)


def test_the_signature_is_that_of_the_specifications_own_example():
    signed = webhooks.signature([SECRET], WEBHOOK.id, 1614265330, WEBHOOK.content)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert webhooks.shown_secret(SECRET) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_while_two_secrets_hold_both_sign():
    signed = webhooks.signature([b"new", SECRET], WEBHOOK.id, 1614265330, WEBHOOK.content)
    first, second = signed.split(" ")
    assert second == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert first.startswith("v1,") and first != second


def test_each_try_has_the_same_id_and_a_time_of_its_own():
    door = Door(answered(204))
    for at in (1_614_265_330_999, 1_614_265_400_000):
        assert send(WEBHOOK, [SECRET], door, at).kind == "delivered"
    (_, _, first, _, limits), (_, _, second, _, _) = door.sent
    assert first["webhook-id"] == second["webhook-id"] == WEBHOOK.id
    assert (first["webhook-timestamp"], second["webhook-timestamp"]) == ("1614265330", "1614265400")
    assert first["webhook-signature"] != second["webhook-signature"]
    assert first["content-type"] == "application/json"
    assert limits.redirects == 0


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (answered(200), "delivered", "200"),
        (answered(299), "delivered", "299"),
        (answered(302, location="http://10.0.0.1/"), "final", "redirects are not followed"),
        (answered(304), "final", "304"),
        (answered(400), "failed", "400"),
        (answered(404), "failed", "404"),
        (answered(410), "final", "nobody is there"),
        (answered(429), "failed", "429"),
        (answered(503), "failed", "503"),
        (Failed("no answer came in time"), "failed", "in time"),
        (Refused("shop.example is 10.0.0.1, which is not a public address"), "final", "not a public address"),
    ],
)
def test_what_an_answer_means(answer, kind, words):
    outcome = send(WEBHOOK, [SECRET], Door(answer), 0)
    assert outcome.kind == kind
    assert words in outcome.says


@pytest.mark.parametrize(
    ("text", "ms"), [("30", 30_000), ("0", 0), ("999999", MAX_WAIT_MS), ("soon", 0), ("-1", 0), ("9" * 50, 0), ("²", 0)]
)
def test_a_receiver_may_ask_for_time_up_to_what_a_queue_can_wait(text, ms):
    outcome = send(WEBHOOK, [SECRET], Door(answered(503, retry_after=text)), 0)
    assert outcome.wait_ms == ms
    assert wait_before(1, outcome, lambda: 0.0) == ms


@given(st.integers(1, MAX_TRIES + 3), st.floats(0, 1, exclude_max=True), st.integers(0, 10**9))
def test_waits_grow_are_spread_over_their_whole_length_and_end(attempt, chance, asked):
    wait = wait_before(attempt, Outcome(kind="failed", says="", wait_ms=asked), lambda: chance)
    if attempt >= MAX_TRIES:
        assert wait is None
        return
    longest = min(5_000 * 4 ** (attempt - 1), MAX_WAIT_MS)
    assert wait == min(max(int(chance * longest), asked), MAX_WAIT_MS)


def test_what_is_delivered_or_final_is_not_tried_again():
    assert wait_before(1, Outcome(kind="delivered", says="")) is None
    assert wait_before(1, Outcome(kind="final", says="")) is None
