"""Odoo's bank statement lines, read as cash entries."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from fcb_pipelines.connectors.odoo.connection import Row
from fcb_pipelines.connectors.odoo.fields import CONTENT_HASH, DATE, MEETS, SOURCE_REF
from fcb_pipelines.connectors.odoo.reading import STATES, minor, text
from fcb_pipelines.core.codes import CashKind
from fcb_pipelines.core.ledger.cash import CashEntry, CashLine, LedgerCash, OpenLine
from fcb_pipelines.core.ledger.moves import MoveState

ENTRY_FIELDS = (
    "move_id", "state", "date", "payment_ref", "currency_id", "statement_id", SOURCE_REF, CONTENT_HASH,
    DATE, "x_fc_kind",
)  # fmt: skip
LINE_FIELDS = (
    "move_id", "name", "account_id", "currency_id", "balance", "amount_currency",
    "amount_residual_currency", MEETS, "x_fc_amount",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CashLookups:
    """Values needed to read entries: account id -> code, statement id -> ref, the bank accounts' codes.

    `currency` is the company's.
    """

    accounts: Mapping[int, str]
    statements: Mapping[int, str]
    banks: Collection[str]
    currency: str


def ledger_cash(ref: str, row: Row, lines: Sequence[Row], lookups: CashLookups) -> LedgerCash:
    """A bank statement line with the lines of its entry, in the order they were written in."""
    currency = str(row["currency_id"][1])
    booked_on = date.fromisoformat(row["date"])
    # A note or a heading that a person put between the lines is on no account.
    charged = [line for line in lines if line["account_id"]]
    bank = next((line for line in charged if _account(line, lookups) in lookups.banks), None)
    others = [line for line in charged if line is not bank]
    entry = CashEntry(
        ref=text(row[SOURCE_REF]) or "",
        kind=_kind(text(row["x_fc_kind"])),
        date=_day(text(row[DATE]), booked_on),
        booked_on=booked_on,
        currency=currency,
        amount=_amount(bank, currency, lookups) if bank else 0,
        lines=tuple(_line(line, currency, lookups) for line in others),
        narration=text(row["payment_ref"]) or "",
    )
    state = STATES[row["state"]]
    statement = row["statement_id"]
    return LedgerCash(
        ref=ref,
        entry_id=str(row["move_id"][0]),
        state=state,
        entry=entry,
        stored_hash=text(row[CONTENT_HASH]),
        statement=lookups.statements.get(statement[0]) if statement else None,
        open=tuple(_open(others)) if state is MoveState.POSTED else (),
    )


def residual(line: Row) -> int:
    """The open part of a line, minor units of its own currency."""
    return minor(line["amount_residual_currency"], str(line["currency_id"][1]))


def _open(lines: Sequence[Row]) -> Sequence[OpenLine]:
    return [
        OpenLine(meets=line[MEETS], currency=str(line["currency_id"][1]), residual=residual(line))
        for line in lines
        if line[MEETS] and residual(line)
    ]


def _line(line: Row, currency: str, lookups: CashLookups) -> CashLine:
    own = str(line["currency_id"][1])
    return CashLine(
        account=_account(line, lookups),
        amount=_amount(line, currency, lookups),
        label=text(line["name"]) or "",
        meets=text(line[MEETS]),
        original=minor(line["amount_currency"], own) if own != currency else None,
        original_currency=own if own != currency else None,
    )


def _amount(line: Row, currency: str, lookups: CashLookups) -> int:
    """The amount of a line in the currency of its entry.

    Of a line in another one Odoo has it where that is the company's, else it is kept beside the line.
    """
    if str(line["currency_id"][1]) == currency:
        return minor(line["amount_currency"], currency)
    if currency == lookups.currency:
        return minor(line["balance"], currency)
    return int(text(line["x_fc_amount"]) or 0)


def _account(line: Row, lookups: CashLookups) -> str:
    return lookups.accounts.get(line["account_id"][0], "")


def _kind(name: str | None) -> CashKind:
    """The kind; a field that a person emptied or overwrote says none."""
    return CashKind(name) if name in set(CashKind) else CashKind.UNKNOWN


def _day(told: str | None, booked_on: date) -> date:
    try:
        return date.fromisoformat(told or "")
    except ValueError:
        # Emptied or overwritten by a person: the hash tells of it.
        return booked_on
