"""The company's own side of Odoo: its currency, what it can hold, and what is locked for this user."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from fcb_pipelines.connectors.odoo_connection import OdooConnection
from fcb_pipelines.core.money import exponent
from fcb_pipelines.core.standing import MissingPart

OLDEST = 19
_LOCKS = ("fiscalyear", "tax", "sale", "hard")


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """One company. The locks are the latest dates on which nothing may be written by this user.

    `currency_ids` are those active ones whose decimals are the currency's own.
    """

    id: int
    name: str
    currency: str
    currency_ids: dict[str, int]
    invoice_lock: date | None
    entry_lock: date | None

    @property
    def currencies(self) -> tuple[str, ...]:
        """What documents may be in, the company's own first."""
        others = sorted(name for name in self.currency_ids if name != self.currency)
        return (self.currency, *others)


def read_company(odoo: OdooConnection) -> Company:
    """The company as it is now, in two calls."""
    # The user_ fields count the parent companies' locks and this user's exceptions.
    names = [f"user_{lock}_lock_date" for lock in _LOCKS]
    (row,) = odoo.rows("res.company", [("id", "=", odoo.company)], ["name", "currency_id", *names])
    locks = dict(zip(_LOCKS, (_day(row[name]) for name in names), strict=True))
    currencies = odoo.rows("res.currency", [("active", "=", True)], ["name", "decimal_places"])
    return Company(
        id=odoo.company,
        name=str(row["name"]),
        currency=str(row["currency_id"][1]),
        currency_ids={
            each["name"]: each["id"]
            for each in currencies
            if each["decimal_places"] == exponent(each["name"])
        },
        invoice_lock=_latest(locks.values()),
        entry_lock=_latest([locks["fiscalyear"], locks["hard"]]),
    )


def version_problem(version: str) -> tuple[MissingPart, ...]:
    """What is wrong with a server of this version, if anything is."""
    digits = version.removeprefix("saas~").split(".")[0]
    if digits.isdigit() and int(digits) >= OLDEST:
        return ()
    remedy = f"upgrade to Odoo {OLDEST}, which the tests run against"
    return (MissingPart(what="version", name=f"Odoo {OLDEST}, not {version}", remedy=remedy),)


def _day(value: object) -> date | None:
    """A date of Odoo's; its `1-01-01` means none."""
    if not value:
        return None
    year, month, day = (int(part) for part in str(value).split("-"))
    return None if year == 1 else date(year, month, day)


def _latest(days: Iterable[date | None]) -> date | None:
    return max((day for day in days if day is not None), default=None)
