"""The company in Odoo: its currencies with their rates, and its lock dates for this user."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from fcb_pipelines.connectors.odoo.connection import OdooConnection, Read, Row, search
from fcb_pipelines.core.ledger.description import MissingPart
from fcb_pipelines.core.money import exponent

OLDEST = 19
_LOCKS = ("fiscalyear", "tax", "sale", "hard")


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """One company. The locks are the latest dates on which nothing may be written by this user.

    `currency_ids` are those active ones whose decimals are the currency's own; `rates_since` has the
    first day with a rate of each currency that has any.
    """

    id: int
    name: str
    currency: str
    currency_ids: dict[str, int]
    invoice_lock: date | None
    entry_lock: date | None
    rates_since: tuple[tuple[str, date], ...]

    @property
    def currencies(self) -> tuple[str, ...]:
        """The currencies that documents may be in, the company's own first.

        Those without a rate are left out: Odoo would silently convert them one to one.
        """
        return (self.currency, *(name for name, _ in self.rates_since))

    def has_rate(self, currency: str, day: date) -> bool:
        """Whether there is a rate on or before this day; without one Odoo would take a later one."""
        since = dict(self.rates_since).get(currency)
        return currency == self.currency or (since is not None and since <= day)


def company_reads(company: int) -> dict[str, Read]:
    """What `company_of` needs."""
    return {
        "company": _company_read(company),
        "currencies": search(
            "res.currency", [("active", "=", True)], ["name", "decimal_places"]
        ),
        "rates": Read(
            model="res.currency.rate",
            method="formatted_read_group",
            arguments=([],),
            options={"groupby": ["currency_id", "company_id"], "aggregates": ["name:min"]},
        ),
    }  # fmt: skip


def company_of(answers: Mapping[str, Any]) -> Company:
    """The company as it is now, out of the answers to `company_reads`."""
    (row,) = answers["company"]
    locks = _locks(row)
    currency_ids = {
        each["name"]: each["id"]
        for each in answers["currencies"]
        if each["decimal_places"] == exponent(each["name"])
    }
    own = str(row["currency_id"][1])
    others = {id_: name for name, id_ in currency_ids.items() if name != own}
    return Company(
        id=int(row["id"]),
        name=str(row["name"]),
        currency=own,
        currency_ids=currency_ids,
        invoice_lock=_latest(locks.values()),
        entry_lock=_latest([locks["fiscalyear"], locks["hard"]]),
        rates_since=_rates_since(answers["rates"], others, row["root_id"][0]),
    )


def read_invoice_lock(odoo: OdooConnection) -> date | None:
    """The latest date on which this user may write no sales document now, in one call."""
    (row,) = odoo.read(_company_read(odoo.company))
    return _latest(_locks(row).values())


def version_problem(version: str) -> tuple[MissingPart, ...]:
    """A missing part where a server of this version is too old; else empty."""
    digits = version.removeprefix("saas~").split(".")[0]
    if digits.isdigit() and int(digits) >= OLDEST:
        return ()
    remedy = f"upgrade to Odoo {OLDEST}, which the tests run against"
    return (MissingPart(what="version", name=f"Odoo {OLDEST}, not {version}", remedy=remedy),)


def _company_read(company: int) -> Read:
    # The user_ fields count the parent companies' locks and this user's exceptions.
    names = [f"user_{lock}_lock_date" for lock in _LOCKS]
    return search(
        "res.company", [("id", "=", company)], ["name", "currency_id", "root_id", *names]
    )  # fmt: skip


def _locks(row: Row) -> dict[str, date | None]:
    """The lock dates of a company's own row, by name."""
    return {lock: _day(row[f"user_{lock}_lock_date"]) for lock in _LOCKS}


def _rates_since(
    groups: Iterable[Row], currencies: Mapping[int, str], root: int
) -> tuple[tuple[str, date], ...]:
    """(currency, its first day with a rate) in the order of their names."""
    found: dict[str, date] = {}
    for each in groups:
        # A rate is everybody's, or of the topmost company.
        if each["company_id"] and each["company_id"][0] != root:
            continue
        name, day = currencies.get(each["currency_id"][0]), _day(each["name:min"])
        if name is not None and day is not None:
            found[name] = min(day, found.get(name, day))
    return tuple(sorted(found.items()))


def _day(value: object) -> date | None:
    """A date of Odoo's; its `1-01-01` means none."""
    if not value:
        return None
    year, month, day = (int(part) for part in str(value).split("-"))
    return None if year == 1 else date(year, month, day)


def _latest(days: Iterable[date | None]) -> date | None:
    return max((day for day in days if day is not None), default=None)
