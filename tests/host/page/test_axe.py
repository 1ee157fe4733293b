"""What axe-core finds on a page: nothing, light and dark, with and without scripts, with the panel open."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import tarfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from buildtel.insight.comparison import compare
from buildtel.page.form_html import html
from buildtel.report.comparison_view import ComparisonView
from buildtel.report.job_view import JobView

from ..report.test_formats import views
from .conftest import Browser
from .documents import document

AXE = "https://registry.npmjs.org/axe-core/-/axe-core-4.14.1.tgz"
SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
CACHED = Path(__file__).parents[3] / ".cache" / "axe-core-4.14.1.tgz"
SCRIPT = re.compile("<script>.*?</script>", re.S)  # axe itself needs a browser that runs some
RUN = "axe.run(document, {resultTypes: ['violations']}).then((found) => JSON.stringify(found.violations.map("
RUN += "(one) => [one.id, one.nodes.map((node) => node.html.slice(0, 200))])))"


@pytest.fixture(scope="module")
def axe() -> str:
    """The script of axe-core, from npm's registry once, then from the cache."""
    if not CACHED.exists():
        try:
            with urllib.request.urlopen(AXE, timeout=60) as answer:
                data = answer.read()
        except urllib.error.URLError as error:
            pytest.skip(f"npm's registry, which has axe-core, can't be reached: {error.reason}")
        CACHED.parent.mkdir(exist_ok=True)
        CACHED.write_bytes(data)
    data = CACHED.read_bytes()
    assert base64.b64encode(hashlib.sha512(data).digest()).decode() == SHA512
    with tarfile.open(fileobj=io.BytesIO(data)) as package:
        file = package.extractfile("package/axe.min.js")
        assert file is not None
        return file.read().decode()


def violations(browser: Browser, axe: str) -> Any:
    """What axe finds on the page that is open."""
    browser.eval(f"{axe};0")
    return json.loads(browser.eval(RUN))


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing(browser: Browser, axe: str, width: int, dark: bool, scripts: bool) -> None:
    """On the page of a job that failed."""
    page = html(JobView(document(provisioners=8, parts=24, fails=True)))
    browser.open(page if scripts else SCRIPT.sub("", page), width=width, dark=dark)

    assert violations(browser, axe) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_with_details_and_zoom(browser: Browser, axe: str, dark: bool) -> None:
    """What the script adds is as good: the panel, sorted heads, a cursor, all details open."""
    browser.open_document(document(provisioners=8, parts=24, fails=True), dark=dark)
    browser.eval("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    browser.eval("document.querySelector('.sortable th button').click()")
    browser.eval("document.querySelector('.strip .plot').focus()")
    browser.press("+")
    browser.driver.find_element("css selector", ".sortable tbody a").click()

    assert violations(browser, axe) == []


@pytest.mark.parametrize("name", [name for name in views() if name != "job"])
def test_axe_finds_nothing_on_other_pages(browser: Browser, axe: str, name: str) -> None:
    """Each view has a page."""
    view = views()[name]
    if name == "comparison":
        made = document(provisioners=4, parts=8)
        view = ComparisonView(compare(made, made, "a", "b"), documents=(made, made))
    browser.open(html(view))

    assert violations(browser, axe) == []
    assert browser.messages() == []
