"""The balance that the Stripe stand-in keeps: what it reports, what a payout claims, what a transaction comes from.

`payout_transactions.json` of a dataset says which transactions a payout claims:
`[{"payout": "po_1", "transactions": ["txn_1"]}]`.
"""

from collections import Counter
from collections.abc import Mapping

from fcb_pipelines.sandbox.standin import Json


def source_of(transaction: Json, expand: set[str]) -> Json | str | None:
    """The source of a transaction, and the charge in it, as far as each is expanded."""
    source: Json | str | None = transaction.get("source")
    if not isinstance(source, Mapping):
        return source
    if not expand & {"source", "source.charge"}:
        return str(source["id"])
    charge = source.get("charge")
    if isinstance(charge, Mapping) and "source.charge" not in expand:
        return {**source, "charge": charge["id"]}
    return dict(source)


def reported_balance(transactions: list[Json]) -> Json:
    """The balance of an account of these transactions; only those of payments count."""
    sums: dict[str, Counter[str]] = {"available": Counter(), "pending": Counter()}
    for row in transactions:
        if row["balance_type"] == "payments":
            sums["pending" if row["status"] == "pending" else "available"][row["currency"]] += row[
                "net"
            ]
    currencies = sorted({*sums["available"], *sums["pending"]}) or ["cad"]
    parts = {
        name: [
            {
                "amount": found[currency],
                "currency": currency,
                "source_types": {"card": found[currency]},
            }
            for currency in currencies
        ]
        for name, found in sums.items()
    }
    return {"object": "balance", "livemode": True, **parts}


def claims(rows: list[Json]) -> dict[str, list[str]]:
    """Payout -> the ids of the transactions it claims."""
    return {row["payout"]: row["transactions"] for row in rows}
