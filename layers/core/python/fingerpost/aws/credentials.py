"""Where the keys come from: Lambda's environment, a container's endpoint (SnapStart), elsewhere botocore's chain."""

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ..clock import Clock, now_ms
from .connection import Broken, Connection, Endpoint, Unsent
from .signing import Credentials

type CredentialSource = Callable[[], Credentials]  # asked for every request, so it must be cheap

RENEW_MS = 5 * 60_000  # renew this long before expiry
RETRY_MS = 10_000  # after a failed renewal, while the old key still serves
TIMEOUT_S = 2.0
ATTEMPTS = 3
ECS_HOST = "http://169.254.170.2"
# Plain http may carry a key only to oneself or to the link-local endpoints of ECS and EKS. Source: botocore, utils.py.
PLAIN_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"})


class NoCredentials(Exception):
    """No key can be found, or the endpoint that hands them out does not."""


def credentials_from(environ: Mapping[str, str], *, clock: Clock = now_ms) -> CredentialSource:
    """The first source that applies. `environ` is read at the first request, and by the container source at every
    renewal, never at import: a SnapStart snapshot is restored into another environment."""
    chosen: CredentialSource | None = None

    def credentials() -> Credentials:
        nonlocal chosen
        if chosen is None:
            chosen = _choose(environ, clock)
        return chosen()

    return credentials


def _choose(environ: Mapping[str, str], clock: Clock) -> CredentialSource:
    if environ.get("AWS_ACCESS_KEY_ID") and environ.get("AWS_SECRET_ACCESS_KEY"):
        fixed = Credentials(
            environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], environ.get("AWS_SESSION_TOKEN") or None
        )
        return lambda: fixed
    if environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI") or environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
        return Renewed(lambda: _from_container(environ), clock=clock)
    return _from_botocore()


class Renewed:
    """Temporary keys, fetched anew before they expire by the wall clock (a frozen environment's time counts)."""

    def __init__(self, fetch: CredentialSource, *, clock: Clock = now_ms):
        self._fetch, self._clock = fetch, clock
        self._current: Credentials | None = None
        self._renew_at = 0
        self._lock = threading.Lock()

    def __call__(self) -> Credentials:
        """Raises NoCredentials when there is no key that still serves."""
        current = self._current
        if current is not None and self._clock() < self._renew_at:
            return current
        with self._lock:
            if self._current is None or self._clock() >= self._renew_at:
                self._renew()
            assert self._current is not None
            return self._current

    def _renew(self) -> None:
        now = self._clock()
        try:
            fetched = self._fetch()
        except NoCredentials:
            expires_at = None if self._current is None else self._current.expires_at
            if expires_at is None or expires_at <= now:
                raise
            self._renew_at = now + RETRY_MS
            return
        self._current = fetched
        never = 1 << 62
        self._renew_at = never if fetched.expires_at is None else max(now + RETRY_MS, fetched.expires_at - RENEW_MS)


def _from_container(environ: Mapping[str, str]) -> Credentials:
    """One GET, as ECS, EKS and Lambda's SnapStart document it."""
    url = environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI") or (
        ECS_HOST + environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "")
    )
    scheme, _, rest = url.partition("://")
    authority, _, path = rest.partition("/")
    try:
        endpoint = Endpoint.parse(f"{scheme}://{authority}")
    except ValueError as error:
        raise NoCredentials(str(error)) from error
    if not endpoint.secure and endpoint.host not in PLAIN_HOSTS:
        raise NoCredentials(f"credentials are not asked for over plain http from {endpoint.host}")
    token = _container_token(environ)
    if any(character in f"{path}{token}" for character in "\r\n "):
        raise NoCredentials("the container's credentials address or token holds a line break or a space")
    authorization = f"Authorization: {token}\r\n" if token else ""
    request = (
        f"GET /{path} HTTP/1.1\r\nHost: {endpoint.authority}\r\nAccept: application/json\r\n"
        f"{authorization}Connection: close\r\n\r\n"
    ).encode("latin-1")
    failure: Exception | None = None
    for _ in range(ATTEMPTS):
        try:
            answer = Connection(endpoint, TIMEOUT_S).exchange(request, TIMEOUT_S)
        except (Unsent, Broken) as error:
            failure = error
            continue
        if answer.status != 200:
            failure = NoCredentials(f"the credentials endpoint answered {answer.status}")
            continue
        return _parsed(answer.body)
    raise NoCredentials(f"no answer from the credentials endpoint: {failure}") from failure


def _container_token(environ: Mapping[str, str]) -> str:
    if file := environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"):
        try:
            with open(file, encoding="ascii") as text:  # noqa: PTH123 - pathlib costs a cold start 5 ms
                return text.read().strip()
        except OSError as error:
            raise NoCredentials(f"cannot read the container's token: {error}") from error
    return environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")


def _parsed(body: bytes) -> Credentials:
    try:
        document: dict[str, Any] = json.loads(body)
        expiration = document.get("Expiration")
        return Credentials(
            document["AccessKeyId"],
            document["SecretAccessKey"],
            document.get("Token") or None,
            None if expiration is None else _iso_ms(expiration),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NoCredentials("the credentials endpoint's answer has not the documented shape") from error


def _iso_ms(text: str) -> int:
    from datetime import datetime  # noqa: PLC0415 (a renewal is rare, the import is not free)

    return int(datetime.fromisoformat(text).timestamp() * 1000)


def _from_botocore() -> CredentialSource:
    """Profiles, SSO, instance roles: a developer's machine. botocore renews what it finds by itself."""
    import botocore.session  # noqa: PLC0415 (200 ms of import that Lambda never needs)

    found = botocore.session.get_session().get_credentials()
    if found is None:
        raise NoCredentials("no AWS credentials in the environment, a container, a profile or an instance role")

    def credentials() -> Credentials:
        frozen = found.get_frozen_credentials()
        if not frozen.access_key or not frozen.secret_key:
            raise NoCredentials("botocore found an incomplete key")
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token)

    return credentials
