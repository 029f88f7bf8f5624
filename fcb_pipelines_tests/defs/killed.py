"""One month in a process of its own that is killed when half of its settlements are written.

python -m fcb_pipelines_tests.defs.killed 2026-03
"""

import os
import sys
from typing import Any

import dagster as dg

from fcb_pipelines.connectors.beancount.ledger import BeancountLedger
from fcb_pipelines.definitions import defs

_settle = BeancountLedger.settle


def _half_then_killed(self: BeancountLedger, settlements: Any) -> Any:
    _settle(self, settlements[: len(settlements) // 2])
    os._exit(9)


if __name__ == "__main__":
    BeancountLedger.settle = _half_then_killed  # type: ignore[method-assign]
    defs().resolve_job_def("month").execute_in_process(
        instance=dg.DagsterInstance.ephemeral(),
        partition_key=sys.argv[1],
        run_config={
            "ops": {"ledger__posted_moves": {"config": {"post": True}}},
            "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
        },
    )
