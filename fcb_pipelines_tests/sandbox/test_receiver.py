"""The sandbox's receiver: it takes what is signed, once, and knows it again after a restart."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from fcb_pipelines.connectors.events.sender import Answer, Endpoint, Sender
from fcb_pipelines.connectors.events.signing import Secret, headers
from fcb_pipelines.sandbox.receiver import create_receiver
from fcb_pipelines.sandbox.session import EVENTS_SECRET
from fcb_pipelines.sandbox.told import told
from fcb_pipelines_tests.events import SECRET
from fcb_pipelines_tests.serving import served


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "told.jsonl"


@pytest.fixture
def url(file: Path) -> Iterator[str]:
    with served(create_receiver(file, EVENTS_SECRET)) as base:
        yield base


def send(url: str, event_id: str, secret: str = EVENTS_SECRET) -> Answer:
    endpoint = Endpoint(
        service="nexamaps",
        url=f"{url}/nexamaps",
        secrets=[Secret(name="S", text=secret)],
        allow_private=True,
    )
    body = json.dumps({"id": event_id})
    now = datetime.now(UTC)
    return Sender().send(endpoint, event_id=event_id, event_type="test", body=body, at=now)


def ids(file: Path) -> list[str]:
    return [one["id"] for one in told(file)]


def test_an_event_is_kept_once_however_often_it_comes(url: str, file: Path) -> None:
    assert told(file) == ()
    assert [send(url, name).status for name in ("evt_1", "evt_2", "evt_1")] == [204, 204, 204]
    assert ids(file) == ["evt_1", "evt_2"]
    assert httpx.get(url, trust_env=False).json() == [*told(file)]


def test_what_another_secret_signed_is_not_taken_nor_what_was_recorded_long_ago(
    url: str, file: Path
) -> None:
    refused = send(url, "evt_1", SECRET)
    assert (refused.status, "not ours" in refused.detail) == (401, True)
    secret = Secret(name="S", text=EVENTS_SECRET)
    old = headers(
        [secret],
        event_id="evt_1",
        event_type="test",
        at=datetime.now(UTC) - timedelta(hours=1),
        body="{}",
    )
    answer = httpx.post(f"{url}/nexamaps", content="{}", headers=old, trust_env=False)
    assert answer.status_code == 401
    assert httpx.post(f"{url}/nexamaps", content="{}", trust_env=False).status_code == 401
    assert ids(file) == []


def test_one_that_was_killed_in_the_midst_of_a_line_takes_that_event_again(file: Path) -> None:
    file.write_bytes(b'{"id": "evt_1"}\n{"id": "ev')
    assert ids(file) == ["evt_1"]
    with served(create_receiver(file, EVENTS_SECRET)) as url:
        assert [send(url, name).status for name in ("evt_1", "evt_2")] == [204, 204]
    assert ids(file) == ["evt_1", "evt_2"]


def test_the_sandboxs_own_secret_is_one_that_may_sign() -> None:
    assert Secret(name="S", text=EVENTS_SECRET).fault is None
