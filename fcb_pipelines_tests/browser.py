"""The machine's own Chromium, driven by Playwright; where there is none, its tests are skipped, loudly.

SCREENSHOTS names a folder in which each look is kept, for a person to look at.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture
def browser() -> Iterator[Browser]:
    """Chromium, without a window. Ask for it last: with it an event loop runs, which other fixtures can't have."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        pytest.skip(f"NO BROWSER HERE, nothing was looked at: none of {', '.join(PROGRAMS)}")
    with sync_playwright() as play:
        # A container has no sandbox of its own for it; the pages are ours, on loopback.
        opened = play.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


def look(page: Page, name: str) -> None:
    """Keep what the page shows now, where somebody asked for it."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
