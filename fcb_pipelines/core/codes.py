"""The closed vocabularies of the pipeline: kinds, statuses, methods, verdicts, reasons and exceptions.

A reason decides a disposition; an exception is listed beside it. Each code has a meaning and a remedy,
so a list of codes is a list of things to do.

    Reason.TAX_UNKNOWN            # equals "tax_unknown", its text in frames and in JSON
    Reason.TAX_UNKNOWN.remedy     # "Add the tax to the configuration or to the ledger, then `fcb sync`."
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Self, cast


class Verdict(StrEnum):
    """The decision on a member of the population."""

    POST = "post"
    SKIP = "skip"
    HOLD = "hold"


class _Code(StrEnum):
    """A code with its meaning and its remedy.

    Codes of an earlier version can still be read, because frames may hold them.
    """

    meaning: str
    remedy: str

    @classmethod
    def of(cls, code: str) -> Self:
        """The member for a code from a frame or from JSON; an unknown code gets a member of its own."""
        return cast(Callable[[str], Self], cls)(code)

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_, member._value_ = value.upper(), value
        member.meaning, member.remedy = "A code of an earlier version.", "Nothing."
        return member


class Reason(_Code):
    """Why a document is skipped or held; `verdict` is None for a code of an earlier version.

    A posted document has no reason, except that NexaCloud has erased its customer or its copy since.
    """

    verdict: Verdict | None

    def __new__(cls, code: str, verdict: Verdict, meaning: str, remedy: str) -> Self:
        """The member of this code."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.verdict, member.meaning, member.remedy = verdict, meaning, remedy
        return member

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        member = super()._missing_(value)
        if member is not None:
            member.verdict = None
        return member

    # fmt: off
    FORGOTTEN_BY_NEXACLOUD = "forgotten_by_nexacloud", Verdict.POST, "The document stands in the books, and NexaCloud has erased its customer or its copy since.", "Nothing: it stays posted, and what happens to it later is told."
    DRAFT_AT_SOURCE = "draft_at_source", Verdict.SKIP, "The source has not finalised the document.", "Nothing: it joins its month once finalised."
    VOID_AT_SOURCE = "void_at_source", Verdict.SKIP, "The source voided the document before it was posted.", "Nothing: a void is never revenue."
    INVOICE_SKIPPED = "invoice_skipped", Verdict.SKIP, "The credit note is of an invoice that sold nothing here, so it takes nothing back.", "Nothing."
    REVERSED_ALREADY = "reversed_already", Verdict.SKIP, "The invoice of the credit note was voided, and a correction took it back before the note came.", "Nothing: the note would take it back a second time."
    TEST_MODE = "test_mode", Verdict.SKIP, "The document was made in the source's test mode.", "Nothing: test documents are never revenue."
    BEFORE_CUTOVER = "before_cutover", Verdict.SKIP, "The document is dated before the cutover or the first period.", "Nothing: it belongs to the former books."
    ZERO_AMOUNT = "zero_amount", Verdict.SKIP, "Nothing was sold: the lines come to nothing on every account, without tax and without cash.", "Nothing."
    FULLY_DISCOUNTED = "fully_discounted", Verdict.SKIP, "Everything sold was discounted away.", "Set policies.fully_discounted to `post` to show gross and discount."
    UNKNOWN_STATUS = "unknown_status", Verdict.HOLD, "The source uses a status this version does not know.", "Look the document up at the source: it goes on once it has a status that this version knows; a new word of the source needs a new version."
    MISSING_AT_SOURCE = "missing_at_source", Verdict.HOLD, "NexaCloud names a document that the source says does not exist.", "Correct stripe_invoice_id in NexaCloud; of a document that stands in the books, look it up at the source."
    UNREACHABLE = "unreachable", Verdict.HOLD, "The source did not answer for this document; it may well exist.", "Rerun `fcb sync`."
    MISSING_IN_NEXACLOUD = "missing_in_nexacloud", Verdict.HOLD, "The source billed a NexaCloud customer, or names no customer, and NexaCloud has no copy.", "Import the invoice in NexaCloud."
    PAYMENT_WITHOUT_INVOICE = "payment_without_invoice", Verdict.HOLD, "The source confirms a payment of our customer, and does not list every invoice that it is for.", "Look the payment up at the source: it follows its invoice once that is listed. What of it is listed as `cash_without_document` is not booked: record that by hand, then it stays listed."
    INVOICE_HELD = "invoice_held", Verdict.HOLD, "The credit note is of an invoice that is held.", "Mend what holds the invoice: the note follows it."
    DUPLICATE_CLAIM = "duplicate_claim", Verdict.HOLD, "An earlier NexaCloud invoice already claims the same source document.", "Remove or correct the duplicate in NexaCloud."
    NO_SOURCE_ID = "no_source_id", Verdict.HOLD, "The NexaCloud invoice names no source document we can look up.", "Fill stripe_invoice_id in NexaCloud (in_… or lago:…)."
    LINES_DO_NOT_SUM = "lines_do_not_sum", Verdict.HOLD, "Lines, discounts and taxes do not add up to the total.", "Look the document up at the source, void it there and issue it anew; nothing is posted on a guess."
    UNREADABLE = "unreadable", Verdict.HOLD, "The source's answer lacks something that every document has, or holds a value that none can have.", "Look at the evidence of the document: the source mends the field, or, where its API has changed, a new version reads it."
    TREATMENT_UNKNOWN = "treatment_unknown", Verdict.HOLD, "The document holds something that no rule covers yet (billing credits, wallet top-ups).", "Post by hand after asking the accountant; it stays listed."
    CURRENCY_NEEDS_REVIEW = "currency_needs_review", Verdict.HOLD, "The source contradicts itself about the currency's minor unit.", "Post by hand after asking the source; it stays listed."
    CURRENCY_UNSUPPORTED = "currency_unsupported", Verdict.HOLD, "The ledger does not have the document's currency, or no rate for its date.", "Activate the currency in the ledger or give it a rate, then `fcb sync`."
    TAX_UNKNOWN = "tax_unknown", Verdict.HOLD, "A billed tax matches no configured tax by type, rate and jurisdiction, or the ledger lacks it.", "Add the tax to the configuration or to the ledger, then `fcb sync`."
    TAX_MISMATCH = "tax_mismatch", Verdict.HOLD, "The billed tax differs from rate times base by more than its lines round, or a base is none: the detail names the figure.", "Look the document up at the source, void it there and issue it anew."
    PERIOD_LOCKED = "period_locked", Verdict.HOLD, "The document's date lies in a period that the ledger has locked.", "Unlock the period, or void it at the source and issue it anew in an open one; agree it with the accountant."
    EDITED_IN_LEDGER = "edited_in_ledger", Verdict.HOLD, "A person edited, cancelled or removed the draft in the ledger.", "Undo the edit; or delete the draft in the ledger, and `fcb ledger release REF` has it written anew."
    AFTER_OPEN_PERIOD = "after_open_period", Verdict.HOLD, "The document is dated after the open period.", "Nothing: it joins its month when that month opens."
    # fmt: on


class ExceptionCode(_Code):
    """A fault of a posted document, or of an entry or a draft beside it."""

    def __new__(cls, code: str, meaning: str, remedy: str) -> Self:
        """The member of this code."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.meaning, member.remedy = meaning, remedy
        return member

    # fmt: off
    SOURCE_CHANGED = "source_changed", "The document changed at the source after it was posted, or NexaCloud gives it to another customer.", "`fcb ledger correct REF` writes the difference; the posted move stays, and what is paid is booked. A new number, day or customer has no difference to write: it stays listed until the old one is back, or until the ledger partners of customers that are one are merged. A confirmed payment of another amount: enter the difference by hand, it stays listed. A document in another currency: void it at the source and issue it anew. Cash on a document of before the cutover: enter the difference by hand."
    SETTINGS_CHANGED = "settings_changed", "The configuration, or another id in NexaCloud, would now write another document; the source is as it was.", "Nothing: the posted move stays as it was written, and it stays listed."
    EDITED_IN_LEDGER = "edited_in_ledger", "The move was edited, unreconciled, re-dated or removed in the ledger.", "Undo the edit, or `fcb ledger release REF` if it was removed; one that was cancelled still has its id: put it back there, or delete it first."
    VOIDED_AFTER_POSTING = "voided_after_posting", "The source voided the document after it was posted.", "`fcb ledger correct REF` reverses it on the void date or the first open one."
    NEXACLOUD_DIFFERS = "nexacloud_differs", "NexaCloud's copy disagrees with the source.", "Correct the copy; the books follow the source."
    NEXACLOUD_ITEMS_MISSING = "nexacloud_items_missing", "NexaCloud has the invoice's totals and no items.", "Correct the copy; the books follow the source's lines."
    UNITEMISED = "unitemised", "Neither NexaCloud nor the source has lines.", "Reclassify the unitemised revenue by hand; it stays listed."
    OFF_STRIPE_PAYMENT = "off_stripe_payment", "The source says it was paid outside of it; no cash entry is made.", "Set policies.off_platform_payment to `settle`, or record the receipt by hand: then it stays listed."
    SETTLEMENT_PERIOD_LOCKED = "settlement_period_locked", "A settlement's date lies in a locked period.", "Unlock the period, then `fcb sync`."
    SETTLEMENT_UNSUPPORTED = "settlement_unsupported", "A settlement that no entry can be made of: of a kind this version does not post, or in another currency or of another document than it names.", "Record it by hand; it stays listed."
    SETTLEMENT_TAKEN_BACK = "settlement_taken_back", "A settlement that stands in the ledger is no longer confirmed by the source, or one that was reversed there is reported again.", "`fcb ledger correct REF` takes it back, and the document is open again; or it takes the reversal back, and the settlement counts again. A match of a credit note is no entry: free the two in the ledger. Of a document of before the cutover: reverse it by hand."
    TAKEN_BACK_TWICE = "taken_back_twice", "A correction and a credit note both take back the same voided invoice.", "`fcb ledger correct REF` takes the credit note back."
    CASH_WITHOUT_DOCUMENT = "cash_without_document", "The source confirms money of a document that is not posted: it stands in no books.", "Mend what keeps the document out, or record it by hand: then it stays listed."
    OPENING_DOCUMENT = "opening_document", "It belongs to a document of before the cutover, which stands in the opening balance.", "Match it by hand with the opening entry in the ledger; it stays listed."
    CREDIT_WITHOUT_ORIGIN = "credit_without_origin", "More credit was drawn than the books have seen the customer get.", "Ask the source where it came from (a goodwill, a wallet top-up, a balance of before the cutover) and enter that by hand; it stays listed."
    CURRENCY_UNSUPPORTED = "currency_unsupported", "The ledger does not have the currency of a payment, or no rate for its date.", "Activate the currency in the ledger or give it a rate, then `fcb sync`."
    ACCOUNT_MISSING = "account_missing", "The ledger lacks the account that a settlement needs.", "`fcb ledger setup`, then `fcb sync`."
    MISSING_AT_SOURCE = "missing_at_source", "The document stands in the books, and its source says that it does not exist.", "Look it up at the source; if it was never billed, reverse the move by hand: then it stays listed."
    UNREACHABLE = "unreachable", "The document stands in the books, and its source did not answer for it.", "Rerun `fcb sync`."
    CREDIT_NOTE_WAITS = "credit_note_waits", "A credit note and its invoice are not matched: one of them is not posted yet.", "Post the other one, then `fcb sync`."
    PAYMENT_FAILED = "payment_failed", "A confirmed payment failed later; the receivable is open again.", "Collect the invoice anew."
    REFUND_WITHOUT_CREDIT_NOTE = "refund_without_credit_note", "Money was refunded and no credit note says of what: it stands in refunds pending.", "Issue the credit note at the source; tax can't be reduced without it."
    UNCOLLECTIBLE = "uncollectible", "The source gave the debt up; it stays in the receivable.", "Set policies.uncollectible to `write_off`, or write it off by hand: then it stays listed."
    DISPUTED = "disputed", "The customer disputes a payment; nothing is booked before it is decided.", "Answer the dispute at the source."
    DISPUTE_LOST = "dispute_lost", "A dispute was lost; the loss is not booked.", "Set policies.lost_dispute to `loss`, or book the loss by hand: then it stays listed."
    OVERPAID = "overpaid", "More was paid than billed; the excess is a credit of the customer.", "Leave it to the next invoice, or refund it and match the two by hand; it stays listed."
    NOT_WRITTEN = "not_written", "The document or a settlement of it does not stand in the ledger yet.", "Rerun `fcb sync`."
    TAX_MISMATCH = "tax_mismatch", "The ledger computes another tax than was billed; it refused the document.", "Compare the tax's rate in the ledger with the configuration."
    REFUSED_BY_LEDGER = "refused_by_ledger", "The ledger would not take the document, its posting or a settlement of it.", "The run's log says why; mend it there, then `fcb sync`."
    STALE_DRAFT = "stale_draft", "A draft stands in the ledger for a document that is no longer posted.", "Delete the draft in the ledger."
    # fmt: on


class CashReason(_Code):
    """Why a transaction of a balance meets no settlement, or has no entry of its own (C4-C6, C9-C11)."""

    def __new__(cls, code: str, meaning: str, remedy: str) -> Self:
        """The member of this code."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.meaning, member.remedy = meaning, remedy
        return member

    # fmt: off
    WITHOUT_DOCUMENT = "without_document", "Money of our customer that no document explains; it is on the pending account.", "Bill it or refund it at the source; then move it off the account by hand."
    DISPUTE_PENDING = "dispute_pending", "A disputed payment's money; it is on the account of disputes.", "When it is lost, book the loss against that account by hand, or set policies.lost_dispute to `loss`."
    UNNAMED_CATEGORY = "unnamed_category", "A category of transactions that has no account; it is on the suspense account.", "Look it up at the source and move it by hand."
    UNREADABLE = "unreadable", "The transaction can't be read: it is not booked, and the balance does not tie out.", "Compare the transaction at the source with docs/cash.md; a later version may read it."
    NO_JOURNAL = "no_journal", "A transaction in a currency whose balance has no journal; it is not booked.", "Name the journal in cash.balances, `fcb ledger setup`, then `fcb sync`."
    OTHER_SERVICE = "other_service", "Money of another service of the company.", "Nothing: it is no revenue of this one."
    WITHIN_BALANCE = "within_balance", "A reserve or a hold: it moves within the balance.", "Nothing: it comes back when it is released."
    OTHER_BALANCE = "other_balance", "A transaction of another balance at the source than that of payments.", "Book it by hand, if it is to be in these books."
    NOT_YET = "not_yet", "It is younger than what is known of the documents.", "Nothing: the next sync places it."
    BEFORE_BOOKS = "before_books", "It is of before the books begin: the opening balance has it.", "Nothing."
    # fmt: on


class System(StrEnum):
    """The systems that give facts. A further billing source has a name of its own and no member here."""

    NEXACLOUD = "nexacloud"
    STRIPE = "stripe"
    LAGO = "lago"
    LEDGER = "ledger"


class Kind(StrEnum):
    """The kind of a document."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"

    @property
    def sign(self) -> int:
        """The factor of a document's amounts in a sum: 1, or -1 for a credit note."""
        return -1 if self is Kind.CREDIT_NOTE else 1


class CashKind(StrEnum):
    """The kind of a transaction of a source's balance: its category in our words (C1).

    `dispute_fee` and the like are no kinds: a fee is a line of the transaction that bears it.
    """

    OPENING = "opening"
    CHARGE = "charge"
    CHARGE_FAILURE = "charge_failure"
    REFUND = "refund"
    REFUND_FAILURE = "refund_failure"
    DISPUTE = "dispute"
    DISPUTE_REVERSAL = "dispute_reversal"
    PAYOUT = "payout"
    PAYOUT_REVERSAL = "payout_reversal"
    TOP_UP = "top_up"
    TOP_UP_REVERSAL = "top_up_reversal"
    FEE = "fee"
    TAX = "tax"
    RESERVE = "reserve"
    OTHER_SERVICES = "other_services"
    UNKNOWN = "unknown"


class Status(StrEnum):
    """A document's status, in the same words for every system."""

    DRAFT = "draft"
    OPEN = "open"
    PAID = "paid"
    UNCOLLECTIBLE = "uncollectible"
    VOID = "void"
    UNKNOWN = "unknown"


class EventType(StrEnum):
    """What a service is told; the value stands in the event's body and in its headers."""

    PAYMENT_FAILED = "invoice.payment_failed"
    PAYMENT_SUCCEEDED = "invoice.payment_succeeded"
    SUBSCRIPTION_TERMINATED = "subscription.terminated"
    SUBSCRIPTION_REACTIVATED = "subscription.reactivated"
    THRESHOLD_REACHED = "usage.threshold_reached"


class Method(StrEnum):
    """The kind of a settlement: where its money comes from or goes to.

    `granted_credit` is credit that the company gave away; it is no liability, since nobody paid for it
    (S12). The last four change nothing that the source reports as owed: a refund and a chargeback are
    cash beside a paid document, a write-off and its recovery are the company's own decision.
    """

    PAYMENT = "payment"
    PAYMENT_FAILURE = "payment_failure"
    OFF_PLATFORM = "off_platform"
    CUSTOMER_BALANCE = "customer_balance"
    OVERPAYMENT = "overpayment"
    PREPAID_CREDIT = "prepaid_credit"
    GRANTED_CREDIT = "granted_credit"
    CREDIT_NOTE = "credit_note"
    PENDING_REFUND = "pending_refund"
    REFUND = "refund"
    CHARGEBACK = "chargeback"
    WRITE_OFF = "write_off"
    RECOVERY = "recovery"

    @property
    def is_cash(self) -> bool:
        """Whether money moved between the customer and the company (S11)."""
        return self in _CASH

    @property
    def at_source(self) -> bool:
        """Whether it changes the amount that the source reports as owed."""
        return self not in _NOT_AT_SOURCE

    @property
    def touches_receivable(self) -> bool:
        """Whether it changes the open amount of its document in the ledger."""
        return self not in (Method.REFUND, Method.CHARGEBACK)


_CASH = frozenset(
    {
        Method.PAYMENT,
        Method.PAYMENT_FAILURE,
        Method.OFF_PLATFORM,
        Method.REFUND,
        Method.CHARGEBACK,
    }
)


_NOT_AT_SOURCE = frozenset({Method.REFUND, Method.CHARGEBACK, Method.WRITE_OFF, Method.RECOVERY})
