"""`python -m fingerpost.aws.replay`: hand what the feed's readers gave up on to them once more.

Lambda leaves each batch as an object that holds the whole event. Source: Lambda Developer Guide, "Retaining discarded
batches for a DynamoDB event source in Lambda". A change that was taken before does nothing twice, so a replay is safe
to repeat and to interrupt.
"""

import argparse
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import boto3

from .deployed import NoStack, stack_outputs

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client


type Invoke = Callable[..., dict[str, Any]]  # a Lambda client's


class BadBatch(Exception):
    """An object that is no batch of ours, or that its reader still cannot take."""


def replay(s3: "S3Client", invoke: Invoke, bucket: str) -> tuple[int, list[str]]:
    """How many batches were taken, and deleted; and a line for each that stays."""
    taken, stay = 0, []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for listed in page.get("Contents", ()):
            name = listed["Key"]
            try:
                _hand_over(invoke, s3.get_object(Bucket=bucket, Key=name)["Body"].read())
            except BadBatch as reason:
                stay.append(f"{name}: {reason}")
                continue
            s3.delete_object(Bucket=bucket, Key=name)
            taken += 1
    return taken, stay


def _hand_over(invoke: Invoke, content: bytes) -> None:
    """Raises BadBatch."""
    try:
        parked: dict[str, Any] = json.loads(content)
        function, payload = parked["requestContext"]["functionArn"], parked["payload"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadBatch(f"not a batch that Lambda set aside: {error!r}") from error
    answer = invoke(FunctionName=function, Payload=payload)
    said = answer["Payload"].read().decode()
    if answer.get("FunctionError"):
        raise BadBatch(f"the function raised: {said[:200]}")
    if failures := json.loads(said)["batchItemFailures"]:
        raise BadBatch(f"{len(failures)} of its records failed again")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m fingerpost.aws.replay", description=__doc__)
    parser.add_argument("--stack", default="fingerpost", help="its name in CloudFormation (default: fingerpost)")
    try:
        outputs = stack_outputs(parser.parse_args(arguments).stack)
    except NoStack as error:
        sys.stderr.write(f"{error}\n")
        return 1
    functions: Any = boto3.client("lambda")
    taken, stay = replay(boto3.client("s3"), functions.invoke, outputs["ParkedChanges"])
    sys.stdout.write("".join(f"{line}\n" for line in [*stay, f"{taken} batches were taken, {len(stay)} stay"]))
    return 1 if stay else 0


if __name__ == "__main__":
    sys.exit(main())
