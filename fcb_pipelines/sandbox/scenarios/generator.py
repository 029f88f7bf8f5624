"""Generated datasets of any size like the packaged one, with their expected.json.

    python -m fcb_pipelines.sandbox.scenarios.generator FOLDER --customers 50 --invoices 400 --months 6 --seed 1

The same arguments give the same files. Every habit occurs once before chance decides: zeros, voids,
drafts, open and partly paid documents, instalments, month ends late in the evening, prorations,
negative lines, taxes rounded line by line, copies that are wrong or lack their items.
"""

import argparse
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

from fcb_pipelines.core.periods import first_day, following, preceding
from fcb_pipelines.sandbox.scenarios.builders.authored import TIMEZONE, authored
from fcb_pipelines.sandbox.scenarios.builders.cash_side import with_cash
from fcb_pipelines.sandbox.scenarios.builders.files import DatasetFiles
from fcb_pipelines.sandbox.scenarios.builders.generated_lines import drawn_lines, zero_lines
from fcb_pipelines.sandbox.scenarios.builders.generated_tables import Subscribed, tables
from fcb_pipelines.sandbox.scenarios.builders.provinces import PLACES, all_rates, billed_in
from fcb_pipelines.sandbox.scenarios.builders.sales import (
    CopyHabit,
    Customer,
    Paid,
    Sale,
    SaleStatus,
    SoldAt,
)

LAST_PERIOD = "2026-05"
_ZONE = ZoneInfo(TIMEZONE)
_SYNCED = datetime(2026, 6, 1, 3, 59, tzinfo=UTC)  # a minute before May ends in Toronto


class Habit(StrEnum):
    """The special feature of a generated document."""

    PLAIN = "plain"
    OPEN = "open"
    PARTLY_PAID = "partly_paid"
    INSTALMENTS = "instalments"
    ZERO = "zero"
    VOID = "void"
    DRAFT = "draft"
    LATE = "late"


# How often chance picks each, in 100.
_WEIGHTS = {
    Habit.PLAIN: 72,
    Habit.OPEN: 6,
    Habit.PARTLY_PAID: 4,
    Habit.INSTALMENTS: 3,
    Habit.ZERO: 4,
    Habit.VOID: 3,
    Habit.DRAFT: 3,
    Habit.LATE: 5,
}


def generate(path: Path, *, customers: int, invoices: int, months: int, seed: int) -> Path:
    """Write a dataset of that size into `path`; return `path`. Raises ValueError for a size below 1."""
    files = generated(customers=customers, invoices=invoices, months=months, seed=seed)
    return files.write(path)


def generated(*, customers: int, invoices: int, months: int, seed: int) -> DatasetFiles:
    """The files of a dataset of that size.

    Its last month is May 2026, and its as_of that month's last day. Raises ValueError for a size below 1.
    """
    if min(customers, invoices, months) < 1:
        raise ValueError("customers, invoices and months are at least 1")
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    periods = [LAST_PERIOD]
    while len(periods) < months:
        periods.insert(0, preceding(periods[0]))
    buyers = [_customer(n, seed) for n in range(customers)]
    subscribed: dict[str, Subscribed] = {}
    sales = _numbered(
        [
            _sale(n, seed, chance, chance.choice(buyers), periods, subscribed)
            for n in range(invoices)
        ]
    )
    files = authored(
        name=f"generated-{customers}-{invoices}-{months}-{seed}",
        periods=periods,
        synced=_SYNCED.astimezone(_ZONE),
        customers=buyers,
        sales=sales,
        rates=all_rates(),
        catalogue=tables(subscribed.values(), sales),
    )
    return with_cash(files)


def _customer(n: int, seed: int) -> Customer:
    province, city, code, street = PLACES[n % len(PLACES)]
    name = f"Company {n + 1} {'Ltée' if province == 'QC' else 'Ltd.'}"
    return Customer(
        key=f"generated/{seed}/{n}",
        email=f"owner{n + 1}@company{n + 1}.example",
        full_name=f"Owner {n + 1}",
        company=None if n % 5 == 4 else name,
        billing_email=f"Billing@Company{n + 1}.example" if n % 3 == 0 else None,
        street=f"{n + 1} {street}",
        city=city,
        state=province,
        postal_code=code,
        tax_id=f"{800000000 + n} RT0001" if n % 2 else None,
    )


def _sale(
    n: int,
    seed: int,
    chance: random.Random,
    customer: Customer,
    periods: list[str],
    subscribed: dict[str, Subscribed],
) -> Sale:
    every = list(Habit)
    habit = every[n] if n < len(every) else chance.choices(every, list(_WEIGHTS.values()))[0]
    at_stripe = habit is Habit.ZERO or chance.random() < 0.6
    issued = _issued(chance, chance.choice(periods), late=habit is Habit.LATE)
    zero = habit is Habit.ZERO
    lines, by_line = (zero_lines(issued), False) if zero else drawn_lines(n, chance, issued)
    sale = Sale(
        key=f"generated/{seed}/{n}",
        source=SoldAt.STRIPE if at_stripe else SoldAt.LAGO,
        number="",
        customer=customer,
        status=_STATUS.get(habit, SaleStatus.PAID),
        created=issued - timedelta(days=n % 4 if at_stripe else 0, hours=1),
        issued=None if habit is Habit.DRAFT else issued,
        lines=lines,
        rates=() if zero else billed_in(customer.state, issued.date()),
        by_line=by_line,
        copied=_copied(chance, habit, at_stripe),
    )
    if at_stripe and len(lines) == 1 and chance.random() < 0.5:
        bought = Subscribed(customer=customer, description=lines[0].description)
        subscribed.setdefault(bought.id, bought)
        sale = replace(sale, subscription=bought.id)
    return replace(sale, payments=tuple(_payments(chance, sale, habit)))


_STATUS = {
    Habit.OPEN: SaleStatus.OPEN,
    Habit.PARTLY_PAID: SaleStatus.OPEN,
    Habit.VOID: SaleStatus.VOID,
    Habit.DRAFT: SaleStatus.DRAFT,
}


def _issued(chance: random.Random, period: str, *, late: bool) -> datetime:
    """A moment of the month in office hours, or half past eleven on its last evening (`late`)."""
    days = (first_day(following(period)) - first_day(period)).days
    day = first_day(period) + timedelta(days=days - 1 if late else chance.randrange(days))
    clock = time(23, 30) if late else time(8 + chance.randrange(11), chance.randrange(60))
    return datetime.combine(day, clock, _ZONE)


def _payments(chance: random.Random, sale: Sale, habit: Habit) -> Iterator[Paid]:
    if sale.issued is None or not sale.total:
        return
    soon = sale.issued + timedelta(seconds=90)
    wait = timedelta(days=chance.choice((0, 0, 1, 3, 12, 25)), hours=2)
    later = sale.issued + wait if sale.issued + wait < _SYNCED else soon
    first = sale.total * 2 // 5 if habit in (Habit.PARTLY_PAID, Habit.INSTALMENTS) else 0
    if first:
        yield Paid(at=soon, amount=first)
    if sale.status is SaleStatus.PAID:
        yield Paid(at=later, amount=sale.total - first)


def _copied(chance: random.Random, habit: Habit, at_stripe: bool) -> CopyHabit:
    """The copy's differences: a void is paid without items there; Lago's items are mostly missing."""
    if habit is Habit.VOID:
        return CopyHabit(items=False, status="paid")
    return CopyHabit(
        items=chance.random() < (0.92 if at_stripe else 0.3),
        status="paid" if habit is Habit.OPEN and chance.random() < 0.3 else None,
        cents_off=chance.choice((-1, 1)) if chance.random() < 0.03 else 0,
    )


def _numbered(sales: list[Sale]) -> list[Sale]:
    """The sales with numbers in the order of issue, one series a source; drafts have none yet."""
    counts = dict.fromkeys(SoldAt, 0)
    numbered = []
    for sale in sorted(sales, key=lambda each: (each.issued or each.created, each.key)):
        counts[sale.source] += sale.status is not SaleStatus.DRAFT
        series = "NXC" if sale.source is SoldAt.STRIPE else "NEX-2026"
        draft = sale.status is SaleStatus.DRAFT
        numbered.append(
            replace(sale, number="" if draft else f"{series}-{counts[sale.source]:06d}")
        )
    return numbered


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m fcb_pipelines.sandbox.scenarios.generator")
    parser.add_argument("folder", type=Path)
    for size, default in (("customers", 50), ("invoices", 400), ("months", 6), ("seed", 1)):
        parser.add_argument(f"--{size}", type=int, default=default)
    chosen = vars(parser.parse_args())
    generate(chosen.pop("folder"), **chosen)


if __name__ == "__main__":
    _main()
