"""A benchmark in a process and a home of its own, since a process has one dataset's months."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from fcb_pipelines.sandbox.scenarios.generator import generate


def apart(
    module: str, *arguments: str, invoices: int, months: int, customers: int | None = None
) -> dict[str, Any]:
    """The JSON that `python -m module DATASET arguments` prints of a generated dataset. Ends where it fails, with its words.

    Without `customers` each of them is billed some twenty times.
    """
    customers = customers or customers_of(invoices)
    with tempfile.TemporaryDirectory(prefix="fcb-benchmark-") as folder:
        data = Path(folder) / "data"
        generate(data, customers=customers, invoices=invoices, months=months, seed=1)
        done = subprocess.run(
            [sys.executable, "-m", module, "--of", str(data), *arguments],
            env={**os.environ, "FCB_HOME": f"{folder}/home"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(done.stderr)
        found: dict[str, Any] = json.loads(done.stdout)
        return found


def customers_of(invoices: int) -> int:
    """The customers of so many invoices."""
    return max(10, invoices // 20)
