"""A month needs the rows of its own documents, of their families, and those of no month."""

from dataclasses import replace

import pytest

from fcb_pipelines.core.proof.slices import slices
from fcb_pipelines_tests.core.proof.test_window import COPIES, EARLY, INDEX, OPENING

MARCH, APRIL, MAY = "2026-03", "2026-04", "2026-05"
INVOICE = replace(INDEX[0], ref="stripe:a:in_1", period=APRIL)
NOTE = replace(INDEX[0], ref="stripe:a:cn_1", period=MAY, credits=INVOICE.ref)
SECOND_NOTE = replace(NOTE, ref="stripe:a:cn_2", period=MARCH)
OTHER = replace(INVOICE, ref="stripe:a:in_2", period=APRIL)
DRAFT = replace(INVOICE, ref="stripe:a:in_3", period=None)
BEFORE = replace(INVOICE, ref=EARLY, period=None)


def of(period: str, *rows: object) -> tuple[str, ...]:
    """The documents of a period."""
    return slices([MARCH, APRIL, MAY], rows, (), OPENING)[period].documents  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("why", "rows", "months"),
    [
        ("a document belongs to its month", [OTHER], {APRIL}),
        ("one without a month belongs to all", [DRAFT], {MARCH, APRIL, MAY}),
        ("so does one of before the cutover", [BEFORE], {MARCH, APRIL, MAY}),
        ("a month out of range has no slice", [replace(OTHER, period="2025-12")], set()),
    ],
)
def test_the_months_of_one_document(why: str, rows: list[object], months: set[str]) -> None:
    assert {month for month in (MARCH, APRIL, MAY) if of(month, *rows)} == months, why


def test_an_invoice_and_its_notes_are_together_in_every_month_of_one_of_them() -> None:
    family = (INVOICE, NOTE, SECOND_NOTE)
    for month in (MARCH, APRIL, MAY):
        assert set(of(month, *family, OTHER)) >= {row.ref for row in family}
    assert OTHER.ref not in of(MAY, *family, OTHER)


def test_nexacloud_s_invoices_go_with_the_document_that_they_claim() -> None:
    first = replace(COPIES[0], invoice_id="first", claims=INVOICE.ref)
    second = replace(COPIES[0], invoice_id="second", claims=INVOICE.ref)
    early = replace(COPIES[0], invoice_id="early", claims=EARLY)
    nothing = replace(COPIES[0], invoice_id="nothing", claims=None)
    draft = replace(COPIES[0], invoice_id="draft", claims=DRAFT.ref)
    cut = slices(
        [MARCH, APRIL, MAY],
        [INVOICE, NOTE, DRAFT, BEFORE],
        [first, second, early, nothing, draft],
        OPENING,
    )
    assert cut[MARCH].invoices == ()
    assert cut[APRIL].invoices == ("first", "second", "early"), "its cash is of April and May"
    assert cut[MAY].invoices == ("first", "second", "early"), "a note of it is of May"
