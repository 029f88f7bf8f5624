"""Places of the store: in a folder of this machine, or in an object store at any fsspec URL.

    FCB_HOME/<dataset>     written to a temporary file, then renamed; folders are 0700, files 0600
    s3://bucket/prefix     one PUT: whoever reads meanwhile has the object of before, whole

Errors of an object store are those of `connectors.failures`; what is not there is FileNotFoundError in
both.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TypeAlias

from upath import UPath

from fcb_pipelines.connectors.failures import NotAllowed, NotFound, NotPrepared, Unreachable

Place: TypeAlias = Path | UPath


def place_of(url: str) -> Place:
    """The place of a URL, or of a path of this machine.

    Raises NotPrepared for a URL of no known kind, or of one whose library is not installed.
    """
    scheme, separator, path = url.partition("://")
    if not separator:
        return Path(url).expanduser().absolute()
    if scheme == "file":
        return Path(path).absolute()
    try:
        # Other machines write there, too: a listing that is remembered would hide it.
        place = UPath(url, use_listings_cache=False)
        # It is found when it is first asked for.
        _ = place.fs
    except (ImportError, ValueError) as error:
        raise NotPrepared(
            f"opening the store at {url}",
            str(error),
            remedy=f"pip install 'fcb_pipelines[s3]', or the fsspec library of {scheme}://",
        ) from error
    return place


def signature(place: Place) -> str:
    """A text that differs once the file has been written anew. Raises FileNotFoundError."""
    if isinstance(place, Path):
        found = place.stat()
        return f"{found.st_size} {found.st_mtime_ns}"
    with _asking(f"looking at {place}"):
        return str(place.fs.ukey(place.path))


def written(place: Place) -> float:
    """When the file was last written, Unix seconds: of two files the later one. Raises FileNotFoundError."""
    if isinstance(place, Path):
        return place.stat().st_mtime_ns / 1e9
    with _asking(f"looking at {place}"):
        return float(place.fs.modified(place.path).timestamp())


def exists(place: Place) -> bool:
    """Whether there is a file."""
    if isinstance(place, Path):
        return place.exists()
    with _asking(f"looking at {place}"):
        return bool(place.fs.exists(place.path))


def files(place: Place, ending: str) -> list[Place]:
    """Every file below, in whatever folder, whose name ends so."""
    if isinstance(place, Path):
        return sorted(place.rglob(f"*{ending}"))
    with _asking(f"listing {place}"):
        found = sorted(place.fs.find(place.path))
    return [
        place / each.removeprefix(place.path).lstrip("/") for each in found if each.endswith(ending)
    ]


def read_bytes(place: Place) -> bytes:
    """The file's content. Raises FileNotFoundError."""
    if isinstance(place, Path):
        return place.read_bytes()
    with _asking(f"reading {place}"):
        content: bytes = place.fs.cat_file(place.path)
        return content


@contextmanager
def opened(place: Place) -> Iterator[IO[bytes]]:
    """The file, of which only what is asked for is read. Raises FileNotFoundError."""
    if isinstance(place, Path):
        with place.open("rb") as file:
            yield file
        return
    with _asking(f"reading {place}"), place.fs.open(place.path, "rb") as file:
        yield file


def write_bytes(place: Place, content: bytes) -> None:
    """Write a file whole or not at all."""
    if isinstance(place, Path):
        write_file(place, lambda temporary: _fill(temporary, content))
        return
    with _writing(place):
        place.fs.pipe_file(place.path, content)


def write_file(place: Place, fill: Callable[[str], None]) -> None:
    """Write a file whole or not at all; `fill` writes the content to the local path it is given."""
    if isinstance(place, Path):
        _make_folders(place.parent)
        with _temporary(place.parent, place.name) as temporary:
            fill(temporary)
            os.replace(temporary, place)
        return
    with _temporary(None, place.name) as temporary:
        fill(temporary)
        with _writing(place):
            place.fs.put_file(temporary, place.path)


def remove(place: Place) -> None:
    """Remove a file, where there is one."""
    if isinstance(place, Path):
        place.unlink(missing_ok=True)
        return
    with suppress(FileNotFoundError), _asking(f"removing {place}"):
        place.fs.rm_file(place.path)


def _make_folders(folder: Path) -> None:
    if folder.is_dir():
        return
    # `parents=True` would make the folders above with the umask's rights.
    for each in (*reversed(folder.parents), folder):
        each.mkdir(exist_ok=True, mode=0o700)


@contextmanager
def _temporary(folder: Path | None, name: str) -> Iterator[str]:
    """A file of the owner's only; it is gone after the block, or renamed in it."""
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
    os.close(handle)
    try:
        yield temporary
    finally:
        Path(temporary).unlink(missing_ok=True)


def _fill(file: str, content: bytes) -> None:
    Path(file).write_bytes(content)


@contextmanager
def _writing(place: UPath) -> Iterator[None]:
    try:
        with _asking(f"writing {place}"):
            yield
    except FileNotFoundError as error:
        raise NotFound(
            f"writing {place}", str(error), remedy="make it, or correct FCB_STORE_URL"
        ) from error


@contextmanager
def _asking(tried: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except PermissionError as error:
        raise NotAllowed(tried, str(error), remedy="fcb doctor") from error
    # Each library has errors of its own, and only some are OSErrors.
    except Exception as error:
        raise Unreachable(tried, str(error) or type(error).__name__, remedy="fcb doctor") from error
