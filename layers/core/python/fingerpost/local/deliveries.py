"""Messages of a queue brought to a function, as Lambda's SQS event source does it."""

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
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
        return self.bring(messages) if messages else 0

    def bring(self, messages: Sequence[Message]) -> int:
        """Have messages consumed that were received; how many."""
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


class ManyAtOnce:
    """Messages of a queue brought to its function one by one, several at once. Each is hidden for `visibility_ms`."""

    def __init__(self, delivery: Delivery, *, at_once: int, visibility_ms: int):
        self._delivery, self._visibility_ms = delivery, visibility_ms
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix=delivery.name)
        self._free = threading.Semaphore(at_once)

    def step(self, patience_s: float) -> bool:
        """Begin with one message as soon as there is room, which is waited for a while; whether there was one."""
        if not self._free.acquire(timeout=patience_s):
            return True  # look again at once
        begun = False
        try:
            messages = self._delivery.queue.receive(1, self._visibility_ms)
            if messages:
                self._pool.submit(self._bring, messages)
                begun = True
        finally:
            if not begun:
                self._free.release()
        return begun

    def close(self, *, wait: bool = False) -> None:
        """Begin with nothing more. What has begun goes on; `wait` for its end."""
        self._pool.shutdown(wait=wait, cancel_futures=True)

    def _bring(self, messages: Sequence[Message]) -> None:
        try:
            self._delivery.bring(messages)
        except Exception as error:
            log_failure("a queue stumbled", error, queue=self._delivery.name)
        finally:
            self._free.release()
