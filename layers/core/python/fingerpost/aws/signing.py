"""Signature version 4 for `POST /` with a JSON body: what DynamoDB and SQS ask of every request.

Source: AWS General Reference, "Create a signed AWS API request". Held to botocore's SigV4Auth by a property test.
"""

import hmac
import time
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from ..frozen import Frozen

CONTENT_TYPE = "application/x-amz-json-1.0"


class Credentials(Frozen):
    access_key: str
    secret_key: str
    token: str | None = None  # of a temporary key
    expires_at: int | None = None  # milliseconds since the epoch; None: never, or not ours to renew

    def __repr__(self) -> str:
        return f"Credentials({self.access_key}, ...)"  # a secret never reaches a log


class Scope(Frozen):
    """What a signature is good for. `host` is the Host header: with the port unless it is the scheme's own."""

    host: str
    region: str
    service: str


class Signature(NamedTuple):
    """The two headers that a signature makes: X-Amz-Date and Authorization."""

    date: str
    authorization: str


def sign(scope: Scope, target: str, body: bytes, credentials: Credentials, at: int) -> Signature:
    """Sign `POST /` with `body` and X-Amz-Target `target`, made at `at` (milliseconds since the epoch).

    Signed are content-type, host, x-amz-date, x-amz-target and, when there is one, x-amz-security-token.
    """
    moment = amz_date(at // 1000)
    day = moment[:8]
    if credentials.token is None:
        session, names = "", "content-type;host;x-amz-date;x-amz-target"
    else:
        session = f"x-amz-security-token:{credentials.token}\n"
        names = "content-type;host;x-amz-date;x-amz-security-token;x-amz-target"
    canonical = (
        f"POST\n/\n\ncontent-type:{CONTENT_TYPE}\nhost:{scope.host}\nx-amz-date:{moment}\n{session}"
        f"x-amz-target:{target}\n\n{names}\n{sha256(body).hexdigest()}"
    )
    valid_for = f"{day}/{scope.region}/{scope.service}/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{moment}\n{valid_for}\n{sha256(canonical.encode()).hexdigest()}"
    keyed = keyed_hash(credentials.secret_key, day, scope.region, scope.service).copy()
    keyed.update(to_sign.encode())
    signature = keyed.hexdigest()
    return Signature(
        moment,
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{valid_for}, SignedHeaders={names}, "
        f"Signature={signature}",
    )


@lru_cache(maxsize=4)
def amz_date(seconds: int) -> str:
    """Seconds since the epoch as `20250131T235959Z`; cached because a busy second asks often."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))


@lru_cache(maxsize=16)
def keyed_hash(secret_key: str, day: str, region: str, service: str) -> hmac.HMAC:
    """An HMAC, to be copied, with the key of one day, region and service: four of the five HMACs of a signature."""
    key = ("AWS4" + secret_key).encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, digestmod="sha256")
