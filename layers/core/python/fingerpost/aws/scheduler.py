"""The `Scheduler` over EventBridge Scheduler, which writes to the work queue itself. Source: its API reference.

It knows whole minutes of cron expressions; who takes the task waits for the second that is left.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from ..ports.scheduler import Once, Timing
from ..ports.table import Throttled, Unreachable

WHEN_IT_WAS_MEANT = "<aws.scheduler.scheduled-time>"  # which Scheduler fills in


class EventBridgeScheduler:
    """`client` is boto3's of `scheduler`. `role` may send to the queue whose ARN is `queue`."""

    def __init__(self, client: Any, *, group: str, queue: str, role: str):
        self._client, self._group, self._queue, self._role = client, group, queue, role

    def put(self, name: str, timing: Timing, task: Mapping[str, Any]) -> None:
        once = isinstance(timing, Once)
        wanted = {
            "Name": name,
            "GroupName": self._group,
            "ScheduleExpression": _at(timing.at) if isinstance(timing, Once) else timing.for_eventbridge,
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE" if once else "NONE",
            "Target": {
                "Arn": self._queue,
                "RoleArn": self._role,
                "Input": json.dumps({**task, "due": timing.at if isinstance(timing, Once) else WHEN_IT_WAS_MEANT}),
            },
        }
        try:
            self._call("create_schedule", wanted)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConflictException":
                raise
            self._call("update_schedule", wanted)

    def delete(self, name: str) -> None:
        with suppress(self._client.exceptions.ResourceNotFoundException):
            self._call("delete_schedule", {"Name": name, "GroupName": self._group})

    def _call(self, action: str, parameters: Mapping[str, Any]) -> None:
        try:
            getattr(self._client, action)(**parameters)
        except (ConnectionError, HTTPClientError) as silence:
            raise Unreachable(f"EventBridge Scheduler: {silence}") from silence
        except ClientError as refusal:
            code, status = refusal.response["Error"]["Code"], refusal.response["ResponseMetadata"]["HTTPStatusCode"]
            if code == "ThrottlingException":
                raise Throttled(f"EventBridge Scheduler: {code}") from refusal
            if status >= 500:
                raise Unreachable(f"EventBridge Scheduler: {code}") from refusal
            raise


def eventbridge_scheduler(*, group: str, queue: str, role: str) -> EventBridgeScheduler:
    return EventBridgeScheduler(boto3.client("scheduler"), group=group, queue=queue, role=role)


def _at(at: int) -> str:
    return f"at({datetime.fromtimestamp(at // 1000, UTC):%Y-%m-%dT%H:%M:%S})"
