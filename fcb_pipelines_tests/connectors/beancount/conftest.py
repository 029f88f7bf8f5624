"""What is loaded of books of many months."""

from pathlib import Path

import pytest

from fcb_pipelines.connectors.beancount import books as beancount_books


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...] | None]:
    """The months of each load from here on; None where the whole was loaded."""
    found: list[tuple[str, ...] | None] = []
    part, whole = beancount_books.load_part, beancount_books.load_whole

    def load_part(folder: Path, signatures: object, files: frozenset[str], **how: object) -> object:
        found.append(tuple(sorted(Path(name).stem for name in files if "/" in name)))
        return part(folder, signatures, files, **how)  # type: ignore[arg-type]

    def load_whole(*arguments: object, **how: object) -> object:
        found.append(None)
        return whole(*arguments, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(beancount_books, "load_part", load_part)
    monkeypatch.setattr(beancount_books, "load_whole", load_whole)
    return found
