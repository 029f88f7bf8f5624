"""The exceptions that list an amount of a posted document: why the books have another than its source."""

from fcb_pipelines.core.codes import ExceptionCode

# The exceptions of a posted document whose amount in the books differs from its source's.
EXPLAINS = frozenset(
    {
        ExceptionCode.SOURCE_CHANGED,
        ExceptionCode.SETTINGS_CHANGED,
        ExceptionCode.EDITED_IN_LEDGER,
        ExceptionCode.VOIDED_AFTER_POSTING,
        ExceptionCode.TAKEN_BACK_TWICE,
        ExceptionCode.MISSING_AT_SOURCE,
        ExceptionCode.UNREACHABLE,
    }
)
# The exceptions of a posted document with cash that is not booked.
LISTS_CASH = frozenset(
    {
        ExceptionCode.OFF_STRIPE_PAYMENT,
        ExceptionCode.SETTLEMENT_UNSUPPORTED,
        ExceptionCode.DISPUTE_LOST,
        ExceptionCode.DISPUTED,
    }
)
