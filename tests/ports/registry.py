"""An npm registry of a few packages, served on this machine. Source: "Package metadata", npm's registry API."""

import base64
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote


@dataclass
class Registry:
    """`packages` by name: the package.json and the files of one version of each."""

    packages: dict[str, tuple[dict[str, Any], bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""
    hanging: threading.Event | None = None  # until it is set, nothing is answered

    def add(self, name: str, files: Mapping[str, bytes], **manifest: Any) -> None:
        document = {"name": name, "version": "1.0.0", **manifest}
        self.packages[name] = document, tarball({"package.json": json.dumps(document).encode(), **files})

    def answer(self, path: str) -> bytes | None:
        self.asked.append(path)
        name, _, rest = path.partition("/-/")
        if name not in self.packages:
            return None
        document, content = self.packages[name]
        if rest:
            return content
        digest = base64.b64encode(hashlib.sha512(content).digest()).decode()
        dist = {"tarball": f"{self.url}/{name}/-/{name}-1.0.0.tgz", "integrity": f"sha512-{digest}"}
        version = {**document, "dist": dist}
        return json.dumps({"name": name, "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}).encode()


def tarball(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(f"package/{path}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


@contextmanager
def serving() -> Iterator[Registry]:
    registry = Registry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if registry.hanging is not None:
                registry.hanging.wait(60)
            content = registry.answer(unquote(self.path.partition("?")[0].lstrip("/")))
            self.send_response(200 if content is not None else 404)
            self.send_header("content-length", str(len(content or b"{}")))
            self.end_headers()
            self.wfile.write(content or b"{}")

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: `asked` is the log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    registry.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield registry
    finally:
        if registry.hanging is not None:
            registry.hanging.set()
        server.shutdown()
        server.server_close()
