"""The expected dual run of `nexa-2026-05`: the object `metering` of the status.

It follows from the invoiced subscriptions and their list prices, never from the pipeline.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from fcb_pipelines.core.periods import period_of
from fcb_pipelines.sandbox.scenarios.builders.nexa_sales import METERED, PRICES
from fcb_pipelines.sandbox.scenarios.builders.sales import Sale, SaleStatus


def expected_metering(sales: Iterable[Sale], periods: Sequence[str]) -> dict[str, Any]:
    """The dual run by period. April is the last cycle that is over, and its one row matches."""
    billed = [sale for sale in sales if sale.issued and sale.status is not SaleStatus.VOID]
    return {
        "currency": "CAD",
        "flip_ready": True,
        "cycle": "2026-04",
        "periods": {period: _period(billed, period) for period in periods},
    }


def _period(billed: Sequence[Sale], period: str) -> dict[str, Any]:
    own = [sale for sale in billed if sale.issued and period_of(sale.issued.date()) == period]
    plans = {metered.id: metered for metered in METERED}
    sold = [(sale, plans[sale.subscription]) for sale in own if sale.subscription]
    prices = [PRICES[metered.plan] for _, metered in sold]
    matching = sum(sale.net == price for (sale, _), price in zip(sold, prices, strict=True))
    one_offs = [sale for sale in own if sale.subscription is None]
    prorated = len(sold) - matching
    return {
        "rows": len(sold),
        "match": matching,
        "delta": prorated,
        "failed": 0,
        "causes": {"proration": prorated} if prorated else {},
        "expected": sum(prices),
        "actual": sum(sale.net for sale, _ in sold),
        "unexplained_count": 0,
        "unexplained_sum": 0,
        "one_off": len(one_offs),
        "one_off_actual": sum(sale.net for sale in one_offs),
    }
