"""What a wheel has in it is enough: the command and Dagster need nothing of the checkout."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from fcb_pipelines_tests.supply_chain.lock import PROJECT


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a wheel as hatchling would put them there, without the checkout around them."""
    wheel = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["hatch"]["build"][
        "targets"
    ]["wheel"]
    folder = tmp_path_factory.mktemp("wheel")
    for package in wheel["packages"]:
        shutil.copytree(
            PROJECT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    for here, there in wheel["force-include"].items():
        shutil.copyfile(PROJECT / here, folder / there)
    return folder


def run(unpacked: Path, cwd: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """A Python of this environment that finds the wheel's package first, with nothing else set."""
    return subprocess.run(
        [sys.executable, *argv],
        cwd=cwd,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(unpacked),
            "FCB_HOME": str(cwd / "home"),
        },
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_the_command_writes_and_reads_its_files_where_no_checkout_is(
    unpacked: Path, tmp_path: Path
) -> None:
    script = (
        "import fcb_pipelines, sys\n"
        f"assert fcb_pipelines.__file__.startswith({str(unpacked)!r})\n"
        "from fcb_pipelines.cli.main import run\n"
        "sys.argv[1:] = ['init', '--yes', '--no-doctor']\n"
        "run()\n"
    )
    done = run(unpacked, tmp_path, "-c", script)
    assert done.returncode == 0, done.stderr
    assert "FCB_CONFIG=" in (tmp_path / ".env").read_text()


def test_dagster_loads_the_workspace_of_the_wheel(unpacked: Path, tmp_path: Path) -> None:
    workspace = str(unpacked / "fcb_pipelines" / "workspace.yaml")
    done = run(unpacked, tmp_path, "-m", "dagster", "definitions", "validate", "-w", workspace)
    assert done.returncode == 0, done.stderr[-3000:]


def test_dev_finds_its_files_in_the_wheel(unpacked: Path, tmp_path: Path) -> None:
    script = (
        "from fcb_pipelines.cli.work import project_file\n"
        "for name in ('dagster.yaml', 'workspace.yaml', '.env.example', 'pyproject.toml'):\n"
        "    print(project_file(name).is_file(), project_file(name).parent.name)\n"
    )
    done = run(unpacked, tmp_path, "-c", script)
    assert done.stdout.splitlines() == ["True fcb_pipelines"] * 4, done.stderr
