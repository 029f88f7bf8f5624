"""The registry, and one customer over all services."""

import pytest
from pydantic import ValidationError

from fcb_pipelines.core.company.services import CustomerLink, Customers, Service, ServiceCustomer
from fcb_pipelines_tests.documents import SETTINGS

CLOUD = Service(key="cloud")
DESK = Service(key="desk", customers=(CustomerLink(customer="d2", user="u2"),))
MAPS = Service(key="maps")


def customer(service: str, number: str, *emails: str) -> ServiceCustomer:
    return ServiceCustomer(service=service, id=number, name=f"{service} {number}", emails=emails)


KNOWN = (
    customer("cloud", "u1", "ana@acme.test", "books@acme.test"),
    customer("cloud", "u2", "bo@bistro.test"),
    customer("cloud", "u3", "ana@acme.test"),
    customer("desk", "d1", "books@acme.test"),
    customer("desk", "d2", "ana@acme.test"),
    customer("desk", "d3", "new@new.test"),
    customer("maps", "m1", "new@new.test"),
    customer("maps", "m2"),
)


@pytest.mark.parametrize(
    ("service", "number", "key"),
    [
        ("cloud", "u1", "cloud:u1"),
        ("cloud", "u3", "cloud:u3"),  # two customers of one service stay two
        ("desk", "d1", "cloud:u1"),  # an email of two joins
        ("desk", "d2", "cloud:u2"),  # a configured link goes before an email
        ("desk", "d3", "desk:d3"),
        ("maps", "m1", "desk:d3"),  # two other services, one customer
        ("maps", "m2", "maps:m2"),
        ("maps", "m9", "maps:m9"),  # nothing is known of it
    ],
)
def test_a_customer_is_one_over_all_services(service: str, number: str, key: str) -> None:
    found = Customers(KNOWN, (CLOUD, DESK, MAPS)).of(service, number)
    assert found.key == key
    assert number == "m9" or found.name == key.replace(":", " ")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"key": "Maps"}, "pattern"),
        ({"key": "maps", "charges": [{"metric": "calls", "price": 1}]}, "unknown metrics: calls"),
        ({"key": "maps", "metrics": [{"key": "calls"}, {"key": "calls"}]}, "names metrics twice"),
        ({"key": "maps", "metrics": [{"key": "calls", "column": "calls"}]}, "column"),
    ],
)
def test_a_service_that_cannot_be_measured_is_refused(fields: object, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Service.model_validate(fields)


@pytest.mark.parametrize(
    ("services", "problem"),
    [
        ([{"key": "maps"}], "services lack nexacloud"),
        ([{"key": "nexacloud"}, {"key": "nexacloud"}], "service keys named twice: nexacloud"),
        (
            [{"key": "nexacloud", "metrics": [{"key": "cpu"}]}],
            "cpu of nexacloud names no column",
        ),
        (
            [{"key": "nexacloud"}, {"key": "maps", "metrics": [{"key": "m", "column": "cpu_hours"}]}],
            "m of maps names a column",
        ),
        (
            [{"key": "nexacloud", "origins": {"customers": "intake"}}],
            "customers and subscriptions of nexacloud come from tables",
        ),
        (
            [{"key": "nexacloud", "origins": {"subscriptions": "intake"}}],
            "customers and subscriptions of nexacloud come from tables",
        ),
        (
            [{"key": "nexacloud", "origins": {"usage": "intake"}, "metrics": [{"key": "cpu", "column": "cpu_hours"}]}],
            "cpu of nexacloud names a column",
        ),
    ],
)  # fmt: skip
def test_the_registry_holds_the_posted_service_once(services: object, problem: str) -> None:
    fields = SETTINGS.model_dump() | {"services": services}
    with pytest.raises(ValidationError, match=problem):
        type(SETTINGS).model_validate(fields)


def test_a_configuration_without_services_measures_nothing() -> None:
    fields = SETTINGS.model_dump(exclude={"services", "metering"})
    assert type(SETTINGS).model_validate(fields).services == ()


def test_records_come_from_tables_unless_the_registry_says_otherwise() -> None:
    services = [
        {"key": "nexacloud", "metrics": [{"key": "cpu"}], "origins": {"usage": "intake"}},
        {"key": "maps", "origins": {"usage": "intake", "customers": "intake"}},
        {"key": "desk"},
    ]
    settings = type(SETTINGS).model_validate(SETTINGS.model_dump() | {"services": services})
    assert settings.has_intake
    assert settings.by_intake("usage") == {"nexacloud", "maps"}
    assert settings.by_intake("customers") == {"maps"}
    assert settings.by_intake("subscriptions") == frozenset()
    assert not SETTINGS.has_intake
