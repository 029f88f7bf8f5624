"""`make audit`: pip-audit over the locked requirements, and a loud word where it can't reach its data.

A known fault of a locked package fails. That the advisories can't be reached fails nothing and never passes
for an answer: it is printed what was not audited.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fcb_pipelines_tests.supply_chain.lock import EXTRAS, FOLDER

PATIENCE = 90.0
"""Seconds for all of it; where the network swallows packets, nothing else ends it."""

_ONE_CALL = "5"
_LOUD = "*" * 100


def command() -> list[str]:
    """pip-audit over every file of deploy/requirements, without installing anything."""
    files = [FOLDER / f"{name}.txt" for name in ("base", *EXTRAS)]
    return [
        str(Path(sys.executable).with_name("pip-audit")),
        "--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json",
        "--timeout", _ONE_CALL,
        *(part for file in files for part in ("--requirement", str(file))),
    ]  # fmt: skip


def audit(run: Sequence[str], *, patience: float = PATIENCE) -> tuple[int, str]:
    """The exit code and what is to be printed: 1 for a known fault alone."""
    try:
        done = subprocess.run(run, capture_output=True, text=True, timeout=patience)
    except (OSError, subprocess.TimeoutExpired) as error:
        return 0, _skipped("every package", str(error))
    try:
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return 0, _skipped("every package", (done.stderr or done.stdout).strip())
    unread = [each for each in packages if "skip_reason" in each]
    faults = [
        f"{each['name']} {each['version']}: {one['id']}, mended in "
        f"{', '.join(one['fix_versions']) or 'no version yet'}"
        for each in packages
        for one in each.get("vulns", ())
    ]
    lines = [f"pip-audit: {len(packages) - len(unread)} packages audited, {len(faults)} faults"]
    lines += faults
    if unread:
        names = f"{len(unread)} of {len(packages)} packages"
        lines.append(_skipped(names, str(unread[0]["skip_reason"])))
    return int(bool(faults)), "\n".join(lines)


def _skipped(what: str, why: str) -> str:
    last = why.splitlines()[-1] if why else "it said nothing"
    return (
        f"{_LOUD}\nNOT AUDITED: {what}. pip-audit could not reach its data: {last[:300]}\n{_LOUD}"
    )


def main() -> int:
    """Audit the lock."""
    code, told = audit(command())
    print(told)  # noqa: T201
    return code


if __name__ == "__main__":
    sys.exit(main())
