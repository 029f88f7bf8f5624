"""Exchange rates of the sandbox's Odoo: made up, plausible, and different each month.

A payment in a later month than its invoice therefore has an exchange difference, as in real books.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

FIRST_YEAR, LAST_YEAR = 2020, 2035

# Units of the currency that a Canadian dollar buys, about as it was in these years.
_AROUND = {
    "USD": Decimal("0.74"),
    "EUR": Decimal("0.68"),
    "GBP": Decimal("0.58"),
    "JPY": Decimal("104"),
    "KWD": Decimal("0.226"),
}
# The deviation of a month per mille; consecutive months differ, and so do the years.
_OFF = (0, 14, -9, 22, 5, -17, 31, -4, 11, -26, 8, -13, 19)


def monthly_rates() -> Iterator[tuple[str, date, Decimal]]:
    """The rates, month by month: (currency, first day, units for one Canadian dollar)."""
    months = [date(y, m, 1) for y in range(FIRST_YEAR, LAST_YEAR + 1) for m in range(1, 13)]
    for currency, around in _AROUND.items():
        for place, month in enumerate(months):
            off = Decimal(1000 + _OFF[place % len(_OFF)]) / 1000
            yield currency, month, around * off


def write_rates(cursor: Any) -> None:
    """Replace the rates of these currencies in an Odoo database."""
    cursor.execute("select id from res_company order by id limit 1")
    (company,) = cursor.fetchone()
    rows = list(monthly_rates())
    cursor.execute(
        "delete from res_currency_rate r using res_currency c where c.id = r.currency_id"
        " and r.company_id = %s and c.name = any(%s)",
        (company, list(_AROUND)),
    )
    cursor.executemany(
        "insert into res_currency_rate (currency_id, company_id, name, rate)"
        " select id, %s, %s, %s from res_currency where name = %s",
        [(company, month, rate, currency) for currency, month, rate in rows],
    )
