"""The gates of the dual run. It measures: a finding is a warning, only a bug of ours fails."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date

from fcb_pipelines.core.company.services import MeteringSettings
from fcb_pipelines.core.metering.dual_rows import active_subscriptions
from fcb_pipelines.core.metering.dual_run import MeteringDelta, MeteringVerdict
from fcb_pipelines.core.metering.invoiced import Invoiced
from fcb_pipelines.core.metering.leaks import Leak
from fcb_pipelines.core.metering.usage import Usage
from fcb_pipelines.core.naming import money
from fcb_pipelines.core.periods import first_day, following
from fcb_pipelines.core.proof.gate import Finding, failing, warning

Key = tuple[str, str]


def one_row_each_subscription(
    rows: Sequence[MeteringDelta],
    documents: Iterable[Invoiced],
    used: Iterable[Usage],
    period: str,
) -> Finding:
    """Every subscription invoiced or used in the period has one row, and no other has one."""
    return one_row_each(rows, active_subscriptions(documents, used, period))


def one_row_each(rows: Sequence[MeteringDelta], wanted: Collection[Key]) -> Finding:
    """Every wanted (service, subscription id) has one row, and no other subscription has one."""
    counts = Counter(
        (row.service, row.subscription_id or "")
        for row in rows
        if row.verdict is not MeteringVerdict.ONE_OFF
    )
    faults = [
        f"{service} {subscription}: {counts[service, subscription]} rows"
        for service, subscription in sorted({*counts, *wanted})
        if counts[service, subscription] != (1 if (service, subscription) in wanted else 0)
    ]
    return failing(faults)


def no_empty_subscription(rows: Iterable[MeteringDelta]) -> Finding:
    """A row is of a subscription unless it is a one-off, which is one document and never compared."""
    faults = []
    for row in rows:
        name = f"{row.period} {row.service} {row.subscription_id!r} {', '.join(row.documents)}"
        if row.verdict is not MeteringVerdict.ONE_OFF:
            if not row.subscription_id:
                faults.append(f"{name}: {row.verdict} without a subscription")
        elif row.subscription_id is not None or row.expected is not None or len(row.documents) != 1:
            faults.append(f"{name}: no one-off")
    return failing(faults)


def unexplained(rows: Iterable[MeteringDelta], settings: MeteringSettings) -> Finding:
    """The deltas that no cause explains, against the ceilings of their count and their sum.

    The sum is of amounts, not of signed deltas: too much here never makes up for too little there.
    """
    own = unexplained_rows(rows)
    total = sum(abs(row.delta or 0) for row in own)
    within = len(own) <= settings.ceiling_count and total <= settings.ceiling_amount
    details = [
        f"{row.service} {row.subscription_id}: {row.cause}, {money(row.delta or 0, row.currency)}"
        for row in own
    ]
    amounts = ((row.currency, abs(row.delta or 0)) for row in own)
    return warning([] if within else details, count=len(own), amounts=amounts)


def flip_readiness(rows: Sequence[MeteringDelta], period: str, today: date) -> Finding:
    """The cycle is over, it was measured, and every row matches or is explained."""
    compared = [row for row in rows if row.verdict is not MeteringVerdict.ONE_OFF]
    faults = []
    if today < first_day(following(period)):
        faults.append(f"{period} is not over")
    if not compared:
        faults.append(f"nothing was compared in {period}")
    faults += [
        f"{row.service} {row.subscription_id}: {row.verdict}, {row.cause}"
        for row in compared
        if not row.explained
    ]
    return warning(faults)


def usage_is_clean(rows: Iterable[Usage]) -> Finding:
    """Readings that came twice, were corrected, overlap, straddle a cycle's end or came late."""
    details = [
        f"{row.service} {row.subscription_id} {row.metric} from {remark.start:%Y-%m-%d %H:%MZ}: "
        f"{remark.kind}, {remark.detail}"
        for row in rows
        for remark in row.remarks
    ]
    return warning(details)


def nothing_leaks(leaks: Sequence[Leak]) -> Finding:
    """The leaks, the dearest first, with the sum of those whose amount is known."""
    details = [_leak(leak) for leak in sorted(leaks, key=lambda leak: -(leak.amount or 0))]
    return warning(details, amounts=((leak.currency, leak.amount or 0) for leak in leaks))


def unexplained_rows(rows: Iterable[MeteringDelta]) -> list[MeteringDelta]:
    """The deltas that no cause explains."""
    return [row for row in rows if row.verdict is MeteringVerdict.DELTA and not row.explained]


def _leak(leak: Leak) -> str:
    things = [
        f"{what} {key}"
        for what, key in (
            ("subscription", leak.subscription_id),
            ("deployment", leak.deployment_id),
        )
        if key
    ]
    worth = "no price is known"
    if leak.amount is not None:
        worth = money(leak.amount, leak.currency)
    return (
        f"{leak.kind}{f' {leak.period}' if leak.period else ''}: {leak.service} "
        f"{', '.join(things) or 'nothing'} of {leak.customer_name or leak.customer}: {worth}, "
        f"{leak.detail}"
    )
