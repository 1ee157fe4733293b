"""Makes the pictures of README and docs: `python docs/pictures.py [DOCUMENT]`.

They show the page of a real build, in a real browser (Debian's chromium). Without DOCUMENT the build is made first:
`packer/examples/try.sh`, some minutes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from buildtel.job import load_document
from buildtel.page.form_html import html
from buildtel.report.job_view import JobView

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "pictures"
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars")
WIDTH = 1280
# By name: the height, whether the screen is dark, what is done before.
CLICK = "new MouseEvent('click', {bubbles: true, cancelable: true})"
PICTURES = {
    "page": (1500, False, ""),
    "details": (
        900,
        True,
        "document.querySelector('#time').scrollIntoView();"
        "const bars = [...document.querySelectorAll('.bar.k-provisioners')];"
        f"bars.find((bar) => bar.textContent.includes('allocate')).dispatchEvent({CLICK})",
    ),
}


def main(words: list[str]) -> int:
    """Make all pictures."""
    if len(words) > 1:
        print(__doc__, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as name:
        document = Path(words[0]) if words else built(Path(name))
        page = Path(name) / "page.html"
        page.write_text(html(JobView(load_document(document.read_bytes(), str(document)))), encoding="utf-8")
        FOLDER.mkdir(exist_ok=True)
        for picture in PICTURES:
            draw(page, picture)
    return 0


def built(folder: Path) -> Path:
    """The document of a real build."""
    environ = {**os.environ, "TELEMETRY_DIR": str(folder / "telemetry")}
    subprocess.run(["sh", ROOT / "packer" / "examples" / "try.sh"], env=environ, check=True)
    (document,) = (folder / "telemetry").glob("*.json")
    return document


def draw(page: Path, picture: str) -> None:
    """Draw one picture into the folder."""
    height, dark, before = PICTURES[picture]
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in FLAGS:
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        size = {"width": WIDTH, "height": height, "deviceScaleFactor": 1, "mobile": False}
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
        driver.get(page.as_uri())
        driver.execute_script(before)
        driver.execute_async_script("setTimeout(arguments[0], 300)")
        driver.save_screenshot(str(FOLDER / f"{picture}.png"))
    finally:
        driver.quit()
    print(FOLDER / f"{picture}.png")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
