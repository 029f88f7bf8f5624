"""What Dagster's page previews of a frame: refs, codes, days and amounts, and nothing of a person."""

from dataclasses import replace
from typing import Any

import pandas as pd

from fcb_pipelines.connectors.nexacloud.tables import ALL_TABLES, ColumnType
from fcb_pipelines.connectors.store.frames import to_frame
from fcb_pipelines.core.facts.model import BillTo, InvoiceFacts
from fcb_pipelines.core.ledger.moves import LedgerMove, MoveState, PaymentState
from fcb_pipelines.core.ledger.partners import LinkedPartner
from fcb_pipelines.core.money import to_major
from fcb_pipelines.defs.runtime.frame_rows import row_metadata
from fcb_pipelines_tests.documents import a_line
from fcb_pipelines_tests.documents import an_invoice as an_intended
from fcb_pipelines_tests.facts import an_invoice

PERSONAL = (
    "email", "name", "full_name", "company", "billing_email", "billing_address", "billing_city",
    "billing_state", "billing_postal_code", "billing_country", "tax_id", "description", "item",
)  # fmt: skip
SECRET = "ada@example.test"


def preview(frame: pd.DataFrame) -> tuple[list[str], list[dict[str, Any]]]:
    shown = row_metadata(frame)["preview"]
    return [column.name for column in shown.schema.columns], [row.data for row in shown.records]


def test_an_extract_s_preview_shows_no_customer() -> None:
    for table, columns in ALL_TABLES.items():
        texts = [c.name for c in columns if c.type is ColumnType.TEXT]
        frame = pd.DataFrame(
            {name: [SECRET if name in PERSONAL else "x"] for name in texts} | {"id": ["1"]}
        )
        names, rows = preview(frame)
        assert "id" in names, table
        assert not {*names} & {*PERSONAL}, table
        assert SECRET not in str(rows)


def test_a_document_s_preview_shows_what_it_is_called_and_its_amounts() -> None:
    facts = replace(an_invoice("in_1"), bill_to=BillTo(name=SECRET), metadata=(("who", SECRET),))
    names, rows = preview(to_frame([facts], InvoiceFacts))
    assert {"ref", "number", "date", "currency", "net", "tax", "total"} <= {*names}
    assert rows[0]["total"] == f"{to_major(facts.total, facts.currency)}"
    assert SECRET not in str(rows)


def test_a_move_s_preview_shows_no_line_of_its_document() -> None:
    document = an_intended("in_1", a_line(description=SECRET))
    move = LedgerMove(
        ref=document.ref,
        move_id="7",
        state=MoveState.POSTED,
        payment_state=PaymentState.PAID,
        document=document,
        partner_links=(document.partner,),
        accounting_date=document.date,
        residual=0,
        stored_hash=document.content_hash,
    )
    names, rows = preview(to_frame([move], LedgerMove))
    assert {"ref", "state", "payment_state"} <= {*names}
    assert not {"document", "partner_links"} & {*names}
    assert SECRET not in str(rows)


def test_a_partner_s_preview_shows_its_id_alone() -> None:
    partner = LinkedPartner(
        partner_id="7", links=(), name=SECRET, email=SECRET, stripe_customer_id=None
    )
    _, rows = preview(to_frame([partner], LinkedPartner))
    assert SECRET not in str(rows)
