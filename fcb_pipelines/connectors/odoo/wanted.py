"""The accounts, journals and currencies that the configuration names, and what each must be in Odoo."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fcb_pipelines.core.codes import Method
from fcb_pipelines.core.company.settings import Account, Journal, Settings
from fcb_pipelines.core.ledger.description import MissingPart

INCOME, OTHER_INCOME, EXPENSE = "income", "income_other", "expense"
LIABILITY, CURRENT, RECEIVABLE = "liability_current", "asset_current", "asset_receivable"
BANK, EQUITY = "asset_cash", "equity"
_FITTING = {
    INCOME: {INCOME, OTHER_INCOME},
    # A recovered debt may be booked as income or against the expense.
    OTHER_INCOME: {INCOME, OTHER_INCOME, EXPENSE},
    EXPENSE: {EXPENSE, "expense_other"},
    LIABILITY: {LIABILITY, "liability_non_current"},
    CURRENT: {CURRENT, BANK},
    RECEIVABLE: {RECEIVABLE},
    BANK: {BANK},
    EQUITY: {EQUITY, "equity_unaffected"},
}
# Money that waits may be owed to the company or by it.
_WAITING = frozenset({CURRENT, LIABILITY, "asset_prepayments"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One account that the configuration names, and its type.

    `methods`: only settlements of these need it; `cash`: only cash entries do; neither: everything does.
    `also` are further types that it may be of. `currency`: it holds this currency alone.
    """

    account: Account
    type: str
    methods: tuple[Method, ...] = ()
    cash: bool = False
    reconcile: bool = False
    also: frozenset[str] = field(default=frozenset())
    currency: str | None = None

    def fits(self, type_: str) -> bool:
        """Whether an account of this type in Odoo will do."""
        return type_ in _FITTING[self.type] | self.also

    def missing(self, remedy: str) -> MissingPart:
        """This account as a missing part, where it is absent or of another type."""
        return MissingPart(
            what="account",
            name=f"{self.account.code} {self.account.name}",
            remedy=remedy,
            taxes=() if self.methods or self.cash else None,
            methods=self.methods,
            cash=self.cash,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The journal of a balance and its bank account. `currency` None: the company's."""

    journal: Journal
    account: Account
    currency: str | None


def balances(settings: Settings) -> Mapping[str, Balance]:
    """Currency -> the journal of its balance; empty with cash off."""
    if settings.cash is None:
        return {}
    own = Balance(
        journal=settings.journals.stripe, account=settings.cash.accounts.balance, currency=None
    )
    others = {
        one.currency: Balance(journal=one.journal, account=one.account, currency=one.currency)
        for one in settings.cash.balances
    }
    return {settings.currency: own, **others}


def wanted_accounts(settings: Settings) -> tuple[Wanted, ...]:
    """Every account that setup makes where it is missing, each code once."""
    journals, accounts = settings.journals, settings.accounts
    income = [*(family.account for family in settings.families),
              accounts.other, accounts.unitemised]  # fmt: skip
    liabilities = [accounts.customer_credit, accounts.prepaid_credit, accounts.refunds_pending]
    outstanding = [journals.stripe.outstanding, journals.off_platform.outstanding]
    wanted = [
        *_of_cash(settings),
        *(Wanted(account=account, type=INCOME) for account in income),
        *(Wanted(account=account, type=LIABILITY) for account in liabilities),
        Wanted(account=accounts.bad_debt, type=EXPENSE),
        Wanted(account=accounts.bad_debt_recovered, type=OTHER_INCOME),
        Wanted(account=accounts.chargeback_loss, type=EXPENSE),
        Wanted(
            account=accounts.promotional_credits, type=EXPENSE, methods=(Method.GRANTED_CREDIT,)
        ),
        *(Wanted(account=account, type=CURRENT, reconcile=True) for account in outstanding if account),
    ]  # fmt: skip
    # Of an account that cash shares with everything else, everything needs it.
    return tuple({each.account.code: each for each in wanted}.values())


def read_accounts(settings: Settings) -> tuple[Wanted, ...]:
    """Every account that we need, and the receivable, which setup does not make."""
    receivable = Wanted(account=settings.accounts.receivable, type=RECEIVABLE)
    return (*wanted_accounts(settings), receivable)


def _of_cash(settings: Settings) -> tuple[Wanted, ...]:
    if settings.cash is None:
        return ()
    accounts = settings.cash.accounts
    waiting = ((accounts.payout_transit, CURRENT), (accounts.disputes, CURRENT),
               (accounts.suspense, CURRENT), (accounts.other_services, LIABILITY),
               (accounts.pending, LIABILITY))  # fmt: skip
    return (
        *(
            Wanted(account=one.account, type=BANK, cash=True, currency=one.currency)
            for one in balances(settings).values()
        ),
        Wanted(
            account=accounts.processing_fees,
            type=EXPENSE,
            cash=True,
            also=frozenset({"expense_direct_cost"}),
        ),
        Wanted(account=accounts.fee_tax, type=CURRENT, cash=True, also=_WAITING | {EXPENSE}),
        *(
            Wanted(account=account, type=type_, cash=True, reconcile=True, also=_WAITING)
            for account, type_ in waiting
        ),
        Wanted(account=accounts.opening, type=EQUITY, cash=True, also=_WAITING),
    )


def journal_types(settings: Settings) -> Mapping[str, str]:
    """The type of each of our journals, by code."""
    journals = settings.journals
    return {
        **{one.journal.code: "bank" for one in balances(settings).values()},
        journals.sales.code: "sale",
        journals.stripe.code: "bank",
        journals.off_platform.code: "bank",
        journals.customer_credit.code: "general",
        journals.adjustments.code: "general",
    }


def made_journals(settings: Settings) -> tuple[Journal, ...]:
    """The journals that setup makes where they are missing, each code once."""
    journals = settings.journals
    made = (*own_sales_journal(settings), journals.stripe, journals.off_platform, journals.customer_credit, journals.adjustments,
            *(one.journal for one in balances(settings).values()))  # fmt: skip
    return tuple({journal.code: journal for journal in made}.values())


def own_sales_journal(settings: Settings) -> tuple[Journal, ...]:
    """The sales journal, where the configuration names it: setup makes it then."""
    sales = settings.journals.sales
    return (Journal(code=sales.code, name=sales.name),) if sales.name else ()


def wanted_currencies(settings: Settings) -> tuple[str, ...]:
    """The currencies of documents and of balances."""
    others = (name for name in balances(settings) if name != settings.currency)
    return tuple(dict.fromkeys((*settings.currencies, *others)))
