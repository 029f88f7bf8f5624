"""The machine's own Chromium, driven by Playwright; where there is none, its tests are skipped, loudly.

SCREENSHOTS names a folder in which each look is kept, for a person to look at; the pictures of docs/images are such looks.
"""

import html
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")

_TERMINAL = """<body style="margin:0;background:#17212b;color:#e6eaee">
<pre style="margin:0;padding:18px 22px;font:13px/1.17 'DejaVu Sans Mono',monospace"><b>$ {command}</b>\n{printed}</pre>"""


@pytest.fixture
def browser() -> Iterator[Browser]:
    """Chromium, without a window. Ask for it last: with it an event loop runs, which other fixtures can't have."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        pytest.skip(f"NO BROWSER HERE, nothing was looked at: none of {', '.join(PROGRAMS)}")
    # A machine that is busy is no fault of a page.
    expect.set_options(timeout=60_000)
    with sync_playwright() as play:
        # A container has no sandbox of its own for it; the pages are ours, on loopback.
        opened = play.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


def look(page: Page, name: str, *, whole: bool = True) -> None:
    """Keep what the page shows now, where somebody asked for it; not `whole`: what its window shows."""
    if folder := os.environ.get("SCREENSHOTS"):
        # A test may work in another folder.
        place = Path(__file__).parents[1] / folder
        page.screenshot(path=place / f"{name}.png", full_page=whole)


def look_at_terminal(browser: Browser, command: str, printed: str, name: str) -> None:
    """Keep what a command printed, as a terminal shows it."""
    with browser.new_page(viewport={"width": 1300, "height": 100}) as page:
        page.set_content(
            _TERMINAL.format(command=html.escape(command), printed=html.escape(printed))
        )
        look(page, name)
