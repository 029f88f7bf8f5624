"""Review, approval and posting over a whole world: exactly what was approved is posted, as it was approved."""

from types import SimpleNamespace

import dagster as dg
import pytest

from fcb_pipelines_tests.defs.journal import edit_entry, replacing
from fcb_pipelines_tests.defs.world import World, ref_of

# isort: split
from fcb_pipelines.cli.pipeline import Pipeline
from fcb_pipelines.connectors.failures import NotFound
from fcb_pipelines.core.close.review import DraftRow, Oddity
from fcb_pipelines.defs.ledger import posting
from fcb_pipelines.defs.reconciliation.queue import Queue
from fcb_pipelines.defs.reconciliation.review import Review
from fcb_pipelines.defs.reconciliation.stories import Stories
from fcb_pipelines.defs.runtime import connections

MARCH = "2026-03"
APPROVED, CHANGED, EDITED = "NXC-0001", "NXC-0002", "NXC-0004"


def review(world: World) -> Review:
    return Review(frames=world.frames, decisions=connections.decisions(world.found))


def approve(world: World, *numbers: str) -> list[DraftRow]:
    drafts = review(world).told(MARCH, numbers)["drafts"]
    return review(world).approve(drafts, by="jane", note="read")


def states(world: World) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in world.status()["documents"]:
        if each["period"] == MARCH and each["state"] != "none":
            found.setdefault(each["state"], []).append(each["number"])
    return {state: sorted(numbers) for state, numbers in found.items()}


def test_exactly_the_approved_drafts_are_posted_and_one_that_changed_since_is_named(
    fresh: World,
) -> None:
    pipeline = Pipeline(fresh.found, say=lambda message: None)
    assert fresh.extract().success
    assert fresh.month(MARCH, post=False).success
    told = review(fresh).told(MARCH)
    assert (len(told["drafts"]), told["approved"]) == (7, 0)
    assert all(row["matches"] for row in told["drafts"])
    assert told["totals"]["CAD"]["total"] == told["totals"]["CAD"]["draft_total"]

    # Nobody approved anything: nothing is posted.
    assert pipeline.post_approved(MARCH).posted == 0
    assert fresh.run("post_reviewed_drafts", MARCH, post=True, approved={}).success
    assert set(states(fresh)) == {"draft"}

    assert approve(fresh, APPROVED, CHANGED, EDITED) == []
    # Whoever approved alone is no second person.
    assert review(fresh).approved(MARCH, but="jane") == {}
    assert len(review(fresh).approved(MARCH, but="ada")) == 3
    with fresh.objects("stripe/invoices") as invoices:
        (invoice,) = (each for each in invoices if each["number"] == CHANGED)
        invoice["lines"]["data"][0]["description"] = "Odoo ERP Hosting - Renamed"
    assert fresh.extract().success
    assert fresh.month(MARCH, post=False).success
    edited = ref_of(fresh.status(), EDITED)
    edit_entry(fresh, edited, replacing(r'^    description: "', '    description: "Edited '))

    outcome = pipeline.post_approved(MARCH)
    assert (outcome.posted, outcome.unapproved) == (1, 0)
    assert states(fresh)["posted"] == [APPROVED]
    left = {row["number"]: row for row in outcome.left}
    assert left.keys() == {CHANGED, EDITED}
    assert not any(row["approval"] and row["approval"]["holds"] for row in left.values())
    # The changed draft was rebuilt, and may be approved anew; the edited one may not.
    assert left[CHANGED]["matches"]
    assert not left[EDITED]["matches"]
    assert Oddity.NOT_TO_BE_POSTED in {one["code"] for one in left[EDITED]["odd"]}
    (refused,) = approve(fresh, CHANGED, EDITED)
    assert refused["number"] == EDITED

    # Posting all says how many nobody had approved.
    outcome = pipeline.post_month(MARCH)
    assert (outcome.posted, outcome.unapproved, outcome.left) == (5, 4, ())
    assert states(fresh) == {"draft": [EDITED], "posted": states(fresh)["posted"]}
    (story,) = Stories(frames=fresh.frames, decisions=connections.decisions(fresh.found)).of(
        APPROVED
    )
    assert ("jane", "approved to be posted, read") in {
        (one["side"], one["what"]) for one in story["events"]
    }


@pytest.mark.parametrize(("company", "post", "approved", "outcome"), [
    ("auto", None, None, True),
    ("auto", False, None, False),
    ("draft", None, None, False),
    ("draft", True, None, True),
    ("second_person", None, None, False),
    ("second_person", True, {"a": "1"}, True),
    ("second_person", True, {}, True),
    ("second_person", True, None, None),
])  # fmt: skip
def test_a_run_posts_what_nobody_approved_only_where_nobody_has_to(
    monkeypatch: pytest.MonkeyPatch,
    company: str,
    post: bool | None,
    approved: dict[str, str] | None,
    outcome: bool | None,
) -> None:
    monkeypatch.setattr(posting, "current", lambda: SimpleNamespace(posting=company))
    config = posting.PostingConfig(post=post, approved=approved)
    if outcome is None:
        with pytest.raises(dg.Failure, match="only what was approved is posted"):
            posting.posts(config)
    else:
        assert posting.posts(config) is outcome


def test_an_approval_is_kept_once_a_person_and_can_be_withdrawn(fresh: World) -> None:
    assert fresh.extract().success
    assert fresh.month(MARCH, post=False).success
    drafts, kept = review(fresh), connections.decisions(fresh.found)
    approve(fresh, APPROVED)
    approve(fresh, APPROVED)
    assert len(kept.all()) == 1
    rows = drafts.told(MARCH, [APPROVED])["drafts"]
    drafts.approve(rows, by="ada", note="")
    assert drafts.told(MARCH)["approved"] == 1
    assert drafts.withdraw(rows, by="ada") == 1
    assert drafts.told(MARCH)["approved"] == 0
    assert drafts.withdraw(rows, by="ada") == 0
    with pytest.raises(NotFound, match="no draft is called that"):
        drafts.told(MARCH, ["NXC-9999"])
    # The queue of exceptions knows nothing of approvals.
    approve(fresh, APPROVED)
    queue = Queue(frames=fresh.frames, decisions=kept)
    assert not any(row["acknowledged"] for row in queue.rows(MARCH))
    with pytest.raises(NotFound):
        queue.withdraw(APPROVED, "approval", by="ada")
    assert drafts.told(MARCH)["approved"] == 1
