"""The settlements in cash of all documents, from the indexes: what a transaction of any month may meet."""

from collections.abc import Iterator, Mapping

import pandas as pd

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.store.evidence import EvidenceStore
from fcb_pipelines.connectors.store.frames import to_rows
from fcb_pipelines.core.cash.settled import SettledCash, settled_cash
from fcb_pipelines.core.digests import digest
from fcb_pipelines.core.facts.index import IndexRow
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.sources import registry
from fcb_pipelines.defs.sources.following import body_of

# It grows once the same body would be read to other settlements.
_FORM = 1


def form() -> str:
    """A text that differs once the same bodies would give other rows."""
    return digest(f"{_FORM} {current().model_dump_json()}")


def settled_rows(
    indexes: Mapping[str, pd.DataFrame],
    evidence: EvidenceStore,
    before: pd.DataFrame | None,
) -> Iterator[SettledCash]:
    """The settlements of every document in scope, once each; `indexes` by source.

    The rows of a document whose body is as it was come from the frame `before`; only the others are read.
    """
    known = _known(before)
    seen: set[str] = set()
    for name in keys.SOURCES:
        of = registry.source(name)
        for row in to_rows(indexes[name], IndexRow):
            if not row.in_scope or row.body_hash is None:
                continue
            found = known.get((row.ref, row.body_hash))
            if found is None:
                facts = of.facts(body_of(of, row, evidence).body)
                found = settled_cash(facts, current(), row.body_hash)
            # Several documents name one receipt.
            yield from (each for each in found if each.ref not in seen)
            seen |= {each.ref for each in found}


def customers(indexes: Mapping[str, pd.DataFrame]) -> set[str]:
    """The customers of every document in scope, as their sources name them."""
    return {
        row.customer
        for frame in indexes.values()
        for row in to_rows(frame, IndexRow)
        if row.in_scope and row.customer
    }


def _known(before: pd.DataFrame | None) -> dict[tuple[str, str], tuple[SettledCash, ...]]:
    """The rows of an earlier frame by document and body; none of another configuration.

    A document without a settlement has no row, and is read again.
    """
    if before is None or before.attrs.get("form") != form():
        return {}
    found: dict[tuple[str, str], tuple[SettledCash, ...]] = {}
    for row in to_rows(before, SettledCash):
        place = (row.document, row.body_hash or "")
        found[place] = (*found.get(place, ()), row)
    return found
