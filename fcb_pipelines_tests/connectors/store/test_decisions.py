"""Decisions are kept as files that are never changed, and read back as they were."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fcb_pipelines.connectors.failures import ContractBreach
from fcb_pipelines.connectors.store.decisions import DecisionStore
from fcb_pipelines.core.close.decisions import Decision

AT = datetime(2026, 5, 2, 9, 15, 0, 123456, tzinfo=UTC)


def a_decision(**changes: Any) -> Decision:
    known = {
        "ref": "stripe:a:in_1",
        "code": "overpaid",
        "by": "jané",
        "at": AT,
        "note": "so\nit is",
    }
    return Decision(**{"seen": "0" * 64, "until": date(2026, 6, 30), **known, **changes})


WITHDRAWN = a_decision(
    withdraws=a_decision().id, seen="", note="", until=None, at=AT + timedelta(seconds=1)
)


@pytest.fixture
def store(tmp_path: Path) -> DecisionStore:
    return DecisionStore(tmp_path / "decisions")


def test_they_come_back_as_they_were_the_oldest_first(store: DecisionStore) -> None:
    assert store.all() == ()
    store.keep(WITHDRAWN)
    store.keep(a_decision())
    assert store.all() == (a_decision(), WITHDRAWN)


def test_a_further_decision_leaves_the_files_of_the_former_ones(
    store: DecisionStore, tmp_path: Path
) -> None:
    store.keep(a_decision())
    (first,) = (tmp_path / "decisions").iterdir()
    before = (first.read_bytes(), first.stat().st_mtime_ns)
    for by in ("ada", "bob"):
        store.keep(a_decision(by=by))
    assert len([*(tmp_path / "decisions").iterdir()]) == 3
    assert (first.read_bytes(), first.stat().st_mtime_ns) == before
    assert oct(first.stat().st_mode)[-3:] == "600"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("overpaid", "disputed"),
        lambda text: text.replace("2026-06-30", "2027-06-30"),
        lambda text: text.replace("jan", "pet"),
        lambda text: text[:-20],
        lambda text: "",
    ],
)
def test_a_file_that_somebody_changed_is_named_and_not_believed(
    change: Callable[[str], str], store: DecisionStore, tmp_path: Path
) -> None:
    store.keep(a_decision())
    (file,) = (tmp_path / "decisions").iterdir()
    file.write_text(change(file.read_text("utf-8")), "utf-8")
    with pytest.raises(ContractBreach, match=file.name[:20]):
        store.all()


def test_every_field_counts_in_the_name_of_a_decision() -> None:
    changed = [
        a_decision(**{name: value})
        for name, value in {
            "ref": "x", "code": "x", "by": "x", "at": AT + timedelta(1), "note": "x", "seen": "x",
            "until": None, "withdraws": "x",
        }.items()
    ]  # fmt: skip
    assert len(changed) == len(Decision.__dataclass_fields__)
    assert len({a_decision().id, *(one.id for one in changed)}) == len(changed) + 1
