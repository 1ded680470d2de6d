"""Messages of a queue brought to a function, as Lambda's SQS event source does it."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fingerpost.local.log import log_failure
from fingerpost.ports.queue import MAX_RECEIVED, Message, Queue

type QueueEvent = dict[str, Any]


def queue_event(name: str, messages: Sequence[Message]) -> QueueEvent:
    """The event of a batch of messages. Source: AWS Lambda Developer Guide, "Using Lambda with Amazon SQS"."""
    return {
        "Records": [
            {
                "messageId": message.id,
                "receiptHandle": message.receipt,
                "body": message.body,
                "attributes": {"ApproximateReceiveCount": str(message.attempts)},
                "messageAttributes": {},
                "md5OfBody": hashlib.md5(message.body.encode(), usedforsecurity=False).hexdigest(),
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:local:000000000000:{name}",
                "awsRegion": "local",
            }
            for message in messages
        ]
    }


@dataclass(frozen=True, slots=True)
class Delivery:
    """One queue and the function it wakes. What fails stays in the queue, which counts its attempts."""

    name: str
    queue: Queue
    consume: Callable[[QueueEvent], Mapping[str, Any] | None]

    def step(self) -> int:
        """Receive and consume one batch; how many messages were received."""
        messages = self.queue.receive(MAX_RECEIVED)
        if not messages:
            return 0
        try:
            answer = self.consume(queue_event(self.name, messages)) or {}
            failed = {failure.get("itemIdentifier") for failure in answer.get("batchItemFailures") or []}
        except Exception as error:
            log_failure("a queue consumer failed", error, queue=self.name, messages=len(messages))
            return len(messages)
        if not failed <= {message.id for message in messages}:
            return len(messages)  # as in Lambda, an identifier it was not given fails the batch
        for message in messages:
            if message.id not in failed:
                self.queue.delete(message.receipt)
        return len(messages)
