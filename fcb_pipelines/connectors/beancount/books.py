"""A folder of Beancount files: read whole, changed by text, checked before it is replaced.

A change goes in these steps, under a file lock: the changed files are written and synced beside the
books; Beancount's own loader reads the books with them; when it finds no error, each file is renamed
into place. Files that lose an entry go first: if the machine dies between two renames, no entry is
there twice and none is cut.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from fcb_pipelines.connectors.beancount.changes import Changes
from fcb_pipelines.connectors.failures import ContractBreach, NotPrepared, TransientFailure
from fcb_pipelines.core.periods import period_of

MAIN = "main.beancount"
LOCK_SECONDS = 120
SHOWN_ERRORS = 3
READS = 3
WRITES = 3
STAGING = ".staging"

Signature = tuple[int, int, int]
"""Modification time in nanoseconds, size, inode: a file that was saved again differs."""


def journal(day: date) -> str:
    """The file that has the entries of a day's month."""
    return f"journal/{period_of(day)}.beancount"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The books as Beancount's loader read them: `entries` in date order, and the files they are from."""

    entries: tuple[Any, ...]
    root: Path
    signatures: Mapping[str, Signature]
    operating_currency: str | None
    title: str

    def place(self, meta: Mapping[str, Any]) -> tuple[str, int]:
        """The file (relative to the books) and the line, from 1, where an entry begins."""
        return str(Path(meta["filename"]).relative_to(self.root)), int(meta["lineno"])


class BooksFolder:
    """The files of one set of books under `folder`."""

    def __init__(self, folder: Path) -> None:
        # Absolute, because that is how the loader names the files it has read.
        self.folder = Path(os.path.abspath(folder))
        self._lock = FileLock(self.folder / ".lock", timeout=LOCK_SECONDS, mode=0o600)
        self._loaded: Loaded | None = None

    @property
    def exists(self) -> bool:
        """Whether the top file is there."""
        return (self.folder / MAIN).is_file()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lock of the one writer, over all processes. Raises TransientFailure after a long wait."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with self._lock:
                yield
        except Timeout as error:
            tried = f"locking the books in {self.folder.name}/"
            raise TransientFailure(
                tried, f"another process has held them for {LOCK_SECONDS} seconds"
            ) from error

    def load(self) -> Loaded:
        """The books now; read again only when a file has changed.

        Raises NotPrepared when there are none, ContractBreach when Beancount finds an error.
        """
        self.assert_there()
        for _ in range(READS):
            loaded = self._settled()
            if loaded is not None:
                return loaded
        # Busy writers are waited for; a person who saves all the while is not.
        with self.writing():
            loaded = self._settled()
        if loaded is None:
            raise TransientFailure("reading the books", "their files keep changing")
        return loaded

    def assert_there(self) -> None:
        """Raises NotPrepared when there are no books."""
        if not self.exists:
            raise NotPrepared(
                f"opening the books in {self.folder.name}/",
                f"there is no {MAIN}",
                remedy="fcb ledger setup",
            )

    def _settled(self) -> Loaded | None:
        """The books as they are, None when a file changed while they were read."""
        signatures = self._signatures()
        if self._loaded is None or self._loaded.signatures != signatures:
            loaded = self._checked(self.folder, signatures)
            if self._signatures() != signatures:
                return None
            self._loaded = loaded
        return self._loaded

    def change(self, make: Callable[[Loaded], Changes]) -> None:
        """Apply the changes that `make` returns for the books as they are under the lock.

        When a person saves a file in the meantime, `make` is called again with the books as saved.
        Raises ContractBreach when the result would have an error: then nothing is changed.
        """
        self.assert_there()
        with self.writing():
            for _ in range(WRITES):
                base = self.load()
                changes = make(base)
                names = changes.files()
                texts = {name: changes.applied(name, self._read(name)) for name in names}
                if not texts or self._replace(texts, base.signatures):
                    return
        raise TransientFailure(
            "writing to the books", "somebody else saves their files in the meantime"
        )

    def create(self, texts: Mapping[str, str]) -> None:
        """Write the files of new books, checked like a change; the top file comes last."""
        ordered = sorted(texts, key=lambda name: name == MAIN)
        if not self._replace({name: texts[name] for name in ordered}, self._signatures()):
            raise TransientFailure("making the books", "somebody else writes in their folder")

    def _replace(self, texts: Mapping[str, str], expected: Mapping[str, Signature]) -> bool:
        """Check the books with these files, then rename them into place.

        Returns False, and renames nothing, when the books are no longer as `expected`.
        """
        staging = self.folder / STAGING
        shutil.rmtree(staging, ignore_errors=True)
        try:
            self._stage(staging, texts)
            checked = self._checked(staging, expected)
            if checked is None or self._signatures() != expected:
                return False
            # A rename keeps a file's signature, so a save by a person after it is still noticed.
            replaced = {name: _signature(staging / name) for name in texts}
            for name in texts:
                target = self.folder / name
                target.parent.mkdir(mode=0o700, exist_ok=True)
                os.replace(staging / name, target)
                _sync(target.parent)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        self._loaded = replace(checked, signatures={**expected, **replaced})
        return True

    def _checked(self, root: Path, signatures: Mapping[str, Signature]) -> Loaded | None:
        """The books under `root` without an error; None when a person's save came in between."""
        try:
            return _load(root, signatures)
        except ContractBreach:
            # A file caught while somebody saves it is only half there.
            if self._signatures() == signatures:
                raise
            return None

    def _stage(self, staging: Path, texts: Mapping[str, str]) -> None:
        """Write the changed books to `staging`: changed files in full, the others as links."""
        for name in (*self._signatures(), *texts):
            (staging / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in self._signatures():
            if name not in texts:
                _link(self.folder / name, staging / name)
        for name, text in texts.items():
            descriptor = os.open(staging / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())

    def _signatures(self) -> dict[str, Signature]:
        found = {}
        for folder, folders, names in os.walk(self.folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                path = Path(folder, name)
                if path.suffix == ".beancount" and not name.startswith("."):
                    found[str(path.relative_to(self.folder))] = _signature(path)
        return found

    def _read(self, name: str) -> str:
        path = self.folder / name
        if not path.exists():
            return ""
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()


def _signature(path: Path) -> Signature:
    status = path.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino


def _load(root: Path, signatures: Mapping[str, Signature]) -> Loaded:
    tried = "reading the books" if root.name != STAGING else "checking the books before writing"
    try:
        from beancount import loader
    except ImportError as error:
        raise NotPrepared(
            tried,
            "Beancount is not installed",
            remedy="pip install 'fcb_pipelines[books]'",
        ) from error
    # Beancount's cache goes by time stamps and would leave a file beside the books.
    loader.initialize(use_cache=False)
    entries, errors, options = loader.load_file(str(root / MAIN))
    if errors:
        shown = "; ".join(_error_line(error, root) for error in errors[:SHOWN_ERRORS])
        raise ContractBreach(
            tried,
            f"Beancount finds {len(errors)} errors, first of them: {shown}",
            remedy="fcb books",
        )
    currencies = options["operating_currency"]
    return Loaded(
        entries=tuple(entries),
        root=root,
        signatures=signatures,
        operating_currency=currencies[0] if currencies else None,
        title=options["title"],
    )


def _error_line(error: Any, root: Path) -> str:
    source = getattr(error, "source", None) or {}
    name = str(source.get("filename", "")).removeprefix(f"{root}/")
    return f"{name}:{source.get('lineno', 0)} {error.message.strip().replace(f'{root}/', '')}"


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        # Some file systems have no hard links.
        shutil.copy2(source, target)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
