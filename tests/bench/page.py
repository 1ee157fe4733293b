"""What the page of a large job costs: three hours, two machines, 40 provisioners, 300 commands.

    .venv/bin/python -m tests.bench.page [ROUNDS]

Prints its size; its load event beside that of a page of the same size that is one SVG without script, in turn in one
browser; the longest tasks of zooming and hovering, by a trace of the browser; and how long `report --format html` takes
beside `python -c pass`, in turn. Asserts nothing.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from tests.host.page.documents import document

from buildtel.page.form_html import html
from buildtel.report.job_view import JobView

HOST = str(Path(sys.executable).with_name("buildtel-host"))
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,900")
LOADED = "const [one] = performance.getEntriesByType('navigation'); return one.loadEventEnd"
ZOOMS, HOVERS = 10, 60
LONG_MS = 50


def plain(size: int) -> str:
    """A page of that many bytes: one SVG of bars."""
    head, foot = "<!DOCTYPE html><title>x</title><svg width='1200' height='9000'>", "</svg>"
    bar = "<rect x='{0}' y='{1}' width='40' height='18' fill='#2563c9'><title>{1}</title></rect>"
    rows = []
    while size > len(head) + len(foot):
        rows.append(bar.format(len(rows) % 20 * 50, len(rows) // 20 * 20))
        size -= len(rows[-1])
    return head + "".join(rows) + foot


def browser() -> webdriver.Chrome:
    """A browser that traces what its pages do."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    options.add_experimental_option("perfLoggingPrefs", {"traceCategories": "toplevel,devtools.timeline"})
    return webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))


def loads(driver: webdriver.Chrome, pages: dict[str, Path], rounds: int) -> dict[str, list[float]]:
    """The load event of each page in ms, in turn."""
    taken: dict[str, list[float]] = {name: [] for name in pages}
    for _ in range(rounds + 1):
        for name, path in pages.items():
            driver.get(path.as_uri())
            time.sleep(0.3)
            taken[name].append(float(driver.execute_script(LOADED)))
    return {name: values[1:] for name, values in taken.items()}  # the first has caches to fill


def play(driver: webdriver.Chrome, path: Path) -> Iterator[tuple[str, list[float]]]:
    """Zoom and hover on a page; the tasks of each on its thread, in ms, by the trace."""
    driver.get(path.as_uri())
    chart = driver.find_element("css selector", ".strip .u-over")
    driver.execute_script("document.querySelector('.strip').scrollIntoView({block: 'center'})")
    quarter = chart.size["width"] // 4
    tasks(driver)
    for _ in range(ZOOMS):
        chain = ActionChains(driver, duration=30).move_to_element_with_offset(chart, -quarter, 0)
        chain.click_and_hold().move_by_offset(2 * quarter, 0).release().perform()
        driver.execute_script("document.querySelector('[data-do=back]').click()")
    yield "zoom", tasks(driver)
    for at in range(HOVERS):
        chain = ActionChains(driver, duration=10)
        chain.move_to_element_with_offset(chart, (at % 20 - 10) * quarter // 10, 0).perform()
    yield "hover", tasks(driver)


def tasks(driver: webdriver.Chrome) -> list[float]:
    """The tasks of the page's main thread since the last call, in ms."""
    entries = []
    for _ in range(2):  # to ask ends the trace, whose end comes later
        entries += driver.get_log("performance")
        time.sleep(0.5)
    events = [json.loads(entry["message"])["message"] for entry in entries]
    traced = [event["params"] for event in events if event["method"] == "Tracing.dataCollected"]
    of_page = {(row["pid"], row["tid"]) for row in traced if row.get("name") in ("EventDispatch", "FunctionCall")}
    whole = [row for row in traced if row.get("name", "").endswith("RunTask") and "dur" in row]
    rows = sorted((row["ts"], row["dur"]) for row in whole if (row["pid"], row["tid"]) in of_page)
    # One that holds the next is a loop of tasks, in which the driver waits.
    return [dur / 1000 for (ts, dur), (after, _) in pairwise([*rows, (float("inf"), 0)]) if ts + dur <= after]


def made(folder: Path, rounds: int) -> list[float]:
    """How many times as long as a bare start of Python the command takes, each round."""
    path = folder / "large.json"
    path.write_text(document().to_json(), encoding="utf-8")
    found = []
    for _ in range(rounds):
        bare = wall_s([sys.executable, "-c", "pass"])
        found.append(wall_s([HOST, "report", str(path), "--format", "html", "-o", str(folder / "new.html")]) / bare)
    return found


def wall_s(command: list[str]) -> float:
    """A command's time from spawn to reap."""
    begun = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begun


def main(rounds: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        page = html(JobView(document()))
        pages = {"the page": folder / "page.html", "one SVG": folder / "plain.html"}
        pages["the page"].write_text(page, encoding="utf-8")
        pages["one SVG"].write_text(plain(len(page.encode())), encoding="utf-8")
        print(f"size: {len(page.encode()) / 1e6:.2f} MB (bar: 1.5)")
        driver = browser()
        try:
            taken = loads(driver, pages, rounds)
            ratio = statistics.median(a / b for a, b in zip(*taken.values(), strict=True))
            words = ", ".join(f"{name} {statistics.median(values):.0f} ms" for name, values in taken.items())
            print(f"load event: {words}; {ratio:.2f} times (bar: 3)")
            for what, found in play(driver, pages["the page"]):
                longest = ", ".join(f"{value:.0f}" for value in sorted(found)[-3:])
                print(f"{what}: {len(found)} tasks, the longest {longest} ms (bar: none above {LONG_MS})")
        finally:
            driver.quit()
        print(f"making it: {statistics.median(made(folder, rounds)):.1f} times `python -c pass` (bar: 60)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
