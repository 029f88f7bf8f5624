"""The rows of one month, of which status, close report and the queue of exceptions are made."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from fcb_pipelines.core.agreement.compare import AgreementRow
from fcb_pipelines.core.close.decisions import Acknowledgements
from fcb_pipelines.core.codes import ExceptionCode
from fcb_pipelines.core.dispositions.decide import Disposition
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.ledger.books import Books
from fcb_pipelines.core.ledger.entries import LedgerDocument
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerSettlement
from fcb_pipelines.core.proof.amount_rows import AmountRow
from fcb_pipelines.core.proof.delta import LedgerDelta
from fcb_pipelines.core.proof.gate import GateResult
from fcb_pipelines.core.proof.tax_witness import WitnessRow

LISTED_BY_AMOUNT = frozenset(
    {
        ExceptionCode.CASH_WITHOUT_DOCUMENT,
        ExceptionCode.OPENING_DOCUMENT,
        ExceptionCode.SETTLEMENT_TAKEN_BACK,
        ExceptionCode.CREDIT_WITHOUT_ORIGIN,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthStatus:
    """The rows of one month, or of unplaced, from its last build.

    `unsettled` maps refs to the sum of confirmed settlements that are listed instead of posted, minor
    units, and the exception that lists them; `amounts` maps refs to the document's amounts at the
    source, posted and listed. `credited` maps invoices to the total and tax that posted credit notes
    reverse, minor units. `facts` and `agreements` give, when they are asked for, the sources' documents by
    ref and NexaCloud's copies beside them; `acknowledged` are the acknowledgements in force by ref and code,
    the latest first.
    """

    dispositions: Sequence[Disposition]
    documents: Sequence[LedgerDocument] = ()
    moves: Mapping[str, LedgerMove] = field(default_factory=dict)
    settlements: Sequence[LedgerSettlement] = ()
    deltas: Sequence[LedgerDelta] = ()
    unsettled: Mapping[str, tuple[int, ExceptionCode]] = field(default_factory=dict)
    amounts: Mapping[str, Sequence[AmountRow]] = field(default_factory=dict)
    credited: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    witness: Sequence[WitnessRow] = ()
    gates: Sequence[GateResult] = ()
    books: Books | None = None
    facts: Callable[[], Mapping[str, InvoiceFacts]] = dict
    agreements: Callable[[], Sequence[AgreementRow]] = tuple
    acknowledged: Acknowledgements = field(default_factory=dict)
