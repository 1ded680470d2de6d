"""Reactor scripts on a local server: uploaded, installed, started by what happens, and what their logs say."""

import io
import json
import time
import urllib.request
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fingerpost import keys
from fingerpost.local.table import local_tables
from tests.running import Server

SCRIPTS = Path(__file__).parent / "scripts"
PATIENCE_SECONDS = 60
MAIN, MANIFEST = "main.js", "package.json"


class Application:
    """An application of its own project on a running server."""

    def __init__(self, server: Server, name: str = "Reacting"):
        self.server = server
        self.folder = server.home / ".fingerpost"
        self.tables = local_tables(self.folder)
        self.account = server.ask("/access")["account"]
        self.project = server.ask("/projects", {"name": name})["id"]
        self.id = server.ask(f"/projects/{self.project}/applications", {"name": name})["id"]
        self.path = f"/projects/{self.project}/applications/{self.id}"
        self.key: str = server.ask(f"{self.path}/secretKey")["secretApiKey"]

    def publish(self, script: str, *, manifest: str = "", **replaced: str) -> None:
        """Upload a script of tests/scripts, with `$NAME` replaced in its main.js; return when it is installed.

        One of several files goes as a bundle, others in the simple form.
        """
        paths = [path for path in (SCRIPTS / script).rglob("*") if path.is_file()]
        files = {str(path.relative_to(SCRIPTS / script)): path.read_text() for path in paths}
        for name, value in replaced.items():
            files[MAIN] = files[MAIN].replace(f"${name.upper()}", value)
        if manifest:
            files[MANIFEST] = manifest
        if files.keys() - {MAIN, MANIFEST}:
            self._upload(files)
        else:
            sent = {"script": files[MAIN], "manifest": files.get(MANIFEST, "")}
            self.server.ask(f"{self.path}/reactor/script", sent, method="PUT")
        status = self.soon(lambda: self._status(updating=False), "the script is being installed")
        assert (status["running"], status["warnings"]) == (status["version"], []), status

    def thng(self, **fields: Any) -> str:
        made: str = self.server.ask(f"/thngs?project={self.project}", {"name": "Pallet", **fields})["id"]
        return made

    def act(self, kind: str, thng: str, **fields: Any) -> None:
        self.server.ask(f"/actions/{kind}?project={self.project}", {"thng": thng, "customFields": fields})

    def set(self, thng: str, key: str, value: Any) -> None:
        self.server.ask(f"/thngs/{thng}/properties/{key}", [{"value": value}], method="PUT")

    def schedule(self, event: Mapping[str, Any]) -> None:
        """For a moment from now."""
        at = time.time_ns() // 1_000_000 + 500
        self.server.ask(f"{self.path}/reactor/schedules", {"executeAt": at, "event": event}, key=self.key)

    def log(self, *, trace: bool = False) -> list[tuple[str, str]]:
        """(level, message) of the first hundred entries, oldest first."""
        only = "" if trace else "&filter=logLevel!=trace"
        found = self.server.ask(f"{self.path}/reactor/logs?perPage=100&sortOrder=ASCENDING{only}")
        return [(each["logLevel"], each["message"]) for each in found]

    def whole_log(self) -> list[tuple[str, str]]:
        """All of it, from the store."""
        rows = self.tables.of(self.account).log.query(keys.reactor_logs(self.id), limit=1_000).rows
        return [(row.item["level"], row.item["message"]) for row in rows]

    def actions(self, kind: str) -> list[dict[str, Any]]:
        """The project's actions of a type as soon as there are some: lists follow the feed."""

        def found() -> list[dict[str, Any]]:
            listed: list[dict[str, Any]] = self.server.ask(f"/actions/{kind}?project={self.project}")
            return listed

        return self.soon(found, f"no {kind} is listed")

    def begun(self) -> None:
        """Return when a run has begun."""
        self.soon(lambda: self.log(trace=True), "nothing has begun")

    def logged(self, count: int = 1) -> list[tuple[str, str]]:
        """The log as soon as it has so many entries beside the platform's own."""

        def enough() -> list[tuple[str, str]] | None:
            entries = self.log()
            return entries if len(entries) >= count else None

        return self.soon(enough, f"fewer than {count} entries")

    def _status(self, *, updating: bool) -> Any:
        status = self.server.ask(f"{self.path}/reactor/script/status")
        return status if status["updating"] == updating else None

    def soon[T](self, look: Callable[[], T | None], complaint: str) -> T:
        """What `look` finds, as soon as it finds something."""
        for _ in range(PATIENCE_SECONDS * 50):
            if found := look():
                return found
            time.sleep(0.02)
        said = (self.server.home / "log").read_text()[-3000:]
        raise AssertionError(f"{complaint}: {self.log(trace=True)}; {said}")

    def _upload(self, files: Mapping[str, str]) -> None:
        """As the platform's own command line does."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for path, text in files.items():
                archive.writestr(path, text)
        mark = "----bundle"
        named = 'Content-Disposition: form-data; name="file"; filename="bundle.zip"'
        head = f"--{mark}\r\n{named}\r\nContent-Type: application/zip\r\n\r\n"
        request = urllib.request.Request(
            f"{self.server.api}{self.path}/reactor/script",
            data=head.encode() + packed.getvalue() + f"\r\n--{mark}--\r\n".encode(),
            headers={"authorization": self.server.key, "content-type": f"multipart/form-data;; boundary={mark}"},
            method="PUT",
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert json.load(answer)["type"] == "bundle"
