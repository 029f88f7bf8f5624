"""A run in a process of its own that takes the pool `ledger` and works until it is killed.

DAGSTER_HOME=… FCB_TEST_SECONDS=300 python -m fcb_pipelines_tests.instance.holder
"""

import os
import time

import dagster as dg

from fcb_pipelines.instance.storage import open_instance


@dg.op(pool="ledger")
def write() -> None:
    """Works long, or as long as it is told."""
    print("writing", flush=True)  # noqa: T201
    time.sleep(float(os.environ.get("FCB_TEST_SECONDS", "0")))


@dg.job(executor_def=dg.in_process_executor)
def month() -> None:
    write()


defs = dg.Definitions(jobs=[month])

if __name__ == "__main__":
    month.execute_in_process(instance=open_instance(), raise_on_error=False)
