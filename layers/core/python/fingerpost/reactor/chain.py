"""The runs that led to a request: signed into X-Evrythng-Reactor, which both SDKs send on, kept with what it writes.

A level is `<application>:<function>`, of a rule `<application>:<rule>`, oldest first. The value means nothing to
clients, and what is not signed here for the account is as good as none.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Sequence
from hashlib import sha256

from .. import wiring

HEADER = "x-evrythng-reactor"
MAX_LEVELS = 10  # what a run of the last of them causes starts no other
_MAX_TEXT = 4_096  # which that many of the longest names leave room in
_SIGNATURE_BYTES = 16

type Chain = tuple[str, ...]


def sign(account: str, chain: Sequence[str]) -> str:
    """The header's value for requests of a run, itself the last level of `chain`."""
    content = json.dumps(list(chain), ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    return base64.urlsafe_b64encode(_signature(account, content) + content).rstrip(b"=").decode()


def read(account: str, text: str) -> Chain:
    """The chain in a header's value; empty when there is none, or it was not signed for this account."""
    if not text or len(text) > _MAX_TEXT:
        return ()
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (binascii.Error, UnicodeEncodeError):
        return ()
    signature, content = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(account, content)):
        return ()
    return tuple(json.loads(content))


def _signature(account: str, content: bytes) -> bytes:
    secret = wiring.root_secrets().for_purpose("reactor chain")
    return hmac.digest(secret, account.encode() + b"\0" + content, sha256)[:_SIGNATURE_BYTES]
