"""The `fcb` command as a newcomer runs it: a process of its own, in a home of its own."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any


class Fcb:
    """The `fcb` command in a home of its own, without anything of this process's environment."""

    def __init__(self, home: Path, variables: Mapping[str, str]) -> None:
        self.home = home
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FCB_")}
        self._environment = {**kept, **variables, "FCB_HOME": str(home)}
        self._environment.pop("DAGSTER_HOME", None)

    def __call__(self, *arguments: str) -> Any:
        """What it prints, or with `--json` what it says; it must end well."""
        done = self._run(*arguments)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout) if "--json" in arguments else done.stdout

    def told(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Its exit code and its JSON, however it ends."""
        done = self._run(*arguments, "--json")
        assert done.stdout, done.stderr[-3000:]
        return done.returncode, json.loads(done.stdout)

    def begun(self, *arguments: str) -> subprocess.Popen[str]:
        """The command while it runs; what it prints for a person comes by its stderr."""
        return subprocess.Popen(
            [str(Path(sys.executable).with_name("fcb")), *arguments],
            env=self._environment,
            cwd=self.home,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            # A suite that runs in a shell's background has Ctrl-C ignored, and its children would inherit it.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(Path(sys.executable).with_name("fcb")), *arguments],
            env=self._environment,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )


def a_home(variables: Mapping[str, str]) -> Iterator[Fcb]:
    """A home for one test; what runs there is stopped after it."""
    # Not pytest's tmp_path: as root, the embedded Postgres runs as another user and can't pass it.
    with tempfile.TemporaryDirectory(prefix="fcb-demo-") as folder:
        fcb = Fcb(Path(folder) / "home", variables)
        fcb.home.mkdir()
        try:
            yield fcb
        finally:
            fcb("sandbox", "down")
