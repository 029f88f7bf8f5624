"""Our documents, settlements and partners as Beancount text.

The adapter reads back dates, accounts, amounts and metadata; payee, narration, tags and links are for the person who reads the books in Fava.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal

from fcb_pipelines.core.ledger.cash import CashBalance, CashEntry, CashStatement
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.money import to_major

# The date of directives without one of their own: before every possible document.
BEGINNING = date(1970, 1, 1)

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"})


def quoted(text: str) -> str:
    """A Beancount string literal on one line."""
    return f'"{text.translate(_ESCAPES)}"'


def amount(minor: int, currency: str) -> str:
    """Minor units as Beancount writes an amount: 22600, CAD -> `226.00 CAD`."""
    return f"{to_major(minor, currency):f} {currency}"


def document_text(
    document: LedgerDocument,
    *,
    payee: str,
    receivable: str,
    line_accounts: Iterable[str],
    tax_accounts: Iterable[str],
) -> str:
    """A document as a draft entry (`!`). Accounts are Beancount names, in the document's order."""
    sign, currency = document.kind.sign, document.currency
    facts = {
        "external_id": document.ref,
        "record": "document",
        "kind": document.kind.value,
        "number": document.number,
        "partner": document.partner,
        "nexacloud_invoice_id": document.nexacloud_invoice_id,
        "stripe_invoice_id": document.stripe_invoice_id,
        "reverses": document.reverses,
        "source_hash": document.source_hash,
        "content_hash": document.content_hash,
    }
    first = document.lines[0].description if document.lines else ""
    more = f" (+{len(document.lines) - 1})" if len(document.lines) > 1 else ""
    tag = document.kind.value.replace("_", "-")
    narration = f"{document.number} {first}{more}".strip()
    links = filter(None, (document.ref, document.reverses))
    rows = [_head(document.date, "!", payee, narration, tag, *links), *_facts(facts, "  ")]
    rows.append(f"  {receivable}  {amount(sign * document.total, currency)}")
    for line, account in zip(document.lines, line_accounts, strict=True):
        rows.append(f"  {account}  {amount(-sign * line.net, currency)}")
        shown: dict[str, str | Decimal | None] = {
            "description": line.description,
            "quantity": line.quantity,
            "unit_price": line.unit_price,
            "family": line.family,
            "taxes": " ".join(line.taxes),
        }
        rows += _facts(shown, "    ")
    for tax, account in zip(document.taxes, tax_accounts, strict=True):
        rows.append(f"  {account}  {amount(-sign * tax.amount, currency)}")
        rows += _facts({"tax": tax.key, "base": to_major(tax.base, currency)}, "    ")
    return "\n".join(rows)


def settlement_text(
    settlement: Settlement,
    *,
    record: str,
    payee: str,
    what: str,
    debited: tuple[str, str | None],
    credited: tuple[str, str | None],
) -> str:
    """A settlement or a shared receipt (`record`) as a posted entry (`*`); `what` begins its narration.

    `debited` and `credited` are the accounts of a positive amount on an invoice, each with the ref that
    its posting settles.
    """
    facts = {
        "external_id": settlement.ref,
        "record": record,
        "document": settlement.document or None,
        "kind": settlement.kind.value,
        "method": settlement.method.value,
        "memo": settlement.memo,
        "partner": settlement.partner,
        "drawn_on": settlement.drawn_on,
        "undoes": settlement.undoes,
        "content_hash": settlement.content_hash,
    }
    tag = settlement.method.value.replace("_", "-")
    narration = f"{what} {tag} {settlement.memo}".strip()
    links = filter(None, (settlement.document or settlement.ref, settlement.drawn_on))
    rows = [_head(settlement.date, "*", payee, narration, tag, *links), *_facts(facts, "  ")]
    side = settlement.kind.sign * settlement.amount
    for (account, settles), value in ((debited, side), (credited, -side)):
        rows.append(f"  {account}  {amount(value, settlement.currency)}")
        rows += _facts({"settles": settles}, "    ")
    return "\n".join(rows)


def cash_text(entry: CashEntry, *, balance: str, line_accounts: Iterable[str]) -> str:
    """A cash entry as a posted entry (`*`) on the day it is booked; `balance` is the bank account's name.

    A line in another currency stands at its amount in the entry's, as Beancount's price of the whole.
    """
    facts = {
        "external_id": entry.ref,
        "record": "cash",
        "kind": entry.kind.value,
        "transaction_date": entry.date.isoformat(),
        "content_hash": entry.content_hash,
    }
    head = _head(entry.booked_on, "*", None, entry.narration, entry.kind.value.replace("_", "-"))
    rows = [head, *_facts(facts, "  "), f"  {balance}  {amount(entry.amount, entry.currency)}"]
    for line, account in zip(entry.lines, line_accounts, strict=True):
        shown = amount(line.amount, entry.currency)
        if line.original is not None and line.original_currency is not None:
            price = amount(abs(line.amount), entry.currency)
            shown = f"{amount(line.original, line.original_currency)} @@ {price}"
        rows.append(f"  {account}  {shown}")
        rows += _facts({"label": line.label, "meets": line.meets}, "    ")
    return "\n".join(rows)


def statement_text(statement: CashStatement, *, balance: str) -> str:
    """A statement as a note on the bank account `balance`; its entries name it by `statement_rows`."""
    currency = statement.currency
    opening, closing = (amount(each, currency) for each in (statement.opening, statement.closing))
    comment = f"{statement.name}: {len(statement.entries)} entries, {opening} to {closing}"
    facts = {
        "external_id": statement.ref,
        "record": "statement",
        "statement_of": currency,
        "name": statement.name,
        "content_hash": statement.content_hash,
    }
    head = f"{statement.date.isoformat()} note {balance} {quoted(comment)} {link_of(statement.ref)}"
    balances = [f"  opening: {opening}", f"  closing: {closing}"]
    return "\n".join([head, *_facts(facts, "  "), *balances])


def statement_rows(statement: CashStatement, number: int) -> tuple[str, list[str]]:
    """The link and the metadata rows of the entry that is line `number`, from 1, of a statement."""
    facts: dict[str, str | Decimal | None] = {
        "statement": statement.ref,
        "statement_line": Decimal(number),
    }
    return link_of(statement.ref), list(_facts(facts, "  "))


def balance_text(stated: CashBalance, *, balance: str) -> str:
    """A balance at the end of a day, as Beancount asserts it: at the start of the next, to the minor unit.

    Without a tolerance of its own an assertion lets one minor unit pass.
    """
    day = stated.date + timedelta(1)
    value = to_major(stated.amount, stated.currency)
    head = f"{day.isoformat()} balance {balance}  {value:f} ~ 0 {stated.currency}"
    return "\n".join([head, *_facts({"record": "balance"}, "  ")])


def partner_text(partner_id: str, fields: Mapping[str, str]) -> str:
    """A partner as a `custom "partner"` directive; its links are directives of their own."""
    head = f"{BEGINNING.isoformat()} custom {quoted('partner')} {quoted(partner_id)}"
    return "\n".join([head, *partner_rows(fields)])


def partner_rows(fields: Mapping[str, str]) -> list[str]:
    """The metadata rows of a partner's fields."""
    return list(_facts(fields, "  "))


def link_text(partner_id: str, link: str) -> str:
    """One external id of a partner."""
    head = f"{BEGINNING.isoformat()} custom {quoted('partner_link')}"
    return f"{head} {quoted(partner_id)} {quoted(link)}"


def account_text(name: str, code: str | None) -> str:
    """An account of the chart; its metadata carries the configured code."""
    return "\n".join(
        [f"{BEGINNING.isoformat()} open {name}", *_facts({"code": code} if code else {}, "  ")]
    )


def commodity_text(currency: str) -> str:
    """A currency that these books hold."""
    return f"{BEGINNING.isoformat()} commodity {currency}"


def main_text(*, title: str, currency: str, identity: str) -> str:
    """The top file: options, the identity of these books, and its includes."""
    return f"""\
; The books of {title}. Written by fcb_pipelines: drafts are `!`, posted entries `*`.
option "title" {quoted(title)}
option "operating_currency" {quoted(currency)}

; Refuses an external id that is used twice.
plugin "fcb_pipelines.connectors.beancount_plugin"

; Names this very set of books: never change it, never copy it to other books.
{BEGINNING.isoformat()} custom "books" {quoted(identity)}

include "accounts.beancount"
include "partners.beancount"
include "journal/*.beancount"

; To lock: nothing of that kind dated on or before the day is written any more.
; The kind is "invoices", "payments" or "all".
; 2026-03-31 custom "lock_date" "all"
"""


def _head(day: date, flag: str, payee: str | None, narration: str, tag: str, *refs: str) -> str:
    texts = [quoted(text) for text in (payee, narration) if text is not None]
    return " ".join([day.isoformat(), flag, *texts, f"#{tag}", *map(link_of, refs)])


def link_of(ref: str) -> str:
    """The link that the entries of a document bear: `^stripe/acct_1/in_7`."""
    return f"^{re.sub(r'[^A-Za-z0-9_./-]', '/', ref)}"


def _facts(facts: Mapping[str, str | Decimal | None], indent: str) -> Iterable[str]:
    for key, value in facts.items():
        if value is None:
            continue
        shown = f"{value:f}" if isinstance(value, Decimal) else quoted(value)
        yield f"{indent}{key}: {shown}"
