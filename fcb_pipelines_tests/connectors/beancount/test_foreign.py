"""Credits that a person wrote into the Beancount books, and that none of our documents explains."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from fcb_pipelines.connectors.beancount.ledger import BeancountLedger
from fcb_pipelines.core.ledger.moves import ForeignCredit
from fcb_pipelines_tests.documents import SETTINGS, a_partner, a_settlement, an_invoice
from fcb_pipelines_tests.ledgers import written

SINCE, MAY = date(2026, 4, 1), date(2026, 5, 4)
INVOICE = an_invoice("in_1")
PARTNER = INVOICE.partner


@pytest.fixture
def ledger(tmp_path: Path) -> BeancountLedger:
    """Books with one invoice that is posted and paid more than it bills."""
    found = BeancountLedger(tmp_path / "books", SETTINGS)
    found.setup()
    found.upsert_partners([a_partner()])
    written(found, INVOICE)
    found.settle([a_settlement(INVOICE, INVOICE.total + 500)])
    return found


def by_hand(
    ledger: BeancountLedger,
    amount: str,
    *,
    day: date = MAY,
    payee: str = "",
    flag: str = "*",
    partner: str = "",
    settles: str = "",
    currency: str = "CAD",
) -> None:
    """A person's entry: so much on the receivable, against the bank."""
    accounts = (ledger.main_file.parent / "accounts.beancount").read_text()
    receivable, bank = (
        next(word for word in accounts.split() if f":{code}" in word)
        for code in ("112110", "111321")
    )
    lines = [f'{day} {flag} "{payee}" "by hand"']
    lines += [f'  partner: "{partner}"'] if partner else []
    lines += [f"  {receivable}  {amount} {currency}"]
    lines += [f'    settles: "{settles}"'] if settles else []
    lines += [f"  {bank}"]
    main = ledger.main_file
    main.write_text(main.read_text() + "\n" + "\n".join(lines) + "\n")


def told(ledger: BeancountLedger) -> list[tuple[str, str, int]]:
    """Day, currency and amount of each open credit."""
    return [(str(each.date), each.currency, each.amount) for each in ledger.foreign_credits(SINCE)]


def test_the_customer_s_credit_in_our_own_entries_is_none(ledger: BeancountLedger) -> None:
    assert ledger.foreign_credits(SINCE) == ()


@pytest.mark.parametrize("whose", [{"partner": PARTNER}, {"payee": "Maple Bakery Inc."}])
def test_a_credit_by_hand_is_told_with_its_place_its_partner_and_its_amount(
    ledger: BeancountLedger, whose: dict[str, str]
) -> None:
    by_hand(ledger, "-12.50", **whose)
    (found,) = ledger.foreign_credits(SINCE)
    assert found.move.startswith("main.beancount:")
    assert replace(found, move="") == ForeignCredit(
        move="", partner=PARTNER, name="Maple Bakery Inc.", date=MAY, currency="CAD", amount=1250
    )


NOT_TOLD = {
    "a debit": {"amount": "12.50"},
    "of before the books began": {"day": date(2026, 3, 31)},
    "of nobody": {"partner": ""},
    "of a partner that we do not bill": {"partner": "somebody"},
    "a draft": {"flag": "!"},
    "of a document, which it settles": {"settles": INVOICE.ref},
}


@pytest.mark.parametrize("changes", NOT_TOLD.values(), ids=NOT_TOLD.keys())
def test_what_is_no_open_credit_of_a_partner_of_ours_is_not_told(
    ledger: BeancountLedger, changes: dict[str, object]
) -> None:
    by_hand(ledger, **{"amount": "-12.50", "partner": PARTNER, **changes})  # type: ignore[arg-type]
    assert ledger.foreign_credits(SINCE) == ()


def test_a_debit_of_the_partner_takes_the_earliest_credits_in_its_currency(
    ledger: BeancountLedger,
) -> None:
    by_hand(ledger, "-10.00", partner=PARTNER)
    by_hand(ledger, "-20.00", partner=PARTNER, day=date(2026, 5, 9))
    by_hand(ledger, "15.00", partner=PARTNER, day=date(2026, 5, 11))
    by_hand(ledger, "-7.00", partner=PARTNER, currency="USD", day=date(2026, 5, 12))
    assert told(ledger) == [("2026-05-09", "CAD", 1500), ("2026-05-12", "USD", 700)]
