"""The inputs of the dual run's assets: as frames, and as the values in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cached_property
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import dagster as dg
import pandas as pd

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.store.frames import made_once, to_rows
from fcb_pipelines.core.company.charges import Metric, Reading, RefusedReading, UnreadReading
from fcb_pipelines.core.company.services import (
    CataloguePlan,
    Customers,
    Service,
    ServiceCustomer,
    Subscription,
)
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.intake.usage import ReceivedMonth, ReceivedUsage
from fcb_pipelines.core.metering.cycles import Span, cycle_of
from fcb_pipelines.core.metering.dual_rows import DualRun, active_subscriptions
from fcb_pipelines.core.metering.dual_run import MeteringDelta
from fcb_pipelines.core.metering.expected import ExpectedCharge, expected_charges
from fcb_pipelines.core.metering.invoiced import Invoiced
from fcb_pipelines.core.metering.leaks import Deployment
from fcb_pipelines.core.metering.service_rows import (
    listed_plans,
    nexacloud_customers,
    nexacloud_plans,
    nexacloud_readings,
    nexacloud_subscriptions,
    service_customers,
    service_plans,
    service_readings,
    service_subscriptions,
    unread_plans,
    unread_readings,
    unread_subscriptions,
)
from fcb_pipelines.core.metering.usage import Usage
from fcb_pipelines.core.periods import first_day, following, local_date, period_of
from fcb_pipelines.defs.metering.tables import Named, Tables
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.frame_rows import contract, records
from fcb_pipelines.defs.runtime.gating import require


def _nexacloud(*tables: str) -> dict[str, dg.AssetIn]:
    return {table: dg.AssetIn(["nexacloud", table]) for table in tables}


PLANS = _nexacloud("plans", "service_plans")
SUBSCRIPTIONS = {
    **_nexacloud("subscriptions", "service_subscriptions"),
    "intake_subscriptions": dg.AssetIn(keys.INTAKE_SUBSCRIPTIONS),
}
CUSTOMERS = {
    **_nexacloud("users", "service_customers"),
    "intake_customers": dg.AssetIn(keys.INTAKE_CUSTOMERS),
}
RECEIVED = {"intake_received": dg.AssetIn(keys.INTAKE_RECEIVED)}
READINGS = {
    **_nexacloud("usage_records", "service_usage"),
    "intake_usage": dg.AssetIn(keys.INTAKE_USAGE),
}
SERVICE_TABLES = _nexacloud(*keys.SERVICE_TABLES)
MEASURED_TABLES = _nexacloud(*keys.METERED_TABLES, *keys.SERVICE_TABLES)
CATALOGUE = {"plan_catalog": dg.AssetIn(keys.PLAN_CATALOG)}
DOCUMENTS = {"invoiced_documents": dg.AssetIn(keys.INVOICED_DOCUMENTS)}
USAGE = {"usage": dg.AssetIn(keys.USAGE)}
EXPECTED = {"expected_charges": dg.AssetIn(keys.EXPECTED_CHARGES)}

# The tables of the other services of which each has an origin, by its field in the configuration.
_KINDS = {
    "service_usage": "usage",
    "service_customers": "customers",
    "service_subscriptions": "subscriptions",
}

Row = TypeVar("Row")

# The longest time between the start of a window and the month of its cycle.
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
        """The plans of all services, from the registry where it lists them, else from their tables."""
        own: tuple[CataloguePlan, ...] = ()
        if self.posted:
            own = (
                *nexacloud_plans(self._tables.rows("plans"), self.posted),
                *unread_plans(self._tables.unread("plans"), self.posted.key),
            )
        others = service_plans(self._of_services("service_plans"), self.services)
        listed = listed_plans(self.services.values())
        return (*own, *others, *listed, *unread_plans(self._unread("service_plans"), None))

    @cached_property
    def plans(self) -> dict[tuple[str, str], CataloguePlan]:
        """The catalogue by service and plan id."""
        rows = to_rows(self.frames["plan_catalog"], CataloguePlan)
        return {(row.service, row.plan_id): row for row in rows}

    @cached_property
    def subscriptions(self) -> dict[tuple[str, str], Subscription]:
        """The subscriptions of all services by service and id."""
        own: tuple[Subscription, ...] = ()
        if self.posted:
            name = (Subscription, self.posted.key, self._timezone)
            own = made_once(self.frames["subscriptions"], name, self._own_subscriptions)
        others = (
            *service_subscriptions(self._of_services("service_subscriptions"), self._timezone),
            *unread_subscriptions(self._unread("service_subscriptions"), None, self._timezone),
            *self._handed_in("intake_subscriptions", Subscription),
        )
        return {(one.service, one.id): one for one in (*others, *own)}

    def _own_subscriptions(self) -> tuple[Subscription, ...]:
        key, zone = self.settings.service, self._timezone
        return (
            *nexacloud_subscriptions(self._tables.rows("subscriptions"), key, zone),
            *unread_subscriptions(self._tables.unread("subscriptions"), key, zone),
        )

    @cached_property
    def customers(self) -> Customers:
        """The customers of all services; the same person's accounts count as one customer."""
        require([contract(users=self.frames["users"])])
        own = nexacloud_customers(records(self.frames["users"]), self.settings.service)
        others = service_customers(self._of_services("service_customers"))
        handed_in = self._handed_in("intake_customers", ServiceCustomer)
        return Customers((*own, *others, *handed_in), self.services.values())

    def readings(self, period: str) -> tuple[Reading, ...]:
        """The readings of all services that may lie in a cycle of the period."""
        own: tuple[Reading, ...] = ()
        if self.posted and self._records_are_read:
            rows = records(self._around("usage_records", period))
            own = nexacloud_readings(rows, self.posted, self._timezone)
        known = self._read_of("service_usage")
        others = [
            row for row in records(self._around("service_usage", period)) if row["service"] in known
        ]
        handed_in = (row.reading for row in self._received if row.refused is None)
        return (*own, *service_readings(others, self._timezone), *handed_in)

    @property
    def refused(self) -> tuple[RefusedReading, ...]:
        """What the intake refused of the period's usage."""
        return tuple(row.refusal for row in self._received if row.refused is not None)

    @cached_property
    def unread_readings(self) -> tuple[UnreadReading, ...]:
        """The usage of all services whose rows can't be read, of all months."""
        own: tuple[UnreadReading, ...] = ()
        if self.posted and self._records_are_read:
            rows = self._tables.unread("usage_records")
            own = unread_readings(rows, self.posted.key, self._timezone)
        return (*own, *unread_readings(self._unread("service_usage"), None, self._timezone))

    @cached_property
    def unread_usage(self) -> dict[str, str]:
        """Service -> the fault by which none of its usage can be read."""
        faults = {}
        own = self.posted if self._records_are_read else None
        if own and (why := self._tables.table_fault("usage_records")):
            faults[own.key] = why
        if why := self._tables.table_fault("service_usage"):
            faults |= dict.fromkeys(self._read_of("service_usage"), why)
        return faults

    @cached_property
    def documents(self) -> tuple[Invoiced, ...]:
        """Every document that the services' invoices claim, of all months."""
        return to_rows(self.frames["invoiced_documents"], Invoiced)

    def documents_of(self, period: str) -> tuple[Invoiced, ...]:
        """Those that concern a month."""
        return invoiced_of(self.frames["invoiced_documents"], period)

    @cached_property
    def usage(self) -> tuple[Usage, ...]:
        """The period's usage."""
        return to_rows(self.frames["usage"], Usage)

    def charges(self, period: str) -> tuple[ExpectedCharge, ...]:
        """The expected charges of the period's active subscriptions."""
        return expected_charges(
            active_subscriptions(self.documents_of(period), self.usage, period),
            self.subscriptions,
            self.plans,
            self.usage,
            period=period,
            timezone=self._timezone,
            unread=self.frames["usage"].attrs.get("unread"),
        )

    def compared(self, period: str) -> tuple[MeteringDelta, ...]:
        """The period's expected charges against what is invoiced for it."""
        return DualRun(
            period=period,
            currency=self.settings.currency,
            timezone=self._timezone,
            documents=self.documents_of(period),
            usage=self.usage,
            expected=self.expected,
            subscriptions=self.subscriptions,
            plans=self.plans,
            customers=self.customers,
        ).rows()

    @cached_property
    def expected(self) -> tuple[ExpectedCharge, ...]:
        """The period's expected charges."""
        return to_rows(self.frames["expected_charges"], ExpectedCharge)

    @cached_property
    def deployments(self) -> tuple[Deployment, ...] | None:
        """NexaCloud's deployments whose rows can be read; None where none can."""
        if self._tables.table_fault("deployments"):
            return None
        return to_rows(self._tables.sound("deployments"), Deployment)

    @property
    def unread_deployments(self) -> frozenset[str]:
        """The ids of the deployments whose rows can't be read."""
        return frozenset(str(row.get("id")) for row, _ in self._tables.unread("deployments"))

    def received(self, period: str) -> list[tuple[ReceivedMonth, Span]]:
        """What the intake has of each subscription that may be of the period, with its cycle."""
        found = []
        for row in self._handed_in("intake_received", ReceivedMonth):
            cycle = self.cycle(row.service, row.subscription_id, period)
            begins, ends = (period_of(local_date(moment, self._timezone)) for moment in (
                cycle.start, cycle.end - timedelta(microseconds=1),
            ))  # fmt: skip
            if begins <= row.period <= ends:
                found.append((row, cycle))
        return found

    def cycle(self, service: str, subscription_id: str, period: str) -> Span:
        """The cycle of a subscription that begins in the period; of an unknown one the month itself."""
        known = self.subscriptions.get((service, subscription_id))
        return cycle_of(period, known.start if known else None, self._timezone)

    def service_breaches(self) -> list[str]:
        """The faults by which a table of the dual run, or some of its rows, can't be measured."""
        own = keys.METERED_TABLES if self.posted else ()
        return self._tables.faults(
            (*own, *keys.SERVICE_TABLES), self.services, self.settings.service
        )

    @cached_property
    def _tables(self) -> Tables:
        return Tables(self.frames)

    def _of_services(self, table: str) -> list[dict[str, Any]]:
        return self._tables.of_services(table, self._read_of(table))

    def _unread(self, table: str) -> Named:
        return self._tables.unread_of_services(table, self._read_of(table))

    def _read_of(self, table: str) -> frozenset[str]:
        """The other services whose records come from this table."""
        if table == "service_plans":
            return self.settings.other_services - {
                one.key for one in self.services.values() if one.plans
            }
        kind = _KINDS.get(table)
        return self.settings.other_services - (self.settings.by_intake(kind) if kind else set())

    @property
    def _records_are_read(self) -> bool:
        """Whether the posted service's usage comes from usage_records."""
        return self.settings.service not in self.settings.by_intake("usage")

    @cached_property
    def _received(self) -> tuple[ReceivedUsage, ...]:
        """The usage that services handed in, of the period; none where the frame is not there."""
        return self._handed_in("intake_usage", ReceivedUsage)

    def _handed_in(self, name: str, row_type: type[Row]) -> tuple[Row, ...]:
        """The rows of one frame of the intake; an earlier version did not write it."""
        frame = self.frames.get(name)
        return () if frame is None or frame.empty else to_rows(frame, row_type)

    def _around(self, table: str, period: str) -> pd.DataFrame:
        """The sound rows whose windows begin near the period; the others need not become values."""
        frame = self._tables.sound(table)
        if frame.empty:
            return frame
        zone = ZoneInfo(self._timezone)
        first, last = first_day(period), first_day(following(period))
        bounds = (datetime.combine(first, time(), zone), datetime.combine(last, time(), zone))
        starts = pd.to_datetime(frame["period_start"], utc=True)
        return frame[(starts >= bounds[0] - _AROUND) & (starts < bounds[1] + _AROUND)]

    @property
    def _timezone(self) -> str:
        return self.settings.timezone


def invoiced_of(frame: pd.DataFrame, period: str) -> tuple[Invoiced, ...]:
    """The claimed documents dated in a month, and all that may have a line for its service."""

    def those() -> tuple[Invoiced, ...]:
        named = frame["lines"].str.contains(f'"{period}"', regex=False)
        return to_rows(frame[(frame["period"] == period) | named], Invoiced)

    return made_once(frame, (Invoiced, period), those)
