"""What is found in a file's text: every id that it mentions, and whether it can be read apart."""

from dataclasses import replace
from datetime import date

import pytest

from fcb_pipelines.connectors.beancount.scan import (
    Mention,
    Shape,
    balance_stated,
    scan,
    statement_of,
)
from fcb_pipelines.connectors.beancount.text import (
    balance_text,
    cash_text,
    document_text,
    main_text,
    settlement_text,
    statement_rows,
    statement_text,
)
from fcb_pipelines.core.ledger.cash import CashBalance
from fcb_pipelines_tests.cash_entries import (
    a_cash_entry,
    a_cash_line,
    a_statement,
    cash_ref,
    fees,
)
from fcb_pipelines_tests.documents import a_settlement, an_invoice

ENTRY = """\
2026-04-03 * "Maple Bakery" "NC-1 Hosting" #invoice ^stripe/acct/in_1
  external_id: "stripe:acct:in_1"
  Assets:Receivable  10.00 CAD
    settles: "stripe:acct:in_0"
  Income:Hosting  -10.00 CAD
"""

OTHER = """\
2026-05-02 * "Maple Bakery" "by hand"
  Assets:Receivable  10.00 CAD
  Income:Hosting  -10.00 CAD
"""

SHAPES: dict[str, tuple[str, Shape]] = {
    "an entry": (ENTRY, Shape.APART),
    "nothing": ("", Shape.APART),
    "comments": ('; balance "\n  ; settles: x\n\n' + ENTRY, Shape.APART),
    "lines of another system": (ENTRY.replace("\n", "\r\n"), Shape.APART),
    "a comment after an id": (ENTRY.replace('in_1"\n', 'in_1" ; ours\n'), Shape.APART),
    "an entry without a flag": (ENTRY.replace(" * ", " txn "), Shape.APART),
    "an entry set aside": (ENTRY.replace(" * ", " # "), Shape.APART),
    "a note": (ENTRY + '2026-04-30 note Assets:Receivable "called"\n', Shape.APART),
    "a price": (ENTRY + "2026/04/30 price USD 1.37 CAD\n", Shape.APART),
    "an account": (ENTRY + "2026-04-01 open Assets:Cash\n", Shape.SHARED),
    "a closed account": (ENTRY + "2026-04-01 close Assets:Cash\n", Shape.SHARED),
    "a currency": (ENTRY + "2026-04-01 commodity USD\n", Shape.SHARED),
    "a lock": (ENTRY + '2026-04-01 custom "lock_date" "all"\n', Shape.SHARED),
    "a balance": (ENTRY + "2026-05-01 balance Assets:Receivable 10 CAD\n", Shape.WHOLE),
    "a balance of ours": (
        ENTRY + '2026-05-01 balance Assets:Bank 10 ~ 0 CAD\n  record: "balance"\n' + OTHER,
        Shape.APART,
    ),
    "a balance of ours without its mark": (
        ENTRY + '2026-05-01 balance Assets:Bank 10 ~ 0 CAD\n  record: "mine"\n' + OTHER,
        Shape.WHOLE,
    ),
    "a mark of ours on another's entry": (
        "2026-05-01 balance Assets:Bank 10 CAD\n" + ENTRY + '  record: "balance"\n',
        Shape.WHOLE,
    ),
    "a day that is none": (ENTRY.replace("04-03", "04-31"), Shape.WHOLE),
    "a pad": (ENTRY + "2026-05-01 pad Assets:Receivable Equity:Opening\n", Shape.WHOLE),
    "an unknown directive": (ENTRY + "2026-05-01 budget Expenses:Rent\n", Shape.WHOLE),
    "a flag without a space": (ENTRY.replace('* "M', '*"M'), Shape.WHOLE),
    "a pushed tag": ("pushtag #march\n" + ENTRY, Shape.WHOLE),
    "pushed metadata": ('pushmeta settles: "stripe:acct:in_9"\n' + ENTRY, Shape.WHOLE),
    "an include": ('include "more.beancount"\n' + ENTRY, Shape.WHOLE),
    "a plugin": ('plugin "beancount.plugins.auto_accounts"\n' + ENTRY, Shape.WHOLE),
    "an option": ('option "title" "x"\n' + ENTRY, Shape.WHOLE),
    "an id that is no text": (ENTRY.replace('"stripe:acct:in_0"', "17"), Shape.WHOLE),
    "an id with a mark in it": (ENTRY.replace("in_0", 'in\\"0'), Shape.WHOLE),
    "a text of two lines": (ENTRY.replace("NC-1 ", "NC-1\n2026-04-04 "), Shape.WHOLE),
}


@pytest.mark.parametrize(("text", "shape"), SHAPES.values(), ids=SHAPES.keys())
def test_a_file_is_read_apart_only_where_it_is_understood(text: str, shape: Shape) -> None:
    found = scan(text)
    assert found.shape is shape
    if shape is not Shape.WHOLE and text:
        named = {mention.name for mention in found.mentions}
        assert named - {"balance 2026-05-01"} == {"stripe:acct:in_1", "stripe:acct:in_0"}


TOP = main_text(title="NexaCloud", currency="CAD", identity="0")

TOPS: dict[str, tuple[str, Shape]] = {
    "as it is written": (TOP, Shape.SHARED),
    "with lines of another system": (TOP.replace("\n", "\r\n"), Shape.SHARED),
    "with an entry": (TOP + ENTRY, Shape.SHARED),
    "with a file of a person's": (TOP + 'include "bank.beancount"\n', Shape.SHARED),
    "with another plugin": (TOP + 'plugin "beancount.plugins.auto"\n', Shape.WHOLE),
    "with one month named": (TOP + 'include "journal/2026-04.beancount"\n', Shape.WHOLE),
    "with files by a pattern": (TOP + 'include "bank/*.beancount"\n', Shape.WHOLE),
    "without the months": (TOP.replace('include "journal/*', ';include "journal/*'), Shape.WHOLE),
    "with a balance": (TOP + "2026-05-01 balance Assets:Cash 10 CAD\n", Shape.WHOLE),
}


@pytest.mark.parametrize(("text", "shape"), TOPS.values(), ids=TOPS.keys())
def test_the_top_file_may_include_and_has_options(text: str, shape: Shape) -> None:
    assert scan(text, top=True).shape is shape


def test_what_is_written_is_found() -> None:
    invoice = an_invoice()
    payment = a_settlement(invoice, drawn_on="stripe:acct:pi_1", undoes="stripe:acct:pi_0")
    written = [
        document_text(
            invoice, payee='A "B"', receivable="A:R", line_accounts=["I:H"], tax_accounts=["L:T"]
        ),
        settlement_text(
            payment,
            record="settlement",
            payee="A",
            what="NC-1",
            debited=("A:R", payment.drawn_on),
            credited=("A:R", payment.document),
        ),
    ]
    found = scan("\n\n".join(written))
    assert found.shape is Shape.APART
    assert set(found.mentions) == {
        Mention(entry=1, name=invoice.ref, holds=True),
        Mention(entry=2, name=payment.ref, holds=True),
        *(
            Mention(entry=2, name=name, holds=False)
            for name in (invoice.ref, "stripe:acct:pi_1", "stripe:acct:pi_0")
        ),
    }


def test_what_is_written_of_cash_is_found() -> None:
    entry = a_cash_entry("txn_1", a_cash_line(-5, meets=cash_ref("inpay_1")), *fees())
    statement = replace(a_statement([entry]), date=date(2026, 4, 9))
    link, rows = statement_rows(statement, 1)
    head, *rest = cash_text(entry, balance="A:B", line_accounts=["A:O", "E:F", "A:T"]).split("\n")
    stated = CashBalance(currency="CAD", date=date(2026, 4, 30), amount=-700)
    failure = replace(a_settlement(an_invoice()), ref=cash_ref("inpay_1:failed"), undoes=None)
    written = [
        "\n".join([f"{head} {link}", *rows, *rest]),
        statement_text(statement, balance="A:B"),
        balance_text(stated, balance="A:B"),
        settlement_text(
            failure,
            record="settlement",
            payee="A",
            what="NC-1",
            debited=("A:O", None),
            credited=("A:R", None),
        ),
    ]
    found = scan("\n\n".join(written))
    assert found.shape is Shape.APART
    assert set(found.mentions) == {
        Mention(entry=1, name=entry.ref, holds=True),
        Mention(entry=1, name=cash_ref("inpay_1"), holds=False),
        Mention(entry=1, name=statement.ref, holds=False),
        Mention(entry=2, name=statement.ref, holds=True),
        Mention(entry=2, name=statement_of("CAD", statement.date), holds=False),
        Mention(entry=3, name=balance_stated(date(2026, 5, 1)), holds=False),
        Mention(entry=4, name=failure.ref, holds=True),
        Mention(entry=4, name=failure.document, holds=False),
        # A failure and its payment have one key.
        Mention(entry=4, name=cash_ref("inpay_1"), holds=False),
    }
