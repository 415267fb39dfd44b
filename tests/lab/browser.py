"""Headless chromium, spoken to by the DevTools protocol: opens a page, records its requests and complaints, takes pictures."""

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
    """A tab of the browser, with its `requests` and `complaints` so far."""

    socket: ClientConnection
    requests: list[str] = field(default_factory=list)
    complaints: list[dict[str, Any]] = field(default_factory=list)
    number: int = 0
    loaded: bool = False

    def do(self, method: str, **parameters: Any) -> Any:
        """Raises RuntimeError for what the browser refuses."""
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while (message := json.loads(self.socket.recv(30))).get("id") != self.number:
            self._handle(message)
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']}")
        return message["result"]

    def value(self, script: str) -> Any:
        return self.do("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def open(self, address: str, width: int, height: int, scheme: str = "light") -> None:
        """At this size of a screen, until the page is loaded."""
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.loaded = False
        self.do("Page.navigate", url=address)
        while not self.loaded:
            self._handle(json.loads(self.socket.recv(30)))

    def picture(self, *, whole: bool = False, clip: dict[str, float] | None = None) -> bytes:
        """PNG of what is seen, of the whole page, or of a part of it."""
        more = {"clip": {**clip, "scale": 1}} if clip else {}
        return base64.b64decode(self.do("Page.captureScreenshot", format="png", captureBeyondViewport=whole or bool(clip), **more)["data"])

    def _handle(self, message: dict[str, Any]) -> None:
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
            case "Page.loadEventFired":
                self.loaded = True
            case method if method in COMPLAINTS:
                self.complaints.append(message["params"])


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
            tab = Page(socket)
            for domain in ("Page", "Network", "Runtime", "Log"):
                tab.do(f"{domain}.enable")
            yield tab
    finally:
        running.terminate()
        running.wait(10)


def _address(port_file: Path, running: subprocess.Popen[bytes]) -> str:
    """Of the first tab."""
    import urllib.request

    deadline = time.monotonic() + 60
    while not port_file.exists() or len(port_file.read_text().split()) < 2:
        assert running.poll() is None, "the browser ended"
        assert time.monotonic() < deadline, "the browser does not listen"
        time.sleep(0.05)
    port = port_file.read_text().split()[0]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=30) as answer:
        return next(target["webSocketDebuggerUrl"] for target in json.load(answer) if target["type"] == "page")
