"""Rows of the service tables with an unknown service or metric, or an id that occurs twice."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from fcb_pipelines.core.company.services import Service
from fcb_pipelines.core.metering.service_rows import Row

SHOWN = 5


def unknown_rows(
    table: str, rows: Sequence[Row], services: Mapping[str, Service], posted: str
) -> list[str]:
    """The messages on one table `service_…`, one for each kind of such rows, with their count.

    The tables are those of the services that are only measured, so a row of the `posted` one is unknown
    there. `rows` have the columns of the table's contract.

        nexacloud.service_usage: 3 rows of 'maps' with the unknown metric 'tiles' (subscription_id s1)
    """
    name = f"nexacloud.{table}"
    messages = _of_no_service(name, rows, services.keys() - {posted})
    if table == "service_usage":
        return messages + _of_no_metric(name, rows, services)
    return messages + _twice(name, rows)


def _of_no_service(name: str, rows: Sequence[Row], others: Collection[str]) -> list[str]:
    named = "id" if rows and "id" in rows[0] else "subscription_id"
    by_service: dict[str, list[str]] = {}
    for row in rows:
        if row["service"] not in others:
            by_service.setdefault(row["service"], []).append(str(row[named]))
    return [
        f"{name}: {len(ids)} rows of {service!r}, which is not configured as another service "
        f"({named} {_first(ids)})"
        for service, ids in by_service.items()
    ]


def _of_no_metric(name: str, rows: Sequence[Row], services: Mapping[str, Service]) -> list[str]:
    unknown: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        service = services.get(row["service"])
        if service and row["metric"] not in {metric.key for metric in service.metrics}:
            unknown.setdefault((service.key, row["metric"]), []).append(row["subscription_id"])
    return [
        f"{name}: {len(ids)} rows of {service!r} with the unknown metric {metric!r} "
        f"(subscription_id {_first(ids)})"
        for (service, metric), ids in unknown.items()
    ]


def _twice(name: str, rows: Sequence[Row]) -> list[str]:
    times = Counter((row["service"], row["id"]) for row in rows)
    return [f"{name}: {key} occurs {n} times" for key, n in times.items() if n > 1]


def _first(ids: Sequence[str]) -> str:
    different = [*dict.fromkeys(ids)]
    return ", ".join(different[:SHOWN]) + (", …" if len(different) > SHOWN else "")
