"""What is written to a .env is read from it again, or refused; `fcb sandbox env` writes such a one."""

import subprocess
from io import StringIO
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from fcb_pipelines.cli.env_file import dotenv_text
from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.main import app
from fcb_pipelines.config.settings import ConfigError
from fcb_pipelines.sandbox import state
from fcb_pipelines.sandbox.state import Running
from fcb_pipelines_tests.cli.pipelines import unboxed

RUNNER = CliRunner(env={"COLUMNS": "160", "NO_COLOR": "1"})


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("", "X="),
        ("postgresql+psycopg2://fcb@/fcb?host=/run&port=1", "X='postgresql+psycopg2://fcb@/fcb?host=/run&port=1'"),
        ("plain-1", "X=plain-1"),
        ("a b", "X='a b'"),
        ("a#b", "X='a#b'"),
        ("$a", "X='$a'"),
        ("it's", 'X="it\'s"'),
    ],
)  # fmt: skip
def test_a_value_stands_as_a_shell_and_dotenv_read_it(value: str, line: str) -> None:
    assert dotenv_text({"X": value}) == f"{line}\n"
    told = subprocess.run(["sh", "-c", f'{line}; printf %s "$X"'], capture_output=True, text=True)
    assert told.stdout == value


@pytest.mark.parametrize("value", ["a${b}c", "both ' and \"", "back\\slash'"])
def test_a_value_that_would_be_read_otherwise_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match="FCB_KEY can't be written"):
        dotenv_text({"FCB_KEY": value})


@given(st.dictionaries(st.sampled_from(["FCB_A", "FCB_B"]), st.text(max_size=12)))
def test_whatever_is_written_is_read_again(values: dict[str, str]) -> None:
    try:
        text = dotenv_text(values)
    except ConfigError:
        return
    assert dotenv_values(stream=StringIO(text)) == values


def a_box(home: Path, name: str) -> None:
    lent = {"FCB_HOME": str(home), "FCB_DATASET": name, "FCB_STORE_URL": "", "FCB_LEDGER": "odoo"}
    state.write(home / name, Running(dataset=name, folder="/x", processes=(), environment=lent))


@pytest.mark.parametrize(
    ("boxes", "arguments", "code", "said"),
    [
        ([], [], Exit.USAGE, "start one with: fcb sandbox up"),
        (["one"], [], Exit.OK, "FCB_DATASET=one"),
        (["one", "two"], [], Exit.USAGE, "several sandboxes run (one, two)"),
        (["one", "two"], ["--dataset", "two"], Exit.OK, "FCB_DATASET=two"),
        (["one"], ["--dataset", "two"], Exit.USAGE, "no sandbox of two runs"),
    ],
)  # fmt: skip
def test_the_running_sandbox_says_what_a_dotenv_file_needs(
    boxes: list[str],
    arguments: list[str],
    code: Exit,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FCB_HOME", str(tmp_path / "home"))
    for one in boxes:
        a_box(tmp_path / "home", one)
    done = RUNNER.invoke(app, ["sandbox", "env", *arguments])
    assert done.exit_code == code
    assert said in (unboxed(done.stderr) if code else done.stdout)
    if not code:
        told = dotenv_values(stream=StringIO(done.stdout))
        assert told == state.read(tmp_path / "home" / said.rpartition("=")[2]).environment
