"""Which months of a balance can change no more, so that they need not be read again."""

from collections.abc import Iterable
from datetime import date, timedelta

from fcb_pipelines.core.facts.cash import Payout
from fcb_pipelines.core.periods import first_day, following

# Days after which a source's list of a month, and a payout of it, change no more.
_SETTLES = 2
_PAYOUT_SETTLES = 14
_FINAL = frozenset({"failed", "canceled"})


def is_over(period: str, today: date) -> bool:
    """Whether no transaction is made in the month any more: it ended, and the source has had time to list all."""
    return first_day(following(period)) + timedelta(days=_SETTLES) <= today


def are_settled(payouts: Iterable[Payout], today: date) -> bool:
    """Whether all these can change no more: read whole, claims known, and failed or at the bank for long."""
    return all(_is_settled(one, today) for one in payouts)


def _is_settled(payout: Payout, today: date) -> bool:
    if payout.problem:
        return False
    claimed = payout.claims is not None or not payout.is_automatic
    arrived = payout.arrives + timedelta(days=_PAYOUT_SETTLES) <= today
    return claimed and (arrived or payout.status in _FINAL)
