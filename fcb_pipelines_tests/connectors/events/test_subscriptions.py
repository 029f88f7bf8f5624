"""The sources' subscriptions, those that ended too, from the stand-ins and as the vendors' clients see them."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import stripe

from fcb_pipelines.connectors.failures import NotAllowed, Unreachable
from fcb_pipelines.connectors.lago.source import LagoSource
from fcb_pipelines.connectors.retry import Pace
from fcb_pipelines.connectors.sources import Subscribing
from fcb_pipelines.connectors.stripe.source import StripeSource
from fcb_pipelines.core.facts.lago.rules import LAGO
from fcb_pipelines.core.facts.stripe.rules import STRIPE
from fcb_pipelines.sandbox import lago_server, stripe_server
from fcb_pipelines.sandbox.standin import Faults
from fcb_pipelines_tests.serving import served
from fcb_pipelines_tests.stripe_sdk import strangers

COUNT = 450


def at_stripe(number: int) -> dict[str, Any]:
    """A subscription as Stripe sends it; each third one has ended."""
    ended = 1777951800 + number if number % 3 == 0 else None
    return {
        "id": f"sub_{number:03d}",
        "object": "subscription",
        "canceled_at": ended,
        "collection_method": "charge_automatically",
        "created": 1767225600 + number,
        "currency": "cad",
        "customer": f"cus_{number}",
        "ended_at": ended,
        "livemode": True,
        "metadata": {},
        "start_date": 1767225600 + number,
        "status": "canceled" if ended else "active",
    }


def at_lago(number: int) -> dict[str, Any]:
    """A subscription as Lago sends it; each third one has ended."""
    ended = "2026-05-05T03:30:00Z" if number % 3 == 0 else None
    return {
        "lago_id": f"lago-{number}",
        "external_id": f"s{number}",
        "external_customer_id": f"user-{number}",
        "plan_code": "standard",
        "status": "terminated" if ended else ("pending" if number % 3 == 1 else "active"),
        "created_at": f"2026-01-01T00:{number // 60:02d}:{number % 60:02d}Z",
        "terminated_at": ended,
        "canceled_at": None,
    }


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A dataset of subscriptions alone."""
    for name, make in (("stripe", at_stripe), ("lago", at_lago)):
        (tmp_path / name).mkdir()
        rows = [make(number) for number in range(COUNT)]
        (tmp_path / name / "subscriptions.json").write_text(json.dumps(rows), "utf-8")
    (tmp_path / "dataset.yaml").write_text("name: subscribed\n", "utf-8")
    return tmp_path


@pytest.fixture
def faults() -> Faults:
    """What both stand-ins do wrong."""
    return Faults()


@pytest.fixture
def sources(dataset: Path, faults: Faults) -> Iterator[dict[str, Any]]:
    """Both sources over the dataset."""
    pace = Pace(100_000, sleep=lambda seconds: None)
    with ExitStack() as stack:
        stripes = stack.enter_context(served(stripe_server.create_app(dataset, faults=faults)))
        lagos = stack.enter_context(served(lago_server.create_app(dataset, faults=faults)))
        yield {
            "stripe": StripeSource("rk_live_test", "acct_sandbox", 100, stripes, pace=pace),
            "lago": LagoSource(lagos, "key", "nexa", 100, pace=pace),
        }


@pytest.mark.parametrize(("name", "rules"), [("stripe", STRIPE), ("lago", LAGO)])
def test_every_subscription_is_listed_and_read(
    name: str, rules: Any, sources: dict[str, Any], faults: Faults
) -> None:
    source = sources[name]
    assert isinstance(source, Subscribing)
    facts = [rules.subscriptions.facts(body, "o") for body in source.subscriptions()]
    assert len({one.ref for one in facts}) == COUNT
    assert [one.problem for one in facts] == [None] * COUNT
    assert sum(not one.live for one in facts) == len(range(0, COUNT, 3))
    # A call for a hundred.
    assert len(faults.calls) <= 8


@pytest.mark.parametrize("name", ["stripe", "lago"])
def test_a_list_that_is_not_whole_is_none(
    name: str, sources: dict[str, Any], faults: Faults
) -> None:
    faults.skip = frozenset({"subscriptions"})
    with pytest.raises(Unreachable):
        sources[name].subscriptions()


@pytest.mark.parametrize("name", ["stripe", "lago"])
def test_a_key_without_the_right_is_told_so(
    name: str, sources: dict[str, Any], faults: Faults
) -> None:
    faults.forbidden = frozenset({"subscriptions"})
    with pytest.raises(NotAllowed):
        sources[name].subscriptions()


def test_the_stand_in_s_subscription_has_only_fields_that_the_vendor_knows() -> None:
    assert strangers(at_stripe(0), stripe.Subscription, "subscription") == []
