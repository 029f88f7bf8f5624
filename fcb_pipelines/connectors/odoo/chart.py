"""The accounts, journals, taxes and fields that our documents need, read from Odoo in a few calls.

The chart has the found parts - ids to write with, keys to read back with - and the missing ones, each
with its remedy. Nothing is created here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fcb_pipelines.connectors.failures import NotPrepared
from fcb_pipelines.connectors.odoo.action import FoundAction
from fcb_pipelines.connectors.odoo.company import Company
from fcb_pipelines.connectors.odoo.connection import OdooConnection, Row
from fcb_pipelines.connectors.odoo.fields import SETUP, found_fields, missing_fields
from fcb_pipelines.connectors.odoo.taxes import CONFIGURATION, Taxes
from fcb_pipelines.core.codes import Method
from fcb_pipelines.core.company.settings import Account, Settings
from fcb_pipelines.core.documents.families import OTHER, UNITEMISED
from fcb_pipelines.core.ledger.description import MissingPart

INCOME, OTHER_INCOME, EXPENSE = "income", "income_other", "expense"
LIABILITY, CURRENT, RECEIVABLE = "liability_current", "asset_current", "asset_receivable"
_FITTING = {
    INCOME: {INCOME, OTHER_INCOME},
    # A recovered debt may be booked as income or against the expense.
    OTHER_INCOME: {INCOME, OTHER_INCOME, EXPENSE},
    EXPENSE: {EXPENSE, "expense_other"},
    LIABILITY: {LIABILITY, "liability_non_current"},
    CURRENT: {CURRENT, "asset_cash"},
    RECEIVABLE: {RECEIVABLE},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One account that the configuration names, and its type.

    `methods`: only settlements of these need it; () means that everything does.
    """

    account: Account
    type: str
    methods: tuple[Method, ...] = ()

    def missing(self, remedy: str) -> MissingPart:
        """This account as a missing part, where it is absent or of another type."""
        return MissingPart(
            what="account",
            name=f"{self.account.code} {self.account.name}",
            remedy=remedy,
            taxes=() if self.methods else None,
            methods=self.methods,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The parts found in Odoo (code, key or name -> id), and those missing.

    `taxes` is tax key -> id, `groups` the ids of group taxes by their keys. `lines` has the payment method lines of each journal code and their account.
    """

    settings: Settings
    company: Company
    accounts: Mapping[str, Row]
    journals: Mapping[str, Row]
    lines: Mapping[str, tuple[Row, ...]]
    fields: frozenset[str]
    action: FoundAction
    taxes: Mapping[str, int]
    groups: Mapping[frozenset[str], int]
    missing: tuple[MissingPart, ...]
    _keys: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def account(self, code: str) -> int:
        """Id of the account with this code."""
        return self._id(self.accounts, "account", code)

    def journal(self, code: str) -> int:
        """Id of the journal with this code."""
        return self._id(self.journals, "journal", code)

    def currency(self, name: str) -> int:
        """Id of an active currency."""
        if name not in self.company.currency_ids:
            remedy = f"activate the currency {name} in Odoo"
            raise NotPrepared(f"using currency {name}", "it is not active in Odoo", remedy=remedy)
        return self.company.currency_ids[name]

    def families(self) -> dict[str, str]:
        """Income account code -> the family that is booked there."""
        accounts = self.settings.accounts
        built_in = {accounts.other.code: OTHER, accounts.unitemised.code: UNITEMISED}
        return built_in | {each.account.code: each.key for each in self.settings.families}

    def tax_ids(self, keys: tuple[str, ...]) -> list[int]:
        """The ids of the taxes of a line: their group tax where there is one, else each of them."""
        group = self.groups.get(frozenset(keys))
        if group is not None and len(keys) > 1:
            return [group]
        return [self.tax(key) for key in keys]

    def tax(self, key: str) -> int:
        """Id of the tax with this configured key."""
        if key not in self.taxes:
            remedies = [part.remedy for part in self.missing if part.what == "tax"]
            raise NotPrepared(
                f"using tax {key}",
                "Odoo has no such tax",
                remedy=remedies[0] if remedies else SETUP,
            )
        return self.taxes[key]

    def keys(self, tax_ids: Iterable[int]) -> tuple[str, ...]:
        """The configured keys of these taxes; a group has the keys of its taxes."""
        if not self._keys:
            self._keys.update({tax: (key,) for key, tax in self.taxes.items()})
            self._keys.update({tax: tuple(keys) for keys, tax in self.groups.items()})
        # A tax that is not configured is named by its id, so that a person's edit shows.
        found = {key for tax in tax_ids for key in self._keys.get(tax, (f"odoo tax {tax}",))}
        return tuple(sorted(found))

    def _id(self, rows: Mapping[str, Row], what: str, name: str) -> int:
        if name not in rows:
            raise NotPrepared(f"using {what} {name}", f"Odoo has no such {what}", remedy=SETUP)
        return int(rows[name]["id"])


def wanted_accounts(settings: Settings) -> tuple[Wanted, ...]:
    """Every account that setup makes where it is missing, each code once."""
    journals, accounts = settings.journals, settings.accounts
    income = [*(family.account for family in settings.families),
              accounts.other, accounts.unitemised]  # fmt: skip
    liabilities = [accounts.customer_credit, accounts.prepaid_credit, accounts.refunds_pending]
    outstanding = [journals.stripe.outstanding, journals.off_platform.outstanding]
    wanted = [
        *(Wanted(account=account, type=INCOME) for account in income),
        *(Wanted(account=account, type=LIABILITY) for account in liabilities),
        Wanted(account=accounts.bad_debt, type=EXPENSE),
        Wanted(account=accounts.bad_debt_recovered, type=OTHER_INCOME),
        Wanted(account=accounts.chargeback_loss, type=EXPENSE),
        Wanted(
            account=accounts.promotional_credits, type=EXPENSE, methods=(Method.GRANTED_CREDIT,)
        ),
        *(Wanted(account=account, type=CURRENT) for account in outstanding if account),
    ]
    return tuple({each.account.code: each for each in wanted}.values())


def journal_types(settings: Settings) -> Mapping[str, str]:
    """The type of each of our journals, by code."""
    journals = settings.journals
    return {
        journals.sales: "sale",
        journals.stripe.code: "bank",
        journals.off_platform.code: "bank",
        journals.customer_credit.code: "general",
        journals.adjustments.code: "general",
    }


def read_chart(connection: OdooConnection, settings: Settings, owner: Company) -> Chart:
    """The chart of this company now. Raises the failures of `OdooConnection`."""
    company = [("company_id", "parent_of", [connection.company])]
    receivable = settings.accounts.receivable
    wanted = (*wanted_accounts(settings), Wanted(account=receivable, type=RECEIVABLE))
    codes = [each.account.code for each in wanted]
    accounts = connection.rows(
        "account.account", [("code", "in", codes)], ["code", "name", "account_type"]
    )
    by_code = {row["code"]: row for row in accounts}
    journals = connection.rows(
        "account.journal",
        [*company, ("code", "in", list(journal_types(settings)))],
        ["code", "name", "type"],
    )
    journals_by_code = {row["code"]: row for row in journals}
    lines = _method_lines(connection, journals_by_code)
    fields, action = found_fields(connection)
    taxes = Taxes(connection, company, settings)
    return Chart(
        settings=settings,
        company=owner,
        accounts=by_code,
        journals=journals_by_code,
        lines=lines,
        fields=fields,
        action=action,
        taxes=taxes.ids,
        groups=taxes.groups,
        missing=(
            *_missing_accounts(wanted, by_code, receivable.code),
            *_missing_journals(settings, journals_by_code, lines),
            *missing_fields(fields, action),
            *_missing_currencies(settings, owner),
            *taxes.missing,
        ),
    )


def _missing_accounts(
    wanted: Iterable[Wanted], found: Mapping[str, Row], receivable: str
) -> Iterable[MissingPart]:
    for each in wanted:
        code = each.account.code
        row = found.get(code)
        if row is None:
            remedy = CONFIGURATION if code == receivable else SETUP
            yield each.missing(remedy)
        elif row["account_type"] not in _FITTING[each.type]:
            remedy = f"{code} is {row['name']}, of type {row['account_type']}: {CONFIGURATION}"
            yield each.missing(remedy)


def _missing_journals(
    settings: Settings, found: Mapping[str, Row], lines: Mapping[str, tuple[Row, ...]]
) -> Iterable[MissingPart]:
    for code, kind in journal_types(settings).items():
        row = found.get(code)
        if row is None:
            remedy = CONFIGURATION if code == settings.journals.sales else SETUP
            yield MissingPart(what="journal", name=code, remedy=remedy)
        elif row["type"] != kind:
            remedy = f"{code} is a journal of type {row['type']}: {CONFIGURATION}"
            yield MissingPart(what="journal", name=code, remedy=remedy)
    for journal in (settings.journals.stripe, settings.journals.off_platform):
        account = journal.outstanding
        if account is None:
            name = f"outstanding account of {journal.code}"
            yield MissingPart(what="journal", name=name, remedy=CONFIGURATION)
            continue
        for line in lines.get(journal.code, ()):
            if line["account"] != account.code:
                name = f"outstanding account {account.code} of {journal.code}"
                remedy = SETUP if not line["account"] else (
                    f"{line['account']} is set on payment method {line['name']}: change it in Odoo, "
                    f"or {CONFIGURATION}"
                )  # fmt: skip
                yield MissingPart(what="journal", name=name, remedy=remedy)


def _missing_currencies(settings: Settings, owner: Company) -> Iterable[MissingPart]:
    """The configured currencies that can't be posted; documents in other currencies go on."""
    for name in settings.currencies:
        if name not in owner.currency_ids:
            yield MissingPart(what="currency", name=name, remedy=SETUP, taxes=())
        elif name not in owner.currencies:
            remedy = f"give {name} rates in Odoo, from the first document's day on"
            yield MissingPart(what="currency", name=f"rates of {name}", remedy=remedy, taxes=())


def _method_lines(
    connection: OdooConnection, journals: Mapping[str, Row]
) -> dict[str, tuple[Row, ...]]:
    """The payment method lines of our bank journals, with the code of their account."""
    ids = {row["id"]: code for code, row in journals.items() if row["type"] == "bank"}
    if not ids:
        return {}
    found = connection.rows(
        "account.payment.method.line",
        [("journal_id", "in", list(ids))],
        ["name", "journal_id", "payment_type", "payment_account_id", "code"],
    )
    accounts = [row["payment_account_id"][0] for row in found if row["payment_account_id"]]
    codes = {row["id"]: row["code"] for row in
             connection.rows("account.account", [("id", "in", accounts)], ["code"])}  # fmt: skip
    lines: dict[str, tuple[Row, ...]] = {}
    for row in found:
        code = ids[row["journal_id"][0]]
        account = codes.get(row["payment_account_id"][0]) if row["payment_account_id"] else None
        lines[code] = (*lines.get(code, ()), {**row, "account": account})
    return lines
