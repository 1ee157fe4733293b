"""A page in a real browser without network: what mouse and keyboard do, in any width, dark, printed, without script."""

from __future__ import annotations

import base64
import re
from itertools import pairwise

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from buildtel.page.form_html import html
from buildtel.report.job_view import JobView

from ..report.test_hostile import HOSTILE, hostile_document
from .conftest import Browser
from .documents import document
from .test_page import LONG

WHOLE = (0, 10800)
DETAILS = "document.querySelector('#panel:not([hidden])')"


@pytest.fixture
def page(browser: Browser) -> Browser:
    """The page of a job of two machines that failed, at its begin."""
    browser.open_document(document(provisioners=8, parts=24, fails=True))
    return browser


def drag(browser: Browser, selector: str, start: float, end: float) -> None:
    """Drag on an element, from and to shares of its width."""
    box = browser.driver.find_element("css selector", selector)
    browser.eval(f"document.querySelector('{selector}').scrollIntoView({{block: 'center'}})")
    half = box.size["width"] / 2
    chain = ActionChains(browser.driver, duration=20).move_to_element_with_offset(box, int((start * 2 - 1) * half), 0)
    chain.click_and_hold().move_by_offset(int((end - start) * 2 * half), 0).release().perform()


def focus(browser: Browser, selector: str) -> None:
    """Give an element the focus."""
    browser.eval(f"document.querySelector('{selector}').focus()")


@pytest.mark.parametrize("width", [390, 1280, 2560])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_page_fits_every_width(browser: Browser, width: int, dark: bool) -> None:
    """Nothing stands out to the right, nothing is said on the console, every chart has its size."""
    browser.open_document(document(provisioners=8, parts=24, fails=True), width=width, dark=dark)

    assert browser.messages() == []
    assert browser.eval("document.documentElement.scrollWidth") <= width
    width_of = "(one) => one.getBoundingClientRect().width"
    shown = browser.eval(f"[...document.querySelectorAll('.strip canvas')].map({width_of})")
    assert len(shown) == 18 and all(width / 2 < one < width for one in shown)


def test_bars_and_charts_have_one_axis(page: Browser) -> None:
    """The first pixel of a lane is that of a chart's plot, and so is the last."""
    lane, chart = (
        page.eval(f"(({{left, right}}) => [left, right])(document.querySelector('{selector}').getBoundingClientRect())")
        for selector in (".lanes", ".strip .u-over")
    )

    assert lane == pytest.approx(chart, abs=1)


@pytest.mark.parametrize("selector", [".group:not(.axis):not(.strip) > .plot", ".strip .u-over"])
def test_dragging_zooms_and_escape_goes_back(page: Browser, selector: str) -> None:
    """On the lanes and on a chart; each zoom is a way back."""
    drag(page, selector, 0.25, 0.75)
    first = page.view()
    drag(page, selector, 0.25, 0.75)

    assert first == pytest.approx((2700, 8100), abs=30)
    assert page.view() == pytest.approx((4050, 6750), abs=30)
    assert page.eval(f"{DETAILS} === null")
    assert page.eval("document.querySelector('[data-do=back]').disabled") is False
    page.escape()
    page.escape()
    assert page.view() == WHOLE
    assert page.eval("document.querySelector('[data-do=back]').disabled")
    assert page.messages() == []


def test_a_double_click_shows_all(page: Browser) -> None:
    """However far it was zoomed in."""
    drag(page, ".strip .u-over", 0.4, 0.6)
    ActionChains(page.driver).double_click(page.driver.find_element("css selector", ".strip .u-over")).perform()

    assert page.view() == WHOLE


def test_hovering_tells_time_values_and_what_ran(page: Browser) -> None:
    """The cursor stands in every lane and chart, and each line has its value."""
    chart = page.driver.find_element("css selector", ".strip .u-over")
    ActionChains(page.driver).move_to_element(chart).perform()

    assert page.eval("document.querySelector('#at').textContent").startswith(("1:29:5", "1:30:0"))
    assert "packer build" in page.eval("document.querySelector('#at').textContent")
    values = page.eval("[...document.querySelectorAll('.value')].map((one) => one.textContent)")
    assert len(values) == 45 and all(values)
    lines = page.eval("[...document.querySelectorAll('.u-cursor-x')].map((one) => one.style.transform)")
    assert len({round(float(line.split("(")[1].split("px")[0])) for line in lines}) == 1


def test_a_click_on_a_bar_shows_its_details(page: Browser) -> None:
    """The failed one: its figures and its last lines; Esc closes the panel and gives the focus back."""
    page.eval("document.querySelector('.bar.k-failed').scrollIntoView({block: 'center'})")
    page.driver.find_element("css selector", ".bar.k-failed").click()

    said = page.eval(f"{DETAILS}.innerText")
    assert "last words" in said and "exit status" in said and "dpkg" in said
    right, left = (
        page.eval(f"document.querySelector('{place}').getBoundingClientRect().{side}")
        for place, side in ((".lanes", "right"), ("#panel", "left"))
    )
    assert right <= left
    page.escape()
    assert page.eval(f"{DETAILS} === null")
    assert page.eval("document.activeElement.classList.contains('k-failed')")


def test_everything_works_by_keyboard(page: Browser) -> None:
    """Tab reaches the bars once; arrows walk, Enter opens, + zooms, 0 shows all, on a chart arrows move the cursor."""
    focus(page, "[data-do=in]")
    page.press(*[Keys.TAB] * 4)
    assert page.eval("document.activeElement.classList.contains('bar')")
    page.press(Keys.ARROW_DOWN, Keys.ARROW_RIGHT, Keys.ENTER)
    assert "Where" not in page.eval(f"{DETAILS}.innerText") and page.eval("document.activeElement.id") == "panel"
    page.escape()
    page.press("+")
    assert page.view() != WHOLE
    page.press("0")
    assert page.view() == WHOLE
    focus(page, ".strip .plot")
    before = page.eval("document.querySelector('#at').textContent")
    page.press(Keys.ARROW_RIGHT)
    assert page.eval("document.querySelector('#at').textContent") != before
    assert "user" in page.eval("document.activeElement.getAttribute('aria-valuetext')")


def test_a_head_sorts_the_table(page: Browser) -> None:
    """Figures the largest first, then the smallest; what has none stands last; names by their letters."""
    took = "[...document.querySelectorAll('.sortable tbody tr')].map((row) => row.cells[5].dataset.v || '')"
    click = "document.querySelectorAll('.sortable th button')[{}].click()"
    page.eval(click.format(5))
    down = [float(value) for value in page.eval(took) if value]
    page.eval(click.format(5))
    up = [float(value) for value in page.eval(took) if value]
    page.eval(click.format(0))
    cells = page.eval("[...document.querySelectorAll('.sortable tbody th')].map((cell) => cell.textContent)")
    sorted_by = page.eval("document.querySelector('.sortable th').ariaSort")

    assert all(a >= b for a, b in pairwise(down)) and up == down[::-1]
    assert cells[0].startswith("Converting") and sorted_by == "ascending"


def test_a_page_without_scripts_is_whole(browser: Browser) -> None:
    """Bars, table and details are there; a bar leads to its details; no button that would do nothing."""
    browser.open_document(document(provisioners=4, parts=8, fails=True), scripts=False)
    width = browser.eval("document.querySelector('.bar.k-failed rect').getBoundingClientRect().width")
    target = browser.eval("document.querySelector('.bar.k-failed').getAttribute('href')")
    browser.eval(f"location.hash = '{target}'")

    assert width > 100
    assert browser.eval(f"document.querySelector('{target}').closest('details').open")
    assert browser.eval("document.querySelector('.tools').checkVisibility()") is False
    assert "on average" in browser.eval("document.querySelector('.strip .plot').innerText")


def test_a_page_without_style_is_legible(browser: Browser) -> None:
    """As Jenkins shows it, and mail: neither style nor script is allowed, the bars still have place and colour."""
    page = html(JobView(document(provisioners=4, parts=8, fails=True)))
    browser.open(re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.S))
    bar = "document.querySelector('.bar.k-failed rect')"

    assert browser.eval(f"{bar}.getBoundingClientRect().width") > 100
    assert browser.eval(f"getComputedStyle({bar}).fill") == "rgb(180, 35, 24)"
    assert browser.eval("document.querySelector('.tools').checkVisibility()") is False
    assert browser.eval("document.querySelector('.sortable tbody').innerText").count("qemu.vm0") == 5
    assert browser.messages() == []


def test_a_page_prints(page: Browser) -> None:
    """As a PDF of some pages, in light colours though the screen is dark, without buttons."""
    page.open_document(document(provisioners=8, parts=24), dark=True, media="print")
    shown = page.eval("getComputedStyle(document.body).backgroundColor")
    pdf = base64.b64decode(page.command("Page.printToPDF", {"printBackground": True})["data"])

    assert pdf.startswith(b"%PDF") and len(pdf) > 20_000
    assert shown == "rgb(255, 255, 255)" and page.eval("document.querySelector('.tools').checkVisibility()") is False
    assert page.messages() == []


def test_charts_follow_the_scheme(page: Browser) -> None:
    """A page that is open while the screen turns dark draws its charts anew."""
    pixel = "document.querySelector('.strip canvas').toDataURL()"
    light = page.eval(pixel)
    scheme = [{"name": "prefers-color-scheme", "value": "dark"}]
    page.command("Emulation.setEmulatedMedia", {"media": "", "features": scheme})
    page.eval("new Promise((done) => setTimeout(done, 100))")

    assert page.eval(pixel) != light


@pytest.mark.parametrize("name", [*HOSTILE.values(), *LONG.values()], ids=[*HOSTILE, *LONG])
def test_no_name_runs_or_asks_for_anything(browser: Browser, name: str) -> None:
    """No script of a name runs, no request leaves, nothing is against the policy, nothing stands out to the right."""
    for made in (document(machines=1, provisioners=2, parts=4, name=name, fails=True), hostile_document(name)):
        browser.open_document(made)
        asked = "performance.getEntriesByType('resource').length"

        assert browser.messages() == []
        assert browser.eval(f"[window.evil === undefined, {asked}]") == [True, 0]
        assert browser.eval("document.documentElement.scrollWidth") <= 1280


def test_each_chart_is_drawn_once_a_zoom_and_never_by_hovering(page: Browser) -> None:
    """What keeps zoom and hover below what a person notices; tests/bench/page.py measures it."""
    count = "(...words) { window.drawn += 1; return clear.apply(this, words) }"
    page.eval(
        "window.drawn = 0; (() => { const kind = CanvasRenderingContext2D.prototype, clear = kind.clearRect;"
        f" kind.clearRect = function {count} }})()"
    )
    settled = "new Promise((done) => setTimeout(() => done(window.drawn), 200))"
    drag(page, ".strip .u-over", 0.3, 0.7)
    zoomed = page.eval(settled)
    chart = page.driver.find_element("css selector", ".strip .u-over")
    ActionChains(page.driver).move_to_element(chart).move_by_offset(50, 0).perform()

    assert 0 < zoomed <= 18
    assert page.eval(settled) == zoomed
