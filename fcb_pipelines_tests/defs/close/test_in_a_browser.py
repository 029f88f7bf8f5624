"""The close report in a real browser: sorted, searched, dark, on a telephone, and printed."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Page

from fcb_pipelines.defs.runtime import connections
from fcb_pipelines_tests.browser import look
from fcb_pipelines_tests.defs.world import World

pytestmark = pytest.mark.long

MARCH = "2026-03"


@pytest.fixture
def page(closed: World, browser: Browser) -> Iterator[Page]:
    """March's report; whatever its page complains of fails the test."""
    opened = browser.new_page(viewport={"width": 1200, "height": 1000})
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("requestfailed", lambda request: faults.append(request.url))
    opened.goto(f"file://{connections.reports(closed.found)}/{MARCH}.html")
    yield opened
    opened.close()
    assert faults == []


def numbers(page: Page, column: int) -> list[Decimal]:
    cells = page.locator(
        f"section:has(input[placeholder='Find a document']) tbody tr > td:nth-child({column})"
    )
    return [Decimal(text.replace("−", "-").replace(",", "")) for text in cells.all_inner_texts()]


def test_documents_are_sorted_by_a_click_and_found_by_what_is_typed(page: Page) -> None:
    documents = page.locator("section:has(input[placeholder='Find a document'])")
    totals = documents.locator("th", has_text="Total").first
    rows = documents.locator("tbody tr")
    before = rows.count()
    totals.click()
    found = numbers(page, 6)
    assert found == sorted(found)
    totals.click()
    assert numbers(page, 6) == sorted(found, reverse=True)
    look(page, "report-sorted")
    documents.locator("input[type=search]").fill("NXC-0002")
    assert documents.locator("tbody tr:visible").count() == 1
    documents.locator("input[type=search]").fill("")
    assert documents.locator("tbody tr:visible").count() == before


@pytest.mark.parametrize(("name", "width", "scheme"), [
    ("light", 1200, "light"), ("dark", 1200, "dark"), ("telephone", 420, "light"),
])  # fmt: skip
def test_it_fits_its_window_and_follows_the_reader_s_colours(
    page: Page, name: str, width: int, scheme: str
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    look(page, f"report-{name}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    (red, green, blue) = page.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
    )
    assert (red + green + blue < 3 * 128) == (scheme == "dark")


def test_it_is_printed_on_pages(page: Page) -> None:
    printed = page.pdf(format="Letter")
    assert printed.startswith(b"%PDF")
    assert printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") > 1
