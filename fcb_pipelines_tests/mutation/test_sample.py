"""The mutation proof on each run of CI: faults that the commit draws, each tried anew."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fcb_pipelines_tests.mutation.fault import Layer
from fcb_pipelines_tests.mutation.sampling import seed_of_commit

SIZE = 8


@pytest.mark.slow
def test_what_should_notice_a_fault_notices_each_of_those_that_the_commit_draws(
    tmp_path: Path,
) -> None:
    # A process of its own: the months are those of the dataset under which the definitions load first.
    file, seed = tmp_path / "findings.json", seed_of_commit()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "fcb_pipelines_tests.mutation"),
            *("--sample", str(SIZE), f"--seed={seed}", "--json", str(file)),
        ],
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    told = f"the sample of {seed or 'no commit'}:\n{done.stdout}\n{done.stderr[-3000:]}"
    assert done.returncode == 0, told
    findings = json.loads(file.read_text("utf-8"))
    assert len(findings) >= SIZE, told
    assert {one["layer"] for one in findings} == set(Layer), told
