"""Usage, customers and subscriptions handed in over HTTP, measured as the same from tables."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from fcb_pipelines.api.app import PREFIX, create_app
from fcb_pipelines.api.intake import open_intake
from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.store.frames import to_rows
from fcb_pipelines.core.intake.usage import ReceivedUsage
from fcb_pipelines.core.metering.dual_run import MeteringDelta
from fcb_pipelines.core.metering.leaks import Leak
from fcb_pipelines.core.metering.usage import RemarkKind, Usage
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.sandbox.pushing import push
from fcb_pipelines.sandbox.scenarios.builders.services_small import (
    MAPLE,
    MAPS_MAPLE,
    NORTH,
    PERIODS,
    subscription_of,
)
from fcb_pipelines_tests.conftest import NewDatabase
from fcb_pipelines_tests.defs.world import Snapshot, World, running, why
from fcb_pipelines_tests.packaged import packaged
from fcb_pipelines_tests.serving import served

FOLDER = packaged("services-small")
APRIL, MAY = PERIODS
BY_INTAKE = {"usage": "intake", "customers": "intake", "subscriptions": "intake"}
PUSHED = ("nexadesk", "nexamaps")
TABLES = ("service_usage", "service_customers", "service_subscriptions")
