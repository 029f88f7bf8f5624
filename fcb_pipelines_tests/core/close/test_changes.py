"""What changed since the report before is told, and stays told until something else changes."""

import copy
import json
from typing import Any, cast

import pytest

from fcb_pipelines.core.close.changes import FIRST, carried, compared, is_news
from fcb_pipelines.core.close.report_shapes import Since
from fcb_pipelines.core.close.shapes import ReportJson
from fcb_pipelines_tests.core.close.test_report import a_month, report

SINCE: Since = {"snapshot": "s-0", "version": "0.1.0", "digest": "d0", "intact": True}
BEFORE = report()


def changed(**documents: Any) -> ReportJson:
    """The report with these fields of its first document."""
    now = copy.deepcopy(BEFORE)
    now["documents"][0] |= documents
    return cast(ReportJson, now)


def diff(now: Any, before: Any = BEFORE) -> Any:
    return compared(cast(ReportJson, before), cast(ReportJson, now), SINCE)


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({"state": "draft"}, ["state draft, was posted"]),
        ({"payment_state": "not_paid"}, ["payment state not paid, was paid"]),
        (
            {"disposition": "hold", "reason": "tax_unknown"},
            ["disposition hold, was post", "reason tax unknown, was none"],
        ),
        ({"total": 22601}, ["total 226.01 CAD, was 226.00 CAD"]),
        ({"paid": 0}, ["paid 0.00 CAD, was 226.00 CAD"]),
        ({"currency": "USD", "net": 0, "tax": 0, "paid": 0, "total": 22600}, None),
        ({"number": "NC-2"}, ["number NC-2, was NC-in 1"]),
    ],
)
def test_a_document_that_is_otherwise_is_told_with_what_it_was(
    fields: dict[str, Any], details: list[str] | None
) -> None:
    [row] = diff(changed(**fields))["documents"]
    assert row["what"] == "changed"
    if details is None:
        assert "total 226.00 USD, was 226.00 CAD" in row["details"]
    else:
        assert row["details"] == details


def test_a_document_that_came_and_one_that_went_are_told() -> None:
    fewer = copy.deepcopy(BEFORE)
    gone = fewer["documents"].pop(0)
    [came] = diff(BEFORE, fewer)["documents"]
    [went] = diff(fewer)["documents"]
    assert (came["ref"], came["what"]) == (went["ref"], "new") == (gone["ref"], "new")
    assert went["what"] == "gone"
    assert came["details"] == ["post, 226.00 CAD"]


def test_amounts_that_moved_and_gates_with_another_outcome_are_told() -> None:
    now = copy.deepcopy(BEFORE)
    now["revenue_by_family"] = {"hosting": 15001, "addons": 5}
    now["gates"][0]["outcome"] = "fail"
    found = diff(now)
    assert {row["name"]: (row["before"], row["now"]) for row in found["amounts"]} == {
        "Revenue, hosting": (15000, 15001),
        "Revenue, addons": (None, 5),
    }
    assert found["gates"] == [{"name": "documents_balance", "before": "pass", "now": "fail"}]
    assert found["documents"] == []


def test_a_section_that_an_earlier_version_lacks_is_no_change() -> None:
    old = copy.deepcopy(BEFORE)
    for name in ("billed", "roll_forward", "changes"):
        del old[name]
    assert not is_news(diff(BEFORE, old))


def test_a_report_that_tells_the_same_keeps_what_was_told_before() -> None:
    news = diff(changed(state="draft"))
    told = {**changed(state="draft"), "changes": news}
    again = carried(cast(ReportJson, told), diff(told, told))
    assert again == news
    assert carried(cast(ReportJson, told), diff(BEFORE, told))["documents"] != news["documents"]


def test_the_first_report_of_a_month_says_so_and_the_same_month_gives_the_same_report() -> None:
    assert BEFORE["changes"] == FIRST
    again = report(before=BEFORE)
    assert again == BEFORE
    fewer = report(a_month(gates=()), before=json.loads(json.dumps(BEFORE)))
    assert fewer["changes"]["since"]["digest"] == BEFORE["generated_from"]["digest"]
    assert fewer["changes"]["since"]["intact"] is True
    assert {row["now"] for row in fewer["changes"]["gates"]} == {""}
    assert report(a_month(gates=()), before=fewer) == fewer


def test_a_report_before_that_somebody_changed_is_told() -> None:
    forged = json.loads(json.dumps(BEFORE))
    forged["documents"][0]["total"] += 1
    assert report(before=forged)["changes"]["since"]["intact"] is False
