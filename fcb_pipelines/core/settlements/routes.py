"""Which accounts and which journal a settlement goes through, by its method.

An entry over `amount` debits `through` and credits `against`, where the document is an invoice and
the amount positive; a credit note or a negative amount turns it. One turned twice stands as it was.
"""

from dataclasses import dataclass

from fcb_pipelines.core.codes import Method
from fcb_pipelines.core.company.settings import Account, Journal, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The journal, the account on the money's side, and the one against it.

    `against` is None for the receivable of the settled document. `by_bank`: the journal is a bank's,
    so that money for the receivable is a payment there and not only an entry.
    """

    journal: str
    through: Account
    against: Account | None = None
    by_bank: bool = False


def route(method: Method, settings: Settings) -> Route:
    """The route of a method's entries. Raises ValueError for allocations, which make none."""
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


def _bank(journal: Journal, against: Account | None = None) -> Route:
    if journal.outstanding is None:
        raise ValueError(f"journal {journal.code} has no outstanding account")
    return Route(journal=journal.code, through=journal.outstanding, against=against, by_bank=True)
