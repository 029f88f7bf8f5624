"""What production installs is enough: the command and the definitions need no package of another extra."""

import importlib.metadata as installed
import os
import subprocess
import sys
from pathlib import Path

from packaging.utils import canonicalize_name

from fcb_pipelines_tests.supply_chain.lock import PROJECT, locked

BLOCKED = """
import sys

class Elsewhere:
    blocked = set({blocked!r})

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.blocked:
            raise ModuleNotFoundError(f"No module named {{name!r}} in production", name=name)

sys.meta_path.insert(0, Elsewhere())
"""
START = """
import fcb_pipelines.cli.main
import fcb_pipelines.instance.storage
from fcb_pipelines.definitions import defs
defs()
"""


def of_other_extras() -> set[str]:
    """The modules that are installed here and not by `base.txt`."""
    base = {canonicalize_name(pin.name) for pin, _ in locked("base").values()} | {"fcb-pipelines"}
    return {
        module
        for module, packages in installed.packages_distributions().items()
        if base.isdisjoint(map(canonicalize_name, packages))
        # Names that several wheels leave behind.
        and module not in {"tests", "test", "docs", "benchmarks"}
    }


def test_it_starts_with_the_packages_of_production_alone(tmp_path: Path) -> None:
    blocked = of_other_extras()
    assert {"httpx", "beancount", "fava", "s3fs", "pytest"} <= blocked
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED.format(blocked=blocked) + START],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT), "FCB_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
