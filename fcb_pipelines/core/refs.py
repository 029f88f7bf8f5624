"""The grammar of external ids: every document, settlement and account is known by its ref.

    stripe:acct_1:in_7                       a document of Stripe, or a payment of it (inpay_7)
    lago:acme:4b2c                           the same of Lago
    nexacloud:17                             an invoice or a user of NexaCloud, which needs no owner
    stripe:acct_1:cus_3                      the account that a source bills
    stripe:acct_1:in_7:balance               an entry of a document that has no id of its own
    stripe:acct_1:cn_2:in_7                  the part of a note (or payment) that belongs to an invoice
    stripe:acct_1:in_7:correction:1          our correction of a document, counted from 1
    stripe:acct_1:in_7:correction:1:match    the entry that matches the correction
    stripe:acct_1:in_7:balance:correction:1  our correction of an entry without an id, likewise
    stripe:acct_1:in_7:balance:undone        our reversal of an entry; `…:undone:undone` reverses the reversal
    stripe:acct_1:txn_1                      a transaction of a source's balance
    stripe:acct_1:2026-04-03:CAD:charge:2026-04-05:1:other_services
                                             a day's transactions of other services that are paid out together, summed
    stripe:acct_1:2026-04:CAD:statement      a month of the balance that no payout claims
    stripe:acct_1:CAD:opening                the balance with which the books begin
    setup:1:journal:NCSTR                    a part of the ledger that setup made or found, by company
    nexacloud:subscription:8f1c              a subscription of a service, the subject of an event

    ref     = service ":" id { ":" step }
    service = "nexacloud" | side ":" owner
    step    = suffix | id | "correction:" number

A ref in a ledger never changes, so the refs built here are built for good. These parts can be read
out of a ref again:

- a document's service and id, unless the id has a colon (no id of Stripe or Lago has one);
- an account's service and id, unless the owner has a colon; the id may be any text, since NexaCloud
  and Lago let customers have any;
- the ref before a suffix;
- the document or entry that a correction belongs to, and its number, unless an id in it is `correction`.
"""

from datetime import date
from enum import StrEnum
from typing import NamedTuple

from fcb_pipelines.core.codes import System

_CORRECTION = ":correction:"

# What setup made once for a whole database.
ACTION_REF, READING_REF = "setup:action", "setup:action:reading"


class Suffix(StrEnum):
    """The role of an entry that has no id of its own, written after the ref of its document.

    Entries with the first suffixes follow from a source's data; those with the last three are our own.
    """

    BALANCE = "balance"
    CREDIT_NOTES = "credit_notes"
    DISPUTE = "dispute"
    FAILED = "failed"
    GRANTED = "granted"
    MARKED_PAID = "marked_paid"
    OFFSET = "offset"
    OFF_STRIPE = "off_stripe"
    OPENING = "opening"
    OTHER_SERVICES = "other_services"
    OUT_OF_BAND = "out_of_band"
    OVERPAID = "overpaid"
    PREPAID = "prepaid"
    RECORD = "record"
    RECOVERY = "recovery"
    REFUND = "refund"
    STATEMENT = "statement"
    WRITE_OFF = "write_off"

    CREDITED = "credited"
    MATCH = "match"
    UNDONE = "undone"


class Name(NamedTuple):
    """The two parts of a ref: the service, and the id that the service gives."""

    service: str
    id: str


def service_ref(side: str, owner: str) -> str:
    """The service for one account of a source: `stripe:<account>`, `lago:<organization>`."""
    return f"{side}:{owner}"


def source_ref(side: str, owner: str, source_id: str | None) -> str:
    """The ref of an object of a source: `stripe:<account>:<id>`, `lago:<organization>:<id>`.

    Raises TypeError for an id that is neither a text nor unknown (None).
    """
    if not isinstance(source_id, str | None):
        raise TypeError(f"{source_id!r} is no id")
    return f"{side}:{owner}:{source_id}"


def nexacloud_ref(row_id: object) -> str:
    """The ref of an invoice or a user of NexaCloud: `nexacloud:<id>`."""
    return f"{System.NEXACLOUD}:{row_id}"


def setup_ref(company: int, kind: str, code: str) -> str:
    """The ref of an account or journal of the ledger: `setup:<company>:<kind>:<configured code>`."""
    return f"setup:{company}:{kind}:{code}"


def view_ref(key: str) -> str:
    """The ref of a view that setup made in the ledger: `setup:view:<key>`."""
    return f"setup:view:{key}"


def subscription_ref(service: str, subscription: str) -> str:
    """The ref of a subscription of a service: `<service>:subscription:<id>`. No ledger has one."""
    return f"{service}:subscription:{subscription}"


def event_id(digest: str) -> str:
    """The id of an event, from the digest of what makes it that event: `evt_<32 hex digits>`."""
    return f"evt_{digest[:32]}"


def account_ref(service: str, customer: str) -> str:
    """The ref of a customer of a service: `<service>:<id>`."""
    return f"{service}:{customer}"


def document_name(ref: str) -> Name:
    """The service and the id of a document; the id follows the last colon."""
    service, _, source_id = ref.rpartition(":")
    return Name(service, source_id)


def account_name(ref: str) -> Name:
    """The service and the id of an account; its id may have colons, its service has at most one."""
    side, _, rest = ref.partition(":")
    service = side if side == System.NEXACLOUD else f"{side}:{rest.partition(':')[0]}"
    return Name(service, ref.removeprefix(f"{service}:"))


def id_within(ref: str, service: str) -> str | None:
    """The id in a ref of this service; None for a ref of another service."""
    prefix = f"{service}:"
    return ref.removeprefix(prefix) if ref.startswith(prefix) else None


def suffixed(ref: str, suffix: Suffix) -> str:
    """The ref with a suffix: `stripe:acct_1:in_7` becomes `stripe:acct_1:in_7:balance`."""
    return f"{ref}:{suffix}"


def without(ref: str, suffix: Suffix) -> str:
    """The ref before the suffix; the ref itself where it does not end with the suffix."""
    return ref.removesuffix(f":{suffix}")


def original_of(ref: str) -> str:
    """The ref of the entry that a reversal of ours takes back, or puts back; any other ref itself."""
    reversed_ = without(ref, Suffix.UNDONE)
    return ref if reversed_ == ref else original_of(reversed_)


def takes_back(ref: str) -> bool:
    """Whether an entry is a reversal of ours that takes its original back; the reversal of one puts it back."""
    reversed_ = without(ref, Suffix.UNDONE)
    return reversed_ != ref and not takes_back(reversed_)


def part_ref(whole: str, source_id: str | None) -> str:
    """The ref of the part of an entry that belongs to the document with this id."""
    return f"{whole}:{source_id}"


def opening_ref(service: str, currency: str) -> str:
    """The ref of the balance in this currency with which the books begin."""
    return suffixed(part_ref(service, currency), Suffix.OPENING)


def statement_ref(service: str, period: str, currency: str) -> str:
    """The ref of the statement of a month (`2026-04`) of the balance in this currency."""
    return suffixed(part_ref(part_ref(service, period), currency), Suffix.STATEMENT)


def day_ref(
    service: str, day: date, currency: str, category: str, available: date, payouts: int
) -> str:
    """The ref of a sum of a day's transactions of other services, by currency and category.

    They are those that become `available` on one day and were made after so many of the day's `payouts`.
    """
    parts = (day.isoformat(), currency, category, available.isoformat(), str(payouts))
    return suffixed(f"{service}:{':'.join(parts)}", Suffix.OTHER_SERVICES)


def correction_ref(base: str, number: int) -> str:
    """The ref of a correction of this number of a document or settlement, counted from 1."""
    return f"{base}{_CORRECTION}{number}"


def is_correction(ref: str) -> bool:
    """Whether a ref belongs to a correction or to an entry of one."""
    return _CORRECTION in ref


def base_of(ref: str) -> str:
    """The ref of the document or settlement that a correction belongs to; any other ref itself."""
    return ref.partition(_CORRECTION)[0]


def correction_number(ref: str) -> int:
    """The number of a correction, counted from 1; 0 where the ref is not a correction's."""
    tail = ref.partition(_CORRECTION)[2]
    return int(tail) if tail.isdecimal() else 0
