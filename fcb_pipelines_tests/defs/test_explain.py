"""`fcb explain` and the commands that change something: a number does wherever a ref does."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fcb_pipelines_tests.defs.world import World, document, ref_of

# isort: split
from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.main import app
from fcb_pipelines.connectors.failures import NotAllowed
from fcb_pipelines.connectors.store.frames import write_frame
from fcb_pipelines.defs.reconciliation.naming import numbers, ref_called
from fcb_pipelines.defs.runtime import connections, keys

NUMBER, TWIN = "NXC-0008", "NXC-0009"


def fcb(*arguments: str) -> Any:
    return CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"}).invoke(app, [*arguments])


@pytest.fixture
def numbered_twice(closed: World) -> str:
    """Another document of the same month has the number, too; its ref."""
    told = document(closed.status(), NUMBER)
    other = ref_of(closed.status(), TWIN)
    for key, period in (
        *((keys.DISPOSITIONS, period) for period in closed.status()["periods"]),
        *((keys.source_key(name, "index"), None) for name in keys.SOURCES),
    ):
        frame = closed.frames.read(key.path, period)
        if frame is not None:
            frame.loc[frame["ref"] == other, "number"] = NUMBER
            write_frame(frame, closed.frames.path(key.path, period))
    assert told["ref"] != other
    return other


def test_a_document_is_told_by_its_number_as_by_its_ref(closed: World) -> None:
    status = closed.status()
    ref = ref_of(status, NUMBER)
    by_number, by_ref = (
        json.loads(fcb("explain", name, "--json").stdout) for name in (NUMBER, ref)
    )
    assert by_number == by_ref
    (story,) = by_number["documents"]
    assert story["document"] == document(status, NUMBER)
    assert [side["side"] for side in story["sides"]] == ["stripe", "nexacloud"]
    body = story["sides"][0]["evidence"]
    assert NUMBER in str(connections.evidence(closed.found).get("stripe", body))
    assert {row["code"] for row in story["exceptions"]} == {*story["document"]["exceptions"]}
    assert story["differences"]
    days = [event["at"] for event in story["events"]]
    assert days == sorted(days)
    (posted,) = json.loads(fcb("explain", TWIN, "--json").stdout)["documents"]
    assert {"billed", "payment", "invoice, posted"} <= {one["what"] for one in posted["events"]}


def test_its_story_for_people_names_the_file_of_its_evidence(closed: World) -> None:
    told = fcb("explain", NUMBER)
    assert told.exit_code == Exit.OK, told.output
    (line,) = [line for line in told.stdout.splitlines() if line.startswith("evidence: ")]
    store = Path(str(connections.reports(closed.found))).parent
    assert (store / line.removeprefix("evidence: ")).is_file()
    for said in ("What each side says", "In order of time", "What differs", "Waits for nexacloud"):
        assert said in told.stdout


def test_a_name_of_nothing_says_so(closed: World) -> None:
    told = fcb("explain", "NXC-9999")
    assert told.exit_code == Exit.CONNECTION
    assert "no month that is built has a document or a payout of this name" in " ".join(
        told.stderr.replace("│", " ").split()
    )


def test_two_documents_of_one_number_are_both_told(closed: World, numbered_twice: str) -> None:
    stories = json.loads(fcb("explain", NUMBER, "--json").stdout)["documents"]
    assert {story["document"]["ref"] for story in stories} >= {numbered_twice}
    assert len(stories) == 2


@pytest.mark.parametrize(
    "command",
    [
        ("exceptions", "acknowledge", NUMBER, "nexacloud_differs", "--note", "x"),
        ("exceptions", "withdraw", NUMBER, "nexacloud_differs"),
        ("ledger", "release", NUMBER, "--reason", "x"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_a_command_that_changes_something_refuses_a_number_of_two_and_names_them(
    closed: World, numbered_twice: str, command: tuple[str, ...]
) -> None:
    told = fcb(*command)
    assert told.exit_code == Exit.CONNECTION
    words = " ".join(told.stderr.replace("│", " ").split())
    assert "2 documents have this number" in words
    assert numbered_twice in words.replace(" ", "") or numbered_twice in words
    assert connections.decisions(closed.found).all() == ()


def test_a_correction_by_a_number_of_two_is_refused(closed: World, numbered_twice: str) -> None:
    with pytest.raises(NotAllowed, match=numbered_twice):
        ref_called(NUMBER, numbers(closed.frames), "correcting")
    assert not closed.correct([NUMBER], dry_run=True).success
    assert closed.correct([numbered_twice], dry_run=True).success


def test_a_number_does_where_a_ref_does(closed: World) -> None:
    ref = ref_of(closed.status(), NUMBER)
    given = ("exceptions", "acknowledge", NUMBER, "nexacloud_differs", "--note", "known")
    told = fcb(*given)
    assert told.exit_code == Exit.OK, told.output
    assert ref in told.stdout
    assert [one.ref for one in connections.decisions(closed.found).all()] == [ref]
    assert closed.correct([NUMBER], dry_run=True).success
    released = fcb("ledger", "release", TWIN, "--reason", "by number")
    assert released.exit_code == Exit.OK, released.output
    assert ref_of(closed.status(), TWIN) in released.stdout
