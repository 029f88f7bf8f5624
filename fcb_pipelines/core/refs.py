"""The grammar of external ids: every document, settlement and account is known by its ref.

    stripe:acct_1:in_7                       a document of Stripe, or a payment of it (inpay_7)
    lago:acme:4b2c                           the same of Lago
    nexacloud:17                             a row or a user of NexaCloud, which needs no owner
    stripe:acct_1:cus_3                      the account that a source bills
    stripe:acct_1:in_7:balance               something of a document that has no id of its own
    stripe:acct_1:cn_2:in_7                  the part of a note (or payment) that an invoice has
    stripe:acct_1:in_7:correction:1          our correction of a document, counted from 1
    stripe:acct_1:in_7:correction:1:match    what we match it by

    ref     = service ":" id { ":" step }
    service = "nexacloud" | side ":" owner
    step    = suffix | id | "correction:" number

A ref is never changed once it is in a ledger, so what is built here is built for good. What is built
is read back whole:

- a document's service and id, unless the id has a colon (no id of Stripe or Lago has one);
- an account's service and id, unless the owner has a colon: NexaCloud and Lago's customers may be
  named by any text;
- what a suffix was put on, whatever it is;
- the document that a correction is of, and its number, unless something in its ref is called `correction`.
"""

from enum import StrEnum
from typing import NamedTuple

from fcb_pipelines.core.codes import System

_CORRECTION = ":correction:"


class Suffix(StrEnum):
    """What something is of the entry that its ref begins with.

    The first are told by a source, or follow from what it tells; the last three are entries of ours.
    """

    BALANCE = "balance"
    CREDIT_NOTES = "credit_notes"
    DISPUTE = "dispute"
    FAILED = "failed"
    GRANTED = "granted"
    MARKED_PAID = "marked_paid"
    OFFSET = "offset"
    OFF_STRIPE = "off_stripe"
    OUT_OF_BAND = "out_of_band"
    OVERPAID = "overpaid"
    PREPAID = "prepaid"
    RECORD = "record"
    RECOVERY = "recovery"
    REFUND = "refund"
    WRITE_OFF = "write_off"

    CREDITED = "credited"
    MATCH = "match"
    UNDONE = "undone"


class Name(NamedTuple):
    """A ref in two: the service, and the id that the service gives."""

    service: str
    id: str


def service_ref(side: str, owner: str) -> str:
    """The service that one account of a source is: `stripe:<account>`, `lago:<organization>`."""
    return f"{side}:{owner}"


def source_ref(side: str, owner: str, source_id: str | None) -> str:
    """The ref of what a source has under an id: `stripe:<account>:<id>`, `lago:<organization>:<id>`."""
    return f"{side}:{owner}:{source_id}"


def nexacloud_ref(row_id: object) -> str:
    """The ref of an invoice or a user of NexaCloud: `nexacloud:<id>`."""
    return f"{System.NEXACLOUD}:{row_id}"


def account_ref(service: str, customer: str) -> str:
    """The ref of a customer of a service: `<service>:<id>`."""
    return f"{service}:{customer}"


def document_name(ref: str) -> Name:
    """The service and the id of a document; its id is what follows the last colon."""
    service, _, source_id = ref.rpartition(":")
    return Name(service, source_id)


def account_name(ref: str) -> Name:
    """The service and the id of an account; its id may have colons, its service has at most one."""
    side, _, rest = ref.partition(":")
    service = side if side == System.NEXACLOUD else f"{side}:{rest.partition(':')[0]}"
    return Name(service, ref.removeprefix(f"{service}:"))


def id_within(ref: str, service: str) -> str | None:
    """The id that a ref of this service names; None of a ref of any other."""
    prefix = f"{service}:"
    return ref.removeprefix(prefix) if ref.startswith(prefix) else None


def suffixed(ref: str, suffix: Suffix) -> str:
    """The ref of what the suffix names of an entry."""
    return f"{ref}:{suffix}"


def without(ref: str, suffix: Suffix) -> str:
    """The ref that the suffix was put on; a ref that does not end with it is its own."""
    return ref.removesuffix(f":{suffix}")


def part_ref(whole: str, source_id: str | None) -> str:
    """The ref of the part of an entry that belongs to the document with this id."""
    return f"{whole}:{source_id}"


def correction_ref(base: str, number: int) -> str:
    """The ref of a document's correction of this number, counted from 1."""
    return f"{base}{_CORRECTION}{number}"


def is_correction(ref: str) -> bool:
    """Whether a ref is a correction's, or that of something of one."""
    return _CORRECTION in ref


def base_of(ref: str) -> str:
    """The document that a correction is of; of any other ref, itself."""
    return ref.partition(_CORRECTION)[0]


def correction_number(ref: str) -> int:
    """Which correction of its document it is; 0 where the ref is no correction's."""
    tail = ref.partition(_CORRECTION)[2]
    return int(tail) if tail.isdecimal() else 0
