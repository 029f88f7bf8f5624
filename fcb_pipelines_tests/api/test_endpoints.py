"""The intake over HTTP: who may see what, the limits, and problems that name the field."""

import json
import logging
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from fcb_pipelines.api import access, problems
from fcb_pipelines.api.app import PREFIX
from fcb_pipelines.connectors.store.frames import to_frame, write_frame
from fcb_pipelines.core.company.services import CataloguePlan
from fcb_pipelines.core.facts.index import IndexRow, Lookup, Origin
from fcb_pipelines.core.intake.identity import PendingReason
from fcb_pipelines.core.intake.usage import Outcome
from fcb_pipelines.core.metering.invoiced import Invoiced
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines_tests.api.conftest import Served, record
from fcb_pipelines_tests.instance.instances import until

CUSTOMER = {"id": "c1", "email": "jane@maple.example", "name": "Jane"}
SUBSCRIPTION = {
    "id": "sub_1", "customer_id": "c1", "plan_id": "p1", "status": "active", "billing_cycle": "monthly",
    "current_period_start": "2026-05-01T00:00:00-04:00",
}  # fmt: skip
CONTENT = {name: value for name, value in SUBSCRIPTION.items() if name != "id"}
INVOICE = "stripe:acct_1:in_1"
# Every endpoint that needs a key.
GUARDED = [
    ("POST", "/usage", {"usage": [record()]}),
    ("GET", "/usage", None),
    ("POST", "/customers", CUSTOMER),
    ("GET", "/customers/c1", None),
    ("POST", "/subscriptions", SUBSCRIPTION),
    ("GET", "/subscriptions/sub_1", None),
    ("PUT", "/subscriptions/sub_1", CONTENT),
    ("DELETE", "/subscriptions/sub_1", None),
    ("GET", "/plans", None),
    ("GET", "/invoices", None),
    ("GET", f"/invoices/{INVOICE}", None),
]  # fmt: skip


def error_of(answer: httpx.Response) -> dict[str, Any]:
    """The problem in an answer, in its one shape."""
    (error,) = answer.json().values()
    assert error.keys() == {"code", "message", "fields", "request_id"}
    assert error["request_id"] == answer.headers["x-request-id"]
    return dict(error)


@pytest.fixture
def filled(intake: Served, tmp_path: Path) -> Served:
    """An intake with everything of nexamaps: what it handed in, a plan and a document."""
    for method, path, body in GUARDED:
        if method == "POST":
            assert intake.ask(method, path, json=body).is_success
    frames = tmp_path / "frames"
    plan = CataloguePlan(service="nexamaps", plan_id="p1", plan="Maps", active=True,
                         price_monthly=Decimal("99.00"), price_yearly=None, charges=())  # fmt: skip
    document = Invoiced(service="nexamaps", ref=INVOICE, number="M-1", customer="c1", subscription_id="sub_1",
                        currency="CAD", date=date(2026, 4, 30), period="2026-04", net=9900, source="h")  # fmt: skip
    row = IndexRow(ref=INVOICE, source_id="in_1", origin=Origin.INVOICE, answer=Lookup.LISTED, in_scope=False,
                   claimed=False, total=11187)  # fmt: skip
    for key, of, kind in (
        (keys.PLAN_CATALOG, plan, CataloguePlan),
        (keys.INVOICED_DOCUMENTS, document, Invoiced),
        (keys.source_key("stripe", "index"), row, IndexRow),
    ):
        folder = frames.joinpath(*key.path[:-1])
        folder.mkdir(parents=True, exist_ok=True)
        write_frame(to_frame([of], kind), folder / f"{key.path[-1]}.parquet")
    return intake


def seen(answer: httpx.Response) -> bool:
    """Whether anything of nexamaps can be read from an answer."""
    told = re.sub(r'"request_id":"\w+"', "", answer.text)
    return any(word in told for word in ("api_calls", "jane@", "sub_1", "p1", INVOICE, "M-1"))


def test_every_endpoint_of_the_description_is_in_the_table(shared: Served) -> None:
    paths = shared.ask("GET", "/openapi.json", key=None).json()["paths"]
    known = {(method, re.sub(r"/(c1|sub_1|stripe.*)$", "/{}", path)) for method, path, _ in GUARDED}
    described = {
        (method.upper(), re.sub(r"{.*}", "{}", path.removeprefix(PREFIX)))
        for path, methods in paths.items()
        for method in methods
    }
    assert described == known | {("GET", "/health")}


def test_the_key_of_one_service_reads_and_changes_nothing_of_another(filled: Served) -> None:
    reading = [(method, path) for method, path, _ in GUARDED if method == "GET"]
    before = {path: filled.ask(method, path).text for method, path in reading}
    assert all(map(seen, map(filled.ask, *zip(*reading, strict=True))))
    for method, path in reading:
        answer = filled.ask(method, path, key="nexadesk")
        assert answer.status_code in (200, 404)
        assert not seen(answer), answer.text
    for method, path, body in GUARDED:
        if method != "GET":
            # Equal emails are one customer over all services, which each of them may know.
            own = {**CUSTOMER, "email": None} if body is CUSTOMER else body
            filled.ask(method, path, key="nexadesk", json=own)
    assert {path: filled.ask(method, path).text for method, path in reading} == before


def test_without_a_valid_key_nothing_is_answered(
    filled: Served,
) -> None:
    number, filled.keys["revoked"] = filled.intake.keys.new("nexamaps", "soon revoked")
    assert filled.ask("GET", "/plans", key="revoked").status_code == 200
    filled.intake.keys.revoke("nexamaps", number)
    gone = filled.intake.keys.new("nexabooks", "a service that is no longer configured")[1]
    wrong = [None, "", "revoked", "fcbk_wrong", gone, filled.keys["nexamaps"] + "x"]
    for place, (method, path, body) in enumerate(GUARDED):
        for key in (None, "revoked", wrong[place % len(wrong)]):
            answer = filled.ask(method, path, key=key, json=body)
            assert answer.status_code == 401, (method, path, key)
            assert answer.headers["www-authenticate"] == "Bearer"
            assert error_of(answer)["code"] == "not_authenticated"
            assert not seen(answer)


def test_health_needs_no_key(shared: Served) -> None:
    assert shared.ask("GET", "/health", key=None).json() == {"status": "ok"}


WINDOW = {"period_start": "2026-04-03T04:00:00Z", "period_end": "2026-04-03T04:00:00Z"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quantity": 1.5}, "quantity"),
        ({"quantity": "1,5"}, "quantity"),
        ({"quantity": -1}, "quantity"),
        ({"quantity": True}, "quantity"),
        ({"quantity": 10**15}, "quantity"),
        ({"quantity": None}, "quantity"),
        ({"metric": "tiles"}, "metric"),
        ({"period_start": "2026-04-03T04:00:00"}, "period_start"),
        ({"period_start": 1775188800}, "period_start"),
        ({"period_start": "2026-02-30T04:00:00Z"}, "period_start"),
        ({"period_start": "2025-12-31T04:00:00Z"}, "period_start"),
        ({"period_start": "2026-05-07T04:00:00Z", "period_end": "2026-05-08T04:00:00Z"}, "period_start"),
        (WINDOW, "period_end"),
        ({"recorded_at": "2062-04-03T04:00:00Z"}, "recorded_at"),
        ({"key": ""}, "key"),
        ({"key": "a\u0000b"}, "key"),
        ({"item": "a\u0000b"}, "item"),
        ({"subscription_id": 7}, "subscription_id"),
        ({"amount": 7}, "amount"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_and_nothing_of_its_batch_is_kept(
    changes: dict[str, Any], field: str, shared: Served
) -> None:
    answer = shared.ask("POST", "/usage", json={"usage": [record(), record("k2", **changes)]})
    assert answer.status_code == 422
    error = error_of(answer)
    assert [one["field"] for one in error["fields"]] == [f"usage[1].{field}"]
    assert shared.ask("GET", "/usage?subscription_id=sub_1").json()["usage"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("POST", "/customers", {**CUSTOMER, "email": "nobody"}, 422, "email"),
        ("POST", "/customers", {**CUSTOMER, "id": "../c1"}, 422, "id"),
        ("POST", "/subscriptions", {**SUBSCRIPTION, "status": "running"}, 422, "status"),
        ("POST", "/subscriptions", {**SUBSCRIPTION, "billing_cycle": "weekly"}, 422, "billing_cycle"),
        ("POST", "/subscriptions", {**SUBSCRIPTION, "customer_id": "c9"}, 422, "customer_id"),
        ("POST", "/subscriptions", {**SUBSCRIPTION, "current_period_end": "2026-05-01T00:00:00-04:00"}, 422, "current_period_end"),
        ("POST", "/subscriptions", {**SUBSCRIPTION, "plan_id": "p2"}, 409, None),
        ("PUT", "/subscriptions/sub_9", CONTENT, 404, None),
        ("DELETE", "/subscriptions/sub_9", None, 404, None),
        ("GET", "/usage?limit=0", None, 422, "limit"),
        ("GET", "/usage?limit=1e2", None, 422, "limit"),
        ("GET", "/usage?page=2", None, 422, "page"),
        ("GET", "/usage?period=2026-13", None, 422, "period"),
        ("GET", "/invoices?after=stripe:acct_1:in_9", None, 422, "after"),
        ("GET", "/invoices/stripe:acct_1:in_9", None, 404, None),
        ("GET", "/nothing", None, 404, None),
        ("PATCH", "/subscriptions/sub_1", CONTENT, 405, None),
    ],
)  # fmt: skip
def test_a_problem_has_one_shape(
    method: str, path: str, body: Any, status: int, field: str | None, filled: Served
) -> None:
    answer = filled.ask(method, path, json=body)
    assert answer.status_code == status
    assert [one["field"] for one in error_of(answer)["fields"]] == ([field] if field else [])
    if status == 405:
        assert answer.headers["allow"] == "DELETE, GET, PUT"


def test_a_body_that_is_no_json_is_a_problem_too(shared: Served) -> None:
    for content in (b"{", b"\xff", b"[" * 100_000, b'{"usage": ' + b"9" * 5000 + b"}"):
        headers = {"Content-Type": "application/json"}
        answer = shared.ask("POST", "/usage", content=content, headers=headers)
        assert answer.status_code in (400, 422)
        assert error_of(answer)["code"] in ("unreadable", "invalid")


def test_what_comes_from_tables_is_not_taken(shared: Served) -> None:
    for method, path, body in GUARDED[:1] + GUARDED[2:8]:
        answer = shared.ask(method, path, key="nexacloud", json=body)
        assert answer.status_code == 409
        assert error_of(answer)["code"] == "comes_from_tables"


def test_what_was_handed_in_is_listed_and_a_closed_month_keeps_it(intake: Served) -> None:
    sent = {"usage": [record(), record("k2", quantity="12.50", item="tile")]}
    assert intake.ask("POST", "/usage", json=sent).json()["accepted"] == 2
    assert intake.ask("POST", "/usage", json=sent).json()["unchanged"] == 2
    # A dataset's day, else the clock's: here April closes when it shows 11 May.
    object.__setattr__(
        intake.intake, "settings", intake.intake.settings.model_copy(update={"as_of": None})
    )
    intake.moment[0] = datetime(2026, 5, 11, 12, tzinfo=UTC)
    answer = intake.ask(
        "POST", "/usage", json={"usage": [record(quantity=6), record("k3", quantity=6)]}
    )
    receipt = answer.json()
    assert answer.status_code == 202
    assert (receipt["accepted"], receipt["replaced"]) == (1, 0)
    assert [(one["index"], one["key"]) for one in receipt["refused"]] == [(0, "k1")]
    listed = intake.ask("GET", "/usage?limit=2").json()
    assert [(one["key"], one["quantity"], one["item"]) for one in listed["usage"]] == [
        ("k1", "5", None), ("k2", "12.50", "tile"),
    ]  # fmt: skip
    rest = intake.ask("GET", f"/usage?after={listed['next']}").json()
    assert [one["key"] for one in rest["usage"]] == ["k3"]
    refused = intake.ask("GET", "/usage?state=refused&period=2026-04").json()["usage"]
    assert [(one["quantity"], "closed" in one["refused"]) for one in refused] == [("6", True)]
    assert intake.ask("GET", "/usage?period=2026-03").json() == {"usage": [], "next": None}


def test_a_customer_s_answer_says_whose_it_is(filled: Served) -> None:
    assert filled.ask("POST", "/customers", json=CUSTOMER).status_code == 200
    link = filled.ask("GET", "/customers/c1").json()["link"]
    assert (link["state"], link["partner"]) == ("pending", None)
    assert link["reason"] == "no_match"


def test_an_invoice_of_a_service_that_is_only_measured_is_as_verified_and_not_posted(
    filled: Served,
) -> None:
    (listed,) = filled.ask("GET", "/invoices?period=2026-04").json()["invoices"]
    assert listed == filled.ask("GET", f"/invoices/{INVOICE}").json()
    assert (listed["net"], listed["tax"], listed["total"]) == (9900, 1287, 11187)
    assert (listed["disposition"], listed["reason"], listed["state"]) == (
        "skip",
        "other_service",
        "none",
    )
    assert filled.ask("GET", "/invoices?period=2026-05").json()["invoices"] == []
    assert filled.ask("GET", "/plans").json()["plans"][0]["price_monthly"] == "99.00"


def test_one_service_s_requests_are_limited_and_another_s_are_not(serving: Any) -> None:
    intake: Served = serving(requests_per_minute=3)
    statuses = [intake.ask("GET", "/plans").status_code for _ in range(5)]
    assert statuses == [200] * 3 + [429] * 2
    refused = intake.ask("GET", "/plans")
    assert error_of(refused)["code"] == "too_many_requests"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert intake.ask("GET", "/plans", key="nexadesk").status_code == 200


def test_wrong_keys_can_not_be_tried_without_end(
    serving: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "WRONG_KEYS_A_MINUTE", 4)
    intake: Served = serving()
    asked = [intake.ask("GET", "/plans", key="wrong").status_code for _ in range(6)]
    assert asked == [401] * 4 + [429] * 2
    # Behind a proxy every service has one address: a valid key passes.
    assert intake.ask("GET", "/plans").status_code == 200


def test_a_request_has_so_many_bytes_and_a_batch_so_many_records(serving: Any) -> None:
    intake: Served = serving(bytes_a_request=2_000, rows_a_batch=3)
    many = intake.ask("POST", "/usage", json={"usage": [record(f"k{n}") for n in range(4)]})
    assert (many.status_code, error_of(many)["fields"][0]["field"]) == (422, "usage")

    def chunks() -> Any:
        yield b'{"usage": ['
        for _ in range(40):
            yield b" " * 100

    large = json.dumps({"usage": [record("k" * 100)] * 20}).encode()
    for content in (large, chunks()):
        answer = intake.ask("POST", "/usage", content=content)
        assert answer.status_code == 413
        assert error_of(answer)["code"] == "too_large"
    assert intake.ask("POST", "/usage", json={"usage": [record()]}).status_code == 202


def test_a_request_s_id_is_in_its_answer_and_in_its_line_and_no_secret_is(
    intake: Served, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "fcb_pipelines.api"):
        answer = intake.ask(
            "POST", "/customers", json=CUSTOMER, headers={"X-Request-Id": "forged"}, params={"a": "secret"}
        )  # fmt: skip
        number = answer.headers["x-request-id"]
        # A request's line is written after its answer.
        until(lambda: number in caplog.text)
    (line,) = (one.getMessage() for one in caplog.records if number in one.getMessage())
    assert f"{number} nexamaps POST {PREFIX}/customers 201 " in line
    for hidden in (intake.keys["nexamaps"], "jane@", "secret", "forged"):
        assert hidden not in caplog.text


def test_a_fault_of_ours_and_a_database_that_is_away_are_told_as_what_they_are(
    intake: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(service: str) -> Any:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(intake.intake.verified, "plans", broken)
    answer = intake.ask("GET", "/plans")
    assert (answer.status_code, error_of(answer)["code"]) == (500, "our_fault")
    assert "secret detail" not in answer.text
    assert "secret detail" in caplog.text
    monkeypatch.setattr(intake.intake.keys, "_url", "postgresql://u:hunter2@127.0.0.1:1/db")
    for path in ("/plans", "/health"):
        answer = intake.ask("GET", path)
        assert (answer.status_code, error_of(answer)["code"]) == (503, "not_available")
        assert answer.headers["retry-after"] == "30"
        assert "hunter2" not in answer.text


DOCS = Path(__file__).parents[2] / "docs"


def test_the_code_of_the_page_hands_in_records(shared: Served) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / "control-loop.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - the page's own example
    records = [record(f"page.{number}", subscription_id="sub_page") for number in range(3)]
    assert [*names["hand_in"](records, shared.keys["nexamaps"], shared.url + PREFIX)] == []
    kept = shared.ask("GET", "/usage").json()["usage"]
    assert {f"page.{number}" for number in range(3)} <= {one["key"] for one in kept}


def test_the_page_names_every_endpoint_and_every_reason_and_code(shared: Served) -> None:
    page = (DOCS / "intake.md").read_text()
    paths = shared.ask("GET", "/openapi.json", key=None).json()["paths"]
    told = set(re.findall(r"^\| `([A-Z]+) (/\S+)` \|", page, re.MULTILINE))
    assert {(method, re.sub(r"{.*}", "{}", path)) for method, path in told} == {
        (method.upper(), re.sub(r"{.*}", "{}", path.removeprefix(PREFIX)))
        for path, methods in paths.items()
        for method in methods
    }
    for reason in PendingReason:
        row = next(line for line in page.splitlines() if line.startswith(f"| `{reason}` |"))
        assert reason.meaning[0].upper() + reason.meaning[1:] + "." in row or reason in SAID_LONGER
    assert {*re.findall(r"`(\w+)`", page)} >= {*problems._CODES.values(), *Outcome} - {"conflict"}


SAID_LONGER = {PendingReason.SHARED_EMAIL}
