"""Stripe's balance: its transactions, its payouts with theirs, and what it reports.

A restricted key needs read rights on balance transactions, payouts and balance besides those of the documents.
"""

from collections.abc import Mapping
from typing import Any

from fcb_pipelines.connectors.failures import ContractBreach, Failure
from fcb_pipelines.connectors.sources import BalanceList, BalanceReport, Body
from fcb_pipelines.connectors.stripe.client import PAGE_SIZE, StripeReader
from fcb_pipelines.core.facts.bodies import objects_in
from fcb_pipelines.core.facts.stripe.cash import without_payer

_PATH = "/v1/balance_transactions"
_PAYOUTS = "/v1/payouts"
# A refund and a dispute tell their payer only in their charge.
_EXPAND = ["data.source", "data.source.charge"]
# So often is a balance read again while transactions come between.
_TRIES = 3
_RECONCILED = "completed"


class StripeBalance:
    """Reads the balance of one account. It keeps nothing between two calls."""

    def __init__(self, reader: StripeReader) -> None:
        self._reader = reader

    def transactions(self, begin: int, end: int) -> BalanceList:
        """Every transaction that was created in the span, with its source."""
        before = self._reader.pace.calls
        span = {"created": {"gte": begin, "lt": end}, "expand": _EXPAND}
        swept = self._reader.sweep(_PATH, span)
        return BalanceList(
            bodies=tuple(map(without_payer, swept.items)),
            calls=self._reader.pace.calls - before,
            problem=swept.problem,
        )

    def payouts(
        self, begin: int, end: int, known: Mapping[str, tuple[Body, ...]] | None = None
    ) -> BalanceList:
        """Every payout that was created in the span.

        Its transactions are asked for once it is reconciled: a manual or instant one never is.
        """
        before = self._reader.pace.calls
        swept = self._reader.sweep(_PAYOUTS, {"created": {"gte": begin, "lt": end}})
        problems = [swept.problem] if swept.problem else []
        claims: dict[str, tuple[Body, ...]] = {}
        for payout in swept.items:
            own = str(payout["id"])
            if known and own in known:
                claims[own] = known[own]
            elif payout.get("automatic") and payout.get("reconciliation_status") == _RECONCILED:
                listed = self._reader.sweep(_PATH, {"payout": own})
                problems += [listed.problem] if listed.problem else []
                claims[own] = tuple(map(without_payer, listed.items))
        return BalanceList(
            bodies=tuple(dict(each) for each in swept.items),
            claims=claims,
            calls=self._reader.pace.calls - before,
            problem="; ".join(problems) or None,
        )

    def problems(self) -> tuple[str, ...]:
        """What keeps a balance, its transactions or its payouts from being read, one call each."""
        found = []
        for path, query in (("/v1/balance", {}), (_PATH, {"limit": 1}), (_PAYOUTS, {"limit": 1})):
            try:
                self._reader.get(path, query)
            except Failure as failure:
                found.append(str(failure))
        return tuple(found)

    def balance(self) -> BalanceReport:
        """The balance, read between two readings of the newest transactions, until these are the same.

        After three tries the last one is given, and is not sure.
        """
        before = self._reader.pace.calls
        newest = self._newest()
        for _ in range(_TRIES):
            body = self._reader.get("/v1/balance")
            after = self._newest()
            is_sure = _ids(after) == _ids(newest)
            newest = after
            if is_sure:
                break
        for name in ("available", "pending"):
            if not isinstance(body.get(name), list):
                raise ContractBreach("Stripe: GET /v1/balance", f"it has no list of what is {name}")
        return BalanceReport(
            body=dict(body),
            newest=tuple(newest),
            is_sure=is_sure,
            calls=self._reader.pace.calls - before,
        )

    def _newest(self) -> list[dict[str, Any]]:
        page = self._reader.get(_PATH, {"limit": PAGE_SIZE})
        found = objects_in(page.get("data"))
        return [{name: each.get(name) for name in ("id", "created")} for each in found]


def _ids(found: list[dict[str, Any]]) -> list[Any]:
    return [each["id"] for each in found]
