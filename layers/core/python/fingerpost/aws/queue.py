"""The `Queue` port over an SQS queue: a standard one, fair by message group, or an ordered one, of kind FIFO.

A FIFO queue is to tell messages apart by their content (`ContentBasedDeduplication`), each group's on its own.

It speaks through the small transport, so that the redirect can spill a scan without importing boto3.
"""

from ..ports.queue import MAX_RECEIVED, Message, check_message, check_receive
from ..ports.table import Throttled, Unreachable
from .transport import DEADLINE_MS, Document, NoAnswer, Refused, Transport


class SqsQueue:
    """May be shared by threads. Calls raise the store's own Throttled and Unreachable."""

    def __init__(self, url: str, transport: Transport, *, deadline_ms: int = DEADLINE_MS):
        self._url, self._transport, self._deadline_ms = url, transport, deadline_ms
        self._ordered = url.endswith(".fifo")

    def send(self, body: str, *, group: str = "", delay_ms: int = 0) -> None:
        """After a lost answer it is sent again, so it may arrive twice: the port promises at least once."""
        check_message(body, group, delay_ms, ordered=self._ordered)
        payload: Document = {"MessageBody": body}
        if not self._ordered:
            payload["DelaySeconds"] = _seconds(delay_ms)
        if group:
            payload["MessageGroupId"] = group
        self._call("SendMessage", payload)

    def receive(self, limit: int = MAX_RECEIVED, visibility_ms: int = 30_000) -> list[Message]:
        check_receive(limit, visibility_ms)
        answer = self._call(
            "ReceiveMessage",
            {
                "MaxNumberOfMessages": limit,
                "VisibilityTimeout": _seconds(visibility_ms),
                "WaitTimeSeconds": 0,
                "MessageSystemAttributeNames": ["ApproximateReceiveCount"],
            },
        )
        return [_message(found) for found in answer.get("Messages") or ()]

    def delete(self, receipt: str) -> None:
        try:
            self._call("DeleteMessage", {"ReceiptHandle": receipt})
        except Refused as refusal:
            if refusal.code != "ReceiptHandleIsInvalid":  # the message is gone
                raise

    def _call(self, action: str, payload: Document) -> Document:
        try:
            return self._transport.call(action, {"QueueUrl": self._url, **payload}, deadline_ms=self._deadline_ms)
        except NoAnswer as silence:
            raise Unreachable(str(silence)) from silence
        except Refused as refusal:
            if refusal.throttled:
                raise Throttled(str(refusal)) from refusal
            raise


class SqsDeadLetters(SqsQueue):
    """The `DeadLetters` port over a dead-letter queue; its URL is the one given."""

    def dead(self, limit: int = MAX_RECEIVED) -> list[Message]:
        """SQS samples its servers, so one call may miss some. Each look counts as an attempt, too."""
        found = self.receive(limit, 0)
        return list({message.id: message for message in found}.values())

    def redrive(self) -> int:
        """Starts a move that SQS finishes by itself; answers the approximate number of messages it found there."""
        answer = self._call("GetQueueAttributes", {"AttributeNames": ["QueueArn", "ApproximateNumberOfMessages"]})
        attributes = answer["Attributes"]
        waiting = int(attributes["ApproximateNumberOfMessages"])
        if waiting:
            self._call("StartMessageMoveTask", {"SourceArn": attributes["QueueArn"]})
        return waiting


def _seconds(duration_ms: int) -> int:
    return -(-duration_ms // 1000)


def _message(found: Document) -> Message:
    attempts = int(found.get("Attributes", {}).get("ApproximateReceiveCount", 1))
    return Message(found["MessageId"], found["Body"], found["ReceiptHandle"], attempts)
