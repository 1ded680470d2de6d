"""The `Runner` on AWS: a Lambda function without permissions, with an execution environment for each tenant.

Source: "Tenant isolation", AWS Lambda. Such a function takes no events from queues or streams, so it is invoked.
"""

import json
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from ..clock import Clock, now_ms
from ..ports.runner import RunRequest, RunResult
from ..ports.table import Throttled, Unreachable
from ..reactor.transcript import Ending, call_of, result_of
from .blobs import SIGNING

ANSWER_SECONDS = 100  # more than the function's own timeout
LINK_SECONDS = 300

type Link = Callable[[str], str]  # an address at which a bundle can be read for a while, by its blob's name


class LambdaRunner:
    """`client` is boto3's of `lambda`; `function` the function's name or ARN."""

    def __init__(self, client: Any, function: str, link: Link, clock: Clock = now_ms):
        self._client, self._function, self._link, self._clock = client, function, link, clock

    def run(self, request: RunRequest) -> RunResult:
        asked = {
            "bundle": {"name": request.bundle, "url": self._link(request.bundle)},
            "call": call_of(request),
            "memoryMb": request.memory_mb,
        }
        try:
            answer = self._client.invoke(
                FunctionName=self._function, TenantId=request.tenant, Payload=json.dumps(asked).encode()
            )
            content = answer["Payload"].read()
        except (ConnectionError, HTTPClientError) as silence:
            raise Unreachable(f"Lambda: {silence}") from silence
        except ClientError as refusal:
            code, status = refusal.response["Error"]["Code"], refusal.response["ResponseMetadata"]["HTTPStatusCode"]
            if status == 429:
                raise Throttled(f"Lambda: {code}") from refusal
            if status >= 500:
                raise Unreachable(f"Lambda: {code}") from refusal
            raise
        if "FunctionError" in answer:  # the environment itself broke: out of memory, or out of time
            return RunResult(outcome="unavailable", detail=content.decode("utf-8", "replace")[:1000])
        said = json.loads(content)
        if "unavailable" in said:
            return RunResult(outcome="unavailable", detail=said["unavailable"])
        ending = Ending(
            kind=said["kind"], code=said["code"], complaint=said["complaint"], ms=said["ms"], at=self._clock()
        )
        return result_of(request, said["lines"], ending)


def lambda_runner(function: str, bucket: str) -> LambdaRunner:
    """Bundles are in `bucket`. A run is not repeated: what the caller's queue does with one that is lost is its own."""
    config = Config(connect_timeout=2, read_timeout=ANSWER_SECONDS, retries={"total_max_attempts": 1})
    s3 = boto3.client("s3", config=SIGNING)

    def link(name: str) -> str:
        wanted = {"Bucket": bucket, "Key": name}
        address: str = s3.generate_presigned_url("get_object", Params=wanted, ExpiresIn=LINK_SECONDS)
        return address

    return LambdaRunner(boto3.client("lambda", config=config), function, link)
