"""What may happen next to a document: each event changes the model, or is not possible and changes nothing.

`pick` chooses among the documents that it can happen to, `size` how much of it, `days` how much later than
what happened to it last.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from fcb_pipelines_tests.histories.model import Billing, Invoice, Loose, Money, Note, Refund, tax_on

Item = TypeVar("Item")
HOSTING, MANAGED = "Odoo ERP Hosting - Standard", "Managed Odoo - Standard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What was drawn for one event."""

    pick: int
    size: int
    days: int
    flag: bool


class World:
    """The model with the events that change it; `end` is the last day of all."""

    def __init__(self, begin: date, end: date) -> None:
        self.billing = Billing(begin=begin)
        self.end = end
        self._number = 0

    # --- new invoices -----------------------------------------------------------------------------

    def bill(
        self, side: str, customer: str, day: date, lines: list[tuple[str, int]], **more: object
    ) -> Invoice:
        """A new invoice, open."""
        prefix = "in_" if side == "stripe" else "L"
        one = Invoice(
            id=self._new(prefix),
            side=side,  # type: ignore[arg-type]
            customer=customer,
            day=day,
            lines=lines,
            last=day,
            **more,  # type: ignore[arg-type]
        )
        self.billing.invoices.append(one)
        return one

    def bill_with_note(self, one: Invoice, choice: Choice) -> bool:
        """A new Lago invoice uses what is left of one of the customer's notes."""
        notes = [
            note
            for note in self.billing.all_notes()
            if note.invoice.side == one.side == "lago"
            and (note.invoice.customer, note.invoice.currency) == (one.customer, one.currency)
            and note.balance > note.used
            and note.day <= one.day
            and not note.invoice.lost
        ]
        note = _picked(notes, choice.pick)
        part = min(note.balance - note.used, one.remaining) if note else 0
        if note is None or part <= 0:
            return False
        note.used += part
        one.credits.append((note, part))
        return True

    # --- money ------------------------------------------------------------------------------------

    def pay(self, choice: Choice) -> bool:
        """A payment of all that is left, of a part, or (at Stripe) of more."""
        one = self._invoice(choice, lambda each: each.remaining > 0 and not each.dispute_lost)
        if one is None:
            return False
        amount = _part(one.remaining, choice.size)
        day = self._later(one, choice.days)
        by_hand = one.side == "lago" and choice.flag and choice.size % 3 == 0
        money = Money(id=self._new("m"), day=day, parts={one.id: amount}, by_hand=by_hand)
        if one.side == "stripe" and choice.size % 7 == 6:
            money.parts[one.id] = one.remaining + 500
            one.excess += 500 if choice.flag else 0
        one.money.append(money)
        return True

    def pay_together(self, choice: Choice) -> bool:
        """One payment of two invoices of one customer, each in full."""
        first = self._invoice(choice, self._is_payable)
        if first is None:
            return False
        others = [
            each
            for each in self._invoices(self._is_payable)
            if each is not first
            and (each.side, each.customer, each.currency, each.live)
            == (first.side, first.customer, first.currency, first.live)
        ]
        other = _picked(others, choice.pick)
        if other is None:
            return False
        day = max(self._later(first, choice.days), self._later(other, 0))
        parts = {each.id: each.remaining for each in (first, other)}
        money = Money(id=self._new("m"), day=day, parts=parts)
        for each in (first, other):
            each.money.append(money)
            each.last = day
        return True

    def fail_late(self, choice: Choice) -> bool:
        """The bank takes a payment back."""
        money = self._money(
            choice,
            lambda m: (
                not (m.failed or m.dispute or m.refunds or m.by_hand)
                and not any(self.billing.find(each).dispute_lost for each in m.parts)
            ),
        )
        if money is None:
            return False
        ones = [self.billing.find(each) for each in money.parts]
        # What was done with what the payment left over can't be undone by it.
        if any(one.status == "void" or one.notes or one.lost or one.excess for one in ones):
            return False
        # A source that marked the rest as paid tells of it only as long as all is paid.
        if any(one.outside for one in ones):
            return False
        money.failed = max(self._later(one, choice.days) for one in ones)
        for one in ones:
            one.last = money.failed
        if ones[0].side == "lago":
            money.told = "gone"
        elif choice.flag:
            money.told = "canceled"
        return True

    def refund(self, choice: Choice) -> bool:
        """Money given back at Stripe, without a note."""
        money = self._money(choice, lambda m: m.left > 0 and self._side(m) == "stripe")
        if money is None:
            return False
        self._refund(money, _part(money.left, choice.size), choice.days)
        return True

    def refund_fails(self, choice: Choice) -> bool:
        """A refund that no note names comes back."""
        money = self._money(choice, lambda m: any(not (r.failed or r.named) for r in m.refunds))
        if money is None:
            return False
        refund = next(r for r in money.refunds if not (r.failed or r.named))
        one = self.billing.find(next(iter(money.parts)))
        refund.failed = max(refund.day, self._later(one, choice.days))
        return True

    def dispute(self, choice: Choice) -> bool:
        """A payment is disputed at Stripe; later it is lost or won."""
        money = self._money(
            choice,
            lambda m: self._side(m) == "stripe" and not (m.failed or m.refunds)
            and m.dispute in (None, "open"),
        )  # fmt: skip
        if money is None:
            return False
        one = self.billing.find(next(iter(money.parts)))
        day = self._later(one, choice.days)
        if money.dispute is None:
            money.dispute, money.disputed = "open", day
        elif choice.flag:
            money.dispute = "lost"
        else:
            money.dispute, money.won = "won", day
        return True

    def dispute_is_won_after_all(self, choice: Choice) -> bool:
        """A lost dispute is decided for the company."""
        money = self._money(choice, lambda m: m.dispute == "lost")
        if money is None:
            return False
        one = self.billing.find(next(iter(money.parts)))
        money.dispute, money.won = "won", self._later(one, choice.days)
        return True

    def lago_dispute_lost(self, choice: Choice) -> bool:
        """Lago says that a dispute over an invoice was lost."""
        one = self._invoice(
            choice,
            lambda each: (
                each.side == "lago"
                and bool(each.money)
                and not (each.dispute_lost or each.notes)
                and not each.remaining
            ),
        )
        if one is None:
            return False
        one.dispute_lost = self._later(one, choice.days)
        return True

    def paid_outside(self, choice: Choice) -> bool:
        """What is left is paid beside the source, and marked so there."""
        one = self._invoice(
            choice,
            lambda each: (
                each.remaining > 0
                and not each.outside
                and not each.dispute_lost
                and (each.side == "stripe" or each.day >= self.billing.begin)
            ),
        )
        if one is None:
            return False
        one.outside = one.remaining
        one.outside_day = self._later(one, choice.days)
        if one.side == "lago":
            # Lago tells no day of it.
            one.outside_day = one.day
        return True

    # --- credit notes -----------------------------------------------------------------------------

    def note(self, choice: Choice) -> bool:
        """A credit note over all or half of what no other one took back."""
        one = self._invoice(
            choice,
            lambda each: (
                each.creditable >= 100
                and each.total > 0
                and each.status == "open"
                and not (each.balance < 0 or each.dispute_lost)
            ),
        )
        if one is None:
            return False
        whole = one.creditable if choice.flag else max(100, one.creditable // 200 * 100)
        if not one.remaining:
            return self._note_of_paid(one, whole, choice)
        net = min(whole, one.remaining // (113 if one.taxed else 100) * 100)
        if net < 100:
            return False
        note = self._note(one, net, choice.days)
        if one.side == "lago" and choice.size % 3 == 0:
            # Of an invoice that is not paid at all Lago may give credit all the same.
            note.balance = note.total
        else:
            note.off = note.total
        return True

    def _note_of_paid(self, one: Invoice, net: int, choice: Choice) -> bool:
        if one.side == "lago":
            note = self._note(one, net, choice.days)
            back = min(note.total, one.paid - sum(each.back for each in one.notes))
            note.back = back if choice.size % 2 else 0
            note.balance = note.total - note.back
            return True
        total = net + (tax_on(net) if one.taxed else 0)
        money = _picked([m for m in one.money if m.left > 0 and len(m.parts) == 1], choice.pick)
        refunds = [
            refund
            for each in one.money
            for refund in each.refunds
            if refund.amount > refund.named and not refund.failed
            and (refund.day >= self.billing.begin or one.day < self.billing.begin)
        ]  # fmt: skip
        way = choice.size % 5
        if way == 0 and refunds:
            note = self._note(one, net, choice.days)
            self._name(note, refunds[0], min(total, refunds[0].amount - refunds[0].named))
        elif way in (1, 2) and money is not None and one.day >= self.billing.begin:
            amount = min(total, money.left) if way == 1 else min(total, money.left // 2 or 1)
            refund = self._refund(money, amount, choice.days)
            note = self._note(one, net, 0)
            self._name(note, refund, amount)
        elif way == 3:
            note = self._note(one, net, choice.days)
            note.outside = total if choice.flag else total // 2
        else:
            note = self._note(one, net, choice.days)
        note.balance = total - note.outside - sum(part for _, part in note.refunds)
        return True

    def void_note(self, choice: Choice) -> bool:
        """A note that took something off its open Stripe invoice is void, or one at Lago unused."""
        notes = [
            note
            for one in self._invoices(lambda each: each.side == "stripe" and each.status == "open")
            for note in one.standing_notes
            # Stripe voids a note of an open invoice alone.
            if note.off and one.remaining and not one.money
        ]
        note = _picked(notes, choice.pick)
        if note is None:
            return False
        note.void = self._later(note.invoice, choice.days)
        return True

    # --- what becomes of an invoice -----------------------------------------------------------------

    def void(self, choice: Choice) -> bool:
        """Void: at Stripe what is open, at Lago paid ones too, with a note over the rest or without."""
        one = self._invoice(
            choice,
            lambda each: (
                each.status in ("open", "uncollectible")
                and (each.side == "lago" or each.remaining > 0)
                and not each.outside
                and not any(note.used for note in each.notes)
                and each.total > 0
            ),
        )
        if one is None:
            return False
        day = self._later(one, choice.days)
        paid = one.paid - sum(note.back for note in one.notes)
        if one.side == "lago" and choice.flag and one.creditable >= 100 and paid > 0:
            note = self._note(one, one.creditable, 0)
            note.back = min(note.total, paid) if choice.size % 2 else 0
            note.balance = note.total - note.back
        one.status, one.void = "void", day
        for note in one.notes if one.side == "stripe" else ():
            # Stripe's own notes keep their status; the void of their invoice makes nothing of them.
            assert not note.refunds
        return True

    def give_up(self, choice: Choice) -> bool:
        """Uncollectible at Stripe."""
        one = self._invoice(
            choice,
            lambda each: each.side == "stripe" and each.status == "open" and each.remaining > 0,
        )
        if one is None:
            return False
        one.status, one.given_up = "uncollectible", self._later(one, choice.days)
        # What comes later comes on another day: the model knows no hours.
        self._later(one, 1)
        return True

    def change(self, choice: Choice) -> bool:
        """Another amount than was billed: the source changed its mind."""
        one = self._invoice(
            choice,
            lambda each: (
                each.status == "open"
                and not (each.notes or each.money or each.credits or each.outside or each.balance)
                and not (each.prepaid or each.granted)
                and each.total > 0
            ),
        )
        if one is None:
            return False
        description, net = one.lines[0]
        by = 100 * (1 + choice.size % 3) * (1 if choice.flag else -1)
        if net + by < 100 or one.net + by < 100:
            return False
        one.lines[0] = description, net + by
        return True

    def finalise(self, choice: Choice) -> bool:
        """A draft is issued."""
        drafts = [one for one in self.billing.invoices if one.status == "draft"]
        one = _picked(drafts, choice.pick)
        if one is None:
            return False
        one.status = "open"
        return True

    # --- what becomes of those who tell it --------------------------------------------------------------

    def copied(self, choice: Choice) -> bool:
        """NexaCloud imports an invoice that it did not have."""
        one = _picked([each for each in self.billing.invoices if not each.copied], choice.pick)
        if one is None:
            return False
        one.copied = True
        return True

    def erased(self, choice: Choice) -> bool:
        """NexaCloud erases a customer, or the user alone and keeps the rows of its invoices."""
        left = sorted({one.customer for one in self.billing.invoices} - self.billing.erased)
        who = _picked(left, choice.pick)
        if who is None:
            return False
        (self.billing.erased if choice.flag else self.billing.without_user).add(who)
        return True

    def lost(self, choice: Choice) -> bool:
        """A source has an invoice no longer."""
        one = self._invoice(
            choice,
            lambda each: not any(len(m.parts) > 1 for m in each.money) and not each.credits,
        )
        if one is None:
            return False
        one.lost = True
        return True

    def pay_what_is_not_listed(self, choice: Choice) -> bool:
        """A payment at Lago names no invoice, or one that its list does not have."""
        near = self._invoice(choice, lambda each: each.side == "lago")
        if near is None:
            return False
        self.billing.loose.append(
            Loose(
                id=self._new("p"),
                customer=near.customer,
                day=min(near.day + timedelta(days=choice.days), self.end),
                amount=100 * (1 + choice.size),
                currency=near.currency,
                names="gone" if choice.flag else None,
            )
        )
        return True

    # --- choosing -----------------------------------------------------------------------------------

    def _is_payable(self, one: Invoice) -> bool:
        # Lago names no parts of a shared payment: it is told where one at most is left open.
        plain = not (one.balance or one.money) or one.side == "stripe"
        # A part of a shared payment is matched with the document alone, not with an older debt.
        plain = plain and one.balance >= 0
        return one.remaining > 0 and plain and not one.dispute_lost and one.status == "open"

    def _invoices(self, possible: Callable[[Invoice], bool]) -> list[Invoice]:
        return [
            one
            for one in self.billing.invoices
            if one.status not in ("draft", "void") and not one.lost and possible(one)
        ]

    def _invoice(self, choice: Choice, possible: Callable[[Invoice], bool]) -> Invoice | None:
        return _picked(self._invoices(possible), choice.pick)

    def _money(self, choice: Choice, possible: Callable[[Money], bool]) -> Money | None:
        made = [
            money
            for money in self.billing.all_money()
            if possible(money) and not any(self.billing.find(each).lost for each in money.parts)
        ]
        return _picked(made, choice.pick)

    def _side(self, money: Money) -> str:
        return self.billing.find(next(iter(money.parts))).side

    def _later(self, one: Invoice, days: int) -> date:
        one.last = min(one.last + timedelta(days=days), self.end)
        return one.last

    def _new(self, prefix: str) -> str:
        self._number += 1
        return f"{prefix}{self._number}"

    def _refund(self, money: Money, amount: int, days: int) -> Refund:
        one = self.billing.find(next(iter(money.parts)))
        day = max(self._later(one, days), money.day)
        refund = Refund(id=self._new("re_"), day=day, amount=amount)
        money.refunds.append(refund)
        return refund

    def _note(self, one: Invoice, net: int, days: int) -> Note:
        note = Note(
            id=self._new("cn_" if one.side == "stripe" else "N"),
            invoice=one,
            day=max(self._later(one, days), *(money.day for money in one.money), one.day),
            net=net,
            tax=tax_on(net) if one.taxed else 0,
        )
        one.notes.append(note)
        one.last = note.day
        return note

    def _name(self, note: Note, refund: Refund, part: int) -> None:
        note.refunds.append((refund, part))
        refund.named += part


def _picked(items: Sequence[Item], pick: int) -> Item | None:
    return items[pick % len(items)] if items else None


def _part(whole: int, size: int) -> int:
    """All of it for even sizes, else a part."""
    return whole if size % 2 == 0 else max(1, whole * (size % 10) // 10)


EVENTS: dict[str, Callable[[World, Choice], bool]] = {
    name: getattr(World, name)
    for name in (
        "pay", "pay_together", "fail_late", "refund", "refund_fails", "dispute",
        "dispute_is_won_after_all", "lago_dispute_lost", "paid_outside", "note", "void_note", "void",
        "give_up", "change", "finalise", "copied", "erased", "lost",
        "pay_what_is_not_listed",
    )
}  # fmt: skip
