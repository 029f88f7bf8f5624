"""An intake of three services on a Postgres of the test's own."""

from dataclasses import dataclass, field
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
    moment: list[datetime] = field(default_factory=list)

    def ask(
        self, method: str, path: str, *, key: str | None = "nexamaps", json: Any = None, **more: Any
    ) -> httpx.Response:
        """One request with the key of a service, or with none."""
        headers = {"Authorization": f"Bearer {self.keys.get(key, key)}"} if key else {}
        headers |= more.pop("headers", {})
        url = f"{self.url}{PREFIX}{path}"
        return httpx.request(method, url, headers=headers, json=json, trust_env=False, **more)


@pytest.fixture
def serving(postgres: EmbeddedPostgres, database: str, tmp_path: Path) -> Any:
    """Serves an intake with these limits, until the test ends."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def serve(**limits: int) -> Served:
            url = postgres.sqlalchemy_url(database)
            moment = [datetime(2026, 5, 5, 12, tzinfo=UTC)]
            company = settings(**limits)
            intake = Intake(
                settings=company,
                keys=ServiceKeys(url),
                received=ReceivedStore(url),
                handed=HandedStore(url),
                verified=Verified(FrameStore(tmp_path / "frames"), company),
                clock=lambda: moment[0],
            )
            keys = {
                code: intake.keys.new(code, "test")[1]
                for code in ("nexacloud", "nexadesk", "nexamaps")
            }
            base = stack.enter_context(served(create_app(intake)))
            return Served(url=base, intake=intake, keys=keys, moment=moment)

        yield serve


@pytest.fixture
def intake(serving: Any) -> Served:
    """An intake with the limits of the configuration."""
    return serving()


def record(key: str = "k1", **changes: Any) -> dict[str, Any]:
    """One record of nexamaps of 3 April."""
    return {
        "key": key, "subscription_id": "sub_1", "metric": "api_calls",
        "period_start": "2026-04-03T04:00:00Z", "period_end": "2026-04-04T04:00:00Z",
        "quantity": 5, **changes,
    }  # fmt: skip
