"""What a reader of the feed gave up on comes again, from objects as Lambda writes them."""

import io
import json

import boto3
import pytest
from moto import mock_aws

from fingerpost.aws.replay import replay

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:fingerpost-derive"


def batch(event, function=ARN):
    """Source: Lambda Developer Guide, "Retaining discarded batches for a DynamoDB event source in Lambda"."""
    return json.dumps(
        {
            "requestContext": {"functionArn": function, "condition": "RetryAttemptsExhausted"},
            "version": "1.0",
            "DDBStreamBatchInfo": {"batchSize": 1},
            "payload": json.dumps(event),
        }
    )


@pytest.fixture
def s3(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "replay")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="parked")
        yield client


def names(s3):
    return [each["Key"] for each in s3.list_objects_v2(Bucket="parked").get("Contents", ())]


class Functions:
    def __init__(self, answer, error=None):
        self.answer, self.error, self.asked = answer, error, []

    def invoke(self, *, FunctionName, Payload):
        self.asked.append((FunctionName, json.loads(Payload)))
        failed = {"FunctionError": self.error} if self.error else {}
        return {"Payload": io.BytesIO(json.dumps(self.answer).encode()), **failed}


def test_a_batch_goes_to_the_function_that_gave_it_up_and_is_then_deleted(s3):
    s3.put_object(Bucket="parked", Key="aws/lambda/a", Body=batch({"Records": [1]}))
    s3.put_object(Bucket="parked", Key="aws/lambda/b", Body=batch({"Records": [2]}, ARN + "2"))
    functions = Functions({"batchItemFailures": []})
    assert replay(s3, functions.invoke, "parked") == (2, [])
    assert functions.asked == [(ARN, {"Records": [1]}), (ARN + "2", {"Records": [2]})]
    assert names(s3) == []


@pytest.mark.parametrize(
    ("functions", "why"),
    [
        (Functions({"batchItemFailures": [{"itemIdentifier": "7"}]}), "1 of its records failed again"),
        (Functions({"errorMessage": "Task timed out"}, "Unhandled"), "Task timed out"),
    ],
)
def test_a_batch_that_fails_again_stays_and_is_named(s3, functions, why):
    s3.put_object(Bucket="parked", Key="aws/lambda/a", Body=batch({"Records": [1]}))
    taken, [line] = replay(s3, functions.invoke, "parked")
    assert (taken, line.startswith("aws/lambda/a: "), why in line) == (0, True, True)
    assert names(s3) == ["aws/lambda/a"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"requestContext": {}}', "\xff"])
def test_what_is_no_batch_stays_and_holds_up_no_other(s3, content):
    s3.put_object(Bucket="parked", Key="a", Body=content)
    s3.put_object(Bucket="parked", Key="b", Body=batch({"Records": []}))
    taken, [line] = replay(s3, Functions({"batchItemFailures": []}).invoke, "parked")
    assert (taken, "not a batch" in line, names(s3)) == (1, True, ["a"])
