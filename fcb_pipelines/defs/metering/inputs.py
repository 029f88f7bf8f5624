"""What the assets of the dual run share: their inputs as frames, and the values in them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import dagster as dg
import pandas as pd

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.frames import to_rows
from fcb_pipelines.connectors.nexacloud_contracts import breaches
from fcb_pipelines.core.charges import Metric, Reading
from fcb_pipelines.core.company import Settings
from fcb_pipelines.core.dual_run import MeteringDelta
from fcb_pipelines.core.expected import ExpectedCharge
from fcb_pipelines.core.invoiced import Invoiced
from fcb_pipelines.core.leaks import Deployment
from fcb_pipelines.core.periods import first_day, following
from fcb_pipelines.core.service_rows import (
    nexacloud_customers,
    nexacloud_plans,
    nexacloud_readings,
    nexacloud_subscriptions,
    service_customers,
    service_plans,
    service_readings,
    service_subscriptions,
)
from fcb_pipelines.core.services import (
    CataloguePlan,
    Customers,
    Service,
    Subscription,
)
from fcb_pipelines.core.usage import Usage
from fcb_pipelines.defs import keys
from fcb_pipelines.defs.frame_rows import contract, records
from fcb_pipelines.defs.gating import require


def _nexacloud(*tables: str) -> dict[str, dg.AssetIn]:
    return {table: dg.AssetIn(["nexacloud", table]) for table in tables}


PLANS = _nexacloud("plans", "service_plans")
SUBSCRIPTIONS = _nexacloud("subscriptions", "service_subscriptions")
CUSTOMERS = _nexacloud("users", "service_customers")
READINGS = _nexacloud("usage_records", "service_usage")
SERVICE_TABLES = _nexacloud(*keys.SERVICE_TABLES)
CATALOGUE = {"plan_catalog": dg.AssetIn(keys.PLAN_CATALOG)}
DOCUMENTS = {"invoiced_documents": dg.AssetIn(keys.INVOICED_DOCUMENTS)}
USAGE = {"usage": dg.AssetIn(keys.USAGE)}
EXPECTED = {"expected_charges": dg.AssetIn(keys.EXPECTED_CHARGES)}
DELTAS = {"deltas": dg.AssetIn(keys.METERING_DELTAS)}

# The longest time that a window may begin away from the month its cycle is named by.
_AROUND = timedelta(days=33)


@dataclass(frozen=True)
class Metering:
    """The frames of one asset by input name, read as values when they are asked for."""

    frames: Mapping[str, pd.DataFrame]

    @property
    def settings(self) -> Settings:
        """The company's policy."""
        return current()

    @cached_property
    def services(self) -> dict[str, Service]:
        """The configured services by key, the posted one first."""
        own = sorted(self.settings.services, key=lambda one: one.key != self.settings.service)
        return {service.key: service for service in own}

    @cached_property
    def metrics(self) -> dict[tuple[str, str], Metric]:
        """The configured metrics by service and key."""
        return {
            (service.key, metric.key): metric
            for service in self.services.values()
            for metric in service.metrics
        }

    @property
    def posted(self) -> Service | None:
        """The service that NexaCloud's own tables are of; None where nothing is measured."""
        return self.services.get(self.settings.service)

    @cached_property
    def catalogue_rows(self) -> tuple[CataloguePlan, ...]:
        """The plans of all services, from their tables."""
        require([contract("plans", self.frames["plans"])])
        own = nexacloud_plans(records(self.frames["plans"]), self.posted) if self.posted else ()
        return (*own, *service_plans(self._of_services("service_plans"), self.services))

    @cached_property
    def plans(self) -> dict[tuple[str, str], CataloguePlan]:
        """The catalogue by service and plan id."""
        rows = to_rows(self.frames["plan_catalog"], CataloguePlan)
        return {(row.service, row.plan_id): row for row in rows}

    @cached_property
    def subscriptions(self) -> dict[tuple[str, str], Subscription]:
        """The subscriptions of all services by service and id."""
        require([contract("subscriptions", self.frames["subscriptions"])])
        own: tuple[Subscription, ...] = ()
        if self.posted:
            rows = records(self.frames["subscriptions"])
            own = nexacloud_subscriptions(rows, self.posted.key, self._timezone)
        others = service_subscriptions(self._of_services("service_subscriptions"), self._timezone)
        return {(one.service, one.id): one for one in (*others, *own)}

    @cached_property
    def customers(self) -> Customers:
        """Whose customers are one."""
        require([contract("users", self.frames["users"])])
        own = nexacloud_customers(records(self.frames["users"]), self.settings.service)
        others = service_customers(self._of_services("service_customers"))
        return Customers((*own, *others), self.services.values())

    def readings(self, period: str) -> tuple[Reading, ...]:
        """The readings of all services that may lie in a cycle of the period."""
        own: tuple[Reading, ...] = ()
        if self.posted:
            rows = records(self._around(self._usage_records, period))
            own = nexacloud_readings(rows, self.posted, self._timezone)
        others = self._around(self.frames["service_usage"], period)
        return (*own, *service_readings(self._whole(others, "service_usage"), self._timezone))

    @cached_property
    def documents(self) -> tuple[Invoiced, ...]:
        """Every document that the services' invoices claim, of all months."""
        return to_rows(self.frames["invoiced_documents"], Invoiced)

    @cached_property
    def usage(self) -> tuple[Usage, ...]:
        """The period's usage."""
        return to_rows(self.frames["usage"], Usage)

    @cached_property
    def expected(self) -> tuple[ExpectedCharge, ...]:
        """The period's expected charges."""
        return to_rows(self.frames["expected_charges"], ExpectedCharge)

    @cached_property
    def deltas(self) -> tuple[MeteringDelta, ...]:
        """The period's rows."""
        return to_rows(self.frames["deltas"], MeteringDelta)

    @cached_property
    def deployments(self) -> tuple[Deployment, ...]:
        """NexaCloud's deployments."""
        require([contract("deployments", self.frames["deployments"])])
        return to_rows(self.frames["deployments"], Deployment)

    def service_breaches(self) -> list[str]:
        """What keeps a table of the other services, or some of its rows, from being measured."""
        told = []
        for table in keys.SERVICE_TABLES:
            frame = self.frames[table]
            broken = [str(breach) for breach in breaches(table, frame)]
            told += broken
            if broken:
                continue
            told += self._strangers(table, frame)
        return told

    def _strangers(self, table: str, frame: pd.DataFrame) -> list[str]:
        rows = records(frame)
        told = [
            f"{table}: {count} rows of {service!r}, which is not configured as another service"
            for service, count in Counter(row["service"] for row in rows).items()
            if service not in self.services or service == self.settings.service
        ]
        if table == "service_usage":
            unknown = Counter((row["service"], row["metric"]) for row in rows)
            told += [
                f"{table}: {count} rows of {service!r} with the unknown metric {metric!r}"
                for (service, metric), count in unknown.items()
                if service in self.services and (service, metric) not in self.metrics
            ]
        else:
            twice = Counter((row["service"], row["id"]) for row in rows)
            told += [f"{table}: {key} stands {n} times" for key, n in twice.items() if n > 1]
        return told

    @cached_property
    def _usage_records(self) -> pd.DataFrame:
        require([contract("usage_records", self.frames["usage_records"])])
        return self.frames["usage_records"]

    @cached_property
    def _sound(self) -> frozenset[str]:
        """The tables of the other services that keep their contract."""
        there = [table for table in keys.SERVICE_TABLES if table in self.frames]
        return frozenset(table for table in there if not breaches(table, self.frames[table]))

    def _of_services(self, table: str) -> list[dict[str, object]]:
        return self._whole(self.frames[table], table)

    def _whole(self, frame: pd.DataFrame, table: str) -> list[dict[str, object]]:
        """The rows of a table that keeps its contract; the gate lists one that doesn't."""
        if table not in self._sound:
            return []
        known = self.services.keys() - {self.settings.service}
        return [row for row in records(frame) if row["service"] in known]

    def _around(self, frame: pd.DataFrame, period: str) -> pd.DataFrame:
        """The windows that begin near the period: a year of them need not become values."""
        zone = ZoneInfo(self._timezone)
        first, last = first_day(period), first_day(following(period))
        bounds = (datetime.combine(first, time(), zone), datetime.combine(last, time(), zone))
        starts = pd.to_datetime(frame["period_start"], utc=True, errors="coerce")
        near = (starts >= bounds[0] - _AROUND) & (starts < bounds[1] + _AROUND)
        # What can't be read as a moment stays in, for the contract to name.
        return frame[near | starts.isna()]

    @property
    def _timezone(self) -> str:
        return self.settings.timezone
