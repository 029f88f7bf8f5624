"""Histories drawn at random: what is billed, what happens, when it is synced, locked and corrected.

Drawn with plain dice and not piece by piece: only a weighted history has enough documents with relations.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from fcb_pipelines_tests.histories.events import EVENTS, HOSTING, MANAGED, Choice, World

BEGINNINGS = (date(2026, 4, 1), date(2026, 4, 20))
FIRST_DAY, END = date(2026, 3, 25), date(2026, 6, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A new invoice `day` days after the first; `more` is what is special about it."""

    side: str
    customer: str
    day: int
    lines: tuple[tuple[str, int], ...]
    currency: str
    taxed: bool
    more: str
    choice: Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Happens:
    """The event `what`, or the first ordinary one after it that is possible now."""

    what: str
    choice: Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """The accountant locks the first `days` days of the books."""

    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """A sync of the window, and `again` of everything; drafts stay drafts where `post` is false."""

    post: bool
    again: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Correct:
    """A sync, and the correction of everything that it lists for one."""


Step = Bill | Happens | Lock | Sync | Correct


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One history, the day on which the books begin and the company's policies."""

    begin: date
    policies: dict[str, str]
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        told = [f"books since {self.begin}, {self.policies}", *map(str, self.steps)]
        return "\n  ".join(told)


def drawn(dice: Random, longest: int) -> Drawn:
    """One history: some invoices, then up to `longest` steps."""
    bills: list[Step] = [_bill(dice) for _ in range(dice.randint(1, 4))]
    steps = [_step(dice) for _ in range(dice.randint(longest // 3, longest))]
    return Drawn(
        begin=dice.choice(BEGINNINGS),
        policies={
            "off_platform_payment": dice.choice(["exception", "settle"]),
            "lost_dispute": dice.choice(["list", "loss"]),
            "uncollectible": dice.choice(["list", "write_off"]),
            "opening_payment": dice.choice(["list", "settle"]),
        },
        steps=(*bills, *steps),
    )


def happen(world: World, step: Bill | Happens) -> None:
    """What a step changes outside."""
    if isinstance(step, Bill):
        _billed(world, step)
        return
    start = _ORDINARY.index(step.what) if step.what in _ORDINARY else 0
    for name in (step.what, *_ORDINARY[start:], *_ORDINARY[:start]):
        if EVENTS[name](world, step.choice):
            break


def shortest(steps: Sequence[Step], fails: Callable[[Sequence[Step]], bool]) -> Sequence[Step]:
    """The same failure without the steps that it does not need."""
    steps, left_out = list(steps), True
    while left_out:
        left_out = False
        for n in reversed(range(len(steps))):
            fewer = [*steps[:n], *steps[n + 1 :]]
            if fails(fewer):
                steps, left_out = fewer, True
    return steps


def _billed(world: World, new: Bill) -> None:
    customer, side, choice = new.customer, new.side, new.choice
    total = sum(net for _, net in new.lines)
    if side == "lago" and total < 0:
        return
    one = world.bill(
        side, customer, FIRST_DAY + timedelta(days=new.day), list(new.lines),
        currency=new.currency, taxed=new.taxed,
        copied=new.more != "uncopied" and customer not in world.billing.gone,
    )  # fmt: skip
    part = one.total * (1 + choice.size % 2) // 2
    if new.more == "draft":
        one.status = "draft"
    elif new.more == "test" and side == "stripe":
        one.live = False
    elif new.more in ("credit", "debt") and side == "stripe" and total > 0:
        one.balance = part if new.more == "credit" else -part
    elif new.more == "wallet" and side == "lago" and total > 0:
        one.prepaid = part if choice.flag else part // 2
        one.granted = part - one.prepaid
    elif new.more == "note" and side == "lago":
        world.bill_with_note(one, choice)


def _step(dice: Random) -> Step:
    kinds = ["event", "sync", "bill", "correct", "rare", "lock"]
    match dice.choices(kinds, [60, 20, 10, 6, 3, 1])[0]:
        case "event":
            return Happens(what=dice.choice(_OFTEN), choice=_choice(dice))
        case "rare":
            return Happens(what=dice.choice(_RARELY), choice=_choice(dice))
        case "sync":
            return Sync(post=dice.random() < 0.75, again=dice.random() < 0.3)
        case "bill":
            return _bill(dice)
        case "correct":
            return Correct()
        case _:
            return Lock(days=dice.randint(0, 60))


def _bill(dice: Random) -> Bill:
    one, other = (100 * dice.randint(1, 30) for _ in range(2))
    lines = (
        ((HOSTING, one),),
        ((HOSTING, one), (MANAGED, other)),
        ((MANAGED, -one),),
        ((HOSTING, one), (MANAGED, -one)),
        ((HOSTING, one), (HOSTING, -one)),
    )
    return Bill(
        side=dice.choice(["stripe", "lago"]),
        customer=dice.choices(["ada", "bob"], [3, 1])[0],
        day=dice.randint(0, 70),
        lines=dice.choices(lines, [20, 12, 1, 1, 1])[0],
        currency=dice.choices(["CAD", "USD"], [5, 1])[0],
        taxed=dice.random() < 0.7,
        more=dice.choices(_SPECIAL, [28, 2, 2, 1, 4, 4, 4, 6])[0],
        choice=_choice(dice),
    )


def _choice(dice: Random) -> Choice:
    return Choice(
        pick=dice.randint(0, 5),
        size=dice.randint(0, 19),
        days=dice.choice([0, 0, 3, 7, 20, 40]),
        flag=dice.random() < 0.5,
    )


# What may be tried where the event that was drawn is not possible.
_RARELY = ["erased", "lost", "copied", "finalise", "pay_what_is_not_listed"]
_ORDINARY = [name for name in EVENTS if name not in _RARELY]
_SPECIAL = ["", "draft", "uncopied", "test", "credit", "debt", "wallet", "note"]
_OFTEN = [
    "pay", "pay", "note", "note", "void", "pay_together", "refund", "dispute", "fail_late", "change",
    "lago_dispute_lost", "paid_outside", "give_up", "refund_fails", "dispute_is_won_after_all",
    "void_note",
]  # fmt: skip
