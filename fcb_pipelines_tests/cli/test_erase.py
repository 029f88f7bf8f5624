"""`fcb erase` over kept answers: former ones go, present ones stay and are told."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fcb_pipelines.cli.main import app
from fcb_pipelines.config import environment
from fcb_pipelines.connectors.failures import NotFound
from fcb_pipelines.connectors.store.evidence import EvidenceStore
from fcb_pipelines.connectors.store.frames import to_frame, write_frame
from fcb_pipelines.core.facts.cursor import CURSOR, Cursor
from fcb_pipelines.defs.runtime import connections

JANE = {"id": "in_1", "customer": "cus_1", "customer_email": "jane@acme.example"}
REDACTED = {"id": "in_1", "customer": "cus_1", "customer_email": None}


@dataclass(frozen=True)
class Row:
    """One row of an index."""

    ref: str
    body_hash: str | None


@pytest.fixture
def evidence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EvidenceStore:
    """The evidence of an operator's home."""
    monkeypatch.setenv("FCB_HOME", str(tmp_path))
    monkeypatch.setenv("FCB_POSTGRES_URL", "postgresql+psycopg2://nobody@127.0.0.1:9/none")
    return connections.evidence(environment.read())


def index(*names: str, **attrs: object) -> None:
    """The present index of Stripe, of these bodies."""
    frames = connections.frames(environment.read())
    rows = [Row("stripe:a:in_1", name) for name in names]
    made = to_frame([*rows, Row("stripe:a:in_9", None)], Row, **attrs)
    write_frame(made, frames.path(["stripe", "index"]))


def erased(*arguments: str) -> tuple[int, dict[str, object]]:
    """The exit code and the JSON of `fcb erase`."""
    done = CliRunner().invoke(app, ["erase", *arguments, "--json"])
    return done.exit_code, json.loads(done.stdout)


def test_former_answers_of_a_customer_are_erased_and_the_others_stay(
    evidence: EvidenceStore,
) -> None:
    former, present = evidence.put("stripe", JANE), evidence.put("stripe", REDACTED)
    alike = evidence.put(
        "stripe", {"id": "in_2", "customer": "cus_11", "note": "not jane@acme.example"}
    )
    index(present)
    free = {"free": [["stripe", former]], "in_use": []}
    assert erased("jane@acme.example") == (0, {"erased": False, **free})
    assert evidence.get("stripe", former) == JANE
    assert erased("jane@acme.example", "--yes") == (0, {"erased": True, **free})
    with pytest.raises(NotFound):
        evidence.get("stripe", former)
    assert evidence.get("stripe", present) == REDACTED
    assert evidence.get("stripe", alike)["customer"] == "cus_11"
    assert erased("jane@acme.example", "--yes")[1]["free"] == []


def test_an_answer_in_use_is_told_and_left(evidence: EvidenceStore) -> None:
    present = evidence.put("stripe", JANE)
    former = evidence.put("lago", {"customer": "cus_1"})
    index(present)
    code, told = erased("cus_1", "--yes")
    assert (code, told["in_use"], told["free"]) == (1, [["stripe", present]], [["lago", former]])
    assert evidence.get("stripe", present) == JANE


def test_what_the_next_sync_goes_on_from_is_in_use(evidence: EvidenceStore) -> None:
    """Without it that sync would list the whole of Stripe; the next one names another body."""
    rest = evidence.put("stripe", {"refunds": [{"id": "re_1", "customer": "cus_1"}]})
    day = datetime(2026, 7, 10, 6, tzinfo=UTC)
    cursor = Cursor(mark={}, rest=rest, listed="1" * 64, form="f", listed_at=day, read_at=day)
    index(**{CURSOR: cursor.as_attr()})
    code, told = erased("cus_1", "--yes")
    assert (code, told["in_use"], told["free"]) == (1, [["stripe", rest]], [])
    assert evidence.get("stripe", rest)["refunds"][0]["id"] == "re_1"
    for without in ({CURSOR: None}, {CURSOR: {"rest": "of another version"}}, {}):
        index(**without)
        assert erased("cus_1")[1]["free"] == [["stripe", rest]]
