"""Chromium without a window, driven by its keys as a reviewer would."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

WAIT_S = 120
PORTS = range(12_000, 30_000)
"""None of these is given to a program that asks for any free one."""


def missing() -> str | None:
    """Why there is no browser to test with, or None."""
    if importlib.util.find_spec("selenium") is None:
        return "needs the package 'selenium'"
    absent = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return (
        f"needs {' and '.join(absent)} on the PATH (Debian: apt-get install chromium chromium-driver)"
        if absent
        else None
    )


def free_port() -> int:
    """A port that nobody listens at, and that other processes with this function try last."""
    begin = os.getpid() * 8 % len(PORTS)
    for port in (*PORTS[begin:], *PORTS[:begin]):
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("localhost", port))
            return port
    raise AssertionError(f"no port from {PORTS.start} to {PORTS.stop} is free")


class Browser:
    """One browser with a profile of its own."""

    def __init__(self, downloads: Path) -> None:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        downloads.mkdir()
        self.downloads = downloads
        options = webdriver.ChromeOptions()
        options.binary_location = str(shutil.which("chromium"))
        for argument in ("--headless=new", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars"):
            options.add_argument(argument)
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            options.add_argument("--no-sandbox")
        options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = Service(str(shutil.which("chromedriver")), port=free_port())
        self.driver = webdriver.Chrome(options=options, service=service)
        self.resize(1360, 850)

    def close(self) -> None:
        self.driver.quit()

    def resize(self, width: int, height: int, *, scheme: str = "light", is_phone: bool = False) -> None:
        """A window of so many pixels whose system prefers ``scheme``."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone},
        )
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})

    def shoot(self, folder: Path, name: str) -> list[Path]:
        """What is on the screen now, wide and as on a phone, light and dark, as files for people to look at."""
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        for shape, width, height in (("wide", 1360, 850), ("phone", 390, 844)):
            for scheme in ("light", "dark"):
                self.resize(width, height, scheme=scheme, is_phone=shape == "phone")
                files.append(folder / f"{name}-{shape}-{scheme}.png")
                self.driver.save_screenshot(str(files[-1]))
        self.resize(1360, 850)
        return files

    def open(self, page: Path) -> None:
        self.driver.get(page.as_uri())

    def press(self, *keys: str) -> None:
        """The keys, one after the other, at whatever has the focus."""
        from selenium.webdriver import ActionChains

        ActionChains(self.driver, duration=0).send_keys(*keys).perform()

    def open_until(self, page: Path, css: str, text: str) -> None:
        """Opens the page, again where another process of Chromium has not yet handed over what it stored."""
        from selenium.webdriver.support.wait import WebDriverWait

        def is_there(_: object) -> bool:
            self.open(page)
            return self.text(css) == text

        WebDriverWait(self.driver, WAIT_S, 0.2).until(is_there)

    def reload_until(self, css: str, text: str) -> None:
        """Reloads the page, again where the process before has not yet handed over what it stored."""
        from selenium.webdriver.support.wait import WebDriverWait

        def is_there(_: object) -> bool:
            self.driver.refresh()
            return self.text(css) == text

        WebDriverWait(self.driver, WAIT_S, 0.2).until(is_there)

    def begin(self, page: Path, name: str = "Ada") -> None:
        """Opens the page and says who judges."""
        self.open(page)
        self.press(name, self.key("ENTER"))

    def key(self, name: str) -> str:
        from selenium.webdriver.common.keys import Keys

        return str(getattr(Keys, name))

    def find(self, css: str) -> Any:
        return self.driver.find_element("css selector", css)

    def text(self, css: str) -> str:
        """What the element shows to the eye."""
        return str(self.find(css).text)

    def told(self, css: str) -> str:
        """The words of a live region, which fade from the eye after some seconds."""
        return str(self.run("return document.querySelector(arguments[0]).textContent", css))

    def wait(self, script: str) -> None:
        """Until the script returns something true."""
        from selenium.webdriver.support.wait import WebDriverWait

        WebDriverWait(self.driver, WAIT_S, 0.05).until(lambda _: self.run(script))

    def run(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)

    def complaints(self) -> list[str]:
        """What the page wrote to the console, errors of the content policy included."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def downloaded(self, count: int = 1) -> list[Path]:
        """The finished downloads, once there are so many."""
        from selenium.webdriver.support.wait import WebDriverWait

        def found(_: object) -> list[Path]:
            files = sorted(self.downloads.iterdir())
            unfinished = [file for file in files if file.name.startswith(".") or file.suffix == ".crdownload"]
            return files if len(files) >= count and not unfinished else []

        return WebDriverWait(self.driver, WAIT_S, 0.05).until(found)
