"""Invoices that were posted unpaid, changed in a label, an owner or a family since, and are paid then."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from fcb_pipelines.config import settings
from fcb_pipelines_tests.defs import changes as c
from fcb_pipelines_tests.defs.journal import edit_entry, replacing
from fcb_pipelines_tests.defs.world import (
    PERIODS,
    Json,
    Snapshot,
    World,
    document,
    failed,
    named,
    ref_of,
)

NUMBERED, DATED, WORDED, QUANTIFIED, OWNED, RENAMED, FAMILY, EDITED = OPEN = (
    "NXC-0002", "NXC-0005", "NXC-0009", "NXC-0007", "NXC-0014", "NXC-0017", "NXC-0019", "NXC-0018",
)  # fmt: skip
AT_THE_SOURCE = {
    NUMBERED: c.setting("number", "NXC-9002"),
    DATED: c.stripe_date,
    WORDED: c.on_line("description", "1 × WordPress Website Hosting - Business (yearly)"),
    QUANTIFIED: c.stripe_quantity,
}
IN_NEXACLOUD = {OWNED: c.copy_of_another_user, RENAMED: c.copy_identity}


@pytest.fixture
def owed(
    snapshot: Callable[..., Snapshot],
    a_copy_of: Callable[[Snapshot], AbstractContextManager[World]],
) -> Iterator[World]:
    """The dataset's world after a close in which these invoices were posted and not paid."""

    def unpaid(world: World) -> None:
        with (
            world.objects("stripe/invoices") as invoices,
            world.objects("stripe/invoice_payments") as paid,
        ):
            ids = {one["id"] for one in invoices if one["number"] in OPEN}
            for one in invoices:
                if one["id"] in ids:
                    one.update(status="open", amount_paid=0, amount_remaining=one["amount_due"])
            paid[:] = [each for each in paid if each["invoice"] not in ids]
        world.close()

    with a_copy_of(snapshot("owed", unpaid)) as world:
        yield world


def test_s2_s11_each_is_paid_in_the_books_and_only_its_change_is_listed(owed: World) -> None:
    before = owed.status()
    refs = {number: ref_of(before, number) for number in OPEN}
    assert {document(before, number)["payment_state"] for number in OPEN} == {"not_paid"}
    _change(owed, refs)
    edit_entry(owed, refs[EDITED], replacing('    description: "', '    description: "Edited '))
    status = owed.again()

    paid = {one["ref"]: one["payment_state"] for one in status["documents"]}
    assert {number: paid[refs[number]] for number in OPEN} == {
        number: "not_paid" if number == EDITED else "paid" for number in OPEN
    }
    listed = {"source_changed", "settings_changed", "edited_in_ledger", "not_written"}
    assert {number: named(status, refs[number]) & listed for number in OPEN} == {
        **{number: {"source_changed"} for number in (*AT_THE_SOURCE, OWNED)},
        **{number: {"settings_changed"} for number in (RENAMED, FAMILY)},
        EDITED: {"edited_in_ledger"},
    }

    edit_entry(owed, refs[EDITED], replacing('description: "Edited ', 'description: "'))
    mended = owed.again()
    assert document(mended, EDITED)["payment_state"] == "paid"
    assert not named(mended, refs[EDITED]) & listed
    assert failed(mended) == set()
    of_gates = {period: failed(mended, period) for period in PERIODS}
    assert {gate for gates in of_gates.values() for gate in gates} == {
        "read_back_equals_intent", "dates_as_intended",
    }  # fmt: skip


def _change(world: World, refs: dict[str, str]) -> None:
    """Change each invoice but the edited one, and have all of them paid."""
    with (
        world.objects("stripe/invoices") as invoices,
        world.objects("stripe/invoice_payments") as paid,
    ):
        for one in invoices:
            if one["number"] in OPEN:
                make = AT_THE_SOURCE.get(one["number"])
                paid.append(_paid(one, like=paid[0]))
                if make:
                    make(one, paid[-1])
    with world.table("invoices") as rows, world.table("invoice_items") as items:
        for row in rows:
            make = IN_NEXACLOUD.get(row["invoice_number"])
            if make:
                own = [item for item in items if item["invoice_id"] == row["id"]]
                make(row, own)
    _add_a_family(world)


def _paid(invoice: Json, like: Json) -> Json:
    invoice.update(status="paid", amount_paid=invoice["amount_due"], amount_remaining=0)
    name = invoice["id"].removeprefix("in_")
    return {
        **like,
        "id": f"inpay_{name}",
        "invoice": invoice["id"],
        "amount_paid": invoice["amount_due"],
        "payment": {"type": "payment_intent", "payment_intent": f"pi_{name}"},
    }


def _add_a_family(world: World) -> None:
    """The configuration gives the lines of one invoice another family, with another account."""
    known = [one.model_dump(mode="json") for one in settings.current().families]
    new = {
        "key": "backfill",
        "account": known[-1]["account"],
        "keywords": ["Professional after 30 May"],
    }
    world.reconfigure(families=[new, *known])
