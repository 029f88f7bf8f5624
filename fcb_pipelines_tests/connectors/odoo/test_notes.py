"""A posted move's note names its document and its run, each as a link where its page is known."""

import pytest

from fcb_pipelines.connectors.odoo.notes import Notes
from fcb_pipelines.core.close.links import Pages
from fcb_pipelines.core.codes import Kind

REF = "stripe:acct_1:in_7"
AT_STRIPE = Pages(sources={"stripe:acct_1": 'https://dashboard.example/{kind}/{id}?"<b>&c'})
SOURCE = '<a href="https://dashboard.example/invoices/in_7?&quot;&lt;b&gt;&amp;c">document at its source</a>'
RUN = '<a href="https://dagster.example/runs/run-1">run that posted it</a>'


@pytest.mark.parametrize(("notes", "document", "told"), [
    (Notes(), REF, ""),
    (Notes(pages=AT_STRIPE), REF, f", {SOURCE}"),
    (Notes(pages=AT_STRIPE), "", ""),
    (Notes(pages=AT_STRIPE), "lago:acme:1", ""),
    (Notes(dagster="https://dagster.example"), REF, f", {RUN}"),
    (Notes(pages=AT_STRIPE, dagster="https://dagster.example/"), REF, f", {SOURCE}, {RUN}"),
])  # fmt: skip
def test_a_note_links_what_has_a_page(notes: Notes, document: str, told: str) -> None:
    made = notes.of({"a<b": (document, Kind.INVOICE)}, run="run-1")
    assert made == {"a<b": f"Posted by fcb_pipelines as a&lt;b{told}"}


def test_outside_of_a_run_no_run_is_linked() -> None:
    assert RUN not in Notes(dagster="https://dagster.example").of({REF: (REF, Kind.INVOICE)})[REF]
