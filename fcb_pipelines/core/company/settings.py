"""The company's configuration as values that the rules take as arguments.

`config.settings` reads them from the configuration file.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from fcb_pipelines.core.company.events import EventSettings
from fcb_pipelines.core.company.part import Part
from fcb_pipelines.core.company.services import (
    IntakeSettings,
    MeteringSettings,
    Origin,
    Origins,
    Service,
)
from fcb_pipelines.core.company.sources import FurtherSource, LagoSettings, StripeSettings

# The entry of a further source may have been written against this name.
from fcb_pipelines.core.company.sources import SourceSettings as SourceSettings

Period = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
AccountCode = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9.]+$", description="No hyphen: Odoo 19 refuses it.")
]


class Account(Part):
    """A ledger account by code; setup gives it `name` where it creates the account."""

    code: AccountCode
    name: str


class Family(Part):
    """A service family: the first whose keyword occurs in a line's description gets the line."""

    key: str
    account: Account
    keywords: tuple[str, ...] = ()


class _Dated(Part):
    valid_from: date | None = None
    valid_to: date | None = None

    def covers(self, day: date) -> bool:
        """Whether a day lies between the two dates, both included."""
        begun = self.valid_from is None or self.valid_from <= day
        return begun and (self.valid_to is None or day <= self.valid_to)


class TaxState(_Dated):
    """A province in which a tax is due, with dates where they differ from the tax's own."""

    state: str


def _named_alone(state: object) -> object:
    return {"state": state} if isinstance(state, str) else state


class Tax(_Dated):
    """A tax that may be billed, with its name and account in the ledger.

    A billed tax matches by type, percentage and jurisdiction together, never by percentage alone.
    `odoo_name` is the name of the sale tax in Odoo's chart, `account` the liability account it posts
    to. A tax without `states` is due in every province.
    """

    key: str
    type: str
    percentage: Decimal
    country: str = "CA"
    states: tuple[Annotated[TaxState, BeforeValidator(_named_alone)], ...] = ()
    lago_codes: tuple[str, ...] = ()
    odoo_name: str
    account: AccountCode | None = None


class TaxGroup(Part):
    """Taxes billed together that form one group tax in Odoo; each still has its own tax line."""

    taxes: tuple[str, ...]
    odoo_name: str


class Journal(Part):
    """A journal by code. Without an explicit `outstanding` account Odoo may make no entry at all."""

    code: str
    name: str
    outstanding: Account | None = None


class Accounts(Part):
    """The accounts other than the income accounts of the families."""

    receivable: Account
    other: Account
    unitemised: Account
    customer_credit: Account
    prepaid_credit: Account = Account(code="215510", name="NexaCloud Prepaid Credit")
    refunds_pending: Account = Account(code="215520", name="NexaCloud Refunds Pending")
    bad_debt: Account = Account(code="551100", name="NexaCloud Bad Debt")
    bad_debt_recovered: Account = Account(code="551110", name="NexaCloud Bad Debt Recovered")
    chargeback_loss: Account = Account(code="551200", name="NexaCloud Chargeback Loss")
    promotional_credits: Account = Account(code="551300", name="NexaCloud Promotional Credits")


class SalesJournal(Part):
    """The journal of documents. Setup makes it only where it is named; else it must be there."""

    code: str
    name: str | None = None


def _by_code(journal: object) -> object:
    return {"code": journal} if isinstance(journal, str) else journal


class Journals(Part):
    """The journals in which the pipeline writes."""

    sales: Annotated[SalesJournal, BeforeValidator(_by_code)] = SalesJournal(code="INV")
    stripe: Journal
    off_platform: Journal
    customer_credit: Journal
    adjustments: Journal = Journal(code="NCADJ", name="NexaCloud Adjustments")


class SyncSettings(Part):
    """How a sync reads the sources."""

    full_listing_days: int = Field(
        7, ge=0, le=25, description="Days that a full list lasts; 0: every sync lists in full."
    )


class Policies(Part):
    """Accounting treatments that the company chooses. Every default is the cautious choice."""

    fully_discounted: Literal["skip", "post"] = "skip"
    off_platform_payment: Literal["exception", "settle"] = "exception"
    uncollectible: Literal["list", "write_off"] = "list"
    lost_dispute: Literal["list", "loss"] = "list"
    opening_payment: Literal["list", "settle"] = "list"
    tax_residue: int = Field(
        1,
        ge=0,
        description="Minor units a tax may always differ from the computed one; "
        "half a unit for each line that bears it where that is more.",
    )
    export_tax: str | None = Field(
        "gst_0", description="Key of the tax of 0 % on what is sold out of the country."
    )


class CashAccounts(Part):
    """The accounts of the cash entries, beside the outstanding account of the Stripe journal.

    `balance` is the bank account of the Stripe journal. Payouts and top-ups meet the bank's own feed on
    `payout_transit`. `fee_tax` has the tax on fees, `disputes` what a dispute holds as long as no
    settlement stands for it, `pending` our customers' money that no document explains, `suspense` what
    nobody named (C11).
    """

    balance: Account = Account(code="111320", name="NexaCloud Stripe Balance")
    processing_fees: Account = Account(code="551400", name="NexaCloud Processing Fees")
    fee_tax: Account = Account(code="118310", name="NexaCloud Tax on Processing Fees")
    payout_transit: Account = Account(code="111323", name="NexaCloud Payouts in Transit")
    other_services: Account = Account(code="215530", name="NexaCloud Cash of Other Services")
    disputes: Account = Account(code="118320", name="NexaCloud Disputes Pending")
    pending: Account = Account(code="215540", name="NexaCloud Cash Without Document")
    suspense: Account = Account(code="118330", name="NexaCloud Stripe Suspense")
    opening: Account = Account(code="311900", name="NexaCloud Opening Balance")


class BalanceJournal(Part):
    """The journal and bank account of a balance in another currency than the company's."""

    currency: str
    journal: Journal
    account: Account


class OpeningBalance(Part):
    """The balance in one currency at the end of the day before the books begin, in major units."""

    currency: str
    amount: Decimal


class CashSettings(Part):
    """How the cash in Stripe's balance is booked."""

    accounts: CashAccounts = CashAccounts()
    balances: tuple[BalanceJournal, ...] = Field(
        (), description="Journals of balances in other currencies than the company's."
    )
    opening: tuple[OpeningBalance, ...] = Field(
        (), description="The balances at the end of the day before the books begin; none is zero."
    )
    other_services: Literal["whole", "list"] = Field(
        "whole",
        description="whole: what other services move is booked in one sum a day, so that the journal is "
        "Stripe's whole balance; list: it is listed and not booked.",
    )

    @model_validator(mode="after")
    def _each_once(self) -> "CashSettings":
        codes = [account.code for _, account in self.accounts]
        for name, named in (
            ("balances", [one.currency for one in self.balances]),
            ("opening", [one.currency for one in self.opening]),
            ("accounts", codes + [one.account.code for one in self.balances]),
        ):
            twice = sorted({each for each in named if named.count(each) > 1})
            if twice:
                raise ValueError(f"{name} name twice: {', '.join(twice)}")
        return self


def _switched(section: object) -> object:
    """`cash: off` is no section, `cash: on` one of defaults. YAML reads both words as booleans."""
    if section is False or section == "off":
        return None
    return {} if section is True or section == "on" else section


class OdooSettings(Part):
    """How the pipeline works in Odoo."""

    tracking: bool = Field(
        False,
        description="Whether Odoo logs each change of ours in the chatter. Under a restrictive audit "
        "trail it always does.",
    )
    views: bool = Field(
        True,
        description="Whether setup shows source, number and hash in Odoo's own views of moves; false "
        "removes that again.",
    )


class Settings(Part):
    """Everything the pipeline knows about the company it works for."""

    service: str
    timezone: str
    currency: str
    currencies: tuple[str, ...] = Field(
        (), description="Currencies beside the company's that setup makes the ledger hold."
    )
    first_period: Period
    cutover: date | None = None
    as_of: date | None = None
    posting: Literal["draft", "auto", "second_person"] = "draft"
    stripe: StripeSettings
    lago: LagoSettings
    sources: tuple[FurtherSource, ...] = ()
    sync: SyncSettings = SyncSettings()
    families: tuple[Family, ...]
    accounts: Accounts
    journals: Journals
    taxes: tuple[Tax, ...]
    tax_groups: tuple[TaxGroup, ...] = ()
    policies: Policies = Policies()
    odoo: OdooSettings = OdooSettings()
    cash: Annotated[CashSettings | None, BeforeValidator(_switched)] = Field(
        None, description="The cash in Stripe's balance; off: none of it is read or booked."
    )
    services: tuple[Service, ...] = ()
    metering: MeteringSettings = MeteringSettings()
    intake: IntakeSettings = IntakeSettings()

    @property
    def other_services(self) -> frozenset[str]:
        """The keys of the services that are only measured: all but the posted one."""
        return frozenset(service.key for service in self.services) - {self.service}

    def by_intake(self, kind: str) -> frozenset[str]:
        """The keys of the services whose records of this kind (a field of `origins`) come over HTTP."""
        return frozenset(
            service.key
            for service in self.services
            if getattr(service.origins, kind) is Origin.INTAKE
        )

    @property
    def has_intake(self) -> bool:
        """Whether any service hands in any of its records over HTTP."""
        return any(self.by_intake(kind) for kind in Origins.model_fields)

    def _check_origins(self, service: Service) -> None:
        posted, origins = service.key == self.service, service.origins
        if posted and Origin.INTAKE in (origins.customers, origins.subscriptions):
            raise ValueError(
                f"customers and subscriptions of {service.key} come from tables: the books are made of them"
            )
        if posted and service.plans:
            raise ValueError(
                f"plans of {service.key} come from its table: leave services[].plans out"
            )
        from_column = posted and origins.usage is Origin.TABLES
        for metric in service.metrics:
            if (metric.column is not None) is not from_column:
                fault = "names no column" if from_column else "names a column"
                raise ValueError(f"metric {metric.key} of {service.key} {fault} of usage_records")

    @property
    def told(self) -> dict[str, EventSettings]:
        """The services that are told of events, by key."""
        return {service.key: service.events for service in self.services if service.events}

    @model_validator(mode="after")
    def _keys_are_unique_and_known(self) -> "Settings":
        for name, keys in (
            ("family", [family.key for family in self.families]),
            ("tax", [tax.key for tax in self.taxes]),
            ("service", [service.key for service in self.services]),
        ):
            twice = {key for key in keys if keys.count(key) > 1}
            if twice:
                raise ValueError(f"{name} keys named twice: {', '.join(sorted(twice))}")
        if self.services and self.service not in {service.key for service in self.services}:
            raise ValueError(f"services lack {self.service}, the service that is posted")
        for service in self.services:
            self._check_origins(service)
        known = {tax.key for tax in self.taxes}
        unknown = {key for group in self.tax_groups for key in group.taxes} - known
        if unknown:
            raise ValueError(f"tax_groups name unknown taxes: {', '.join(sorted(unknown))}")
        export = self.policies.export_tax
        if export and export not in {tax.key for tax in self.taxes if not tax.percentage}:
            raise ValueError(f"policies.export_tax: {export} is not among the taxes of 0 %")
        if {"other", "unitemised"} & {family.key for family in self.families}:
            raise ValueError("families `other` and `unitemised` are built in: see accounts")
        return self

    @model_validator(mode="after")
    def _one_journal_each_balance(self) -> "Settings":
        if self.cash and self.currency in {one.currency for one in self.cash.balances}:
            raise ValueError(f"cash.balances: {self.currency} has the Stripe journal")
        return self
