"""Acme as a source: a CSV file of invoices whose last row counts them."""

import csv
import hashlib
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from fcb_pipelines.connectors.failures import Failure, Unreachable
from fcb_pipelines.connectors.sources import Absent, Body, Listing, SourceBody, SourceDescription
from fcb_pipelines.core.codes import Kind


class AcmeSource:
    """The invoices of one file, read only. Bodies are what `facts.document_facts` reads."""

    name = "acme"

    def __init__(self, file: Path, organization: str) -> None:
        self._file = file
        self._organization = organization

    def listing(self, progress: Callable[[int], None] | None = None) -> Listing:
        """Every row; the last one says how many there are."""
        *rows, last = self._rows() or [{"id": "", "number": ""}]
        count = last.get("customer") if last["id"] == "END" else None
        whole = count == str(len(rows))
        return Listing(
            documents=tuple(SourceBody(id=row["id"], kind=Kind.INVOICE, body=row) for row in rows),
            pages=1,
            calls=0,
            problem=None if whole else f"{len(rows)} rows, and the last row counts {count}",
        )

    def ask(self, ids: Collection[str]) -> tuple[SourceBody | Absent, ...]:
        """These invoices; the file is all there is, so what it lacks does not exist."""
        known = {one.id: one for one in self.listing().documents}
        return tuple(
            known.get(each) or Absent(id=each, reason="does_not_exist", detail=f"no row {each}")
            for each in ids
        )

    def complete(self, bodies: Sequence[SourceBody]) -> tuple[SourceBody | Absent, ...]:
        """The same bodies: a row lacks nothing."""
        return tuple(bodies)

    def newest(self) -> str:
        """A digest of the file."""
        return hashlib.sha256(self._bytes()).hexdigest()

    def describe(self) -> SourceDescription:
        """How many invoices there are, and whether the file can be read."""
        problems: tuple[str, ...] = ()
        try:
            listing = self.listing()
            counts = {"invoices": len(listing.documents)}
            problems = (listing.problem,) if listing.problem else ()
        except Failure as failure:
            counts, problems = {}, (str(failure),)
        return SourceDescription(
            name=self.name,
            account=self._organization,
            version="csv",
            livemode=True,
            counts=counts,
            problems=problems,
        )

    def _rows(self) -> list[Body]:
        return list(csv.DictReader(self._bytes().decode("utf-8").splitlines()))

    def _bytes(self) -> bytes:
        try:
            return self._file.read_bytes()
        except OSError as error:
            raise Unreachable(f"reading {self._file}", str(error)) from error
