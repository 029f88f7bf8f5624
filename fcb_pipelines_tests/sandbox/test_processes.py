"""Processes of the sandbox are recognised and ended by pid and start time."""

import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fcb_pipelines.connectors.failures import TransientFailure
from fcb_pipelines.sandbox import processes
from fcb_pipelines.sandbox.processes import Process


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Process]:
    port = processes.free_port()
    argv = [sys.executable, "-m", "http.server", str(port), "--bind", processes.LOOPBACK]
    process = processes.start("files", argv, port=port, log=tmp_path / "log", environment={})
    yield process
    processes.stop(process)


def test_a_started_process_answers_and_stops_once(server: Process, tmp_path: Path) -> None:
    processes.wait_until_it_answers(server, log=tmp_path / "log")
    assert processes.alive(server)
    assert processes.stop(server)
    assert not processes.alive(server)
    assert not processes.stop(server)
    assert not processes.answers(server)


def test_a_process_that_only_has_the_same_number_is_left_alone(server: Process) -> None:
    stranger = replace(server, started=server.started - 100)
    assert not processes.alive(stranger)
    assert not processes.stop(stranger)
    assert processes.alive(server)


def test_a_process_that_ends_at_once_is_reported_with_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "log"
    argv = [sys.executable, "-c", "raise SystemExit('the port is taken')"]
    process = processes.start("stand-in", argv, port=processes.free_port(), log=log, environment={})
    with pytest.raises(TransientFailure, match="the port is taken"):
        processes.wait_until_it_answers(process, log=log)


def test_a_process_that_never_answers_is_given_up_on(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "import time; time.sleep(60)"]
    port = processes.free_port()
    process = processes.start("sleeper", argv, port=port, log=tmp_path / "log", environment={})
    with pytest.raises(TransientFailure, match="no answer in 0 seconds"):
        processes.wait_until_it_answers(process, log=tmp_path / "log", patience=0.3)
    assert processes.stop(process)


def test_a_usual_port_is_the_same_each_time_and_another_while_it_is_taken() -> None:
    usual = processes.usual_port("the receiver of a test")
    assert processes.usual_port("the receiver of a test") == usual
    with socket.socket() as listener:
        listener.bind((processes.LOOPBACK, usual))
        assert processes.usual_port("the receiver of a test") != usual
