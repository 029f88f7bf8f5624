"""Draft mode: a person reviews, what a person did is never overwritten, and approvals lapse."""

import pytest

from fcb_pipelines_tests.defs.journal import edit_entry, removed, replacing, settlement_of
from fcb_pipelines_tests.defs.world import World, failed, named, ref_of

MARCH = "2026-03"


def test_drafts_wait_for_a_person_and_are_posted_as_they_were_reviewed(fresh: World) -> None:
    assert fresh.whole.extract().success
    assert fresh.whole.month(MARCH, post=False).success
    status = fresh.status()
    assert _states(status) == {"draft": 7}
    assert status["totals"] == {}
    assert fresh.ledger.trial_balance() == ()
    reviewed = {move.ref: move.document.content_hash for move in fresh.ledger.read_moves()}
    edited, changed = ref_of(status, "NXC-0001"), ref_of(status, "NXC-0002")
    edit_entry(fresh, edited, replacing(r'^    description: "', '    description: "Edited '))
    with fresh.objects("stripe/invoices") as invoices:
        (invoice,) = (each for each in invoices if each["number"] == "NXC-0002")
        invoice["lines"]["data"][0]["description"] = "Odoo ERP Hosting - Renamed"
    text = _entry(fresh, edited)
    assert fresh.whole.extract().success
    assert fresh.whole.month(MARCH, post=True, approved=reviewed).success
    status = fresh.status()
    assert _states(status) == {"draft": 2, "posted": 5}
    assert named(status, edited) == {"edited_in_ledger", "cash_without_document"}
    assert _entry(fresh, edited) == text
    rebuilt = _entry(fresh, changed)
    assert "Renamed" in rebuilt
    assert " ! " in rebuilt
    assert failed(status, MARCH) == set()


def test_reviewed_drafts_are_posted_without_asking_the_sources_again(fresh: World) -> None:
    assert fresh.extract().success
    assert fresh.month(MARCH, post=False).success
    edited = ref_of(fresh.status(), "NXC-0001")
    edit_entry(fresh, edited, replacing(r'^    description: "', '    description: "Edited '))
    fresh.stripe_faults.calls.clear()
    assert fresh.run("post_reviewed_drafts", MARCH, post=True).success
    assert fresh.stripe_faults.calls == []
    status = fresh.status()
    assert _states(status) == {"draft": 1, "posted": 6}
    assert named(status, edited) == {"edited_in_ledger", "cash_without_document"}
    assert {each["payment_state"] for each in status["documents"] if each["state"] == "posted"} == {
        "paid"
    }


@pytest.mark.parametrize("dies", ["while it reads the sources", "before the month"])
def test_a_sync_that_fails_after_the_review_keeps_nothing_from_being_posted(
    fresh: World, dies: str
) -> None:
    assert fresh.extract().success
    assert fresh.month(MARCH, post=False).success
    reviewed = {move.ref: move.document.content_hash for move in fresh.ledger.read_moves()}
    with fresh.objects("stripe/invoices") as invoices:
        (invoice,) = (each for each in invoices if each["number"] == "NXC-0002")
        invoice["lines"]["data"][0]["description"] = "Odoo ERP Hosting - Renamed"
    if dies == "while it reads the sources":
        fresh.stripe_faults.forbidden = frozenset({"invoices"})
    assert fresh.extract().success == (dies == "before the month")
    assert fresh.run("post_reviewed_drafts", MARCH, post=True, approved=reviewed).success
    assert _states(fresh.status()) == {"posted": 7}
    # The next sync says of the one that changed since that it did.
    fresh.stripe_faults.forbidden = frozenset()
    assert fresh.extract().success
    assert MARCH in fresh.window()
    assert fresh.month(MARCH).success
    status = fresh.status()
    assert "source_changed" in named(status, ref_of(status, "NXC-0002"))


def test_the_configured_mode_is_drafts(fresh: World) -> None:
    assert fresh.extract().success
    assert fresh.month("2026-02").success
    assert _states(fresh.status()) == {"draft": 2}


def test_a_removed_move_is_named_and_written_again_only_after_its_release(closed: World) -> None:
    ref = ref_of(closed.status(), "NXC-0004")
    settlement = settlement_of(closed, ref)
    before = _entry(closed, ref)
    edit_entry(closed, settlement, removed)
    edit_entry(closed, ref, removed)
    for _ in range(2):
        closed.month(MARCH, post=True)
        status = closed.status()
        assert named(status, ref) == {"edited_in_ledger"}
        assert failed(status, MARCH) == {"read_back_equals_intent"}
        assert closed.ledger.read_moves([ref]) == ()
    identity = closed.ledger.describe().identity
    closed.log.release(identity, ref, "removed by mistake")
    closed.log.release(identity, settlement, "removed by mistake")
    assert closed.month(MARCH, post=True).success
    assert named(closed.status(), ref) == set()
    assert _entry(closed, ref) == before


def test_a_move_that_was_set_back_to_draft_is_held_for_good(closed: World) -> None:
    ref = ref_of(closed.status(), "NXC-0004")
    edit_entry(closed, ref, replacing(r"^(\S+) \*", r"\1 !"))
    edited = closed.books_text()
    for _ in range(2):
        closed.month(MARCH, post=True)
        assert named(closed.status(), ref) == {"edited_in_ledger"}
        assert closed.books_text() == edited


def test_nothing_is_written_into_a_locked_period(fresh: World) -> None:
    main = fresh.books / "main.beancount"
    lock = '\n2026-03-15 custom "lock_date" "invoices"\n'
    main.write_text(main.read_text("utf-8") + lock, "utf-8")
    assert fresh.extract().success
    assert fresh.month(MARCH, post=True).success
    march = [each for each in fresh.status()["documents"] if each["period"] == MARCH]
    told = {each["number"]: (each["reason"], each["state"]) for each in march}
    assert told["NXC-0001"] == told["NXC-0004"] == ("period_locked", "none")
    assert told["NXC-0005"] == told["NXC-0007"] == (None, "posted")


def _states(status: dict) -> dict[str, int]:
    states = [each["state"] for each in status["documents"] if each["period"]]
    return {state: states.count(state) for state in sorted(set(states)) if state != "none"}


def _entry(world: World, ref: str) -> str:
    wanted = f'external_id: "{ref}"'
    for text in world.books_text().values():
        for entry in text.split("\n\n"):
            if wanted in entry:
                return entry.strip()
    raise AssertionError(f"{ref} is not in the books")
