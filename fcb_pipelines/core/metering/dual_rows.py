"""The rows of the dual run: expected charges against invoiced lines."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from fcb_pipelines.core.company.charges import NOTHING
from fcb_pipelines.core.company.services import CataloguePlan, Customers, Plans, Subscription
from fcb_pipelines.core.metering.dual_run import Cause, MeteringDelta, MeteringVerdict
from fcb_pipelines.core.metering.expected import FLAT, ExpectedCharge, by_subscription
from fcb_pipelines.core.metering.invoiced import Invoiced, InvoicedLine, lines_of
from fcb_pipelines.core.metering.proration import TOLERANCE, Share, Witness
from fcb_pipelines.core.metering.usage import Usage
from fcb_pipelines.core.money import exponent, half_up, to_major

Key = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class DualRun:
    """The inputs of one period's rows; subscriptions and plans by (service, id)."""

    period: str
    currency: str
    timezone: str
    documents: Sequence[Invoiced]
    usage: Sequence[Usage]
    expected: Sequence[ExpectedCharge]
    subscriptions: Mapping[Key, Subscription]
    plans: Plans
    customers: Customers

    def rows(self) -> tuple[MeteringDelta, ...]:
        """One row a subscription, by service and id; then one row a one-off, by date."""
        expected = by_subscription(self.expected)
        lines: dict[Key, list[tuple[Invoiced, InvoicedLine]]] = defaultdict(list)
        for document, line in lines_of(self.documents, self.period):
            lines[document.service, document.subscription_id or ""].append((document, line))
        unread = defaultdict(list)
        for document in self.documents:
            if document.problem and document.period == self.period:
                unread[document.service, document.subscription_id or ""].append(document)
        wanted = active_subscriptions(self.documents, self.usage, self.period)
        rows = [self._row(key, expected.get(key, ()), lines[key], unread[key]) for key in wanted]
        return (*rows, *self._one_offs())

    def _row(
        self,
        key: Key,
        components: Sequence[ExpectedCharge],
        lines: Sequence[tuple[Invoiced, InvoicedLine]],
        unread: Sequence[Invoiced],
    ) -> MeteringDelta:
        subscription = self.subscriptions.get(key)
        plan = self.plans.get((key[0], subscription.plan_id or "")) if subscription else None
        documents = {one.ref: one for one in (*(document for document, _ in lines), *unread)}
        known = subscription.customer if subscription else ""
        customer = known or _of_documents(documents.values())
        who = self.customers.of(key[0], customer)
        actual = sum(line.net for _, line in lines) + sum(one.net for one in unread)
        owed = _owed(components, self.currency)
        overage = _minor(
            sum((c.amount or NOTHING for c in components if c.component != FLAT), NOTHING),
            self.currency,
        )
        verdict, cause, detail = self._compared(
            key, components, [line for _, line in lines], list(documents.values()), owed, actual
        )
        return MeteringDelta(
            service=key[0],
            subscription_id=key[1],
            period=self.period,
            customer=who.key,
            customer_name=who.name,
            plan=plan.plan if plan else "",
            currency=_currency(documents.values(), self.currency),
            verdict=verdict,
            cause=cause,
            expected=owed,
            overage=overage,
            actual=actual,
            detail=detail,
            documents=tuple(sorted(documents)),
        )

    def _compared(
        self,
        key: Key,
        components: Sequence[ExpectedCharge],
        lines: Sequence[InvoicedLine],
        documents: Sequence[Invoiced],
        owed: int | None,
        actual: int,
    ) -> tuple[MeteringVerdict, Cause | None, str]:
        failed = self._failure(components, documents)
        if failed or owed is None:
            cause, detail = failed or (Cause.MISSING_PRICE, "nothing is known of it")
            return MeteringVerdict.FAILED, cause, detail
        basis = "; ".join(c.basis for c in components if c.amount or c.component == FLAT)
        if abs(owed - actual) <= TOLERANCE:
            return MeteringVerdict.MATCH, None, basis
        cause, detail = self._cause(key, components, lines, documents, owed, actual)
        return MeteringVerdict.DELTA, cause, detail or basis

    def _failure(
        self, components: Sequence[ExpectedCharge], documents: Sequence[Invoiced]
    ) -> tuple[Cause, str] | None:
        for document in documents:
            if document.problem:
                return Cause.UNREADABLE_DOCUMENT, f"{document.ref}: {document.problem}"
            if document.currency != self.currency:
                return Cause.OTHER_CURRENCY, f"{document.ref} is in {document.currency}"
        return next(((c.cause, c.basis) for c in components if c.cause), None)

    def _cause(
        self,
        key: Key,
        components: Sequence[ExpectedCharge],
        lines: Sequence[InvoicedLine],
        documents: Sequence[Invoiced],
        owed: int,
        actual: int,
    ) -> tuple[Cause, str]:
        if not documents:
            return Cause.NOT_INVOICED, "usage, and no invoice"
        overage = sum((c.amount or NOTHING for c in components if c.component != FLAT), NOTHING)
        beyond = _minor(overage, self.currency)
        shares, rest = self._shares(key, lines)
        flat = sum(share.line.net for share in shares)
        prorated = not all(share.whole for share in shares)
        if rest is None or not (prorated or _same(flat, owed - beyond)):
            return Cause.LIST_PRICE_DIFFERS, self._differs(owed, actual)
        arithmetic = "; ".join(share.arithmetic(self.currency) for share in shares)
        if _same(rest, beyond):
            return Cause.PRORATION, arithmetic
        if rest < beyond:
            lacking = f"overage of {to_major(beyond - rest, self.currency)} is on no invoice"
            return Cause.NOT_INVOICED, "; ".join(filter(None, (lacking, arithmetic)))
        if key not in self._measured and any(c.component != FLAT for c in components):
            more = f"{to_major(rest, self.currency)} invoiced beside the plan"
            return Cause.NO_USAGE, "; ".join(filter(None, (more, arithmetic)))
        return Cause.LIST_PRICE_DIFFERS, self._differs(owed, actual)

    def _differs(self, owed: int, actual: int) -> str:
        return (
            f"{to_major(owed, self.currency)} expected, {to_major(actual, self.currency)} invoiced"
        )

    def _shares(
        self, key: Key, lines: Sequence[InvoicedLine]
    ) -> tuple[tuple[Share, ...], int | None]:
        """The shares of the lines for plans, and the sum of the other lines in minor units.

        The sum is None where no price explains a line for a plan.
        """
        subscription = self.subscriptions.get(key)
        witness = self._witnesses[key[0]]
        shares, rest = [], 0
        for line in lines:
            share = witness.share(line, subscription)
            if share:
                shares.append(share)
            elif line.net and witness.bills_a_plan(line):
                return (), None
            else:
                rest += line.net
        return tuple(shares), rest

    @cached_property
    def _witnesses(self) -> Mapping[str, Witness]:
        own: dict[str, list[CataloguePlan]] = defaultdict(list)
        for plan in self.plans.values():
            own[plan.service].append(plan)
        services = {*own, *(document.service for document in self.documents)}
        return {one: Witness(own[one], self.timezone, self.currency) for one in services}

    @cached_property
    def _measured(self) -> frozenset[Key]:
        return frozenset((row.service, row.subscription_id) for row in self.usage)

    def _one_offs(self) -> list[MeteringDelta]:
        return [
            MeteringDelta(
                service=document.service,
                subscription_id=None,
                period=self.period,
                customer=who.key,
                customer_name=who.name,
                plan="",
                currency=document.currency,
                verdict=MeteringVerdict.ONE_OFF,
                cause=None,
                expected=None,
                overage=0,
                actual=document.net,
                detail=document.number,
                documents=(document.ref,),
            )
            for document in sorted(self.documents, key=lambda one: (one.date, one.ref))
            if document.subscription_id is None and document.period == self.period
            for who in [self.customers.of(document.service, document.customer)]
        ]


def active_subscriptions(
    documents: Iterable[Invoiced], usage: Iterable[Usage], period: str
) -> tuple[Key, ...]:
    """Each (service, subscription id) with an invoice or usage in the period; each must have a row."""
    documents = tuple(documents)
    found = {
        (document.service, document.subscription_id or "")
        for document, _ in lines_of(documents, period)
    }
    found |= {
        (one.service, one.subscription_id or "")
        for one in documents
        if one.problem and one.subscription_id and one.period == period
    }
    found |= {(row.service, row.subscription_id) for row in usage if row.period == period}
    return tuple(sorted(found))


def _owed(components: Sequence[ExpectedCharge], currency: str) -> int | None:
    amounts = [component.amount for component in components]
    if not amounts or None in amounts:
        return None
    return _minor(sum((amount for amount in amounts if amount), NOTHING), currency)


def _minor(amount: Decimal, currency: str) -> int:
    """The total of a row in minor units. Its six places are rounded here, once."""
    return half_up(amount.scaleb(exponent(currency)))


def _same(left: int | None, right: int) -> bool:
    return left is not None and abs(left - right) <= TOLERANCE


def _currency(documents: Iterable[Invoiced], company: str) -> str:
    """The company's currency, or another one of a document: then nothing is compared."""
    return next((one.currency for one in documents if one.currency != company), company)


def _of_documents(documents: Iterable[Invoiced]) -> str:
    return next((document.customer for document in documents), "")
