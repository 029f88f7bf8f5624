"""Several services in one dual run, and in the books the one that is posted."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fcb_pipelines.cli.expected import differences
from fcb_pipelines.connectors.store.frames import to_rows
from fcb_pipelines.core.metering.dual_run import MeteringDelta
from fcb_pipelines.core.metering.leaks import Leak, LeakKind
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.sandbox.dataset import Dataset
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines.sandbox.scenarios.builders.services_small import MAPLE, NORTH, PERIODS
from fcb_pipelines_tests.conftest import NewDatabase
from fcb_pipelines_tests.defs.metering.test_intake import tables_of
from fcb_pipelines_tests.defs.world import World, running, why
from fcb_pipelines_tests.packaged import packaged

FOLDER = packaged("services-small")


@pytest.fixture
def services(
    tmp_path: Path, postgres: EmbeddedPostgres, new_database: NewDatabase
) -> Iterator[World]:
    """The dataset of three services, all records in tables, after one close through Dagster."""
    data = shutil.copytree(FOLDER, tmp_path / "data")
    tables_of(data)
    with running(tmp_path / "world", postgres, new_database, data=data) as world:
        whole = world.whole
        results = [whole.extract(), *(whole.month(period, post=True) for period in PERIODS)]
        assert all(result.success for result in [*results, whole.prove()]), why(*results)
        yield world


def test_three_services_are_measured_and_one_is_posted(services: World) -> None:
    status = services.status()
    assert differences(Dataset.open(FOLDER).expected or {}, status) == ()
    assert status["totals"]["CAD"]["posted_count"] == 3
    assert {document["ref"].split(":")[0] for document in status["documents"]} == {"stripe"}

    frames = {period: services.frames.read(keys.METERING_DELTAS.path, period) for period in PERIODS}
    rows = [
        row for one in frames.values() if one is not None for row in to_rows(one, MeteringDelta)
    ]
    of = {customer: {row.service for row in rows if row.customer == f"nexacloud:{customer}"}
          for customer in (MAPLE.user_id, NORTH.user_id)}  # fmt: skip
    assert of[MAPLE.user_id] == {"nexacloud", "nexadesk", "nexamaps"}
    assert of[NORTH.user_id] == {"nexacloud", "nexamaps"}
    assert {row.customer_name for row in rows} == {"Maple Bakery", "North Dental", "Orchard Farm"}

    leaks = services.frames.read(keys.LEAKS.path)
    assert leaks is not None
    told = [(leak.kind, leak.service, leak.amount) for leak in to_rows(leaks, Leak)]
    assert told == [(LeakKind.OVERAGE_NOT_INVOICED, "nexamaps", 10)]
    assert services.window() == PERIODS
