"""Twelve months by two Celery workers over an S3 store: the same books as in one process."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from fcb_pipelines.sandbox.scenarios.generator import generate


def closed(data: Path, home: Path, *store: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "fcb_pipelines_tests.defs.backfilled", str(data), *store],
        env={**os.environ, "FCB_HOME": str(home)},
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.long
def test_a_backfill_by_two_workers_over_s3_ends_with_the_same_books_as_in_process(
    bucket: str, tmp_path: Path, new_home: Callable[[], Path]
) -> None:
    data = generate(tmp_path / "data", customers=10, invoices=24, months=12, seed=7)
    here = closed(data, new_home())
    there = closed(data, new_home(), f"{bucket}/production")
    assert here["months"] == 12
    assert len(here["moves"]) > 12
    assert here.pop("local frames")
    assert there.pop("local frames") == []
    assert there == here
    listed = boto3.client("s3").get_paginator("list_objects_v2")
    kept = [
        one["Key"]
        for page in listed.paginate(Bucket=bucket.removeprefix("s3://"))
        for one in page["Contents"]
    ]
    for what, ends in (("frames", ".parquet"), ("evidence", ".json.gz"), ("reports", ".html")):
        assert any(k.startswith(f"production/{what}/") and k.endswith(ends) for k in kept), what
