"""Chromium, driven over its DevTools protocol: pages as people see them, by keyboard, as a screen reader is told them.

Source: https://chromedevtools.github.io/devtools-protocol/
"""

import base64
import itertools
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import pytest
from websockets.sync.client import ClientConnection, connect

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
PHONE, TABLET = (390, 844), (1280, 800)
WITHIN_SECONDS = 15
KEYS = {"Tab": 9, "Enter": 13, "Space": 32, "Escape": 27, "ArrowDown": 40}
needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine")


class Page:
    """One tab."""

    def __init__(self, call: Callable[..., Any], size: tuple[int, int]):
        self._call = call
        for domain in ("Page", "Runtime", "Accessibility", "Network", "Log"):
            call(f"{domain}.enable")
        self.resize(size)

    def resize(self, size: tuple[int, int]) -> None:
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self._call("Emulation.setDeviceMetricsOverride", **metrics)

    def scheme(self, name: Literal["light", "dark"]) -> None:
        self._call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def without_scripts(self) -> None:
        self._call("Emulation.setScriptExecutionDisabled", value=True)

    def cut_off(self) -> None:
        nothing = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self._call("Network.emulateNetworkConditions", offline=True, **nothing)

    def silence(self, *, on: bool) -> None:
        """What the page asks for from now on is never answered; until it is off again."""
        self._call("Fetch.enable" if on else "Fetch.disable")

    def open(self, url: str) -> None:
        self._call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def evaluate(self, expression: str) -> Any:
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, expression: str, seconds: float = WITHIN_SECONDS) -> float:
        """Until it is true; how long that took, in seconds."""
        began = time.monotonic()
        while True:
            try:
                if self.evaluate(expression):
                    return time.monotonic() - began
            except (AssertionError, RuntimeError):  # between two pages
                pass
            assert time.monotonic() - began < seconds, f"{expression} is not so within {seconds} seconds: {self.text}"
            time.sleep(0.01)

    @property
    def text(self) -> str:
        return str(self.evaluate("document.body.innerText"))

    @property
    def path(self) -> str:
        return str(self.evaluate("location.pathname + location.search"))

    def press(self, key: str, times: int = 1) -> None:
        code = KEYS[key]
        name = " " if key == "Space" else key
        text = {"Enter": "\r", "Space": " "}.get(key, "")
        for _ in range(times):
            down = {"key": name, "code": key, "windowsVirtualKeyCode": code, "text": text}
            self._call("Input.dispatchKeyEvent", type="keyDown", **down)
            self._call("Input.dispatchKeyEvent", type="keyUp", key=name, code=key, windowsVirtualKeyCode=code)

    def type(self, text: str) -> None:
        self._call("Input.insertText", text=text)

    @property
    def focused(self) -> str:
        """The words of what has the focus: its label, or its text."""
        named = "document.activeElement"
        return str(
            self.evaluate(f"({named}.labels?.[0] ?? {named}).innerText.replace(/\\s+/g, ' ').trim() || {named}.tagName")
        )

    def roles(self) -> list[tuple[str, str]]:
        """(role, name) of what a screen reader is told, in order."""
        nodes = self._call("Accessibility.getFullAXTree")["nodes"]
        told = [each for each in nodes if not each.get("ignored")]
        return [(each["role"]["value"], each.get("name", {}).get("value", "")) for each in told]

    def picture(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        shot = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))


@contextmanager
def browser() -> Iterator[Callable[..., Page]]:
    """Opens tabs: `new(size)`."""
    with TemporaryDirectory(prefix="chromium", ignore_cleanup_errors=True) as folder:  # its children write to the last
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        arguments += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
        where = [f"--user-data-dir={folder}", "--remote-debugging-port=0", "about:blank"]
        process = subprocess.Popen([CHROMIUM, *arguments, *where], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with connect(_address(Path(folder, "DevToolsActivePort")), max_size=None) as socket:
                yield lambda size=PHONE: _tab(socket, size)
        finally:
            process.terminate()
            process.wait(10)


_ids = itertools.count(1)


def _tab(socket: ClientConnection, size: tuple[int, int]) -> Page:
    context = _call(socket, "Target.createBrowserContext")["browserContextId"]  # cookies of its own
    target = _call(socket, "Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
    session = _call(socket, "Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    return Page(lambda method, **parameters: _call(socket, method, session, **parameters), size)


def _call(socket: ClientConnection, method: str, session: str | None = None, **parameters: Any) -> Any:
    number = next(_ids)
    message = {"id": number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
    socket.send(json.dumps(message))
    while True:  # events are passed by
        answer = json.loads(socket.recv(WITHIN_SECONDS))
        if answer.get("id") == number:
            if "error" in answer:
                raise RuntimeError(answer["error"]["message"])
            return answer["result"]


def _address(file: Path) -> str:
    ends = time.monotonic() + WITHIN_SECONDS
    while not (file.exists() and file.read_text().count("\n")):
        assert time.monotonic() < ends, "Chromium does not start"
        time.sleep(0.05)
    port, path = file.read_text().split("\n")[:2]
    return f"ws://127.0.0.1:{port}{path}"
