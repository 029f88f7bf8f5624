"""The scenario that the edge cases are written into: source objects, NexaCloud's copies, outcomes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from fcb_pipelines.sandbox.scenarios.builders.copies import Row, instant, money
from fcb_pipelines.sandbox.scenarios.builders.sales import Customer, uuid_of
from fcb_pipelines.sandbox.scenarios.builders.stripe_shapes import Json
from fcb_pipelines.sandbox.scenarios.cases.items import at
from fcb_pipelines.sandbox.scenarios.cases.outcomes import Entry, Member, Outcome

FIRST_PERIOD = "2025-03"
_SYNCED = "2025-07-31 06:00"
_SYNCED_LATER = "2025-08-31 06:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """The differences of NexaCloud's copy from its document.

    A `late` copy is made only by the later sync; an `erased` one is deleted by then.
    """

    items: bool = True
    status: str | None = None
    late: bool = False
    erased: bool = False
    cents_off: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyOf:
    """The content of NexaCloud's copy of a document.

    Amounts are minor units; `named` is the `stripe_invoice_id`, `lines` are (description, quantity, net).
    """

    key: str
    user: str
    named: str | None
    number: str | None
    currency: str
    status: str
    net: int
    tax: int
    due: int
    paid: int
    lines: tuple[tuple[str, int, int], ...] = ()


@dataclass(slots=True, kw_only=True)
class Scenario:
    """The source objects, copies and outcomes written so far.

    `later` is the same world a month later, `corrected` that world after a person corrected the listed
    documents.
    """

    later: bool
    corrected: bool = False
    sources: dict[str, list[Json]] = field(default_factory=dict)
    members: list[Member] = field(default_factory=list)
    copies: list[tuple[Callable[[], CopyOf], Copied]] = field(default_factory=list)
    entries: dict[str, list[Entry]] = field(default_factory=dict)
    other_service: int = 0

    @property
    def as_of(self) -> datetime:
        """The moment that counts as now."""
        return at("2025-08-31" if self.later else "2025-07-31")

    @property
    def periods(self) -> tuple[str, ...]:
        """Every month from the first to that of as_of."""
        return tuple(f"2025-{month:02}" for month in range(3, self.as_of.month + 1))

    def period(self, day: str | None) -> str | None:
        """The period of a day; None for a day out of range, or without a day."""
        return day[:7] if day and day[:7] in self.periods else None

    def put(self, file: str, *objects: Json) -> None:
        """Add objects to a source's file (`stripe/invoices`)."""
        self.sources.setdefault(file, []).extend(objects)

    def expect(self, member: Member) -> None:
        """Add a member of the population."""
        self.members.append(member)

    def settle(
        self, ref: str, when: str, method: str, amount: int, *,
        entry: str = "", why: str | None = None, withdrawn: str | None = None,
    ) -> None:  # fmt: skip
        """Add an entry that settles `amount` minor units of the document.

        `entry` is its own id at the source; `why` and `withdrawn` are those of `Entry`.
        """
        if amount:
            settled = Entry(
                day=when[:10], method=method, amount=amount, ref=entry, why=why, withdrawn=withdrawn
            )
            self.entries.setdefault(ref, []).append(settled)

    def withdraw(self, ref: str, why: str) -> None:
        """List a document's booked entries under `why`: its source no longer has them."""
        self.entries[ref] = [replace(each, withdrawn=why) for each in self.entries[ref]]

    def exclude(self, since: int) -> None:
        """Count the members from the n-th on as another product's, outside of the population."""
        self.other_service += len(self.members) - since
        del self.members[since:]

    def holds(self, habit: Copied | None) -> bool:
        """Whether NexaCloud has the copy at as_of; None: there is never one."""
        if habit is None:
            return False
        return not habit.erased if self.later else not habit.late

    def owns(self, habit: Copied | None) -> bool:
        """Whether the billing account is NexaCloud's user: it has a copy, or had one once."""
        return self.holds(habit) or (habit is not None and habit.erased)

    def copy(self, content: Callable[[], CopyOf], habit: Copied) -> None:
        """Add NexaCloud's copy of a document; `content` is called when the document is complete."""
        if self.holds(habit):
            self.copies.append((content, habit))

    def row_without_document(
        self, case: str, what: str, who: Customer, named: str | None, reason: str,
        *, net: int, tax: int, period: str | None = None,
    ) -> None:  # fmt: skip
        """Add a NexaCloud invoice without a document of its own, which is a member itself."""
        content = CopyOf(
            key=case, user=who.user_id, named=named, number=f"EC-{case}", currency="CAD",
            status="paid", net=net, tax=tax, due=net + tax, paid=net + tax,
            lines=(("Odoo ERP Hosting - Standard", 1, net),),
        )  # fmt: skip
        self.copy(lambda: content, Copied())
        self.expect(
            Member(
                case=f"EC-{case}", what=what, ref=f"nexacloud:{_copy_id(content)}",
                number=f"EC-{case}", kind="invoice", day=None, period=period,
                partner=f"nexacloud:{who.user_id}", currency="CAD",
                net=net, tax=tax, lines=(), confirmed=0, outcome=Outcome(reason=reason),
            )
        )  # fmt: skip

    def tables(self) -> dict[str, list[Row]]:
        """The tables `invoices` and `invoice_items`; every instant of a copy is that of its sync."""
        invoices: list[Row] = []
        items: list[Row] = []
        for n, (content, habit) in enumerate(self.copies):
            copied = content()
            synced = at(_SYNCED_LATER if habit.late else _SYNCED) + timedelta(seconds=n)
            invoices.append(_invoice_row(copied, habit, instant(synced)))
            items += _item_rows(copied) if habit.items else ()
        return {"invoices": invoices, "invoice_items": items}


def _copy_id(content: CopyOf) -> str:
    return uuid_of(f"edge/copy/{content.key}")


def _invoice_row(content: CopyOf, habit: Copied, synced: str) -> Row:
    status = habit.status or content.status
    return {
        "id": _copy_id(content),
        "user_id": content.user,
        "subscription_id": None,
        "stripe_invoice_id": content.named,
        "invoice_number": content.number,
        "created_at": synced,
        "currency": content.currency,
        "status": status,
        "subtotal": money(content.net + habit.cents_off, content.currency),
        "tax": money(content.tax, content.currency),
        "amount_due": money(content.due, content.currency),
        "amount_paid": money(content.paid, content.currency),
        "paid_at": synced if status == "paid" else None,
    }


def _item_rows(content: CopyOf) -> Iterable[Row]:
    for n, (description, quantity, net) in enumerate(content.lines):
        yield {
            "id": uuid_of(f"edge/item/{content.key}/{n}"),
            "invoice_id": _copy_id(content),
            "description": description,
            "quantity": str(quantity),
            "unit_price": money(net, content.currency),
            "amount": money(net, content.currency),
            "period_start": None,
            "period_end": None,
        }
