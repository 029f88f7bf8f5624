"""The invoices of services that hand in their subscriptions, as the billing source itself names their sale."""

from collections.abc import Collection, Iterable, Mapping

from fcb_pipelines.core.company.services import Invoicing, Subscription
from fcb_pipelines.core.facts.index import IndexRow, NamedSale


def source_invoicings(
    index: Iterable[IndexRow],
    services: Collection[str],
    subscriptions: Mapping[tuple[str, str], Subscription],
    at_source: Mapping[str, Subscription],
) -> tuple[Invoicing, ...]:
    """The documents that these services sold, in the order of the index.

    A document names its service in its metadata (`service`, `customer_id`, `subscription_id`), else by the
    subscription at its source that it bills: `at_source` has the services' own by that ref. A credit note
    is of whom its invoice is. A document of which no customer is known is left out.
    """
    rows = [row for row in index if row.found and not row.claimed and not row.in_scope]
    own: dict[str, Invoicing] = {}
    for row in rows:
        link = _link(row, row.sale, services, subscriptions, at_source) if row.sale else None
        if link is not None:
            own[row.ref] = link
    for row in rows:
        if row.credits in own and row.ref not in own:
            of = own[row.credits]
            own[row.ref] = _invoicing(row, of.service, of.customer, of.subscription_id)
    return tuple(own[row.ref] for row in rows if row.ref in own)


def _link(
    row: IndexRow,
    sale: NamedSale,
    services: Collection[str],
    subscriptions: Mapping[tuple[str, str], Subscription],
    at_source: Mapping[str, Subscription],
) -> Invoicing | None:
    if sale.service is not None and sale.service in services:
        named = subscriptions.get((sale.service, sale.subscription or ""))
        customer = sale.customer or (named.customer if named else None)
        if customer:
            return _invoicing(row, sale.service, customer, sale.subscription or None)
    billed = at_source.get(sale.at_source or "")
    if billed is None or billed.service not in services:
        return None
    return _invoicing(row, billed.service, billed.customer, billed.id)


def _invoicing(row: IndexRow, service: str, customer: str, subscription: str | None) -> Invoicing:
    return Invoicing(
        service=service,
        invoice_id=row.source_id,
        ref=row.ref,
        customer=customer,
        subscription_id=subscription,
    )
