"""An intake of three services on a Postgres of the test's own."""

from fcb_pipelines_tests.defs import world as _months  # noqa: F401 - the months come first

# isort: split
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from fcb_pipelines.api.app import PREFIX, create_app
from fcb_pipelines.api.intake import Intake
from fcb_pipelines.api.verified import Verified
from fcb_pipelines.connectors.intake.handed import HandedStore
from fcb_pipelines.connectors.intake.received import ReceivedStore
from fcb_pipelines.connectors.intake.service_keys import ServiceKeys
from fcb_pipelines.connectors.store.frames import FrameStore
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.conftest import NewDatabase
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.serving import served

BY_INTAKE = {"usage": "intake", "customers": "intake", "subscriptions": "intake"}
SERVICES = [
    {"key": "nexacloud", "metrics": [{"key": "cpu_seconds", "column": "cpu_hours", "factor": 3600}]},
    {"key": "nexadesk", "metrics": [{"key": "agents", "aggregation": "unique_count"}], "origins": BY_INTAKE},
    {"key": "nexamaps", "metrics": [{"key": "api_calls"}], "origins": BY_INTAKE},
]  # fmt: skip


def settings(**limits: int) -> Settings:
    """The company of these services; `limits` are those of the intake."""
    told = SETTINGS.model_dump(mode="json")
    told |= {
        "services": SERVICES,
        "service": "nexacloud",
        "first_period": "2026-01",
        "intake": limits,
    }
    return Settings.model_validate(told)


@dataclass
class Served:
    """An intake that is served: its address, a key of each service, and the moment that its clock shows."""

    url: str
    intake: Intake
    keys: dict[str, str]
    moment: list[datetime]
    client: httpx.Client

    def ask(
        self, method: str, path: str, *, key: str | None = "nexamaps", json: Any = None, **more: Any
    ) -> httpx.Response:
        """One request with the key of a service, or with none."""
        headers = {"Authorization": f"Bearer {self.keys.get(key, key)}"} if key else {}
        headers |= more.pop("headers", {})
        url = f"{self.url}{PREFIX}{path}"
        return self.client.request(method, url, headers=headers, json=json, **more)


@contextmanager
def serving_in(url: str, frames: Path) -> Iterator[Callable[..., Served]]:
    """Serves intakes with these limits on one database, until the block ends."""
    with ExitStack() as stack:

        def serve(**limits: int) -> Served:
            moment = [datetime(2026, 5, 5, 12, tzinfo=UTC)]
            company = settings(**limits)
            intake = Intake(
                settings=company,
                keys=ServiceKeys(url),
                received=ReceivedStore(url),
                handed=HandedStore(url),
                verified=Verified(FrameStore(frames), company),
                clock=lambda: moment[0],
            )
            keys = {
                service.key: intake.keys.new(service.key, "test")[1] for service in company.services
            }
            base = stack.enter_context(served(create_app(intake)))
            client = stack.enter_context(httpx.Client(trust_env=False, timeout=60))
            return Served(url=base, intake=intake, keys=keys, moment=moment, client=client)

        yield serve


@pytest.fixture
def serving(
    postgres: EmbeddedPostgres, database: str, tmp_path: Path
) -> Iterator[Callable[..., Served]]:
    """Serves an intake with these limits, until the test ends."""
    with serving_in(postgres.sqlalchemy_url(database), tmp_path / "frames") as serve:
        yield serve


@pytest.fixture
def intake(serving: Callable[..., Served]) -> Served:
    """An intake with the limits of the configuration."""
    return serving()


@pytest.fixture(scope="module")
def shared(
    postgres: EmbeddedPostgres,
    new_database: NewDatabase,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Served]:
    """One for the tests that leave nothing in it."""
    url = postgres.sqlalchemy_url(new_database())
    with serving_in(url, tmp_path_factory.mktemp("frames")) as serve:
        yield serve()


def record(key: str = "k1", /, **changes: Any) -> dict[str, Any]:
    """One record of nexamaps of 3 April."""
    return {
        "key": key, "subscription_id": "sub_1", "metric": "api_calls",
        "period_start": "2026-04-03T04:00:00Z", "period_end": "2026-04-04T04:00:00Z",
        "quantity": 5, **changes,
    }  # fmt: skip
