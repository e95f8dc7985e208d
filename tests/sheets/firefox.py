"""Firefox without a window, driven over WebDriver BiDi, which it speaks itself: no driver has to be installed."""

from __future__ import annotations

import base64
import importlib.util
import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

WAIT_S = 120.0
LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
SETTINGS = {
    "remote.active-protocols": 1,
    "browser.download.folderList": 2,
    "browser.download.always_ask_before_handling_new_types": False,
    "browser.download.alwaysOpenPanel": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


def missing() -> str | None:
    """Why there is no Firefox to test with, or None."""
    if shutil.which("firefox") is None:
        return "needs firefox on the PATH (Debian: apt-get install firefox-esr)"
    return None if importlib.util.find_spec("websocket") else "needs the package 'websocket-client'"


class Firefox:
    """One browser with a profile of its own in ``folder``; downloads go to ``downloads`` there."""

    def __init__(self, folder: Path) -> None:
        import websocket

        self.downloads = folder / "downloads"
        profile = folder / "profile"
        for made in (self.downloads, profile):
            made.mkdir(parents=True)
        settings = {**SETTINGS, "browser.download.dir": str(self.downloads)}
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in settings.items()]
        (profile / "user.js").write_text("".join(lines))
        self._log = (folder / "firefox.log").open("w+")
        command = ["firefox", "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
        self._process = subprocess.Popen(command, stdout=self._log, stderr=subprocess.STDOUT)
        self._number = 0
        try:
            self._socket = websocket.create_connection(f"{self._address()}/session", WAIT_S, suppress_origin=True)
            self.call("session.new", capabilities={})
            self._context = self.call("browsingContext.getTree")["contexts"][0]["context"]
        except BaseException:
            self._end()
            raise

    def close(self) -> None:
        self._socket.close()
        self._end()

    def call(self, method: str, **parameters: Any) -> Any:
        """What the browser answers to one command of the protocol."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            reply = json.loads(self._socket.recv())
            if reply.get("id") == self._number:
                assert reply["type"] == "success", reply
                return reply["result"]

    def open(self, page: Path) -> None:
        self.call("browsingContext.navigate", context=self._context, url=page.as_uri(), wait="complete")

    def reload(self) -> None:
        self.call("browsingContext.reload", context=self._context, wait="complete")

    def reload_until(self, css: str, text: str) -> None:
        """Reloads the page, again where the process before has not yet handed over what it stored."""

        def is_there() -> bool | None:
            self.reload()
            return self.text(css) == text or None

        self._awaited(is_there)

    def resize(self, width: int, height: int) -> None:
        self.call("browsingContext.setViewport", context=self._context, viewport={"width": width, "height": height})

    def press(self, *texts: str) -> None:
        """Each character as a key; those of ``selenium.webdriver.Keys`` are characters, too. The page has them then.

        Firefox may say that it sent them before the page, in another process, has heard of the last.
        """
        actions = [
            {"type": kind, "value": key} for text in texts for key in text for kind in ("keyDown", "keyUp")
        ]  # fmt: skip
        self.call(
            "input.performActions", context=self._context, actions=[{"type": "key", "id": "keys", "actions": actions}]
        )
        self.run("new Promise(done => requestAnimationFrame(() => setTimeout(() => done(0))))")

    def run(self, expression: str) -> Any:
        """The value of an expression in the page, or of what it promises."""
        found = self.call(
            "script.evaluate", expression=f"Promise.resolve({expression}).then(JSON.stringify)",
            target={"context": self._context}, awaitPromise=True,
        )  # fmt: skip
        assert found["type"] == "success", found
        return json.loads(found["result"]["value"])

    def text(self, css: str) -> str:
        """What the element shows to the eye."""
        return str(self.run(f"document.querySelector({json.dumps(css)}).innerText"))

    def shoot(self, file: Path) -> Path:
        file.parent.mkdir(parents=True, exist_ok=True)
        picture = self.call("browsingContext.captureScreenshot", context=self._context)["data"]
        file.write_bytes(base64.b64decode(picture))
        return file

    def downloaded(self, count: int = 1) -> list[Path]:
        """The finished downloads, once there are so many."""

        def found() -> list[Path] | None:
            files = sorted(self.downloads.iterdir())
            whole = all(file.suffix != ".part" and file.stat().st_size for file in files)
            return files if len(files) >= count and whole else None

        return list(self._awaited(found))

    def _address(self) -> str:
        def found() -> str | None:
            self._log.seek(0)
            line = LISTENING.search(self._log.read())
            return line[1] if line else None

        return str(self._awaited(found))

    def _awaited(self, question: Any) -> Any:
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            answer = question()
            if answer is not None:
                return answer
            time.sleep(0.02)  # leaves the processor to what is waited for
        raise TimeoutError(f"Firefox: nothing after {WAIT_S} s")

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
