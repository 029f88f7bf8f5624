"""The locked requirements that deploy/ installs: `make lock` resolves them anew.

`base.txt` has every package that the project needs, `<extra>.txt` those that an extra adds to it. All are of one
resolution, so they go together. A file is in pip's own form: `name==version ; marker` and its hashes; it names
no index, so a mirror serves as well.
"""

import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

PROJECT = Path(__file__).parents[2]
FOLDER = PROJECT / "deploy" / "requirements"
EXTRAS = ("alerts", "books", "s3", "celery", "k8s", "intake")
"""The extras that production may install; `sandbox` and `dev` are for other machines."""

_UV = (
    "pip", "compile", "pyproject.toml", "--universal", "--generate-hashes", "--upgrade",
    "--no-emit-index-url", "--no-strip-extras", "--no-annotate", "--no-header", "--quiet", "--python-version",
)  # fmt: skip

Lock = dict[str, tuple[Requirement, tuple[str, ...]]]
"""Pinned requirement and its hashes, by its line in the file: a package may have a pin for each Python."""


def read(text: str) -> Lock:
    """The pins of a file. Raises ValueError where a line is neither a pin nor a hash of one."""
    found: Lock = {}
    for block in text.replace("\\\n", " ").splitlines():
        if not block.strip() or block.startswith("#"):
            continue
        pin, *hashes = block.split("--hash=")
        found[pin.strip()] = Requirement(pin), tuple(each.strip() for each in hashes)
        if not hashes:
            raise ValueError(f"{pin.strip()} has no hash")
    return found


def written(lock: Lock) -> str:
    """The text of a file with these pins."""
    blocks = (
        " \\\n    ".join((pin, *(f"--hash={each}" for each in hashes)))
        for pin, (_, hashes) in lock.items()
    )
    return "# `make lock` writes it; docs/maintaining.md says when.\n" + "\n".join((*blocks, ""))


def wanted() -> dict[str, list[Requirement]]:
    """What pyproject.toml asks for: `base`, what builds the project included, and each extra of production."""
    project = _pyproject()["project"]
    given: Mapping[str, list[str]] = project["optional-dependencies"]
    base = [*project["dependencies"], *_build_requires()]
    lines = {"base": base, **{extra: given[extra] for extra in EXTRAS}}
    return {name: [Requirement(line) for line in some] for name, some in lines.items()}


def locked(name: str) -> Lock:
    """The pins of one of the files."""
    return read((FOLDER / f"{name}.txt").read_text("utf-8"))


def resolved(extras: Iterable[str], constraints: Path | None = None) -> Lock:
    """What `uv` makes of pyproject.toml with these extras, within these constraints."""
    with tempfile.TemporaryDirectory() as folder:
        out, build = Path(folder, "lock.txt"), Path(folder, "build.in")
        build.write_text("\n".join(_build_requires()), "utf-8")
        uv = Path(sys.executable).with_name("uv")
        more = [option for extra in extras for option in ("--extra", extra)]
        within = ["--constraint", str(constraints)] if constraints else []
        subprocess.run(
            [
                str(uv),
                *_UV,
                _oldest_python(),
                str(build),
                *more,
                *within,
                "--output-file",
                str(out),
            ],
            cwd=PROJECT,
            check=True,
        )
        return read(out.read_text("utf-8"))


def files() -> Iterator[tuple[str, str]]:
    """The name and the text of each file, resolved now."""
    with tempfile.TemporaryDirectory() as folder:
        every = Path(folder, "every.txt")
        every.write_text(written(resolved(EXTRAS)), "utf-8")
        base = resolved((), every)
        yield "base", written(base)
        for extra in EXTRAS:
            own = resolved((extra,), every)
            yield extra, written({pin: own[pin] for pin in own if pin not in base})


def _oldest_python() -> str:
    return str(_pyproject()["project"]["requires-python"]).split(",")[0].removeprefix(">=")


def _build_requires() -> list[str]:
    requires: list[str] = _pyproject()["build-system"]["requires"]
    return requires


def _pyproject() -> dict[str, Any]:
    return tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))


def main() -> None:
    """Write every file anew; git tells what differs."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in [*files()]:
        (FOLDER / f"{name}.txt").write_text(text, "utf-8")
        print(f"deploy/requirements/{name}.txt: {len(read(text))} packages")  # noqa: T201


if __name__ == "__main__":
    main()
