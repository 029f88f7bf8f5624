"""The one note of a posted move in Odoo's chatter: from which document it came, and by which run.

    Notes(pages=pages, dagster="https://dagster.example").of({"stripe:acct_1:in_7": ("stripe:acct_1:in_7", Kind.INVOICE)})

Its text is HTML. Odoo keeps it as that, cleaned, and each part that is not ours is escaped here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

from fcb_pipelines.core.close.links import Pages, source_page
from fcb_pipelines.core.codes import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """The notes of moves. `dagster` is the address of Dagster's page; what has no page is not linked."""

    pages: Pages = field(default_factory=Pages)
    dagster: str = ""

    def of(self, entries: Mapping[str, tuple[str, Kind]], *, run: str = "") -> dict[str, str]:
        """The note of each entry, by ref, as posted by the run with this id.

        `entries` has its document (a document is its own) and that one's kind.
        """
        by = f"{self.dagster.rstrip('/')}/runs/{run}" if self.dagster and run else None
        return {
            ref: ", ".join(
                filter(
                    None,
                    (
                        f"Posted by fcb_pipelines as {escape(ref)}",
                        _link(source_page(document, kind, self.pages), "document at its source"),
                        _link(by, "run that posted it"),
                    ),
                )
            )
            for ref, (document, kind) in entries.items()
        }


def _link(page: str | None, text: str) -> str:
    return f'<a href="{escape(page)}">{text}</a>' if page else ""
