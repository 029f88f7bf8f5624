"""Accounts in Beancount: `4010` and `Hosting` of the configuration become `Income:4010-Hosting`."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fcb_pipelines.connectors.failures import NotPrepared
from fcb_pipelines.core.codes import Method
from fcb_pipelines.core.company.settings import Account, Settings, Tax
from fcb_pipelines.core.settlements.routes import Route, route

# A tax of 0 % makes an entry of nothing; its base must still be in the books.
ZERO_RATED = "Liabilities:Zero-Rated-Tax"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartAccount:
    """An account that the books must have; `name` is Beancount's. `code` is None for ours alone.

    `methods`: only settlements of these need it; () means that everything does. `cash`: cash alone does.
    """

    code: str | None
    name: str
    methods: tuple[Method, ...] = ()
    cash: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The accounts that are open in the books: code -> name, and back."""

    names: Mapping[str, str]
    codes: Mapping[str, str]

    def name(self, code: str) -> str:
        """The account with this code. Raises NotPrepared when none is open."""
        if code not in self.names:
            raise NotPrepared(
                f"writing to account {code}",
                "the books have no account of that code",
                remedy="fcb ledger setup",
            )
        return self.names[code]

    def code(self, name: str) -> str:
        """The code of an account; one that a person opened without a code goes by its name."""
        return self.codes.get(name, name)


def read_chart(entries: Iterable[Any]) -> Chart:
    """The chart of these entries: their open accounts that have a code."""
    codes = {
        entry.account: str(entry.meta["code"])
        for entry in entries
        if type(entry).__name__ == "Open" and entry.meta.get("code") is not None
    }
    return Chart(names={code: name for name, code in codes.items()}, codes=codes)


def required(settings: Settings) -> tuple[ChartAccount, ...]:
    """Every account that the configuration names, each code once, in the order of a chart."""
    journals, accounts = settings.journals, settings.accounts
    outstanding = [journal.outstanding for journal in (journals.stripe, journals.off_platform)]
    chart = [_account("Assets", account) for account in outstanding if account is not None]
    chart.append(_account("Assets", accounts.receivable))
    owed = (accounts.customer_credit, accounts.prepaid_credit, accounts.refunds_pending)
    chart += [_account("Liabilities", account) for account in owed]
    for code in dict.fromkeys(tax.account for tax in settings.taxes if tax.account):
        types = dict.fromkeys(tax.type.upper() for tax in settings.taxes if tax.account == code)
        name = " ".join([*types, "Collected"])
        chart.append(_account("Liabilities", Account(code=code, name=name)))
    chart.append(ChartAccount(code=None, name=ZERO_RATED))
    income = [family.account for family in settings.families]
    income += [accounts.other, accounts.unitemised, accounts.bad_debt_recovered]
    chart += [_account("Income", account) for account in income]
    lost = (accounts.bad_debt, accounts.chargeback_loss)
    chart += [_account("Expenses", account) for account in lost]
    granted = _account("Expenses", accounts.promotional_credits)
    chart.append(replace(granted, methods=(Method.GRANTED_CREDIT,)))
    known = {account.code: account for account in chart}
    for account in _of_cash(settings):
        known.setdefault(account.code, account)
    return tuple(known.values())


def _of_cash(settings: Settings) -> Iterator[ChartAccount]:
    """The accounts that only cash needs."""
    if settings.cash is None:
        return
    accounts = settings.cash.accounts
    assets = (accounts.balance, *(one.account for one in settings.cash.balances))
    rooted = {
        "Assets": (
            *assets,
            *(accounts.payout_transit, accounts.fee_tax, accounts.disputes, accounts.suspense),
        ),
        "Liabilities": (accounts.other_services, accounts.pending),
        "Equity": (accounts.opening,),
        "Expenses": (accounts.processing_fees,),
    }
    for root, named in rooted.items():
        for account in named:
            yield replace(_account(root, account), cash=True)


def unplaced_taxes(settings: Settings) -> tuple[Tax, ...]:
    """Taxes with a rate above zero and no account to post to."""
    return tuple(tax for tax in settings.taxes if tax.account is None and tax.percentage)


def tax_account(key: str, amount: int, settings: Settings, chart: Chart) -> str:
    """The account name a billed tax posts to.

    Raises NotPrepared when the tax is not configured, or has an amount and no account.
    """
    for tax in settings.taxes:
        if tax.key == key and tax.account:
            return chart.name(tax.account)
        if tax.key == key and not amount:
            return ZERO_RATED
    raise NotPrepared(
        f"writing tax {key}", "the configuration gives it no account", remedy="fcb doctor"
    )


def route_of(method: Method, settings: Settings) -> Route:
    """The route of a method's entries. Raises NotPrepared when its journal has no account."""
    try:
        return route(method, settings)
    except ValueError as error:
        remedy = "the journal's field `outstanding` in the configuration file"
        raise NotPrepared(f"settling by {method.value}", str(error), remedy=remedy) from error


def _account(root: str, account: Account) -> ChartAccount:
    words = re.sub(r"[\W_]+", "-", f"{account.code} {account.name}").strip("-")
    # A component begins with a capital or a digit; a code may begin with neither.
    return ChartAccount(code=account.code, name=f"{root}:{words[:1].upper()}{words[1:]}")
