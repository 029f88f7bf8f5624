"""The lines of an entry against the balance: what the transaction meets, and its fees (C2-C8, C11)."""

from collections.abc import Sequence
from dataclasses import dataclass

from fcb_pipelines.core.cash.settled import SettledBy, SettledCash
from fcb_pipelines.core.codes import CashKind, CashReason
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.facts.cash import BalanceTransaction
from fcb_pipelines.core.ledger.cash import CashLine
from fcb_pipelines.core.money import spread
from fcb_pipelines.core.refs import document_name, part_ref


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A part of a transaction's amount: its account, key, and amount in the currency that was paid in."""

    account: str
    original: int
    meets: str | None = None


class LineMaker:
    """Makes the lines of entries by the company's accounts and the settlements of its documents."""

    def __init__(self, settled: SettledBy, settings: Settings) -> None:
        if settings.cash is None or settings.journals.stripe.outstanding is None:
            raise ValueError("cash is off, or the Stripe journal has no outstanding account")
        self._settled = settled
        self._accounts = settings.cash.accounts
        self._outstanding = settings.journals.stripe.outstanding.code
        self._books_losses = settings.policies.lost_dispute == "loss"

    def lines(self, one: BalanceTransaction) -> tuple[tuple[CashLine, ...], CashReason | None]:
        """The lines of a transaction's entry, and what is to be known of it.

        The amount is spread over its parts as they are in the currency that was paid in, to the minor unit.
        """
        parts, reason = self._parts(one)
        paid = one.paid if one.paid is not None else one.amount
        left = paid - sum(part.original for part in parts)
        if left or (one.amount and not parts):
            # What no settlement explains of a payment is a customer's money without a document (C5).
            parts.append(_Part(account=self._accounts.pending.code, original=left))
            reason = reason or CashReason.WITHOUT_DOCUMENT
        amounts = spread(one.amount, [part.original for part in parts]) if parts else ()
        label = next(iter(one.paid_by), one.made_by or one.id)
        lines = [
            CashLine(
                account=part.account,
                amount=-amount,
                label=label,
                meets=part.meets,
                original=-part.original if one.paid is not None else None,
                original_currency=one.paid_currency,
            )
            for part, amount in zip(parts, amounts, strict=True)
            if amount or part.original
        ]
        return (*lines, *self._fees(one)), reason

    def of_other_services(self, group: Sequence[BalanceTransaction]) -> tuple[CashLine, ...]:
        """The line of a sum of other services: what is left after their own fees is theirs."""
        net = sum(one.net for one in group)
        account = self._accounts.other_services.code
        return (CashLine(account=account, amount=-net, label=group[0].category),)

    def _fees(self, one: BalanceTransaction) -> tuple[CashLine, ...]:
        accounts = self._accounts
        return tuple(
            CashLine(
                account=(accounts.fee_tax if fee.is_tax else accounts.processing_fees).code,
                amount=fee.amount,
                label=f"{one.category}: {fee.type}",
            )
            for fee in one.fees
            if fee.amount
        )

    def _parts(self, one: BalanceTransaction) -> tuple[list[_Part], CashReason | None]:
        accounts = self._accounts
        match one.kind:
            case CashKind.CHARGE:
                return self._of_payment(one, self._settled.payments(one.paid_by)), None
            case CashKind.CHARGE_FAILURE:
                failed = self._settled.failures(one.paid_by)
                rows = failed or self._settled.payments(one.paid_by)
                return self._of_payment(one, rows), None
            case CashKind.REFUND | CashKind.REFUND_FAILURE:
                return self._of_refund(one), None
            case CashKind.DISPUTE | CashKind.DISPUTE_REVERSAL:
                return self._of_dispute(one)
            case (
                CashKind.PAYOUT
                | CashKind.PAYOUT_REVERSAL
                | CashKind.TOP_UP
                | CashKind.TOP_UP_REVERSAL
            ):
                return self._whole(one, accounts.payout_transit.code), None
            case CashKind.FEE:
                return self._whole(one, accounts.processing_fees.code), None
            case CashKind.TAX:
                return self._whole(one, accounts.fee_tax.code), None
            case _:
                return self._whole(one, accounts.suspense.code), CashReason.UNNAMED_CATEGORY

    def _of_payment(self, one: BalanceTransaction, rows: Sequence[SettledCash]) -> list[_Part]:
        """A part for each settlement, at most its own amount; the first ones take what is there."""
        sign = -1 if _paid(one) < 0 else 1
        left = abs(_paid(one))
        parts = []
        for row in rows:
            taken = min(left, abs(row.amount)) if row.currency == _currency(one) else 0
            if taken:
                left -= taken
                parts.append(_Part(account=self._outstanding, original=sign * taken, meets=row.key))
        return parts

    def _of_refund(self, one: BalanceTransaction) -> list[_Part]:
        """A refund follows its payment: whether it succeeded or not, its settlement has the refund's own ref.

        Lago's documents do not name the refund: it meets the oldest of its amount.
        """
        if self._has_own_settlement(one):
            return self._keyed(one)
        same = [r for r in self._settled.returned(one.paid_by) if abs(r.amount) == abs(_paid(one))]
        return self._of_payment(one, same[:1])

    def _of_dispute(self, one: BalanceTransaction) -> tuple[list[_Part], CashReason | None]:
        """With losses booked, a dispute meets its chargeback, and what was won back meets it too."""
        if self._books_losses and self._has_own_settlement(one):
            return self._keyed(one), None
        lost = self._settled.lost(one.paid_by)
        if self._books_losses and lost:
            return self._of_payment(one, lost), None
        return self._whole(one, self._accounts.disputes.code), CashReason.DISPUTE_PENDING

    def _has_own_settlement(self, one: BalanceTransaction) -> bool:
        """Whether what it comes from (re_…, dp_…) is the settlement, of a document of the same source.

        Its payment says so, whatever became of it since; for a payment of before the books it says so itself.
        """
        payments = self._settled.payments(one.paid_by)
        return any(_is_of(one, row) for row in payments[:1]) or self._settled.has(_key(one))

    def _keyed(self, one: BalanceTransaction) -> list[_Part]:
        return [_Part(account=self._outstanding, original=_paid(one), meets=_key(one))]

    def _whole(self, one: BalanceTransaction, account: str) -> list[_Part]:
        return [_Part(account=account, original=_paid(one))]


def _paid(one: BalanceTransaction) -> int:
    return one.amount if one.paid is None else one.paid


def _currency(one: BalanceTransaction) -> str:
    return one.paid_currency or one.currency


def _is_of(one: BalanceTransaction, row: SettledCash) -> bool:
    """Whether the settled document is of the source that keeps the balance."""
    return document_name(row.document).service == document_name(one.ref).service


def _key(one: BalanceTransaction) -> str:
    """The ref of the object that a transaction comes from."""
    return part_ref(document_name(one.ref).service, one.made_by)
