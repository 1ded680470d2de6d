from datetime import UTC, datetime
from unittest.mock import patch

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from fingerpost.aws.signing import CONTENT_TYPE, Credentials, Scope, keyed_hash, sign

visible = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
names = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20)
hosts = st.builds(
    lambda name, port: name if port is None else f"{name}:{port}",
    st.sampled_from(["dynamodb.eu-west-1.amazonaws.com", "127.0.0.1", "localhost", "sqs.cn-north-1.amazonaws.com.cn"]),
    st.none() | st.integers(1, 65535),
)


def botocore_headers(
    scope: Scope, target: str, body: bytes, credentials: Credentials, at: int, scheme: str
) -> dict[str, str]:
    request = AWSRequest(
        method="POST",
        url=f"{scheme}://{scope.host}/",
        data=body,
        headers={"Content-Type": CONTENT_TYPE, "X-Amz-Target": target, "Host": scope.host},
    )
    signer = botocore.auth.SigV4Auth(
        BotocoreCredentials(credentials.access_key, credentials.secret_key, credentials.token),
        scope.service,
        scope.region,
    )
    moment = datetime.fromtimestamp(at // 1000, UTC).replace(tzinfo=None)
    with patch("botocore.auth.get_current_datetime", return_value=moment):
        signer.add_auth(request)
    return dict(request.headers)


@settings(max_examples=100, deadline=None)
@given(
    host=hosts,
    region=names,
    service=names,
    target=st.from_regex(r"[A-Za-z0-9_]{1,20}\.[A-Za-z]{1,20}", fullmatch=True),
    body=st.binary(max_size=200) | st.text(max_size=100).filter(lambda text: text.isprintable()).map(str.encode),
    access_key=visible,
    secret_key=visible,
    token=st.none() | visible,
    at=st.integers(0, 4_102_444_800_000),
)
def test_a_signature_is_botocores(host, region, service, target, body, access_key, secret_key, token, at):
    scope, credentials = Scope(host, region, service), Credentials(access_key, secret_key, token)
    signature = sign(scope, target, body, credentials, at)
    theirs = botocore_headers(scope, target, body, credentials, at, "http")
    assert signature.date == theirs["X-Amz-Date"]
    assert signature.authorization == theirs["Authorization"]


@pytest.mark.parametrize("changed", ["host", "region", "service"])
def test_a_signature_is_good_for_its_scope_alone(changed):
    scope = {"host": "h", "region": "r", "service": "s"}
    credentials = Credentials("id", "secret")
    ours = sign(Scope(**scope), "T.A", b"{}", credentials, 0)
    assert sign(Scope(**scope | {changed: "x"}), "T.A", b"{}", credentials, 0).authorization != ours.authorization


def test_a_key_is_derived_once_a_day():
    keyed_hash.cache_clear()
    scope, credentials = Scope("h", "r", "s"), Credentials("id", "secret")
    for at in (0, 1000, 86_399_000, 86_400_000):
        sign(scope, "T.A", b"{}", credentials, at)
    assert keyed_hash.cache_info().misses == 2


def test_a_secret_is_not_in_what_is_printed():
    printed = repr(Credentials("AKID", "very-secret", "session-token"))
    assert "very-secret" not in printed
    assert "session-token" not in printed
