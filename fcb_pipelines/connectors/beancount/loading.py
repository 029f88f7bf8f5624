"""The files of a set of books, loaded by Beancount: the whole of them, or those that an answer needs."""

import glob
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

from fcb_pipelines.connectors.beancount.scan import INCLUDE, MONTHS
from fcb_pipelines.connectors.beancount.text import quoted
from fcb_pipelines.connectors.failures import ContractBreach, NotPrepared
from fcb_pipelines.core.periods import period_of

MAIN = "main.beancount"
STAGING = ".staging"
SHOWN_ERRORS = 3

# What Beancount's loader names the file of a text that it was given.
_TEXT = "<string>"

Signature = tuple[int, int, int]
"""Modification time in nanoseconds, size, inode: a file that was saved again differs."""


def journal(day: date) -> str:
    """The file that has the entries of a day's month."""
    return f"journal/{period_of(day)}.beancount"


def is_month(name: str) -> bool:
    """Whether a file is one of the journal, which `main.beancount` includes by a pattern."""
    return PurePosixPath(name).parent == PurePosixPath("journal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Books as Beancount's loader read them: `entries` in date order, and the files they are from.

    `files` are those that were read of the ones with `signatures`; None: all.
    """

    entries: tuple[Any, ...]
    folder: Path
    files: frozenset[str] | None
    signatures: Mapping[str, Signature]
    operating_currency: str | None
    title: str

    def has(self, files: frozenset[str] | None, signatures: Mapping[str, Signature]) -> bool:
        """Whether this is what these files, in books of these signatures, say."""
        if self.files is None:
            return self.signatures == signatures
        if files is None or not files <= self.files:
            return False
        return all(self.signatures.get(name) == signatures.get(name) for name in self.files)

    def place(self, meta: Mapping[str, Any]) -> tuple[str, int]:
        """The file (relative to the books) and the line, from 1, where an entry begins."""
        if meta["filename"] == _TEXT:
            return MAIN, int(meta["lineno"])
        name = Path(meta["filename"]).relative_to(self.folder)
        staged = name.parts[0] == STAGING
        return str(Path(*name.parts[1:]) if staged else name), int(meta["lineno"])


def load_whole(folder: Path, signatures: Mapping[str, Signature], *, staged: bool) -> Loaded:
    """All files of the books, or of their copy in the staging folder.

    Raises ContractBreach where Beancount finds an error, NotPrepared without Beancount.
    """
    root = folder / STAGING if staged else folder
    tried = "checking the books before writing" if staged else "reading the books"
    read = _loader(tried).load_file(str(root / MAIN))
    return _loaded(tried, read, root, folder, None, signatures)


def load_part(
    folder: Path,
    signatures: Mapping[str, Signature],
    files: frozenset[str],
    *,
    staged: Collection[str] = (),
) -> Loaded:
    """These files of the books; those in `staged` as they are in the staging folder.

    `files` has the top file and all others that are no months. Raises like `load_whole`; an error of a
    part may be none of the whole.
    """
    tried = "checking the books before writing" if staged else "reading the books"
    loader = _loader(tried)

    def path(name: str) -> Path:
        return folder / STAGING / name if name in staged else folder / name

    text = _including(path(MAIN).read_text("utf-8"), sorted(filter(is_month, files)), path)
    return _loaded(tried, loader.load_string(text), folder, folder, files, signatures)


def _including(text: str, months: Collection[str], path: Callable[[str], Path]) -> str:
    """The top file's text with includes of these months in place of all, and with whole paths.

    The new lines come last: the place of what a person wrote in this file stays.
    """
    lines = text.split("\n")
    for number, line in enumerate(lines):
        found = INCLUDE.match(line.rstrip())
        if found:
            lines[number] = _include(path(str(PurePosixPath(found[1]))))
        elif line.rstrip() == MONTHS:
            lines[number] = ""
    return "\n".join([*lines, *(_include(path(name)) for name in months), ""])


def _include(path: Path) -> str:
    return f"include {quoted(glob.escape(str(path)))}"


def _loader(tried: str) -> Any:
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
    return loader


def _loaded(
    tried: str,
    read: tuple[list[Any], list[Any], Mapping[str, Any]],
    root: Path,
    folder: Path,
    files: frozenset[str] | None,
    signatures: Mapping[str, Signature],
) -> Loaded:
    entries, found, options = read
    errors = [error for error in found if not _is_of_our_balance(error)]
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
        folder=folder,
        files=files,
        signatures=signatures,
        operating_currency=currencies[0] if currencies else None,
        title=options["title"],
    )


def is_our_balance(entry: Any) -> bool:
    """Whether a directive is a balance assertion that we wrote (`text.balance_text`)."""
    return type(entry).__name__ == "Balance" and entry.meta.get("record") == "balance"


def _is_of_our_balance(error: Any) -> bool:
    """Whether the loader denies a balance that we stated.

    In a part it must, since entries are missing. In the whole it means that somebody changed what is before
    it: that is told by the balance as it now is (`state_balances`) and by Fava, and stops no other answer.
    """
    return type(error).__name__ == "BalanceError" and is_our_balance(error.entry)


def _error_line(error: Any, root: Path) -> str:
    source = getattr(error, "source", None) or {}
    name = str(source.get("filename", "")).removeprefix(f"{root}/")
    return f"{name}:{source.get('lineno', 0)} {error.message.strip().replace(f'{root}/', '')}"
