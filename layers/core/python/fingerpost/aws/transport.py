"""One signed call to an AWS service that speaks the JSON protocol: kept connections, retries, deadlines, certainty.

A call ends in one of three ways, and callers must tell them apart:
- it returns: the service did it;
- `Refused`: the service said no, nothing was done (but see `after_silence`);
- `NoAnswer`: nobody said anything; `perhaps_done` says whether the request may have been acted on.
"""

import json
import random
import time
import zlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..clock import Clock, now_ms
from .connection import Answer, Broken, Connection, Endpoint, Unsent
from .credentials import CredentialSource, NoCredentials, credentials_from
from .signing import CONTENT_TYPE, Scope, sign

if TYPE_CHECKING:
    import ssl

type Document = dict[str, Any]

DEADLINE_MS = 12_000  # of a call with all its attempts, unless the caller says otherwise
ATTEMPT_MS = 5_000  # of one attempt: a kept connection can be silently dead
MAX_ATTEMPTS = 10
MAX_IDLE_MS = 45_000  # an older connection was probably closed at the other end
MAX_IDLE_ONCE_MS = 2_000  # the same for a call that must not be sent twice
MAX_KEPT = 32
BASE_PAUSE_MS = 25
MAX_PAUSE_MS = 1_000
SKEW_MS = 60_000  # a smaller difference of the clocks never spoils a signature

TARGET_PREFIXES = {"dynamodb": "DynamoDB_20120810", "sqs": "AmazonSQS"}

# Refusals that may be lifted by waiting. Source: botocore's _retry.json and the services' "common errors".
THROTTLES = frozenset(
    {
        "KmsThrottled",
        "ProvisionedThroughputExceededException",
        "ReplicatedWriteConflictException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
SKEWED = frozenset(
    {
        "InvalidSignatureException",
        "RequestExpired",
        "RequestInTheFuture",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
    }
)

_encoder = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"), allow_nan=False)


def _kept_encoder() -> Callable[[Document], str]:
    """`_encoder.encode` without making a C encoder for each document, which costs a scan 4 us of its 100."""
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return _encoder.encode
    text: Any = json.encoder.encode_basestring
    pieces = make(None, _encoder.default, text, None, ":", ",", False, False, False)
    return lambda document: "".join(pieces(document, 0))


encode = _kept_encoder()


class Refused(Exception):
    """The service answered no and did nothing.

    `after_silence`: an earlier attempt of the same call got no answer, so that one may have been acted on, and this
    refusal may even be its consequence (a condition that no longer holds).
    """

    def __init__(self, code: str, message: str, *, status: int = 400, document: Document, after_silence: bool = False):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status, self.document = code, message, status, document
        self.after_silence = after_silence

    @property
    def throttled(self) -> bool:
        return self.code in THROTTLES or self.status == 429


class NoAnswer(Exception):
    """No usable answer within the deadline. `perhaps_done`: the request may have been acted on."""

    def __init__(self, message: str, *, perhaps_done: bool):
        super().__init__(message)
        self.perhaps_done = perhaps_done


class _Failed(Exception):
    """An attempt that may be repeated: at once, or after a pause."""

    def __init__(self, cause: Exception, *, perhaps_done: bool = False, at_once: bool = False):
        super().__init__(str(cause))
        self.cause, self.perhaps_done, self.at_once = cause, perhaps_done, at_once


class Transport:
    """Calls to one service in one region. May be shared by threads: each call takes a connection of its own."""

    def __init__(
        self,
        endpoint: str,
        region: str,
        service: str,
        target_prefix: str,
        credentials: CredentialSource,
        *,
        attempt_ms: int = ATTEMPT_MS,
        clock: Clock = now_ms,
        pause: Callable[[float], None] = time.sleep,
        context: "ssl.SSLContext | None" = None,
    ):
        """`pause` takes seconds. `context` replaces the trust that connection.tls_context would choose."""
        self._endpoint = Endpoint.parse(endpoint)
        self._scope = Scope(self._endpoint.authority, region, service)
        self._prefix = f"{target_prefix}."
        self._credentials = credentials
        self._attempt_ms, self._clock, self._pause, self._context = attempt_ms, clock, pause, context
        self._kept: list[Connection] = []  # the last used is the first taken
        self._skew_ms = 0  # what the service's clock shows beyond ours
        self._start = (
            f"POST / HTTP/1.1\r\nHost: {self._scope.host}\r\nContent-Type: {CONTENT_TYPE}\r\n"
            "Accept-Encoding: identity\r\nUser-Agent: fingerpost\r\n"
        )

    def call(
        self, action: str, payload: bytes | Document, *, deadline_ms: int = DEADLINE_MS, repeatable: bool = True
    ) -> Document:
        """Do `action` and answer its document. Raises Refused, NoAnswer.

        Throttles, faults of the service and lost connections are repeated with full jitter while `deadline_ms` lasts.
        With `repeatable=False` an attempt that may have been acted on is the last one.
        """
        body = payload if isinstance(payload, bytes) else encode(payload).encode()
        target = self._prefix + action
        left_ms = deadline_ms
        ends_at = self._clock() + deadline_ms
        perhaps_done, pauses = False, 0
        failure: Exception | None = None
        for _ in range(MAX_ATTEMPTS):
            try:
                return self._attempt(target, body, left_ms, repeatable=repeatable)
            except Refused as refusal:
                refusal.after_silence = perhaps_done
                raise
            except _Failed as failed:
                failure = failed.cause
                perhaps_done = perhaps_done or failed.perhaps_done
                pause_ms = 0.0 if failed.at_once else _jitter_ms(pauses)
                pauses += not failed.at_once
            left_ms = ends_at - self._clock() - int(pause_ms + 1)
            if left_ms <= 0 or (perhaps_done and not repeatable):
                break
            if pause_ms:
                self._pause(pause_ms / 1000)
        if isinstance(failure, Refused) and failure.throttled and not perhaps_done:
            raise failure
        raise NoAnswer(f"{action}: {failure}", perhaps_done=perhaps_done) from failure

    @property
    def host(self) -> str:
        """The Host header of every call."""
        return self._scope.host

    def close(self) -> None:
        """Drop the kept connections; a later call opens new ones."""
        self._forget_kept()

    def _attempt(self, target: str, body: bytes, left_ms: int, *, repeatable: bool) -> Document:
        """One request, one answer. Raises Refused for what no repetition can change, else _Failed."""
        try:
            request = self._signed(target, body)
            connection = self._connection(left_ms, repeatable=repeatable)
        except (NoCredentials, Unsent) as error:
            raise _Failed(error) from error
        reused = connection.used_at != 0
        try:  # a kept connection may be dead without a sign, so it leaves time for a new one
            answer = connection.exchange(request, self._timeout_s(left_ms // 2 if reused else left_ms))
            self._keep(connection)
            return _document(answer)
        except Unsent as error:
            raise self._stale(error, reused=reused, perhaps_done=False) from error
        except Broken as error:
            raise self._stale(error, reused=reused and error.silent, perhaps_done=True) from error
        except Refused as refusal:
            if refusal.throttled:
                raise _Failed(refusal) from refusal
            if refusal.status >= 500:  # AWS: a write answered by a 500 may have succeeded
                raise _Failed(refusal, perhaps_done=True) from refusal
            if refusal.code in SKEWED and self._corrected_skew(answer):
                raise _Failed(refusal, at_once=True) from refusal
            raise

    def _signed(self, target: str, body: bytes) -> bytes:
        credentials = self._credentials()
        date, authorization = sign(self._scope, target, body, credentials, self._clock() + self._skew_ms)
        token = "" if credentials.token is None else f"X-Amz-Security-Token: {credentials.token}\r\n"
        head = (
            f"{self._start}X-Amz-Target: {target}\r\nX-Amz-Date: {date}\r\nAuthorization: {authorization}\r\n"
            f"{token}Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode("latin-1") + body

    def _connection(self, left_ms: int, *, repeatable: bool) -> Connection:
        oldest = self._clock() - (MAX_IDLE_MS if repeatable else MAX_IDLE_ONCE_MS)
        while self._kept:
            try:
                connection = self._kept.pop()
            except IndexError:  # another thread was quicker
                break
            if connection.used_at >= oldest:
                return connection
            connection.close()
        return Connection(self._endpoint, self._timeout_s(left_ms), self._context)

    def _keep(self, connection: Connection) -> None:
        if connection.reusable and len(self._kept) < MAX_KEPT:
            connection.used_at = self._clock()
            self._kept.append(connection)
        else:
            connection.close()

    def _stale(self, error: Exception, *, reused: bool, perhaps_done: bool) -> "_Failed":
        """A kept connection that ends in silence was dead already, as are the others: try at once on a new one."""
        if reused:
            self._forget_kept()
        return _Failed(error, perhaps_done=perhaps_done, at_once=reused)

    def _timeout_s(self, left_ms: int) -> float:
        return max(1, min(left_ms, self._attempt_ms)) / 1000

    def _forget_kept(self) -> None:
        kept, self._kept = self._kept, []
        for connection in kept:
            connection.close()

    def _corrected_skew(self, answer: Answer) -> bool:
        """Take over the service's clock when it explains a refused signature."""
        theirs = http_date_ms(answer.headers.get("date") or "")
        if theirs is None:
            return False
        skew_ms = theirs - self._clock()
        if abs(skew_ms - self._skew_ms) < SKEW_MS:
            return False
        self._skew_ms = skew_ms
        return True


def _jitter_ms(pauses: int) -> float:
    return random.uniform(0, min(MAX_PAUSE_MS, BASE_PAUSE_MS << pauses))  # noqa: S311 (spreads load, guards nothing)


def open_transport(service: str, environ: Mapping[str, str], *, clock: Clock = now_ms) -> Transport:
    """The transport of `service` ("dynamodb" or "sqs") that AWS's own environment variables describe.

    AWS_ENDPOINT_URL_DYNAMODB (or _SQS), AWS_ENDPOINT_URL; AWS_REGION, AWS_DEFAULT_REGION. Raises ValueError.
    """
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    if not region:
        raise ValueError("AWS_REGION is not set")
    endpoint = (
        environ.get(f"AWS_ENDPOINT_URL_{service.upper()}")
        or environ.get("AWS_ENDPOINT_URL")
        or f"https://{service}.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"
    )
    source = credentials_from(environ, clock=clock)
    return Transport(endpoint, region, service, TARGET_PREFIXES[service], source, clock=clock)


def _document(answer: Answer) -> Document:
    """What the service said. Raises Refused for an error, Broken for an answer that cannot be relied on."""
    checksum = answer.headers.get("x-amz-crc32")
    if checksum is not None and checksum != str(zlib.crc32(answer.body)):
        raise Broken("the answer's checksum is wrong")
    if answer.status == 200:
        return _parsed(answer.body)
    try:
        document = _parsed(answer.body)
    except Broken:  # a proxy's page, perhaps
        document = {}
    code = str(document.get("__type") or document.get("code") or f"HTTP {answer.status}")
    message = str(document.get("message") or document.get("Message") or "")
    raise Refused(code.rpartition("#")[2].partition(":")[0], message, status=answer.status, document=document)


def _parsed(body: bytes) -> Document:
    if not body:
        return {}
    try:
        document, end = _raw_decode(text := body.decode().strip())
        if end != len(text):
            raise ValueError("more than one document")
    except ValueError as error:
        raise Broken(f"the answer is not JSON: {body[:40]!r}") from error
    if not isinstance(document, dict):
        raise Broken("the answer is not a JSON object")
    return document


_raw_decode = json.JSONDecoder().raw_decode  # what json.loads comes down to, at half its cost
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"


def http_date_ms(text: str) -> int | None:
    """`Tue, 03 Jun 2025 12:00:00 GMT` in milliseconds since the epoch; None for anything else. RFC 9110, 5.6.7."""
    from calendar import timegm  # noqa: PLC0415 (only a skewed clock ever needs it)

    try:
        _, day, month, year, clock, _ = text.split(" ")
        hour, minute, second = clock.split(":")
        return timegm((int(year), _MONTHS.index(month) // 3 + 1, int(day), int(hour), int(minute), int(second))) * 1000
    except ValueError:
        return None
