"""`fcb events`: what is listed and shown, and what a person's word does to it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from standardwebhooks import Webhook
from typer.testing import CliRunner

from fcb_pipelines_tests.defs import world as _months  # noqa: F401 - the months come first

# isort: split
from fcb_pipelines.cli import checkups
from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.main import app
from fcb_pipelines.config import environment, settings
from fcb_pipelines.config.settings import PACKAGED
from fcb_pipelines.connectors.events.queue import EventQueue
from fcb_pipelines.core.close.gates import GATES
from fcb_pipelines.core.codes import EventType
from fcb_pipelines.core.events.delivery import Step
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.connectors.events.waits import over
from fcb_pipelines_tests.events import SECRET, an_event
from fcb_pipelines_tests.receiver import Receiver, receiving
from fcb_pipelines_tests.remedies.printed import printed

RUNNER = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"})
VARIABLE = "FCB_NEXACLOUD_EVENTS_SECRET"
FAILED = an_event()
PAID = an_event(EventType.PAYMENT_SUCCEEDED, "paid p2")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of its own."""
    with receiving() as one:
        yield one


@pytest.fixture
def queue(
    postgres: EmbeddedPostgres,
    database: str,
    receiver: Receiver,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[EventQueue]:
    """The queue of an operator whose NexaCloud is told of events; an invoice failed, and was paid."""
    url = postgres.sqlalchemy_url(database)
    told = yaml.safe_load(PACKAGED.read_text("utf-8"))
    told["services"][0]["events"] = {
        "url": receiver.url,
        "start": "2026-01-01",
        "secrets": [VARIABLE],
        "allow_private": True,
    }
    config = tmp_path / "nexacloud.yaml"
    config.write_text(yaml.safe_dump(told), "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FCB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FCB_CONFIG", str(config))
    monkeypatch.setenv("FCB_POSTGRES_URL", url)
    monkeypatch.setenv(VARIABLE, SECRET)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    settings.current.cache_clear()
    queue = EventQueue(url)
    queue.put([FAILED, PAID], run_id="run")
    yield queue
    settings.current.cache_clear()


def fcb(*arguments: str, code: Exit = Exit.OK) -> dict[str, Any]:
    """The JSON of `fcb events …`."""
    done = RUNNER.invoke(app, ["events", *arguments, "--json"])
    assert done.exit_code == code, done.output
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def as_printed(command: str, code: Exit = Exit.OK) -> str:
    """The output for people of a command as a message prints it."""
    done = RUNNER.invoke(app, command.split()[1:])
    assert done.exit_code == code, done.output
    return str(done.output)


def listed(*arguments: str, code: Exit = Exit.OK) -> dict[str, str]:
    return {one["id"]: one["state"] for one in fcb("list", *arguments, code=code)["events"]}


def test_every_event_is_listed_with_its_state_and_what_it_waits_for(queue: EventQueue) -> None:
    assert listed() == {FAILED.id: "waiting", PAID.id: "waiting"}
    (_, second) = fcb("list")["events"]
    assert (second["behind"], second["tries"], second["late"]) == (FAILED.id, 0, False)
    assert listed("--service", "nexadesk") == listed("--period", "2026-05") == {}
    assert listed("--state", "dead") == {}
    told = RUNNER.invoke(app, ["events", "list"]).stdout
    assert "invoice.payment_failed" in told
    assert f"waiting behind {FAILED.id}" in told


def test_a_dry_run_shows_the_very_text_and_sends_nothing(
    queue: EventQueue, receiver: Receiver
) -> None:
    (one,) = fcb("deliver", "--dry-run")["would_send"]
    assert (one["id"], one["body"]) == (FAILED.id, FAILED.body)
    assert FAILED.id in RUNNER.invoke(app, ["events", "deliver", "--dry-run"]).stdout
    assert receiver.requests == []


def test_what_is_due_is_sent_and_each_try_is_shown(queue: EventQueue, receiver: Receiver) -> None:
    assert fcb("deliver") == {"tries": 2, "steps": {"delivered": 2}, "waiting": 0}
    assert [each["id"] for each in receiver.events] == [FAILED.id, PAID.id]
    one = fcb("show", PAID.id)
    assert (one["state"], one["body"]) == ("delivered", PAID.body)
    assert [(row["step"], row["status"]) for row in one["log"]] == [
        ("tried", None),
        ("delivered", 204),
    ]
    assert PAID.body in RUNNER.invoke(app, ["events", "show", PAID.id]).stdout
    assert "nothing was due" in RUNNER.invoke(app, ["events", "deliver"]).stdout


def die(queue: EventQueue, receiver: Receiver, postgres: EmbeddedPostgres, database: str) -> None:
    """The first event is refused until it is dead."""
    receiver.answers = [400] * 8
    for _ in range(8):
        assert fcb("deliver", code=Exit.DIFFERENCE)["tries"] == 1
        over(postgres, database)


def test_a_dead_event_is_sent_again_once_a_person_says_so(
    queue: EventQueue, receiver: Receiver, postgres: EmbeddedPostgres, database: str
) -> None:
    die(queue, receiver, postgres, database)
    assert listed(code=Exit.DIFFERENCE) == {FAILED.id: "dead", PAID.id: "waiting"}
    assert fcb("replay", FAILED.id) == {"events": [FAILED.id]}
    told = as_printed(f"fcb events replay {FAILED.id}")
    assert "2 delivered" in as_printed(printed(told, "fcb events deliver"))
    assert listed() == {FAILED.id: "delivered", PAID.id: "delivered"}


def test_the_verbs_that_show_what_is_dead_lead_to_it(
    queue: EventQueue, receiver: Receiver, postgres: EmbeddedPostgres, database: str
) -> None:
    die(queue, receiver, postgres, database)
    gone = as_printed("fcb events show evt_typo", Exit.CONNECTION)
    assert FAILED.id in as_printed(printed(gone, "fcb events list"), Exit.DIFFERENCE)
    (row,) = checkups._events(environment.read(), settings.current())
    assert FAILED.id in as_printed(printed(row.remedy, "fcb events list"), Exit.DIFFERENCE)
    show = printed(GATES["events_delivered"].recovery, "fcb events show ID")
    assert "HTTP 400" in as_printed(show.replace("ID", FAILED.id))
    fcb("drop", FAILED.id, "--reason", "told by telephone")
    assert "2 delivered" not in as_printed("fcb events deliver")
    (row,) = checkups._events(environment.read(), settings.current())
    assert row.remedy is None


def test_a_dropped_event_lets_those_behind_it_go_on(
    queue: EventQueue, receiver: Receiver, postgres: EmbeddedPostgres, database: str
) -> None:
    die(queue, receiver, postgres, database)
    assert RUNNER.invoke(app, ["events", "drop", FAILED.id]).exit_code == Exit.USAGE
    fcb("drop", FAILED.id, "--reason", "told by telephone")
    assert fcb("show", FAILED.id)["detail"] == "told by telephone"
    assert fcb("deliver")["steps"] == {"delivered": 1}
    assert [each["id"] for each in receiver.events] == [PAID.id]
    done = RUNNER.invoke(app, ["events", "drop", PAID.id, "--reason", "late"])
    assert done.exit_code == Exit.CONNECTION
    assert "delivered already" in done.stderr


def test_an_endpoint_that_is_gone_comes_back_with_a_replay(
    queue: EventQueue, receiver: Receiver
) -> None:
    receiver.answers = [410]
    assert fcb("deliver", code=Exit.DIFFERENCE)["steps"] == {"gone": 1}
    fcb("drop", FAILED.id, "--reason", "never mind")
    assert fcb("deliver")["tries"] == 0
    fcb("replay", PAID.id)
    assert fcb("deliver")["steps"] == {"delivered": 1}


def test_a_test_event_is_signed_like_any_other_and_queued_nowhere(
    queue: EventQueue, receiver: Receiver
) -> None:
    assert fcb("test", "nexacloud")["status"] == 204
    elsewhere = f"{receiver.url}/staging"
    assert fcb("test", "nexacloud", "--url", elsewhere)["status"] == 204
    for got in receiver.taken:
        assert Webhook(SECRET).verify(got.body, got.headers)["type"] == "test"
    receiver.answers = [500]
    assert fcb("test", "nexacloud", code=Exit.DIFFERENCE)["detail"] == "HTTP 500: this is 500"
    assert len(queue.look(every=True).standings) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("show", "evt_unknown"), Exit.CONNECTION, "fcb events list"),
        (("replay", FAILED.id, "evt_unknown"), Exit.CONNECTION, "no event of this id"),
        (("test", "nexadesk"), Exit.USAGE, "no section `events`"),
        (("test", "nexacloud", "--url", "ftp://a.example"), Exit.USAGE, "no https:// address"),
        (("list", "--state", "lost"), Exit.USAGE, "lost"),
    ],
)
def test_what_can_t_be_done_says_why_and_changes_nothing(
    queue: EventQueue, arguments: tuple[str, ...], code: Exit, said: str
) -> None:
    done = RUNNER.invoke(app, ["events", *arguments])
    assert done.exit_code == code
    assert said in done.stderr
    assert not any(row.step is Step.REPLAYED for row in queue.find(FAILED.id)[2])


def test_a_secret_that_is_missing_or_too_short_is_named(
    queue: EventQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in ("", "short"):
        monkeypatch.setenv(VARIABLE, text)
        done = RUNNER.invoke(app, ["events", "deliver"])
        assert done.exit_code == Exit.USAGE
        assert VARIABLE in done.stderr
