"""Where every billed amount of a month stands: posted, in a draft, held, or listed with another reason.

It is made of the amounts of the proof (`core.proof.amounts`), so it is over the whole population: what is
held is counted beside what is posted, and a skipped document proves that nothing was billed by it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from fcb_pipelines.core.codes import Verdict
from fcb_pipelines.core.dispositions.decide import Disposition
from fcb_pipelines.core.proof.amount_rows import AmountRow, Measure
from fcb_pipelines.core.proof.amounts import DRAFT

_PARTS = {"net": (Measure.REVENUE,), "tax": (Measure.TAX,), "total": (Measure.REVENUE, Measure.TAX)}


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledAmount:
    """One measure (net, tax or total) of one currency, in minor units, credit notes negative.

    `billed` is the amount at the sources. `held` and `draft` are listed because their documents are held
    or not posted yet, `listed` for every other reason; `unknown` is the number of documents whose
    amount nobody can read.
    """

    measure: str
    currency: str
    billed: int
    posted: int
    draft: int
    held: int
    listed: int
    unknown: int

    @property
    def difference(self) -> int:
        """What stands on neither side: billed less everything else."""
        return self.billed - self.posted - self.draft - self.held - self.listed


def billed_amounts(
    dispositions: Sequence[Disposition], amounts: Mapping[str, Sequence[AmountRow]]
) -> tuple[BilledAmount, ...]:
    """Net, tax and total of each currency, over all documents of the month.

    `amounts` are the rows of each document by its ref. A document without a currency can't be read: it
    counts as unknown, under an empty one.
    """
    held = {row.ref for row in dispositions if row.verdict is Verdict.HOLD}
    rows = [
        row
        for row in chain.from_iterable(amounts.values())
        if row.measure in (Measure.REVENUE, Measure.TAX)
    ]
    return tuple(
        _summed(measure, currency, [row for row in rows if row.currency == currency], held)
        for currency in sorted({row.currency for row in rows})
        for measure in _PARTS
    )


def _summed(measure: str, currency: str, rows: Sequence[AmountRow], held: set[str]) -> BilledAmount:
    own = [row for row in rows if row.measure in _PARTS[measure]]
    listed: Counter[str] = Counter()
    for row in own:
        where = "held" if row.ref in held else "draft" if row.why == DRAFT else "listed"
        listed[where] += row.listed
    return BilledAmount(
        measure=measure,
        currency=currency,
        billed=sum(row.source for row in own),
        posted=sum(row.posted for row in own),
        draft=listed["draft"],
        held=listed["held"],
        listed=listed["listed"],
        unknown=len({row.ref for row in own if row.is_unknown}),
    )
