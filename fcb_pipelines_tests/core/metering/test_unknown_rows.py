"""Rows of the service tables with an unknown service or metric are reported, each kind once."""

from fcb_pipelines.core.company.charges import Metric
from fcb_pipelines.core.company.services import Service
from fcb_pipelines.core.metering.unknown_rows import SHOWN, unknown_rows

DNS = Service(key="dns", metrics=(Metric(key="queries"),))
SERVICES = {"cloud": Service(key="cloud"), "dns": DNS}


def messages(table: str, *rows: dict[str, str]) -> list[str]:
    return unknown_rows(table, rows, SERVICES, "cloud")


def usage(service: str, metric: str = "queries", subscription: str = "s1") -> dict[str, str]:
    return {"service": service, "subscription_id": subscription, "metric": metric}


def test_rows_of_configured_services_are_known() -> None:
    assert messages("service_plans") == []
    assert (
        messages("service_plans", {"service": "dns", "id": "1"}, {"service": "dns", "id": "2"})
        == []
    )
    assert messages("service_usage", usage("dns"), usage("dns")) == []


def test_a_service_that_is_not_configured_is_reported_with_its_rows() -> None:
    [one] = messages("service_plans", {"service": "ftp", "id": "1"}, {"service": "ftp", "id": "2"})
    assert one == (
        "nexacloud.service_plans: 2 rows of 'ftp', which is not configured as another service "
        "(id 1, 2)"
    )


def test_a_row_of_the_posted_service_is_unknown_in_the_tables_of_the_others() -> None:
    [one] = messages("service_usage", usage("cloud", "cpu"), usage("cloud", "cpu"))[:1]
    assert "2 rows of 'cloud', which is not configured as another service" in one
    assert one.endswith("(subscription_id s1)")


def test_a_metric_that_is_not_configured_is_reported_by_its_service() -> None:
    assert messages("service_usage", usage("dns", "bytes")) == [
        "nexacloud.service_usage: 1 rows of 'dns' with the unknown metric 'bytes' "
        "(subscription_id s1)"
    ]


def test_an_id_that_occurs_twice_is_reported_in_tables_that_have_one() -> None:
    rows = [{"service": "dns", "id": "1"}] * 2
    assert messages("service_plans", *rows) == [
        "nexacloud.service_plans: ('dns', '1') occurs 2 times"
    ]


def test_a_long_list_is_cut() -> None:
    rows = [{"service": "ftp", "id": str(number)} for number in range(SHOWN + 1)]
    assert messages("service_plans", *rows)[0].endswith("(id 0, 1, 2, 3, 4, …)")
