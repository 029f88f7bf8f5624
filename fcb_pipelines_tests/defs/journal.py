"""A person's edits of the Beancount journal: one entry's text replaced by another."""

import re
from collections.abc import Callable

from fcb_pipelines_tests.defs.world import World

Edit = Callable[[str], str]


def edit_entry(world: World, external_id: str, edit: Edit) -> None:
    """Edit the one entry with this external id; it must change."""
    wanted = f'external_id: "{external_id}"'
    for file in sorted((world.books / "journal").glob("*.beancount")):
        entries = file.read_text("utf-8").split("\n\n")
        for place, entry in enumerate(entries):
            if wanted in entry:
                entries[place] = edit(entry)
                assert entries[place] != entry, f"{external_id} is as it was:\n{entry}"
                file.write_text("\n\n".join(entries), "utf-8")
                return
    raise AssertionError(f"{external_id} is not in the journal")


def settlement_of(world: World, document: str) -> str:
    """The external id of the one settlement of a document."""
    (entry,) = (
        each for each in world.ledger.read_settlements() if each.settlement.document == document
    )
    return entry.ref


def replacing(old: str, new: str) -> Edit:
    """Replace the first match of a pattern; it must be there."""

    def edit(entry: str) -> str:
        told, count = re.subn(old, new, entry, count=1, flags=re.MULTILINE)
        assert count, f"{old} is not in\n{entry}"
        return told

    return edit


def both(*edits: Edit) -> Edit:
    """One edit after another."""

    def edit(entry: str) -> str:
        for each in edits:
            entry = each(entry)
        return entry

    return edit


def removed(entry: str) -> str:
    """The entry is deleted."""
    return ""
