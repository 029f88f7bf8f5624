"""The settlements that make a ledger entry by the company's policies, and the amount owed after them."""

from collections.abc import Iterable

from fcb_pipelines.core.codes import ExceptionCode, Method
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.facts.model import InvoiceFacts, SettlementFacts


def credited_refunds(facts: Iterable[InvoiceFacts]) -> frozenset[str]:
    """The refs of these documents' refunds that belong to a credit note instead: amount zero here (S6)."""
    return frozenset(
        s.ref
        for one in facts
        for s in one.settlements
        if s.method is Method.REFUND and not s.amount
    )


def posts(settled: SettlementFacts, settings: Settings, currency: str) -> bool:
    """Whether a settlement makes a ledger entry by the policies; the others are listed as exceptions.

    `currency` is the document's: a settlement in another one contradicts it and makes none.
    """
    policies = settings.policies
    match settled.method:
        case Method.OFF_PLATFORM:
            wanted = policies.off_platform_payment == "settle"
        case Method.WRITE_OFF | Method.RECOVERY:
            wanted = policies.uncollectible == "write_off"
        case Method.CHARGEBACK:
            wanted = policies.lost_dispute == "loss"
        case Method.CREDIT_NOTE:
            # The note that was used must be known: nothing is matched on a guess.
            wanted = settled.drawn_on is not None
        case _:
            wanted = True
    return wanted and settled.amount != 0 and settled.currency == currency


def not_posted(facts: InvoiceFacts, settings: Settings) -> tuple[int, ExceptionCode] | None:
    """The sum of confirmed settlements that make no entry, minor units, and the exception that lists it.

    One in another currency than the document's is no part of the sum: it takes nothing off the document.
    """
    own = [s for s in facts.settlements if s.currency == facts.currency]
    listed = [
        s for s in own if s.amount and s.method.at_source and not posts(s, settings, facts.currency)
    ]
    foreign = [
        s for s in facts.settlements if s.currency != facts.currency and (s.amount or s.receipt)
    ]
    if not listed and not foreign:
        return None
    off_platform = not foreign and all(s.method is Method.OFF_PLATFORM for s in listed)
    code = (
        ExceptionCode.OFF_STRIPE_PAYMENT if off_platform else ExceptionCode.SETTLEMENT_UNSUPPORTED
    )
    return sum(s.amount for s in listed), code


def owed(facts: InvoiceFacts, settings: Settings) -> int:
    """The amount owed at the source less the company's own write-offs, minor units."""
    decided = [s for s in facts.settlements if s.method in (Method.WRITE_OFF, Method.RECOVERY)]
    return facts.owed - sum(s.amount for s in decided if posts(s, settings, facts.currency))
