"""What became of one kind of fault: how often it was tried, met and survived."""

from dataclasses import dataclass

from fcb_pipelines_tests.faults.books import Damage


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One kind of fault in one ledger.

    `met`: how many processes met it. `damage` is what the books lacked or had too much after one more
    ordinary run, summed over all; `by_hand` how often that run was not enough; `silent` how often what was
    other was not told.
    """

    fault: str
    ledger: str
    met: int
    damage: Damage
    by_hand: int = 0
    silent: int = 0

    @property
    def survived(self) -> bool:
        """Whether it was met, and left nothing behind."""
        return self.met > 0 and self.damage.none and not self.by_hand and not self.silent


def summed(damages: list[Damage]) -> Damage:
    """All of them together."""
    return Damage(
        lost=sum(one.lost for one in damages),
        doubled=sum(one.doubled for one in damages),
        half_paid=sum(one.half_paid for one in damages),
        otherwise=sum(one.otherwise for one in damages),
    )
