"""Webhooks: one signed request, what its answer means, and when to try again. Standard library only.

Signed as Standard Webhooks says (https://www.standardwebhooks.com, version 1.0.0): `webhook-id` is the same on each
try, `webhook-timestamp` is when this one was sent, `webhook-signature` has `v1,` and the Base64 of HMAC-SHA-256 over
`<id>.<timestamp>.<content>` for each secret that is valid.
"""

import base64
import hashlib
import hmac
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from ..frozen import Frozen
from ..outgoing import Failed, Limits, Outgoing, Refused

PREFIX = "whsec_"  # begins a secret as it is shown; Base64 follows
MAX_TRIES = 8
FIRST_WAIT_MS = 5_000
GROWTH = 4
MAX_WAIT_MS = 15 * 60_000  # what a queue can delay
LIMITS = Limits(seconds=10.0, content_bytes=2_000, redirects=0)
MAX_CONTENT_BYTES = 256 * 1024
OURS = ("webhook-", "x-evrythng-")  # begin headers that a rule cannot set
RESERVED = (
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "expect",
    "te",
    "trailer",
    "upgrade",
    "keep-alive",
    "proxy-authorization",
    "user-agent",
    "accept-encoding",
)

type Random = Callable[[], float]  # from 0 to below 1


class Webhook(Frozen, kw_only=True):
    """One request, ready to be sent. `id` tells it from every other; its tries share it."""

    id: str
    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes


class Outcome(Frozen, kw_only=True):
    """`failed` is worth another try after `wait_ms` at the least; `final` is not."""

    kind: Literal["delivered", "failed", "final"]
    says: str
    wait_ms: int = 0


def signature(secrets: Sequence[bytes], webhook_id: str, seconds: int, content: bytes) -> str:
    """The value of `webhook-signature`: one for each secret, the newest first."""
    signed = f"{webhook_id}.{seconds}.".encode() + content
    digests = [hmac.digest(secret, signed, hashlib.sha256) for secret in secrets]
    return " ".join(f"v1,{base64.b64encode(each).decode()}" for each in digests)


def shown_secret(secret: bytes) -> str:
    return PREFIX + base64.b64encode(secret).decode()


def signed_headers(webhook: Webhook, secrets: Sequence[bytes], at: int) -> dict[str, str]:
    """Everything the request says in its headers, at a time in milliseconds."""
    seconds = at // 1000
    return {
        **webhook.headers,
        "webhook-id": webhook.id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": signature(secrets, webhook.id, seconds, webhook.content),
    }


def send(webhook: Webhook, secrets: Sequence[bytes], outgoing: Outgoing, at: int) -> Outcome:
    """One try. Any answer of 200 to 299 is a delivery; 410, a redirect and a refusal of ours are for good."""
    headers = signed_headers(webhook, secrets, at)
    try:
        answer = outgoing.send(webhook.method, webhook.url, headers=headers, content=webhook.content, limits=LIMITS)
    except Refused as error:
        return Outcome(kind="final", says=f"was not sent: {error}")
    except Failed as error:
        return Outcome(kind="failed", says=f"failed: {error}")
    says = f"was answered {answer.status}"
    match answer.status:
        case status if 200 <= status < 300:
            return Outcome(kind="delivered", says=says)
        case 410:
            return Outcome(kind="final", says=f"{says}: nobody is there any more")
        case status if 300 <= status < 400:
            return Outcome(kind="final", says=f"{says}: redirects are not followed, name the address they lead to")
        case _:
            return Outcome(kind="failed", says=says, wait_ms=_retry_after(answer.headers.get("retry-after", "")))


def _retry_after(text: str) -> int:
    """Milliseconds that the answer asks to wait; a date is not read."""
    return min(int(text) * 1000, MAX_WAIT_MS) if text.isascii() and text.isdigit() and len(text) < 7 else 0


def wait_before(attempt: int, outcome: Outcome, chance: Random = random.random) -> int | None:
    """Milliseconds to the next try after the failed one with this number (from 1), with full jitter; None: give up.

    Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
    """
    if outcome.kind != "failed" or attempt >= MAX_TRIES:
        return None
    longest = min(FIRST_WAIT_MS * GROWTH ** (attempt - 1), MAX_WAIT_MS)
    return min(max(int(chance() * longest), outcome.wait_ms), MAX_WAIT_MS)
