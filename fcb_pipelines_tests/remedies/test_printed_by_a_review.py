"""What a verb prints where a second person has to approve, or where the list that was read is not named."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fcb_pipelines_tests.defs.world import World, running, why

# isort: split
from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.config import settings
from fcb_pipelines.defs.reconciliation.review import Review
from fcb_pipelines.defs.runtime import connections
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.conftest import NewDatabase
from fcb_pipelines_tests.remedies.printed import WorldPipeline, fcb, printed

PERIOD, NUMBER = "2026-03", "NXC-0001"


@pytest.fixture
def drafted(
    postgres: EmbeddedPostgres,
    new_database: NewDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[World]:
    """A company that wants a second person, with the drafts of one month."""
    with running(tmp_path / "world", postgres, new_database) as world:
        made = lambda found, *, say: WorldPipeline(world, say)  # noqa: E731
        monkeypatch.setattr("fcb_pipelines.cli.pipeline.Pipeline", made)
        config = Path(os.environ["FCB_CONFIG"])
        text = config.read_text("utf-8")
        assert "posting: draft" in text
        config.write_text(text.replace("posting: draft", "posting: second_person"), "utf-8")
        settings.current.cache_clear()
        assert world.extract().success
        assert world.month(PERIOD).success
        yield world
        settings.current.cache_clear()


def test_where_another_person_has_to_approve_the_verb_that_is_named_posts_what_one_approved(
    drafted: World,
) -> None:
    told = [fcb("fcb post", code=Exit.USAGE), *why(drafted.month(PERIOD, post=True))]
    (command,) = {printed(each, "fcb post --approved") for each in told}
    assert "0 posted" in fcb(command)
    drafts = Review(frames=drafted.frames, decisions=connections.decisions(drafted.found))
    drafts.approve(drafts.told(PERIOD, [NUMBER])["drafts"], by="ada", note="")
    assert "1 posted" in fcb(command)
    (paid,) = (one for one in drafted.status()["documents"] if one["number"] == NUMBER)
    assert paid["state"] == "posted"


@pytest.mark.usefixtures("drafted")
def test_a_list_is_approved_by_what_the_verb_that_is_named_ends_with() -> None:
    told = fcb(f"fcb review {NUMBER} --approve --seen 1f", code=Exit.USAGE)
    read = fcb(f"{printed(told, 'fcb review')} {NUMBER}").split()[-1]
    assert "1 approved" in fcb(f"fcb review {NUMBER} --approve --seen {read}")
