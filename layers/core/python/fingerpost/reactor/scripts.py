"""The script of an application: every version that was uploaded, which of them is wanted, and which runs.

A version is wanted as soon as it is uploaded, and runs once it is installed (installing.py), unless another one is
wanted by then. One that cannot be installed changes nothing: what ran goes on running.
"""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from .. import audit, keys
from ..caller import Caller
from ..errors import Conflict, Finding, FingerpostError, NotFound
from ..ports.blobs import Blobs
from ..ports.queue import Queue
from ..ports.table import Absent, Check, Condition, Equals, Item, Page, Present, Put, Table, TransactionFailed, Write
from ..retry import attempts
from ..shapes import stamp, upgraded
from . import keys as own_keys
from . import published
from .targets import Target
from .upload import Upload, stored

ATTEMPTS = 8
ZIP = "application/zip"
INSTALLING, READY, FAILED = "installing", "ready", "failed"


class _Moved(Exception):
    """The row of the script is not as it was read."""


def upload(caller: Caller, of: Target, sent: Upload, blobs: Blobs, queue: Queue) -> Item:
    """Keep a script as the next version and have it installed; answers its row. Raises Conflict, NotFound."""
    content = sent.content
    source = f"{_home(caller.principal.account, of.app)}/{hashlib.sha256(content).hexdigest()[:32]}.source.zip"
    blobs.put_if_absent(source, content, content_type=ZIP)
    main = caller.tables.main
    for _ in attempts(ATTEMPTS):
        before = state(main, of.app)
        number = (before["newest"] if before else 0) + 1
        row = {
            **stamp("scriptVersion"),
            "number": number,
            "type": sent.form,
            "state": INSTALLING,
            "error": "",
            "warnings": _as_json(sent.filters.warnings),
            "source": source,
            "bundle": "",
            "bytes": len(content),
            "at": caller.at,
            "by": caller.principal.id,
            "actor": caller.principal.actor,
            "cause": caller.cause,
        }
        after = _state(before, newest=number, wanted=number, at=caller.at)
        told = audit.entry(caller, "upload", "script", of.app, _told(before), {"version": number, "type": sent.form})
        try:
            main.transact(
                [
                    Put(own_keys.script_version(of.app, number), row, (Absent(),)),
                    Put(own_keys.script(of.app), after, (_unchanged(before),)),
                    Check(keys.document(of.app), (Present(),)),
                    *told,
                ]
            )
        except TransactionFailed as failure:
            if failure.reasons[2].kind == "condition":
                raise NotFound(f"There is no application {of.app}") from failure
            continue
        task = {"account": caller.principal.account, "project": of.project, "app": of.app, "version": number}
        queue.send(json.dumps(task), group=caller.principal.account)
        return row
    raise _busy()


def roll_back(caller: Caller, of: Target, number: int, blobs: Blobs) -> Item:
    """Let a version run again, at once; answers its row. Raises NotFound, Conflict when it is not installed."""
    main, row = caller.tables.main, read_version(caller.tables.main, of.app, number)
    if row["state"] != READY:
        raise Conflict(f"Version {number} of this script is {row['state']}; only one that was installed can run")
    script = script_of(of.app, row, uploaded(row, blobs))
    for _ in attempts(ATTEMPTS):
        before = state(main, of.app)
        if before is None:
            raise NotFound(f"There is no version {number} of this script")
        after = _state(before, newest=before["newest"], wanted=number, at=caller.at, running=number)
        told = audit.entry(caller, "rollback", "script", of.app, _told(before), {"version": number})
        with suppress(_Moved):
            publish(main, of, script, before, after, told)
            return row
    raise _busy()


def publish(
    main: Table, of: Target, script: published.Script, before: Item, after: Item, more: Sequence[Write]
) -> None:
    """Let a script run from now on. Raises _Moved when the row is not `before` any more, Conflict, NotFound."""
    gone = NotFound(f"There is no application {of.app}")
    also: list[tuple[Write, FingerpostError]] = [
        (Put(own_keys.script(of.app), after, (_unchanged(before),)), _busy()),
        (Check(keys.document(of.app), (Present(),)), gone),
        *[(write, _busy()) for write in more],
    ]
    try:
        published.set_script(main, of.project, script, also)
    except Conflict as conflict:
        if state(main, of.app) != before:
            raise _Moved from conflict
        raise


def installed(main: Table, of: Target, row: Item, script: published.Script, *, at: int) -> None:
    """A version has been installed under a bundle's name; it runs if it is the one that is wanted."""
    ready = {**row, "state": READY, "error": "", "bundle": script.bundle}
    put = Put(own_keys.script_version(of.app, row["number"]), ready, (Equals("state", INSTALLING),))
    for _ in attempts(ATTEMPTS):
        before = state(main, of.app)
        if before is None:
            return  # the application is gone
        with suppress(_Moved, TransactionFailed):
            if before["wanted"] == row["number"]:
                after = _state(before, newest=before["newest"], wanted=row["number"], at=at, running=row["number"])
                publish(main, of, script, before, after, [put])
            else:
                main.transact([put, Check(own_keys.script(of.app), (_unchanged(before),))])
            return
    raise _busy()


def failed(main: Table, of: Target, row: Item, error: str) -> None:
    """A version could not be installed, and why; what runs goes on."""
    put = Put(
        own_keys.script_version(of.app, row["number"]),
        {**row, "state": FAILED, "error": error[:2_000]},
        (Equals("state", INSTALLING),),
    )
    with suppress(TransactionFailed):  # it was installed meanwhile, or is gone
        main.transact([put])


def state(main: Table, app: str) -> Item | None:
    """Which version is wanted and which runs; None before there was one. One consistent read."""
    item = main.get(own_keys.script(app), consistent=True)
    return None if item is None else upgraded(item)


def read_version(main: Table, app: str, number: int) -> Item:
    """The row of one version. Raises NotFound."""
    item = main.get(own_keys.script_version(app, number), consistent=True)
    if item is None:
        raise NotFound(f"There is no version {number} of this script")
    return upgraded(item)


def newest_versions(main: Table, app: str, *, limit: int, after: str | None = None) -> Page:
    """Version rows, newest first."""
    partition = own_keys.script_version(app, 0).pk
    return main.query(partition, low="v#", high="v#:", descending=True, limit=limit, after=after, consistent=True)


def uploaded(row: Item, blobs: Blobs) -> Upload:
    """What was uploaded as a version."""
    blob = blobs.get(row["source"])
    if blob is None:
        raise NotFound(f"What was uploaded as version {row['number']} is gone")
    return stored(row["type"], blob.content)


def script_of(app: str, row: Item, sent: Upload) -> published.Script:
    """A version as it is published."""
    return published.Script(
        app=app,
        version=row["number"],
        bundle=row["bundle"],
        functions=sent.functions,
        filters=sent.filters.by_function,
    )


def bundle_name(account: str, app: str, content: bytes) -> str:
    """The name of the blob with an installed bundle; versions that are the same share one."""
    return f"{_home(account, app)}/{hashlib.sha256(content).hexdigest()[:32]}.bundle.zip"


def warnings_of(row: Item) -> list[Any]:
    """The findings about a version's filters, as documents."""
    found: list[Any] = json.loads(row["warnings"])
    return found


def _home(account: str, app: str) -> str:
    """Where an application's blobs are. Ids have capitals and names of blobs have not, so it is a digest."""
    return f"reactor/{hashlib.sha256(f'{account}/{app}'.encode()).hexdigest()[:32]}"


def _state(before: Item | None, *, newest: int, wanted: int, at: int, running: int | None = None) -> Item:
    return {
        **stamp("script"),
        "v": (before["v"] if before else 0) + 1,
        "newest": newest,
        "wanted": wanted,
        "running": running if running is not None else before["running"] if before else 0,
        "created": before["created"] if before else at,
        "updated": at,
    }


def _unchanged(before: Item | None) -> Condition:
    return Absent() if before is None else Equals("v", before["v"])


def _told(before: Item | None) -> Any:
    return None if before is None else {"version": before["wanted"]}


def _as_json(findings: Sequence[Finding]) -> str:
    return json.dumps([each.document() for each in findings], ensure_ascii=False, separators=(",", ":"))


def _busy() -> Conflict:
    return Conflict("This script keeps changing; send the request again")
