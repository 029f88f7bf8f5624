"""What runs is on file, found again by another process, and never believed blindly."""

import stat
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fcb_pipelines.sandbox import processes, state
from fcb_pipelines.sandbox.processes import Process
from fcb_pipelines.sandbox.state import Running


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Process]:
    argv = [sys.executable, "-c", "import time; time.sleep(60)"]
    process = processes.start("sleeper", argv, port=1, log=tmp_path / "log", environment={})
    yield process
    processes.stop(process)


def a_running(*children: Process) -> Running:
    return Running(
        dataset="small",
        folder="/datasets/small",
        processes=children,
        environment={"FCB_DATASET": "small"},
    )


def test_what_is_written_is_read_back(tmp_path: Path, sleeper: Process) -> None:
    folder = tmp_path / "small"
    state.write(folder, a_running(sleeper))
    assert state.read(folder) == a_running(sleeper)
    assert state.running(tmp_path) == (a_running(sleeper),)
    assert stat.S_IMODE((folder / state.FILE).stat().st_mode) == 0o600


def test_a_sandbox_whose_process_ended_is_not_running(tmp_path: Path, sleeper: Process) -> None:
    gone = replace(sleeper, started=sleeper.started - 50)
    state.write(tmp_path / "small", a_running(sleeper, gone))
    assert state.running(tmp_path) == ()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"dataset": "small"}'])
def test_a_broken_file_counts_as_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / state.FILE).write_text(content)
    assert state.read(tmp_path) is None


def test_what_is_forgotten_is_gone_and_may_be_forgotten_again(tmp_path: Path) -> None:
    state.write(tmp_path, a_running())
    state.forget(tmp_path)
    state.forget(tmp_path)
    assert state.read(tmp_path) is None
