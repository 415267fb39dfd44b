"""Headless chromium, spoken to by the DevTools protocol: opens a page, tells what it asked for and complained about, takes pictures."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-port=0", "--no-first-run")
COMPLAINTS = {"Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"}


def installed() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


@dataclass
class Page:
    """`requests` and `complaints` so far; a page speaks in the order of its events."""

    socket: ClientConnection
    requests: list[str] = field(default_factory=list)
    complaints: list[dict[str, Any]] = field(default_factory=list)
    number: int = 0
    loaded: bool = False

    def do(self, method: str, **parameters: Any) -> Any:
        """Raises RuntimeError for what the browser refuses."""
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while (told := json.loads(self.socket.recv(30))).get("id") != self.number:
            self._hear(told)
        if "error" in told:
            raise RuntimeError(f"{method}: {told['error']}")
        return told["result"]

    def value(self, script: str) -> Any:
        return self.do("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def open(self, address: str, width: int, height: int, scheme: str = "light") -> None:
        """At this size of a screen, until the page is loaded."""
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.loaded = False
        self.do("Page.navigate", url=address)
        while not self.loaded:
            self._hear(json.loads(self.socket.recv(30)))

    def picture(self, *, whole: bool = False, clip: dict[str, float] | None = None) -> bytes:
        """PNG of what is seen, of the whole page, or of a part of it."""
        more = {"clip": {**clip, "scale": 1}} if clip else {}
        return base64.b64decode(self.do("Page.captureScreenshot", format="png", captureBeyondViewport=whole or bool(clip), **more)["data"])

    def _hear(self, told: dict[str, Any]) -> None:
        match told.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(told["params"]["request"]["url"])
            case "Page.loadEventFired":
                self.loaded = True
            case method if method in COMPLAINTS:
                self.complaints.append(told["params"])


@contextmanager
def page(directory: Path) -> Iterator[Page]:
    """A browser of its own; `directory` is for its profile."""
    program = installed()
    assert program is not None
    log = directory / "browser.log"
    with log.open("wb") as out:
        running = subprocess.Popen([program, *FLAGS, f"--user-data-dir={directory / 'profile'}", "about:blank"], stderr=out, stdout=out)
    try:
        with connect(_address(directory / "profile" / "DevToolsActivePort", running), max_size=None) as socket:
            opened = Page(socket)
            for domain in ("Page", "Network", "Runtime", "Log"):
                opened.do(f"{domain}.enable")
            yield opened
    finally:
        running.terminate()
        running.wait(10)


def _address(told: Path, running: subprocess.Popen[bytes]) -> str:
    """Of the first tab."""
    import urllib.request

    deadline = time.monotonic() + 60
    while not told.exists() or len(told.read_text().split()) < 2:
        assert running.poll() is None, "the browser ended"
        assert time.monotonic() < deadline, "the browser does not listen"
        time.sleep(0.05)
    port = told.read_text().split()[0]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=30) as answer:
        return next(target["webSocketDebuggerUrl"] for target in json.load(answer) if target["type"] == "page")
