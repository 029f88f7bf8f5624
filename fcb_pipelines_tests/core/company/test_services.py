"""The registry, and one customer over all services."""

from decimal import Decimal

import pytest
from pydantic import ValidationError

from fcb_pipelines.core.company.services import CustomerLink, Customers, Service, ServiceCustomer
from fcb_pipelines.core.metering.service_rows import listed_plans
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
        (
            {"key": "maps", "plans": [{"id": "p", "name": "A"}, {"id": "p", "name": "B"}]},
            "names plans twice",
        ),
        (
            {"key": "maps", "plans": [{"id": "p", "name": "A", "price_monthly": "-1"}]},
            "price_monthly",
        ),
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
            [{"key": "nexacloud", "plans": [{"id": "p", "name": "Mine"}]}],
            "plans of nexacloud come from its table",
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


def test_the_plans_of_the_registry_have_its_charges_with_their_quotas() -> None:
    maps = Service.model_validate(
        {
            "key": "maps",
            "plans": [
                {"id": "big", "name": "Big", "price_monthly": "99.00", "quota": 5000},
                {"id": "old", "name": "Old", "price_yearly": "1.5", "active": False},
            ],
            "metrics": [{"key": "calls"}, {"key": "tiles"}],
            "charges": [
                {"metric": "calls", "quota": "plan", "price": "0.10"},
                {"metric": "tiles", "quota": 7, "price": "0.10"},
            ],
        }
    )
    big, old = listed_plans([maps, Service(key="desk")])
    assert (big.service, big.plan_id, big.plan, big.active) == ("maps", "big", "Big", True)
    assert (big.price_monthly, big.price_yearly) == (Decimal("99.00"), None)
    assert (old.price_monthly, old.price_yearly, old.active) == (None, Decimal("1.5"), False)
    assert [[charge.quota for charge in plan.charges] for plan in (big, old)] == [
        [Decimal(5000), Decimal(7)], [None, Decimal(7)],
    ]  # fmt: skip


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
