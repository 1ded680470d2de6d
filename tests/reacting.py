"""Reactor scripts on a local server: published, started by what happens, and what their logs say."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fingerpost import keys
from fingerpost.local.blobs import FolderBlobs
from fingerpost.local.queue import local_queue
from fingerpost.local.table import local_tables
from fingerpost.reactor import published, runs
from fingerpost.reactor.bundles import pack
from fingerpost.reactor.published import Filter, Script
from fingerpost.rules.compile import compile_match
from fingerpost.rules.fields import REACTOR
from fingerpost.rules.nodes import to_json
from tests.running import Server

SCRIPTS = Path(__file__).parent / "scripts"
HANDLERS = ("onActionCreated", "onThngPropertiesChanged", "onProductPropertiesChanged", "onScheduledEvent")
PATIENCE_SECONDS = 60


class Application:
    """An application of its own project on a running server."""

    def __init__(self, server: Server, name: str = "Reacting"):
        self.server = server
        self.folder = server.home / ".fingerpost"
        self.tables = local_tables(self.folder)
        self.account = server.ask("/access")["account"]
        self.project = server.ask("/projects", {"name": name})["id"]
        made = server.ask(f"/projects/{self.project}/applications", {"name": name})
        self.id = made["id"]
        self.key: str = server.ask(f"/projects/{self.project}/applications/{self.id}/secretKey")["secretApiKey"]

    def publish(self, script: str, *, more: Mapping[str, str] | None = None, **replaced: str) -> None:
        """Let a script of tests/scripts run, with `$NAME` replaced in it and `more` files."""
        files = {
            str(path.relative_to(SCRIPTS / script)): path.read_text() for path in (SCRIPTS / script).rglob("*.js*")
        } | dict(more or {})
        for name, value in replaced.items():
            files["main.js"] = files["main.js"].replace(f"${name.upper()}", value)
        content = pack((path, text.encode()) for path, text in sorted(files.items()))
        bundle = f"reactor/{self.id.encode().hex()}/{abs(hash(content))}/bundle.zip"
        FolderBlobs(self.folder / "bundles").put_if_absent(bundle, content, content_type="application/zip")
        made = Script(
            app=self.id, version=1, bundle=bundle, functions=HANDLERS, filters=dict(_filters(files["main.js"]))
        )
        published.set_script(self.tables.of(self.account).main, self.project, made)

    def thng(self, **fields: Any) -> str:
        made: str = self.server.ask(f"/thngs?project={self.project}", {"name": "Pallet", **fields})["id"]
        return made

    def act(self, kind: str, thng: str, **fields: Any) -> None:
        self.server.ask(f"/actions/{kind}?project={self.project}", {"thng": thng, "customFields": fields})

    def set(self, thng: str, key: str, value: Any) -> None:
        self.server.ask(f"/thngs/{thng}/properties/{key}", [{"value": value}], method="PUT")

    def schedule(self, payload: Mapping[str, Any]) -> None:
        """As a schedule does whose time has come."""
        run = runs.Run(
            event=runs.event_id("schedule", str(time.time_ns())),
            account=self.account,
            project=self.project,
            app=self.id,
            function="onScheduledEvent",
            payload=payload,
            at=time.time_ns() // 1_000_000,
            cause="schedule",
        )
        runs.send(local_queue(self.folder, runs.QUEUE, ordered=True), run)

    def log(self, *, trace: bool = False) -> list[tuple[str, str]]:
        """(level, message) of each entry, oldest first."""
        rows = self.tables.of(self.account).log.query(keys.reactor_logs(self.id), limit=1_000).rows
        entries = [(row.item["level"], row.item["message"]) for row in rows]
        return [each for each in entries if trace or each[0] != "trace"]

    def begun(self) -> None:
        """Return when a run has begun."""
        for _ in range(PATIENCE_SECONDS * 50):
            if self.log(trace=True):
                return
            time.sleep(0.02)
        raise AssertionError("nothing began")

    def logged(self, count: int = 1) -> list[tuple[str, str]]:
        """The log as soon as it has so many entries beside the platform's own."""
        for _ in range(PATIENCE_SECONDS * 50):
            if len(entries := self.log()) >= count:
                return entries
            time.sleep(0.02)
        raise AssertionError(f"only {self.log(trace=True)}; {(self.server.home / 'log').read_text()[-3000:]}")


def _filters(main: str) -> Any:
    for line in main.splitlines():
        _, found, rest = line.partition("@filter(")
        if found:
            function, _, text = rest.partition(") ")
            yield function, Filter(text, to_json(compile_match(text, REACTOR).node))
