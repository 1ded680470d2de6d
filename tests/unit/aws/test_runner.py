"""What Lambda says when it does not run a script, as the port says it."""

import io
import json

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber

from fingerpost.aws.runner import LambdaRunner, lambda_runner
from fingerpost.ports.runner import RunRequest
from fingerpost.ports.table import Throttled, Unreachable

REQUEST = RunRequest(
    bundle="reactor/a/1", tenant="U2DTQ8000app1PVhSp5eMGNd", function="f", payload={}, api_url="u", api_key="k", app={}
)


@pytest.fixture
def stubbed():
    client = boto3.client("lambda", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="s")
    with Stubber(client) as stubber:
        yield LambdaRunner(client, "runner", lambda name: f"https://bucket/{name}"), stubber


def body(document) -> StreamingBody:
    content = json.dumps(document).encode()
    return StreamingBody(io.BytesIO(content), len(content))


def test_a_run_names_its_tenant_and_where_its_bundle_is(stubbed):
    runner, stubber = stubbed
    asked = {"FunctionName": "runner", "TenantId": REQUEST.tenant, "Payload": ANY}
    lines = ['["log", "info", "hello", 5]', '["end", "done", ""]']
    said = {"lines": lines, "kind": "ended", "code": 0, "complaint": "", "ms": 7}
    stubber.add_response("invoke", {"StatusCode": 200, "Payload": body(said)}, asked)
    result = runner.run(REQUEST)
    assert (result.outcome, result.ms, result.logs[0].message) == ("done", 7, "hello")


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        ({"Payload": {"unavailable": "no bundle"}}, "no bundle"),
        ({"FunctionError": "Unhandled", "Payload": {"errorType": "Runtime.ExitError"}}, "Runtime.ExitError"),
    ],
)
def test_what_did_not_run_is_unavailable(stubbed, answer, detail):
    runner, stubber = stubbed
    stubber.add_response("invoke", {"StatusCode": 200, **answer, "Payload": body(answer["Payload"])})
    result = runner.run(REQUEST)
    assert result.outcome == "unavailable"
    assert detail in result.detail


@pytest.mark.parametrize(("status", "error"), [(429, Throttled), (500, Unreachable), (502, Unreachable)])
def test_a_refusal_is_the_ports_own(stubbed, status, error):
    runner, stubber = stubbed
    stubber.add_client_error("invoke", "Code", http_status_code=status)
    with pytest.raises(error):
        runner.run(REQUEST)


@pytest.mark.parametrize(
    "silence",
    [EndpointConnectionError(endpoint_url="https://lambda"), ReadTimeoutError(endpoint_url="https://lambda")],
)
def test_silence_is_unreachable_and_the_run_is_not_repeated(silence):
    class Silent:
        calls = 0

        def invoke(self, **_):
            self.calls += 1
            raise silence

    client = Silent()
    with pytest.raises(Unreachable):
        LambdaRunner(client, "runner", str).run(REQUEST)
    assert client.calls == 1


def test_the_link_to_a_bundle_is_signed_and_short_lived(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    runner = lambda_runner("runner", "bucket")
    link = runner._link("reactor/a/1/bundle.zip")
    assert "bucket" in link
    assert "Signature=" in link
    assert runner._client.meta.config.retries["total_max_attempts"] == 1
