"""The cash of a balance in Beancount's entries, as the port's values.

An entry's bank line is its first posting on the account of the balance in that account's currency; every other
posting is a line. What is matched follows from the postings alone (`core.cash.matching`).
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from operator import itemgetter
from typing import Any

from fcb_pipelines.connectors.beancount.entries import minor, state_of, text
from fcb_pipelines.connectors.beancount.reading import Records
from fcb_pipelines.connectors.failures import ContractBreach, NotPrepared
from fcb_pipelines.core.cash.entries import balance_accounts
from fcb_pipelines.core.cash.matching import OutstandingLine, residuals
from fcb_pipelines.core.codes import CashKind
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.ledger.cash import (
    CashBalance,
    CashEntry,
    CashLine,
    CashStatement,
    LedgerCash,
    LedgerStatement,
    OpenLine,
    OutstandingItem,
    adds_up,
    matching_key,
)
from fcb_pipelines.core.ledger.moves import MoveState
from fcb_pipelines.core.money import InexactAmount, exponent, from_major, half_up

CONFIGURATION = "the section `cash` in the configuration file"

_SETTLED = ("settlement", "receipt")


class CashRecords:
    """The cash in one load of the books. Raises NotPrepared where the configuration has no cash."""

    def __init__(self, records: Records, settings: Settings) -> None:
        outstanding = settings.journals.stripe.outstanding
        if settings.cash is None:
            raise NotPrepared("asking for cash", "cash is off", remedy=CONFIGURATION)
        if outstanding is None:
            raise NotPrepared(
                "asking for cash",
                "the Stripe journal has no outstanding account",
                remedy="`journals.stripe.outstanding` in the configuration file",
            )
        self.records = records
        self._accounts = balance_accounts(settings)
        self._outstanding = outstanding.code
        self._running: dict[str, list[tuple[date, tuple[int, int]]]] = {}
        banks = {records.chart.names.get(code) for code in self._accounts.values()}
        self._asserted = {
            (each.account, each.amount.currency, each.date): each
            for each in records.balances_stated
            if each.account in banks
        }

    # --- accounts -----------------------------------------------------------------------------

    def account(self, tried: str, currency: str) -> str:
        """The name of a balance's bank account. Raises NotPrepared where there is none, or the books lack it."""
        if currency not in self._accounts:
            raise NotPrepared(tried, f"no journal is of {currency}", remedy=CONFIGURATION)
        return self.records.chart.name(self._accounts[currency])

    def balance(self, currency: str, day: date) -> int:
        """What the bank account has at the end of a day by all posted entries, minor units.

        Raises ContractBreach for a currency without a journal.
        """
        return self._balances(currency, day)[0]

    def is_provable(self, stated: CashBalance) -> bool:
        """Whether the books have this balance for Beancount's loader too, to which a draft is an entry."""
        return {*self._balances(stated.currency, stated.date)} == {stated.amount}

    def _balances(self, currency: str, day: date) -> tuple[int, int]:
        """The balance at the end of a day by posted entries, and by all."""
        if currency not in self._accounts:
            raise ContractBreach("reading a balance", f"no journal is of {currency}")
        if currency not in self._running:
            self._running[currency] = list(self._run(currency))
        days = self._running[currency]
        return days[bisect_right(days, day, key=itemgetter(0)) - 1][1]

    def _run(self, currency: str) -> Iterator[tuple[date, tuple[int, int]]]:
        """The two balances after each posting, in date order, beginning with nothing."""
        posted = every = 0
        yield date.min, (posted, every)
        for entry in self.records.transactions():
            for posting in self._on(entry, self._accounts[currency]):
                if posting.units.currency == currency:
                    every += minor(posting)
                    posted += minor(posting) if state_of(entry) is MoveState.POSTED else 0
                    yield entry.date, (posted, every)

    def _on(self, entry: Any, code: str) -> list[Any]:
        chart = self.records.chart
        return [each for each in entry.postings if chart.code(each.account) == code]

    # --- entries ------------------------------------------------------------------------------

    def held(self, refs: Iterable[str]) -> tuple[LedgerCash, ...]:
        """Our entries with these refs, in their order; a ref without an entry is left out."""
        wanted = [ref for ref in dict.fromkeys(refs) if ref in self.records.cash]
        entries = [self.records.cash[ref] for ref in wanted]
        open_ = self._open({key for entry in entries for key in _keys(entry)})
        return tuple(
            LedgerCash(
                ref=ref,
                entry_id=ref,
                state=state_of(entry),
                entry=self.entry(ref),
                stored_hash=text(entry.meta, "content_hash") or None,
                statement=text(entry.meta, "statement") or None,
                open=open_.get(ref, ()),
            )
            for ref, entry in zip(wanted, entries, strict=True)
        )

    def entry(self, ref: str) -> CashEntry:
        """The cash entry of this ref as it now is. Raises KeyError for an unknown ref."""
        entry = self.records.cash[ref]
        bank = next(filter(self._is_bank, entry.postings), None)
        currency = (bank or entry.postings[0]).units.currency
        kind, dated = text(entry.meta, "kind"), text(entry.meta, "transaction_date")
        code = self.records.chart.code
        lines = (
            _line(each, code(each.account), currency) for each in entry.postings if each is not bank
        )
        return CashEntry(
            ref=ref,
            kind=CashKind(kind) if kind in set(CashKind) else CashKind.UNKNOWN,
            date=_day(dated),
            booked_on=entry.date,
            currency=currency,
            amount=minor(bank) if bank else 0,
            lines=tuple(lines),
            narration=entry.narration or "",
        )

    def _is_bank(self, posting: Any) -> bool:
        code = self._accounts.get(posting.units.currency)
        return code is not None and self.records.chart.code(posting.account) == code

    # --- what is matched ----------------------------------------------------------------------

    def outstanding(self, on: date) -> tuple[OutstandingItem, ...]:
        """What is open on the outstanding account at the end of a day, in date order."""
        left = residuals([line for _, line in self._lines], on)
        return tuple(
            OutstandingItem(
                ref=text(entry.meta, "external_id") or None,
                entry=line.entry,
                date=line.date,
                currency=line.currency,
                residual=residual,
                meets=line.key if text(entry.meta, "external_id") else None,
            )
            for (entry, line), residual in zip(self._lines, left, strict=True)
            if residual
        )

    def _open(self, keys: set[str]) -> dict[str, tuple[OpenLine, ...]]:
        """Ref -> the open lines with one of these keys."""
        lines = [line for _, line in self._lines if line.key in keys]
        found: dict[str, tuple[OpenLine, ...]] = {}
        for line, residual in zip(lines, residuals(lines), strict=True):
            if residual and line.key is not None:
                open_ = OpenLine(meets=line.key, currency=line.currency, residual=residual)
                found[line.entry] = (*found.get(line.entry, ()), open_)
        return found

    @cached_property
    def _lines(self) -> Sequence[tuple[Any, OutstandingLine]]:
        return list(self._posted_lines())

    def _posted_lines(self) -> Iterator[tuple[Any, OutstandingLine]]:
        """The posted lines of the outstanding account with their entries, in date order."""
        for entry in self.records.transactions():
            if state_of(entry) is not MoveState.POSTED:
                continue
            name = self.records.named(entry)
            settled = text(entry.meta, "record") in _SETTLED
            for posting in self._on(entry, self._outstanding):
                meets = text(posting.meta or {}, "meets")
                yield (
                    entry,
                    OutstandingLine(
                        entry=name,
                        key=meets or (matching_key(name) if settled else None),
                        date=entry.date,
                        currency=posting.units.currency,
                        amount=minor(posting),
                        is_settled=settled,
                    ),
                )

    # --- statements ---------------------------------------------------------------------------

    def statements(self, refs: Iterable[str]) -> tuple[LedgerStatement, ...]:
        """Our statements with these refs, in their order; an unknown ref is left out.

        One is valid whose posted entries lead from its opening to its closing, and that opens where the last
        one before it in its currency closed.
        """
        lines: dict[str, list[str]] = {}
        for ref, entry in self.records.cash.items():
            lines.setdefault(text(entry.meta, "statement"), []).append(ref)
        read = {ref: self._statement(ref, lines.get(ref, ())) for ref in self.records.statements}
        joined, closed = set(), dict[str, int]()
        for ref, statement in read.items():
            if closed.get(statement.currency, statement.opening) == statement.opening:
                joined.add(ref)
            closed[statement.currency] = statement.closing
        return tuple(
            LedgerStatement(
                ref=ref,
                statement_id=ref,
                statement=read[ref],
                is_valid=ref in joined and adds_up(read[ref], self._posted(read[ref])),
                stored_hash=text(self.records.statements[ref].meta, "content_hash") or None,
            )
            for ref in dict.fromkeys(refs)
            if ref in read
        )

    def _posted(self, statement: CashStatement) -> list[CashEntry]:
        cash = self.records.cash
        refs = [ref for ref in statement.entries if state_of(cash[ref]) is MoveState.POSTED]
        return [self.entry(ref) for ref in refs]

    def _statement(self, ref: str, entries: Iterable[str]) -> CashStatement:
        note = self.records.statements[ref]
        currency = text(note.meta, "statement_of")
        return CashStatement(
            ref=ref,
            name=text(note.meta, "name"),
            date=note.date,
            currency=currency,
            opening=_stated_amount(note, "opening", currency),
            closing=_stated_amount(note, "closing", currency),
            entries=tuple(sorted(entries, key=self._number)),
        )

    def _number(self, ref: str) -> tuple[bool, Decimal, date]:
        """The place of an entry in its statement; one without a number comes last."""
        entry = self.records.cash[ref]
        number = entry.meta.get("statement_line")
        known = isinstance(number, Decimal)
        return not known, number if known else Decimal(0), entry.date

    # --- balances stated ----------------------------------------------------------------------

    def assertions(self, currency: str) -> list[Any]:
        """Our balance assertions in this currency."""
        return [each for (_, unit, _), each in self._asserted.items() if unit == currency]

    def asserted(self, stated: CashBalance) -> Any | None:
        """Our assertion of this day and currency, whatever its amount."""
        account = self.account("stating a balance", stated.currency)
        return self._asserted.get((account, stated.currency, stated.date + timedelta(1)))

    def is_proved(self, stated: CashBalance) -> bool:
        """Whether our assertion is of this very amount and Beancount's loader, of the whole books, accepts it."""
        found = self.asserted(stated)
        if found is None or found.diff_amount is not None or found.tolerance != 0:
            return False
        return bool(from_major(found.amount.number, stated.currency) == stated.amount)


def _keys(entry: Any) -> Iterable[str]:
    """The keys of an entry's lines."""
    return filter(None, (text(each.meta or {}, "meets") for each in entry.postings))


def _line(posting: Any, account: str, currency: str) -> CashLine:
    """A posting as a line of an entry in this currency; of another one, the amount is that of its price.

    Without a price in the entry's currency it has none, which no line of ours has.
    """
    meta, units, price = posting.meta or {}, posting.units, posting.price
    known: dict[str, Any] = {}
    amount = 0
    if units.currency == currency:
        amount = minor(posting)
    else:
        known = {"original": minor(posting), "original_currency": units.currency}
        if price is not None and price.currency == currency:
            amount = half_up((units.number * price.number).scaleb(exponent(currency)))
    return CashLine(
        account=account,
        amount=amount,
        label=text(meta, "label"),
        meets=text(meta, "meets") or None,
        **known,
    )


def _day(value: str) -> date:
    """The day of a transaction; the first of all where a person made it none, which then shows."""
    try:
        return date.fromisoformat(value)
    except ValueError:
        return date.min


def _stated_amount(note: Any, key: str, currency: str) -> int:
    """An amount of a statement; 0 where a person made it something else, which then shows in its hash."""
    found = note.meta.get(key)
    try:
        return from_major(found.number, found.currency) if found.currency == currency else 0
    except (AttributeError, InexactAmount):
        return 0
