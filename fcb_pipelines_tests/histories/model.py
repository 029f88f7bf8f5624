"""A small model of what happens at Stripe, Lago and NexaCloud, and what it comes to in double entry.

Amounts are minor units, days dates. A sale is a multiple of one major unit, so that 13 % of it are whole
minor units. Nothing here knows how a document is told, posted or listed.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Key = tuple[str, str, str]
"""Customer, currency, measure (revenue, tax or cash)."""

System = Literal["stripe", "lago"]


@dataclass(kw_only=True)
class Refund:
    """Money given back of one payment. One that failed came back on `failed`."""

    id: str
    day: date
    amount: int
    failed: date | None = None
    named: int = 0


@dataclass(kw_only=True)
class Money:
    """One payment at its source, of one invoice or of several: `parts` by invoice id.

    `failed`: the bank took it back, `told` how the source says so (`transaction`: in its balance alone;
    `canceled`: on the invoice's payment, which is open again; `gone`: the payment is no payment any more).
    """

    id: str
    day: date
    parts: dict[str, int]
    by_hand: bool = False
    failed: date | None = None
    told: Literal["transaction", "canceled", "gone"] = "transaction"
    refunds: list[Refund] = field(default_factory=list)
    dispute: Literal["open", "lost", "won"] | None = None
    disputed: date | None = None
    won: date | None = None

    @property
    def amount(self) -> int:
        return sum(self.parts.values())

    @property
    def left(self) -> int:
        """What can still be given back of it."""
        if self.failed or self.dispute or self.by_hand:
            return 0
        return self.amount - sum(each.amount for each in self.refunds if not each.failed)


@dataclass(kw_only=True)
class Note:
    """A credit note over `net` and its tax.

    `off` is what it took off its open invoice; `refunds` are parts of refunds, `back` what Lago paid back;
    `balance` went to the customer's credit, `outside` was given back beside the source; `used` is what of
    `balance` went into later invoices.
    """

    id: str
    invoice: "Invoice"
    day: date
    net: int
    tax: int
    off: int = 0
    refunds: list[tuple[Refund, int]] = field(default_factory=list)
    back: int = 0
    balance: int = 0
    outside: int = 0
    used: int = 0
    void: date | None = None

    @property
    def total(self) -> int:
        return self.net + self.tax


@dataclass(kw_only=True)
class Invoice:
    """One invoice: its lines (description, net), what it drew and what became of it.

    `balance` was taken off what is due out of the customer's credit (below zero: an older debt that was
    collected); `prepaid` and `granted` are a wallet's; `credits` are parts of notes that it used.
    """

    id: str
    side: System
    customer: str
    day: date
    currency: str
    lines: list[tuple[str, int]]
    taxed: bool
    status: Literal["draft", "open", "void", "uncollectible"] = "open"
    live: bool = True
    copied: bool = True
    lost: bool = False
    balance: int = 0
    prepaid: int = 0
    granted: int = 0
    credits: list[tuple[Note, int]] = field(default_factory=list)
    outside: int = 0
    outside_day: date | None = None
    excess: int = 0
    void: date | None = None
    given_up: date | None = None
    dispute_lost: date | None = None
    last: date = date.min
    notes: list[Note] = field(default_factory=list)
    money: list[Money] = field(default_factory=list)

    @property
    def net(self) -> int:
        return sum(net for _, net in self.lines)

    @property
    def tax(self) -> int:
        return sum(tax_on(net) for _, net in self.lines) if self.taxed else 0

    @property
    def total(self) -> int:
        return self.net + self.tax

    @property
    def standing_notes(self) -> list[Note]:
        return [note for note in self.notes if not note.void]

    @property
    def paid(self) -> int:
        """What its source counts as paid through it."""
        return sum(
            each.parts[self.id]
            for each in self.money
            if not (each.failed and each.told != "transaction")
        )

    @property
    def due(self) -> int:
        if self.total <= 0:
            return 0
        drawn = self.balance + self.prepaid + self.granted + sum(part for _, part in self.credits)
        return max(0, self.total - drawn) - sum(note.off for note in self.standing_notes)

    @property
    def remaining(self) -> int:
        return max(0, self.due - self.paid - self.outside)

    @property
    def creditable(self) -> int:
        """What of its net no note took back yet."""
        return self.net - sum(note.net for note in self.standing_notes)


def tax_on(net: int) -> int:
    """13 % of a multiple of 100, exactly."""
    assert net % 100 == 0
    return net * 13 // 100


@dataclass(kw_only=True)
class Loose:
    """A payment at Lago of no invoice that its list has; `names` is the id of one that it lacks."""

    id: str
    customer: str
    day: date
    amount: int
    currency: str
    names: str | None


@dataclass(kw_only=True)
class Billing:
    """All that happened. `begin` is the day on which the books begin, `erased` whom NexaCloud forgot.

    Of those in `without_user` it erased the user and kept the rows of the invoices.
    """

    begin: date
    invoices: list[Invoice] = field(default_factory=list)
    loose: list[Loose] = field(default_factory=list)
    erased: set[str] = field(default_factory=set)
    without_user: set[str] = field(default_factory=set)

    @property
    def gone(self) -> set[str]:
        """The customers whose user NexaCloud has no longer."""
        return self.erased | self.without_user

    def all_money(self) -> list[Money]:
        """Every payment once, in order of making."""
        found = {each.id: each for one in self.invoices for each in one.money}
        return list(found.values())

    def all_notes(self) -> list[Note]:
        return [note for one in self.invoices for note in one.notes]

    def find(self, invoice_id: str) -> Invoice:
        (found,) = (one for one in self.invoices if one.id == invoice_id)
        return found

    # --- what it comes to ---------------------------------------------------------------------------

    def books(self, known: set[tuple[str, str]]) -> Counter[Key]:
        """What was billed, credited, received and given back since the books began.

        `known` are the (customer, side) of whom anybody knows that they are NexaCloud's.
        """
        found: Counter[Key] = Counter()
        for one in self.invoices:
            if (one.customer, one.side) in known and one.live:
                for measure, amount in self.of_group(one).items():
                    found[one.customer, one.currency, measure] += amount
        for paid in self.loose:
            if (paid.customer, "lago") in known and paid.day >= self.begin:
                found[paid.customer, paid.currency, "cash"] += paid.amount
        for money in self.all_money():
            first = self.find(next(iter(money.parts)))
            if (first.customer, first.side) not in known or not first.live:
                continue
            for amount in self._moved(money):
                found[first.customer, first.currency, "cash"] += amount
        return found

    def of_group(self, one: Invoice) -> Counter[str]:
        """Revenue and tax of an invoice with its notes, and the cash that is no payment's."""
        found: Counter[str] = Counter()
        billed = one.status not in ("draft", "void") and one.day >= self.begin and not one.lost
        if billed:
            found["revenue"] += one.net
            found["tax"] += one.tax
        for note in one.standing_notes:
            # A void of before the books began leaves its note to take the revenue back (at Stripe the
            # note is void with it).
            opening = one.side == "lago" and one.day < self.begin
            stands = one.status != "draft" and (one.status != "void" or opening)
            if stands and note.day >= self.begin:
                found["revenue"] -= note.net
                found["tax"] -= note.tax
            if not self._counts(one, note.day) and note.day < self.begin:
                continue
            found["cash"] -= note.back + note.outside
        if one.outside and one.outside_day and not one.lost and one.status != "void":
            found["cash"] += one.outside if self._counts(one, one.outside_day) else 0
        if (
            one.side == "lago"
            and one.dispute_lost
            and not one.lost
            and self._counts(one, one.dispute_lost)
        ):
            found["cash"] -= sum(
                each.parts[one.id] for each in one.money if not each.failed and not each.by_hand
            )
        return found

    def _counts(self, one: Invoice, day: date) -> bool:
        """Whether money of an invoice is of these books: all of theirs, and what moved since."""
        return one.day >= self.begin or day >= self.begin

    def _moved(self, money: Money) -> Iterator[int]:
        """Everything that moved of one payment, signed."""
        for invoice_id, part in money.parts.items():
            one = self.find(invoice_id)
            # Lago lists the payment of an invoice that is gone; at Stripe it is a part of the invoice.
            if one.lost and one.side == "stripe":
                continue
            if money.told == "gone" and money.failed:
                continue
            if self._counts(one, money.day):
                yield part
            if money.failed and self._counts(one, money.failed):
                yield -part
        first = self.find(next(iter(money.parts)))
        for refund in money.refunds:
            # Of an invoice that is gone only what a note of it names is told by anything.
            told = refund.amount if not first.lost else refund.named
            if not refund.failed and self._counts(first, refund.day):
                yield -told
        if money.dispute == "lost" and money.disputed and self._counts(first, money.disputed):
            yield -money.amount if not first.lost else 0
