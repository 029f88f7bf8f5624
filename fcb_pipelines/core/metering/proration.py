"""The proration witness: it explains an invoiced line as a plan's price for a share of its cycle.

    200.00 x 122001 s of 2678400 s = 9.11

Stripe prorates to the second, Lago by whole days; both are a span's seconds out of its cycle's. A
line "Unused time on X" credits X's share, "Remaining time on X" bills it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from fcb_pipelines.core.company.services import CataloguePlan, Subscription
from fcb_pipelines.core.metering.cycles import (
    CycleLength,
    Span,
    cycle_length,
    cycle_of,
    cycles_up_to,
    period_containing,
)
from fcb_pipelines.core.metering.invoiced import InvoicedLine
from fcb_pipelines.core.money import exponent, half_up, to_major

_UNUSED, _REMAINING = "unused time on", "remaining time on"
TOLERANCE = 1
"""The difference in minor units up to which two amounts count as the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A line that bills `span` out of `cycle` at `price`, which is in major units."""

    line: InvoicedLine
    price: Decimal
    span: Span
    cycle: Span

    @property
    def whole(self) -> bool:
        """Whether it bills the whole cycle: a list price, no proration."""
        return self.span == self.cycle

    def arithmetic(self, currency: str) -> str:
        """The arithmetic as text: `200.00 x 122001 s of 2678400 s = 9.11`."""
        digits = exponent(currency)
        billed = f"{to_major(self.line.net, currency):.{digits}f}"
        price = f"{-self.price if self.line.net < 0 else self.price:.{digits}f}"
        times = "" if self.line.quantity == 1 else f"{self.line.quantity} x "
        if self.whole:
            return f"{times}{price} for the whole cycle = {billed}"
        return f"{times}{price} x {self.span.seconds} s of {self.cycle.seconds} s = {billed}"


class Witness:
    """Explains billed lines by the prices of one service's plans."""

    def __init__(self, plans: Iterable[CataloguePlan], timezone: str, currency: str) -> None:
        # The longest name first: "Managed Odoo - Standard" contains no shorter plan by accident.
        self._plans = sorted(plans, key=lambda plan: (-len(plan.plan), plan.plan_id))
        self._timezone = timezone
        self._currency = currency

    def share(self, line: InvoicedLine, subscription: Subscription | None) -> Share | None:
        """The share of a plan's price that the line bills, or None where no price explains it."""
        if line.span is None:
            return None
        # Only unused time is credited: a negative remainder is no plan's share.
        sign = -1 if line.description.casefold().startswith(_UNUSED) else 1
        for plan in self._named(line, subscription):
            for length, price in (
                (CycleLength.MONTHLY, plan.price_monthly),
                (CycleLength.YEARLY, plan.price_yearly),
            ):
                for cycle in self._cycles(line.span, length, subscription):
                    share = Decimal(line.span.seconds) / cycle.seconds
                    exact = (price or Decimal(0)) * line.quantity * share
                    billed = half_up(exact.scaleb(exponent(self._currency)))
                    if billed and abs(sign * billed - line.net) <= TOLERANCE:
                        return Share(
                            line=line, price=price or Decimal(0), span=line.span, cycle=cycle
                        )
        return None

    def bills_a_plan(self, line: InvoicedLine) -> bool:
        """Whether the line is for a plan, at whatever price: it names one, or is a proration."""
        text = line.description.casefold()
        proration = text.startswith((_UNUSED, _REMAINING))
        return proration or any(plan.plan.casefold() in text for plan in self._plans)

    def _named(
        self, line: InvoicedLine, subscription: Subscription | None
    ) -> Sequence[CataloguePlan]:
        """The plan that the line names; the subscription's own where it names none."""
        text = line.description.casefold()
        named = [plan for plan in self._plans if plan.plan.casefold() in text]
        if named:
            # Two plans may have the same name; the price decides which one was sold.
            return [plan for plan in named if plan.plan == named[0].plan]
        own = subscription.plan_id if subscription else None
        return [plan for plan in self._plans if plan.plan_id == own]

    def _cycles(
        self, span: Span, length: CycleLength, subscription: Subscription | None
    ) -> tuple[Span, ...]:
        """The cycles that the span may be a share of: they end with it or lie around it."""
        found = list(cycles_up_to(span.end, length, self._timezone))
        own = cycle_length(subscription.billing_cycle) if subscription else None
        if length is CycleLength.MONTHLY and own is not CycleLength.YEARLY:
            # The span may end inside the cycle: the customer left the plan before its end.
            anchor = subscription.start if subscription else None
            month = period_containing(span.start, anchor, self._timezone)
            found.append(cycle_of(month, anchor, self._timezone))
        return tuple(one for one in found if one.start <= span.start and span.end <= one.end)
