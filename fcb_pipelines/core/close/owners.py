"""Whom each hold and each exception waits for: the one table."""

from collections.abc import Mapping
from enum import StrEnum

from fcb_pipelines.core.codes import ExceptionCode, Reason


class Owner(StrEnum):
    """Whom an exception waits for; `meaning` says who that is."""

    meaning: str

    def __new__(cls, name: str, meaning: str) -> "Owner":
        """The owner of this name."""
        member = str.__new__(cls, name)
        member._value_, member.meaning = name, meaning
        return member

    CONTROLLER = "controller", "Who keeps the books: decides, corrects, enters by hand."
    BILLING = "billing", "Who bills at Stripe and Lago: voids, issues anew, answers a dispute."
    NEXACLOUD = "nexacloud", "Who keeps NexaCloud's own data."
    ENGINEER = "platform_engineer", "Who runs this pipeline and keeps its configuration."
    CUSTOMER = "customer", "The customer: collect the money."
    NOBODY = "nobody", "Nobody: it follows another document, or the calendar."


OF_HOLDS: Mapping[Reason, Owner] = {
    Reason.UNKNOWN_STATUS: Owner.ENGINEER,
    Reason.MISSING_AT_SOURCE: Owner.NEXACLOUD,
    Reason.UNREACHABLE: Owner.ENGINEER,
    Reason.MISSING_IN_NEXACLOUD: Owner.NEXACLOUD,
    Reason.PAYMENT_WITHOUT_INVOICE: Owner.BILLING,
    Reason.INVOICE_HELD: Owner.NOBODY,
    Reason.DUPLICATE_CLAIM: Owner.NEXACLOUD,
    Reason.NO_SOURCE_ID: Owner.NEXACLOUD,
    Reason.LINES_DO_NOT_SUM: Owner.BILLING,
    Reason.UNREADABLE: Owner.ENGINEER,
    Reason.TREATMENT_UNKNOWN: Owner.CONTROLLER,
    Reason.CURRENCY_NEEDS_REVIEW: Owner.CONTROLLER,
    Reason.CURRENCY_UNSUPPORTED: Owner.CONTROLLER,
    Reason.TAX_UNKNOWN: Owner.ENGINEER,
    Reason.TAX_MISMATCH: Owner.BILLING,
    Reason.PERIOD_LOCKED: Owner.CONTROLLER,
    Reason.EDITED_IN_LEDGER: Owner.CONTROLLER,
    Reason.AFTER_OPEN_PERIOD: Owner.NOBODY,
}

OF_EXCEPTIONS: Mapping[ExceptionCode, Owner] = {
    ExceptionCode.SOURCE_CHANGED: Owner.CONTROLLER,
    ExceptionCode.SETTINGS_CHANGED: Owner.CONTROLLER,
    ExceptionCode.EDITED_IN_LEDGER: Owner.CONTROLLER,
    ExceptionCode.VOIDED_AFTER_POSTING: Owner.CONTROLLER,
    ExceptionCode.NEXACLOUD_DIFFERS: Owner.NEXACLOUD,
    ExceptionCode.NEXACLOUD_ITEMS_MISSING: Owner.NEXACLOUD,
    ExceptionCode.UNITEMISED: Owner.CONTROLLER,
    ExceptionCode.OFF_STRIPE_PAYMENT: Owner.CONTROLLER,
    ExceptionCode.SETTLEMENT_PERIOD_LOCKED: Owner.CONTROLLER,
    ExceptionCode.SETTLEMENT_UNSUPPORTED: Owner.CONTROLLER,
    ExceptionCode.SETTLEMENT_TAKEN_BACK: Owner.CONTROLLER,
    ExceptionCode.TAKEN_BACK_TWICE: Owner.CONTROLLER,
    ExceptionCode.CASH_WITHOUT_DOCUMENT: Owner.CONTROLLER,
    ExceptionCode.OPENING_DOCUMENT: Owner.CONTROLLER,
    ExceptionCode.CREDIT_WITHOUT_ORIGIN: Owner.CONTROLLER,
    ExceptionCode.CURRENCY_UNSUPPORTED: Owner.CONTROLLER,
    ExceptionCode.ACCOUNT_MISSING: Owner.ENGINEER,
    ExceptionCode.MISSING_AT_SOURCE: Owner.CONTROLLER,
    ExceptionCode.UNREACHABLE: Owner.ENGINEER,
    ExceptionCode.CREDIT_NOTE_WAITS: Owner.CONTROLLER,
    ExceptionCode.PAYMENT_FAILED: Owner.CUSTOMER,
    ExceptionCode.REFUND_WITHOUT_CREDIT_NOTE: Owner.BILLING,
    ExceptionCode.UNCOLLECTIBLE: Owner.CONTROLLER,
    ExceptionCode.DISPUTED: Owner.BILLING,
    ExceptionCode.DISPUTE_LOST: Owner.CONTROLLER,
    ExceptionCode.OVERPAID: Owner.CONTROLLER,
    ExceptionCode.NOT_WRITTEN: Owner.ENGINEER,
    ExceptionCode.TAX_MISMATCH: Owner.ENGINEER,
    ExceptionCode.REFUSED_BY_LEDGER: Owner.ENGINEER,
    ExceptionCode.STALE_DRAFT: Owner.CONTROLLER,
}


def owner_of(code: Reason | ExceptionCode) -> Owner:
    """Whom a hold or an exception waits for; the controller for a code of an earlier version."""
    found = OF_HOLDS.get(code) if isinstance(code, Reason) else OF_EXCEPTIONS.get(code)
    return found or Owner.CONTROLLER
