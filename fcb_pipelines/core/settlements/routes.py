"""The accounts and the journal of a settlement's entry, by its method.

The entry of a positive amount on an invoice debits `through` and credits `against`. A negative amount
swaps the two, and so does a credit note; both together leave them as they are.
"""

from dataclasses import dataclass

from fcb_pipelines.core.codes import Method
from fcb_pipelines.core.company.settings import Account, Journal, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The journal of an entry, the account on the money's side, and the account against it.

    `against` is None for the receivable of the settled document. `by_bank` says that the journal is a
    bank's: money for the receivable is then a payment and not only a journal entry.
    """

    journal: str
    through: Account
    against: Account | None = None
    by_bank: bool = False


def route(method: Method, settings: Settings) -> Route:
    """The route of a method's entries. Raises ValueError for CREDIT_NOTE: an allocation makes no entry."""
    if method is Method.CREDIT_NOTE:
        raise ValueError("a credit note is allocated, it makes no entry")
    accounts, journals = settings.accounts, settings.journals
    credit, adjustments = journals.customer_credit.code, journals.adjustments.code
    balance = Route(journal=credit, through=accounts.customer_credit)
    routes = {
        Method.PAYMENT: _bank(journals.stripe),
        Method.PAYMENT_FAILURE: _bank(journals.stripe),
        Method.OFF_PLATFORM: _bank(journals.off_platform),
        Method.CUSTOMER_BALANCE: balance,
        Method.OVERPAYMENT: balance,
        Method.PREPAID_CREDIT: Route(journal=credit, through=accounts.prepaid_credit),
        Method.GRANTED_CREDIT: Route(journal=credit, through=accounts.promotional_credits),
        Method.PENDING_REFUND: Route(journal=adjustments, through=accounts.refunds_pending),
        Method.REFUND: _bank(journals.stripe, against=accounts.refunds_pending),
        Method.CHARGEBACK: _bank(journals.stripe, against=accounts.chargeback_loss),
        Method.WRITE_OFF: Route(journal=adjustments, through=accounts.bad_debt),
        Method.RECOVERY: Route(journal=adjustments, through=accounts.bad_debt_recovered),
    }
    return routes[method]


def through_outstanding(method: Method, settings: Settings) -> bool:
    """Whether a method's entries have a line on the outstanding account of the Stripe journal."""
    if method is Method.CREDIT_NOTE:
        return False
    journal = settings.journals.stripe
    return route(method, settings).through == journal.outstanding


def _bank(journal: Journal, against: Account | None = None) -> Route:
    if journal.outstanding is None:
        raise ValueError(f"journal {journal.code} has no outstanding account")
    return Route(journal=journal.code, through=journal.outstanding, against=against, by_bank=True)
