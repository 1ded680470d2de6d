"""Runs that wait on queue `reactor`: one function of one script, or one declarative rule, for one event."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Literal

from .. import wiring
from ..ports.queue import Queue

QUEUE = "reactor"
LANES = 3  # runs of one application that may go on at once: the queue hands out one message of a group at a time
MAX_CARRIED_BYTES = 200_000  # of a payload; a larger one waits as a blob beside its message
_PAYLOADS = "payloads"  # where those blobs are

type Payload = Mapping[str, Any]


class PayloadGone(Exception):
    """The blob with a run's payload is not there: the run waited longer than it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """`event` names the event, the same whenever its change is read again; a run is known by it, `app` and `name`."""

    event: str
    account: str
    project: str
    app: str
    function: str
    payload: Payload  # the event's document, as a function gets it
    at: int  # when it happened, milliseconds since the epoch
    cause: str
    chain: tuple[str, ...] = ()  # the runs that led to it, oldest first, itself not among them
    kind: Literal["script", "rule"] = "script"
    script: int = 0  # the script's version, or that of the rules, that the event met; what runs is the current one
    rule: str = ""  # which of the application's rules

    @property
    def name(self) -> str:
        """What runs, within its application; no function has a name as those of rules are."""
        return f"rule {self.rule}" if self.kind == "rule" else self.function

    @property
    def level(self) -> str:
        """How it stands in a chain."""
        return f"{self.app}:{self.name}"

    @property
    def id(self) -> str:
        """Its own name: 32 hexadecimal digits, the same whenever the event is read again."""
        return _digest(self.event, self.app, self.kind, self.name)


def send(queue: Queue, run: Run) -> None:
    """Put a run on the queue. Sending one twice does no harm.

    What is to be tried later cannot wait here, where runs come one after the other: see `send_later`.
    """
    queue.send(_json(_carried(run)), group=_group(run))


def send_later(work: Queue, run: Run, delay_ms: int) -> None:
    """Have a run put on its queue after a time (15 minutes at the most), which it waits on queue `work`."""
    task = {"do": "run", "account": run.account, "group": _group(run), "run": _carried(run)}
    work.send(_json(task), group=run.account, delay_ms=delay_ms)


def send_now(queue: Queue, task: Mapping[str, Any]) -> None:
    """The task of `send_later`, whose time has come."""
    queue.send(_json(task["run"]), group=task["group"])


def _carried(run: Run) -> dict[str, Any]:
    """A run as its message has it; a large payload is put beside it."""
    document = asdict(run)
    content = _json(document["payload"]).encode()
    if len(content) > MAX_CARRIED_BYTES:
        wiring.bundles().put_if_absent(_blob(run.id), content, content_type="application/json")
        document["payload"] = None
    return document


def _group(run: Run) -> str:
    return f"{run.app}.{int(run.id, 16) % LANES}"


def received(body: str) -> Run:
    """The run in a message. Raises PayloadGone."""
    document = json.loads(body)
    run = Run(**{**document, "chain": tuple(document["chain"]), "payload": document["payload"] or {}})
    if document["payload"] is not None:
        return run
    if (blob := wiring.bundles().get(_blob(run.id))) is None:
        raise PayloadGone(f"The event {run.event} for {run.level} is gone")
    return Run(**{**document, "chain": run.chain, "payload": json.loads(blob.content)})


def forget_payload(run: Run) -> None:
    """A run that is over needs its blob no more."""
    if len(_json(run.payload).encode()) > MAX_CARRIED_BYTES:
        wiring.bundles().delete(_blob(run.id))


def event_id(*parts: str) -> str:
    """The name of an event by what tells it from others: 32 hexadecimal digits."""
    return _digest(*parts)


def _blob(run_id: str) -> str:
    return f"{_PAYLOADS}/{run_id}.json"


def _json(document: Any) -> str:
    # ASCII: a queue cannot hold some characters that a document can
    return json.dumps(document, separators=(",", ":"))


def _digest(*parts: str) -> str:
    return sha256(json.dumps(parts).encode()).hexdigest()[:32]
