"""The gates of the dual run. It measures: a finding is a warning, only a bug of ours fails."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date

from fcb_pipelines.core.company.services import MeteringSettings
from fcb_pipelines.core.metering.dual_run import MeteringDelta, MeteringVerdict
from fcb_pipelines.core.metering.leaks import Leak
from fcb_pipelines.core.metering.usage import Usage
from fcb_pipelines.core.money import by_currency
from fcb_pipelines.core.naming import money
from fcb_pipelines.core.periods import first_day, following
from fcb_pipelines.core.proof.gates import GateResult, failing, warning

Key = tuple[str, str]


def services_meet_contract(breaches: Sequence[str]) -> GateResult:
    """What is wrong with the tables that the dual run reads."""
    return warning("services_meet_contract", breaches)


def one_row_each(rows: Sequence[MeteringDelta], wanted: Collection[Key]) -> GateResult:
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
    return failing("one_row_each_subscription", faults)


def no_empty_subscription(rows: Iterable[MeteringDelta]) -> GateResult:
    """A row is of a subscription unless it is a one-off, which is one document and never compared."""
    faults = []
    for row in rows:
        told = f"{row.period} {row.service} {row.subscription_id!r} {', '.join(row.documents)}"
        if row.verdict is not MeteringVerdict.ONE_OFF:
            if not row.subscription_id:
                faults.append(f"{told}: {row.verdict} without a subscription")
        elif row.subscription_id is not None or row.expected is not None or len(row.documents) != 1:
            faults.append(f"{told}: no one-off")
    return failing("no_empty_subscription", faults)


def unexplained(rows: Iterable[MeteringDelta], settings: MeteringSettings) -> GateResult:
    """Deltas that no cause explains, against the ceiling of their count and of their sum.

    The sum is of amounts, not of signed deltas: too much here never makes up for too little there.
    """
    own = unexplained_rows(rows)
    total = sum(abs(row.delta or 0) for row in own)
    within = len(own) <= settings.ceiling_count and total <= settings.ceiling_amount
    told = [
        f"{row.service} {row.subscription_id}: {row.cause}, {money(row.delta or 0, row.currency)}"
        for row in own
    ]
    amounts = by_currency((row.currency, abs(row.delta or 0)) for row in own)
    return warning(
        "unexplained_deltas_within_ceiling",
        [] if within else told,
        count=len(own),
        amounts=amounts,
    )


def flip_readiness(rows: Sequence[MeteringDelta], period: str, today: date) -> GateResult:
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
    return warning("flip_readiness", faults)


def usage_is_clean(rows: Iterable[Usage]) -> GateResult:
    """Readings that came twice, were corrected, overlap, straddle a cycle's end or came late."""
    told = [
        f"{row.service} {row.subscription_id} {row.metric} from {remark.start:%Y-%m-%d %H:%MZ}: "
        f"{remark.kind}, {remark.detail}"
        for row in rows
        for remark in row.remarks
    ]
    return warning("usage_is_clean", told)


def nothing_leaks(leaks: Sequence[Leak]) -> GateResult:
    """The leaks, the dearest first, with the sum of those whose amount is known."""
    sums = by_currency((leak.currency, leak.amount or 0) for leak in leaks)
    told = [_leak(leak) for leak in sorted(leaks, key=lambda leak: -(leak.amount or 0))]
    return warning("nothing_leaks", told, amounts=sums)


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
