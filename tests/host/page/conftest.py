"""A real browser (Debian's chromium and its driver), and pages in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.keys import Keys

from buildtel.job import JobDocument
from buildtel.page.form_html import html
from buildtel.report.job_view import JobView

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars")
NO_NETWORK = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}


@dataclass
class Browser:
    """A browser without network."""

    driver: webdriver.Chrome
    folder: Path

    def open(self, page: str, *, width: int = 1280, dark: bool = False, scripts: bool = True, media: str = "") -> None:
        """Load a page."""
        path = self.folder / "page.html"
        path.write_text(page, encoding="utf-8")
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.command("Emulation.setDeviceMetricsOverride", size)
        self.command("Emulation.setEmulatedMedia", {"media": media, "features": scheme})
        self.command("Emulation.setScriptExecutionDisabled", {"value": not scripts})
        self.driver.get("about:blank")
        self.messages()
        self.driver.get(path.as_uri())

    def open_document(self, document: JobDocument, **how: Any) -> None:
        """Load the page of a document."""
        self.open(html(JobView(document)), **how)

    def command(self, name: str, words: dict[str, Any]) -> Any:
        """A command of Chrome's protocol."""
        return self.driver.execute_cdp_cmd(name, words)

    def messages(self) -> list[str]:
        """What the console has said since it was asked."""
        return [str(entry["message"]) for entry in self.driver.get_log("browser")]

    def eval(self, expression: str) -> Any:
        """The value of an expression; it works where the page's scripts are off, too."""
        answer = self.command(
            "Runtime.evaluate", {"expression": expression, "returnByValue": True, "awaitPromise": True}
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, *keys: str) -> None:
        """Press keys one after the other, on what has the focus."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def escape(self) -> None:
        """Press Esc."""
        self.press(Keys.ESCAPE)

    def view(self) -> tuple[float, float]:
        """The part of time that is shown, in seconds."""
        start, end = str(self.eval("document.querySelector('#time').dataset.shown")).split()
        return float(start), float(end)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser for the tests of a module."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("no chromium with its driver here: install the packages of tests/apt-packages.txt")
    folder = tmp_path_factory.mktemp("browser")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS, f"--user-data-dir={folder}/profile"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    running = webdriver.Chrome(options=options, service=Service(driver))
    try:
        running.execute_cdp_cmd("Network.enable", {})
        running.execute_cdp_cmd("Network.emulateNetworkConditions", NO_NETWORK)
        yield Browser(running, folder)
    finally:
        running.quit()
