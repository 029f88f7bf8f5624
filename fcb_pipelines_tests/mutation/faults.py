"""Every known fault, in the order in which the table lists them."""

from fcb_pipelines_tests.mutation.cash_faults import CASH_FAULTS
from fcb_pipelines_tests.mutation.fault import Fault
from fcb_pipelines_tests.mutation.ledger_faults import LEDGER_FAULTS
from fcb_pipelines_tests.mutation.row_faults import ROW_FAULTS
from fcb_pipelines_tests.mutation.rule_faults import RULE_FAULTS
from fcb_pipelines_tests.mutation.whole_faults import JUDGING_FAULTS, WHOLE_FAULTS

FAULTS: tuple[Fault, ...] = (
    *LEDGER_FAULTS,
    *ROW_FAULTS,
    *RULE_FAULTS,
    *JUDGING_FAULTS,
    *WHOLE_FAULTS,
    *CASH_FAULTS,
)
