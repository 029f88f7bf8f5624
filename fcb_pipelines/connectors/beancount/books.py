"""A folder of Beancount files: read, changed by text, checked before it is replaced.

A change goes in these steps, under a file lock: the changed files are written and synced beside the
books; Beancount's own loader reads them with all that they need of the books; when it finds no error,
each file is renamed into place. Files that lose an entry go first: if the machine dies between two
renames, no entry is there twice and none is cut.

What an answer needs - a month, and the months of what is matched with it - is told by the index. The
whole is read where everything is asked for, and where a part alone could say something else.
"""

import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Generic, TypeVar

from fcb_pipelines.connectors.beancount.changes import Changes
from fcb_pipelines.connectors.beancount.index import Index
from fcb_pipelines.connectors.beancount.loading import (
    MAIN,
    STAGING,
    Loaded,
    Signature,
    load_part,
    load_whole,
)
from fcb_pipelines.connectors.beancount.lock import BooksLock
from fcb_pipelines.connectors.failures import ContractBreach, NotPrepared, TransientFailure
from fcb_pipelines.connectors.ledger import Writer

READS = 3
WRITES = 3
# The months in hand, and those of what is matched with them.
KEPT_PARTS = 4

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an answer or a change is about: external ids, and files that are written to.

    With `stated_after` also the balances of ours that are stated after that day.
    """

    names: Collection[str] = ()
    files: Collection[str] = ()
    stated_after: date | None = None


class BooksFolder(Generic[Read]):
    """The files of one set of books under `folder`, and what `read` makes of them once loaded.

    What was loaded is kept for as long as the files have the same signatures. Threads may share it.
    """

    def __init__(self, folder: Path, read: Callable[[Loaded], Read]) -> None:
        # Absolute, because that is how the loader names the files it has read.
        self.folder = Path(os.path.abspath(folder))
        self._lock = BooksLock(self.folder)
        self._index = Index(self.folder)
        self._read = read
        self._kept: tuple[tuple[Loaded, Read], ...] = ()

    @property
    def exists(self) -> bool:
        """Whether the top file is there."""
        return (self.folder / MAIN).is_file()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lock of the one writer, over all processes. Raises Busy after a long wait."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._lock.held():
            yield

    def begin_writing(self, writer: Writer) -> None:
        """From now on hold the lock in this name."""
        self._lock.writer = writer

    def load(self, scope: Scope | None = None) -> Read:
        """The books now, as far as `scope` needs them; None: the whole. Read again when files changed.

        Raises NotPrepared when there are none, ContractBreach when Beancount finds an error.
        """
        return self._load(scope)[1]

    def _load(self, scope: Scope | None) -> tuple[Mapping[str, Signature], Read]:
        """The signatures of all files, and what was read of those that `scope` needs."""
        self.assert_there()
        for _ in range(READS):
            found = self._settled(scope)
            if found is not None:
                return found
        # Busy writers are waited for; a person who saves all the while is not.
        with self.writing():
            found = self._settled(scope)
        if found is None:
            raise TransientFailure("reading the books", "their files keep changing")
        return found

    def assert_there(self) -> None:
        """Raises NotPrepared when there are no books."""
        if not self.exists:
            raise NotPrepared(
                f"opening the books in {self.folder.name}/",
                f"there is no {MAIN}",
                remedy="fcb ledger setup",
            )

    def _settled(self, scope: Scope | None) -> tuple[Mapping[str, Signature], Read] | None:
        """The books as they are, None when a file changed while they were read."""
        signatures = self._signatures()
        files = self._files(scope, signatures)
        for kept, read in self._kept:
            if kept.has(files, signatures):
                return signatures, read
        loaded = self._checked(signatures, files)
        if loaded is None or self._signatures() != signatures:
            return None
        return signatures, self._keep(loaded, signatures)

    def _files(
        self, scope: Scope | None, signatures: Mapping[str, Signature]
    ) -> frozenset[str] | None:
        """The files that `scope` needs of the books of these signatures; None for all of them."""
        if scope is None:
            return None
        found = self._index.files(signatures, scope.names, scope.stated_after)
        if found is None:
            return None
        wanted = found | (signatures.keys() & {*scope.files})
        return None if wanted == signatures.keys() else wanted

    def _keep(self, loaded: Loaded, signatures: Mapping[str, Signature]) -> Read:
        """Keep what was loaded, and of what was kept before only what is still so."""
        read = self._read(loaded)
        still = [each for each in self._kept if each[0].has(each[0].files, signatures)]
        self._kept = ((loaded, read), *still[: KEPT_PARTS - 1])
        return read

    def change(self, make: Callable[[Read], Changes], scope: Scope | None) -> None:
        """Apply the changes that `make` returns for the books as they are under the lock.

        `make` is given what `scope` needs; None: the whole. When a person saves a file in the meantime, it is called
        again with the books as saved. Raises ContractBreach when the result would have an error: then
        nothing is changed.
        """
        self.assert_there()
        with self.writing():
            for _ in range(WRITES):
                signatures, read = self._load(scope)
                changes = make(read)
                names = changes.files()
                texts = {name: changes.applied(name, self._text(name)) for name in names}
                if not texts or self._replace(texts, signatures, scope):
                    return
        raise TransientFailure(
            "writing to the books", "somebody else saves their files in the meantime"
        )

    def create(self, texts: Mapping[str, str]) -> None:
        """Write the files of new books, checked like a change; the top file comes last."""
        ordered = sorted(texts, key=lambda name: name == MAIN)
        if not self._replace({name: texts[name] for name in ordered}, self._signatures(), None):
            raise TransientFailure("making the books", "somebody else writes in their folder")

    def _replace(
        self, texts: Mapping[str, str], expected: Mapping[str, Signature], scope: Scope | None
    ) -> bool:
        """Check the books with these files, then rename them into place.

        Returns False, and renames nothing, when the books are no longer as `expected`.
        """
        staging = self.folder / STAGING
        shutil.rmtree(staging, ignore_errors=True)
        try:
            self._stage(staging, texts)
            files = self._files(scope, expected)
            files = files | texts.keys() if files is not None else None
            checked = self._checked(expected, files, texts)
            if checked is None or self._signatures() != expected:
                return False
            # A rename keeps a file's signature, so a save by a person after it is still noticed.
            signatures = {**expected, **{name: _signature(staging / name) for name in texts}}
            for name in texts:
                target = self.folder / name
                target.parent.mkdir(mode=0o700, exist_ok=True)
                os.replace(staging / name, target)
                _sync(target.parent)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        self._keep(replace(checked, signatures=signatures), signatures)
        return True

    def _checked(
        self,
        signatures: Mapping[str, Signature],
        files: frozenset[str] | None,
        staged: Collection[str] = (),
    ) -> Loaded | None:
        """These files without an error, or the whole; None when a person's save came in between.

        `staged` are in the staging folder. What looks like an error in a part - an account that another
        month opens - may be none of the whole, so the whole decides.
        """
        try:
            if files is not None:
                with suppress(ContractBreach):
                    return load_part(self.folder, signatures, files, staged=staged)
            if staged:
                self._stage_the_others(signatures.keys() - {*staged})
            return load_whole(self.folder, signatures, staged=bool(staged))
        except ContractBreach:
            # A file caught while somebody saves it is only half there.
            if self._signatures() == signatures:
                raise
            return None

    def _stage(self, staging: Path, texts: Mapping[str, str]) -> None:
        """Write the changed files to `staging`, and sync them."""
        for name, text in texts.items():
            (staging / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(staging / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())

    def _stage_the_others(self, names: Collection[str]) -> None:
        """Beside the changed files, links to those that do not change."""
        for name in names:
            target = self.folder / STAGING / name
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _link(self.folder / name, target)

    def _signatures(self) -> dict[str, Signature]:
        found = {}
        for folder, folders, names in os.walk(self.folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                path = Path(folder, name)
                if path.suffix == ".beancount" and not name.startswith("."):
                    found[str(path.relative_to(self.folder))] = _signature(path)
        return found

    def _text(self, name: str) -> str:
        path = self.folder / name
        if not path.exists():
            return ""
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()


def _signature(path: Path) -> Signature:
    status = path.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino


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
