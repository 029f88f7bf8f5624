"""The lines of generated documents: plain ones, prorations, and negative ones."""

import random
from datetime import datetime, time, timedelta
from decimal import Decimal

from fcb_pipelines.core.money import half_up
from fcb_pipelines.sandbox.scenarios.builders.nexa_sales import FAMILY, PRICES, STARTER, WHATSAPP
from fcb_pipelines.sandbox.scenarios.builders.sales import SoldLine

Month = tuple[datetime, datetime]


def drawn_lines(
    n: int, chance: random.Random, issued: datetime
) -> tuple[tuple[SoldLine, ...], bool]:
    """The lines of the n-th document, and whether its tax is rounded line by line.

    Only documents of two lines are: three roundings may differ by two cents, more than the residue.
    """
    month = _month(issued)
    names = chance.sample(sorted(PRICES), 2)
    if n % 6 == 1:
        return (_prorated("Remaining", names[0], issued, month),), False
    if n % 6 == 3:
        dear, cheap = sorted(names, key=lambda name: -PRICES[name])
        given = _prorated("Unused", cheap, issued, month)
        return (_prorated("Remaining", dear, issued, month), given), True
    if n % 6 == 5:
        return tuple(_whole(name, 1, month) for name in names), True
    wanted = chance.sample(sorted(PRICES), chance.choice((1, 1, 1, 2, 3)))
    return tuple(_whole(name, chance.choice((1, 1, 1, 2, 4)), month) for name in wanted), False


def zero_lines(issued: datetime) -> tuple[SoldLine, ...]:
    """Two lines of zero."""
    month = _month(issued)
    return tuple(
        SoldLine(description=name, family=FAMILY[name], net=0, start=month[0], end=month[1])
        for name in (STARTER, WHATSAPP)
    )


def _month(issued: datetime) -> Month:
    start = datetime.combine(issued.date().replace(day=1), time(), issued.tzinfo)
    following = (start + timedelta(days=32)).date().replace(day=1)
    return start, datetime.combine(following, time(), issued.tzinfo)


def _whole(name: str, quantity: int, month: Month) -> SoldLine:
    return SoldLine(
        description=name,
        family=FAMILY[name],
        net=PRICES[name] * quantity,
        start=month[0],
        end=month[1],
        quantity=quantity,
    )


def _prorated(what: str, name: str, begun: datetime, month: Month) -> SoldLine:
    """The share of a month from `begun` on, to the second; below zero for unused time."""
    left, whole = (int(month[1].timestamp() - each.timestamp()) for each in (begun, month[0]))
    # A share of the smallest add-on in a month's last minutes would be zero.
    net = max(1, half_up(Decimal(PRICES[name]) * left / whole))
    return SoldLine(
        description=f"{what} time on {name} after {begun.day} {begun:%b %Y}",
        family=FAMILY[name],
        net=net if what == "Remaining" else -net,
        start=begun,
        end=month[1],
        proration=True,
    )
