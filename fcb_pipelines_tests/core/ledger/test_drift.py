"""Which side moved, by three digests: each row changes one of the three."""

from dataclasses import replace
from datetime import date

import pytest

from fcb_pipelines.core.ledger.drift import ChangedSide, changed_sides
from fcb_pipelines.core.ledger.moves import LedgerMove
from fcb_pipelines_tests.documents import a_line, an_invoice
from fcb_pipelines_tests.facts import a_move

DOCUMENT = replace(an_invoice("in_1"), source_hash="then", nexacloud_invoice_id="inv-1")
MOVE = a_move(DOCUMENT, stored_source_hash="then")
DEARER = replace(an_invoice("in_1", a_line(30000)), nexacloud_invoice_id="inv-1")
EDITED = replace(DOCUMENT, number="EDITED")

CASES = {
    "nobody moved": (DOCUMENT, MOVE, set()),
    "the source bills something else": (replace(DEARER, source_hash="now"), MOVE, {ChangedSide.SOURCE}),
    "the configuration would write something else": (replace(DEARER, source_hash="then"), MOVE, {ChangedSide.SETTINGS}),
    "NexaCloud names another owner": (replace(DOCUMENT, partner="nexacloud:else"), MOVE, {ChangedSide.SOURCE}),
    "NexaCloud names another account of the partner": (replace(DOCUMENT, partner="nexacloud:else"), replace(MOVE, partner_links=(DOCUMENT.partner, "nexacloud:else")), set()),
    "the same, of another number": (replace(DOCUMENT, partner="nexacloud:else", number="A-1", source_hash="now"), replace(MOVE, partner_links=(DOCUMENT.partner, "nexacloud:else")), {ChangedSide.SOURCE}),
    "NexaCloud gave its invoice another id": (replace(DOCUMENT, nexacloud_invoice_id="inv-2"), MOVE, {ChangedSide.SETTINGS}),
    "a person edited the move": (DOCUMENT, replace(MOVE, document=EDITED), {ChangedSide.LEDGER}),
    "a person edited what is kept with it": (DOCUMENT, replace(MOVE, stored_hash="0"), {ChangedSide.SETTINGS, ChangedSide.LEDGER}),
    "the ledger re-dated it": (DOCUMENT, replace(MOVE, accounting_date=date(2026, 6, 1)), {ChangedSide.LEDGER}),
    "both the source and the ledger moved": (replace(DEARER, source_hash="now"), replace(MOVE, document=EDITED), {ChangedSide.SOURCE, ChangedSide.LEDGER}),
    "a move of before the digest was kept": (replace(DEARER, source_hash="now"), replace(MOVE, stored_source_hash=None), {ChangedSide.SOURCE}),
    "there is no intent any more": (None, MOVE, set()),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_side_that_moved_is_named(case: str) -> None:
    document, move, sides = CASES[case]
    assert changed_sides(document, move) == sides


def test_a_draft_has_no_accounting_date_to_keep() -> None:
    draft: LedgerMove = replace(MOVE, state="draft", accounting_date=date(2026, 6, 1))
    assert changed_sides(DOCUMENT, draft) == frozenset()
