"""Usage, customers and subscriptions handed in over HTTP, measured as the same from tables."""

from fcb_pipelines.sandbox.scenarios.builders.services_small import (
    PERIODS,
)
from fcb_pipelines_tests.packaged import packaged

FOLDER = packaged("services-small")
APRIL, MAY = PERIODS
BY_INTAKE = {"usage": "intake", "customers": "intake", "subscriptions": "intake"}
PUSHED = ("nexadesk", "nexamaps")
TABLES = ("service_usage", "service_customers", "service_subscriptions")
