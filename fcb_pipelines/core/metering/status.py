"""Summaries of the dual run: the object `metering` of the status, the section of the close report."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from fcb_pipelines.core.metering.dual_run import CAUSES, MeteringDelta, MeteringVerdict
from fcb_pipelines.core.metering.gates import unexplained_rows
from fcb_pipelines.core.metering.leaks import Leak
from fcb_pipelines.core.metering.shapes import (
    CauseSums,
    CustomerSum,
    Figures,
    LeakRow,
    MeteringSection,
    MeteringStatus,
    SubscriptionRow,
)


def metering_status(
    months: Mapping[str, Sequence[MeteringDelta]],
    ready: Mapping[str, bool],
    *,
    currency: str,
    leaks: int = 0,
    only: str | None = None,
) -> MeteringStatus:
    """The dual run of these months as plain JSON values, amounts in minor units of `currency`.

    `ready` maps each month that is over to the readiness of its cycle; the last month decides. `only`
    is the one period to show, or None for all.
    """
    shown = {period: rows for period, rows in months.items() if only in (None, period)}
    cycle = max(ready, default=None)
    return {
        "currency": currency,
        "flip_ready": cycle is not None and ready[cycle],
        "cycle": cycle,
        "periods": {period: counted(rows, currency) for period, rows in sorted(shown.items())},
        "services": {
            service: counted(
                [row for rows in shown.values() for row in rows if row.service == service], currency
            )
            for service in sorted({row.service for rows in shown.values() for row in rows})
        },
        "leaks": leaks,
    }


def counted(rows: Iterable[MeteringDelta], currency: str) -> Figures:
    """The counts of rows by verdict and cause, and the sums of the rows in `currency`."""
    rows = tuple(rows)
    summed = [row for row in rows if row.currency == currency]
    verdicts = Counter(row.verdict for row in rows)
    compared = [row for row in rows if row.verdict is not MeteringVerdict.ONE_OFF]
    own = unexplained_rows(compared)
    return {
        "rows": len(compared),
        "match": verdicts[MeteringVerdict.MATCH],
        "delta": verdicts[MeteringVerdict.DELTA],
        "failed": verdicts[MeteringVerdict.FAILED],
        "causes": dict(sorted(Counter(row.cause.value for row in compared if row.cause).items())),
        "expected": sum(row.expected or 0 for row in summed),
        "actual": sum(row.actual for row in summed if row.verdict is not MeteringVerdict.ONE_OFF),
        "unexplained_count": len(own),
        "unexplained_sum": sum(abs(row.delta or 0) for row in own),
        "one_off": verdicts[MeteringVerdict.ONE_OFF],
        "one_off_actual": sum(
            row.actual for row in summed if row.verdict is MeteringVerdict.ONE_OFF
        ),
    }


def metering_section(
    rows: Sequence[MeteringDelta], *, currency: str, leaks: Iterable[Leak] = ()
) -> MeteringSection:
    """One month's dual run for the close report: totals, subscriptions, one-offs, sums by cause."""
    compared = [row for row in rows if row.verdict is not MeteringVerdict.ONE_OFF]
    return {
        "currency": currency,
        **counted(rows, currency),
        "difference": sum(row.delta or 0 for row in compared),
        "subscriptions": [_row(row) for row in compared],
        "one_offs": [_row(row) for row in rows if row.verdict is MeteringVerdict.ONE_OFF],
        "by_cause": _by_cause(compared),
        "by_customer": _by_customer(rows),
        "leaks": [_leak(leak) for leak in leaks],
    }


def _row(row: MeteringDelta) -> SubscriptionRow:
    return {
        "service": row.service,
        "subscription": row.subscription_id,
        "customer": row.customer,
        "customer_name": row.customer_name,
        "plan": row.plan,
        "verdict": row.verdict.value,
        "cause": row.cause.value if row.cause else None,
        "meaning": CAUSES[row.cause].meaning if row.cause else "",
        "explained": row.explained,
        "currency": row.currency,
        "expected": row.expected,
        "overage": row.overage,
        "actual": row.actual,
        "delta": row.delta,
        "detail": row.detail,
        "documents": list(row.documents),
    }


def _leak(leak: Leak) -> LeakRow:
    return {
        "kind": leak.kind.value,
        "service": leak.service,
        "subscription_id": leak.subscription_id,
        "deployment_id": leak.deployment_id,
        "customer": leak.customer,
        "customer_name": leak.customer_name,
        "period": leak.period,
        "currency": leak.currency,
        "amount": leak.amount,
        "detail": leak.detail,
    }


def _by_cause(rows: Sequence[MeteringDelta]) -> list[CauseSums]:
    """The sums of expected and actual by cause, after those of the matches."""
    names = [row.cause.value if row.cause else row.verdict.value for row in rows]
    order = [MeteringVerdict.MATCH.value, *(cause.value for cause in CAUSES)]
    entries: list[CauseSums] = []
    for name in (each for each in order if each in names):
        own = [row for row, of in zip(rows, names, strict=True) if of == name]
        entries.append(
            {
                "cause": name,
                "rows": len(own),
                "expected": sum(row.expected or 0 for row in own),
                "actual": sum(row.actual for row in own),
            }
        )
    return entries


def _by_customer(rows: Iterable[MeteringDelta]) -> list[CustomerSum]:
    """The invoiced sums of each customer over all services, by service and currency."""
    names: dict[str, str] = {}
    sums: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        names.setdefault(row.customer, row.customer_name)
        sums[row.customer, row.service, row.currency] += row.actual
    return [
        {
            "customer": key,
            "name": names[key],
            "service": service,
            "currency": currency,
            "actual": minor,
        }
        for (key, service, currency), minor in sorted(sums.items())
    ]
