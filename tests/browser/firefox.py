"""Firefox ESR, spoken to over Marionette: enough to open a page, fill a form and look. Playwright cannot drive it."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nginx_server import free_port

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
PREFERENCES = """\
user_pref("marionette.port", {port});
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("app.normandy.enabled", false);
user_pref("browser.safebrowsing.malware.enabled", false);
user_pref("browser.safebrowsing.phishing.enabled", false);
user_pref("services.settings.server", "data:,");
user_pref("app.update.enabled", false);
"""
"""Nothing of its own is asked for outside of this machine."""


class Firefox:
    """One window. Every method waits for Firefox's answer."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._rest = b""
        self._number = 0
        self._read()
        self.call("WebDriver:NewSession", {"capabilities": {"alwaysMatch": {}}})

    def call(self, name: str, parameters: dict[str, Any]) -> Any:
        self._number += 1
        message = json.dumps([0, self._number, name, parameters]).encode()
        self._connection.sendall(f"{len(message)}:".encode() + message)
        _, _, error, answer = self._read()
        if error:
            raise AssertionError(f"{name}: {error['error']}: {error['message']}")
        return answer

    def open(self, address: str) -> None:
        self.call("WebDriver:Navigate", {"url": address})

    def run(self, script: str, *arguments: Any) -> Any:
        """The value of a function's body in the page."""
        parameters = {"script": script, "args": list(arguments), "newSandbox": False}
        return self.call("WebDriver:ExecuteScript", parameters)["value"]

    def until(self, expression: str, seconds: float = 40.0) -> Any:
        """Wait until an expression in the page is true; returns it."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.run(f"return {expression}")
            if found:
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"never: {expression}\n{self.run('return document.body.innerText')}")
            time.sleep(0.05)

    def fill(self, name: str, value: str) -> None:
        """Type into the field of that name."""
        self.until(f"document.querySelector('[name={name}]')")
        element = self.call("WebDriver:FindElement", {"using": "css selector", "value": f"[name={name}]"})["value"]
        self.call("WebDriver:ElementSendKeys", {"id": next(iter(element.values())), "text": value})

    def press(self, words: str) -> None:
        """Click the button or link that says so."""
        find = "[...document.querySelectorAll('button, a')].find((each) => each.textContent.trim() === arguments[0])"
        self.run(f"{find}.click()", words)

    def _read(self) -> Any:
        while b":" not in self._rest:
            self._rest += self._receive()
        length, _, rest = self._rest.partition(b":")
        while len(rest) < int(length):
            rest += self._receive()
        self._rest = rest[int(length) :]
        return json.loads(rest[: int(length)])

    def _receive(self) -> bytes:
        received = self._connection.recv(65_536)
        assert received, "Firefox is gone"
        return received


@contextmanager
def firefox(profile: Path) -> Iterator[Firefox]:
    """A headless Firefox with a profile of its own."""
    assert FIREFOX is not None
    profile.mkdir()
    port = free_port()
    (profile / "user.js").write_text(PREFERENCES.format(port=port))
    command = [FIREFOX, "--headless", "--no-remote", "--marionette", "--profile", str(profile)]
    environment = {"HOME": str(profile), "MOZ_HEADLESS": "1", "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment) as process:
        try:
            with _connected(port, process) as connection:
                yield Firefox(connection)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _connected(port: int, process: "subprocess.Popen[bytes]") -> socket.socket:
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None, "Firefox did not start"
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=60)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "Firefox does not listen"
            time.sleep(0.1)
