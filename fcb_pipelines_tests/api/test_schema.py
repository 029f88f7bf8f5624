"""Every endpoint, asked what its description allows and what it does not: schemathesis finds nothing."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fcb_pipelines.api.app import PREFIX
from fcb_pipelines_tests.api.conftest import Served

DRAWN = "examples,fuzzing,stateful"


@pytest.mark.parametrize(
    ("phases", "examples"),
    [
        # A little each time; what it costs is the starting. More of it before a release.
        ("examples,fuzzing", 2),
        pytest.param(DRAWN, 5, marks=pytest.mark.long),
        # Every limit of every field, and every method that an address does not take.
        pytest.param("coverage", 1, marks=pytest.mark.long),
        pytest.param(f"{DRAWN},coverage", 60, marks=pytest.mark.long),
    ],
)
def test_no_answer_is_other_than_its_description_says(
    phases: str, examples: int, serving: Any, tmp_path: Path
) -> None:
    intake: Served = serving(requests_per_minute=1_000_000)
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")), "run", f"{intake.url}{PREFIX}/openapi.json",
            "--header", f"Authorization: Bearer {intake.keys['nexamaps']}",
            "--phases", phases, "--seed", "20260503", "--max-examples", str(examples), "--generation-database", "none",
            # Some well-formed requests make no sense (a window that ends before it begins), and are refused.
            # A subscription that ended stays known, as earlier months are measured by it.
            "--exclude-checks", "positive_data_acceptance,use_after_free",
            "--no-color",
        ],
        cwd=tmp_path, env={**os.environ, "PYTHONWARNINGS": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "12 selected / 12 total" in done.stdout
