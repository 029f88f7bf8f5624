"""The code that a process runs, as a digest: what was made by other code is made anew."""

from functools import cache
from pathlib import Path

import fcb_pipelines
from fcb_pipelines.core.digests import digest


@cache
def code_digest() -> str:
    """The digest of the package's modules."""
    root = Path(fcb_pipelines.__file__).parent
    return digest(b"".join(each.read_bytes() for each in sorted(root.rglob("*.py"))))
