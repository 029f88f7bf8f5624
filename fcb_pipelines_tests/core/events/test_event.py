"""An event's body is one text, and its id follows from what makes it that event."""

import json
from typing import Any

import pytest

from fcb_pipelines.core.codes import EventType
from fcb_pipelines.core.company.events import EventSettings
from fcb_pipelines_tests.events import an_event, settings

FIELDS = {
    "id", "type", "occurred_at", "service", "customer", "subscription", "deployment_id", "document",
    "number", "currency", "total", "paid", "owed", "usage",
}  # fmt: skip


def test_a_body_is_json_with_sorted_keys_and_no_blanks() -> None:
    body = an_event(number="Été 7").body
    told = json.loads(body)
    assert told.keys() == FIELDS
    assert json.dumps(told, sort_keys=True, separators=(",", ":")) == body
    assert body.isascii()
    assert told["occurred_at"] == "2026-04-03T04:00:00Z"


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({"number": "another"}, True),
        ({"owed": 1}, True),
        ({"customer": "18"}, True),
        ({"fact": "due 2026-04-04"}, False),
        ({"service": "nexadesk"}, False),
        ({"subject": "stripe:acct_1:in_2"}, False),
        ({"type_": EventType.PAYMENT_SUCCEEDED}, False),
    ],
    ids=str,
)
def test_the_id_is_of_service_type_subject_and_fact_alone(
    changed: dict[str, Any], same: bool
) -> None:
    assert (an_event(**changed).id == an_event().id) is same


@pytest.mark.parametrize(
    "changed",
    [
        {"url": "nexacloud.example"},
        {"url": "ftp://nexacloud.example"},
        {"url": "https://"},
        {"url": "http://nexacloud.example"},
        {"url": "https://user:key@nexacloud.example"},
        {"url": "https://nexacloud.example/#part"},
        {"url": "https://nexacloud.example:99999"},
        {"secrets": []},
        {"secrets": ["FCB_A", "FCB_A"]},
        {"secrets": ["FCB_A", "FCB_B", "FCB_C"]},
        {"secrets": ["whsec_abc"]},
        {"start": None},
        {"types": []},
        {"types": ["invoice.paid"]},
        {"grace_days": -1},
        {"retry": 3},
    ],
    ids=str,
)
def test_a_section_that_could_not_be_meant_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="EventSettings"):
        settings(**changed)


def test_a_start_is_asked_for() -> None:
    with pytest.raises(ValueError, match="start"):
        EventSettings.model_validate({"url": "https://a.example", "secrets": ["FCB_A"]})


def test_plain_http_is_for_a_network_of_one_s_own() -> None:
    assert settings(url="http://10.0.0.7/fusion", allow_private=True).allow_private
