"""The code that a process runs, as a digest: what was made by other code is made anew."""

from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import fcb_pipelines
from fcb_pipelines.config.settings import current
from fcb_pipelines.core.digests import digest


def code_digest() -> str:
    """The digest of the package's modules, and of the packages of the sources that the configuration adds."""
    further = (one.package for one in current().sources)
    return _digest(frozenset({fcb_pipelines.__name__, *further}))


@cache
def _digest(packages: frozenset[str]) -> str:
    files = (file for name in sorted(packages) for file in _modules(name))
    return digest(b"".join(each.read_bytes() for each in files))


def _modules(package: str) -> Iterable[Path]:
    spec = find_spec(package)
    if spec is None:
        return ()
    if spec.submodule_search_locations is None:
        return (Path(spec.origin),) if spec.origin else ()
    roots = map(Path, spec.submodule_search_locations)
    return sorted(file for root in roots for file in root.rglob("*.py"))
