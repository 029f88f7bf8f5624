"""The queue over a whole world: who waits since when, and an acknowledgement until anything moves."""

import json
from datetime import date, timedelta

import pytest

from fcb_pipelines_tests.defs.world import FrameReport, World, document, ref_of

# isort: split
from fcb_pipelines.config.settings import ConfigError
from fcb_pipelines.connectors.failures import NotFound
from fcb_pipelines.core.close.shapes import QueueRow
from fcb_pipelines.core.close.signing import signing
from fcb_pipelines.defs.reconciliation import queue as queue_module
from fcb_pipelines.defs.reconciliation.queue import Queue
from fcb_pipelines.defs.runtime import connections, keys

# NexaCloud's copy of it has no items, and is wrong besides.
NUMBER, CODE, OTHER = "NXC-0008", "nexacloud_items_missing", "nexacloud_differs"


def queue(world: World) -> Queue:
    return Queue(frames=world.frames, decisions=connections.decisions(world.found))


def row(world: World, number: str = NUMBER, code: str = CODE) -> QueueRow | None:
    found = [one for one in queue(world).rows() if (one["number"], one["code"]) == (number, code)]
    assert len(found) < 2
    return found[0] if found else None


def acknowledged(world: World) -> bool:
    found = row(world)
    assert found is not None
    return found["acknowledged"] is not None


def test_the_queue_has_the_rows_of_the_close_reports(closed: World) -> None:
    told = queue(closed).rows()
    reports = [
        json.loads(file.read_text("utf-8"))
        for file in sorted(connections.reports(closed.found).glob("*.json"))
    ]
    keys_of = [
        (one["ref"], one["code"], one["amount"])
        for report in reports
        for one in report["exceptions"]
    ]
    assert keys_of
    assert sorted((one["ref"], one["code"], one["amount"]) for one in told) == sorted(keys_of)
    frame = closed.frames.read(keys.EXCEPTIONS.path)
    assert frame is not None
    assert [*frame["ref"]] == [one["ref"] for one in told]


def test_the_first_day_survives_rebuilds_and_an_absence(
    closed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on(day: date) -> None:
        monkeypatch.setattr(queue_module, "today", lambda: day)

    first = row(closed)
    assert first is not None
    day = date.fromisoformat(first["first_seen"])
    on(day + timedelta(days=4))
    closed.again()
    waits = row(closed)
    assert waits is not None
    assert (waits["first_seen"], waits["age"], waits["owner"]) == (f"{day}", 4, "nexacloud")
    # The month's frames are lost, and it is proved without them; then it is built anew.
    for key in (keys.DISPOSITIONS, keys.LEDGER_DELTAS):
        closed.frames.path(key.path, waits["period"]).unlink()
    closed.prove()
    assert row(closed) is None
    on(day + timedelta(days=8))
    closed.again()
    waits = row(closed)
    assert waits is not None
    assert (waits["first_seen"], waits["age"]) == (f"{day}", 8)


def test_an_acknowledgement_is_told_everywhere_and_lapses_when_the_document_moves(
    closed: World,
) -> None:
    ref = ref_of(closed.status(), NUMBER)
    month = str(document(closed.status(), NUMBER)["period"])
    before = FrameReport(closed.frames).status()
    queue(closed).acknowledge(ref, CODE, by="jane", note="known", until=None)
    waits = row(closed)
    assert waits is not None
    assert waits["acknowledged"] is not None
    assert (waits["acknowledged"]["by"], waits["acknowledged"]["note"]) == ("jane", "known")

    told = FrameReport(closed.frames, queue(closed).decisions.all()).status()
    assert document(told, NUMBER)["acknowledged"] == [CODE]
    assert document(told, NUMBER)["exceptions"] == [OTHER, CODE]
    for name in ("periods", "gates", "gate_details", "totals", "amounts"):
        assert told[name] == before[name]  # type: ignore[literal-required]

    closed.month(month)
    report = json.loads((connections.reports(closed.found) / f"{month}.json").read_text("utf-8"))
    found = {one["code"]: one["acknowledged"] for one in report["exceptions"] if one["ref"] == ref}
    assert (found[CODE]["by"], found[OTHER]) == ("jane", None)
    assert signing(report) != "open"
    page = (connections.reports(closed.found) / f"{month}.html").read_text("utf-8")
    assert "Acknowledged by jane" in page

    closed.again()
    assert acknowledged(closed)
    with closed.table("invoices") as invoices:
        (copy,) = (one for one in invoices if one["invoice_number"] == NUMBER)
        copy["amount_paid"] = "1.00"
    closed.again()
    assert not acknowledged(closed)


def test_a_withdrawn_acknowledgement_is_a_point_to_decide_again(closed: World) -> None:
    ref = ref_of(closed.status(), NUMBER)
    queue(closed).acknowledge(ref, CODE, by="jane", note="known", until=None)
    assert acknowledged(closed)
    queue(closed).withdraw(ref, CODE, by="ada")
    assert not acknowledged(closed)
    assert [one.by for one in queue(closed).decisions.all()] == ["jane", "ada"]
    with pytest.raises(NotFound, match="there is none"):
        queue(closed).withdraw(ref, CODE, by="ada")


def test_an_unknown_document_or_code_names_what_is_there(closed: World) -> None:
    ref = ref_of(closed.status(), NUMBER)
    with pytest.raises(NotFound, match=f"has {OTHER}, {CODE}"):
        queue(closed).acknowledge(ref, "overpaid", by="jane", note="x", until=None)
    with pytest.raises(NotFound, match=f"there are .*{NUMBER} {CODE}"):
        queue(closed).acknowledge("stripe:a:in_none", CODE, by="jane", note="x", until=None)
    with pytest.raises(ConfigError, match="past"):
        queue(closed).acknowledge(ref, CODE, by="jane", note="x", until=date(2026, 1, 1))
    assert queue(closed).decisions.all() == ()
