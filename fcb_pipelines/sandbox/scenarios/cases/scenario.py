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
    """How NexaCloud copied a document, where it is not as its source has it.

    `late` copies came only with the later sync; `erased` ones are gone by then.
    """

    items: bool = True
    status: str | None = None
    late: bool = False
    erased: bool = False
    cents_off: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyOf:
    """What a source's document says now, as NexaCloud's tables hold it.

    Amounts are minor units; `lines` are (description, quantity, net).
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
    """Everything written so far. `later` is the world a month on, as_of its day.

    `corrected` is the same world once a person has corrected what it lists.
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
        """What counts as now."""
        return at("2025-08-31" if self.later else "2025-07-31")

    @property
    def periods(self) -> tuple[str, ...]:
        """Every month from the first to that of as_of."""
        return tuple(f"2025-{month:02}" for month in range(3, self.as_of.month + 1))

    def period(self, day: str | None) -> str | None:
        """The period of a day, None without one in range."""
        return day[:7] if day and day[:7] in self.periods else None

    def put(self, file: str, *objects: Json) -> None:
        """Objects of a source's file (`stripe/invoices`)."""
        self.sources.setdefault(file, []).extend(objects)

    def expect(self, member: Member) -> None:
        """A member of the population."""
        self.members.append(member)

    def settle(
        self, ref: str, when: str, method: str, amount: int, *,
        entry: str = "", why: str | None = None, gone: str | None = None,
    ) -> None:  # fmt: skip
        """An entry that must stand beside the document: what it takes off, in minor units.

        `entry` is its own id at the source; with `why` it is listed for that and never booked, with
        `gone` it stands and its source no longer tells it.
        """
        if amount:
            told = Entry(day=when[:10], method=method, amount=amount, ref=entry, why=why, gone=gone)
            self.entries.setdefault(ref, []).append(told)

    def lose(self, ref: str, why: str) -> None:
        """What is booked beside a document stays, and its source no longer tells it: listed."""
        self.entries[ref] = [replace(each, gone=why) for each in self.entries[ref]]

    def set_apart(self, since: int) -> None:
        """The members since the n-th belong to another product: counted, and in no population."""
        self.other_service += len(self.members) - since
        del self.members[since:]

    def holds(self, habit: Copied | None) -> bool:
        """Whether NexaCloud has the copy already; None: it never comes."""
        if habit is None:
            return False
        return not habit.erased if self.later else not habit.late

    def owns(self, habit: Copied | None) -> bool:
        """Whether the billing account is NexaCloud's user: it has a copy, or the books remember it."""
        return self.holds(habit) or (habit is not None and habit.erased)

    def copy(self, told: Callable[[], CopyOf], habit: Copied) -> None:
        """NexaCloud's copy of a document, told once everything about the document is written."""
        if self.holds(habit):
            self.copies.append((told, habit))

    def row_alone(
        self, case: str, what: str, who: Customer, named: str | None, reason: str,
        *, net: int, tax: int, period: str | None = None,
    ) -> None:  # fmt: skip
        """A NexaCloud row without a document of its own, which is a member itself."""
        told = CopyOf(
            key=case, user=who.user_id, named=named, number=f"EC-{case}", currency="CAD",
            status="paid", net=net, tax=tax, due=net + tax, paid=net + tax,
            lines=(("Odoo ERP Hosting - Standard", 1, net),),
        )  # fmt: skip
        self.copy(lambda: told, Copied())
        self.expect(
            Member(
                case=f"EC-{case}", what=what, ref=f"nexacloud:{_copy_id(told)}",
                number=f"EC-{case}", kind="invoice", day=None, period=period,
                partner=f"nexacloud:{who.user_id}", currency="CAD",
                net=net, tax=tax, lines=(), confirmed=0, outcome=Outcome(reason=reason),
            )
        )  # fmt: skip

    def tables(self) -> dict[str, list[Row]]:
        """NexaCloud's invoices and their items. Every instant of a copy is its sync's."""
        invoices: list[Row] = []
        items: list[Row] = []
        for n, (tell, habit) in enumerate(self.copies):
            told = tell()
            synced = at(_SYNCED_LATER if habit.late else _SYNCED) + timedelta(seconds=n)
            invoices.append(_invoice_row(told, habit, instant(synced)))
            items += _item_rows(told) if habit.items else ()
        return {"invoices": invoices, "invoice_items": items}


def _copy_id(told: CopyOf) -> str:
    return uuid_of(f"edge/copy/{told.key}")


def _invoice_row(told: CopyOf, habit: Copied, synced: str) -> Row:
    status = habit.status or told.status
    return {
        "id": _copy_id(told),
        "user_id": told.user,
        "subscription_id": None,
        "stripe_invoice_id": told.named,
        "invoice_number": told.number,
        "created_at": synced,
        "currency": told.currency,
        "status": status,
        "subtotal": money(told.net + habit.cents_off, told.currency),
        "tax": money(told.tax, told.currency),
        "amount_due": money(told.due, told.currency),
        "amount_paid": money(told.paid, told.currency),
        "paid_at": synced if status == "paid" else None,
    }


def _item_rows(told: CopyOf) -> Iterable[Row]:
    for n, (description, quantity, net) in enumerate(told.lines):
        yield {
            "id": uuid_of(f"edge/item/{told.key}/{n}"),
            "invoice_id": _copy_id(told),
            "description": description,
            "quantity": str(quantity),
            "unit_price": money(net, told.currency),
            "amount": money(net, told.currency),
            "period_start": None,
            "period_end": None,
        }
