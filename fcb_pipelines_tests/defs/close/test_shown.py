"""What Dagster's page shows of a close report: what is to decide, and where each document is found."""

from typing import Any, cast

import dagster as dg

from fcb_pipelines.core.close.shapes import ReportJson
from fcb_pipelines.defs.close.shown import shown
from fcb_pipelines_tests.defs.close.test_page import a_document, a_report

PAGE = dg.MetadataValue.url("https://books.example.com/reports/2026-04.html")
SOURCE = "https://dashboard.example.com/invoices/in_1"
MOVE = "https://odoo.example.com/odoo/account.move/7"


def lines(*documents: dict[str, Any], **links: dict[str, Any]) -> list[str]:
    report = a_report(documents=[*documents], links=links)
    told = shown(cast(ReportJson, report), PAGE)["documents"]
    return str(told.value).splitlines()


def test_a_report_s_counts_are_numbers_and_its_page_is_a_link() -> None:
    told = shown(cast(ReportJson, a_report()), PAGE)
    assert told["page"] is PAGE
    counts = ("post", "skip", "hold", "exceptions", "gates that fail", "gates that warn")
    assert [type(told[name]) for name in counts] == [int] * len(counts)
    assert isinstance(told["to be signed"], str)


def test_a_document_is_linked_to_its_source_and_to_its_move() -> None:
    found = {"ledger_number": "INV/2026/00005", "ledger_url": MOVE, "source_url": SOURCE}
    (line,) = lines(a_document(ref="a"), a=found)
    assert line == f"- [A-0001]({SOURCE}): 242.39 CAD, [INV/2026/00005]({MOVE})"


def test_without_pages_a_document_is_named_and_what_is_listed_comes_first() -> None:
    held = a_document(ref="b", number="A-0002", state="none", reason="tax_mismatch")
    told = lines(a_document(ref="a"), held)
    assert told == [
        r"- A-0002: 242.39 CAD, none (tax_mismatch)",
        "- A-0001: 242.39 CAD, posted",
    ]


def test_nothing_of_a_number_is_read_as_a_link() -> None:
    (line,) = lines(a_document(number="[x](javascript:1)"))
    assert line.startswith(r"- \[x\]\(javascript:1\): ")


def test_only_the_first_twenty_are_listed() -> None:
    assert len(lines(*(a_document(ref=str(n)) for n in range(50)))) == 20
